// Notice: something that happened at a node and that watchers want to know.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/command.hpp"

namespace creto {

/// A block became final; the unit of output is one finalised block (rule L8).
struct Finalized {
    Block block;
    BlockId id;
    Digest order_digest;
    Digest state_root;
    std::uint64_t operations = 0;
};
/// This node did not execute what lies below: it took over the agreed state at a checkpoint.
struct Adopted {
    Height height;
    BlockId id;
    Digest order_digest;
    Digest state_root;
};
struct AgentFound {
    AgentId agent;
    std::string name;
};
struct AgentLeft {
    AgentId agent;
    std::string name;
};
/// An agent answers this node no more, nor those whom it asked to try.
struct AgentSuspected {
    AgentId agent;
    std::string name;
};
/// A suspected or dead agent has shown that it lives.
struct AgentAlive {
    AgentId agent;
    std::string name;
    bool was_dead = false;
};
/// A suspicion that nobody refuted in time, from this node's own looks. It may still come back.
struct AgentDead {
    AgentId agent;
    std::string name;
};
/// Fewer seats are heard than before; both sets as seen from here.
struct Partitioned {
    std::vector<Seat> reachable;
    std::vector<Seat> lost;
    bool quorum = false;  ///< Still enough to finalise.
};
struct Healed {
    std::vector<Seat> returned;
};
struct VerdictReached {
    VerdictView verdict;
};
/// A proof was accepted by the final order.
struct Excluded {
    AgentId agent;
    std::string name;
    std::string reason;
};
struct Suspended {
    AgentId agent;
    std::string name;
    std::string reason;
};
/// The final order changed who votes, or a parameter, from an epoch on; `what` in words.
struct RosterChanged {
    std::string what;
    Epoch from;
};
/// The seats' reports agree that one of them does not take part as it should; `reason` in words.
struct SeatSuspected {
    Seat seat;
    AgentId agent;
    std::string name;
    std::string reason;
};
struct SeatCleared {
    Seat seat;
    AgentId agent;
    std::string name;
};
/// Nobody sees this seat any more: it is set aside, and comes back by itself. [SEAT-DORMANT.1]
struct SeatDormant {
    Seat seat;
    AgentId agent;
    std::string name;
    Epoch from;
};
/// A seat that was set aside has shown itself: it votes again. [SEAT-DORMANT.5]
struct SeatReturned {
    Seat seat;
    AgentId agent;
    std::string name;
    Epoch from;
};
/// This node is in another epoch: who votes now, and whether it does.
struct EpochBegun {
    Epoch epoch;
    std::vector<Member> voters;
    std::uint32_t dormant = 0;  ///< Seats that are set aside.
    Parameters parameters;      ///< What is in force.
    std::optional<Seat> own;
};
/// The final order closed a seat's lane and opened its next one: its node had lost the old one.
struct LaneReset {
    Seat seat;
    std::string name;
    LaneId opened;
};
/// This node must not write its lane any more.
struct LaneLost {
    std::string reason;
    bool asks = false;  ///< It asks the others for a new lane, by itself.
};
/// This node writes this lane from now on, in place of the one that it lost.
struct LaneRegained {
    LaneId lane;
};
/// This node stopped voting, and why (a damaged vote log, a divergence, a proof in crash mode).
struct Halted {
    std::string reason;
};

/// What is read at a watched place is another than before (see WatchKeys).
struct KeyChanged {
    std::string key;
    std::vector<std::string> path;
    KeyReply value;
};
/// So many places changed at once that these were not told.
struct ChangesLost {
    std::uint64_t count = 0;
};

using Notice = std::variant<
    Finalized,
    Adopted,
    AgentFound,
    AgentLeft,
    AgentSuspected,
    AgentAlive,
    AgentDead,
    Partitioned,
    Healed,
    VerdictReached,
    Excluded,
    Suspended,
    RosterChanged,
    SeatSuspected,
    SeatCleared,
    SeatDormant,
    SeatReturned,
    EpochBegun,
    LaneReset,
    LaneLost,
    LaneRegained,
    Halted,
    KeyChanged,
    ChangesLost>;

}  // namespace creto
