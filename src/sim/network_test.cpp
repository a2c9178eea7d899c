#include "sim/network.hpp"

#include <gtest/gtest.h>

#include "sim/cluster.hpp"
#include "sim/scripted_test_participant.hpp"
#include "sim/testing/numbers.hpp"

namespace creto {
namespace {

using sim_testing::nodes;
using SeenByNode = std::map<std::uint32_t, Seen>;

NodePair pair_of(std::uint32_t from, std::uint32_t to) {
    return {NodeIndex{from}, NodeIndex{to}};
}

SimOptions options_with(LinkProfile profile) {
    SimOptions options;
    options.profile = std::move(profile);
    return options;
}

/// Counts up on each connection, a message every `pause`, and closes nothing by itself.
struct Counter {
    std::map<AgentId, std::uint64_t> next;
};
Script counting(Duration pause) {
    auto counters = std::make_shared<std::map<NodeIndex, Counter>>();
    return [=](const ParticipantParts& parts, const Event& event, Instant now, Effects& out) {
        Counter& mine = (*counters)[parts.index];
        if (std::holds_alternative<Start>(event)) {
            mine.next.clear();
            out.add(WakeAt{now});
        }
        if (const auto* up = std::get_if<PeerUp>(&event)) mine.next[up->peer] = 0;
        if (const auto* down = std::get_if<PeerDown>(&event)) mine.next.erase(down->peer);
        if (!std::holds_alternative<Woke>(event)) return;
        for (auto& [peer, number] : mine.next)
            out.send(peer, Probe{number++, false});
        out.add(WakeAt{now + pause});
    };
}

TEST(SimNetwork, ClosesBothSidesOfACutWithinTheDetectionTimeAndConnectsOnHealing) {
    SeenByNode seen;
    SimCluster cluster{options_with(lan_profile()), scripted(seen, idle)};
    ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
    const std::vector<std::vector<NodeIndex>> halves{nodes({0, 1}), nodes({2, 3})};
    cluster.cut(halves);
    ASSERT_TRUE(cluster.run_for(Duration::from_ms(799)));
    EXPECT_TRUE(seen[0].all<PeerDown>().empty());
    ASSERT_TRUE(cluster.run_for(Duration::from_ms(402)));
    for (std::uint32_t node = 0; node < 4; ++node)
        EXPECT_EQ(seen[node].all<PeerDown>().size(), 2U);
    EXPECT_TRUE(cluster.connected(pair_of(0, 1)));
    EXPECT_FALSE(cluster.connected(pair_of(0, 2)));
    cluster.heal();
    ASSERT_TRUE(cluster.run_for(Duration::from_ms(100)));
    for (std::uint32_t node = 0; node < 4; ++node)
        EXPECT_EQ(seen[node].all<PeerUp>().size(), 5U);
}

TEST(SimNetwork, SparesAnIdleConnectionWhoseCutHealsSooner) {
    SeenByNode seen;
    SimCluster cluster{options_with(lan_profile()), scripted(seen, idle)};
    ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
    cluster.block(pair_of(0, 1), true);
    ASSERT_TRUE(cluster.run_for(Duration::from_ms(300)));
    cluster.heal();
    ASSERT_TRUE(cluster.run_for(Duration::from_s(5)));
    EXPECT_TRUE(seen[0].all<PeerDown>().empty());
    EXPECT_TRUE(seen[1].all<PeerDown>().empty());
}

TEST(SimNetwork, ClosesAConnectionThatLostAMessageAlsoIfTheCutHealsSooner) {
    SeenByNode seen;
    SimCluster cluster{
        options_with(lan_profile()), scripted(seen, counting(Duration::from_ms(10)))};
    ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
    cluster.block(pair_of(0, 1), true);
    ASSERT_TRUE(cluster.run_for(Duration::from_ms(100)));
    cluster.heal();
    ASSERT_TRUE(cluster.run_for(Duration::from_s(2)));
    EXPECT_EQ(seen[0].all<PeerDown>().size(), 1U);
    EXPECT_EQ(seen[1].all<PeerDown>().size(), 1U);
    EXPECT_TRUE(cluster.connected(pair_of(0, 1)));
}

TEST(SimNetwork, DeliversTheOtherWayOfAOneWayCutUntilItIsNoticed) {
    SeenByNode seen;
    SimCluster cluster{
        options_with(lan_profile()), scripted(seen, counting(Duration::from_ms(10)))};
    ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
    const auto received = [&](std::uint32_t node, std::uint32_t from) {
        std::size_t count = 0;
        for (const Received& message : seen[node].all<Received>())
            count += message.from == cluster.agent(NodeIndex{from}) ? 1 : 0;
        return count;
    };
    const std::vector<NodeIndex> from = nodes({0});
    const std::vector<NodeIndex> to = nodes({1});
    cluster.cut_one_way(from, to);
    ASSERT_TRUE(cluster.run_for(Duration::from_ms(50)));  // What was under way is through or lost.
    const std::size_t at_one = received(1, 0);
    const std::size_t at_zero = received(0, 1);
    ASSERT_TRUE(cluster.run_for(Duration::from_ms(500)));
    EXPECT_EQ(received(1, 0), at_one);
    EXPECT_GE(received(0, 1), at_zero + 45);
    ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
    EXPECT_FALSE(cluster.connected(pair_of(0, 1)));
    EXPECT_FALSE(cluster.connected(pair_of(1, 0)));
}

TEST(SimNetwork, TellsPeersOfAStoppedNodeSoonOrAfterSilence) {
    for (const auto notice : {StopNotice::closed, StopNotice::silent}) {
        SeenByNode seen;
        SimCluster cluster{options_with(lan_profile()), scripted(seen, idle)};
        ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
        cluster.crash(NodeIndex{0}, CrashLoss::all_unsynced, notice);
        ASSERT_TRUE(cluster.run_for(Duration::from_ms(20)));
        EXPECT_EQ(seen[1].all<PeerDown>().size(), notice == StopNotice::closed ? 1U : 0U);
        ASSERT_TRUE(cluster.run_for(Duration::from_ms(1'300)));
        for (std::uint32_t node = 1; node < 4; ++node)
            EXPECT_EQ(seen[node].all<PeerDown>().size(), 1U);
        EXPECT_TRUE(seen[0].all<PeerDown>().empty());
    }
}

TEST(SimNetwork, TellsOfTheEndBeforeTheNewConnectionOfANodeThatRestartsQuickly) {
    SeenByNode seen;
    SimCluster cluster{options_with(lan_profile()), scripted(seen, idle)};
    ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
    cluster.crash(NodeIndex{0}, CrashLoss::all_unsynced, StopNotice::silent);
    ASSERT_TRUE(cluster.start(NodeIndex{0}).has_value());
    ASSERT_TRUE(cluster.run_for(Duration::from_ms(100)));
    const auto& events = seen[1].events;
    ASSERT_GE(events.size(), 2U);
    EXPECT_TRUE(std::holds_alternative<PeerDown>(events[events.size() - 2].first));
    EXPECT_TRUE(std::holds_alternative<PeerUp>(events.back().first));
}

TEST(SimNetwork, DeliversWhatWasUnderWayWhenItsSenderStopped) {
    SeenByNode seen;
    const Script script =
        [](const ParticipantParts& parts, const Event& event, Instant, Effects& out) {
            if (const auto* up = std::get_if<PeerUp>(&event);
                up != nullptr && parts.index.value() == 0)
                out.send(up->peer, Probe{7, false});
        };
    SimCluster cluster{options_with(degraded_profile()), scripted(seen, script)};
    const auto is_up = [&] { return !seen[0].all<PeerUp>().empty(); };
    ASSERT_TRUE(cluster.run_until(is_up, Duration::from_s(10)));
    cluster.crash(NodeIndex{0});
    ASSERT_TRUE(cluster.run_for(Duration::from_s(10)));
    std::size_t received = 0;
    for (std::uint32_t node = 1; node < 4; ++node) {
        const auto& events = seen[node].events;
        for (std::size_t i = 0; i < events.size(); ++i) {
            if (!std::holds_alternative<Received>(events[i].first)) continue;
            ++received;
            EXPECT_TRUE(std::holds_alternative<PeerDown>(events.at(i + 1).first));
        }
    }
    EXPECT_EQ(received, 1U);
}

TEST(SimNetwork, ClosesADroppedConnectionAndBarsThePairForAWhile) {
    SeenByNode seen;
    const Script script =
        [](const ParticipantParts& parts, const Event& event, Instant, Effects& out) {
            const auto* up = std::get_if<PeerUp>(&event);
            if (up == nullptr || parts.index.value() != 0) return;
            out.add(Drop{up->peer, "a test"});
            out.send(up->peer, Probe{7, false});
        };
    SimCluster cluster{options_with(lan_profile()), scripted(seen, script)};
    ASSERT_TRUE(cluster.run_for(Duration::from_ms(900)));
    EXPECT_EQ(seen[0].all<PeerUp>().size(), 3U);
    EXPECT_EQ(seen[0].all<PeerDown>().size(), 3U);
    EXPECT_EQ(seen[1].all<PeerDown>().size(), 1U);
    EXPECT_TRUE(seen[1].all<Received>().empty());
    ASSERT_TRUE(cluster.run_for(Duration::from_ms(200)));
    EXPECT_GT(seen[0].all<PeerUp>().size(), 3U) << "the bar ends";
}

TEST(SimNetwork, ConnectsOnlyWhoDialsWhenToldSo) {
    SeenByNode seen;
    const Script script =
        [](const ParticipantParts& parts, const Event& event, Instant, Effects& out) {
            if (!std::holds_alternative<Start>(event)) return;
            for (const std::string& address : parts.options.bootstrap)
                out.add(Dial{address, std::nullopt});
            if (parts.index.value() == 3) {
                out.add(Dial{"/sim/2", parts.signer.public_key()});  // Somebody else lives there.
                out.add(Dial{"/sim/99", std::nullopt});
                out.add(Dial{"/ip4/127.0.0.1/tcp/1", std::nullopt});
            }
        };
    SimOptions options = options_with(lan_profile());
    options.linking = Linking::dialled;
    SimCluster cluster{options, scripted(seen, script)};
    ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
    EXPECT_EQ(seen[0].all<PeerUp>().size(), 3U);
    for (std::uint32_t node = 1; node < 4; ++node) {
        ASSERT_EQ(seen[node].all<PeerUp>().size(), 1U);
        EXPECT_EQ(seen[node].all<PeerUp>()[0].address, "/sim/0");
    }
    cluster.block(pair_of(0, 1), true);
    ASSERT_TRUE(cluster.run_for(Duration::from_s(2)));
    cluster.heal();
    ASSERT_TRUE(cluster.run_for(Duration::from_s(2)));
    EXPECT_FALSE(cluster.connected(pair_of(0, 1))) << "nobody dialled again";
}

/// What one node saw of one peer: up and down in turn, and between them an unbroken count.
void expect_unbroken(const Seen& seen, std::uint64_t seed) {
    std::map<AgentId, std::uint64_t> expected;
    for (const auto& [event, at] : seen.events) {
        if (std::holds_alternative<Start>(event)) expected.clear();
        if (const auto* up = std::get_if<PeerUp>(&event)) {
            ASSERT_TRUE(expected.emplace(up->peer, 0).second) << "up twice, seed " << seed;
        } else if (const auto* down = std::get_if<PeerDown>(&event)) {
            ASSERT_EQ(expected.erase(down->peer), 1U) << "down twice, seed " << seed;
        } else if (const auto* received = std::get_if<Received>(&event)) {
            const auto peer = expected.find(received->from);
            ASSERT_NE(peer, expected.end()) << "a message without a connection, seed " << seed;
            const auto message = decode_message(*received->message);
            ASSERT_TRUE(message.has_value());
            ASSERT_EQ(std::get<Probe>(*message).nonce, peer->second++) << "a gap, seed " << seed;
        }
    }
}

/// One drawn fault, or its end.
void disturb(SimCluster& cluster, Prng& prng) {
    const NodeIndex node{static_cast<std::uint32_t>(prng.below(4))};
    const NodeIndex other{static_cast<std::uint32_t>((node.value() + 1 + prng.below(3)) % 4)};
    const std::vector<NodeIndex> one{node};
    const std::vector<NodeIndex> two{other};
    switch (prng.below(7)) {
        case 0:
            if (!cluster.is_up(node)) break;
            cluster.crash(
                node,
                CrashLoss::all_unsynced,
                prng.chance(1, 2) ? StopNotice::closed : StopNotice::silent
            );
            break;
        case 1:
            if (cluster.is_up(node)) break;
            EXPECT_TRUE(cluster.start(node).has_value());
            break;
        case 2:
            cluster.block({node, other}, true);
            break;
        case 3:
            cluster.cut_one_way(one, two);
            break;
        case 4: {
            const std::vector<std::vector<NodeIndex>> groups{{node, other}};
            cluster.cut(groups);
            break;
        }
        default:
            cluster.heal();
    }
}

TEST(SimNetwork, NeverShowsANodeAGapWhateverHappens) {
    std::uint64_t received = 0;
    std::uint64_t downs = 0;
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        SeenByNode seen;
        SimOptions options = options_with(seed % 2 == 0 ? wan_profile() : lan_profile());
        options.seed = seed;
        options.profile.loss_ppm = 20'000;
        SimCluster cluster{options, scripted(seen, counting(Duration::from_ms(20)))};
        Prng prng{seed};
        for (int fault = 0; fault < 40; ++fault) {
            ASSERT_TRUE(
                cluster.run_for(Duration::from_ms(static_cast<std::int64_t>(prng.between(1, 600))))
            );
            disturb(cluster, prng);
        }
        for (std::uint32_t node = 0; node < 4; ++node) {
            expect_unbroken(seen[node], seed);
            received += seen[node].all<Received>().size();
            downs += seen[node].all<PeerDown>().size();
        }
    }
    EXPECT_GT(received, 20'000U);
    EXPECT_GT(downs, 500U);
}

TEST(SimNetwork, CarriesLessThanTheBandwidthAllows) {
    SeenByNode seen;
    const Script script =
        [](const ParticipantParts& parts, const Event& event, Instant now, Effects& out) {
            if (std::holds_alternative<Start>(event)) out.add(WakeAt{now + Duration::from_ms(500)});
            if (!std::holds_alternative<Woke>(event) || parts.index.value() != 0) return;
            std::vector<AgentId> members;
            for (const Member& member : parts.options.genesis.members)
                members.push_back(member.key);
            Proposal large;
            large.block.delta.resize(2'000);
            out.send_all(members, large);
        };
    SimOptions options = options_with(lan_profile());
    options.profile.bandwidth_bps = 8'000'000;  // A byte a microsecond.
    SimCluster cluster{options, scripted(seen, script)};
    cluster.set_byzantine(NodeIndex{0});  // Its proposal means nothing.
    ASSERT_TRUE(cluster.run_for(Duration::from_s(5)));
    std::vector<Instant> arrivals;
    for (std::uint32_t node = 1; node < 4; ++node) {
        for (const auto& [event, at] : seen[node].events)
            if (std::holds_alternative<Received>(event)) arrivals.push_back(at);
    }
    ASSERT_EQ(arrivals.size(), 3U);
    const auto bytes = static_cast<std::int64_t>(cluster.network().sent_bytes / 3);
    // Through the sender's uplink in turn, and each through its own downlink.
    for (std::size_t i = 0; i < arrivals.size(); ++i) {
        const auto copies = static_cast<std::int64_t>(i) + 2;
        const Duration took = arrivals[i] - Instant::from_ns(500'000'000);
        EXPECT_GE(took, Duration::from_us(bytes * copies) + Duration::from_ms(1));
        EXPECT_LE(took, Duration::from_us(bytes * copies) + Duration::from_ms(10));
    }
}

}  // namespace
}  // namespace creto
