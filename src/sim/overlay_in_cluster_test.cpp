// Whole nodes among so many agents that not everybody is linked with everybody: four have a seat.
#include <gtest/gtest.h>

#include "mesh/overlay.hpp"
#include "sim/cluster.hpp"
#include "sim/node_participant.hpp"
#include "sim/testing/asking.hpp"
#include "tools/builtins.hpp"

namespace creto {
namespace {

using sim_testing::ask;
using sim_testing::at;

constexpr std::uint32_t agents = 160;
constexpr std::uint32_t overlay_seats = 4;

std::uint32_t links_of(const SimCluster& cluster, std::uint32_t node) {
    std::uint32_t links = 0;
    for (std::uint32_t other = 0; other < agents; ++other)
        links += other != node && cluster.connected({at(node), at(other)}) ? 1 : 0;
    return links;
}

// [MESH-DRAW.1] [MESH-SLOTS.1]
TEST(OverlayInCluster, ManyNodesHaveFewLinksAndStillDoAllThatTheyDid) {
    SimOptions options;
    options.seed = 1;
    options.node_count = agents;
    options.seat_count = overlay_seats;
    options.linking = Linking::dialled;
    Registry tools = builtin_registry();
    options.tools[at(150)] = {tools.snapshot(), Duration::from_ms(1), {}};
    SimCluster cluster{options, honest_nodes()};
    const auto all_know_all = [&] {
        for (std::uint32_t i = 0; i < agents; ++i)
            if (cluster.node(at(i))->status().counters.at("agents_known") != agents) return false;
        return true;
    };
    for (int i = 0; i < 60 && !all_know_all(); ++i)
        ASSERT_TRUE(cluster.run_for(Duration::from_ms(500))) << cluster.violation();
    ASSERT_TRUE(all_know_all());
    ASSERT_TRUE(cluster.run_for(Duration::from_s(10))) << cluster.violation();

    std::optional<std::uint32_t> far;  // Whom agent 150 has no link with.
    for (std::uint32_t i = overlay_seats; i < agents; ++i) {
        const std::uint32_t links = links_of(cluster, i);
        EXPECT_LE(
            links,
            overlay_seats + Overlay::candidates_max + Overlay::strays_max + Overlay::children_max +
                Overlay::strangers_max
        ) << i;
        EXPECT_GE(links, overlay_seats + Overlay::candidates_max) << i;
        for (std::uint32_t seat = 0; seat < overlay_seats; ++seat)
            EXPECT_TRUE(cluster.connected({at(i), at(seat)})) << i;
        if (i != 150 && !cluster.connected({at(i), at(150)})) far = i;
    }
    ASSERT_TRUE(far.has_value());

    // A write of an agent without a seat, and a call of an agent without a link.
    const ReplyBody written =
        ask(cluster, at(*far), Submit{KeyOperation{KeyOperation::Action::add, "final/n", {}, 1}});
    ASSERT_TRUE(std::holds_alternative<SubmitReply>(written));
    EXPECT_TRUE(std::get<SubmitReply>(written).applied);
    const CallTool call{"add", R"({"a":10,"b":20})", cluster.agent(at(150)), Duration::from_s(5)};
    const ReplyBody called = ask(cluster, at(*far), call);
    ASSERT_TRUE(std::holds_alternative<CallReply>(called));
    EXPECT_EQ(std::get<CallReply>(called).result, "30");
    for (std::uint32_t i = 140; i < agents; ++i) {
        const ReplyBody anybody =
            ask(cluster, at(i), CallTool{"add", R"({"a":1,"b":2})", {}, Duration::from_s(5)});
        EXPECT_TRUE(std::holds_alternative<CallReply>(anybody))
            << i << " calls the only one that offers it";
    }

    // Who is gone is found dead by all while his record counts, and a call of him says so.
    cluster.crash(at(*far), CrashLoss::all_unsynced, StopNotice::silent);
    ASSERT_TRUE(cluster.run_for(Duration::from_s(20))) << cluster.violation();
    for (std::uint32_t i = 0; i < agents; ++i) {
        if (i == *far) continue;
        const ReplyBody said = ask(cluster, at(i), AskPeers{});
        std::size_t dead = 0;
        for (const PeerView& peer : std::get<PeersReply>(said).peers) {
            if (peer.state == AgentState::alive) continue;
            EXPECT_EQ(peer.agent, cluster.agent(at(*far))) << "node " << i << " blames another";
            dead += peer.state == AgentState::dead ? 1 : 0;
        }
        EXPECT_EQ(dead, 1U) << i;
    }
    const ReplyBody silence =
        ask(cluster,
            at(150),
            CallTool{"add", R"({"a":1,"b":2})", cluster.agent(at(*far)), Duration::from_s(5)});
    EXPECT_TRUE(std::holds_alternative<Error>(silence));
}

}  // namespace
}  // namespace creto
