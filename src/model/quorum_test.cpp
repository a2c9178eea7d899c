// Quorum: for every number of seats that there can be, of which any number is dormant.
#include "model/quorum.hpp"

#include <functional>
#include <gtest/gtest.h>

#include "model/limits.hpp"

namespace creto {
namespace {

/// Calls with (voting, dormant) for every roster of up to 256 seats, and some of up to seats_max.
void every_roster(const std::function<void(std::uint32_t, std::uint32_t)>& visit) {
    for (std::uint32_t all = 1; all <= limits::seats_max; all += all < 256 ? 1 : 128) {
        for (std::uint32_t dormant = 0; dormant < all; ++dormant)
            visit(all - dormant, dormant);
    }
}

// [SEAT-DORMANT.3]
TEST(Quorum, TwoOfThemShareAnHonestSeatHoweverManyAreDormant) {
    every_roster([](std::uint32_t a, std::uint32_t d) {
        const Quorum quorum = Quorum::of(QuorumMode::byzantine, a, d);
        // Less than a third of all lie, and all of them may be among those that vote.
        EXPECT_TRUE(3 * quorum.t < a + d && 3 * (quorum.t + 1) >= a + d) << a << "+" << d;
        if (quorum.q <= a) {
            EXPECT_GT(2 * quorum.q, a + quorum.t) << a << "+" << d;
        }
        const Quorum crash = Quorum::of(QuorumMode::crash, a, d);
        EXPECT_EQ(crash.t, 0U);
        EXPECT_TRUE(2 * crash.q > a && crash.q <= a) << a << "+" << d;
    });
}

// [SEAT-DORMANT.3]
TEST(Quorum, IsNoLargerThanSafetyOrTheRuleOfTwoThirdsTakes) {
    every_roster([](std::uint32_t a, std::uint32_t d) {
        const Quorum quorum = Quorum::of(QuorumMode::byzantine, a, d);
        const std::uint32_t less = quorum.q - 1;
        EXPECT_TRUE(3 * less <= 2 * a || 2 * less <= a + quorum.t) << a << "+" << d;
    });
}

// [SEAT-DORMANT.3]
TEST(Quorum, WithNobodyDormantIsTwoThirdsAndOne) {
    for (std::uint32_t n = 1; n <= limits::seats_max; ++n) {
        const Quorum quorum = Quorum::of(QuorumMode::byzantine, n);
        EXPECT_EQ(quorum, (Quorum{n, 2 * n / 3 + 1, n - (2 * n / 3 + 1)}));
        EXPECT_EQ(quorum, Quorum::of(QuorumMode::byzantine, n, 0));
    }
}

// [SEAT-DORMANT.3]
TEST(Quorum, SettingASeatAsideNeverMakesItLargerAndIsImpossibleFromThreeTimesTheVotersOn) {
    every_roster([](std::uint32_t a, std::uint32_t d) {
        if (a > 1) {
            const Quorum before = Quorum::of(QuorumMode::byzantine, a, d);
            const Quorum after = Quorum::of(QuorumMode::byzantine, a - 1, d + 1);
            EXPECT_LE(after.q, before.q) << a << "+" << d;
            EXPECT_EQ(after.t, before.t);
        }
        const Quorum quorum = Quorum::of(QuorumMode::byzantine, a, d);
        EXPECT_EQ(Quorum::possible(QuorumMode::byzantine, a, d), quorum.q <= a);
        EXPECT_EQ(quorum.q <= a, a > quorum.t) << a << "+" << d;
        EXPECT_EQ(quorum.q <= a, d <= 2 * a) << a << "+" << d;
        EXPECT_TRUE(Quorum::possible(QuorumMode::crash, a, d));
    });
    EXPECT_FALSE(Quorum::possible(QuorumMode::crash, 0, 1));
}

/// What a network of so many seats could lose before anybody was set aside, it still can.
// [SEAT-DORMANT.3]
TEST(Quorum, WhoeverIsSetAsideTheFaultsThatWereToleratedStillAre) {
    every_roster([](std::uint32_t a, std::uint32_t d) {
        const Quorum whole = Quorum::of(QuorumMode::byzantine, a + d);
        const Quorum quorum = Quorum::of(QuorumMode::byzantine, a, d);
        if (d > whole.t) return;
        // All that are dormant are among the t faulty ones: the others are there, and enough.
        EXPECT_LE(quorum.q, a + d - whole.t) << a << "+" << d;
    });
}

}  // namespace
}  // namespace creto
