// SimCluster: many nodes in one process and in virtual time, from one seed.
//
// Why      The same Node that runs beside an agent is driven here through crashes, cuts and lies,
//          thousands of times faster, and every run can be had again from its seed.
// Holds    [SIM-SAME] Same options, same calls: same trace_hash().
//          [SIM-PERSIST] A Send leaves only when the Persist that it names is durable; checked
//          once more, from the disk, by Invariants.
//          [SIM-ONE] Every command is answered exactly once; when its node stops the host answers.
//          A node's instants count from its own start, as with real processes.
// Errors   The first violation ends the run: run_*() return false from then on, and violation()
//          says what broke, where, when, and for which seed.
// Use      SimCluster cluster{{.seed = 7, .node_count = 4}, honest_nodes()};
//          const auto write = cluster.submit(NodeIndex{0}, Submit{...});
//          cluster.run_until([&] { return cluster.reply(write) != nullptr; }, Duration::from_s(5));
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/agent_index.hpp"
#include "sim/byzantine/attack.hpp"
#include "sim/cost.hpp"
#include "sim/cpu_pool.hpp"
#include "sim/event_queue.hpp"
#include "sim/host.hpp"
#include "sim/invariants.hpp"
#include "sim/network.hpp"
#include "sim/participant.hpp"
#include "sim/trace.hpp"
#include "tools/registry.hpp"

namespace creto {

enum class SimSignatures : std::uint8_t {
    tag,             ///< A keyed tag of the real size: a model, and fast.
    ed25519,         ///< The real thing.
    tag_of_ed25519,  ///< Tags under the real thing's public keys, to compare with it.
};

/// The tools of one node, and how long they take in virtual time. A lying provider is a tool with
/// an honest contract and another function.
struct ToolBox {
    std::shared_ptr<const RegistrySnapshot> tools;
    Duration took = Duration::from_ms(1);
    std::map<std::string, Duration> took_by_name;  ///< In place of `took`.
};

/// A command, and what became of it.
struct SimCommand {
    NodeIndex node;
    Instant submitted;
    Instant answered;
    std::optional<ReplyBody> reply;
    std::vector<ShownPiece> shown;  ///< Of a call with `stream`, before the reply.
};

struct SimOptions {
    std::uint64_t seed = 1;
    std::uint32_t node_count = 4;
    /// The first so many nodes hold seats; the others are agents without one.
    std::optional<std::uint32_t> seat_count;
    QuorumMode mode = QuorumMode::byzantine;
    std::uint32_t view_interval_ms = 0;
    std::uint32_t term_views = 1;
    std::uint32_t checkpoint_blocks = limits::checkpoint_blocks;
    std::uint32_t epoch_blocks = 0;
    std::uint32_t dead_after_reports = limits::dead_after_reports;
    /// Joined: not with real signatures, and with the costs that with_joined_votes() says.
    VoteForm vote_form = VoteForm::list;
    LinkProfile profile = lan_profile();
    Linking linking = Linking::automatic;
    Duration detection = Duration::from_s(1);
    SimSignatures signatures = SimSignatures::tag;
    /// False: the trace names a message by its kind and size alone, not by its bytes, so that runs
    /// with other signatures can be compared.
    bool traces_bytes = true;
    /// Its seed is replaced by one for each node.
    DiskOptions disk;
    Duration load_latency = Duration::from_us(100);
    CostTable costs = no_costs();
    /// All nodes run on one machine with so many processors; 0: each has two of its own.
    std::uint32_t shared_processors = 0;
    bool starts_all = true;
    std::size_t notices_kept_max = 65'536;  ///< For each node; the oldest go.
    /// More events than this in one instant are a loop.
    std::uint64_t events_per_instant_max = 1'000'000;

    /// The last word on a node's options; what the cluster decides is filled in before.
    std::function<void(NodeIndex, NodeOptions&)> configure;
    /// Who deviates, and how; these nodes count as byzantine from the start.
    std::map<NodeIndex, Attack> attacks;
    std::map<NodeIndex, ToolBox> tools;  ///< Offered from each start on.
    /// Where a node comes from, in PeerUp; empty: nowhere in particular.
    std::function<std::string(NodeIndex)> group_of;
    SimLogSink log;  ///< Empty: silent.
    /// Whoever calls with `stream` reads what it is shown; false: it never does.
    bool reads_pieces = true;
    std::function<void(NodeIndex, const SimNotice&)> on_notice;
    /// For who watches: each answer, and each new message about the order before it leaves.
    std::function<void(Ticket, const SimCommand&)> on_answer;
    std::function<void(NodeIndex, const Bytes&)> on_order_message;
    /// What a node is about to handle; for who checks what honest nodes were told.
    std::function<void(NodeIndex, const Received&)> on_received;
};

class SimCluster final : private NetworkHosts {
public:
    /// Requires: 1 <= seats <= limits::seats_max (4 in byzantine mode), node_count >= seats.
    SimCluster(SimOptions options, ParticipantFactory factory);
    ~SimCluster() override;

    // Time.
    [[nodiscard]] Instant now() const { return now_; }
    /// Runs all events up to now + span; false if a promise was broken.
    bool run_for(Duration span);
    /// Runs until `done`, asked after every event, or until the span is over; true if it is done
    /// and no promise was broken.
    bool run_until(const std::function<bool()>& done, Duration span);
    /// Calls `action` when the instant comes. Requires: at >= now().
    void at(Instant at, std::function<void()> action);

    // Clients.
    Ticket submit(NodeIndex node, CommandBody body);
    /// Requires: submit() gave it, and it was not forgotten.
    [[nodiscard]] const SimCommand& command(Ticket ticket) const { return commands_.at(ticket); }
    /// Null until there is one.
    [[nodiscard]] const ReplyBody* reply(Ticket ticket) const;
    void forget(Ticket ticket) { commands_.erase(ticket); }
    [[nodiscard]] const std::deque<SimNotice>& notices(NodeIndex node) const;
    /// Replaces the node's tools and tells it.
    void set_tools(NodeIndex node, ToolBox tools);

    // Faults.
    /// Requires: the node is up.
    void crash(
        NodeIndex node,
        CrashLoss loss = CrashLoss::all_unsynced,
        StopNotice notice = StopNotice::closed
    );
    /// Starts a node that is down from what its disk holds. Errors: what restore() says; the node
    /// stays down.
    [[nodiscard]] Result<void> start(NodeIndex node);
    /// A paused node handles nothing; its connections stay, and what arrives waits.
    void pause(NodeIndex node);
    void resume(NodeIndex node);
    /// The node's clock runs wrong from now on; zero: as the simulation's. Its own instants only.
    void set_clock_drift(NodeIndex node, std::int64_t ppm);
    /// The node's processors have so much of their speed, from now on. Requires: 1 to 100.
    void set_cpu_percent(NodeIndex node, std::uint32_t percent);
    /// Changes what the node is configured to; it counts from its next start on.
    void reconfigure(NodeIndex node, const std::function<void(NodeOptions&)>& change) {
        change(host_at(node).options);
    }
    /// The node's clock jumps forward, as after a suspended machine wakes.
    void step_clock(NodeIndex node, Duration span);
    /// The next start finds the vote log damaged.
    void damage_vote_log(NodeIndex node, std::string damage);
    [[nodiscard]] SimDisk& disk(NodeIndex node) { return host_at(node).disk; }

    void cut(std::span<const std::vector<NodeIndex>> groups) { network_.cut(groups, now_); }
    void cut_one_way(std::span<const NodeIndex> from, std::span<const NodeIndex> to) {
        network_.cut_one_way(from, to, now_);
    }
    void block(NodePair pair, bool is_blocked) { network_.block({&pair, 1}, is_blocked, now_); }
    void block(std::span<const NodePair> pairs, bool is_blocked) {
        network_.block(pairs, is_blocked, now_);
    }
    void heal() { network_.heal(now_); }
    /// Latency, bandwidth and profile. Cuts: the four above.
    [[nodiscard]] LinkModel& links() { return network_.links(); }
    /// What the node says is no longer held against the protocol.
    void set_byzantine(NodeIndex node) { invariants_->set_byzantine(node); }
    /// Its tools lie; the node itself is held to its promises.
    void set_lying_provider(NodeIndex node) { invariants_->set_lying_provider(node); }
    /// More seats lie than the quorum tolerates: see Invariants::expect_split().
    void expect_split() { invariants_->expect_split(); }
    /// A promise that somebody outside checks was broken; the run ends here.
    void violate(std::string checker, std::string text, NodeIndex node) {
        invariants_->violate(std::move(checker), std::move(text), node, now_);
    }

    // Looking.
    [[nodiscard]] bool is_up(NodeIndex node) const override;
    [[nodiscard]] bool connected(NodePair pair) const { return network_.connected(pair); }
    /// The node inside; null while it is down or where the factory made none.
    [[nodiscard]] const Node* node(NodeIndex node) const;
    [[nodiscard]] const AgentId& agent(NodeIndex node) const { return host(node).agent; }
    [[nodiscard]] std::optional<NodeIndex> find(const AgentId& agent) const {
        return by_agent_->find(agent);
    }
    [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(hosts_.size()); }
    [[nodiscard]] const Roster& roster() const { return *roster_; }
    [[nodiscard]] SignatureScheme& scheme() { return *scheme_; }
    [[nodiscard]] Height finalized(NodeIndex node) const { return invariants_->finalized(node); }
    /// The smallest finalised height over the honest nodes that are up.
    [[nodiscard]] Height finalized_by_all() const;
    [[nodiscard]] const SimHost& host(NodeIndex node) const { return *hosts_.at(node.value()); }
    [[nodiscard]] const NetworkCounters& network() const { return network_.counters(); }
    [[nodiscard]] std::uint64_t bytes_of(NodeIndex node) const { return network_.bytes_of(node); }
    [[nodiscard]] const CpuPool& pool() const { return pool_; }
    [[nodiscard]] const Invariants& invariants() const { return *invariants_; }
    /// "seed 7, 1.204 s, node 3: agreement: …"; empty while every promise is kept.
    [[nodiscard]] std::string violation() const;
    [[nodiscard]] Digest trace_hash() const { return trace_.digest(); }
    [[nodiscard]] std::uint64_t events() const { return trace_.count(); }
    [[nodiscard]] const SimOptions& options() const { return options_; }

private:
    struct LocalEvent {
        NodeIndex node;
        std::uint32_t boot = 0;
        Event event;
        std::uint64_t fingerprint = 0;
    };
    struct DurableEvent {
        NodeIndex node;
        std::uint32_t boot = 0;
        Ticket ticket;
    };
    struct WakeEvent {
        NodeIndex node;
        std::uint32_t boot = 0;
    };
    struct CheckedEvent {
        NodeIndex node;
        std::uint32_t boot = 0;
        std::vector<CheckQueue::Asked> checks;
    };
    struct FinishEvent {
        NodeIndex node;
        std::uint32_t boot = 0;
        std::vector<Effect> effects;
    };

    // Setting up.
    [[nodiscard]] SimHost& host_at(NodeIndex node) { return *hosts_.at(node.value()); }
    void make_hosts();
    [[nodiscard]] Genesis make_genesis() const;

    // Running.
    void step();
    void dispatch(SimEventTag tag);
    void on_wake(const WakeEvent& wake);
    void on_durable(const DurableEvent& durable);
    void on_finish(FinishEvent finish);
    void start_checks(SimHost& host);
    void on_checked(CheckedEvent checked);
    void hand(SimHost& host, Event event, std::uint64_t fingerprint);
    void handle(SimHost& host, const Event& event, std::uint64_t fingerprint);
    void drain(SimHost& host);
    [[nodiscard]] SimHost* living(NodeIndex node, std::uint32_t boot);
    void later(SimHost& host, Instant at, Event event, std::uint64_t fingerprint);
    void offer_tools(NodeIndex node);
    [[nodiscard]] static Duration slowed(const SimHost& host, Duration cost);
    [[nodiscard]] std::int64_t unix_ms() const;

    // NetworkHosts.
    void on_peer_up(NodeIndex node, NodeIndex peer, bool dialled_by_node) override;
    void on_peer_down(NodeIndex node, NodeIndex peer) override;
    void on_message(NodePair pair, Channel channel, WireMessage message, std::uint64_t fingerprint)
        override;

    // Effects, one function each.
    void carry_out(SimHost& host, std::vector<Effect> effects);
    void on_effect(SimHost& host, Send& send);
    void on_effect(SimHost& host, Persist& persist);
    void on_effect(SimHost& host, Load& load);
    void on_effect(SimHost& host, Scan& scan);
    void on_effect(SimHost& host, Check& check);
    void on_effect(SimHost& host, Execute& execute);
    void on_effect(SimHost& host, CancelExecute& cancel);
    void on_effect(SimHost& host, WakeAt& wake);
    void on_effect(SimHost& host, Reply& reply);
    void on_effect(SimHost& host, ShowPiece& show);
    void on_effect(SimHost& host, Publish& publish);
    void on_effect(SimHost& host, Drop& drop);
    void on_effect(SimHost& host, Dial& dial);
    void transmit(SimHost& host, Send& send);
    void arm(SimHost& host);
    void answer(Ticket ticket, ReplyBody body, NodeIndex node);

    SimOptions options_;
    ParticipantFactory factory_;
    bool costs_nothing_;
    std::unique_ptr<SignatureScheme> scheme_;
    EventQueue queue_;
    SimNetwork network_;
    CpuPool pool_;
    std::vector<std::unique_ptr<SimHost>> hosts_;
    std::optional<AgentIndex> by_agent_;
    std::optional<Roster> roster_;
    std::optional<Invariants> invariants_;
    TraceHash trace_;
    Instant now_;
    std::uint64_t events_this_instant_ = 0;
    Slab<LocalEvent> locals_;
    Slab<DurableEvent> durables_;
    Slab<WakeEvent> wakes_;
    Slab<FinishEvent> finishes_;
    Slab<CheckedEvent> checked_;
    Slab<std::function<void()>> actions_;
    std::map<Ticket, SimCommand> commands_;
    std::uint64_t next_command_ = 1;
};

/// "/sim/3": where node 3 can be dialled.
[[nodiscard]] std::string sim_address(NodeIndex node);
[[nodiscard]] std::optional<NodeIndex> parse_sim_address(std::string_view address);

}  // namespace creto
