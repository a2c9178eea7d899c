// With too many liars the chain may split; by whom must be provable.
#include "sim/life/split.hpp"

#include <gtest/gtest.h>

namespace creto {
namespace {

TEST(Split, IsProvenAgainstMoreSeatsThanAreTolerated) {
    std::uint64_t clashed = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const SplitReport report = live_split(make_split_schedule(seed));
        EXPECT_GT(report.liars, report.tolerated);
        if (report.life.checker == "empty") continue;  // No liar had its turn.
        ++clashed;
        EXPECT_TRUE(report.life.passed()) << "again: creto sim split --seed " << seed << "\n"
                                          << report.life.text;
        EXPECT_GT(report.provable, report.tolerated) << seed;
    }
    EXPECT_GT(clashed, 5U) << "the class is there for clashes";
}

TEST(Split, WithNoLiarsIsEmpty) {
    Schedule schedule = make_split_schedule(1);
    schedule.byzantine.clear();
    EXPECT_EQ(live_split(schedule).life.checker, "empty");
}

}  // namespace
}  // namespace creto
