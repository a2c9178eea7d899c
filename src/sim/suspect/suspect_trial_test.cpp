// Whom a network suspects: those who obstruct, soon; those who only have bad luck, never.
#include "sim/suspect/suspect_trial.hpp"

#include <gtest/gtest.h>

namespace creto {
namespace {

SuspectReport run(const SuspectPlan& plan) {
    SuspectReport report = run_suspect_trial(plan);
    EXPECT_EQ(report.violation, "") << "seed " << plan.seed;
    return report;
}

class SuspectsOf : public ::testing::TestWithParam<Attack> {};

// [STAND-MEDIAN.1] [STAND-TURNS.1] [STAND-SAME.1]
TEST_P(SuspectsOf, ThisAttackAreAllThatDoItAndNobodyElse) {
    SuspectPlan plan;
    plan.attack = GetParam();
    plan.lasts = Duration::from_s(90);
    const SuspectReport report = run(plan);
    for (const auto& node : report.nodes) {
        EXPECT_EQ(node.suspected_ms >= 0 || node.proven, node.lies)
            << "node " << node.node << " " << node.reason;
        EXPECT_EQ(node.at_end, node.lies) << "node " << node.node;
    }
}
INSTANTIATE_TEST_SUITE_P(
    Attacks,
    SuspectsOf,
    ::testing::Values(Attack::silence, Attack::always_reject, Attack::random_voting),
    [](const auto& given) {
        std::string name = to_string(given.param);
        std::erase(name, '-');
        return name;
    }
);

class SuspectsThroughGroups : public ::testing::TestWithParam<Attack> {};

SuspectPlan through_groups() {
    SuspectPlan plan;
    plan.nodes = 20;
    plan.direct_seats_max = 3;
    plan.view_interval_ms = 25;
    plan.lasts = Duration::from_s(60);
    return plan;
}

// [STAND-REPORT.2] [STAND-MEDIAN.2] [STAND-SAME.1]
TEST_P(SuspectsThroughGroups, OfThisAttackAreAllThatDoItAndNobodyElse) {
    SuspectPlan plan = through_groups();
    plan.attack = GetParam();
    plan.liars = 4;
    const SuspectReport report = run(plan);
    std::uint32_t by_votes = 0;
    for (const auto& node : report.nodes) {
        EXPECT_EQ(node.at_end, node.lies) << "node " << node.node << " " << node.reason;
        EXPECT_EQ(node.suspected_ms >= 0 || node.proven, node.lies) << "node " << node.node;
        by_votes += node.reason.find("often miss its vote") != std::string::npos ? 1 : 0;
    }
    EXPECT_GE(by_votes, 3U) << "and not only for turns that passed";
}
INSTANTIATE_TEST_SUITE_P(
    Attacks,
    SuspectsThroughGroups,
    ::testing::Values(Attack::silence, Attack::always_reject, Attack::random_voting),
    [](const auto& given) {
        std::string name = to_string(given.param);
        std::erase(name, '-');
        return name;
    }
);

// [STAND-REPORT.2] [ORD-V1.8]
TEST(SuspectTrial, ThroughGroupsASlowDiskAndLossAreNobodysFault) {
    for (const Misfortune misfortune : {Misfortune::slow_disk, Misfortune::loss}) {
        SuspectPlan plan = through_groups();
        plan.misfortune = misfortune;
        plan.attack = Attack::random_voting;
        plan.liars = 2;
        const SuspectReport report = run(plan);
        for (const auto& node : report.nodes) {
            EXPECT_EQ(node.suspected_ms >= 0 || node.proven, node.lies)
                << to_string(misfortune) << ": node " << node.node << " " << node.reason;
        }
        EXPECT_GT(report.final_writes, 0U);
    }
}

class SuspectsBeside : public ::testing::TestWithParam<Misfortune> {};

// [STAND-MEDIAN.1] [STAND-REPORT.1]
TEST_P(SuspectsBeside, ThisMisfortuneAreNone) {
    SuspectPlan plan;
    plan.misfortune = GetParam();
    plan.lasts = Duration::from_s(90);
    const SuspectReport report = run(plan);
    for (const auto& node : report.nodes)
        EXPECT_LT(node.suspected_ms, 0) << node.reason;
    EXPECT_GT(report.final_writes, 0U);
}
INSTANTIATE_TEST_SUITE_P(
    Misfortunes,
    SuspectsBeside,
    ::testing::Values(
        Misfortune::none,
        Misfortune::slow_disk,
        Misfortune::restarts,
        Misfortune::skew,
        Misfortune::pauses,
        Misfortune::loss
    ),
    [](const auto& given) {
        std::string name = to_string(given.param);
        std::erase(name, '-');
        return name;
    }
);

// [STAND-REST.1]
TEST(SuspectTrial, WhoIsSuspectedHasNoTurnsWhereEpochsEnd) {
    SuspectPlan plan;
    plan.attack = Attack::always_reject;
    plan.lasts = Duration::from_s(150);
    const SuspectReport all_lead = run(plan);
    plan.epoch_blocks = 64;
    const SuspectReport some_rest = run(plan);
    EXPECT_GT(all_lead.views_nullified * 5, all_lead.views) << "two of seven turns come to nothing";
    EXPECT_LT(some_rest.views_nullified * 20, some_rest.views);
    EXPECT_LT(some_rest.write_p95_us, all_lead.write_p95_us);
}

TEST(SuspectTrial, IsTheSameFromTheSameSeed) {
    SuspectPlan plan;
    plan.attack = Attack::random_voting;
    plan.lasts = Duration::from_s(20);
    EXPECT_EQ(run(plan).trace_hash, run(plan).trace_hash);
}

TEST(SuspectTrial, RefusesWhatCannotBe) {
    SuspectPlan plan;
    plan.nodes = 3;
    EXPECT_FALSE(check(plan).has_value());
    plan.nodes = suspect_nodes_max;
    EXPECT_TRUE(check(plan).has_value());
    plan.nodes = suspect_nodes_max + 1;
    EXPECT_FALSE(check(plan).has_value());
    plan = {};
    plan.attack = Attack::silence;
    plan.liars = 3;
    EXPECT_EQ(check(plan).error().message, "of 7 nodes 1 to 2 may deviate");
    plan = {};
    plan.epoch_blocks = 2;
    EXPECT_FALSE(check(plan).has_value());
    plan = {};
    plan.lasts = Duration::from_s(9);
    EXPECT_FALSE(check(plan).has_value());
    EXPECT_FALSE(parse_misfortune("rain").has_value());
    EXPECT_EQ(parse_misfortune("slow-disk").value(), Misfortune::slow_disk);
}

}  // namespace
}  // namespace creto
