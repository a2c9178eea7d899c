// A proof that a node made in a minority reaches everybody when the cut is over.
#include <algorithm>
#include <gtest/gtest.h>

#include "sim/cluster.hpp"
#include "sim/node_participant.hpp"

namespace creto {
namespace {

bool has_excluded(SimCluster& cluster, NodeIndex node, NodeIndex liar) {
    const Ticket ticket = cluster.submit(node, AskReputation{});
    cluster.run_for(Duration::from_us(1));
    const ReplyBody* reply = cluster.reply(ticket);
    const auto* known = reply == nullptr ? nullptr : std::get_if<ReputationReply>(reply);
    return known != nullptr &&
           std::any_of(known->agents.begin(), known->agents.end(), [&](const auto& view) {
               return view.agent == cluster.agent(liar) && view.excluded;
           });
}

/// A liar that tells one witness two stories, apart from the others, and then is gone; false when it
/// was not its turn to say anything.
bool lie_and_vanish(SimCluster& cluster, NodeIndex witness, NodeIndex liar) {
    std::vector<NodeIndex> apart;
    for (std::uint32_t node = 0; node < cluster.size(); ++node)
        if (NodeIndex{node} != witness && NodeIndex{node} != liar) apart.emplace_back(node);
    for (std::uint32_t node = 0; node < cluster.size(); ++node)
        EXPECT_TRUE(cluster.start(NodeIndex{node}).has_value());
    // A seat with an empty log hears the others before its first vote, and that is a heartbeat away.
    EXPECT_TRUE(cluster.run_for(Duration::from_s(1)));
    cluster.cut(std::vector<std::vector<NodeIndex>>{{witness, liar}, apart});
    const auto has_proof = [&] {
        return cluster.node(witness)->status().counters.contains("evidence");
    };
    if (!cluster.run_until(has_proof, Duration::from_s(10))) return false;
    cluster.crash(liar);
    cluster.heal();
    return true;
}

TEST(Evidence, OfAMinorityIsFinalOnceTheCutIsOver) {
    std::uint32_t lied = 0;
    for (std::uint32_t liar = 0; liar < 4; ++liar) {
        SimOptions options;
        options.seed = 11;
        options.node_count = 4;
        options.starts_all = false;
        options.attacks = {{NodeIndex{liar}, Attack::open_equivocation}};
        SimCluster cluster{options, honest_nodes()};
        const NodeIndex witness{(liar + 1) % 4};
        if (!lie_and_vanish(cluster, witness, NodeIndex{liar})) continue;
        ++lied;
        cluster.run_for(Duration::from_s(20));
        EXPECT_EQ(cluster.violation(), "");
        for (std::uint32_t node = 0; node < 4; ++node) {
            if (node == liar) continue;
            EXPECT_TRUE(has_excluded(cluster, NodeIndex{node}, NodeIndex{liar})) << node;
        }
    }
    EXPECT_GT(lied, 0U);
}

}  // namespace
}  // namespace creto
