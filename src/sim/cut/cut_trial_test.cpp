// Whole nodes under load, cut and healed: what they tell and what becomes of writes.
#include "sim/cut/cut_trial.hpp"

#include <gtest/gtest.h>

namespace creto {
namespace {

CutPlan plan_of(const char* cut, std::uint32_t nodes, std::uint64_t seed) {
    CutPlan plan;
    plan.seed = seed;
    plan.nodes = nodes;
    plan.cut = *parse_cut(cut, nodes);
    plan.cut_for = Duration::from_s(6);
    plan.after = Duration::from_s(15);
    return plan;
}

/// The asked-for times on a LAN.
void expect_good(const CutPlan& plan) {
    const CutReport report = run_cut_trial(plan);
    EXPECT_EQ(fault_of(plan, report), "") << "seed " << plan.seed;
    EXPECT_LE(report.told_us.max(), 2'000'000U) << "seed " << plan.seed;
    EXPECT_LE(report.refused_us.max(), 1'000'000U) << "seed " << plan.seed;
    EXPECT_LE(report.pending_us.max(), 1'000'000U) << "seed " << plan.seed;
    EXPECT_LE(report.full_rate_us, 60'000'000) << "seed " << plan.seed;
}

// [CUT-PENDING.1]
TEST(CutTrial, HalvesWithoutAQuorumRefuseAndKeepWhatTheyHadTaken) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        const CutPlan plan = plan_of("2+2", 4, seed);
        const CutReport report = run_cut_trial(plan);
        EXPECT_EQ(fault_of(plan, report), "") << "seed " << seed;
        EXPECT_GT(report.refused, 0U);
        EXPECT_GT(report.pending, 0U) << "seed " << seed;
        EXPECT_EQ(report.told_us.count(), 4U);
        EXPECT_EQ(report.healed_us.count(), 4U);
        EXPECT_LE(report.told_us.max(), 2'000'000U);
        EXPECT_LE(report.pending_us.max(), 1'000'000U);
    }
}

TEST(CutTrial, EveryKindOfCutIsToldByBothSidesAndHeals) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        expect_good(plan_of("3+3", 6, seed));
        expect_good(plan_of("one-way", 4, seed));
        expect_good(plan_of("partial", 4, seed));
        expect_good(plan_of("moving", 4, seed));
        CutPlan crash = plan_of("3+2", 5, seed);
        crash.mode = QuorumMode::crash;
        expect_good(crash);
    }
}

// [CUT-CALM.1]
TEST(CutTrial, FlappingLinksLossAndSlowNodesAreToldAsNothing) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        for (const char* cut : {"flapping", "none"}) {
            CutPlan plan = plan_of(cut, 7, seed);
            // On a stream four losses in a row are a silence of three seconds: a cut, while it lasts.
            plan.links.kind = LinkKind::datagram;
            plan.links.loss_ppm = 50'000;
            plan.link_notice = Duration::from_ms(300);
            plan.slow = cut == std::string{"none"} ? 1 : 0;
            const CutReport report = run_cut_trial(plan);
            EXPECT_EQ(report.false_told, 0U) << cut << ", seed " << seed;
            EXPECT_EQ(report.lost + report.doubled, 0U) << cut << ", seed " << seed;
        }
    }
}

TEST(CutTrial, TheSameSeedGivesTheSameRun) {
    const CutPlan plan = plan_of("2+2", 4, 9);
    EXPECT_EQ(run_cut_trial(plan).trace_hash, run_cut_trial(plan).trace_hash);
}

TEST(CutPlan, SaysWhatIsNoCut) {
    EXPECT_TRUE(parse_cut("3+2", 5).has_value());
    EXPECT_FALSE(parse_cut("3+2", 6).has_value());
    for (const char* wrong : {"", "5", "3+", "+3", "3++2", "0+5", "3+x", "halves"})
        EXPECT_FALSE(parse_cut(wrong, 5).has_value()) << wrong;
    EXPECT_EQ(lost_to(*parse_cut("3+2", 5), 5, 4), (std::set<std::uint32_t>{0, 1, 2}));
    EXPECT_EQ(lost_to(*parse_cut("partial", 5), 5, 4), std::set<std::uint32_t>{});
}

}  // namespace
}  // namespace creto
