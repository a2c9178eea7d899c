// What a leader reports of the votes for a final block, and when it has nothing to say.
#include "order/turnout.hpp"

#include <gtest/gtest.h>

#include "model/limits.hpp"
#include "order/testing/seats.hpp"

namespace creto::simplex::testing {
namespace {

class TurnoutOfFour : public ::testing::Test {
protected:
    TurnoutOfFour() { book.enter(seats.roster); }

    Block block(std::uint64_t view) const {
        Block made;
        made.epoch = Epoch{1};
        made.view = View{view};
        made.parent_view = View{view - 1};
        made.height = Height{view};
        return made;
    }
    void vote(
        Index by, std::uint64_t view, std::int64_t at_ms, VoteKind kind = VoteKind::notarize
    ) {
        book.note(seats.agent(by), seats.seat(by), block(view).content(kind), at(at_ms));
    }
    void is_final(std::uint64_t view) { book.on_final(block(view), block(view).id()); }
    std::optional<Turnout> report(std::int64_t at_ms) {
        return book.report(seats.seat(0), at(at_ms));
    }
    static Instant at(std::int64_t ms) { return Instant::from_ns(ms * 1'000'000); }

    Seats seats{4};
    TurnoutBook book{{Duration::from_ms(1'000), Duration::from_ms(1'000)}};
};

// [STAND-REPORT.1]
TEST_F(TurnoutOfFour, SaysWhoseVoteDidNotComeAndWaitsForTheSlow) {
    for (const Index by : {1U, 3U})
        vote(by, 1, 10);
    is_final(1);
    EXPECT_FALSE(report(500).has_value()) << "it may still come";
    EXPECT_EQ(report(1'010), (Turnout{Height{1}, {seats.seat(2)}}));
    EXPECT_FALSE(report(9'000).has_value()) << "once";

    for (const Index by : {1U, 2U})
        vote(by, 2, 10'000);
    is_final(2);
    vote(3, 2, 10'900, VoteKind::finalize);
    EXPECT_EQ(report(11'000), (Turnout{Height{2}, {}})) << "late, and a vote all the same";
}

// [STAND-REPORT.1]
TEST_F(TurnoutOfFour, OnlyASeatsOwnLinkSpeaksForIt) {
    for (const Index by : {1U, 2U})
        vote(by, 1, 0);
    book.note(seats.agent(1), seats.seat(3), block(1).content(VoteKind::notarize), at(0));
    book.note(seats.agent(3), seats.seat(3), Seats::nullify(1), at(0));
    is_final(1);
    EXPECT_EQ(report(2'000), (Turnout{Height{1}, {seats.seat(3)}}));
}

// [STAND-REPORT.1]
TEST_F(TurnoutOfFour, SeatsWithoutGapsAreFoundByTheirNumbers) {
    Genesis dense = seats.genesis;
    for (std::uint32_t i = 0; i < dense.members.size(); ++i)
        dense.members[i].seat = Seat{i};
    TurnoutBook of_dense{{Duration::from_ms(1'000), Duration::from_ms(1'000)}};
    of_dense.enter(Roster{dense});
    const VoteContent content = block(1).content(VoteKind::notarize);
    for (const Index by : {1U, 2U})
        of_dense.note(seats.agent(by), Seat{by}, content, at(0));
    of_dense.note(seats.agent(1), Seat{3}, content, at(0));
    of_dense.note(seats.agent(3), Seat{4}, content, at(0));
    of_dense.on_final(block(1), block(1).id());
    EXPECT_EQ(of_dense.report(Seat{0}, at(1'000)), (Turnout{Height{1}, {Seat{3}}}));
}

// [STAND-REPORT.1]
TEST_F(TurnoutOfFour, AVoteForAnotherBlockIsNoneForThisOne) {
    for (const Index by : {1U, 2U})
        vote(by, 1, 0);
    book.note(
        seats.agent(3),
        seats.seat(3),
        Seats::content(VoteKind::notarize, 1, 0, block_id("another")),
        at(0)
    );
    vote(3, 1, 1);
    is_final(1);
    EXPECT_EQ(report(2'000), (Turnout{Height{1}, {seats.seat(3)}})) << "the first word counts";
}

// [STAND-REPORT.1]
TEST_F(TurnoutOfFour, WhoWasNotListeningSaysNothing) {
    vote(1, 1, 0);
    is_final(1);
    EXPECT_FALSE(report(2'000).has_value()) << "with its own that is no quorum";
    is_final(2);
    EXPECT_FALSE(report(4'000).has_value());
    for (const Index by : {1U, 2U, 3U})
        vote(by, 3, 4'000);
    is_final(3);
    EXPECT_TRUE(report(5'000).has_value());
}

// [STAND-REPORT.1]
TEST_F(TurnoutOfFour, ReportsAreAsRareAsTheirWeightSays) {
    std::size_t reports = 0;
    for (std::uint64_t view = 1; view <= 5'000; ++view) {
        const auto now = static_cast<std::int64_t>(view) * 2;
        for (const Index by : {1U, 2U, 3U})
            vote(by, view, now);
        is_final(view);
        if (const auto said = report(now)) {
            ++reports;
            EXPECT_TRUE(said->absent.empty());
            EXPECT_GE(said->height.value() + 501, view) << "the newest that is old enough";
        }
    }
    EXPECT_EQ(reports, 9U) << "of ten seconds";
    EXPECT_LE(book.held(), 1'000U) << "a second of patience and one between reports";
}

TEST_F(TurnoutOfFour, ForgetsTheOldestWhenNobodyAsks) {
    for (std::uint64_t view = 1; view <= limits::turnout_views_max + 1; ++view)
        vote(1, view, 0);
    EXPECT_EQ(book.held(), limits::turnout_views_max);
    vote(1, 1, 0);
    EXPECT_EQ(book.held(), limits::turnout_views_max) << "what is gone stays gone";
    is_final(1);
    EXPECT_FALSE(report(5'000).has_value());
}

// [STAND-REPORT.1]
TEST_F(TurnoutOfFour, AnEpochThatIsOverIsStillReported) {
    for (const Index by : {1U, 2U})
        vote(by, 1, 0);
    is_final(1);
    const Seats later{4, QuorumMode::byzantine, 0, 0, 1, limits::checkpoint_blocks, 64};
    const Roster next = later.roster.in_epoch(Epoch{2});
    book.enter(next);
    vote(3, 1, 900);
    EXPECT_EQ(report(1'000), (Turnout{Height{1}, {}}));
}

}  // namespace
}  // namespace creto::simplex::testing
