// A forked lane of which the short branch becomes final while others have seen the long one.
#include <gtest/gtest.h>

#include "sim/byzantine/deviation.hpp"
#include "sim/cluster.hpp"
#include "sim/node_participant.hpp"
#include "sim/testing/asking.hpp"

namespace creto {
namespace {

using sim_testing::at;

/// Shows its lane to everybody but the first node, which gets another first vertex and no more. If
/// the first node has its own branch covered, that branch ends below what the others refer to.
class ShortForTheFirst final : public Deviation {
public:
    using Deviation::Deviation;

protected:
    void on_sending(Send send, const Message& message, std::vector<Effect>& out) override {
        const auto* batch = std::get_if<VertexBatch>(&message);
        if (batch == nullptr || send.to != roster().members()[0].key) {
            out.push_back(std::move(send));
            return;
        }
        VertexBatch shown;
        for (const VertexPtr& vertex : batch->vertices) {
            const VertexHeader& header = vertex->header();
            if (header.lane.seat != *seat()) {
                shown.vertices.push_back(vertex);
            } else if (header.sequence == Sequence{1}) {
                VertexHeader other = header;
                other.author_unix_ms += 1;
                shown.vertices.push_back(
                    SealedVertex::make(other, vertex->operations(), roster().chain(), signer())
                );
            }
        }
        if (!shown.vertices.empty()) out.push_back(replace(std::move(send), shown));
    }
};

Submit add(const std::string& key, Reading reading) {
    if (reading == Reading::causal) return {CrdtOperation{.key = key, .amount = 1}, reading};
    return {KeyOperation{KeyOperation::Action::add, key, {}, 1}, reading, Duration::from_s(60)};
}

// [ORD-L6.1] [COURT-CLOSE.1]
TEST(ClosedLane, AForkedLaneHoldsUpNobodyElse) {
    std::size_t ended_short = 0;
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        SimOptions options;
        options.seed = seed;
        options.node_count = 4;
        const ParticipantFactory honest = honest_nodes();
        const auto factory = [&honest](const ParticipantParts& parts) {
            std::unique_ptr<Participant> node = honest(parts);
            if (parts.index == at(3))
                node = std::make_unique<ShortForTheFirst>(std::move(node), parts);
            return node;
        };
        SimCluster cluster{options, factory};
        cluster.set_byzantine(at(3));
        for (int i = 0; i < 8; ++i) {
            (void)cluster.submit(at(3), add("causal/liar", Reading::causal));
            (void)cluster.submit(at(1), add("causal/n", Reading::causal));
            (void)cluster.submit(at(2), add("causal/n", Reading::causal));
            ASSERT_TRUE(cluster.run_for(Duration::from_ms(60))) << cluster.violation();
        }
        cluster.crash(at(3));
        std::vector<Ticket> writes;
        for (const std::uint32_t node : {0U, 1U, 2U})
            writes.push_back(cluster.submit(at(node), add("final/n", Reading::final)));
        const bool done = cluster.run_until(
            [&] {
                return std::all_of(writes.begin(), writes.end(), [&](Ticket ticket) {
                    const ReplyBody* reply = cluster.reply(ticket);
                    return reply != nullptr && std::holds_alternative<SubmitReply>(*reply);
                });
            },
            Duration::from_s(60)
        );
        ASSERT_TRUE(done) << "seed " << seed << ": " << cluster.violation();
        ended_short += cluster.node(at(1))->status().counters.contains("evidence") ? 1 : 0;
    }
    EXPECT_GT(ended_short, 3U) << "otherwise this shows nothing";
}

// Without a quorum nothing decides between the branches, so neither counts, whoever saw which first.
TEST(ClosedLane, AForkedLanesWritesDoNotCountAboveTheCut) {
    SimOptions options;
    options.node_count = 7;
    const ParticipantFactory honest = honest_nodes();
    const auto factory = [&honest](const ParticipantParts& parts) {
        std::unique_ptr<Participant> node = honest(parts);
        if (parts.index == at(3)) node = std::make_unique<ShortForTheFirst>(std::move(node), parts);
        return node;
    };
    SimCluster cluster{options, factory};
    cluster.set_byzantine(at(3));
    ASSERT_TRUE(cluster.run_for(Duration::from_s(2))) << cluster.violation();
    const std::vector<std::vector<NodeIndex>> sides{
        {at(0), at(1), at(2), at(3)}, {at(4), at(5), at(6)}};
    cluster.cut(sides);
    ASSERT_TRUE(cluster.run_for(Duration::from_s(3))) << cluster.violation();
    for (int i = 0; i < 3; ++i) {
        (void)cluster.submit(at(3), add("causal/liar", Reading::causal));
        (void)cluster.submit(at(1), add("causal/n", Reading::causal));
        ASSERT_TRUE(cluster.run_for(Duration::from_s(5))) << cluster.violation();
    }
    for (const std::uint32_t node : {0U, 1U, 2U}) {
        EXPECT_TRUE(cluster.node(at(node))->status().counters.contains("evidence"));
        const auto counted = [&](const char* key) {
            const Ticket ticket = cluster.submit(at(node), ReadKey{key});
            (void)cluster.run_for(Duration::from_ms(100));
            const ReplyBody* reply = cluster.reply(ticket);
            const auto* read = reply == nullptr ? nullptr : std::get_if<KeyReply>(reply);
            return read == nullptr ? -1 : read->counter.value_or(0);
        };
        EXPECT_EQ(counted("causal/liar"), 0) << "node " << node;
        EXPECT_EQ(counted("causal/n"), 3) << "node " << node;
    }
}

}  // namespace
}  // namespace creto
