// The random beacon in networks of whole nodes: fed by all, in spite of crashes, and never by itself.
#include <gtest/gtest.h>
#include <map>
#include <set>

#include "sim/cluster.hpp"
#include "sim/node_participant.hpp"
#include "sim/scenario_run.hpp"
#include "sim/testing/asking.hpp"

namespace creto {
namespace {

constexpr std::uint32_t beacon_seats = 4;

using sim_testing::at;

SimOptions beacon_network(std::uint64_t seed, std::uint32_t epoch_blocks) {
    SimOptions options;
    options.seed = seed;
    options.node_count = beacon_seats;
    options.epoch_blocks = epoch_blocks;
    return options;
}

template <class T, class Command>
T ask(SimCluster& cluster, std::uint32_t node, const Command& command) {
    const Ticket ticket = cluster.submit(at(node), command);
    (void)cluster.run_until([&] { return cluster.reply(ticket) != nullptr; }, Duration::from_s(30));
    const ReplyBody* reply = cluster.reply(ticket);
    const T* found = reply == nullptr ? nullptr : std::get_if<T>(reply);
    EXPECT_NE(found, nullptr) << cluster.violation();
    return found == nullptr ? T{} : *found;
}

/// A write at the nodes in turn, those that are down left out, every 50 ms.
void work(SimCluster& cluster, Duration span) {
    const Instant end = cluster.now() + span;
    for (std::uint32_t turn = 0; cluster.now() < end; ++turn) {
        const NodeIndex node = at(turn % beacon_seats);
        if (cluster.is_up(node))
            (void)cluster.submit(
                node,
                Submit{KeyOperation{KeyOperation::Action::add, "final/n", {}, 1}, Reading::final}
            );
        ASSERT_TRUE(cluster.run_for(Duration::from_ms(50))) << cluster.violation();
    }
}

/// So long after seat 3 has begun an epoch: it is revealing, or committing, just now.
void run_into_boundary(SimCluster& cluster, Duration after) {
    const Epoch epoch = cluster.node(at(3))->status().epoch;
    for (int i = 0; i < 200 && cluster.node(at(3))->status().epoch == epoch; ++i) {
        (void)cluster.submit(
            at(0), Submit{KeyOperation{KeyOperation::Action::add, "final/n", {}, 1}, Reading::final}
        );
        (void)cluster.run_until(
            [&] { return cluster.node(at(3))->status().epoch != epoch; }, Duration::from_ms(20)
        );
    }
    ASSERT_TRUE(cluster.run_for(after)) << cluster.violation();
}

struct Said {
    std::set<Digest> what;  ///< Different ones.
    int times = 0;
};
using Book = std::map<std::pair<AgentId, Epoch>, Said>;

/// What all seats committed to and revealed, as node 0 has it on its disk.
void read_lanes(SimCluster& cluster, Book& commits, Book& reveals) {
    std::set<Bytes> seen;
    const auto look = [&](ByteView key, ByteView value) {
        const auto vertex = SealedVertex::decode(value);
        if (!vertex || !seen.insert(Bytes(key.begin(), key.end())).second)
            return vertex.has_value();
        for (const Operation& operation : (*vertex)->operations()) {
            if (const auto* said = std::get_if<BeaconCommitOperation>(&operation.body)) {
                Said& one = commits[{operation.client, said->feeds}];
                one.what.insert(said->commitment);
                ++one.times;
            }
            if (const auto* said = std::get_if<BeaconRevealOperation>(&operation.body)) {
                Said& one = reveals[{operation.client, said->feeds}];
                one.what.insert(said->secret);
                ++one.times;
            }
        }
        return true;
    };
    ASSERT_TRUE(cluster.disk(at(0)).scan(Column::vertices, {}, {}, look).has_value());
}

// [BEACON-SAME.1] [BEACON-TURNS.1]
TEST(BeaconInCluster, AllFeedItAndAllNodesHaveTheSame) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        SimCluster cluster{beacon_network(seed, 16), honest_nodes()};
        std::set<Digest> values;
        std::set<std::vector<Seat>> orders;
        for (int round = 0; round < 6; ++round) {
            work(cluster, Duration::from_s(2));
            std::map<Epoch, Digest> of_epoch;
            std::map<Epoch, std::vector<Seat>> leaders;
            for (std::uint32_t node = 0; node < beacon_seats; ++node) {
                const auto roster = ask<RosterReply>(cluster, node, AskRoster{});
                const auto& beacon = roster.beacon;
                const auto [held, first] = of_epoch.emplace(beacon.epoch, beacon.value);
                EXPECT_EQ(held->second, beacon.value) << "node " << node;
                const auto [order, new_order] = leaders.emplace(roster.epoch, roster.leaders);
                EXPECT_EQ(order->second, roster.leaders) << "node " << node;
                values.insert(beacon.value);
                orders.insert(roster.leaders);
                if (beacon.epoch < Epoch{4}) continue;
                EXPECT_EQ(beacon.fed_by.size(), beacon_seats) << "epoch " << beacon.epoch.value();
                EXPECT_TRUE(beacon.withheld.empty());
            }
        }
        EXPECT_GE(values.size(), 6U);
        EXPECT_GE(orders.size(), 3U) << "seed " << seed;
    }
}

// [BEACON-SECRET.1] [BEACON-COMMIT.1]
TEST(BeaconInCluster, ASeatThatIsRestartedAnywhereCommitsOnceAndNothingWaitsForIt) {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        // Short epochs, and some that are longer than a restart takes.
        SimCluster cluster{beacon_network(seed, seed % 2 == 0 ? 64 : 16), honest_nodes()};
        ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
        for (int life = 0; life < 12; ++life) {
            work(cluster, Duration::from_ms(350 + life * 130));
            if (life % 3 != 0) run_into_boundary(cluster, Duration::from_us(life * 400));
            cluster.crash(at(3), life % 2 == 0 ? CrashLoss::all_unsynced : CrashLoss::torn);
            const Height before = cluster.finalized(at(0));
            work(cluster, Duration::from_ms(life % 3 == 0 ? 2'500 : 250));
            EXPECT_GT(cluster.finalized(at(0)), before) << "seed " << seed;
            ASSERT_TRUE(cluster.start(at(3)).has_value());
        }
        work(cluster, Duration::from_s(5));
        Book commits;
        Book reveals;
        read_lanes(cluster, commits, reveals);
        EXPECT_GT(commits.size(), 20U);
        EXPECT_GT(reveals.size(), 15U);
        for (const Book* book : {&commits, &reveals}) {
            for (const auto& [whose, said] : *book) {
                EXPECT_EQ(said.times, 1) << "seed " << seed << ", epoch " << whose.second.value();
            }
        }
        for (const auto& [whose, said] : reveals) {
            const auto bound = commits.find(whose);
            ASSERT_NE(bound, commits.end());
            const Digest fits = beacon_commitment(
                cluster.roster().chain(), whose.second, whose.first, *said.what.begin()
            );
            EXPECT_EQ(*bound->second.what.begin(), fits);
        }
        const auto roster = ask<RosterReply>(cluster, 3, AskRoster{});
        EXPECT_EQ(roster.beacon.fed_by.size(), beacon_seats) << "it is back";
    }
}

// [BEACON-SECRET.1] It does not know what it had committed to, and commits to the same.
TEST(BeaconInCluster, ASeatThatLostItsDiskSaysNothingElse) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        SimCluster cluster{beacon_network(seed, 64), honest_nodes()};
        ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
        work(cluster, Duration::from_s(2));
        cluster.crash(at(3));
        cluster.disk(at(3)).wipe();
        ASSERT_TRUE(cluster.start(at(3)).has_value());
        work(cluster, Duration::from_s(40));
        Book commits;
        Book reveals;
        read_lanes(cluster, commits, reveals);
        for (const Book* book : {&commits, &reveals}) {
            for (const auto& [whose, said] : *book) {
                EXPECT_EQ(said.what.size(), 1U) << "epoch " << whose.second.value();
            }
        }
        EXPECT_EQ(ask<RosterReply>(cluster, 0, AskRoster{}).beacon.fed_by.size(), beacon_seats);
    }
}

// [BEACON-IDLE.1]
TEST(BeaconInCluster, AnIdleNetworkPassesEpochsWithoutAVertex) {
    for (const std::uint32_t epoch_blocks : {3U, 16U}) {
        SimCluster cluster{beacon_network(1, epoch_blocks), honest_nodes()};
        work(cluster, Duration::from_s(3));
        const auto vertices = [&] {
            std::uint64_t made = 0;
            for (std::uint32_t node = 0; node < beacon_seats; ++node)
                made += cluster.node(at(node))->status().counters.at("vertices_made");
            return made;
        };
        // What was committed to is revealed; an idle epoch takes two seconds a block.
        ASSERT_TRUE(cluster.run_for(Duration::from_s(2 * 2 * epoch_blocks + 5)));
        const std::uint64_t before = vertices();
        const Height height = cluster.finalized(at(0));
        const Epoch epoch = cluster.node(at(0))->status().epoch;
        ASSERT_TRUE(cluster.run_for(Duration::from_s(120))) << cluster.violation();
        EXPECT_EQ(vertices(), before) << "epochs of " << epoch_blocks;
        EXPECT_LT(cluster.finalized(at(0)).value(), height.value() + 70) << "heartbeats alone";
        EXPECT_GT(cluster.node(at(0))->status().epoch, epoch.plus(2));
        const auto roster = ask<RosterReply>(cluster, 0, AskRoster{});
        EXPECT_TRUE(roster.beacon.fed_by.empty());
        EXPECT_TRUE(roster.beacon.withheld.empty()) << "nobody seems to withhold";
        for (const auto& seat : roster.seats)
            EXPECT_EQ(seat.withheld, 0U);
    }
}

// [DISPUTE-DRAWN.1] Forty whole nodes, of which ten answer wrongly.
TEST(BeaconInCluster, APanelOfFortySeatsIsDrawnAndDecides) {
    constexpr std::uint32_t count = 40;
    constexpr std::uint32_t lying = 10;
    SimOptions options;
    options.node_count = count;
    options.epoch_blocks = 64;
    for (std::uint32_t i = 0; i < count; ++i) {
        options.tools[at(i)] = sim_scenario::tool_box(
            {"multiply"}, i < lying ? sim_scenario::Lie::constant_3000 : sim_scenario::Lie::none
        );
    }
    SimCluster cluster{options, honest_nodes()};
    for (std::uint32_t i = 0; i < lying; ++i)
        cluster.set_lying_provider(at(i));
    ASSERT_TRUE(cluster.run_for(Duration::from_s(5))) << cluster.violation();
    const auto verified = ask<VerifiedReply>(
        cluster, count - 1, CallVerified{.tool = "multiply", .arguments = R"({"a":6,"b":7})"}
    );
    EXPECT_EQ(verified.result, "42");
    ASSERT_TRUE(cluster.run_for(Duration::from_s(5))) << cluster.violation();
    std::set<AgentId> liars;
    for (std::uint32_t i = 0; i < lying; ++i)
        liars.insert(cluster.agent(at(i)));
    std::optional<VerdictView> first;
    for (std::uint32_t node = 0; node < count; node += 7) {
        const auto verdicts = ask<VerdictsReply>(cluster, node, AskVerdicts{}).verdicts;
        ASSERT_EQ(verdicts.size(), 1U);
        const VerdictView& verdict = verdicts.front();
        EXPECT_TRUE(verdict.decided);
        EXPECT_EQ(verdict.panel, 31U) << "of " << count;
        EXPECT_EQ(verdict.bar, 21U);
        EXPECT_GE(verdict.agreeing, 21U);
        EXPECT_GT(verdict.dissenting.size(), 0U);
        for (const AgentId& agent : verdict.dissenting)
            EXPECT_TRUE(liars.contains(agent));
        if (!first) first = verdict;
        EXPECT_EQ(verdict.dissenting, first->dissenting);
    }
}

}  // namespace
}  // namespace creto
