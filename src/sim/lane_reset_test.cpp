// A seat whose disk is lost: it votes again, leaves its lane without blame, and writes the next one.
#include <gtest/gtest.h>

#include "sim/cluster.hpp"
#include "sim/node_participant.hpp"
#include "sim/testing/asking.hpp"

namespace creto {
namespace {

using sim_testing::at;
using sim_testing::final_n;
using sim_testing::roster_at;

SimOptions reset_network(std::uint64_t seed, std::uint32_t epoch_blocks) {
    SimOptions options;
    options.seed = seed;
    options.node_count = 4;
    options.epoch_blocks = epoch_blocks;
    return options;
}

void add(SimCluster& cluster, std::uint32_t node, int times) {
    const auto hears_enough = [&] { return cluster.node(at(node))->status().reachable_seats >= 3; };
    ASSERT_TRUE(cluster.run_until(hears_enough, Duration::from_s(20))) << cluster.violation();
    for (int i = 0; i < times; ++i) {
        const Ticket ticket = cluster.submit(
            at(node),
            Submit{
                KeyOperation{KeyOperation::Action::add, "final/n", {}, 1},
                Reading::final,
                Duration::from_s(20)}
        );
        ASSERT_TRUE(cluster.run_until(
            [&] { return cluster.reply(ticket) != nullptr; }, Duration::from_s(21)
        )) << cluster.violation();
        const auto* done = std::get_if<SubmitReply>(cluster.reply(ticket));
        const auto* error = std::get_if<Error>(cluster.reply(ticket));
        ASSERT_EQ(error, nullptr) << error->message;
        ASSERT_TRUE(done != nullptr && done->applied) << done->reason;
    }
}

std::string lane_at(SimCluster& cluster, std::uint32_t node, std::uint32_t seat) {
    return lane_text(roster_at(cluster, node).seats.at(seat).lane);
}

template <class Wanted>
int count(const SimCluster& cluster, std::uint32_t node) {
    int found = 0;
    for (const SimNotice& notice : cluster.notices(at(node)))
        found += std::holds_alternative<Wanted>(*notice.notice) ? 1 : 0;
    return found;
}

bool run_until_regained(SimCluster& cluster, std::uint32_t node, int times) {
    return cluster.run_until(
        [&] { return count<LaneRegained>(cluster, node) >= times; }, Duration::from_s(60)
    );
}

// With epochs and with one that has no end. It never counts as a liar: the invariants hold it to all
// that it ever said.
// [LANE-RESET.1] [LANE-RESET.2]
TEST(LaneResetInCluster, AWipedSeatWritesAgainAndNothingIsLostOrDoneTwice) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        SimCluster cluster{reset_network(seed, seed % 2 == 0 ? 4 : 0), honest_nodes()};
        ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
        add(cluster, 3, 5);
        add(cluster, 0, 2);
        cluster.crash(at(3));
        add(cluster, 1, 3);
        cluster.disk(at(3)).wipe();
        ASSERT_TRUE(cluster.start(at(3)).has_value());
        ASSERT_TRUE(run_until_regained(cluster, 3, 1)) << "seed " << seed << cluster.violation();
        add(cluster, 3, 5);
        // It votes: without another one nothing would become final.
        cluster.crash(at(2));
        add(cluster, 3, 3);
        ASSERT_TRUE(cluster.start(at(2)).has_value());
        ASSERT_TRUE(cluster.run_for(Duration::from_s(5))) << cluster.violation();
        for (const std::uint32_t node : {0U, 1U, 2U, 3U}) {
            EXPECT_EQ(final_n(cluster, node), "18") << "node " << node << " seed " << seed;
            EXPECT_EQ(lane_at(cluster, node, 3), "3.1") << "node " << node << " seed " << seed;
            EXPECT_EQ(count<Excluded>(cluster, node), 0) << seed;
        }
        // Its new folder knows the lane as its own.
        cluster.crash(at(3));
        ASSERT_TRUE(cluster.start(at(3)).has_value());
        add(cluster, 3, 2);
        ASSERT_TRUE(cluster.run_for(Duration::from_s(3))) << cluster.violation();
        EXPECT_EQ(final_n(cluster, 0), "20") << seed;
        EXPECT_EQ(lane_at(cluster, 0, 3), "3.1") << seed;
    }
}

// Again and again, and where the blocks of its lives are dropped, so that it takes a checkpoint over.
// [LANE-RESET.1] [LANE-RESET.2]
TEST(LaneResetInCluster, ItMayHappenAgainAndAcrossCheckpoints) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        SimOptions options = reset_network(seed, 8);
        options.checkpoint_blocks = 8;
        options.configure = [](NodeIndex /*node*/, NodeOptions& node) {
            node.keep_blocks = 8;
            node.checkpoint_share = 0;
        };
        SimCluster cluster{options, honest_nodes()};
        ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
        int sum = 0;
        for (int life = 1; life <= 3; ++life) {
            add(cluster, 3, 4);
            cluster.crash(at(3));
            add(cluster, 0, 30);
            sum += 34;
            cluster.disk(at(3)).wipe();
            ASSERT_TRUE(cluster.start(at(3)).has_value());
            ASSERT_TRUE(run_until_regained(cluster, 3, life))
                << "seed " << seed << " life " << life << cluster.violation();
            ASSERT_TRUE(cluster.run_for(Duration::from_s(2))) << cluster.violation();
            EXPECT_EQ(lane_at(cluster, 1, 3), "3." + std::to_string(life)) << seed;
        }
        add(cluster, 3, 2);
        for (std::uint32_t node = 0; node < 4; ++node)
            cluster.crash(at(node));
        for (std::uint32_t node = 0; node < 4; ++node)
            ASSERT_TRUE(cluster.start(at(node)).has_value());
        ASSERT_TRUE(cluster.run_for(Duration::from_s(5))) << cluster.violation();
        add(cluster, 3, 2);
        ASSERT_TRUE(cluster.run_for(Duration::from_s(5))) << cluster.violation();
        for (std::uint32_t node = 0; node < 4; ++node)
            EXPECT_EQ(final_n(cluster, node), std::to_string(sum + 4)) << node << " seed " << seed;
    }
}

// What it wrote and others hold, but no block covered yet, is covered before the lane ends. Causal shares
// of both lanes are one sum.
// [LANE-RESET.1]
TEST(LaneResetInCluster, CausalWritesOfTheOldLaneStay) {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        SimCluster cluster{reset_network(seed, 0), honest_nodes()};
        ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
        const auto add_causal = [&](std::uint32_t node) {
            const Ticket ticket = cluster.submit(
                at(node), Submit{CrdtOperation{.key = "causal/n", .amount = 1}, Reading::causal}
            );
            (void)cluster.run_until(
                [&] { return cluster.reply(ticket) != nullptr; }, Duration::from_s(10)
            );
            ASSERT_TRUE(std::holds_alternative<SubmitReply>(*cluster.reply(ticket)));
        };
        for (int i = 0; i < 5; ++i)
            add_causal(3);
        (void)cluster.run_for(Duration::from_ms(20));
        cluster.crash(at(3));
        cluster.disk(at(3)).wipe();
        ASSERT_TRUE(cluster.start(at(3)).has_value());
        ASSERT_TRUE(run_until_regained(cluster, 3, 1)) << "seed " << seed << cluster.violation();
        for (int i = 0; i < 4; ++i)
            add_causal(3);
        ASSERT_TRUE(cluster.run_for(Duration::from_s(3))) << cluster.violation();
        for (std::uint32_t node = 0; node < 4; ++node) {
            const Ticket ticket = cluster.submit(at(node), ReadKey{"causal/n"});
            (void)cluster.run_for(Duration::from_ms(100));
            EXPECT_EQ(std::get<KeyReply>(*cluster.reply(ticket)).counter, 9) << node << " " << seed;
        }
    }
}

// An old copy of the folder is found before anything is written on it: its seat is no liar.
// [LANE-RESET.2]
TEST(LaneResetInCluster, AnOldFolderWritesNothingAndAccusesNobody) {
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        SimCluster cluster{reset_network(seed, 0), honest_nodes()};
        ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
        add(cluster, 3, 5);
        auto image = cluster.disk(at(3)).image();
        add(cluster, 3, 5);
        cluster.crash(at(3));
        cluster.disk(at(3)).load(std::move(image));
        ASSERT_TRUE(cluster.start(at(3)).has_value());
        // A client is quick: what it wants is taken, and must not fork the lane.
        (void)cluster.submit(
            at(3), Submit{CrdtOperation{.key = "causal/x", .amount = 1}, Reading::causal}
        );
        ASSERT_TRUE(cluster.run_for(Duration::from_s(20))) << cluster.violation();
        EXPECT_GE(count<LaneLost>(cluster, 3), 1) << seed;
        add(cluster, 0, 3);
        for (const std::uint32_t node : {0U, 1U, 2U})
            EXPECT_EQ(count<Excluded>(cluster, node), 0) << "node " << node << " seed " << seed;
        EXPECT_EQ(final_n(cluster, 0), "13") << seed;
    }
}

}  // namespace
}  // namespace creto
