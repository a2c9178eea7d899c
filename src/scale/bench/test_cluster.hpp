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

#include "scale/bench/bench_cluster.hpp"
#include "sim/life/clients.hpp"
#include "sim/life/injector.hpp"
#include "sim/life/watch.hpp"
#include "sim/run/offered_load.hpp"
#include "sim/run/trial.hpp"

namespace creto {

class ScaleTestCluster final : public BenchCluster, public SimulatedFaults {
public:
    [[nodiscard]] static Result<std::unique_ptr<ScaleTestCluster>> create(TestClusterConfig config);
    ScaleTestCluster(const ScaleTestCluster&) = delete;
    ScaleTestCluster& operator=(const ScaleTestCluster&) = delete;

    [[nodiscard]] Result<void> start() override;
    void stop() override;
    void spawn(std::uint32_t count, const NodeList& instead_of = {}) override;
    void remove_liars() override;

    using Lasts = std::optional<Duration>;
    FaultId kill(NodeList nodes, Lasts lasts = {}) override;
    std::vector<FaultId> partition(const std::vector<NodeList>& groups, Lasts lasts = {}) override;
    void heal() override;
    FaultId spike(NodeList nodes, std::uint32_t ms, Lasts lasts = {}) override;
    FaultId lose(std::uint32_t ppm, Lasts lasts = {}) override;
    FaultId limit_bandwidth(NodeList nodes, std::uint64_t kbit_per_s, Lasts lasts = {}) override;
    FaultId throttle_cpu(NodeList nodes, std::uint32_t percent, Lasts lasts = {}) override;
    std::vector<FaultId> press_memory(
        const NodeList& nodes, std::uint32_t percent, Lasts lasts = {}
    ) override;
    FaultId lose_disks(Lasts lasts) override;
    FaultId skew_clocks(const NodeList& nodes, std::uint32_t ms, Duration lasts) override;
    void change_parameters(Duration delta, Duration over) override;
    void end(FaultId fault) override { injector_.end(fault); }
    [[nodiscard]] SimulatedFaults* simulated() override { return this; }

    void load(const WorkloadPattern& workload, Duration lasts) override {
        load_.begin(workload, lasts);
    }
    void load_at_once(std::uint32_t count) override { load_.offer_at_once(count); }
    void measure_from_now() override;

    // Storage.
    /// Honest nodes that keep their disks, drawn by the seed.
    [[nodiscard]] NodeList draw_stores(std::uint32_t count) const;
    /// Who is told what this node asks of its disk; as SimDisk::observe().
    void observe_disk(std::uint32_t node, DiskObserver* observer) {
        cluster_.disk(NodeIndex{node}).observe(observer);
    }

    void on_tick(std::function<bool(const TrialProgress&)> tell) override {
        tell_ = std::move(tell);
    }
    bool run(Duration span) override;
    void at(Instant at, std::function<void()> action) override {
        cluster_.at(at, std::move(action));
    }
    [[nodiscard]] Instant now() const override { return cluster_.now(); }

    [[nodiscard]] std::uint32_t running() override;
    [[nodiscard]] NodeList honest() const override;
    [[nodiscard]] NodeList liars() const;
    [[nodiscard]] NodeList draw_nodes(std::uint32_t count, std::uint64_t turn) const override;
    [[nodiscard]] std::uint64_t height(std::uint32_t node) override;
    [[nodiscard]] bool is_healthy() const;
    [[nodiscard]] std::string violation() const { return cluster_.violation(); }
    [[nodiscard]] const std::vector<ClusterSample>& samples() const { return samples_; }
    [[nodiscard]] const Schedule& schedule() const override { return schedule_; }
    [[nodiscard]] const SimCluster& cluster() const { return cluster_; }
    [[nodiscard]] NetworkProfile links() const { return cluster_.options().profile; }

    /// By probes over the model of the profile.
    void measure_links(PerformanceMetrics& out) override;

    [[nodiscard]] ClusterReport finish() override;

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
