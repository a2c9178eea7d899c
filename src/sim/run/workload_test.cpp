#include "sim/run/workload.hpp"

#include <gtest/gtest.h>
#include <vector>

namespace creto {
namespace {

/// Operations in each second of a run.
std::vector<std::uint64_t> seconds_of(const std::string& text, std::int64_t seconds) {
    Workload load = Workload::parse(text).value();
    load.begin(7, Duration::from_s(seconds));
    std::vector<std::uint64_t> out(static_cast<std::size_t>(seconds));
    for (std::int64_t slot = 0; slot < seconds * 100; ++slot)
        out[static_cast<std::size_t>(slot / 100)] += load.next_slot();
    return out;
}

std::uint64_t sum(const std::vector<std::uint64_t>& counts) {
    std::uint64_t out = 0;
    for (const std::uint64_t count : counts)
        out += count;
    return out;
}

TEST(Workload, LosesNothingByRounding) {
    EXPECT_EQ(seconds_of("constant:100", 10), std::vector<std::uint64_t>(10, 100));
    // A third of an operation a slot, and less than one a second.
    EXPECT_EQ(sum(seconds_of("constant:33.333", 1'000)), 33'333U);
    EXPECT_EQ(sum(seconds_of("constant:0.05", 100)), 5U);
    EXPECT_EQ(sum(seconds_of("constant:0", 10)), 0U);
}

TEST(Workload, RampsFromOneRateToTheOther) {
    const auto counts = seconds_of("ramp:0-1000", 100);
    EXPECT_NEAR(double(sum(counts)), 50'000, 10);
    EXPECT_NEAR(double(counts.front()), 5, 1);
    EXPECT_NEAR(double(counts.back()), 995, 1);
    EXPECT_NEAR(double(sum(seconds_of("ramp:1000-0", 100))), 50'000, 10);
}

TEST(Workload, BurstsAndPausesInTurn) {
    const std::vector<std::uint64_t> expected{500, 500, 0, 0, 500, 500, 0, 0};
    EXPECT_EQ(seconds_of("burst:500/2s", 8), expected);
}

TEST(Workload, ChaosDrawsARateForEachSecondWithinItsRange) {
    const auto counts = seconds_of("chaos:100-200", 50);
    std::uint64_t least = 1'000;
    std::uint64_t most = 0;
    for (const std::uint64_t count : counts) {
        EXPECT_GE(count, 99U);
        EXPECT_LE(count, 201U);
        least = std::min(least, count);
        most = std::max(most, count);
    }
    EXPECT_LT(least, 120U);
    EXPECT_GT(most, 180U);
    EXPECT_EQ(counts, seconds_of("chaos:100-200", 50));
}

TEST(Workload, SwingsBetweenItsRatesOnceAMinute) {
    const auto counts = seconds_of("sine:50-150", 120);
    EXPECT_NEAR(double(sum(counts)), 12'000, 30);
    EXPECT_NEAR(double(counts[15]), 150, 2);
    EXPECT_NEAR(double(counts[45]), 50, 2);
    EXPECT_NEAR(double(counts[75]), 150, 2);
}

TEST(Workload, RefusesWhatIsNone) {
    for (const char* text :
         {"",
          "constant",
          "constant:",
          "constant:-1",
          "constant:1-2",
          "ramp:5",
          "ramp:1-",
          "burst:5",
          "burst:5/",
          "burst:5/0s",
          "chaos:9-3",
          "sine:9-3",
          "steady:5",
          "constant:1.2345",
          "constant:1000001",
          "constant:99999999999999999999"}) {
        const auto parsed = Workload::parse(text);
        ASSERT_FALSE(parsed.has_value()) << text;
        EXPECT_NE(parsed.error().message.find("constant:R"), std::string::npos);
    }
    EXPECT_TRUE(Workload::parse("constant:1000000").has_value());
}

TEST(ParseDuration, ReadsEveryUnitAndRefusesTheRest) {
    EXPECT_EQ(parse_duration("250ms").value(), Duration::from_ms(250));
    EXPECT_EQ(parse_duration("20s").value(), Duration::from_s(20));
    EXPECT_EQ(parse_duration("10m").value(), Duration::from_s(600));
    EXPECT_EQ(parse_duration("24h").value(), Duration::from_s(86'400));
    EXPECT_EQ(parse_duration("366d").value(), Duration::from_s(366 * 86'400));
    for (const char* text :
         {"", "s", "5", "0s", "-1s", "1.5s", "5 s", "5y", "367d", "99999999999s"})
        EXPECT_FALSE(parse_duration(text).has_value()) << text;
}

}  // namespace
}  // namespace creto
