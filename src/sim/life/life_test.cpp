#include "sim/life/life.hpp"

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

TEST(Life, IsTheSameTwiceAndFromItsJson) {
    const Schedule schedule = make_schedule(3);
    const LifeReport once = live(schedule);
    const LifeReport again = live(*parse_schedule(to_json(schedule)));
    EXPECT_EQ(once.trace_hash, again.trace_hash);
    EXPECT_EQ(once.events, again.events);
    EXPECT_NE(once.trace_hash, live(make_schedule(4)).trace_hash);
}

TEST(Life, WithoutAFaultIsNoPass) {
    Schedule schedule;
    schedule.faults.clear();
    EXPECT_EQ(live(schedule).checker, "empty");
}

}  // namespace
}  // namespace creto
