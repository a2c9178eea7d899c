// Long random lives (docs/testing.md): that they are made of what they claim to be, that they hold, and
// that what was drawn has happened.
#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <set>

#include "sim/life/life.hpp"
#include "sim/life/long_swarm.hpp"
#include "sim/life/planted.hpp"
#include "sim/life/schedule_json.hpp"
#include "sim/life/shrink.hpp"
#include "sim/life/swarm.hpp"

namespace creto {
namespace {

TEST(LongLives, OfEverySeedAreGoodAndSurviveJson) {
    for (std::uint64_t seed = 1; seed <= 1'000; ++seed) {
        const Schedule schedule = make_long_schedule(seed);
        ASSERT_TRUE(check(schedule).has_value()) << seed << ": " << check(schedule).error().message;
        const auto parsed = parse_schedule(to_json(schedule));
        ASSERT_TRUE(parsed.has_value()) << seed << ": " << parsed.error().message;
        EXPECT_EQ(*parsed, schedule) << seed;
        EXPECT_GE(schedule.seats(), 7U) << seed;
        EXPECT_LE(schedule.nodes, 100U) << seed;
        EXPECT_GE(schedule.calms.size(), 1U) << seed;
        EXPECT_GE(schedule.calm_after, Duration::from_s(60)) << seed;
        EXPECT_GE(ingredients(schedule).size(), 2U) << seed;

        std::vector<bool> bad = unreliable(schedule);
        std::uint32_t leaves = 0;
        for (const Fault& fault : schedule.faults) {
            leaves += fault.kind == FaultKind::unseat ? 1 : 0;
            if (fault.kind == FaultKind::log_tear) bad[fault.nodes.front()] = true;
        }
        const auto count = std::count(bad.begin(), bad.begin() + schedule.seats(), true);
        EXPECT_LE(count, liars_max(schedule.mode, schedule.seats() - leaves)) << seed;
    }
}

TEST(LongLives, HaveAllThatTheyAreMadeOf) {
    std::map<std::string, int> seeds_with;
    std::map<std::string, int> of_size;
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        const Schedule schedule = make_long_schedule(seed);
        for (const std::string& name : ingredients(schedule))
            ++seeds_with[name];
        ++of_size[schedule.nodes <= 16 ? "small" : schedule.nodes <= 40 ? "middle" : "large"];
        const bool is_large = schedule.nodes > 40;
        EXPECT_TRUE(is_large || schedule.calm_after >= Duration::from_s(100)) << seed;
    }
    for (const char* name : {"added",      "replaced",      "removed",
                             "set aside",  "liars",         "flood",
                             "cut",        "cut-one-way",   "block-pair",
                             "killed",     "wipe",          "several killed",
                             "all killed", "clock-drift",   "clock-step",
                             "rollback",   "bit-rot",       "log-tear",
                             "slow-link",  "bandwidth",     "storm",
                             "slow-disk",  "full-disk",     "failed-disk",
                             "read-error", "crash mode",    "pause",
                             "parameter",  "memory-budget", "all liars that are tolerated"})
        EXPECT_GE(seeds_with[name], 2) << name;
    EXPECT_GT(of_size["small"], 150);
    EXPECT_GT(of_size["middle"], 10);
    EXPECT_GE(of_size["large"], 2);
}

TEST(LongLives, LeaveTheOtherLivesOfASeedAlone) {
    const Schedule usual = make_schedule(17);
    EXPECT_TRUE(usual.calms.empty());
    EXPECT_EQ(usual.calm_after, Duration::from_s(22));
    EXPECT_NE(make_long_schedule(17).faults, usual.faults);
}

// Counted by hand from decision 0030: of seven two can be set aside, and then one of five be silent.
TEST(LongLives, HaveFewerLiarsWhereSeatsAreSetAside) {
    EXPECT_EQ(silent_max_with_dormant(QuorumMode::byzantine, 4), 1U);
    EXPECT_EQ(silent_max_with_dormant(QuorumMode::byzantine, 7), 1U);
    EXPECT_EQ(silent_max_with_dormant(QuorumMode::byzantine, 10), 1U);
    EXPECT_EQ(silent_max_with_dormant(QuorumMode::crash, 7), 0U);
}

/// A seat leaves by itself before a calm; behind it an agent without a seat calls a node.
Schedule leaves_then_flooded() {
    Schedule schedule;
    schedule.nodes = 8;
    schedule.spares = 1;
    schedule.knobs.epoch_blocks = 4;
    schedule.workload.call_percent = 20;
    schedule.calms = {Duration::from_s(8)};
    schedule.calm_after = Duration::from_s(16);
    const auto s = [](std::int64_t seconds) { return Duration::from_s(seconds); };
    schedule.faults = {
        {s(1), s(2), FaultKind::unseat, {6}, {}, 1, 0},
        {s(7), s(8), FaultKind::crash, {0, 1, 2}, {}, 0, 0},
        {s(10), s(4), FaultKind::flood, {7}, {3}, 5'000, 0}};
    return schedule;
}

TEST(LongLives, CalmLetsTheScheduleWait) {
    const Schedule schedule = leaves_then_flooded();
    const LifeReport report = live(schedule);
    EXPECT_TRUE(report.passed()) << report.text;
    EXPECT_GE(report.lived, schedule.calm_after + Duration::from_s(5));
    const auto seen = [&](const char* probe) {
        const auto found = report.probes.find(probe);
        return found == report.probes.end() ? 0 : found->second;
    };
    EXPECT_GE(seen("told.rosters_changed"), 7U);
    EXPECT_GT(seen("node.calls_rate_limited"), 1'000U);
    // The crash lasts as long as the storm; then all three must have come back.
    EXPECT_EQ(report.restarts, 3U);

    Schedule sooner = schedule;
    sooner.calms.clear();
    EXPECT_NE(live(sooner).trace_hash, report.trace_hash);
}

TEST(LongLives, ShrinkToTheirLastStorm) {
    const auto floods = [](const Schedule& schedule) {
        const bool has =
            std::any_of(schedule.faults.begin(), schedule.faults.end(), [](const Fault& fault) {
                return fault.kind == FaultKind::flood;
            });
        return std::string{has ? "flooded" : ""};
    };
    const Shrunk shrunk = shrink(leaves_then_flooded(), "flooded", floods, 200);
    EXPECT_EQ(shrunk.schedule.faults.size(), 1U);
    EXPECT_TRUE(shrunk.schedule.calms.empty());
}

TEST(LongLives, NoticeWhatIsPlanted) {
    for (const PlantedBug bug :
         {PlantedBug::deaf_after_start, PlantedBug::mute_finality, PlantedBug::hollow_causal}) {
        const auto schedule = schedule_for(bug, make_long_schedule(2));
        ASSERT_TRUE(schedule.has_value());
        const LifeReport report = live(*schedule, LifeOptions{.factory = planted(bug)});
        EXPECT_FALSE(report.passed()) << to_string(bug);
    }
}

/// A life that ends after its first storm.
Schedule first_storm(Schedule schedule) {
    schedule.calm_after = schedule.calms.front();
    schedule.calms.clear();
    std::erase_if(schedule.faults, [&](const Fault& f) { return f.at >= schedule.calm_after; });
    return schedule;
}

TEST(LongLives, OfLargeNetworksHoldThroughAStorm) {
    const Schedule schedule = first_storm(make_long_schedule(22));
    ASSERT_GT(schedule.nodes, 40U);
    const LifeReport report = live(schedule);
    EXPECT_TRUE(report.passed()) << report.text;
    EXPECT_GE(report.probes.at("told.epochs_begun"), schedule.nodes);
}

TEST(LongLives, HoldAndWhatIsDrawnHappens) {
    std::map<std::string, std::uint64_t> seen;
    for (const std::uint64_t seed : {1, 2, 3, 4, 5, 7, 9}) {
        const Schedule schedule = make_long_schedule(seed);
        const LifeReport report = live(schedule);
        EXPECT_TRUE(report.passed()) << "again: creto sim replay --long --seed " << seed << "\n"
                                     << report.text;
        EXPECT_GE(report.lived, schedule.calm_after);
        EXPECT_GE(report.probes.at("told.epochs_begun"), schedule.nodes * 2U) << seed;
        for (const auto& [name, value] : report.probes)
            seen[name] += value;
        for (std::size_t kind = 0; kind < fault_kinds; ++kind)
            seen[to_string(static_cast<FaultKind>(kind))] += report.fired[kind];
        seen["proven"] += report.proven;
    }
    for (const char* name :
         {"told.epochs_begun",
          "told.rosters_changed",
          "told.seats_dormant",
          "told.seats_returned",
          "told.partitions",
          "told.partitions_healed",
          "told.agents_excluded",
          "told.lanes_reset",
          "node.calls_rate_limited",
          "proven",
          "wipe",
          "flood",
          "reseat",
          "unseat",
          "parameter"})
        EXPECT_GT(seen[name], 0U) << name;
}

}  // namespace
}  // namespace creto
