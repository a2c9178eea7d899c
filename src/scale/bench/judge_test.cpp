#include "scale/bench/judge.hpp"

#include <gtest/gtest.h>

namespace creto {
namespace {

JudgedRun run_of(const std::string& variant, double tps, std::uint32_t nodes = 100) {
    JudgedRun out;
    out.variant = variant;
    out.nodes = nodes;
    out.nodes_required = 100;
    out.whole.set("avg_tps", tps);
    out.whole.set("running_nodes", nodes);
    out.part = [](const ScenarioCriterion&) {
        PerformanceMetrics part;
        part.set("final_blocks", 0);
        return part;
    };
    return out;
}

ScenarioCriterion at_least(double least) {
    ScenarioCriterion out;
    out.name = out.metric = "avg_tps";
    out.min = least;
    return out;
}

Criterion one(
    const ScenarioCriterion& criterion,
    const std::vector<JudgedRun>& runs,
    RunLength length = RunLength::full
) {
    ScaleScenario scenario;
    scenario.criteria = {criterion};
    const CriteriaResult judged = judge(scenario, runs, length);
    return judged.criteria.empty() ? judged.wishes.at(0) : judged.criteria.at(0);
}

TEST(Judge, PassesByAMeasurementOnly) {
    EXPECT_EQ(one(at_least(100), {run_of("", 100)}).passed, true);
    EXPECT_EQ(one(at_least(100), {run_of("", 99.9)}).passed, false);
    ScenarioCriterion missing = at_least(1);
    missing.metric = "latency_p95_ms";
    const Criterion nothing = one(missing, {run_of("", 1)});
    EXPECT_FALSE(nothing.passed.has_value());
    EXPECT_EQ(nothing.reason, "it was not measured in this run");
    EXPECT_EQ(nothing.actual, "not measured");
}

TEST(Judge, AShortenedRunDoesNotDecideWhatNeedsItsLength) {
    ScenarioCriterion criterion = at_least(100);
    criterion.needs_full = true;
    const Criterion shortened = one(criterion, {run_of("", 5)}, RunLength::shortened);
    EXPECT_FALSE(shortened.passed.has_value());
    EXPECT_FALSE(shortened.reason.empty());
    EXPECT_EQ(shortened.actual, "5");
    EXPECT_EQ(one(criterion, {run_of("", 5)}).passed, false);
}

TEST(Judge, WishesAndWhatCannotApplyDecideNothing) {
    ScaleScenario scenario;
    ScenarioCriterion wish = at_least(100);
    wish.is_wish = true;
    ScenarioCriterion other = at_least(1);
    other.not_applicable = "there is none";
    scenario.criteria = {wish, other};
    const CriteriaResult judged = judge(scenario, {run_of("", 5)}, RunLength::full);
    EXPECT_TRUE(judged.criteria.empty());
    ASSERT_EQ(judged.wishes.size(), 2U);
    EXPECT_EQ(judged.wishes[1].reason, "not applicable, because there is none");
}

TEST(Judge, HoldsEachVariantOrTheNamedOne) {
    EXPECT_EQ(one(at_least(100), {run_of("a", 100), run_of("b", 50)}).passed, false);
    ScenarioCriterion named = at_least(100);
    named.variant = "a";
    EXPECT_EQ(one(named, {run_of("a", 100), run_of("b", 50)}).passed, true);
    ScenarioCriterion relative = at_least(0.6);
    relative.variant = "b";
    relative.relative_to = "a";
    const Criterion ratio = one(relative, {run_of("a", 100), run_of("b", 50)});
    EXPECT_EQ(ratio.passed, false);
    EXPECT_EQ(ratio.actual, "b: 0.5");
}

TEST(Judge, CountsShrinkWithTheNodes) {
    ScenarioCriterion criterion = at_least(0);
    criterion.metric = "running_nodes";
    criterion.min = std::nullopt;
    criterion.equals = 97;
    criterion.scales = true;
    EXPECT_EQ(one(criterion, {run_of("", 1, 30)}).required, "= 29 nodes");
    EXPECT_EQ(one(criterion, {run_of("", 1, 30)}).passed, false);
    criterion.equals = 100;
    EXPECT_EQ(one(criterion, {run_of("", 1, 30)}).passed, true);
    // A side never shrinks to nobody.
    criterion.equals = 20;
    EXPECT_EQ(one(criterion, {run_of("", 1, 4)}).required, "= 1 nodes");
    criterion.equals = 0;
    EXPECT_EQ(one(criterion, {run_of("", 1, 4)}).required, "= 0 nodes");
}

TEST(Judge, LooksWhereTheCriterionSays) {
    ScenarioCriterion criterion = at_least(1);
    criterion.metric = "final_blocks";
    criterion.window = Window::during;
    criterion.step = "cut";
    const Criterion judged = one(criterion, {run_of("", 1)});
    EXPECT_EQ(judged.passed, false);
    EXPECT_EQ(judged.required, ">= 1 blocks during cut");
}

TEST(Judge, SaysWhyAFigureIsMissing) {
    ScenarioCriterion missing = at_least(1);
    missing.metric = "storage_replay_iops_peak";
    JudgedRun run = run_of("", 1);
    run.whole.miss(missing.metric, "the disk is full");
    const Criterion nothing = one(missing, {run});
    EXPECT_FALSE(nothing.passed.has_value());
    EXPECT_EQ(nothing.reason, "the disk is full");
    run.whole.set(missing.metric, 5);
    EXPECT_EQ(one(missing, {run}).passed, true);
}

TEST(Judge, DecidesNothingAboutWhatWasLeftOut) {
    JudgedRun run = run_of("", 1'000);
    run.left_out["heat"] = "it is cold here";
    ScenarioCriterion criterion = at_least(1);
    EXPECT_EQ(one(criterion, {run}).passed, true);
    criterion.window = Window::during;
    criterion.step = "heat";
    EXPECT_EQ(one(criterion, {run}).passed, std::nullopt);
    EXPECT_EQ(one(criterion, {run}).reason, "the step heat was left out: it is cold here");
    criterion.step = "rain";
    EXPECT_NE(one(criterion, {run}).reason, "the step heat was left out: it is cold here");
    criterion.until = "heat";
    EXPECT_EQ(one(criterion, {run}).passed, std::nullopt);
}

TEST(Judge, SaysWhyAFigureIsMissingAndWhenARunIsVoid) {
    JudgedRun run = run_of("", 1'000);
    run.missing["dag_depth"] = "nobody looks";
    ScenarioCriterion criterion = at_least(1);
    criterion.metric = "dag_depth";
    EXPECT_EQ(one(criterion, {run}).reason, "nobody looks");
    EXPECT_EQ(one(at_least(1), {run}).passed, true);
    run.void_because = "there was no liar";
    EXPECT_EQ(one(at_least(1), {run}).passed, std::nullopt);
    EXPECT_EQ(one(at_least(1), {run}).reason, "there was no liar");
    // Also of the run that another is held against.
    ScenarioCriterion relative = at_least(0.5);
    relative.variant = "b";
    relative.relative_to = "a";
    run.variant = "a";
    EXPECT_EQ(one(relative, {run, run_of("b", 1'000)}).reason, "there was no liar");
}

}  // namespace
}  // namespace creto
