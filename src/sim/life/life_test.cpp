#include "sim/life/life.hpp"

#include <algorithm>
#include <array>
#include <gtest/gtest.h>

#include "sim/life/schedule_json.hpp"
#include "sim/life/swarm.hpp"

namespace creto {
namespace {

TEST(Life, HoldsForTheFirstSeedsOfTheSwarm) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const LifeReport report = live(make_schedule(seed));
        EXPECT_TRUE(report.passed()) << "again: creto sim replay --seed " << seed << "\n"
                                     << report.text;
        EXPECT_GE(report.lived, life_min);
        EXPECT_GE(report.decisions, decisions_min);
        EXPECT_GT(report.faults() + report.liars, 0U);
    }
}

// [ORD-T2.1] [ORD-T3.1] [ORD-T4.1] Whatever else a seed draws.
TEST(Life, HoldsInTerms) {
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        Schedule schedule = make_schedule(seed);
        schedule.knobs.term_views = std::array<std::uint32_t, 3>{2, 8, 32}[seed % 3];
        const LifeReport report = live(schedule);
        EXPECT_TRUE(report.passed()) << seed << ": " << report.text;
    }
}

TEST(Life, IsTheSameTwiceAndFromItsJson) {
    Schedule schedule = make_schedule(3);
    schedule.knobs.term_views = 4;
    const LifeReport once = live(schedule);
    const LifeReport again = live(*parse_schedule(to_json(schedule)));
    EXPECT_EQ(once.trace_hash, again.trace_hash);
    EXPECT_EQ(once.events, again.events);
    EXPECT_NE(once.trace_hash, live(make_schedule(4)).trace_hash);
}

TEST(Life, IsTheSameWithRealSignatures) {
    // Costs come from the table in both. Without liars: a proof holds signatures, and an operation
    // that holds one has another id, hence another place in the order. So has the reset of a lost lane.
    std::uint32_t compared = 0;
    for (std::uint64_t seed = 1; compared < 6; ++seed) {
        Schedule schedule = make_schedule(seed);
        const bool resets =
            std::any_of(schedule.faults.begin(), schedule.faults.end(), [](const Fault& fault) {
                return loses_what_was_synced(fault.kind);
            });
        if (schedule.nodes > 7 || !schedule.byzantine.empty() || resets) continue;
        schedule.workload.steady = {};
        ++compared;
        schedule.workload.count = 20;
        const LifeOptions options{.compares_signatures = true};
        const LifeReport modelled = live(schedule, options);
        schedule.real_signatures = true;
        const LifeReport real = live(schedule, options);
        EXPECT_TRUE(real.passed()) << real.text;
        EXPECT_EQ(modelled.trace_hash, real.trace_hash) << "seed " << seed;
        EXPECT_EQ(modelled.events, real.events) << "seed " << seed;
    }
}

TEST(Life, HoldsNoMoreAfterTenMinutesThanAfterOne) {
    Schedule schedule;
    schedule.faults = {{Duration::from_s(3), Duration::from_s(4), FaultKind::pause, {1}, {}, 0, 0}};
    schedule.workload.steady = Duration::from_s(600);
    const LifeReport report = live(schedule);
    EXPECT_TRUE(report.passed()) << report.text;
    EXPECT_GT(report.lived, Duration::from_s(600));
    EXPECT_GT(report.writes_final, 2'000U);
}

TEST(Schedule, OfEverySeedIsGoodAndSurvivesJson) {
    for (std::uint64_t seed = 1; seed <= 500; ++seed) {
        const Schedule schedule = make_schedule(seed);
        ASSERT_TRUE(check(schedule).has_value()) << check(schedule).error().message;
        const auto parsed = parse_schedule(to_json(schedule));
        ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
        EXPECT_EQ(*parsed, schedule) << seed;
        const std::vector<bool> bad = unreliable(schedule);
        EXPECT_LE(
            std::count(bad.begin(), bad.end(), true), liars_max(schedule.mode, schedule.seats())
        );
    }
}

TEST(Schedule, RefusesWhatIsNoSchedule) {
    for (const char* text :
         {"",
          "[]",
          R"({"nodes":3})",
          R"({"nodes":4,"colour":"red"})",
          R"({"profile":"moon"})",
          R"({"byzantine":{"4":"silence"}})",
          R"({"byzantine":{"1":"kindness"}})",
          R"({"faults":[{"fault":"crash"}]})",
          R"({"faults":[{"fault":"crash","nodes":[4]}]})",
          R"({"faults":[{"fault":"crash","nodes":[1,1]}]})",
          R"({"faults":[{"fault":"cut-one-way","nodes":[1]}]})",
          R"({"faults":[{"fault":"storm","amount":600000}]})",
          R"({"workload":{"every_ms":0}})",
          R"({"calms_ms":[5000,4000]})",
          R"({"calms_ms":[22000]})",
          R"({"calms_ms":["soon"]})",
          R"({"faults":[{"fault":"unseat","nodes":[1]}]})",
          R"({"knobs":{"epoch_blocks":4},"faults":[{"fault":"unseat","nodes":[1,2]}]})",
          R"({"faults":[{"fault":"parameter","amount":2}]})",
          R"({"knobs":{"epoch_blocks":4},"faults":[{"fault":"parameter","amount":3}]})",
          R"({"knobs":{"epoch_blocks":4},"faults":[{"fault":"parameter","amount":2,"more":4}]})",
          R"({"faults":[{"fault":"flood","nodes":[1],"amount":100}]})",
          R"({"faults":[{"fault":"flood","nodes":[1],"others":[2]}]})"})
        EXPECT_FALSE(parse_schedule(text).has_value()) << text;
    EXPECT_TRUE(parse_schedule("{}").has_value());
    EXPECT_TRUE(parse_schedule(
                    R"({"knobs":{"epoch_blocks":4},"faults":[{"fault":"parameter","amount":2}]})"
    )
                    .has_value());
    EXPECT_TRUE(parse_schedule(R"({"calms_ms":[5000,6000]})").has_value());
}

TEST(Life, WithoutAFaultIsNoPass) {
    Schedule schedule;
    schedule.faults.clear();
    EXPECT_EQ(live(schedule).checker, "empty");
}

}  // namespace
}  // namespace creto
