#include "order/vote_collector.hpp"

#include <gtest/gtest.h>

#include "order/testing/seats.hpp"

namespace creto::simplex {
namespace {

using testing::block_id;
using testing::Index;
using testing::Seats;

constexpr auto patience = Duration::from_ms(2);

VoteContent notarizing(std::uint64_t view, const char* block = "a") {
    return Seats::content(VoteKind::notarize, view, 0, block_id(block));
}
Instant at_ms(std::int64_t ms) {
    return Instant::from_ns(ms * 1'000'000);
}

// [ORD-V1.3]
TEST(VoteCollector, PassesOnWhatCameInTimeAndAllAtOnceWhenAllHaveVoted) {
    for (const VoteForm form : {VoteForm::list, VoteForm::joined}) {
        const Seats seats{9, QuorumMode::byzantine, 0, 0, 1, limits::checkpoint_blocks, 0, form};
        VoteCollector collector{seats.roster, {3, patience, {}}};
        EXPECT_EQ(collector.next_due(), Instant::max());
        collector.add(seats.vote(4, notarizing(1)), 4, at_ms(10));
        EXPECT_EQ(collector.next_due(), at_ms(12));
        EXPECT_TRUE(collector.due(at_ms(11), *seats.signers[4]).empty());
        collector.add(seats.vote(2, notarizing(1)), 2, at_ms(11));
        EXPECT_EQ(
            collector.due(at_ms(12), *seats.signers[4]),
            std::vector{seats.partial(notarizing(1), {2, 4})}
        );
        EXPECT_EQ(collector.next_due(), Instant::max());
        // Said twice is said once.
        collector.add(seats.vote(2, notarizing(1)), 2, at_ms(13));
        EXPECT_EQ(collector.next_due(), Instant::max());
        collector.add(seats.vote(7, notarizing(1)), 7, at_ms(14));
        EXPECT_EQ(
            collector.due(at_ms(14), *seats.signers[4]),
            std::vector{seats.partial(notarizing(1), {2, 4, 7})}
        );
    }
}

TEST(VoteCollector, KeepsContentsApartAndForgetsViews) {
    const Seats seats{9};
    VoteCollector collector{seats.roster, {3, patience, {}}};
    collector.add(seats.vote(0, notarizing(1, "a")), 0, at_ms(0));
    collector.add(seats.vote(1, notarizing(1, "b")), 1, at_ms(0));
    collector.add(seats.vote(1, notarizing(2, "b")), 1, at_ms(1));
    EXPECT_EQ(collector.due(at_ms(2), *seats.signers[0]).size(), 2U);
    EXPECT_EQ(collector.next_due(), at_ms(3));
    EXPECT_EQ(collector.views_held(), 2U);
    collector.forget_through(View{2}, at_ms(3));
    EXPECT_EQ(collector.views_held(), 0U);
    EXPECT_EQ(collector.next_due(), Instant::max());
}

// [ORD-V1.8]
TEST(VoteCollector, WhatHadNotGoneOnGoesOnOnceLater) {
    for (const VoteForm form : {VoteForm::list, VoteForm::joined}) {
        const Seats seats{9, QuorumMode::byzantine, 0, 0, 1, limits::checkpoint_blocks, 0, form};
        VoteCollector collector{seats.roster, {4, patience, Duration::from_ms(500)}};
        collector.add(seats.vote(4, notarizing(1)), 4, at_ms(10));
        EXPECT_EQ(collector.due(at_ms(12), *seats.signers[4]).size(), 1U);
        collector.add(seats.vote(2, notarizing(1)), 2, at_ms(13));
        collector.settle(View{1}, VoteKind::notarize, at_ms(14));
        EXPECT_TRUE(collector.due(at_ms(15), *seats.signers[4]).empty())
            << "there is a certificate";
        EXPECT_EQ(collector.views_held(), 0U);

        EXPECT_FALSE(collector.lacks_late(notarizing(1), 2)) << "it came in time";
        EXPECT_FALSE(collector.lacks_late(notarizing(1, "b"), 2)) << "one vote of each";
        ASSERT_TRUE(collector.lacks_late(notarizing(1), 7));
        collector.add_late(seats.vote(7, notarizing(1)), 7, at_ms(400));
        EXPECT_FALSE(collector.lacks_late(notarizing(1), 7));
        EXPECT_TRUE(collector.due_late(at_ms(513), *seats.signers[4]).empty());
        EXPECT_EQ(collector.next_due(), at_ms(514));
        EXPECT_EQ(
            collector.due_late(at_ms(514), *seats.signers[4]),
            std::vector{seats.partial(notarizing(1), {2, 7})}
        ) << "without whom the roots know";
        EXPECT_EQ(collector.late_views_held(), 0U);
        EXPECT_EQ(collector.next_due(), Instant::max());
        EXPECT_FALSE(collector.lacks_late(notarizing(1), 8)) << "later than late";
    }
}

// [ORD-V1.8]
TEST(VoteCollector, NothingGoesOnLateWhereAllCameInTimeOrNobodyAsks) {
    const Seats seats{9};
    VoteCollector collector{seats.roster, {2, patience, Duration::from_ms(500)}};
    for (const Index by : {3U, 5U})
        collector.add(seats.vote(by, notarizing(1)), by, at_ms(10));
    EXPECT_EQ(collector.due(at_ms(10), *seats.signers[3]).size(), 1U);
    collector.add(seats.vote(3, Seats::nullify(1)), 3, at_ms(11));
    collector.forget_through(View{1}, at_ms(20));
    EXPECT_EQ(collector.late_views_held(), 1U);
    EXPECT_TRUE(collector.due_late(at_ms(520), *seats.signers[3]).empty());
    EXPECT_EQ(collector.late_views_held(), 0U);

    VoteCollector hasty{seats.roster, {3, patience, {}}};
    hasty.add(seats.vote(3, notarizing(2)), 3, at_ms(0));
    hasty.settle(View{2}, VoteKind::notarize, at_ms(1));
    EXPECT_EQ(hasty.late_views_held(), 0U);
    EXPECT_FALSE(hasty.lacks_late(notarizing(2), 4));
}

// [ORD-V1.8] A vote ahead of its time does not use up the time of the others.
TEST(VoteCollector, LateBeginsWithTheCertificate) {
    const Seats seats{9};
    VoteCollector collector{seats.roster, {3, patience, Duration::from_ms(500)}};
    collector.add(seats.vote(3, notarizing(9)), 3, at_ms(0));
    collector.settle(View{9}, VoteKind::notarize, at_ms(3'000));
    EXPECT_TRUE(collector.due_late(at_ms(3'400), *seats.signers[3]).empty());
    ASSERT_TRUE(collector.lacks_late(notarizing(9), 4));
    collector.add_late(seats.vote(4, notarizing(9)), 4, at_ms(3'400));
    EXPECT_EQ(
        collector.due_late(at_ms(3'500), *seats.signers[3]),
        std::vector{seats.partial(notarizing(9), {3, 4})}
    );
}

// [ORD-V1.1]
TEST(VoteCollector, KnowsWhetherManyOfTheGroupAreMissing) {
    const Seats seats{30};
    VoteCollector collector{seats.roster, {10, patience, {}}};
    const auto views = [&](std::uint64_t from, std::uint64_t to, std::uint32_t voters) {
        for (std::uint64_t view = from; view <= to; ++view) {
            for (std::uint32_t member = 1; member < voters; ++member) {
                collector.saw(notarizing(view), member);
                collector.saw(notarizing(view), member);  // Twice is once.
            }
            collector.forget_through(View{view}, at_ms(0));
        }
    };
    EXPECT_FALSE(collector.misses_many());
    views(1, 20, 10);
    EXPECT_FALSE(collector.misses_many());
    views(21, 40, 9);
    EXPECT_FALSE(collector.misses_many()) << "one of ten";
    views(41, 60, 7);
    EXPECT_TRUE(collector.misses_many());
    views(61, 90, 10);
    EXPECT_FALSE(collector.misses_many());
}

}  // namespace
}  // namespace creto::simplex
