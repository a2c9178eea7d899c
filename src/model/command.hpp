// Commands and replies: what a local user asks of a node, and what comes back.
//
// Why      The command line, the admin API and tests all speak to a node in these words, in the
//          runtime and in the simulator.
// Holds    Every command gets exactly one Reply, also when the node stops or the deadline passes.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/time.hpp"
#include "model/agent_record.hpp"
#include "model/block.hpp"
#include "model/causal_reading.hpp"
#include "model/operation.hpp"
#include "model/piece.hpp"
#include "model/ping.hpp"
#include "model/session.hpp"

namespace creto {

/// Which reading of the graph an operation or a read wants.
enum class Reading : std::uint8_t { final, causal };

/// Puts an operation into this node's lane (or hands it to a seat when this node has none).
/// final: answered when final. causal: answered when durable here.
struct Submit {
    OperationBody body;
    Reading reading = Reading::final;
    Duration timeout = Duration::from_s(30);
};
struct SubmitReply {
    OperationId operation;
    Height height;        ///< Where it became final; 0 for causal.
    bool applied = true;  ///< False when the final order made it void; `reason` says why.
    std::string reason;
    SessionToken session;  ///< With it, another node's reading shows this write.
};

/// Takes away all that is read at a place under causal/ and below it: one causal write for each value.
/// Answered with the SubmitReply of the last when all are durable here.
struct RemoveCausal {
    std::string key;
    std::vector<std::string> path;
    Duration timeout = Duration::from_s(30);
};

/// Many final operations under one answer, taken in as one: given when the fate of each is known.
struct SubmitMany {
    std::vector<OperationBody> bodies;
    Duration timeout = Duration::from_s(30);
};
struct SubmitManyReply {
    std::uint64_t final_count = 0;
    Height last;                 ///< The highest at which one of them became final.
    std::optional<Error> error;  ///< Of the last that was refused or not final in time.
};

/// How an operation stands.
struct AskOperation {
    OperationId operation;
};
struct OperationReply {
    enum class State : std::uint8_t { unknown, pending, final, never };
    State state = State::unknown;
    Height height;
};

/// Reads one key; the prefix `final/` or `causal/` says which reading.
struct ReadKey {
    std::string key;
    std::vector<std::string> path{};  ///< The field of a map under causal/.
    ReadRange range{};
    std::optional<SessionToken> session{};  ///< Waits until this node has come so far.
    Duration timeout = Duration::from_s(10);
};
struct KeyReply {
    bool found = false;
    /// One value under final/; under causal/ a register keeps concurrent values until resolved.
    std::vector<Bytes> values;
    std::optional<std::int64_t> counter;
    Height height;  ///< Of the finalised prefix it was read from.
    // Under causal/, as in CausalReading:
    std::optional<Bytes> last;
    std::vector<Bytes> elements;
    std::vector<Bytes> items;
    std::vector<std::string> fields;
    bool more = false;
};
/// Publishes KeyChanged for keys that begin with one of these; replaces the earlier list.
struct WatchKeys {
    std::vector<std::string> prefixes;
};

/// Calls a tool of the mesh.
struct CallTool {
    std::string tool;
    std::string arguments;         ///< JSON text.
    std::optional<AgentId> agent;  ///< None: this node if it offers the tool, else any that does.
    Duration timeout = Duration::from_s(10);
    bool stream = false;  ///< Show the pieces of its output while the tool works.
};
struct CallReply {
    AgentId provider;
    std::string result;             ///< Canonical JSON.
    std::uint64_t pieces_lost = 0;  ///< That the provider's tool showed and nobody here saw.
    std::uint32_t attempt = 1;      ///< Which of those asked it was: see ShownPiece.
};
/// Something of a call under way. Pieces of one attempt follow each other; whoever sees another
/// attempt begin forgets those of the one before.
struct ShownPiece {
    std::uint32_t attempt = 1;
    AgentId provider;
    std::uint64_t number = 0;    ///< Ascending within the attempt.
    std::uint64_t lost = 0;      ///< Of the attempt so far.
    std::optional<Piece> piece;  ///< None: the call begins anew with this attempt.
};
/// Whoever gave the command has room for so many more bytes of pieces.
struct PiecesTaken {
    Ticket command;
    std::uint32_t attempt = 1;
    std::uint64_t bytes = 0;  ///< By cost_of().
};

/// Asks several agents and lets a quorum decide.
struct CallVerified {
    std::string tool;
    std::string arguments;
    std::optional<std::uint32_t> bar;  ///< None: floor(2m/3)+1.
    bool any_agent = false;            ///< Count agents without a seat too.
    bool record = true;                ///< Put the receipt into the final order.
    Duration timeout = Duration::from_s(10);
};
struct VerifiedReply {
    std::string result;
    AnswerKind kind = AnswerKind::result;
    QuorumReceipt receipt;
    Salt salt{};
    std::string arguments;  ///< Canonical, as digested.
    std::vector<AgentId> dissenting;
    std::optional<Height> recorded;  ///< Where the record became final.
    CallId call;
    std::string definition;  ///< The contract's.
    std::vector<ShownAnswer>
        shown;  ///< Where a rule decided: every answer of the receipt in clear.
    std::optional<Judgement> judgement;  ///< Where a judge decided.
};

/// Takes back an earlier command (by the ticket that the host gave it).
struct Cancel {
    Ticket command;
};
struct Done {};

/// Connect to an address: a bootstrap peer.
struct Connect {
    std::string address;
};
/// The set of own tools changed; the host updated the registry.
struct ToolsChanged {
    std::vector<ToolOffer> tools;
};
/// Leave in good order: tell the mesh, stop taking work.
struct Drain {};

// Looking at a node.
struct AskStatus {};
struct PeerView {
    AgentId agent;
    std::string name;
    std::optional<Seat> seat;
    bool connected = false;
    bool reachable = false;  ///< Heard within the window, and hears this node.
    bool hears_us = false;   ///< As far as a seat said, others as far as they are connected.
    AgentState state = AgentState::alive;
    Duration state_for;                  ///< Since that changed, or since it was found.
    std::optional<Duration> round_trip;  ///< Smoothed; of pings.
    std::optional<std::uint64_t> lag;    ///< Its final height behind this node's, when it said it.
    std::optional<View> voted;           ///< Of the newest vote that was seen of it.
    std::vector<std::string> addresses;
    std::vector<ToolOffer> tools;
};
struct StatusReply {
    AgentId agent;
    std::string name;
    std::optional<Seat> seat;
    ChainId chain;
    QuorumMode mode = QuorumMode::byzantine;
    Quorum quorum;
    Epoch epoch;
    View view;
    Height finalized;
    Height checkpoint;    ///< The newest that a restart could begin with; 0: none.
    Height kept_from{1};  ///< The lowest final block that is kept.
    Digest state_root;
    Digest order_digest;
    std::uint32_t reachable_seats = 0;  ///< Including this one.
    bool partitioned = false;
    std::vector<Seat> lost_seats;       ///< Were reached, or should be, and are not.
    std::optional<std::string> halted;  ///< Why this node no longer votes.
    std::uint64_t vertices = 0;
    std::uint64_t operations_final = 0;
    std::uint64_t pending_operations = 0;
    std::uint64_t pending_calls = 0;
    std::uint64_t causal_backlog = 0;  ///< Vertices above the final cut.
    std::uint64_t graph_bytes = 0;     ///< Of the vertices in memory.
    std::uint64_t agents_known = 0;
    std::map<std::string, std::uint64_t> counters;
};
struct AskPeers {};
struct PeersReply {
    std::vector<PeerView> peers;
};
/// The final receipt of a verified call that this node made; waits until there is one.
struct AskReceipt {
    CallId call;
    Duration timeout = Duration::from_s(10);
};
struct ReceiptReply {
    CallId call;
    Bytes receipt;  ///< Canonical bytes of a FinalReceipt.
};
struct AskReputation {};
struct ReputationView {
    AgentId agent;
    std::string name;
    std::uint32_t score_ppm = 0;  ///< Millionths; 500,000 is where everyone starts.
    std::uint64_t agreed = 0;
    std::uint64_t dissented = 0;
    bool excluded = false;
    bool suspended = false;  ///< As a provider; keeps its seat.
    std::vector<std::string> reasons;
};
struct ReputationReply {
    std::vector<ReputationView> agents;
};
struct AskVerdicts {};
struct VerdictView {
    CallId call;
    Height height;
    std::string tool;
    bool decided = false;
    Digest result;
    std::uint32_t agreeing = 0;
    std::uint32_t panel = 0;  ///< Seats that were asked,
    std::uint32_t bar = 0;    ///< and how many equal answers decide.
    std::vector<AgentId> dissenting;
};
struct VerdictsReply {
    std::vector<VerdictView> verdicts;
};
/// Finalised blocks from a height on.
struct AskLog {
    Height from;
    std::uint32_t count = 100;
};
struct LogReply {
    std::vector<Block> blocks;
};

/// Who votes, who will, under which parameters, and what is asked for.
struct AskRoster {};
struct RosterReply {
    struct SeatView {
        Member member;
        Epoch first;
        Epoch last;           ///< 0: no end is decided.
        Epoch dormant_from;   ///< Its latest dormancy; 0: there was none.
        Epoch dormant_until;  ///< The first epoch in which it votes again; 0: not decided.
        LaneId lane;
        std::string suspected;       ///< Of what, in words; empty: of nothing.
        bool rests = false;          ///< It has no turns as leader in this epoch.
        std::uint32_t withheld = 0;  ///< Secrets that it committed to and did not reveal.
    };
    struct BeaconView {
        Epoch epoch;  ///< Of the next block to be executed.
        Digest value;
        std::vector<Seat> fed_by;    ///< Whose secrets it is made of, ascending.
        std::vector<Seat> withheld;  ///< Who had committed and revealed nothing, ascending.
    };
    struct ParameterView {
        Parameter parameter = Parameter::term_views;
        std::uint32_t value = 0;                             ///< In force.
        std::uint32_t changes = 0;                           ///< Decided since the genesis.
        std::vector<std::pair<Epoch, std::uint32_t>> later;  ///< Decided, and from when on.
    };
    struct AskedView {
        RosterOperation change;
        std::vector<Seat> by;
    };
    Epoch epoch;
    Height height;                   ///< The latest that was executed.
    Height boundary;                 ///< Where the epoch ends; 0: it has no end.
    std::uint32_t needed = 0;        ///< Seats that must agree, and ask for a change.
    std::uint32_t voting = 0;        ///< Of so many that vote,
    std::uint32_t dormant = 0;       ///< while so many are set aside.
    std::vector<AgentId> operators;  ///< Of the genesis: so many of them can do it, too.
    std::uint32_t operators_needed = 0;
    std::vector<SeatView> seats;
    std::vector<ParameterView> parameters;
    std::vector<AskedView> asked;
    BeaconView beacon;
    std::vector<Seat> leaders;  ///< Of this epoch, in the order of their turns.
};

using CommandBody = std::variant<
    Submit,
    SubmitMany,
    RemoveCausal,
    AskOperation,
    ReadKey,
    WatchKeys,
    CallTool,
    CallVerified,
    PiecesTaken,
    Cancel,
    Connect,
    ToolsChanged,
    Drain,
    AskStatus,
    AskPeers,
    AskReputation,
    AskVerdicts,
    AskLog,
    AskReceipt,
    AskRoster>;

using ReplyBody = std::variant<
    Error,
    Done,
    SubmitReply,
    SubmitManyReply,
    OperationReply,
    KeyReply,
    CallReply,
    VerifiedReply,
    StatusReply,
    PeersReply,
    ReputationReply,
    VerdictsReply,
    LogReply,
    ReceiptReply,
    RosterReply>;

}  // namespace creto
