#include "sim/run/trial.hpp"

#include <gtest/gtest.h>

#include "sim/life/life.hpp"
#include "sim/life/swarm.hpp"

namespace creto {
namespace {

TrialPlan trial_plan(std::uint32_t nodes, std::int64_t seconds) {
    TrialPlan plan;
    plan.base.seed = 5;
    plan.base.nodes = nodes;
    plan.base.profile = "local";
    plan.duration = Duration::from_s(seconds);
    plan.workload = Workload::parse("constant:50").value();
    return plan;
}

std::uint64_t sum(const RunRecord& record, std::uint32_t RunCell::*count) {
    std::uint64_t out = 0;
    for (const RunCell& cell : record.cells)
        out += cell.*count;
    return out;
}

TEST(Trial, MakesWhatIsOfferedFinalAndSaysHowFast) {
    const TrialReport report = run_trial(trial_plan(4, 10));
    EXPECT_EQ(report.violation, "");
    EXPECT_TRUE(report.answered);
    EXPECT_TRUE(report.progressed) << report.stuck;
    const RunRecord& record = report.record;
    EXPECT_EQ(record.submitted, 500U);  // Without the warm-up.
    EXPECT_EQ(record.final, 500U);
    EXPECT_EQ(record.latency_us.count(), 500U);
    EXPECT_EQ(sum(record, &RunCell::submitted), 750U);
    EXPECT_EQ(sum(record, &RunCell::final), 750U);
    // Links take at least 50 us a step, and an operation needs some of them and a sync.
    EXPECT_GT(record.latency_us.at(1), 500U);
    EXPECT_LT(record.latency_us.at(990), 100'000U);
    // The stages of an operation are all of it.
    EXPECT_NEAR(
        double(record.waiting_us.mean() + record.ordering_us.mean() + record.learning_us.mean()),
        double(record.latency_us.mean()),
        5
    );
    EXPECT_GT(record.loads.protocol_peak_ppm, 0U);
    EXPECT_GT(record.loads.syncs, record.blocks);
    EXPECT_EQ(record.votes_any, record.votes_for);
    ASSERT_EQ(record.slowest.size(), 10U);
    EXPECT_GE(record.slowest[0].latency_us, record.slowest[9].latency_us);
}

TEST(Trial, IsAFunctionOfItsPlan) {
    TrialPlan plan = trial_plan(4, 3);
    const TrialReport first = run_trial(plan);
    EXPECT_EQ(first.trace_hash, run_trial(plan).trace_hash);
    plan.base.seed = 6;
    EXPECT_NE(first.trace_hash, run_trial(plan).trace_hash);
}

TEST(Trial, ShowsACrashInItsRowsAndWhoWaitedForIt) {
    TrialPlan plan = trial_plan(4, 10);
    Fault crash;
    crash.at = Duration::from_s(7);
    crash.lasts = Duration::from_s(4);
    crash.nodes = {2};
    plan.base.faults = {crash};
    const TrialReport report = run_trial(plan);
    EXPECT_EQ(report.violation, "");
    EXPECT_TRUE(report.progressed) << report.stuck;
    const RunRecord& record = report.record;
    const auto state_at = [&](std::uint32_t node, Duration at) {
        return record.rows[node].at(static_cast<std::size_t>(at.ns() / record.cell.ns())).state;
    };
    EXPECT_EQ(state_at(2, Duration::from_s(9)), NodeState::down);
    EXPECT_EQ(state_at(2, Duration::from_s(6)), NodeState::up);
    EXPECT_EQ(state_at(2, Duration::from_s(12)), NodeState::up);
    EXPECT_EQ(state_at(1, Duration::from_s(9)), NodeState::up);
    EXPECT_GT(record.views_skipped, 0U);  // Those that the dead node led.
    EXPECT_EQ(record.faults.size(), 1U);
}

TEST(Trial, NamesEquivocatorsAndNobodyElse) {
    TrialPlan plan = trial_plan(7, 10);
    draw_liars(plan.base, 300'000, Attack::equivocation);
    ASSERT_EQ(plan.base.byzantine.size(), 2U);
    const TrialReport report = run_trial(plan);
    EXPECT_EQ(report.violation, "");
    EXPECT_TRUE(report.progressed) << report.stuck;
    EXPECT_EQ(report.proven.size(), 2U);
    EXPECT_TRUE(report.accused.empty());
}

TEST(Trial, NamesWhoObstructsThoughNothingProvesIt) {
    TrialPlan plan = trial_plan(7, 60);
    draw_liars(plan.base, 150'000, Attack::silence);
    ASSERT_EQ(plan.base.byzantine.size(), 1U);
    const TrialReport report = run_trial(plan);
    EXPECT_EQ(report.violation, "");
    EXPECT_TRUE(report.proven.empty());
    EXPECT_EQ(report.suspected, (std::set{plan.base.byzantine.begin()->first}));
}

TEST(Trial, StopsWithoutAQuorumAndSaysSo) {
    TrialPlan plan = trial_plan(4, 3);
    draw_liars(plan.base, 500'000, Attack::silence);
    const TrialReport report = run_trial(plan);
    EXPECT_EQ(report.violation, "");
    EXPECT_FALSE(report.progressed);
    EXPECT_EQ(report.record.final, 0U);
    EXPECT_GT(report.record.refused, 0U);
}

TEST(Trial, IsSlowerOnOneSharedMachine) {
    TrialPlan plan = trial_plan(7, 5);
    plan.workload = Workload::parse("constant:300").value();
    const std::uint64_t alone = run_trial(plan).record.latency_us.at(500);
    plan.shared_processors = 2;
    EXPECT_GT(run_trial(plan).record.latency_us.at(500), alone);
}

TEST(Recorder, DoesNotDisturbALife) {
    const Schedule schedule = make_schedule(17);
    const LifeReport plain = live(schedule);
    LifeOptions options;
    options.is_recorded = true;
    const LifeReport watched = live(schedule, options);
    EXPECT_EQ(plain.trace_hash, watched.trace_hash);
    EXPECT_EQ(watched.record.faults.size(), schedule.faults.size());
    EXPECT_LE(watched.record.cells.size(), 241U);
    EXPECT_EQ(watched.record.rows.size(), schedule.nodes);
    EXPECT_TRUE(plain.record.cells.empty());
}

}  // namespace
}  // namespace creto
