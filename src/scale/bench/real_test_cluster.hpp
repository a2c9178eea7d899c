// RealTestCluster: the cluster under test as processes of this machine, one `creto run` for each node.
//
// Why      The same scenario must show the same on real sockets, disks, threads and signatures.
// How      Nodes are a RealCluster in a temporary folder. Links go through the link shim where the profile
//          or a fault needs it, else over loopback as it is. Clients are threads of this process
//          (RealClients). What nodes show of themselves comes from their admin ports; processor time
//          and memory come from the kernel.
// Holds    Only links, processes and folders are disturbed; nothing tells a node. Two nodes that show
//          another order or state at one height, and a process that ends unasked, end the run. The
//          destructor ends every process and removes the folder.
// Errors   create(): invalid, with the figure and what it may be; io. start(): unavailable, when a node
//          does not start or the nodes do not find each other.
// Units    Time is the machine's, from when all nodes had found each other. CPU in percent of one core;
//          memory is what is resident.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "scale/bench/bench_cluster.hpp"
#include "scale/bench/real_clients.hpp"
#include "scale/process_usage.hpp"
#include "scale/real_cluster.hpp"
#include "scale/scratch_folder.hpp"

namespace creto {

enum class RealLinks : std::uint8_t { loopback, shim };

class RealTestCluster final : public BenchCluster {
public:
    [[nodiscard]] static Result<std::unique_ptr<RealTestCluster>> create(
        TestClusterConfig config, RealLinks links
    );
    RealTestCluster(const RealTestCluster&) = delete;
    RealTestCluster& operator=(const RealTestCluster&) = delete;

    [[nodiscard]] Result<void> start() override;
    void stop() override;

    FaultId kill(NodeList nodes, Lasts lasts) override;
    std::vector<FaultId> partition(const std::vector<NodeList>& groups, Lasts lasts) override;
    void heal() override;
    FaultId spike(NodeList nodes, std::uint32_t ms, Lasts lasts) override;
    FaultId lose(std::uint32_t ppm, Lasts lasts) override;
    FaultId limit_bandwidth(NodeList nodes, std::uint64_t kbit_per_s, Lasts lasts) override;
    FaultId lose_disks(Lasts lasts) override;
    void change_parameters(Duration delta, Duration over) override;
    void end(FaultId fault) override;
    [[nodiscard]] SimulatedFaults* simulated() override { return nullptr; }

    void load(const WorkloadPattern& workload, Duration lasts) override;
    void load_at_once(std::uint32_t count) override { clients_->offer_at_once(count); }
    void measure_from_now() override;

    void on_tick(std::function<bool(const TrialProgress&)> tell) override {
        tell_ = std::move(tell);
    }
    bool run(Duration span) override;
    void at(Instant at, std::function<void()> action) override;
    [[nodiscard]] Instant now() const override;

    [[nodiscard]] std::uint32_t running() override;
    [[nodiscard]] NodeList honest() const override;
    [[nodiscard]] NodeList draw_nodes(std::uint32_t count, std::uint64_t turn) const override;
    [[nodiscard]] std::uint64_t height(std::uint32_t node) override;
    [[nodiscard]] const Schedule& schedule() const override { return schedule_; }
    /// Half of what nodes measure of a message and its answer: latencies only.
    void measure_links(PerformanceMetrics& out) override;

    [[nodiscard]] ClusterReport finish() override;

private:
    /// What a node says of itself.
    struct Look {
        std::uint64_t height = 0;
        std::uint64_t view = 0;
        std::uint64_t vertices = 0;
        std::uint64_t backlog = 0;
        std::uint64_t pending = 0;
        std::uint32_t reachable = 0;
        std::uint32_t quorum = 0;
        bool is_partitioned = false;
        std::string lost;
        std::string order;
        std::string root;
        std::string halted;
    };
    /// Sums of one process; a restarted one begins at zero.
    struct Spent {
        Duration cpu;
        std::uint64_t sent = 0;
        std::uint64_t received = 0;
        std::uint64_t groups = 0;
        std::uint64_t syncs = 0;
        std::uint64_t sync_us = 0;
    };
    struct RealNode {
        std::uint32_t held_by = 0;  ///< So many faults hold it down.
        bool is_up = false;         ///< Answers on its admin port, as far as is known.
        bool is_starting = false;
        bool is_wiped = false;  ///< Starts with an empty disk.
        Spent last;             ///< Of its present process.
        Spent all;              ///< Of all its processes.
        std::uint64_t memory = 0;
        std::uint64_t memory_peak = 0;
        std::uint64_t height = 0;
    };

    RealTestCluster(TestClusterConfig config, std::unique_ptr<RealCluster> cluster);

    FaultId inject(FaultKind kind, NodeList nodes, std::uint64_t amount, Lasts lasts);
    void begin(FaultId fault);
    void take_down(std::uint32_t node);
    void let_up(std::uint32_t node);
    void refresh_links();
    void refresh_cuts();

    [[nodiscard]] bool holds() const { return violation_.text.empty() && !is_interrupted_; }
    void violate(const std::string& checker, const std::string& text, std::uint32_t node);
    /// Whether it may go on.
    bool tell();
    [[nodiscard]] Result<void> await_all();
    [[nodiscard]] Result<std::size_t> count_met();
    void launch(std::uint32_t node);
    void look_at_starting();
    void look_for_ended();
    void carry_out_due();
    void wait_until(Instant at);
    bool until(const std::function<bool()>& done, Duration span);

    [[nodiscard]] NodeList up() const;
    [[nodiscard]] std::map<std::uint32_t, Look> look(const NodeList& nodes);
    void check_agreement(std::uint32_t node, const Look& look);
    void compare_tips();
    void take_sample();
    void count_usage(ClusterSample& out, double span_s);
    void count_pages();
    void fill_cells(Instant at, const std::map<std::uint32_t, Look>& looks);
    /// Times one read of the final state.
    void time_a_query();

    void converge(TrialReport& out);
    void rest(ClusterReport& out);
    void ask_who_is_suspected(ClusterReport& out);
    void count(ClusterReport& out);
    [[nodiscard]] RunRecord record(const ClusterReport& report);
    [[nodiscard]] std::optional<MachineShare> machine_share() const;

    TestClusterConfig config_;
    LinkProfile profile_;
    bool has_shim_ = false;
    Schedule schedule_;
    NodeList losers_;
    std::uint32_t witness_ = 0;
    std::unique_ptr<ScratchFolder> folder_;  ///< Outlives what is in it.
    std::unique_ptr<RealCluster> cluster_;
    std::vector<RealNode> nodes_;
    std::set<FaultId> active_;
    std::multimap<Instant, std::function<void()>> due_;
    std::function<bool(const TrialProgress&)> tell_;
    Violation violation_;
    bool is_interrupted_ = false;
    std::uint64_t turn_ = 0;
    /// What was seen at a height first, and at whom.
    struct Seen {
        std::string order;
        std::string root;
        std::uint32_t node = 0;
    };
    std::map<std::uint64_t, Seen> seen_;
    std::set<std::uint32_t> diverged_;
    std::vector<ClusterSample> samples_;
    std::vector<std::uint64_t> views_;  ///< Greatest, by sample.
    std::uint64_t height_max_ = 0;
    std::uint64_t vertices_ = 0;
    std::uint64_t backlog_ = 0;
    Instant measured_from_ = Instant::max();
    Histogram query_us_;
    RunRecord record_;
    struct MachineAt {
        MachineUsage machine;
        Duration nodes;
        Duration own;
    };
    [[nodiscard]] std::optional<MachineAt> machine_now() const;
    std::optional<MachineAt> machine_begin_;
    std::optional<MachineAt> machine_end_;
    std::unique_ptr<RealClients> clients_;  ///< None before start().
};

}  // namespace creto
