#include "tools/call_times.hpp"

#include <gtest/gtest.h>

namespace creto {
namespace {

AgentId filled_agent(std::uint8_t n) {
    std::array<std::uint8_t, AgentId::size> bytes{};
    bytes.fill(n);
    return AgentId{bytes};
}

TEST(CallTimes, SaysNothingOfFewAndThenTheNinetyFifthOfAHundred) {
    CallTimes times;
    for (int i = 1; i <= 19; ++i)
        times.add(filled_agent(1), "add", Duration::from_ms(i));
    EXPECT_FALSE(times.p95(filled_agent(1), "add"));
    times.add(filled_agent(1), "add", Duration::from_ms(20));
    EXPECT_EQ(times.p95(filled_agent(1), "add"), Duration::from_ms(19));
    EXPECT_FALSE(times.p95(filled_agent(2), "add"));
    EXPECT_FALSE(times.p95(filled_agent(1), "multiply"));
}

TEST(CallTimes, ForgetsWhatIsLongAgo) {
    CallTimes times;
    for (int i = 0; i < 1'000; ++i)
        times.add(filled_agent(1), "add", Duration::from_s(1));
    for (std::size_t i = 0; i < CallTimes::samples_max; ++i)
        times.add(filled_agent(1), "add", Duration::from_ms(1));
    EXPECT_EQ(times.p95(filled_agent(1), "add"), Duration::from_ms(1));
}

TEST(CallTimes, OnePairMoreThanItHoldsTakesThePlaceOfTheOldest) {
    CallTimes times;
    for (std::size_t i = 0; i < CallTimes::samples_min; ++i)
        times.add(filled_agent(1), "first", Duration::from_ms(1));
    for (std::size_t i = 0; i < CallTimes::samples_min; ++i)
        times.add(filled_agent(1), "second", Duration::from_ms(1));
    for (std::size_t i = 2; i < CallTimes::entries_max; ++i)
        times.add(filled_agent(2), "tool" + std::to_string(i), Duration::from_ms(1));
    EXPECT_TRUE(times.p95(filled_agent(1), "first"));
    times.add(filled_agent(3), "one more", Duration::from_ms(1));
    EXPECT_EQ(times.entries(), CallTimes::entries_max);
    EXPECT_FALSE(times.p95(filled_agent(1), "first"));
    EXPECT_TRUE(times.p95(filled_agent(1), "second"));
}

}  // namespace
}  // namespace creto
