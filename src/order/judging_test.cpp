// Judging: what is wrong is answered at once, what is missing is waited for. [ORD-N4.1]
//
// Both rules only cost time when they are broken, so that no test of agreement or progress sees it.
#include <gtest/gtest.h>

#include "order/testing/blocks.hpp"
#include "order/testing/cluster.hpp"
#include "order/testing/liars.hpp"

namespace creto::simplex::testing {
namespace {

constexpr Index judge = 3;
/// Far less than any patience.
constexpr Duration soon = Duration::from_ms(20);

class Judging : public ::testing::Test {
protected:
    Judging() {
        c.start(judge);
        c.connect_all(judge);
    }
    BranchTip genesis() const {
        BranchTip tip = genesis_tip();
        tip.id = genesis_block_id(c.roster().chain());
        return tip;
    }
    /// A block of its view's leader.
    Block block(const BranchTip& parent, std::uint64_t view) const {
        Block made = block_on(parent, view);
        made.proposer = leader_of(c.roster(), View{view});
        return made;
    }
    Certificate by_others(const VoteContent& content) const {
        return c.seats().certificate(content, 0, judge - 1);
    }
    void tell(Index from, const Message& message) {
        c.deliver(from, judge, message);
        c.settle(judge);
        c.run_for(soon);
    }

    Cluster c{{.n = 4}};
};

TEST_F(Judging, AWrongProposalIsAnsweredByNullifyAtOnce) {
    Block wrong = block(genesis(), 1);
    wrong.cut_root = blake3(as_bytes("another cut"));
    tell(0, c.sign(wrong));
    EXPECT_EQ(c.words(judge, 1), "X");
}

TEST_F(Judging, AProposalThatLacksACertificateIsWaitedFor) {
    const Block first = block(genesis(), 1);
    const Block third = block(tip_of(genesis(), first), 3);
    tell(1, by_others(Seats::nullify(2)));
    ASSERT_EQ(c.ordering(judge).view(), View{3});
    tell(2, c.sign(third));
    EXPECT_EQ(c.words(judge, 3), "") << "missing is no fault";
    tell(0, c.sign(first));
    EXPECT_EQ(c.words(judge, 3), "");
    tell(1, by_others(first.content(VoteKind::notarize)));
    EXPECT_EQ(c.words(judge, 3), "N");
}

// What the state says at the height that the block's mark names counts, not what is known here
// by now: every replica gives the same answer, whenever it is asked. [ORD-L6.1]
TEST_F(Judging, ALaneIsClosedForBlocksWhoseMarkHasSeenIt) {
    const LaneId lane{Seat{3}, {}};
    c.node(judge).lanes.held[lane] = Sequence{5};
    Block raises = block_on(genesis(), 1, 2);
    raises.proposer = leader_of(c.roster(), View{1});
    c.node(judge).lanes.closed[lane] = Height{1};
    tell(0, c.sign(raises));
    EXPECT_EQ(c.words(judge, 1), "N") << "its mark is of height 0";
    tell(1, by_others(raises.content(VoteKind::notarize)));
    Block again = block_on(tip_of(genesis(), raises), 2, 1);
    again.proposer = leader_of(c.roster(), View{2});
    c.node(judge).lanes.closed[lane] = Height{};
    tell(1, c.sign(again));
    EXPECT_EQ(c.words(judge, 2), "X");
}

// (rule N2) The leader told two stories, the second after we had voted for the first.
TEST_F(Judging, AViewOfALeaderWithTwoStoriesIsNotFinalised) {
    c.node(0).liar = std::make_unique<TwoFacedLeader>(c, 0);
    const Block first = block(genesis(), 1);
    Block second = block_on(genesis(), 1, 1);
    second.proposer = first.proposer;
    tell(0, c.sign(first));
    ASSERT_EQ(c.words(judge, 1), "N");
    tell(0, c.sign(second));
    EXPECT_EQ(c.node(judge).evidence.size(), 1U);
    tell(1, by_others(first.content(VoteKind::notarize)));
    EXPECT_EQ(c.ordering(judge).view(), View{2});
    EXPECT_EQ(c.words(judge, 1), "NX");
}

// (rule N2) The same before we had voted: the view is given up, whichever story would have held.
TEST_F(Judging, AViewOfALeaderWithTwoStoriesIsNotNotarized) {
    c.node(2).liar = std::make_unique<TwoFacedLeader>(c, 2);
    const Block first = block(genesis(), 1);
    const BranchTip parent = tip_of(genesis(), first);
    tell(1, by_others(Seats::nullify(2)));
    tell(2, c.sign(block(parent, 3)));
    ASSERT_EQ(c.words(judge, 3), "");
    Block second = block_on(parent, 3, 1);
    second.proposer = leader_of(c.roster(), View{3});
    tell(2, c.sign(second));
    EXPECT_EQ(c.words(judge, 3), "X");
}

// (rule L3) What the block covers must be here before it is voted for.
TEST_F(Judging, AProposalWhoseVerticesAreMissingIsWaitedFor) {
    Block covers = block_on(genesis(), 1, 1);
    covers.proposer = leader_of(c.roster(), View{1});
    tell(0, c.sign(covers));
    EXPECT_EQ(c.words(judge, 1), "");
    c.node(judge).lanes.held[covers.delta.front().lane] = Sequence{1};
    c.ordering(judge).on_data(c.now(), c.node(judge).effects);
    c.settle(judge);
    c.run_for(soon);
    EXPECT_EQ(c.words(judge, 1), "N");
}

// (rule R2) Another process uses our key, or our log was rolled back: nothing good can follow.
TEST_F(Judging, AnOwnVoteThatTheLogDoesNotKnowStopsTheNode) {
    const VoteContent never = Seats::content(VoteKind::notarize, 1, 0, block_id("never seen"));
    tell(0, c.seats().vote(judge, never));
    EXPECT_TRUE(c.ordering(judge).halted().has_value());
    EXPECT_EQ(c.words(judge, 1), "");
}

// (rule A1) A vote far ahead would be memory for nothing.
TEST_F(Judging, VotesBeyondTheWindowAreNotWorthACheck) {
    const auto worth = [&](std::uint64_t view) {
        return c.ordering(judge).worth_checking(c.seats().vote(0, Seats::nullify(view)));
    };
    EXPECT_TRUE(worth(1 + limits::view_window));
    EXPECT_FALSE(worth(2 + limits::view_window));
}

// [ORD-M2.1] A mark that is not what we executed is wrong; one that we did not reach is waited for.
TEST_F(Judging, AMarkAgreesOnlyWithWhatWasExecutedHere) {
    Block wrong = block(genesis(), 1);
    wrong.executed.state_root = blake3(as_bytes("another state"));
    tell(0, c.sign(wrong));
    EXPECT_EQ(c.words(judge, 1), "X");
}

TEST_F(Judging, AMarkThatWasNotReachedHereIsWaitedFor) {
    c.node(judge).stalls_execution = true;
    const Block first = block(genesis(), 1);
    tell(0, c.sign(first));
    tell(1, by_others(first.content(VoteKind::notarize)));
    tell(1, by_others(first.content(VoteKind::finalize)));
    ASSERT_EQ(c.ordering(judge).finalized_height(), Height{1});
    Hasher root{HashDomain::state_node};
    root.update(Digest{}).update(first.id().value());
    Block second = block(tip_of(genesis(), first), 2);
    second.executed = {Height{1}, root.finish(), first.id().value()};
    tell(1, c.sign(second));
    EXPECT_EQ(c.words(judge, 2), "");
    c.node(judge).stalls_execution = false;
    c.settle(judge);
    c.run_for(soon);
    EXPECT_EQ(c.words(judge, 2), "N");
}

// [ORD-L15.1] Without work nobody's patience ends, until the heartbeat.
TEST(Idle, NobodyGivesAViewUpBeforeTheHeartbeat) {
    Cluster c{{.n = 4}};
    c.start_all();
    c.run_for(c.options().ordering.heartbeat - Duration::from_ms(100));
    for (Index i = 0; i < 4; ++i) {
        EXPECT_EQ(c.ordering(i).view(), View{1});
        EXPECT_EQ(c.ordering(i).counters().nullify_votes, 0U);
    }
}

// [ORD-E2.2] Whoever leads and was not heard for some views costs no patience any more.
TEST(SilentLeader, IsNotWaitedForOnceItMissedItsViews) {
    Cluster c{{.n = 4, .ordering = {.skip_views = 2}}};
    for (const Index i : {0U, 2U, 3U})
        c.start(i);
    for (int k = 0; k < 60; ++k) {
        c.produce(0);
        c.run_for(Duration::from_ms(50));
    }
    const OrderingCounters& counters = c.ordering(0).counters();
    EXPECT_GE(counters.leaders_skipped, 5U);
    // Its first turns cost patience; three seconds are too short for that each time.
    EXPECT_GE(counters.views_nullified, 15U);
    EXPECT_GE(c.chain().size(), 30U);
}

// [ORD-E2.3] It talks, proposes and votes; but it was proven to lie, and most know it.
TEST(ExcludedLeader, IsNotWaitedForAndItsViewsBringNoBlock) {
    Cluster c{{.n = 4}};
    c.start_all();
    const auto work_for = [&c](Duration time) {
        for (Duration passed; passed < time; passed = passed + Duration::from_ms(50)) {
            c.produce(0);
            c.run_for(Duration::from_ms(50));
        }
    };
    work_for(Duration::from_s(1));
    std::size_t led = 0;
    c.seen = [&](Index, Index to, const Message& message) {
        const auto* certificate = std::get_if<Certificate>(&message);
        if (to != 0 || certificate == nullptr || certificate->content.kind != VoteKind::finalize)
            return;
        if ((certificate->content.view.value() - 1) % 4 == 1) ++led;
    };
    work_for(Duration::from_s(1));
    EXPECT_GT(led, 0U);
    const std::uint64_t gave_up = c.ordering(0).counters().views_nullified;
    const std::size_t blocks = c.chain().size();
    for (const Index i : {0U, 2U, 3U})
        c.node(i).lanes.excluded.insert(c.agent(1));
    c.run_for(Duration::from_ms(200));
    led = 0;
    work_for(Duration::from_s(2));
    EXPECT_EQ(led, 0U);
    EXPECT_GT(c.ordering(0).counters().views_nullified, gave_up + 5);
    EXPECT_GT(c.chain().size(), blocks + 20) << "its turns cost about what a view takes";
}

}  // namespace
}  // namespace creto::simplex::testing
