#include "scale/process_usage.hpp"

#include <unistd.h>

#include <gtest/gtest.h>

namespace creto {
namespace {

TEST(ProcessUsage, GrowsWithWorkAndKnowsNobodyWhoIsNotThere) {
    const auto before = process_usage(::getpid());
    ASSERT_TRUE(before.has_value());
    EXPECT_GT(before->resident_bytes, 100'000U);
    const auto machine_before = machine_usage();
    ASSERT_TRUE(machine_before.has_value());
    // Until the kernel has counted some work, however it rounds.
    volatile std::uint64_t sum = 0;
    constexpr auto enough = Duration::from_ms(50);
    Duration used;
    for (std::uint64_t turn = 0; turn < 100'000 && used < enough; ++turn) {
        for (std::uint64_t i = 0; i < 100'000; ++i)
            sum = sum + i;
        used = process_usage(::getpid())->cpu - before->cpu;
    }
    EXPECT_GE(used, enough);
    const auto machine_after = machine_usage();
    ASSERT_TRUE(machine_after.has_value());
    EXPECT_GE(machine_after->busy - machine_before->busy, enough - Duration::from_ms(30));
    EXPECT_LE(machine_after->busy, machine_after->all);
    EXPECT_FALSE(process_usage(0).has_value());
    EXPECT_FALSE(process_usage(999'999'999).has_value());
}

}  // namespace
}  // namespace creto
