// BenchCluster: what a stage needs of a cluster, whoever hosts it: the simulator or real processes.
//
// Why      Scenario files, judging, results and reports are one code; only what starts, disturbs, loads
//          and looks differs.
// Holds    The moves mean the same on both hosts. What only the simulator can do to a node stands apart,
//          in SimulatedFaults: a host that has none gives none.
// Units    Time counts from the start: virtual in the simulator, the machine's with processes.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "link/profile.hpp"
#include "scale/bench/metrics.hpp"
#include "sim/run/trial.hpp"

namespace creto {

using NetworkProfile = LinkProfile;
using WorkloadPattern = Workload;
using ByzantineAttackPattern = Attack;
using NodeList = std::vector<std::uint32_t>;

/// Of a real node at rest (docs/results/bench.md), and what its store may cache at most.
inline constexpr double process_fixed_bytes = 27.4e6;
inline constexpr double store_cache_bytes_max = 28.0 * 1024 * 1024;

/// Of a fault that lasts until it is healed, and of a restart.
inline constexpr Duration fault_for_good = limits::schedule_span_max;
inline constexpr Duration restart_stop = Duration::from_ms(50);
/// So long what is under way may take to be answered after the load's end.
inline constexpr Duration bench_drain_max = Duration::from_s(10);

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

/// One second, virtual or real.
struct ClusterSample {
    Duration at;  ///< Its end, from the start.
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

/// What was used of the machine while a load was measured, in percent of all its processors.
struct MachineShare {
    std::uint32_t processors = 0;
    double nodes_percent = 0;
    double bench_percent = 0;   ///< Clients, links and measuring.
    double others_percent = 0;  ///< Whatever else ran.
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
    /// Metrics that this kind of cluster cannot give, with the reason.
    std::map<std::string, std::string> missing;
    // Of real processes only.
    std::vector<std::uint32_t> pids;
    std::optional<MachineShare> machine;
};

/// Joined where votes go through groups. `nodes`: spares too.
[[nodiscard]] VoteForm usual_vote_form(std::uint32_t nodes);

/// Says how votes are signed, where the config does not, and takes the costs of that.
void settle_votes(TestClusterConfig& config);

/// Faults that need more than processes, links and folders.
class SimulatedFaults {
public:
    using Lasts = std::optional<Duration>;
    virtual ~SimulatedFaults() = default;
    /// The spares get seats, one after the other; with `instead_of`, those of these nodes.
    virtual void spawn(std::uint32_t count, const NodeList& instead_of) = 0;
    /// The honest ask that the liars' seats end.
    virtual void remove_liars() = 0;
    virtual std::size_t throttle_cpu(NodeList nodes, std::uint32_t percent, Lasts lasts) = 0;
    /// Of the nodes' memory so much is in use already: the rest is what may come on top.
    virtual std::vector<std::size_t> press_memory(
        const NodeList& nodes, std::uint32_t percent, Lasts lasts
    ) = 0;
    virtual std::size_t skew_clocks(const NodeList& nodes, std::uint32_t ms, Duration lasts) = 0;
};

class BenchCluster {
public:
    using FaultId = std::size_t;
    using Lasts = std::optional<Duration>;
    static constexpr auto tick = Duration::from_s(1);

    virtual ~BenchCluster() = default;

    // Life. Nodes begin stopped.
    [[nodiscard]] virtual Result<void> start() = 0;
    virtual void stop() = 0;
    [[nodiscard]] Result<void> restart() {
        stop();
        return start();
    }

    // Faults: from now on for so long (none: until end() or finish()).
    virtual FaultId kill(NodeList nodes, Lasts lasts) = 0;
    virtual std::vector<FaultId> partition(const std::vector<NodeList>& groups, Lasts lasts) = 0;
    virtual void heal() = 0;
    virtual FaultId spike(NodeList nodes, std::uint32_t ms, Lasts lasts) = 0;
    virtual FaultId lose(std::uint32_t ppm, Lasts lasts) = 0;
    virtual FaultId limit_bandwidth(NodeList nodes, std::uint64_t kbit_per_s, Lasts lasts) = 0;
    /// Those that the config counts: they stop, and start with an empty disk.
    virtual FaultId lose_disks(Lasts lasts) = 0;
    /// New timeouts, node by node; each restarts with them.
    virtual void change_parameters(Duration delta, Duration over) = 0;
    virtual void end(FaultId fault) = 0;
    /// None with real processes.
    [[nodiscard]] virtual SimulatedFaults* simulated() = 0;

    // Load.
    virtual void load(const WorkloadPattern& workload, Duration lasts) = 0;
    virtual void load_at_once(std::uint32_t count) = 0;
    /// What was submitted before is not measured; without a call nothing is.
    virtual void measure_from_now() = 0;

    // Time.
    /// Asked once a second; false stops run().
    virtual void on_tick(std::function<bool(const TrialProgress&)> tell) = 0;
    /// False when a promise was broken or the tick said stop.
    virtual bool run(Duration span) = 0;
    virtual void at(Instant at, std::function<void()> action) = 0;
    [[nodiscard]] virtual Instant now() const = 0;

    // Looking.
    [[nodiscard]] virtual std::uint32_t running() = 0;
    /// Those who were replaced are gone, those who replace them count.
    [[nodiscard]] virtual NodeList honest() const = 0;
    /// Live honest nodes, drawn by the seed and the turn.
    [[nodiscard]] virtual NodeList draw_nodes(std::uint32_t count, std::uint64_t turn) const = 0;
    [[nodiscard]] virtual std::uint64_t height(std::uint32_t node) = 0;
    [[nodiscard]] virtual const Schedule& schedule() const = 0;
    /// What the links do: link_latency_min_ms and its like.
    virtual void measure_links(PerformanceMetrics& out) = 0;

    /// Ends load and faults, waits until all is settled, checks, counts. Once, at the end.
    [[nodiscard]] virtual ClusterReport finish() = 0;
};

/// `count` of these, drawn by name.
[[nodiscard]] NodeList drawn(
    NodeList from, std::uint32_t count, std::uint64_t seed, std::uint64_t stream
);

/// Names of what is drawn, so that both hosts take the same nodes.
namespace cluster_draws {
inline constexpr std::uint64_t pick = 0xA1;
inline constexpr std::uint64_t loser = 0xA2;
inline constexpr std::uint64_t witness = 0xA3;
inline constexpr std::uint64_t query = 0xA4;
inline constexpr std::uint64_t store = 0xA5;
}  // namespace cluster_draws

}  // namespace creto
