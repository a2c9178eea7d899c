#include "scale/bench/test_cluster.hpp"

#include <gtest/gtest.h>

#include "scale/bench/measure.hpp"

namespace creto {
namespace {

std::unique_ptr<ScaleTestCluster> started(TestClusterConfig config) {
    auto cluster = ScaleTestCluster::create(std::move(config));
    EXPECT_TRUE(cluster.has_value()) << (cluster ? "" : cluster.error().message);
    EXPECT_TRUE((*cluster)->start().has_value());
    return std::move(*cluster);
}

void load(ScaleTestCluster& cluster, const std::string& workload, std::int64_t seconds) {
    cluster.load(Workload::parse(workload).value(), Duration::from_s(seconds));
}

std::string config_refusal(const TestClusterConfig& config) {
    const auto made = ScaleTestCluster::create(config);
    return made ? "created" : made.error().message;
}

TEST(ScaleTestCluster, SaysWhatItCannotBe) {
    TestClusterConfig config;
    config.node_count = 0;
    EXPECT_EQ(config_refusal(config), "a cluster has 4 to 2048 nodes, not 0");
    config.node_count = limits::seats_max + 1;
    EXPECT_EQ(config_refusal(config), "a cluster has 4 to 2048 nodes, not 2049");
    config.node_count = 4;
    config.byzantine_ppm = 2'000'000;
    EXPECT_EQ(config_refusal(config), "at most 100 % of the nodes are byzantine");
    config.byzantine_ppm = 1'000'000;
    EXPECT_EQ(config_refusal(config), "at least one node is honest");
    config.byzantine_ppm = 0;
    config.profile = "mars";
    EXPECT_EQ(config_refusal(config), "no network profile mars");
    config.profile = "local";
    config.payload_bytes = 7;
    EXPECT_EQ(config_refusal(config), "a payload has 8 to 130,048 bytes");
    config.payload_bytes = 8;
    EXPECT_EQ(config_refusal(config), "created");
}

TEST(ScaleTestCluster, MeasuresItsLoadAndEndsInOneState) {
    const TestClusterConfig config;
    const auto cluster = started(config);
    load(*cluster, "constant:50", 8);
    EXPECT_TRUE(cluster->run(Duration::from_s(3)));
    cluster->measure_from_now();
    EXPECT_TRUE(cluster->run(Duration::from_s(5)));
    EXPECT_TRUE(cluster->is_healthy());
    const ClusterReport report = cluster->finish();
    EXPECT_EQ(report.trial.violation, "");
    EXPECT_TRUE(report.trial.progressed) << report.trial.stuck;
    EXPECT_EQ(report.converged_nodes, 4U);
    const PerformanceMetrics metrics = measure(config, report);
    EXPECT_DOUBLE_EQ(metrics.get("avg_tps").value(), 50);
    EXPECT_EQ(metrics.get("consensus_failures_total"), 0.0);
    EXPECT_GT(metrics.get("latency_p95_ms").value(), 0);
    EXPECT_GT(metrics.get("avg_cpu_percent").value(), 0);
    EXPECT_GT(metrics.get("avg_memory_mb").value(), process_fixed_bytes / 1e6);
    EXPECT_GT(metrics.get("query_latency_seconds").value(), 0);
    EXPECT_GT(metrics.get("network_bytes_sent_total").value(), 0);
    EXPECT_GT(metrics.get("network_bytes_received_total").value(), 0);
}

PerformanceMetrics under(const std::string& workload) {
    const TestClusterConfig config;
    const auto cluster = started(config);
    load(*cluster, workload, 6);
    (void)cluster->run(Duration::from_s(2));
    cluster->measure_from_now();
    (void)cluster->run(Duration::from_s(4));
    return measure(config, cluster->finish());
}

TEST(ScaleTestCluster, TwiceTheLoadCostsMoreCpuMemoryAndNetwork) {
    const PerformanceMetrics once = under("constant:100");
    const PerformanceMetrics twice = under("constant:200");
    for (const char* name : {"avg_cpu_percent", "peak_memory_mb", "avg_network_mbps"})
        EXPECT_GT(twice.get(name).value(), once.get(name).value()) << name;
}

TEST(ScaleTestCluster, TheSameCallsGiveTheSameTrace) {
    const auto trace = [](std::uint64_t seed) {
        TestClusterConfig config;
        config.seed = seed;
        const auto cluster = started(config);
        load(*cluster, "constant:20", 3);
        cluster->spike(cluster->draw_nodes(1, 1), 100, Duration::from_s(1));
        (void)cluster->run(Duration::from_s(3));
        return cluster->finish().trial.trace_hash;
    };
    EXPECT_EQ(trace(3), trace(3));
    EXPECT_NE(trace(3), trace(4));
}

TEST(ScaleTestCluster, StopsAndStartsWithItsState) {
    const auto cluster = started({});
    load(*cluster, "constant:20", 3);
    EXPECT_TRUE(cluster->run(Duration::from_s(3)));
    const std::uint64_t height = cluster->height(0);
    EXPECT_GT(height, 0U);
    cluster->stop();
    EXPECT_EQ(cluster->running(), 0U);
    EXPECT_TRUE(cluster->start().has_value());
    EXPECT_EQ(cluster->running(), 4U);
    EXPECT_TRUE(cluster->run(Duration::from_s(2)));
    EXPECT_GE(cluster->height(0), height);
    EXPECT_EQ(cluster->finish().trial.violation, "");
}

TEST(ScaleTestCluster, APartitionIsSeenOnBothSidesAndHeals) {
    TestClusterConfig config;
    config.node_count = 6;
    const auto cluster = started(config);
    load(*cluster, "constant:20", 20);
    (void)cluster->run(Duration::from_s(3));
    cluster->measure_from_now();
    (void)cluster->run(Duration::from_s(2));
    const Duration cut = cluster->now() - Instant{};
    cluster->partition({{0, 1, 2}, {3, 4, 5}});
    (void)cluster->run(Duration::from_s(5));
    EXPECT_EQ(cluster->samples().back().sides, 2U);
    EXPECT_EQ(cluster->samples().back().no_quorum, 6U);
    const Duration healed = cluster->now() - Instant{};
    cluster->heal();
    EXPECT_TRUE(cluster->run(Duration::from_s(10)));
    EXPECT_EQ(cluster->samples().back().sides, 0U);
    const ClusterReport report = cluster->finish();
    EXPECT_EQ(report.trial.violation, "");
    const auto during = measure_window(report, {cut + Duration::from_s(2), healed, cut});
    EXPECT_EQ(during.get("final_blocks"), 0.0);
    const auto after = measure_window(report, {healed, report.measured_to, cut});
    EXPECT_LE(after.get("recovery_seconds").value(), 10);
    EXPECT_EQ(after.get("partitions_left"), 0.0);
}

TEST(ScaleTestCluster, FaultsOverlapAndAreTakenBack) {
    TestClusterConfig config;
    config.node_count = 7;
    config.disk_losers = 1;
    const auto cluster = started(config);
    load(*cluster, "constant:20", 20);
    (void)cluster->run(Duration::from_s(3));
    const auto half = Duration::from_s(4);
    cluster->lose(50'000, half);
    cluster->throttle_cpu(cluster->draw_nodes(2, 1), 25, half);
    cluster->limit_bandwidth(cluster->draw_nodes(2, 2), 2'000, half);
    cluster->skew_clocks(cluster->draw_nodes(2, 3), 5'000, half);
    cluster->press_memory(cluster->draw_nodes(1, 4), 90, half);
    cluster->lose_disks(Duration::from_s(1));
    const auto dead = cluster->kill(cluster->draw_nodes(1, 5));
    (void)cluster->run(Duration::from_s(6));
    EXPECT_EQ(cluster->running(), 6U);
    cluster->end(dead);
    cluster->change_parameters(Duration::from_ms(150), Duration::from_s(4));
    EXPECT_TRUE(cluster->run(Duration::from_s(8))) << cluster->violation();
    EXPECT_EQ(cluster->running(), 7U);
    EXPECT_TRUE(cluster->is_healthy());
    const ClusterReport report = cluster->finish();
    EXPECT_EQ(report.trial.violation, "");
    EXPECT_TRUE(report.trial.progressed) << report.trial.stuck;
    EXPECT_EQ(report.memory_kills, 0U);
}

TEST(ScaleTestCluster, ASlowProcessorIsBusierWithTheSameWork) {
    const auto peak = [](std::uint32_t percent) {
        TestClusterConfig config;
        const auto cluster = started(config);
        load(*cluster, "constant:100", 6);
        (void)cluster->run(Duration::from_s(2));
        cluster->measure_from_now();
        if (percent < 100) cluster->throttle_cpu({0}, percent);
        (void)cluster->run(Duration::from_s(4));
        return measure(config, cluster->finish()).get("peak_cpu_percent").value();
    };
    EXPECT_GT(peak(25), 2 * peak(100));
}

TEST(ScaleTestCluster, LossOnAStreamIsDelayNotSilence) {
    const auto p99 = [](std::uint32_t ppm) {
        TestClusterConfig config;
        const auto cluster = started(config);
        load(*cluster, "constant:50", 8);
        (void)cluster->run(Duration::from_s(2));
        cluster->measure_from_now();
        if (ppm > 0) cluster->lose(ppm);
        (void)cluster->run(Duration::from_s(6));
        const ClusterReport report = cluster->finish();
        EXPECT_EQ(report.trial.violation, "");
        const PerformanceMetrics metrics = measure(config, report);
        EXPECT_EQ(metrics.get("tps_of_offered_percent"), 100.0);
        return metrics.get("latency_p99_ms").value();
    };
    EXPECT_GT(p99(50'000), 5 * p99(0));
}

TEST(ScaleTestCluster, SparesTakeTheSeatsOfTheDead) {
    TestClusterConfig config;
    config.node_count = 5;
    config.spare_count = 1;
    config.knobs.epoch_blocks = 8;
    const auto cluster = started(config);
    load(*cluster, "constant:20", 30);
    (void)cluster->run(Duration::from_s(3));
    const NodeList leaving = cluster->draw_nodes(1, 1);
    cluster->kill(leaving);
    cluster->spawn(1, leaving);
    EXPECT_TRUE(cluster->run(Duration::from_s(20))) << cluster->violation();
    const ClusterReport report = cluster->finish();
    EXPECT_EQ(report.trial.violation, "");
    EXPECT_EQ(report.joined, 1U);
}

TEST(ScaleTestCluster, LiarsAreCountedFromWhatTheWitnessKnows) {
    TestClusterConfig config;
    config.node_count = 7;
    config.byzantine_ppm = 290'000;
    config.attack = Attack::equivocation;
    const auto cluster = started(config);
    load(*cluster, "constant:20", 8);
    (void)cluster->run(Duration::from_s(8));
    const ClusterReport report = cluster->finish();
    EXPECT_EQ(report.trial.violation, "");
    EXPECT_EQ(report.liars.size(), 2U);
    EXPECT_EQ(report.found, report.liars);
    const PerformanceMetrics metrics = measure(config, report);
    EXPECT_EQ(metrics.get("byzantine_found_percent"), 100.0);
    EXPECT_EQ(metrics.get("false_positive_percent"), 0.0);
    EXPECT_LT(metrics.get("reputation_ratio").value(), 0.5);
}

TEST(ScaleTestCluster, MoreLiarsThanToleratedStopIt) {
    TestClusterConfig config;
    config.node_count = 7;
    config.byzantine_ppm = 334'000;
    config.attack = Attack::silence;
    const auto cluster = started(config);
    load(*cluster, "constant:20", 5);
    EXPECT_TRUE(cluster->run(Duration::from_s(5)));
    const ClusterReport report = cluster->finish();
    EXPECT_EQ(report.liars.size(), 3U);
    const PerformanceMetrics metrics = measure(config, report);
    EXPECT_EQ(metrics.get("final_blocks"), 0.0);
    EXPECT_EQ(metrics.get("failed_safely"), 1.0);
}

TEST(ScaleTestCluster, ARunThatIsStoppedKeepsWhatItMeasured) {
    const auto cluster = started({});
    load(*cluster, "constant:20", 60);
    int ticks = 0;
    cluster->on_tick([&](const TrialProgress&) { return ++ticks < 4; });
    EXPECT_FALSE(cluster->run(Duration::from_s(60)));
    const ClusterReport report = cluster->finish();
    EXPECT_TRUE(report.is_interrupted);
    EXPECT_EQ(report.samples.size(), 4U);
    EXPECT_EQ(report.trial.violation, "");
}

}  // namespace
}  // namespace creto
