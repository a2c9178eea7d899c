// Whole nodes of which one is flooded: what the others feel of it.
#include "sim/flood/flood_trial.hpp"

#include <gtest/gtest.h>
#include <iostream>

namespace creto {
namespace {

FloodReport run(FloodPlan plan, std::uint64_t seeds) {
    FloodReport all;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        plan.seed = seed;
        all.merge(run_flood_trial(plan));
    }
    return all;
}

/// Nobody else's p99 is above 1.10 times what it is without the flood.
void expect_unfelt(const FloodReport& report) {
    EXPECT_EQ(report.violation, "");
    EXPECT_EQ(report.quiet.failed, 0U);
    EXPECT_EQ(report.flooded.failed, 0U);
    for (std::size_t i = 0; i < flood_load_count; ++i) {
        const auto load = static_cast<FloodLoad>(i);
        EXPECT_GT(report.quiet.us[i].count(), 300U);
        EXPECT_EQ(report.quiet.us[i].count(), report.flooded.us[i].count());
        EXPECT_LE(report.ratio_permille(load, 500), 1'100U) << to_string(load);
        EXPECT_LE(report.ratio_permille(load, 990), 1'100U) << to_string(load);
        std::cout << to_string(load) << ": p50 x" << report.ratio_permille(load, 500)
                  << "/1000, p99 " << report.quiet.us[i].at(990) << " us x"
                  << report.ratio_permille(load, 990) << "/1000" << std::endl;
    }
}

// [FLOOD-FAIR.1]
TEST(FloodTrial, AHundredThousandRequestsAreRefusedAndNobodyElseFeelsThem) {
    const FloodReport report = run({}, 3);
    expect_unfelt(report);
    EXPECT_GT(report.refused, 3 * 1'500U);
    EXPECT_GE(report.dropped, 3U) << "who goes on is dropped";
    EXPECT_LT(report.served, 3 * 7'000U) << "500 a second, and a burst";
}

// [FLOOD-FAIR.1]
TEST(FloodTrial, NorAreThoseThatAreAllHeardAndServed) {
    FloodPlan plan;
    plan.quota = 0;
    plan.is_patient = true;
    const FloodReport report = run(plan, 3);
    expect_unfelt(report);
    EXPECT_GT(report.served + report.refused, 3 * 50'000U);
}

TEST(FloodTrial, OnALanToo) {
    FloodPlan plan;
    plan.links = lan_profile();
    plan.links.loss_ppm = 0;  // A message that is lost is late by more than any flood: noise.
    expect_unfelt(run(plan, 3));
}

TEST(FloodTrial, APlanGivesTheSameReport) {
    FloodPlan plan;
    plan.requests = 5'000;
    plan.lasts = Duration::from_s(1);
    const FloodReport first = run_flood_trial(plan);
    EXPECT_EQ(first.flooded.trace_hash, run_flood_trial(plan).flooded.trace_hash);
    EXPECT_NE(first.flooded.trace_hash, first.quiet.trace_hash);
}

}  // namespace
}  // namespace creto
