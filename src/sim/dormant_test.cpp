// Whole nodes whose seats are set aside when nobody sees them, and that come back.
#include <algorithm>
#include <gtest/gtest.h>
#include <set>

#include "sim/cluster.hpp"
#include "sim/node_participant.hpp"
#include "sim/testing/asking.hpp"

namespace creto {
namespace {

using sim_testing::add_final;
using sim_testing::ask;
using sim_testing::at;
using sim_testing::final_n;
using sim_testing::roster_at;

/// Seven seats; whoever was missed in eight reports of each of the others is dead.
SimOptions resting_network(std::uint64_t seed, QuorumMode mode = QuorumMode::byzantine) {
    SimOptions options;
    options.seed = seed;
    options.node_count = 7;
    options.mode = mode;
    options.epoch_blocks = 8;
    options.dead_after_reports = 56;
    options.configure = [](NodeIndex, NodeOptions& node) {
        node.heartbeat = Duration::from_ms(300);
    };
    return options;
}

std::size_t voting(const SimCluster& cluster, std::uint32_t node) {
    return cluster.node(at(node))->roster().size();
}
bool until_voting(SimCluster& cluster, std::uint32_t node, std::size_t seats) {
    return cluster.run_until([&] { return voting(cluster, node) == seats; }, Duration::from_s(180));
}

std::int64_t count_causally(SimCluster& cluster, std::uint32_t node) {
    const CrdtOperation add_one{.key = "causal/n", .amount = 1};
    const ReplyBody written = ask(cluster, at(node), Submit{add_one, Reading::causal});
    EXPECT_TRUE(std::holds_alternative<SubmitReply>(written)) << "node " << node;
    const ReplyBody read = ask(cluster, at(node), ReadKey{"causal/n"});
    const auto* found = std::get_if<KeyReply>(&read);
    return found == nullptr ? -1 : found->counter.value_or(0);
}
std::size_t excluded(const SimCluster& cluster, std::uint32_t node) {
    const auto& notices = cluster.notices(at(node));
    return static_cast<std::size_t>(std::count_if(notices.begin(), notices.end(), [](auto& one) {
        return std::holds_alternative<Excluded>(*one.notice);
    }));
}
template <class Wanted>
std::multiset<std::uint32_t> told(const SimCluster& cluster, std::uint32_t node) {
    std::multiset<std::uint32_t> seats;
    for (const SimNotice& notice : cluster.notices(at(node))) {
        if (const auto* n = std::get_if<Wanted>(&*notice.notice)) seats.insert(n->seat.value());
    }
    return seats;
}
void cut(SimCluster& cluster, std::initializer_list<std::uint32_t> away) {
    std::vector<std::vector<NodeIndex>> groups(1);
    for (const std::uint32_t node : away)
        groups[0].push_back(at(node));
    cluster.cut(groups);
}

using Seats = std::multiset<std::uint32_t>;

// [SEAT-DORMANT.1] [SEAT-DORMANT.5]
TEST(DormantInCluster, WithTwoOfSevenDeadAThirdCrashIsSurvivedAndAllComeBack) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        SimCluster cluster{resting_network(seed), honest_nodes()};
        ASSERT_TRUE(cluster.run_for(Duration::from_s(2)));
        EXPECT_EQ(add_final(cluster, 5), "");
        EXPECT_EQ(count_causally(cluster, 6), 1);
        cluster.crash(at(5));
        cluster.crash(at(6));
        ASSERT_TRUE(until_voting(cluster, 0, 5)) << "seed " << seed << cluster.violation();
        EXPECT_EQ(cluster.node(at(0))->roster().quorum(), (Quorum{5, 4, 2}));
        EXPECT_EQ(told<SeatDormant>(cluster, 0), (Seats{5, 6}));
        const RosterReply roster = roster_at(cluster, 0);
        EXPECT_EQ(roster.dormant, 2U);
        EXPECT_TRUE(roster.seats[5].dormant_from <= roster.epoch) << "and it says since when";
        EXPECT_EQ(roster.seats[5].dormant_until, Epoch{});

        cluster.crash(at(4));  // Four of seven: no five, but four of the five that vote.
        ASSERT_TRUE(cluster.run_for(Duration::from_s(3)));
        EXPECT_EQ(add_final(cluster, 1), "") << "seed " << seed;
        ASSERT_TRUE(cluster.run_for(Duration::from_s(60)));
        EXPECT_EQ(voting(cluster, 0), 5U) << "a third set aside would make no quorum smaller";

        ASSERT_TRUE(cluster.start(at(5)).has_value());
        ASSERT_TRUE(cluster.start(at(6)).has_value());
        ASSERT_TRUE(until_voting(cluster, 0, 7)) << "seed " << seed << cluster.violation();
        EXPECT_EQ(told<SeatReturned>(cluster, 0), (Seats{5, 6}));
        ASSERT_TRUE(until_voting(cluster, 5, 7)) << cluster.violation();
        ASSERT_TRUE(until_voting(cluster, 6, 7)) << cluster.violation();
        ASSERT_TRUE(cluster.run_for(Duration::from_s(5))) << cluster.violation();
        // They vote again, or there were no five; and go on with their lanes.
        EXPECT_EQ(add_final(cluster, 5), "") << "seed " << seed;
        EXPECT_EQ(count_causally(cluster, 6), 2) << "seed " << seed;
        ASSERT_TRUE(cluster.start(at(4)).has_value());
        ASSERT_TRUE(cluster.run_for(Duration::from_s(10))) << cluster.violation();
        for (std::uint32_t node = 0; node < 7; ++node) {
            EXPECT_EQ(final_n(cluster, node), "3") << "node " << node << " seed " << seed;
            EXPECT_EQ(excluded(cluster, node), 0U);
        }
        EXPECT_EQ(roster_at(cluster, 0).seats[6].lane, (LaneId{Seat{6}, Incarnation{}}));
    }
}

// [SEAT-DORMANT.1] [SEAT-DORMANT.5] [STAND-REPORT.2]
TEST(DormantInCluster, ThroughGroupsTheDeadAreSetAsideAndComeBackToo) {
    SimOptions options;
    options.node_count = 20;
    options.vote_form = VoteForm::joined;
    options.epoch_blocks = 64;
    options.dead_after_reports = 40;  // Two of each.
    options.configure = [](NodeIndex, NodeOptions& node) {
        node.heartbeat = Duration::from_ms(100);
        node.direct_seats_max = 3;
    };
    SimCluster cluster{options, honest_nodes()};
    ASSERT_TRUE(cluster.run_for(Duration::from_s(30)));
    EXPECT_EQ(voting(cluster, 0), 20U) << "nobody is dead";
    for (const std::uint32_t node : {17U, 18U, 19U})
        cluster.crash(at(node));
    ASSERT_TRUE(until_voting(cluster, 0, 17)) << cluster.violation();
    EXPECT_EQ(cluster.node(at(0))->roster().quorum(), (Quorum{17, 12, 6}));
    EXPECT_EQ(told<SeatDormant>(cluster, 0), (Seats{17, 18, 19}));
    EXPECT_EQ(add_final(cluster, 4), "");
    for (const std::uint32_t node : {17U, 18U, 19U})
        ASSERT_TRUE(cluster.start(at(node)).has_value());
    ASSERT_TRUE(until_voting(cluster, 0, 20)) << cluster.violation();
    ASSERT_TRUE(cluster.run_for(Duration::from_s(5))) << cluster.violation();
    EXPECT_EQ(add_final(cluster, 18), "");
    ASSERT_TRUE(cluster.run_for(Duration::from_s(1))) << cluster.violation();
    EXPECT_EQ(final_n(cluster, 19), "2");
}

// [SEAT-DORMANT.1] [SEAT-DORMANT.3]
TEST(DormantInCluster, WhereNobodyLiesFiveCrashesOfSevenAreSurvivedTwoAtATime) {
    SimCluster cluster{resting_network(7, QuorumMode::crash), honest_nodes()};
    ASSERT_TRUE(cluster.run_for(Duration::from_s(2)));
    cluster.crash(at(5));
    cluster.crash(at(6));
    ASSERT_TRUE(until_voting(cluster, 0, 5)) << cluster.violation();
    cluster.crash(at(4));  // A third and a fourth: three of seven are no four.
    cluster.crash(at(3));
    ASSERT_TRUE(cluster.run_for(Duration::from_s(3)));
    EXPECT_EQ(add_final(cluster, 0), "");
    ASSERT_TRUE(until_voting(cluster, 0, 3)) << cluster.violation();
    cluster.crash(at(2));
    ASSERT_TRUE(cluster.run_for(Duration::from_s(3)));
    EXPECT_EQ(add_final(cluster, 0), "");
    for (const std::uint32_t node : {2U, 3U, 4U, 5U, 6U})
        ASSERT_TRUE(cluster.start(at(node)).has_value());
    ASSERT_TRUE(until_voting(cluster, 0, 7)) << cluster.violation();
    ASSERT_TRUE(cluster.run_for(Duration::from_s(10))) << cluster.violation();
    EXPECT_EQ(add_final(cluster, 6), "");
    EXPECT_EQ(final_n(cluster, 3), "3");
}

// [SEAT-DORMANT.3]
TEST(DormantInCluster, WhereNoSideHasTheQuorumNobodyIsEverSetAside) {
    SimCluster cluster{resting_network(3), honest_nodes()};
    ASSERT_TRUE(cluster.run_for(Duration::from_s(2)));
    cut(cluster, {4, 5, 6});
    ASSERT_TRUE(cluster.run_for(Duration::from_s(5)));
    const Height before = cluster.finalized(at(0));
    ASSERT_TRUE(cluster.run_for(Duration::from_s(300))) << cluster.violation();
    for (std::uint32_t node = 0; node < 7; ++node) {
        EXPECT_EQ(voting(cluster, node), 7U) << node;
        EXPECT_EQ(told<SeatDormant>(cluster, node), Seats{}) << node;
    }
    EXPECT_EQ(cluster.finalized(at(0)), before);
    cluster.heal();
    ASSERT_TRUE(cluster.run_for(Duration::from_s(20))) << cluster.violation();
    EXPECT_EQ(add_final(cluster, 6), "");
    EXPECT_EQ(told<SeatDormant>(cluster, 0), Seats{});
}

// [SEAT-DORMANT.3] [SEAT-DORMANT.6]
TEST(DormantInCluster, FiveSetTwoAsideWhichCanDecideNothingAndLoseNothing) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        SimCluster cluster{resting_network(seed), honest_nodes()};
        ASSERT_TRUE(cluster.run_for(Duration::from_s(2)));
        EXPECT_EQ(count_causally(cluster, 6), 1);
        ASSERT_TRUE(cluster.run_for(Duration::from_s(2)));
        cut(cluster, {5, 6});
        ASSERT_TRUE(cluster.run_for(Duration::from_s(5)));
        const Height before = cluster.finalized(at(6));
        ASSERT_TRUE(until_voting(cluster, 0, 5)) << "seed " << seed << cluster.violation();
        ASSERT_TRUE(cluster.run_for(Duration::from_s(120))) << cluster.violation();
        EXPECT_EQ(cluster.finalized(at(6)), before);
        EXPECT_EQ(voting(cluster, 6), 7U) << "as far as it knows";
        EXPECT_NE(add_final(cluster, 6).find("no quorum: 2 of 7"), std::string::npos);
        EXPECT_EQ(count_causally(cluster, 6), 2);
        EXPECT_EQ(add_final(cluster, 2), "");
        cluster.heal();
        ASSERT_TRUE(until_voting(cluster, 6, 7)) << "seed " << seed << cluster.violation();
        ASSERT_TRUE(cluster.run_for(Duration::from_s(10))) << cluster.violation();
        EXPECT_EQ(voting(cluster, 0), 7U);
        EXPECT_EQ(count_causally(cluster, 6), 3) << "in the lane that it had";
        EXPECT_EQ(add_final(cluster, 5), "");
        ASSERT_TRUE(cluster.run_for(Duration::from_s(5))) << cluster.violation();
        EXPECT_EQ(final_n(cluster, 6), "2");
        EXPECT_EQ(count_causally(cluster, 0), 4) << "what it wrote when it was cut off is there";
        EXPECT_EQ(roster_at(cluster, 0).seats[6].lane, (LaneId{Seat{6}, Incarnation{}}));
    }
}

/// Two that vote for nothing, so that everybody misses them; but they are there.
// [SEAT-DORMANT.2]
TEST(DormantInCluster, WhoIsMissedAndCanReachTheOthersKeepsItsSeat) {
    SimOptions options = resting_network(5);
    options.attacks = {{at(5), Attack::always_reject}, {at(6), Attack::always_reject}};
    SimCluster cluster{options, honest_nodes()};
    ASSERT_TRUE(cluster.run_for(Duration::from_s(240))) << cluster.violation();
    EXPECT_EQ(voting(cluster, 0), 7U);
    EXPECT_EQ(told<SeatDormant>(cluster, 0), Seats{});
    EXPECT_EQ(told<SeatSuspected>(cluster, 0).count(6), 1U) << "and is named for it";

    options.attacks = {{at(5), Attack::silence}, {at(6), Attack::silence}};
    SimCluster silent{options, honest_nodes()};
    EXPECT_TRUE(until_voting(silent, 0, 5)) << "while who says nothing at all is set aside";
}

/// Its disk is lost while it is away: it comes back all the same, and writes its next lane.
// [SEAT-DORMANT.5] [SEAT-DORMANT.6] [LANE-RESET.1]
TEST(DormantInCluster, WhoLostItsDiskMeanwhileVotesAgainInANewLane) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        SimCluster cluster{resting_network(seed), honest_nodes()};
        ASSERT_TRUE(cluster.run_for(Duration::from_s(2)));
        EXPECT_EQ(add_final(cluster, 6), "");
        cluster.crash(at(5));
        cluster.crash(at(6));
        ASSERT_TRUE(until_voting(cluster, 0, 5)) << "seed " << seed << cluster.violation();
        cluster.disk(at(6)).wipe();
        ASSERT_TRUE(cluster.start(at(6)).has_value());
        ASSERT_TRUE(until_voting(cluster, 6, 6)) << "seed " << seed << cluster.violation();
        const auto writes = [&] { return !told<LaneReset>(cluster, 0).empty(); };
        ASSERT_TRUE(cluster.run_until(writes, Duration::from_s(60))) << cluster.violation();
        ASSERT_TRUE(cluster.run_for(Duration::from_s(5))) << cluster.violation();
        EXPECT_EQ(add_final(cluster, 6), "") << "seed " << seed;
        ASSERT_TRUE(cluster.run_for(Duration::from_s(1))) << cluster.violation();
        EXPECT_EQ(roster_at(cluster, 0).seats[6].lane, (LaneId{Seat{6}, Incarnation{1}}));
        EXPECT_EQ(final_n(cluster, 0), "2");
        EXPECT_EQ(excluded(cluster, 0), 0U);
    }
}

}  // namespace
}  // namespace creto
