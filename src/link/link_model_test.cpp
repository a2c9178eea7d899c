#include "link/link_model.hpp"

#include <algorithm>
#include <gtest/gtest.h>

namespace creto {
namespace {

constexpr Instant origin;

NodePair pair_of(std::uint32_t from, std::uint32_t to) {
    return {NodeIndex{from}, NodeIndex{to}};
}
Instant after_ms(std::int64_t ms) {
    return origin + Duration::from_ms(ms);
}

LinkProfile datagrams(LinkProfile profile) {
    profile.kind = LinkKind::datagram;
    return profile;
}

/// One latency for all, so that a test can say to the nanosecond what it expects.
LinkProfile fixed(Duration latency) {
    LinkProfile profile;
    profile.latency_min = latency;
    profile.latency_max = latency;
    return profile;
}

TEST(LinkModel, KeepsEveryLatencyWithinTheProfileAndUsesAllOfIt) {
    LinkProfile lossless = lan_profile();
    lossless.loss_ppm = 0;
    LinkModel model{1, 200, lossless};
    Duration least = Duration::max();
    Duration most;
    Duration sum;
    for (std::uint32_t from = 0; from < 200; ++from) {
        for (std::uint32_t to = 0; to < 200; ++to) {
            if (from == to) continue;
            EXPECT_EQ(model.base_latency(pair_of(from, to)), model.base_latency(pair_of(to, from)));
            const auto plan = model.plan(pair_of(from, to), 100, origin, 0);
            ASSERT_EQ(plan.outcome, LinkOutcome::delivered);
            const Duration latency = plan.at[0] - origin;
            least = std::min(least, latency);
            most = std::max(most, latency);
            sum = sum + latency;
        }
    }
    EXPECT_GE(least, Duration::from_ms(1));
    EXPECT_LT(least, Duration::from_us(1'200));
    EXPECT_LE(most, Duration::from_ms(10));
    EXPECT_GT(most, Duration::from_us(9'800));
    EXPECT_NEAR((sum / (200 * 199)).us(), 5'500, 100);
}

TEST(LinkModel, KeepsAPairNearItsOwnDistance) {
    LinkModel model{2, 10, datagrams(wan_profile())};
    const Duration base = model.base_latency(pair_of(3, 4));
    const Duration jitter = (wan_profile().latency_max - wan_profile().latency_min) / 5;
    for (std::uint64_t number = 0; number < 10'000; ++number) {
        const auto plan = model.plan(pair_of(3, 4), 100, origin, number);
        if (plan.copies == 0) continue;
        EXPECT_GE(plan.at[0] - origin, base);
        EXPECT_LE(plan.at[0] - origin, base + jitter);
    }
}

TEST(LinkModel, LosesDatagramsAtTheStatedRate) {
    LinkModel model{3, 2, datagrams(degraded_profile())};
    int lost = 0;
    constexpr int sent = 200'000;
    for (std::uint64_t number = 0; number < sent; ++number) {
        const auto plan = model.plan(pair_of(0, 1), 100, origin, number);
        EXPECT_EQ(plan.outcome == LinkOutcome::lost, plan.deliveries().empty());
        lost += plan.outcome == LinkOutcome::lost ? 1 : 0;
    }
    // One in a hundred; five standard deviations of 200,000 draws are 222.
    constexpr int expected = sent / 100;
    EXPECT_NEAR(lost, expected, 230);
}

TEST(LinkModel, DelaysInsteadOfLosingOnAStream) {
    LinkModel model{3, 2, degraded_profile()};
    const LinkProfile profile = degraded_profile();
    int late = 0;
    constexpr int sent = 100'000;
    for (int number = 0; number < sent; ++number) {
        // Far enough apart that nobody waits behind another's retransmission.
        const Instant now = origin + Duration::from_s(200) * number;
        const auto plan = model.plan(pair_of(0, 1), 100, now, static_cast<std::uint64_t>(number));
        ASSERT_EQ(plan.copies, 1U);
        if (plan.at[0] - now > profile.latency_max) {
            ++late;
            EXPECT_GE(plan.at[0] - now, profile.retransmit_timeout + profile.latency_min);
        }
    }
    constexpr int expected = sent / 100;
    EXPECT_NEAR(late, expected, 160);
}

TEST(LinkModel, KeepsTheOrderOfAStream) {
    LinkProfile profile = degraded_profile();
    profile.jitter_percent = 100;
    profile.loss_ppm = 200'000;
    LinkModel model{4, 3, profile};
    Instant last;
    bool waited = false;
    for (int number = 0; number < 10'000; ++number) {
        const Instant now = after_ms(number);
        const auto plan = model.plan(pair_of(0, 1), 50, now, static_cast<std::uint64_t>(number));
        EXPECT_GE(plan.at[0], last);
        waited = waited || plan.at[0] == last;
        last = plan.at[0];
    }
    EXPECT_TRUE(waited) << "no message ever waited behind another, so the test shows nothing";
}

TEST(LinkModel, ReordersAndDuplicatesDatagrams) {
    LinkProfile profile = datagrams(lan_profile());
    profile.duplicate_ppm = 50'000;
    profile.reorder_ppm = 50'000;
    profile.reorder_extra = Duration::from_ms(50);
    LinkModel model{5, 2, profile};
    int twice = 0;
    int late = 0;
    for (std::uint64_t number = 0; number < 100'000; ++number) {
        const auto plan = model.plan(pair_of(0, 1), 100, origin, number);
        twice += plan.copies == 2 ? 1 : 0;
        if (plan.copies == 2) {
            EXPECT_LE(plan.at[0], plan.at[1]);
        }
        if (plan.copies > 0 && plan.deliveries().back() - origin > profile.latency_max) ++late;
    }
    EXPECT_NEAR(twice, 5'000, 350);
    EXPECT_NEAR(late, 5'000, 350);
}

TEST(LinkModel, DrawsForAMessageWhateverElseIsSent) {
    LinkProfile profile = datagrams(wan_profile());
    profile.loss_ppm = 100'000;
    LinkModel all{6, 5, profile};
    LinkModel some{6, 5, profile};
    LinkModel other{7, 5, profile};
    int differs = 0;
    for (std::uint64_t number = 0; number < 2'000; ++number) {
        const auto full = all.plan(pair_of(1, 2), 100, origin, number);
        (void)all.plan(pair_of(1, 3), 100, origin, number);
        if (number % 3 == 0) continue;
        const auto sparse = some.plan(pair_of(1, 2), 100, origin, number);
        EXPECT_EQ(full.outcome, sparse.outcome);
        EXPECT_EQ(full.at, sparse.at);
        differs += other.plan(pair_of(1, 2), 100, origin, number).at != full.at ? 1 : 0;
    }
    EXPECT_GT(differs, 1'000) << "another seed must give another run";
}

TEST(LinkModel, SerialisesAnUplinkInItsOwnTime) {
    LinkProfile profile = fixed(Duration::from_ms(5));
    profile.bandwidth_bps = 8'000'000;  // One byte a microsecond.
    profile.queue_bytes_max = 10'000;
    LinkModel model{8, 4, profile};
    // A broadcast of 1,000 bytes: copy i leaves at (i + 1) milliseconds.
    for (std::uint32_t to = 1; to < 4; ++to) {
        const auto plan = model.plan(pair_of(0, to), 1'000, origin, 0);
        EXPECT_EQ(plan.at[0], after_ms(to + 5));
    }
    // Another node's uplink is its own.
    EXPECT_EQ(model.plan(pair_of(1, 2), 1'000, origin, 0).at[0], after_ms(6));
    // An idle uplink starts from now, not from when it was last busy.
    EXPECT_EQ(model.plan(pair_of(0, 1), 1'000, after_ms(100), 1).at[0], after_ms(106));
}

TEST(LinkModel, DropsTheTailOfAFullQueueButNeverAnEmptyOne) {
    LinkProfile profile = fixed(Duration::from_ms(1));
    profile.bandwidth_bps = 8'000'000;
    profile.queue_bytes_max = 3'000;
    LinkModel model{9, 2, profile};
    for (std::uint64_t number = 0; number < 3; ++number)
        EXPECT_EQ(model.plan(pair_of(0, 1), 1'000, origin, number).copies, 1U);
    EXPECT_EQ(model.plan(pair_of(0, 1), 1'000, origin, 3).outcome, LinkOutcome::overflow);
    EXPECT_EQ(model.plan(pair_of(0, 1), 1'000, after_ms(1), 4).copies, 1U);
    // What is larger than the queue passes when it is alone, or it could never be sent.
    EXPECT_EQ(model.plan(pair_of(1, 0), 5'000, origin, 0).copies, 1U);
}

TEST(LinkModel, SaysWhenWhatANarrowLinkHasTakenInWillHaveLeftIt) {
    LinkProfile profile = fixed(Duration::from_ms(1));
    profile.queue_bytes_max = 1'000'000;
    LinkModel model{9, 3, profile};
    static_cast<void>(model.plan(pair_of(0, 1), 1'000, after_ms(7), 0));
    EXPECT_EQ(model.queues_empty(), Instant{}) << "unlimited: nothing waits";
    model.set_bandwidth(NodeIndex{0}, 8'000'000);
    static_cast<void>(model.plan(pair_of(0, 1), 3'000, after_ms(7), 1));
    EXPECT_EQ(model.queues_empty(), after_ms(10));
    static_cast<void>(model.arrive(NodeIndex{0}, 9'000, after_ms(7)));
    model.set_bandwidth(NodeIndex{0}, 0);
    EXPECT_EQ(model.queues_empty(), after_ms(16)) << "it keeps the rate at which it came in";
    // What is sent on a wide link now still comes after what was sent before on its stream.
    EXPECT_EQ(model.plan(pair_of(0, 1), 1'000, after_ms(8), 2).at[0], after_ms(11));
}

TEST(LinkModel, ServesADownlinkInTheOrderOfArrival) {
    LinkProfile profile = fixed(Duration::from_ms(1));
    LinkModel model{10, 3, profile};
    EXPECT_FALSE(model.has_downlink_queue(NodeIndex{2}));
    EXPECT_EQ(model.arrive(NodeIndex{2}, 1'000, after_ms(4)), after_ms(4));
    model.set_bandwidth(NodeIndex{2}, 8'000'000);
    EXPECT_TRUE(model.has_downlink_queue(NodeIndex{2}));
    EXPECT_EQ(model.arrive(NodeIndex{2}, 1'000, after_ms(4)), after_ms(5));
    EXPECT_EQ(model.arrive(NodeIndex{2}, 2'000, after_ms(4)), after_ms(7));
    EXPECT_EQ(model.arrive(NodeIndex{2}, 5'000'000, after_ms(4)), after_ms(5'007));
    model.set_profile(datagrams(profile));
    model.set_bandwidth(NodeIndex{2}, 8'000'000);
    EXPECT_EQ(model.arrive(NodeIndex{2}, 5'000'000, after_ms(4)), std::nullopt);
}

TEST(LinkModel, DividesTheNodesIntoGroupsAndHeals) {
    LinkModel model{11, 7, lan_profile()};
    const std::vector<std::vector<NodeIndex>> groups{
        {NodeIndex{0}, NodeIndex{1}, NodeIndex{2}}, {NodeIndex{3}, NodeIndex{4}}};
    const auto before = model.cut_version();
    model.cut(groups);
    EXPECT_GT(model.cut_version(), before);
    EXPECT_FALSE(model.blocked(pair_of(0, 2)));
    EXPECT_FALSE(model.blocked(pair_of(3, 4)));
    EXPECT_FALSE(model.blocked(pair_of(5, 6))) << "the nodes that no group names stay together";
    for (const auto pair : {pair_of(0, 3), pair_of(3, 0), pair_of(4, 5), pair_of(6, 1)}) {
        EXPECT_TRUE(model.blocked(pair));
        const auto plan = model.plan(pair, 100, origin, 0);
        EXPECT_EQ(plan.outcome, LinkOutcome::blocked);
        EXPECT_TRUE(plan.deliveries().empty());
    }
    model.heal();
    EXPECT_EQ(model.plan(pair_of(0, 3), 100, origin, 0).outcome, LinkOutcome::delivered);
}

TEST(LinkModel, CutsOneWayAndLeavesTheOtherOpen) {
    LinkModel model{12, 4, lan_profile()};
    const std::vector<NodeIndex> from{NodeIndex{0}, NodeIndex{1}};
    const std::vector<NodeIndex> to{NodeIndex{2}};
    model.cut_one_way(from, to);
    EXPECT_TRUE(model.blocked(pair_of(0, 2)));
    EXPECT_TRUE(model.blocked(pair_of(1, 2)));
    EXPECT_FALSE(model.blocked(pair_of(2, 0)));
    EXPECT_FALSE(model.blocked(pair_of(0, 3)));
    model.block(pair_of(3, 0), true);
    EXPECT_TRUE(model.blocked(pair_of(3, 0)));
    EXPECT_FALSE(model.blocked(pair_of(0, 3)));
    model.block(pair_of(3, 0), false);
    EXPECT_FALSE(model.blocked(pair_of(3, 0)));
    EXPECT_TRUE(model.blocked(pair_of(0, 2))) << "an unblock takes no cut back";
    model.heal();
    EXPECT_FALSE(model.blocked(pair_of(0, 2)));
}

TEST(LinkModel, AddsANodesExtraLatencyBothWays) {
    LinkModel model{13, 3, fixed(Duration::from_ms(5))};
    model.set_extra_latency(NodeIndex{1}, Duration::from_ms(30));
    EXPECT_EQ(model.plan(pair_of(0, 1), 1, origin, 0).at[0], after_ms(35));
    EXPECT_EQ(model.plan(pair_of(1, 2), 1, origin, 0).at[0], after_ms(35));
    EXPECT_EQ(model.plan(pair_of(0, 2), 1, origin, 0).at[0], after_ms(5));
    model.set_extra_latency(NodeIndex{1}, Duration{});
    EXPECT_EQ(model.plan(pair_of(2, 1), 1, origin, 0).at[0], after_ms(5));
}

TEST(LinkModel, DeliversToItselfAtOnceWhateverIsCut) {
    LinkModel model{14, 2, wan_profile()};
    const std::vector<NodeIndex> everyone{NodeIndex{0}, NodeIndex{1}};
    model.cut_one_way(everyone, everyone);
    EXPECT_EQ(model.plan(pair_of(1, 1), 100, after_ms(3), 0).at[0], after_ms(3));
}

TEST(LinkModel, HoldsMemoryOnlyForPairsUnderWay) {
    LinkModel model{15, 10'000, lan_profile()};
    Prng prng{15};
    for (int i = 0; i < 300'000; ++i) {
        const auto from = static_cast<std::uint32_t>(prng.below(10'000));
        const auto to = static_cast<std::uint32_t>((from + 1 + prng.below(9'999)) % 10'000);
        const Instant now = origin + Duration::from_us(10) * i;
        (void)model.plan(pair_of(from, to), 100, now, static_cast<std::uint64_t>(i));
    }
    // At 100 messages a millisecond and 10 ms each, about 1,000 are under way at any time.
    EXPECT_LT(model.pairs_held(), 6'000U);
}

}  // namespace
}  // namespace creto
