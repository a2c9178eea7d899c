// Long silences, heavy loss, slow disks, drifting timers: time alone stops nothing.
#include <gtest/gtest.h>

#include "order/testing/script.hpp"

namespace creto::simplex::testing {
namespace {

// Failure 26: a network without empty blocks did not wake, because the way out of idleness forgot to
// reset a flag. An hour for some seeds, a random silence for many. [ORD-L15.1] [ORD-L15.2]
TEST(Patience, AnIdleNetworkWakesForOneVertex) {
    for (std::uint64_t seed = 1; seed <= 150; ++seed) {
        Cluster c{{.n = 4, .seed = seed}};
        c.start_all();
        const auto silence = seed % 150 == 0 ? std::uint64_t{3'600'000} : c.prng().below(20'000);
        c.run_for(Duration::from_ms(static_cast<std::int64_t>(silence)));
        c.produce(static_cast<Index>(seed % 4));
        ASSERT_TRUE(c.run_until_ordered(Duration::from_ms(500))) << "seed " << seed;
    }
}

// Failure 27, the second half: timers are local, and at the least number of nodes they drifted
// apart. One seat is dead and the others disagree about time; every ten views bring a block.
TEST(Patience, TheLeastNumberOfNodesWithDriftingTimersBringsABlockEveryTenViews) {
    for (std::uint64_t seed = 1; seed <= 15; ++seed) {
        Cluster c{{.n = 4, .seed = seed, .latency_max = Duration::from_ms(60)}};
        for (Index i = 0; i < 3; ++i) {
            // Fast and slow clocks, as patience: between a half and twice the usual.
            const auto delta = static_cast<std::int64_t>(c.prng().between(50, 200));
            c.options().ordering.delta = Duration::from_ms(delta);
            c.start(i);
        }
        std::uint64_t view = 0;
        std::uint64_t height = 0;
        for (int k = 0; k < 400; ++k) {
            c.produce(static_cast<Index>(c.prng().below(3)));
            c.run_for(Duration::from_ms(50));
            if (c.ordering(0).view().value() < view + 10) continue;
            view = c.ordering(0).view().value();
            const std::uint64_t now = c.lowest_final().value();
            EXPECT_GT(now, height) << "seed " << seed << ", view " << view;
            height = now;
        }
        EXPECT_GT(height, 10U);
    }
}

// Failure 28: after heavy loss nothing was sent again, since the timer for it was reset by what was
// no progress. A minute at 50 % loss, then none: all is final within a minute, and rather sooner.
// (rule X3) (rule F4)
TEST(Patience, AMinuteOfHeavyLossIsForgottenSoon) {
    for (std::uint64_t seed = 1; seed <= 15; ++seed) {
        Cluster c{{.n = 4, .seed = seed, .loss_percent = 50}};
        c.start_all();
        for (int second = 0; second < 60; ++second) {
            c.produce(static_cast<Index>(c.prng().below(4)));
            c.run_for(Duration::from_s(1));
        }
        c.options().loss_percent = 0;
        ASSERT_TRUE(c.run_until_ordered(Duration::from_s(5))) << "seed " << seed;
    }
}

// Failure 30: votes came late because a write stood before them in the queue of a slow disk, and
// late votes were dropped. Here one seat is dead and another is slow: its vote is always the last, and
// its finalize vote reaches the others when they are a view ahead. [ORD-W1.1]
TEST(Patience, VotesFromASlowDiskAreLateAndCount) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        Cluster c{{.n = 4, .seed = seed, .latency_max = Duration::from_ms(3)}};
        c.node(3).slower_disk = Duration::from_ms(20);
        c.start_all();
        c.run_for(Duration::from_ms(50));
        c.crash(2);
        for (int k = 0; k < 200; ++k) {
            c.produce(static_cast<Index>(k % 2));
            c.run_for(Duration::from_ms(10));
        }
        // Three turns of four take two syncs of the slow disk, and the dead one's a timeout.
        EXPECT_GT(c.lowest_final(), Height{8}) << "seed " << seed;
        EXPECT_TRUE(c.run_until_ordered(Duration::from_s(2))) << "seed " << seed;
    }
}

}  // namespace
}  // namespace creto::simplex::testing
