#include "sim/accountability.hpp"

#include <gtest/gtest.h>

#include "sim/testing/numbers.hpp"

namespace creto {
namespace {

using sim_testing::first;
using sim_testing::second;

Vote vote(VoteKind kind, std::uint64_t view, std::uint8_t block) {
    std::array<std::uint8_t, 32> id{};
    id[0] = block;
    VoteContent content{kind, Epoch{1}, View{view}, View{}, BlockId{Digest{id}}};
    if (kind != VoteKind::nullify) content.parent_view = View{view - 1};
    return {content, Seat{3}, {}};
}
std::function<EpochView()> at_view(std::uint64_t view) {
    return [view] { return EpochView{Epoch{1}, View{view}}; };
}

TEST(Accountability, DemandsAProofOfWhatOneNodeHeardInItsView) {
    Accountability book;
    book.on_heard(first, 1, vote(VoteKind::notarize, 7, 1), at_view(7));
    book.on_heard(first, 1, vote(VoteKind::notarize, 7, 1), at_view(7));
    EXPECT_TRUE(book.seen().empty()) << "said again";
    book.on_heard(first, 1, vote(VoteKind::notarize, 7, 2), at_view(7));
    ASSERT_EQ(book.seen().size(), 1U);
    EXPECT_EQ(book.seen()[0].witness, first);
    EXPECT_EQ(book.seen()[0].liar, Seat{3});
    EXPECT_EQ(book.two_faced(), std::set<Seat>{Seat{3}});
}

TEST(Accountability, DemandsNothingWhereVotesNoLongerCount) {
    Accountability book;
    book.on_heard(first, 1, vote(VoteKind::notarize, 7, 1), at_view(7));
    book.on_heard(first, 1, vote(VoteKind::notarize, 7, 2), at_view(8));
    EXPECT_TRUE(book.seen().empty()) << "the view is over";
    book.on_heard(first, 1, vote(VoteKind::notarize, 90, 1), at_view(7));
    book.on_heard(first, 1, vote(VoteKind::notarize, 90, 2), at_view(7));
    EXPECT_TRUE(book.seen().empty()) << "far ahead";
    book.on_heard(first, 1, vote(VoteKind::nullify, 9, 0), at_view(9));
    book.on_heard(first, 2, vote(VoteKind::finalize, 9, 1), at_view(9));
    EXPECT_TRUE(book.seen().empty()) << "restarted between";
    book.on_heard(first, 2, vote(VoteKind::nullify, 9, 0), at_view(9));
    EXPECT_EQ(book.seen().size(), 1U);
}

TEST(Accountability, TakesABurialForNoVote) {
    Accountability book;
    for (const std::uint8_t block : {1, 2})
        book.on_heard(first, 1, vote(VoteKind::bury, 7, block), at_view(7));
    EXPECT_TRUE(book.seen().empty());
    EXPECT_TRUE(book.two_faced().empty());
}

TEST(Accountability, CountsStoriesToldToTwoNodesOneEach) {
    Accountability book;
    book.on_heard(first, 1, vote(VoteKind::notarize, 7, 1), at_view(7));
    book.on_heard(second, 1, vote(VoteKind::notarize, 7, 2), at_view(7));
    EXPECT_TRUE(book.seen().empty());
    EXPECT_EQ(book.two_faced().size(), 1U);
}

}  // namespace
}  // namespace creto
