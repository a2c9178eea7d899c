// ScaleTestCluster: a simulated cluster that a test drives by hand: nodes, load, faults, figures.
//
// Why      A scenario file, a unit test and a user's own experiment need the same moves (start, kill,
//          partition, heal, measure) and the same checks; they stand here once.
// Source   The documents' names: TestClusterConfig, NetworkProfile, WorkloadPattern,
//          ByzantineAttackPattern, PerformanceMetrics.
// Holds    The same config and calls give the same trace. All checkers of lives are on: invariants at
//          every step, clients with books of their own, what nodes hold, and at the end progress,
//          equal states and a disk executed again (docs/testing.md).
//          A fault acts when time goes on; what a fault did is taken back by its end or by finish().
// Errors   create(): invalid, with the figure and what it may be. After a broken promise run() returns
//          false, and finish() says which.
// Units    Virtual time. CPU in percent of one core, memory with the caches of a store and the fixed
//          cost of a process.
// Cost     A look at every node in each virtual second.
// Use      auto cluster = ScaleTestCluster::create({.node_count = 7}).value();
//          (void)cluster->start();
//          cluster->load(Workload::parse("constant:100").value(), Duration::from_s(20));
//          cluster->run(Duration::from_s(5));
//          const auto cut = cluster->partition({{0, 1, 2}, {3, 4, 5, 6}}, Duration::from_s(5));
//          cluster->run(Duration::from_s(15));
//          const ClusterReport report = cluster->finish();
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "link/profile.hpp"
#include "scale/bench/metrics.hpp"
#include "sim/life/clients.hpp"
#include "sim/life/injector.hpp"
#include "sim/life/watch.hpp"
#include "sim/run/offered_load.hpp"
#include "sim/run/trial.hpp"

namespace creto {

using NetworkProfile = LinkProfile;
using WorkloadPattern = Workload;
using ByzantineAttackPattern = Attack;
using NodeList = std::vector<std::uint32_t>;

/// Of a real node at rest (docs/results/bench.md), and what its store may cache at most.
inline constexpr double process_fixed_bytes = 27.4e6;
inline constexpr double store_cache_bytes_max = 28.0 * 1024 * 1024;

struct TestClusterConfig {
    std::uint64_t seed = 1;
    std::uint32_t node_count = 4;
    std::uint32_t spare_count = 0;  ///< Beyond these, without a seat until spawn().
    QuorumMode mode = QuorumMode::byzantine;
    std::string profile = "local";
    std::uint64_t bandwidth_bps = 0;  ///< Of each node; 0: the profile's.
    std::uint32_t byzantine_ppm = 0;
    ByzantineAttackPattern attack = Attack::random_voting;
    std::uint32_t payload_bytes = 256;
    /// None: joined where votes go through groups.
    std::optional<VoteForm> vote_form;
    bool one_client_node = false;   ///< All ask one node: its lane is a chain.
    std::uint32_t disk_losers = 0;  ///< Honest nodes that lose_disks() is for.
    Knobs knobs;
    CostTable costs = ed25519_costs();
};

/// One virtual second.
struct ClusterSample {
    Duration at;  ///< Its end, from the start of the simulation.
    std::uint64_t submitted = 0;
    std::uint64_t final = 0;
    std::uint64_t height_max = 0;  ///< Over live honest nodes, as below.
    std::uint64_t height_min = 0;  ///< Also over those that lost their disks.
    std::uint32_t running = 0;
    std::uint32_t honest = 0;
    std::uint32_t sides = 0;      ///< Different sets that nodes which say `partitioned` reach.
    std::uint32_t no_quorum = 0;  ///< Hear fewer than a quorum.
    double cpu_mean_percent = 0;
    double cpu_max_percent = 0;
    double memory_mean = 0;
    double memory_max = 0;
    double bits_mean = 0;
    double bits_max = 0;
    Duration syncing;
    std::uint64_t syncs = 0;
};

struct ClusterReport {
    TrialReport trial;
    std::vector<ClusterSample> samples;
    std::vector<std::uint32_t> final_by_second;  ///< By the second in which it was asked for.
    Duration measured_from;
    Duration measured_to;  ///< The load's end, or the instant of the interruption.
    bool is_interrupted = false;
    std::set<std::uint32_t> liars;
    std::set<std::uint32_t> found;  ///< Proven, or suspected at the witness.
    std::uint32_t witness = 0;
    std::optional<double> reputation_ratio;
    std::uint32_t converged_nodes = 0;  ///< Those that lost their disks count.
    std::uint32_t honest_nodes = 0;
    std::size_t proven_to_others = 0;  ///< Whom proofs that a third party accepts name.
    std::uint64_t memory_kills = 0;
    std::uint32_t joined = 0;
    std::uint64_t lane_depth = 0;
    std::uint64_t backlog = 0;
    std::uint64_t bytes_sent = 0;
    std::uint64_t bytes_received = 0;
    double query_p95_us = 0;
};

/// Says how votes are signed, where the config does not, and takes the costs of that.
void settle_votes(TestClusterConfig& config);

class ScaleTestCluster {
public:
    using FaultId = std::size_t;
    static constexpr auto tick = Duration::from_s(1);

    [[nodiscard]] static Result<std::unique_ptr<ScaleTestCluster>> create(TestClusterConfig config);
    ScaleTestCluster(const ScaleTestCluster&) = delete;
    ScaleTestCluster& operator=(const ScaleTestCluster&) = delete;

    // Life. Nodes begin stopped.
    [[nodiscard]] Result<void> start();
    void stop();
    [[nodiscard]] Result<void> restart();
    /// The spares get seats, one after the other; with `instead_of`, those of these nodes.
    void spawn(std::uint32_t count, const NodeList& instead_of = {});
    /// The honest ask that the liars' seats end.
    void remove_liars();

    // Faults: from `in` from now on, for so long (none: until end() or finish()).
    using Lasts = std::optional<Duration>;
    FaultId kill(NodeList nodes, Lasts lasts = {});
    std::vector<FaultId> partition(const std::vector<NodeList>& groups, Lasts lasts = {});
    void heal();
    FaultId spike(NodeList nodes, std::uint32_t ms, Lasts lasts = {});
    FaultId lose(std::uint32_t ppm, Lasts lasts = {});
    FaultId limit_bandwidth(NodeList nodes, std::uint64_t kbit_per_s, Lasts lasts = {});
    FaultId throttle_cpu(NodeList nodes, std::uint32_t percent, Lasts lasts = {});
    /// Of the nodes' memory so much is in use already: the rest is what may come on top.
    std::vector<FaultId> press_memory(
        const NodeList& nodes, std::uint32_t percent, Lasts lasts = {}
    );
    /// Those that the config counts: they stop, and start with an empty disk.
    FaultId lose_disks(Lasts lasts);
    FaultId skew_clocks(const NodeList& nodes, std::uint32_t ms, Duration lasts);
    /// New timeouts, node by node; each restarts with them.
    void change_parameters(Duration delta, Duration over);
    void end(FaultId fault) { injector_.end(fault); }

    // Load.
    void load(const WorkloadPattern& workload, Duration lasts) { load_.begin(workload, lasts); }
    void load_at_once(std::uint32_t count) { load_.offer_at_once(count); }
    /// What was submitted before is not measured; without a call nothing is.
    void measure_from_now();

    // Storage.
    /// Honest nodes that keep their disks, drawn by the seed.
    [[nodiscard]] NodeList draw_stores(std::uint32_t count) const;
    /// Who is told what this node asks of its disk; as SimDisk::observe().
    void observe_disk(std::uint32_t node, DiskObserver* observer) {
        cluster_.disk(NodeIndex{node}).observe(observer);
    }

    // Time.
    /// Asked once a virtual second; false stops run().
    void on_tick(std::function<bool(const TrialProgress&)> tell) { tell_ = std::move(tell); }
    /// False when a promise was broken or the tick said stop.
    bool run(Duration span);
    void at(Instant at, std::function<void()> action) { cluster_.at(at, std::move(action)); }
    [[nodiscard]] Instant now() const { return cluster_.now(); }

    // Looking.
    [[nodiscard]] std::uint32_t running() const;
    /// Those who were replaced are gone, those who replace them count.
    [[nodiscard]] NodeList honest() const;
    [[nodiscard]] NodeList liars() const;
    /// Live honest nodes, drawn by the seed and the turn.
    [[nodiscard]] NodeList draw_nodes(std::uint32_t count, std::uint64_t turn) const;
    [[nodiscard]] std::uint64_t height(std::uint32_t node) const;
    [[nodiscard]] bool is_healthy() const;
    [[nodiscard]] std::string violation() const { return cluster_.violation(); }
    [[nodiscard]] const std::vector<ClusterSample>& samples() const { return samples_; }
    [[nodiscard]] const Schedule& schedule() const { return schedule_; }
    [[nodiscard]] const SimCluster& cluster() const { return cluster_; }
    [[nodiscard]] NetworkProfile links() const { return cluster_.options().profile; }

    /// Ends load and faults, waits until all is settled, checks, counts. Once, at the end.
    [[nodiscard]] ClusterReport finish();

private:
    struct Spent {
        Duration cpu;
        std::uint64_t bytes = 0;
    };

    explicit ScaleTestCluster(TestClusterConfig config);
    static Schedule schedule_of(const TestClusterConfig& config);
    SimOptions options();
    OfferedLoad::Plan load_plan();
    FaultId inject(
        FaultKind kind, NodeList nodes, std::uint64_t amount, Lasts lasts, Duration in = {}
    );
    [[nodiscard]] bool holds() const { return cluster_.violation().empty(); }
    [[nodiscard]] bool promises_progress() const;
    void on_notice(NodeIndex node, const SimNotice& notice);
    void on_answer(Ticket ticket, const SimCommand& command);
    void take_sample();
    void ask_to_remove();
    bool until(const std::function<bool()>& done, Duration span);
    void converge(TrialReport& out);
    void rest();
    [[nodiscard]] std::string difference() const;
    void audit_load();
    void count(ClusterReport& out);
    void ask_reputation(ClusterReport& out);
    [[nodiscard]] std::optional<StatusReply> status(std::uint32_t node) const;

    TestClusterConfig config_;
    Schedule schedule_;
    std::vector<bool> unreliable_;
    std::uint32_t witness_ = 0;
    std::vector<std::uint32_t> losers_;
    std::set<std::uint32_t> departed_;  ///< Another has their seat.
    std::set<std::uint32_t> suspected_;
    std::set<std::uint32_t> excluded_;
    std::set<std::uint32_t> accused_;
    std::set<OperationId> finals_;
    std::vector<std::pair<OperationId, Height>> finals_to_check_;
    std::size_t finals_count_ = 0;
    std::map<Ticket, Instant> queries_;
    Histogram query_us_;
    std::vector<ClusterSample> samples_;
    std::vector<std::uint32_t> final_by_second_;
    std::vector<Spent> spent_;
    std::vector<FaultId> partitions_;
    std::function<bool(const TrialProgress&)> tell_;
    Instant measured_from_;
    std::uint64_t turn_ = 0;
    std::uint32_t joined_ = 0;
    bool is_interrupted_ = false;
    bool removes_liars_ = false;
    Recorder recorder_;
    SimCluster cluster_;
    Clients clients_;
    Injector injector_;
    Watch watch_;
    OfferedLoad load_;
};

}  // namespace creto
