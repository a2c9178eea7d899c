// Node: the whole protocol as one function from events to effects.
//
// Why      Two hosts drive the same code: real processes (runtime/) and the simulator (sim/).
// Holds    Same options, same events with the same instants: same effects, byte for byte. Never
//          reads a clock, opens a socket, touches a disk or draws entropy.
// Use      restore() once with what storage holds (empty for a new node), then on_event() for every
//          event, starting with Start; carry out the returned effects in order.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "model/effect.hpp"
#include "model/event.hpp"
#include "store/store.hpp"
#include "tools/peer_budget.hpp"

namespace creto {

struct NodeOptions {
    Genesis genesis;
    std::string name;
    std::vector<std::string> addresses;  ///< Where others may dial this node.
    std::vector<std::string> bootstrap;  ///< Whom to dial at the start.
    std::uint64_t seed = 0;              ///< For tie-breaking draws; not for keys.

    Duration delta = Duration::from_ms(100);   ///< First guess of one message delay with slack.
    Duration delta_max = Duration::from_s(1);  ///< Cap of the back-off.
    Duration heartbeat = Duration::from_s(2);  ///< Idle views, so that silence is visible.
    /// With more seats than these votes go through groups; the same for all nodes.
    std::size_t direct_seats_max = limits::direct_seats_max;
    Duration record_lifetime = Duration::from_s(60);
    Duration probe_after = Duration::from_ms(250);  ///< Silence of a seat before it is probed.
    Duration lost_after = Duration::from_s(1);      ///< Silence before a seat counts as lost.
    Duration ping_interval = Duration::from_s(1);   ///< One agent is asked each time if it lives.
    PeerLimits limits;                              ///< What each peer may cause here.
    /// Final blocks that stay in the store, with their vertices, below the newest; 0: all.
    std::uint64_t keep_blocks = 0;
    /// A checkpoint is made once so many times its state was executed; 0: at each that there is.
    std::uint64_t checkpoint_share = 4;
};

class NodeImpl;

class Node {
public:
    /// `signer` and `log` outlive the node. Requires: validate(options.genesis).
    Node(NodeOptions options, const Signer& signer, Log& log);
    ~Node();
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;

    /// Rebuilds the node from storage. Errors: corrupt, with the key and what to do.
    [[nodiscard]] Result<void> restore(const StoreView& store, const VoteLogContents& votes);

    [[nodiscard]] std::vector<Effect> on_event(const Event& event, Instant now);
    /// A host may hand back the list that on_event() gave it: its memory serves the next one.
    void reuse(std::vector<Effect> spent);

    // For checkers, tests and metrics; cheap.
    [[nodiscard]] const AgentId& agent() const;
    [[nodiscard]] std::optional<Seat> seat() const;
    [[nodiscard]] const Roster& roster() const;
    [[nodiscard]] View view() const;
    [[nodiscard]] StatusReply status() const;
    /// The status without the counters by name, for whoever looks often.
    [[nodiscard]] StatusReply gauges() const;
    /// Bytes in memory that grow with what is written: the graph, and what waits for a vertex.
    [[nodiscard]] std::size_t held_bytes() const;

private:
    std::unique_ptr<NodeImpl> impl_;
};

}  // namespace creto
