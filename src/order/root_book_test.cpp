// What a root sees of the votes in its views, and what it says of it.
#include "order/root_book.hpp"

#include <gtest/gtest.h>

#include "base/prng.hpp"
#include "order/testing/seats.hpp"

namespace creto::simplex::testing {
namespace {

constexpr Index n = 10;
constexpr Index self = 3;

class RootBookOfTen : public ::testing::Test {
protected:
    RootBookOfTen() { book.enter(seats.roster, Seats::seat(self)); }

    static Instant at(std::int64_t ms) { return Instant::from_ns(ms * 1'000'000); }
    Block block(std::uint64_t view) const {
        Block made;
        made.epoch = Epoch{1};
        made.view = View{view};
        made.parent_view = View{view - 1};
        made.height = Height{view};
        return made;
    }
    void vote(
        Index by, std::uint64_t view, std::int64_t at_ms, VoteKind kind = VoteKind::finalize
    ) {
        book.note(block(view).content(kind), by, at(at_ms));
    }
    void is_final(std::uint64_t view) { book.on_final(block(view), block(view).id()); }
    /// All vote in this view but these, and it is final; a second is over when this returns.
    void view_without(std::uint64_t view, const std::vector<Index>& absent) {
        clock += 1'000;
        for (Index by = 0; by < n; ++by)
            if (std::find(absent.begin(), absent.end(), by) == absent.end()) vote(by, view, clock);
        is_final(view);
        clock += 1'000;
        book.look(at(clock));
    }
    /// Views that the seat looks at: 3, 4, 13, 14, 23, …
    static std::uint64_t covered(std::uint64_t k) { return 10 * (k / 2) + 3 + k % 2; }
    void views_without(std::uint64_t count, const std::vector<Index>& absent) {
        for (std::uint64_t i = 0; i < count; ++i)
            view_without(covered(next++), absent);
    }
    std::optional<Turnout> report() { return book.report(at(clock)); }
    static std::vector<Seat> seats_of(const std::vector<Index>& members) {
        std::vector<Seat> out;
        for (const Index member : members)
            out.push_back(Seats::seat(member));
        return out;
    }

    Seats seats{n};
    RootBook book{{Duration::from_ms(1'000), Duration::from_ms(1'000)}};
    std::int64_t clock = 0;
    std::uint64_t next = 0;
};

// [STAND-REPORT.2]
TEST_F(RootBookOfTen, LooksAtTheViewsThatItLeadsOrLeadsAfter) {
    std::vector<std::uint64_t> views;
    for (std::uint64_t view = 0; view <= 25; ++view)
        if (book.covers(View{view})) views.push_back(view);
    EXPECT_EQ(views, (std::vector<std::uint64_t>{3, 4, 13, 14, 23, 24}));
    vote(1, 5, 0);
    EXPECT_EQ(book.held(), 0U);
    book.enter(seats.roster, std::nullopt);
    EXPECT_FALSE(book.covers(View{3})) << "without a seat, and where votes are direct";

    const Seats in_terms{n, QuorumMode::byzantine, 0, 0, 16};
    RootBook other{{Duration::from_ms(1), Duration::from_ms(1)}};
    other.enter(in_terms.roster, Seats::seat(self));
    views.clear();
    for (std::uint64_t view = 1; view <= 160; ++view)
        if (other.covers(View{view})) views.push_back(view);
    EXPECT_EQ(views, (std::vector<std::uint64_t>{33, 41, 49, 57}));
}

// [STAND-REPORT.2]
TEST_F(RootBookOfTen, NamesWhoMissesOftenAndWhoIsAbsent) {
    views_without(7, {5});
    EXPECT_FALSE(report().has_value()) << "too early to say";
    views_without(1, {5});
    const auto first = report();
    ASSERT_TRUE(first.has_value());
    EXPECT_EQ(*first, (Turnout{Height{covered(7)}, seats_of({5}), seats_of({5})}));
    EXPECT_FALSE(report().has_value()) << "once";

    views_without(4, {});
    const auto second = report();
    ASSERT_TRUE(second.has_value());
    EXPECT_EQ(*second->often, seats_of({5})) << "eight of twelve";
    EXPECT_TRUE(second->absent.empty()) << "and it is there again";
    views_without(10, {});
    EXPECT_EQ(*report()->often, seats_of({5})) << "two of sixteen: an eighth";
    views_without(1, {});
    EXPECT_TRUE(report()->often->empty());
    views_without(3, {6});
    EXPECT_TRUE(report()->often->empty()) << "three of sixteen: less than a quarter";
    views_without(1, {6});
    EXPECT_EQ(*report()->often, seats_of({6}));
}

// [STAND-REPORT.2] A random voter's nullify is no vote for the block, in its own view or as it comes.
TEST_F(RootBookOfTen, WhoVotesAtRandomIsNamedAfterSixteenLooks) {
    constexpr int draws = 400;
    int named = 0;
    for (int draw = 0; draw < draws; ++draw) {
        Prng random{static_cast<std::uint64_t>(draw)};
        book = RootBook{{Duration::from_ms(1'000), Duration::from_ms(1'000)}};
        book.enter(seats.roster, Seats::seat(self));
        next = 0;
        for (std::uint32_t look = 0; look < RootBook::views_window; ++look) {
            const bool rejects = random.chance(1, 2);
            if (rejects) book.note(Seats::nullify(covered(next)), 8, at(clock));
            views_without(1, rejects ? std::vector<Index>{8} : std::vector<Index>{});
        }
        const auto said = report();
        ASSERT_TRUE(said.has_value());
        if (*said->often == seats_of({8})) ++named;
    }
    EXPECT_GE(named, draws * 97 / 100) << "at least four of sixteen: 98.9 % of the draws";
}

// [STAND-REPORT.2]
TEST_F(RootBookOfTen, TheLateCountAndWhatIsForAnotherBlockDoesNot) {
    for (std::uint64_t i = 0; i < 8; ++i) {
        const std::uint64_t view = covered(i);
        clock += 2'000;
        for (Index by = 0; by < 7; ++by)
            vote(by, view, clock, VoteKind::notarize);
        is_final(view);
        vote(7, view, clock + 900);
        book.note(
            Seats::content(VoteKind::notarize, view, 0, block_id("another")), 8, at(clock + 1)
        );
        vote(8, view, clock + 2);
        book.look(at(clock + 1'000));
        vote(9, view, clock + 1'001);
        EXPECT_EQ(book.held(), 0U) << "what comes later opens nothing again";
    }
    clock += 2'000;
    EXPECT_EQ(*report()->often, seats_of({8, 9}));
}

// [STAND-REPORT.2] Honest votes are heard a second long, whenever liars begin.
TEST_F(RootBookOfTen, LiarsNeitherShortenNorProlongTheWait) {
    for (std::uint64_t i = 0; i < 8; ++i) {
        const std::uint64_t view = covered(i);
        for (Index liar = 0; liar < 3; ++liar)  // Long before there is such a view.
            book.note(
                Seats::content(VoteKind::notarize, view, 0, block_id("none")), liar, at(clock)
            );
        clock += 5'000;
        for (Index by = 4; by < n; ++by)
            vote(by, view, clock + (by == 9 ? 900 : 0));
        book.look(at(clock));
        is_final(view);
        book.look(at(clock + 999));
        EXPECT_EQ(book.held(), 1U);
        book.look(at(clock + 1'000));
        EXPECT_EQ(book.held(), 0U);
        clock += 1'000;
    }
    EXPECT_EQ(*report()->often, seats_of({0, 1, 2})) << "and nobody else";
}

// [STAND-REPORT.2]
TEST_F(RootBookOfTen, WhoWasNotListeningSaysNothing) {
    views_without(8, {0, 1, 2, 4});
    EXPECT_FALSE(report().has_value()) << "six of ten are no quorum";
    views_without(8, {0, 1, 2});
    EXPECT_EQ(*report()->often, seats_of({0, 1, 2}));
}

// [STAND-REPORT.2]
TEST_F(RootBookOfTen, NamesNoMoreThanMayFailTheWorstFirst) {
    for (std::uint64_t i = 0; i < 16; ++i) {
        std::vector<Index> absent{5, 6};
        if (i % 4 == 0) absent = {0, 5};
        if (i % 4 == 1) absent = {1, 5, 6};
        views_without(1, absent);
    }
    const auto said = report();
    EXPECT_EQ(*said->often, seats_of({0, 5, 6})) << "of those that miss a quarter the first";
}

// [STAND-REPORT.2] Loss that all suffer names nobody.
TEST_F(RootBookOfTen, ABadNetworkIsNobodysFault) {
    for (std::uint64_t i = 0; i < 64; ++i) {
        const auto from = static_cast<Index>(i % 3);
        std::vector<Index> absent;
        for (Index by = from; by < n; by += 3)
            if (by != self && absent.size() < 3) absent.push_back(by);
        views_without(1, absent);
        if (i < 15) continue;
        EXPECT_TRUE(report()->often->empty()) << i;
    }
}

// [STAND-REPORT.2]
TEST_F(RootBookOfTen, WhatWasSeenOutlivesTheEpochAndWhatIsOpenDoesNot) {
    views_without(8, {5});
    for (Index by = 0; by < n; ++by)
        vote(by, covered(8), clock);
    is_final(covered(8));
    EXPECT_EQ(book.held(), 1U);
    const Seats longer{n, QuorumMode::byzantine, 0, 0, 1, limits::checkpoint_blocks, 64};
    const Roster later = longer.roster.in_epoch(Epoch{2});
    book.enter(later, Seats::seat(self));
    EXPECT_EQ(book.held(), 0U);
    clock += 1'000;
    EXPECT_EQ(*report()->often, seats_of({5}));
}

// [STAND-REPORT.2]
TEST_F(RootBookOfTen, HoldsFewViewsAndForgetsTheOldest) {
    for (std::uint64_t i = 0; i <= RootBook::open_max; ++i)
        vote(1, covered(i), 0);
    EXPECT_EQ(book.held(), RootBook::open_max);
    vote(2, covered(0), 0);
    EXPECT_EQ(book.held(), RootBook::open_max) << "what is gone stays gone";
}

// [STAND-REPORT.2]
TEST_F(RootBookOfTen, KnowsWhatAPartOfACertificateAdds) {
    const VoteContent content = block(3).content(VoteKind::notarize);
    const PartialCertificate both = seats.partial(content, {1, 2});
    EXPECT_TRUE(book.lacks(both));
    book.note(both, at(0));
    EXPECT_FALSE(book.lacks(both));
    EXPECT_FALSE(book.lacks(seats.partial(content, {2, self}))) << "its own it knows";
    EXPECT_TRUE(book.lacks(seats.partial(content, {2, 4})));
    EXPECT_FALSE(book.lacks(seats.partial(block(5).content(VoteKind::notarize), {2, 4})))
        << "a view of others";
    EXPECT_FALSE(book.lacks(seats.partial(Seats::nullify(3), {2, 4})));
    is_final(3);
    EXPECT_TRUE(book.lacks(seats.partial(content, {2, 4}))) << "late";
    is_final(4);
    EXPECT_FALSE(book.lacks(seats.partial(block(4).content(VoteKind::notarize), {2, 4})))
        << "nobody voted before it was final: nothing is open";
}

}  // namespace
}  // namespace creto::simplex::testing
