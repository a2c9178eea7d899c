// The canary: with a bug planted, the same pipeline that passes must fail, and name it.
#include <algorithm>
#include <gtest/gtest.h>

#include "sim/life/life.hpp"
#include "sim/life/planted.hpp"
#include "sim/life/shrink.hpp"
#include "sim/life/swarm.hpp"

namespace creto {
namespace {

class PlantedBugIn : public testing::TestWithParam<PlantedBug> {};

TEST_P(PlantedBugIn, ALifeIsNoticedByItsChecker) {
    constexpr std::uint64_t seeds_max = 40;
    std::string seen;
    for (std::uint64_t seed = 1; seed <= seeds_max; ++seed) {
        const auto schedule = schedule_for(GetParam(), make_schedule(seed));
        if (!schedule) continue;
        const LifeOptions options{.factory = planted(GetParam())};
        const LifeReport report = GetParam() == PlantedBug::dice ? live_twice(*schedule, options)
                                                                 : live(*schedule, options);
        if (report.checker == noticed_by(GetParam())) return;
        seen += report.passed() ? "" : "\n" + report.text;
    }
    FAIL() << "not noticed in " << seeds_max << " lives; what was:" << seen;
}

INSTANTIATE_TEST_SUITE_P(
    AllOf,
    PlantedBugIn,
    testing::ValuesIn(all_planted_bugs()),
    [](const auto& bug) {
        std::string name = to_string(bug.param);
        std::replace(name.begin(), name.end(), '-', '_');
        return name;
    }
);

TEST(PlantedBug, HasNamesThatParse) {
    for (const PlantedBug bug : all_planted_bugs())
        EXPECT_EQ(*parse_planted_bug(to_string(bug)), bug);
    EXPECT_NE(parse_planted_bug("sloth").error().message.find("amnesia"), std::string::npos);
}

TEST(Shrink, LeavesWhatAPlantedBugNeeds) {
    // Amnesia shows only when node 0 restarts; everything else of the schedule is noise.
    const auto verdict = [](const Schedule& schedule) {
        return live(schedule, {.factory = planted(PlantedBug::deaf_after_start)}).checker;
    };
    for (std::uint64_t seed = 1;; ++seed) {
        ASSERT_LT(seed, 60U);
        const Schedule schedule = make_schedule(seed);
        if (unreliable(schedule)[0] || schedule.faults.size() < 5) continue;
        if (verdict(schedule) != "progress") continue;
        const Shrunk shrunk = shrink(schedule, "progress", verdict, 60);
        EXPECT_LE(shrunk.schedule.faults.size(), 2U);
        EXPECT_LE(shrunk.schedule.nodes, schedule.nodes);
        EXPECT_EQ(verdict(shrunk.schedule), "progress");
        return;
    }
}

}  // namespace
}  // namespace creto
