#include "sim/host_clock.hpp"

#include <gtest/gtest.h>

#include "base/prng.hpp"

namespace creto {
namespace {

Instant at_ns(std::int64_t ns) {
    return Instant::from_ns(ns);
}

TEST(HostClock, ShowsTheTimeOfTheSimulationUnlessToldOtherwise) {
    const HostClock clock;
    for (const std::int64_t ns : {0L, 1L, 999'999L, 86'400'000'000'000L}) {
        EXPECT_EQ(clock.read(at_ns(ns)), at_ns(ns));
        EXPECT_EQ(clock.when(at_ns(ns)), at_ns(ns));
    }
    EXPECT_EQ(clock.when(Instant::max()), Instant::max());
}

TEST(HostClock, GainsAndLosesByItsDrift) {
    HostClock clock;
    clock.set_drift(100, at_ns(0));
    EXPECT_EQ(clock.read(at_ns(10'000'000'000)), at_ns(10'001'000'000));
    clock.set_drift(-100'000, at_ns(10'000'000'000));
    EXPECT_EQ(clock.read(at_ns(20'000'000'000)), at_ns(19'001'000'000));
}

TEST(HostClock, StepsForwardAndNeverGoesBack) {
    HostClock clock;
    clock.step(Duration::from_s(3'600), at_ns(5));
    EXPECT_EQ(clock.read(at_ns(5)), at_ns(5) + Duration::from_s(3'600));
    EXPECT_EQ(clock.when(at_ns(100)), at_ns(5)) << "that has passed already";
}

TEST(HostClock, SaysWhenItWillShowAnInstant) {
    Prng prng{7};
    for (int round = 0; round < 2'000; ++round) {
        HostClock clock;
        const auto drift = static_cast<std::int64_t>(prng.below(400'001)) - 200'000;
        const Instant set = at_ns(static_cast<std::int64_t>(prng.below(1'000'000'000'000)));
        clock.set_drift(drift, set);
        const Instant shown = at_ns(static_cast<std::int64_t>(prng.below(604'800'000'000'000)));
        const Instant when = clock.when(shown);
        EXPECT_GE(clock.read(when), shown) << drift;
        // Unless it was past when the drift began, it is met as exactly as nanoseconds allow.
        const Duration late = clock.read(when) - shown;
        EXPECT_TRUE(when == set || late <= Duration::from_ns(2)) << drift << ' ' << late.ns();
    }
}

}  // namespace
}  // namespace creto
