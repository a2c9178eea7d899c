// Whole nodes whose votes go through groups, signed one by one or together.
#include <gtest/gtest.h>

#include "sim/cluster.hpp"
#include "sim/node_participant.hpp"
#include "sim/testing/asking.hpp"

namespace creto {
namespace {

using sim_testing::add_final;
using sim_testing::ask;
using sim_testing::at;
using sim_testing::final_n;

constexpr std::uint32_t grouped_seats = 20;

SimOptions grouped_network(VoteForm form, std::uint64_t seed = 1) {
    SimOptions options;
    options.seed = seed;
    options.node_count = grouped_seats;
    options.vote_form = form;
    options.costs = ed25519_costs();
    options.configure = [](NodeIndex, NodeOptions& node) { node.direct_seats_max = 3; };
    return options;
}

template <class Wanted>
std::size_t times_told(const SimCluster& cluster, std::uint32_t node) {
    std::size_t count = 0;
    for (const SimNotice& notice : cluster.notices(at(node)))
        count += std::holds_alternative<Wanted>(*notice.notice) ? 1 : 0;
    return count;
}

// [ORD-V1.1] [ORD-V1.6]
TEST(GroupsInCluster, WritesBecomeFinalWithAsManyDeadAsAreTolerated) {
    for (const VoteForm form : {VoteForm::list, VoteForm::joined}) {
        SimCluster cluster{grouped_network(form), honest_nodes()};
        ASSERT_TRUE(cluster.run_for(Duration::from_s(2))) << cluster.violation();
        for (std::uint32_t node = 0; node < grouped_seats; ++node)
            EXPECT_EQ(add_final(cluster, node), "");
        for (std::uint32_t node = 14; node < grouped_seats; ++node)
            cluster.crash(at(node), CrashLoss::all_unsynced, StopNotice::silent);
        for (std::uint32_t node = 0; node < 14; ++node)
            EXPECT_EQ(add_final(cluster, node), "") << "node " << node;
        ASSERT_TRUE(cluster.run_for(Duration::from_s(2))) << cluster.violation();
        for (std::uint32_t node = 0; node < 14; ++node)
            EXPECT_EQ(final_n(cluster, node), std::to_string(grouped_seats + 14));
        for (std::uint32_t node = 14; node < grouped_seats; ++node)
            ASSERT_TRUE(cluster.start(at(node)).has_value());
        ASSERT_TRUE(cluster.run_for(Duration::from_s(5))) << cluster.violation();
        for (std::uint32_t node = 14; node < grouped_seats; ++node)
            EXPECT_EQ(final_n(cluster, node), std::to_string(grouped_seats + 14))
                << "node " << node;
    }
}

// [CUT-GROUPS.1]
TEST(GroupsInCluster, QuietSeatsAreNotLostAndThoseBehindACutAre) {
    SimCluster cluster{grouped_network(VoteForm::joined), honest_nodes()};
    ASSERT_TRUE(cluster.run_for(Duration::from_s(30))) << cluster.violation();
    for (std::uint32_t node = 0; node < grouped_seats; ++node)
        EXPECT_EQ(times_told<Partitioned>(cluster, node), 0U) << "node " << node;

    std::vector<std::vector<NodeIndex>> sides(2);
    for (std::uint32_t node = 0; node < grouped_seats; ++node)
        sides[node < 9 ? 0 : 1].push_back(at(node));
    cluster.cut(sides);
    const auto all_know = [&] {
        for (std::uint32_t node = 0; node < grouped_seats; ++node)
            if (times_told<Partitioned>(cluster, node) == 0) return false;
        return true;
    };
    EXPECT_TRUE(cluster.run_until(all_know, Duration::from_s(20)));
    EXPECT_NE(add_final(cluster, 3).find("no quorum"), std::string::npos);
    EXPECT_NE(add_final(cluster, 15).find("no quorum"), std::string::npos);
    cluster.heal();
    const auto all_back = [&] {
        for (std::uint32_t node = 0; node < grouped_seats; ++node)
            if (times_told<Healed>(cluster, node) == 0) return false;
        return true;
    };
    EXPECT_TRUE(cluster.run_until(all_back, Duration::from_s(30))) << cluster.violation();
    EXPECT_EQ(add_final(cluster, 3), "");
}

// The same seed, the same trace; and what is signed together is not signed one by one.
TEST(GroupsInCluster, GivesTheSameTraceTwice) {
    const auto run = [](VoteForm form) {
        SimCluster cluster{grouped_network(form, 7), honest_nodes()};
        EXPECT_TRUE(cluster.run_for(Duration::from_s(1))) << cluster.violation();
        for (std::uint32_t node = 0; node < 5; ++node)
            EXPECT_EQ(add_final(cluster, node), "");
        return cluster.trace_hash();
    };
    EXPECT_EQ(run(VoteForm::joined), run(VoteForm::joined));
    EXPECT_NE(run(VoteForm::joined), run(VoteForm::list));
}

}  // namespace
}  // namespace creto
