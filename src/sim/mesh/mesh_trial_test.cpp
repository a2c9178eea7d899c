// The real mesh code among some hundred agents; docs/results/mesh.md has the figures of a thousand.
#include "sim/mesh/mesh_trial.hpp"

#include <gtest/gtest.h>

namespace creto {
namespace {

MeshPlan mesh_plan(std::uint64_t seed, std::uint32_t nodes, std::int64_t seconds) {
    MeshPlan plan;
    plan.seed = seed;
    plan.nodes = nodes;
    plan.duration = Duration::from_s(seconds);
    plan.links.kind = LinkKind::datagram;
    return plan;
}

TEST(MeshTrial, CrashesAreNoticedByAllAndNobodyAliveIsBlamed) {
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
        MeshPlan plan = mesh_plan(seed, 60, 180);
        plan.crashes = 4;
        const MeshReport report = run_mesh_trial(plan);
        EXPECT_EQ(report.violation, "");
        EXPECT_EQ(report.first_ms.count(), 4U) << "seed " << seed;
        EXPECT_EQ(report.undetected, 0U) << "seed " << seed;
        EXPECT_EQ(report.false_deaths, 0U) << "seed " << seed;
        EXPECT_LE(report.every_ms.at(500), 20'000U) << "seed " << seed;
        EXPECT_LE(report.every_ms.at(990), 40'000U) << "seed " << seed;
        EXPECT_LE(report.suspicions_per_node_hour_milli, 5'000U);
    }
}

TEST(MeshTrial, LossAndSlowAgentsMakeNobodyDead) {
    for (const std::uint64_t seed : {1U, 2U}) {
        MeshPlan plan = mesh_plan(seed, 60, 240);
        plan.links.loss_ppm = 50'000;
        plan.slow_ppm = 100'000;
        plan.crashes = 2;
        const MeshReport report = run_mesh_trial(plan);
        EXPECT_EQ(report.false_deaths, 0U) << "seed " << seed;
        EXPECT_EQ(report.undetected, 0U) << "seed " << seed;
        EXPECT_EQ(report.unrefuted, 0U) << "seed " << seed;
        EXPECT_LE(report.suspicions_per_node_hour_milli, 5'000U) << "seed " << seed;
        EXPECT_LT(report.refuted_ms.at(990), 2'000U) << "seed " << seed;
    }
}

TEST(MeshTrial, LiarsHideNoCrashAndKillNobody) {
    for (const std::uint64_t seed : {1U, 2U}) {
        MeshPlan plan = mesh_plan(seed, 50, 180);
        plan.liars_ppm = 300'000;
        plan.crashes = 2;
        const MeshReport report = run_mesh_trial(plan);
        EXPECT_EQ(report.false_deaths, 0U) << "seed " << seed;
        EXPECT_EQ(report.undetected, 0U) << "seed " << seed;
    }
}

TEST(MeshTrial, CostDoesNotGrowWithTheMesh) {
    const MeshReport few = run_mesh_trial(mesh_plan(1, 30, 120));
    const MeshReport many = run_mesh_trial(mesh_plan(1, 120, 120));
    EXPECT_GT(few.bytes_per_node_s, 100U);
    EXPECT_NEAR(
        static_cast<double>(many.bytes_per_node_s),
        static_cast<double>(few.bytes_per_node_s),
        0.1 * static_cast<double>(few.bytes_per_node_s)
    );
    EXPECT_EQ(many.suspicions, 0U);
}

TEST(MeshTrial, AllWhoStartAtOnceFindEachOther) {
    for (const std::uint64_t seed : {1U, 2U}) {
        MeshPlan plan = mesh_plan(seed, 60, 120);
        plan.links = wan_profile();
        plan.joins = true;
        const MeshReport report = run_mesh_trial(plan);
        EXPECT_TRUE(report.joined) << "seed " << seed;
        EXPECT_LT(report.joined_ms, 20'000) << "seed " << seed;
    }
}

/// The one whom all of them know has no place for most of them at first.
TEST(MeshTrial, MoreThanHaveLinksWithEverybodyCanJoinAtOnce) {
    MeshPlan plan = mesh_plan(1, 200, 120);
    plan.links = wan_profile();
    plan.joins = true;
    const MeshReport report = run_mesh_trial(plan);
    EXPECT_TRUE(report.joined);
    EXPECT_LT(report.joined_ms, 20'000);
}

TEST(MeshTrial, IsAFunctionOfItsPlan) {
    MeshPlan plan = mesh_plan(7, 20, 120);
    plan.crashes = 1;
    const MeshReport first = run_mesh_trial(plan);
    EXPECT_EQ(first.trace_hash, run_mesh_trial(plan).trace_hash);
    plan.seed = 8;
    EXPECT_NE(first.trace_hash, run_mesh_trial(plan).trace_hash);
}

}  // namespace
}  // namespace creto
