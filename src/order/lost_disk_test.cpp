// A seat that forgot what it said: it is no liar, and it may vote again.
#include <gtest/gtest.h>

#include "order/testing/script.hpp"

namespace creto::simplex::testing {
namespace {

/// Work, a disk lost at some moment of it, and work again; the cluster's oracle remembers every vote
/// of every life.
void lose_a_disk(std::uint64_t seed, bool noticed, std::uint32_t term_views = 1) {
    Cluster c{
        {.n = 4,
         .seed = seed,
         .ordering = {.ask_first = true},
         .loss_percent = seed % 3 * 5,
         .term_views = term_views}};
    c.start_all();
    c.run_for(Duration::from_ms(50));
    const auto work = [&c](int steps) {
        for (int k = 0; k < steps; ++k) {
            c.produce(static_cast<Index>(c.prng().below(3)));
            c.run_for(Duration::from_ms(static_cast<std::int64_t>(c.prng().below(20))));
        }
    };
    work(static_cast<int>(1 + seed % 20));
    const auto victim = static_cast<Index>(seed % 4);
    c.crash(victim);
    c.node(victim).disk.lose_everything(noticed);
    work(static_cast<int>(seed % 3));
    c.start(victim);
    work(40);
    c.options().loss_percent = 0;
    ASSERT_TRUE(c.run_until_ordered(Duration::from_s(10))) << "seed " << seed;
    for (Index i = 0; i < 4; ++i)
        ASSERT_FALSE(c.ordering(i).halted()) << "seed " << seed << ": " << *c.ordering(i).halted();
    // It votes again, and then one of the others may go. (Until then it counts as a fault itself.)
    const auto votes = [&c, victim] {
        return !c.words(victim, c.ordering(victim).view().prev().value()).empty();
    };
    ASSERT_TRUE(c.run_until(c.now() + Duration::from_s(30), votes)) << "seed " << seed;
    c.crash((victim + 1) % 4);
    c.produce((victim + 2) % 4);
    ASSERT_TRUE(c.run_until_ordered(Duration::from_s(10))) << "seed " << seed;
    // And what it says now it knows after the next restart.
    c.crash(victim);
    c.start(victim);
    c.produce(victim);
    ASSERT_TRUE(c.run_until_ordered(Duration::from_s(10))) << "seed " << seed;
}

// Failure 20: a node with a wiped database contradicted its earlier self and was taken for a liar.
// [ORD-R5.1] [ORD-R5.2] (Its lane: Producer::confirm().)
TEST(LostDisk, AWipedSeatNeverContradictsWhatItForgotAndVotesAgain) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        lose_a_disk(seed, seed % 2 == 0);
        if (::testing::Test::HasFailure()) return;
    }
}

// [ORD-R5.1] [ORD-T4.1] What it may have given up binds it to the end of the term.
TEST(LostDisk, AWipedSeatIsBoundByTheTermsInWhichItMayHaveVoted) {
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        lose_a_disk(seed, true, seed % 2 == 0 ? 8 : 2);
        if (::testing::Test::HasFailure()) return;
    }
}

/// A node whose log is gone, alone with a test that speaks for the other three.
struct Forgetful : Script {
    explicit Forgetful(std::uint32_t term_views = 1, Duration watch_for = {})
        : Script{
              3,
              {.ordering = {.ask_first = true, .watch_for = watch_for}, .term_views = term_views}} {
        for (Index i = 0; i < 3; ++i)
            tell(i, OrderStatus{Epoch{1}, View{1}, View{}, Height{}});
    }
    void lose(bool noticed) {
        cluster.crash(3);
        cluster.node(3).disk.lose_everything(noticed);
        cluster.start(3);
        cluster.connect_all(3);
        pass(Duration::from_ms(20));
    }
    void answer(Index from, std::uint64_t view) {
        tell(from, OrderStatus{Epoch{1}, View{view}, View{}, Height{}});
    }
};

// [ORD-R5.1]
TEST(LostDisk, ANoticedLossWaitsForAQuorumOfOthersAndTwoViews) {
    Forgetful s;
    s.tell(0, s.cluster.sign(s.block(s.genesis(), 1)));
    ASSERT_EQ(s.words(1), "N");
    s.lose(true);
    // The same leader, another block: the old self voted for the first one.
    Block other = s.block(s.genesis(), 1, 1);
    s.cluster.node(3).lanes.held[LaneId{Seat{3}, {}}] = Sequence{1};
    s.tell(0, s.cluster.sign(other));
    s.answer(0, 1);
    s.answer(1, 1);
    s.answer(2, 9);  // A claim without a certificate is no answer yet.
    s.pass(Duration::from_s(1));
    EXPECT_EQ(s.words(1), "N");
    s.answer(2, 1);
    for (std::uint64_t view = 1; view <= 2; ++view) {
        s.pass(Duration::from_s(1));
        s.tell(1, s.nullification(view));
        EXPECT_EQ(s.words(view), view == 1 ? "N" : "");
    }
    s.tell(2, s.cluster.sign(s.block(s.genesis(), 3)));
    EXPECT_EQ(s.words(3), "N");
    // The floor is in the new log: a restart does not forget it.
    s.restart();
    EXPECT_FALSE(s.ordering().halted());
    s.pass(Duration::from_s(1));
    EXPECT_EQ(s.words(1), "N");
    EXPECT_EQ(s.words(2), "");
}

// [ORD-R5.1] [ORD-T4.1] Those who vouch for view 1 may have signed what took the old self to view 9,
// and what it said there binds it up to view 16.
TEST(LostDisk, ANoticedLossWaitsForTheEndOfTheNextTerm) {
    Forgetful s{8};
    s.lose(true);
    for (Index i = 0; i < 3; ++i)
        s.answer(i, 1);
    for (const std::uint64_t view : {1U, 9U}) {
        s.tell(s.leader(view), s.cluster.sign(s.block(s.genesis(), view)));
        s.pass(Duration::from_s(1));
        EXPECT_EQ(s.words(view), "");
        s.tell(1, s.nullification(view));
    }
    ASSERT_EQ(s.ordering().view(), View{17});
    s.tell(s.leader(17), s.cluster.sign(s.block(s.genesis(), 17)));
    EXPECT_EQ(s.words(17), "N");
}

// [ORD-R5.2]
TEST(LostDisk, AnEmptyLogIsNewUntilSomebodyShowsAVoteWithOurKey) {
    Forgetful fresh;
    fresh.tell(0, fresh.cluster.sign(fresh.block(fresh.genesis(), 1)));
    EXPECT_EQ(fresh.words(1), "N");

    Forgetful s;
    const Block b1 = s.block(s.genesis(), 1);
    s.tell(0, s.cluster.sign(b1));
    s.lose(false);
    s.tell(1, s.cluster.seats().vote(3, b1.content(VoteKind::notarize)));
    s.answer(0, 1);
    s.answer(1, 1);
    s.cluster.produce(3);
    s.pass(Duration::from_s(1));  // Two answers would do for a new seat; it would give view 1 up.
    EXPECT_EQ(s.words(1), "N");
    EXPECT_FALSE(s.ordering().halted());
}

// [ORD-R5.3] A vote that its earlier self can have given tells nothing; one above stops it.
TEST(LostDisk, ALostSeatLooksOnAndStopsWhereAnotherProcessVotes) {
    for (const std::uint64_t view : {2U, 3U}) {
        Forgetful s{1, Duration::from_s(5)};
        s.lose(true);
        for (Index i = 0; i < 3; ++i)
            s.answer(i, 1);
        s.pass(Duration::from_s(1));
        s.tell(1, s.cluster.seats().vote(3, Seats::nullify(view)));
        for (std::uint64_t dead = 1; dead <= 2; ++dead) {
            s.tell(1, s.nullification(dead));
            s.pass(Duration::from_s(1));
        }
        s.tell(2, s.cluster.sign(s.block(s.genesis(), 3)));
        EXPECT_EQ(s.words(3), "") << "it looks on";
        EXPECT_EQ(s.ordering().halted().has_value(), view == 3);
        for (Index i = 0; i < 3; ++i)
            s.answer(i, 3);
        s.pass(Duration::from_s(4));
        s.tell(1, s.nullification(3));
        s.tell(1, s.nullification(4));
        s.tell(s.leader(5), s.cluster.sign(s.block(s.genesis(), 5)));
        EXPECT_EQ(s.words(5), view == 3 ? "" : "N");
    }
}

TEST(LostDisk, APeerHandsBackWhatItHoldsOfTheAskersVotes) {
    Script s{3};
    const Vote vote = s.cluster.seats().vote(1, Seats::nullify(1));
    s.tell(1, vote);
    s.said.clear();
    s.tell(1, OrderStatus{Epoch{1}, View{}, View{}, Height{}});
    EXPECT_EQ(s.times(vote), 1U);
    EXPECT_EQ(s.times(s.ordering().status()), 1U);
}

}  // namespace
}  // namespace creto::simplex::testing
