#include "order/pacemaker.hpp"

#include <gtest/gtest.h>

#include "order/heard.hpp"

namespace creto::simplex {
namespace {

using Entered = Pacemaker::Entered;

constexpr Duration ms(std::int64_t n) {
    return Duration::from_ms(n);
}
constexpr Instant at(std::int64_t n) {
    return Instant{} + ms(n);
}

Pacemaker::Options usual() {
    return {ms(100), ms(1'000), ms(2'000), ms(0)};
}

Pacemaker::Options through_groups(std::uint32_t leaders, std::uint32_t liars) {
    Pacemaker::Options options = usual();
    options.leaders = leaders;
    options.liars = liars;
    options.through_groups = true;
    return options;
}

// [ORD-L15.1]
TEST(Pacemaker, RunsNoTimerWithoutWork) {
    Pacemaker pace{usual()};
    pace.enter(Entered::by_progress, at(50));
    EXPECT_EQ(pace.leader_deadline(), Instant::max());
    EXPECT_EQ(pace.view_deadline(), Instant::max());
    EXPECT_EQ(pace.heartbeat_at(), at(2'050));
    pace.work(at(60));
    pace.work(at(90));  // The first counts.
    EXPECT_EQ(pace.leader_deadline(), at(260));
    EXPECT_EQ(pace.view_deadline(), at(360));
    pace.enter(Entered::by_progress, at(70));
    EXPECT_FALSE(pace.working());
}

// [ORD-E4.1]
TEST(Pacemaker, DoublesFromTheSecondTimeoutInARowUpToItsCap) {
    Pacemaker pace{usual()};
    std::vector<std::int64_t> deltas;
    for (int i = 0; i < 7; ++i) {
        pace.enter(Entered::by_timeout, at(i));
        deltas.push_back(pace.delta().ms());
    }
    EXPECT_EQ(deltas, (std::vector<std::int64_t>{100, 200, 400, 800, 1'000, 1'000, 1'000}));
    pace.finalized();
    EXPECT_EQ(pace.delta(), ms(100));
}

// [ORD-V1.10]
TEST(Pacemaker, AShortTurnIsTwiceWhatViewsTakeOnceThatIsKnown) {
    Pacemaker::Options options = through_groups(100, 33);
    options.view_interval = ms(25);
    const auto pace_after = [&](std::uint32_t turn, std::uint32_t views, std::uint32_t timeouts) {
        Pacemaker pace{options};
        for (std::uint32_t i = 0; i < views; ++i) {
            pace.enter(Entered::by_progress, at(i));
            pace.work(at(i));
            pace.notarized(at(i + (i % 4 == 0 ? 900 : 30)));  // A quarter as slow as they like.
        }
        pace.enter(Entered::by_progress, at(1'000), turn);
        for (std::uint32_t i = 0; i < timeouts; ++i)
            pace.enter(Entered::by_timeout, at(1'000), turn);
        pace.work(at(1'000));
        return pace;
    };
    const auto deadline_after = [&](std::uint32_t turn, std::uint32_t views, std::uint32_t timeouts
                                ) {
        return (pace_after(turn, views, timeouts).view_deadline() - at(1'000)).ms();
    };
    EXPECT_EQ(deadline_after(0, 200, 0), 3 * 100 + 25);
    EXPECT_EQ(deadline_after(1, 23, 0), 3 * 100 + 25);
    EXPECT_EQ(pace_after(1, 23, 0).turn(), 0U);
    EXPECT_EQ(deadline_after(1, 24, 0), 2 * 30);
    EXPECT_EQ(pace_after(1, 24, 0).turn(), 1U);
    EXPECT_EQ(pace_after(1, 24, 0).leader_deadline(), at(1'030));
    EXPECT_EQ(deadline_after(2, 24, 0), 2 * 60);
    EXPECT_EQ(deadline_after(16, 24, 0), 3 * 100 + 25) << "no longer than a whole one";
    EXPECT_EQ(deadline_after(1, 200, 0), 2 * 30);
    EXPECT_EQ(deadline_after(1, 200, 9), 2 * 30) << "liars that follow each other";
    EXPECT_EQ(deadline_after(1, 200, 10), 3 * 100 + 25) << "as if nothing was known";
    EXPECT_EQ(deadline_after(1, 200, 12), 3 * 400 + 25) << "and doubled from then on";
    EXPECT_EQ(deadline_after(0, 200, 9), 3 * 100 + 25) << "whole, and not doubled";
    EXPECT_EQ(deadline_after(0, 200, 12), 3 * 400 + 25);
    EXPECT_EQ(deadline_after(0, 23, 3), 3 * 400 + 25);
    options.through_groups = false;
    EXPECT_EQ(deadline_after(1, 200, 0), 3 * 100 + 25) << "up to 128 seats";
    EXPECT_EQ(deadline_after(0, 200, 3), 3 * 400 + 25);
}

// 150 nodes on wide links finalised nothing for 50 views, since all had given each of them up. [ORD-E4.1]
TEST(Pacemaker, ThroughGroupsTheFirstViewsOfALongRoundAreAFloor) {
    Pacemaker pace{through_groups(150, 49)};
    const auto view_of = [&](std::int64_t took) {
        pace.enter(Entered::by_progress, at(0));
        pace.work(at(0));
        pace.notarized(at(took));
        return pace.delta().ms();
    };
    EXPECT_EQ(view_of(420), 280);
    EXPECT_EQ(view_of(420), 280);
    EXPECT_EQ(view_of(420), 280);
    EXPECT_EQ(view_of(900), 280) << "one of four may be a liar";
    for (int i = 0; i < 200; ++i)
        view_of(30);
    EXPECT_EQ(pace.delta(), ms(100)) << "the slow ones are forgotten";
}

// [ORD-V1.10]
TEST(Pacemaker, SaysWhoseTurnAShortOneWouldNotHaveDoneFor) {
    Pacemaker pace{through_groups(100, 33)};
    const auto view_of = [&](std::int64_t took) {
        pace.enter(Entered::by_progress, at(0), 1);
        pace.work(at(0));
        return pace.notarized(at(took));
    };
    for (int i = 0; i < 30; ++i)
        EXPECT_TRUE(view_of(30));
    EXPECT_TRUE(view_of(40));
    EXPECT_FALSE(view_of(41));
    EXPECT_FALSE(view_of(500));
}

// [ORD-V1.10]
TEST(SeatsHeard, WhoeverLosesItsTurnsHasLongerOnesNowAndThenAsFarAsViewsPayForThem) {
    SeatsHeard heard{Quorum::of(QuorumMode::byzantine, 10), 0, 10, true};
    std::vector<std::uint32_t> turns;
    for (std::uint32_t i = 0; i < 32; ++i) {
        for (int others = 0; others < 64; ++others)
            EXPECT_EQ(heard.next_turn(4), 1U);
        turns.push_back(heard.next_turn(3));
        heard.lost_turn(3, turns.back());
    }
    EXPECT_EQ(turns, (std::vector<std::uint32_t>{1, 2, 1, 4, 1, 1, 1, 8, 1, 1, 1, 1, 1, 1, 1, 16,
                                                 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 16}));
    // Ten who lost one each: every eighth view has a longer turn, and no more.
    SeatsHeard many{Quorum::of(QuorumMode::byzantine, 100), 0, 10, true};
    for (std::uint32_t member = 1; member < 80; ++member)
        many.lost_turn(member, 1);
    std::size_t longer = 0;
    for (std::uint32_t member = 1; member < 80; ++member)
        longer += many.next_turn(member) > 1 ? 1 : 0;
    EXPECT_EQ(longer, 9U);
    SeatsHeard direct{Quorum::of(QuorumMode::byzantine, 10), 0, 10};
    EXPECT_EQ(direct.next_turn(3), 0U) << "up to 128 seats";
}

// [ORD-V1.10]
TEST(SeatsHeard, WhoeverNeedsAWholeTurnKeepsItForTheNextEight) {
    SeatsHeard heard{Quorum::of(QuorumMode::byzantine, 10), 0, 10, true};
    heard.lost_turn(3, 1);
    EXPECT_FALSE(heard.silent(3, View{100})) << "it had a short turn, and may be slow";
    heard.kept_turn(3, false);
    for (int i = 0; i < 8; ++i) {
        EXPECT_EQ(heard.next_turn(3), 0U) << i;
        heard.kept_turn(3, true);
    }
    EXPECT_EQ(heard.next_turn(3), 1U);
    heard.lost_turn(3, 8);
    EXPECT_TRUE(heard.silent(3, View{100}));
}

TEST(Pacemaker, ProgressBetweenTimeoutsKeepsPatienceAsItIs) {
    Pacemaker pace{usual()};
    for (int i = 0; i < 10; ++i) {
        pace.enter(Entered::by_timeout, at(i));
        pace.enter(Entered::by_progress, at(i));
    }
    EXPECT_EQ(pace.delta(), ms(100)) << "one dead leader in four costs no more than its turn";
    for (int i = 0; i < 10; ++i)
        pace.enter(Entered::by_skip, at(i));
    EXPECT_EQ(pace.delta(), ms(100)) << "skipping is no sign of a slow network";
}

// [ORD-T5.2] Found by a life (tests/corpus/sim/terms-on-a-slow-network.json): each term notarized its first
// view, which somebody had given up, and so nothing was ever final.
TEST(Pacemaker, InTermsOnlyFinalityEndsARowOfTimeouts) {
    Pacemaker::Options options = usual();
    options.in_terms = true;
    Pacemaker pace{options};
    for (int i = 0; i < 3; ++i) {
        pace.enter(Entered::by_progress, at(i));
        pace.enter(Entered::by_timeout, at(i));
    }
    EXPECT_EQ(pace.delta(), ms(400)) << "the second and the third";
    pace.finalized();
    EXPECT_EQ(pace.delta(), ms(100));
}

TEST(Pacemaker, ASlowNotarizationSetsAFloorUntilAFastOne) {
    Pacemaker pace{usual()};
    pace.enter(Entered::by_progress, at(0));
    pace.work(at(0));
    pace.notarized(at(600));
    pace.finalized();
    EXPECT_EQ(pace.delta(), ms(400)) << "three deltas are longer than what it took";
    pace.enter(Entered::by_progress, at(600));
    pace.notarized(at(610));
    EXPECT_EQ(pace.delta(), ms(400)) << "without work nothing was measured";
    pace.work(at(610));
    pace.notarized(at(620));
    EXPECT_EQ(pace.delta(), ms(100));
    pace.enter(Entered::by_progress, at(0));
    pace.work(at(0));
    pace.notarized(at(60'000));
    EXPECT_EQ(pace.delta(), ms(1'000)) << "not above the cap";
    pace.quorum_back();
    EXPECT_EQ(pace.delta(), ms(100));
}

// [ORD-E4.1]
TEST(Pacemaker, TheFloorIsTheSlowestViewOfARoundWithoutLiars) {
    Pacemaker::Options options = usual();
    options.leaders = 4;
    options.liars = 1;
    Pacemaker pace{options};
    std::int64_t now = 0;
    const auto view_of = [&](std::int64_t took) {
        pace.enter(Entered::by_progress, at(now));
        pace.work(at(now));
        pace.notarized(at(now += took));
        pace.finalized();
        return pace.delta();
    };
    EXPECT_EQ(view_of(900), ms(100)) << "one slow leader of four may be a liar";
    EXPECT_EQ(view_of(600), ms(400));
    EXPECT_EQ(view_of(10), ms(400)) << "a fast leader says nothing of the others";
    EXPECT_EQ(view_of(20), ms(400));
    EXPECT_EQ(view_of(30), ms(100));
    for (int round = 0; round < 20; ++round)
        for (const std::int64_t took :
             {3 * pace.delta().ms() - 1, std::int64_t{150}, std::int64_t{150}, std::int64_t{150}})
            EXPECT_EQ(view_of(took), ms(100))
                << "a leader that uses all patience gets no more of it";
}

// [ORD-E4.1] Found by the simulator (swarm seed 928): with retransmissions longer than the window
// in which a seat counts as heard, quorums came back without end and no view lasted long enough.
TEST(Pacemaker, StartsOverOnceForAQuorumThatComesAndGoes) {
    Pacemaker pace{usual()};
    for (int view = 0; view < 3; ++view)
        pace.enter(Entered::by_timeout, at(view * 1'000));
    ASSERT_GT(pace.delta(), ms(100));
    pace.quorum_back();
    EXPECT_EQ(pace.delta(), ms(100));
    for (int view = 0; view < 10; ++view) {
        pace.enter(Entered::by_timeout, at(view * 1'000));
        pace.quorum_back();
    }
    EXPECT_EQ(pace.delta(), ms(1'000));
    pace.finalized();
    pace.enter(Entered::by_timeout, at(20'000));
    pace.enter(Entered::by_timeout, at(21'000));
    pace.quorum_back();
    EXPECT_EQ(pace.delta(), ms(100));
}

TEST(Pacemaker, AViewIntervalIsNoReasonToGiveUp) {
    Pacemaker::Options options = usual();
    options.view_interval = ms(50);
    Pacemaker pace{options};
    pace.work(at(0));
    EXPECT_EQ(pace.leader_deadline(), at(250));
}

// [ORD-E4.1]
TEST(SeatsHeard, SaysOnceThatAQuorumIsBack) {
    SeatsHeard heard{Quorum::of(QuorumMode::byzantine, 4), 0, 10};
    EXPECT_FALSE(heard.hear(1, View{1}, at(0), ms(1'000)));
    EXPECT_TRUE(heard.hear(2, View{1}, at(1), ms(1'000)));
    EXPECT_FALSE(heard.hear(2, View{1}, at(2), ms(1'000)));
    EXPECT_FALSE(heard.hear(3, View{1}, at(3), ms(1'000))) << "it was back already";
    EXPECT_FALSE(heard.hear(1, View{1}, at(5'000), ms(1'000)));
    EXPECT_TRUE(heard.hear(3, View{1}, at(5'001), ms(1'000)));
}

// [ORD-E2.2]
// [ORD-V1.5] Whoever is too slow for every certificate keeps its turn, as long as it takes it.
TEST(SeatsHeard, ThroughGroupsALeaderIsSilentWhenItsLastTurnWasGivenUp) {
    SeatsHeard heard{Quorum::of(QuorumMode::byzantine, 4), 0, 10, true};
    const auto at = [](std::int64_t s) { return Instant::from_ns(0) + Duration::from_s(s); };
    EXPECT_FALSE(heard.silent(3, View{1'000}));
    heard.lost_turn(3);
    heard.lost_turn(0);
    EXPECT_TRUE(heard.silent(3, View{1'000}));
    EXPECT_FALSE(heard.silent(0, View{1'000})) << "a node is not silent to itself";
    const auto all_but = [](std::uint32_t missing) {
        return [missing](std::uint32_t member) { return member != missing; };
    };
    EXPECT_TRUE(heard.hear_all(all_but(3), View{1'000}, at(1), Duration::from_s(1)));
    EXPECT_TRUE(heard.silent(3, View{1'000}));
    EXPECT_FALSE(heard.hear_all(all_but(2), View{1'001}, at(1), Duration::from_s(1)))
        << "the quorum was there already";
    EXPECT_FALSE(heard.silent(3, View{1'001}));
    heard.lost_turn(3);
    EXPECT_FALSE(heard.hear(3, View{1'002}, at(2), Duration::from_s(1)));
    EXPECT_FALSE(heard.silent(3, View{1'002})) << "its own link says as much";
}

TEST(SeatsHeard, ALeaderIsSilentOnlyWhileAQuorumIsNot) {
    SeatsHeard heard{Quorum::of(QuorumMode::byzantine, 4), 0, 10};
    for (const std::uint32_t member : {1U, 2U, 3U})
        heard.hear(member, View{100}, at(0), ms(1'000));
    EXPECT_FALSE(heard.silent(3, View{110}));
    EXPECT_FALSE(heard.silent(3, View{111})) << "nobody was heard: it is us who are cut off";
    heard.hear(1, View{111}, at(1), ms(1'000));
    heard.hear(2, View{111}, at(1), ms(1'000));
    EXPECT_TRUE(heard.silent(3, View{111}));
    EXPECT_FALSE(heard.silent(0, View{111})) << "never oneself";
    heard.hear(3, View{111}, at(1), ms(1'000));
    EXPECT_FALSE(heard.silent(3, View{111}));
}

}  // namespace
}  // namespace creto::simplex
