#include "scale/replay/timeline.hpp"

#include <gtest/gtest.h>

namespace creto {
namespace {

Duration s(std::int64_t seconds) {
    return Duration::from_s(seconds);
}

TEST(Timeline, HoldsTheSlowestLaterQuarterAgainstTheFirst) {
    Timeline line;
    line.add(s(1), Duration::from_us(900));  // Before what is measured.
    for (std::int64_t at = 4; at < 12; ++at)
        line.add(s(at), Duration::from_us(at < 6 ? 100 : at < 8 ? 250 : 150));
    EXPECT_DOUBLE_EQ(line.slowdown(s(4), s(12)).value(), 2.5);
    EXPECT_DOUBLE_EQ(line.mean_ns(s(4), s(8)).value(), 175'000);
}

TEST(Timeline, AnEmptyQuarterSaysNothing) {
    Timeline line;
    EXPECT_EQ(line.slowdown(s(0), s(8)), std::nullopt);
    for (const std::int64_t at : {1, 3, 5})
        line.add(s(at), Duration::from_us(100));
    EXPECT_EQ(line.slowdown(s(0), s(8)), std::nullopt);
    line.add(s(7), Duration::from_us(100));
    EXPECT_EQ(line.slowdown(s(0), s(8)), 1);
}

TEST(Timeline, AWeekFitsAndDropsNothing) {
    Timeline line;
    constexpr std::int64_t week_s = 7 * 24 * 3'600;
    for (std::int64_t at = 0; at < week_s; at += 10)
        line.add(s(at), Duration::from_us(at < week_s / 2 ? 100 : 300));
    EXPECT_DOUBLE_EQ(line.mean_ns(s(0), s(week_s)).value(), 200'000);
    EXPECT_NEAR(line.slowdown(s(0), s(week_s)).value(), 3, 0.01);
}

}  // namespace
}  // namespace creto
