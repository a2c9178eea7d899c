#include <gtest/gtest.h>

#include "sim/cluster.hpp"
#include "sim/ordering_test_participant.hpp"
#include "sim/testing/numbers.hpp"

namespace creto {
namespace {

using sim_testing::nodes;

SimOptions seated(std::uint32_t count, std::uint64_t seed = 1) {
    SimOptions options;
    options.seed = seed;
    options.node_count = count;
    return options;
}

TEST(OrderingInCluster, FinalisesTheSameChainEverywhere) {
    for (const char* profile : {"local", "lan", "wan"}) {
        SimOptions options = seated(4);
        options.profile = *parse_profile(profile);
        SimCluster cluster{options, ordering_alone()};
        ASSERT_TRUE(cluster.run_for(Duration::from_s(20))) << cluster.violation();
        EXPECT_GE(cluster.finalized_by_all(), Height{20}) << profile;
        EXPECT_GT(cluster.invariants().counts().votes, 100U);
    }
}

TEST(OrderingInCluster, GivesTheSameTraceTwice) {
    const auto run = [](std::uint64_t seed) {
        SimCluster cluster{seated(4, seed), ordering_alone()};
        EXPECT_TRUE(cluster.run_for(Duration::from_s(3))) << cluster.violation();
        return cluster.trace_hash();
    };
    EXPECT_EQ(run(1), run(1));
    EXPECT_NE(run(1), run(2));
}

TEST(OrderingInCluster, StopsWithoutAQuorumAndGoesOnWhenItHeals) {
    SimCluster cluster{seated(4), ordering_alone()};
    ASSERT_TRUE(cluster.run_for(Duration::from_s(2)));
    const std::vector<std::vector<NodeIndex>> halves{nodes({0, 1}), nodes({2, 3})};
    cluster.cut(halves);
    ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
    const Height before = cluster.finalized_by_all();
    const std::uint64_t heights = cluster.invariants().counts().heights;
    ASSERT_TRUE(cluster.run_for(Duration::from_s(10)));
    EXPECT_EQ(cluster.invariants().counts().heights, heights);
    cluster.heal();
    ASSERT_TRUE(cluster.run_for(Duration::from_s(5))) << cluster.violation();
    EXPECT_GT(cluster.finalized_by_all(), before);
}

TEST(OrderingInCluster, BringsARestartedNodeUpToTheOthers) {
    SimCluster cluster{seated(4), ordering_alone()};
    ASSERT_TRUE(cluster.run_for(Duration::from_s(2)));
    cluster.crash(NodeIndex{3});
    ASSERT_TRUE(cluster.run_for(Duration::from_s(5)));
    const Height others = cluster.finalized(NodeIndex{0});
    ASSERT_TRUE(cluster.start(NodeIndex{3}).has_value());
    const auto caught_up = [&] { return cluster.finalized(NodeIndex{3}) >= others; };
    EXPECT_TRUE(cluster.run_until(caught_up, Duration::from_s(10))) << cluster.violation();
}

TEST(OrderingInCluster, KeepsItsPromisesUnderEveryAttackOfOneSeat) {
    for (const Attack attack :
         {Attack::silence,
          Attack::always_reject,
          Attack::random_voting,
          Attack::always_accept,
          Attack::equivocation}) {
        for (std::uint64_t seed = 0; seed < 5; ++seed) {
            SimOptions options = seated(4, seed);
            options.attacks[NodeIndex{1}] = attack;
            SimCluster cluster{options, ordering_alone()};
            EXPECT_TRUE(cluster.run_for(Duration::from_s(15))) << cluster.violation();
            EXPECT_GE(cluster.finalized_by_all(), Height{5}) << to_string(attack) << ' ' << seed;
        }
    }
}

/// A fault, or the end of one; at most one node of four is down at a time.
void disturb(SimCluster& cluster, Prng& prng, std::optional<NodeIndex>& down) {
    const NodeIndex node{static_cast<std::uint32_t>(prng.below(4))};
    const NodeIndex other{static_cast<std::uint32_t>((node.value() + 1 + prng.below(3)) % 4)};
    const std::vector<NodeIndex> one{node};
    const std::vector<NodeIndex> two{other};
    switch (prng.below(6)) {
        case 0:
        case 1:
            if (down) {
                EXPECT_TRUE(cluster.start(*down).has_value());
                down.reset();
            } else {
                cluster.crash(node, prng.chance(1, 2) ? CrashLoss::torn : CrashLoss::all_unsynced);
                down = node;
            }
            break;
        case 2:
            cluster.cut_one_way(one, two);
            break;
        case 3: {
            const std::vector<std::vector<NodeIndex>> groups{{node, other}};
            cluster.cut(groups);
            break;
        }
        default:
            cluster.heal();
    }
}

TEST(OrderingInCluster, SurvivesCrashesAndCutsOfAnyKindAndRecovers) {
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        SimOptions options = seated(4, seed);
        options.profile = seed % 3 == 0 ? wan_profile() : lan_profile();
        SimCluster cluster{options, ordering_alone()};
        Prng prng{seed};
        std::optional<NodeIndex> down;
        for (int fault = 0; fault < 30; ++fault) {
            const auto pause = static_cast<std::int64_t>(prng.between(1, 1'000));
            ASSERT_TRUE(cluster.run_for(Duration::from_ms(pause))) << cluster.violation();
            disturb(cluster, prng, down);
        }
        cluster.heal();
        if (down) {
            ASSERT_TRUE(cluster.start(*down).has_value());
        }
        const std::uint64_t heights = cluster.invariants().counts().heights;
        const auto recovered = [&] { return cluster.finalized_by_all() > Height{heights + 3}; };
        EXPECT_TRUE(cluster.run_until(recovered, Duration::from_s(30)))
            << "seed " << seed << ": " << heights << " heights, " << cluster.violation();
    }
}

}  // namespace
}  // namespace creto
