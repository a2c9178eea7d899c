// Checkpoints of whole nodes: a restart begins at one, history is dropped, and whoever needs what was
// dropped takes the state over, also beside liars.
#include <gtest/gtest.h>

#include "sim/cluster.hpp"
#include "sim/node_participant.hpp"
#include "sim/testing/asking.hpp"
#include "store/keys.hpp"

namespace creto {
namespace {

using sim_testing::at;

constexpr std::uint32_t span = 8;

SimOptions checkpointed(std::uint32_t count, std::uint64_t seed, std::uint64_t keep_blocks = 0) {
    SimOptions options;
    options.seed = seed;
    options.node_count = count;
    options.checkpoint_blocks = span;
    options.configure = [keep_blocks](NodeIndex /*node*/, NodeOptions& node) {
        node.keep_blocks = keep_blocks;
        node.checkpoint_share = 0;
    };
    return options;
}

/// Counts `final/n` and `causal/n` up at the node, one after the other.
void write(SimCluster& cluster, std::uint32_t node, int times) {
    for (int i = 0; i < times; ++i) {
        (void)cluster.submit(
            at(node),
            Submit{
                KeyOperation{KeyOperation::Action::add, "final/n", {}, 1},
                Reading::final,
                Duration::from_s(20)}
        );
        (void)cluster.submit(
            at(node),
            Submit{
                CrdtOperation{CrdtOperation::Action::counter_add, "causal/n", 1, {}, {}},
                Reading::causal,
                Duration::from_s(20)}
        );
        ASSERT_TRUE(cluster.run_for(Duration::from_ms(200))) << cluster.violation();
    }
}

std::string read_at(SimCluster& cluster, std::uint32_t node, const std::string& key) {
    const Ticket ticket = cluster.submit(at(node), ReadKey{key});
    (void)cluster.run_until([&] { return cluster.reply(ticket) != nullptr; }, Duration::from_s(9));
    const ReplyBody* reply = cluster.reply(ticket);
    const auto* found = reply == nullptr ? nullptr : std::get_if<KeyReply>(reply);
    if (found == nullptr) return cluster.violation();
    if (found->counter) return std::to_string(*found->counter);
    return found->values.empty() ? "none" : std::string{as_text(found->values[0])};
}

std::uint64_t counter(const SimCluster& cluster, std::uint32_t node, const std::string& name) {
    const auto counters = cluster.node(at(node))->status().counters;
    const auto found = counters.find(name);
    return found == counters.end() ? 0 : found->second;
}

void expect_everywhere(SimCluster& cluster, std::uint32_t count, int value, std::uint64_t seed) {
    for (std::uint32_t node = 0; node < count; ++node) {
        EXPECT_EQ(read_at(cluster, node, "final/n"), std::to_string(value))
            << "node " << node << " seed " << seed;
        EXPECT_EQ(read_at(cluster, node, "causal/n"), std::to_string(value))
            << "node " << node << " seed " << seed;
    }
}

// [ORD-R7.1]
TEST(CheckpointInCluster, ARestartBeginsThereAndGoesOn) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        SimCluster cluster{checkpointed(4, seed), honest_nodes()};
        ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
        write(cluster, 1, 40);
        const Height before = cluster.node(at(1))->status().checkpoint;
        EXPECT_GE(before, Height{span});
        cluster.crash(at(1));
        ASSERT_TRUE(cluster.start(at(1)).has_value());
        const StatusReply status = cluster.node(at(1))->status();
        EXPECT_GT(status.checkpoint, Height{}) << seed;
        EXPECT_LE(status.finalized.value() - status.checkpoint.value(), 2 * span)
            << "no more than lies above it was executed";
        EXPECT_LE(counter(cluster, 1, "vertices_complete"), 4 * span) << "of 80 and more";
        ASSERT_TRUE(cluster.run_for(Duration::from_s(2)));
        write(cluster, 1, 10);
        ASSERT_TRUE(cluster.run_for(Duration::from_s(3))) << cluster.violation();
        expect_everywhere(cluster, 4, 50, seed);
        EXPECT_EQ(
            cluster.node(at(1))->status().operations_final,
            cluster.node(at(2))->status().operations_final
        );
    }
}

// All at once, again and again, at whatever height that is: nobody knows marks below its checkpoint,
// and they must still agree on the next block. [ORD-M2.1]
TEST(CheckpointInCluster, ANetworkThatWasKilledAsAWholeGoesOn) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        SimCluster cluster{checkpointed(4, seed), honest_nodes()};
        ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
        int written = 0;
        for (int turn = 1; turn <= 12; ++turn) {
            write(cluster, static_cast<std::uint32_t>(turn % 4), 3);
            written += 3;
            ASSERT_TRUE(cluster.run_for(Duration::from_ms(600 + 37 * turn)));
            for (std::uint32_t node = 0; node < 4; ++node)
                cluster.crash(at(node));
            for (std::uint32_t node = 0; node < 4; ++node)
                ASSERT_TRUE(cluster.start(at(node)).has_value());
            ASSERT_TRUE(cluster.run_for(Duration::from_s(2))) << cluster.violation();
        }
        ASSERT_TRUE(cluster.run_for(Duration::from_s(5))) << cluster.violation();
        EXPECT_GT(cluster.node(at(0))->status().checkpoint, Height{2 * span});
        expect_everywhere(cluster, 4, written, seed);
    }
}

// [ORD-L11.4]
TEST(CheckpointInCluster, WhoeverWasAwayForLongTakesTheStateOver) {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        const bool is_wiped = seed % 2 == 0;
        SimCluster cluster{checkpointed(4, seed, 10), honest_nodes()};
        ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
        write(cluster, 3, 5);
        cluster.crash(at(3));
        write(cluster, 0, 60);
        const StatusReply there = cluster.node(at(0))->status();
        ASSERT_GT(there.kept_from, Height{2 * span}) << "history is dropped";
        EXPECT_GT(counter(cluster, 0, "history_dropped"), 0U);
        if (is_wiped) cluster.disk(at(3)).wipe();
        ASSERT_TRUE(cluster.start(at(3)).has_value());
        ASSERT_TRUE(cluster.run_for(Duration::from_s(15))) << cluster.violation();
        EXPECT_EQ(counter(cluster, 3, "checkpoints_adopted"), 1U) << seed;
        EXPECT_GT(cluster.node(at(3))->status().kept_from, Height{span});
        write(cluster, 0, 10);
        write(cluster, 3, 5);  // Its lane goes on where it was, or the next one begins.
        ASSERT_TRUE(cluster.run_for(Duration::from_s(5))) << cluster.violation();
        expect_everywhere(cluster, 4, 80, seed);
        // What it took over is durable: it begins there when it starts again.
        cluster.crash(at(3));
        ASSERT_TRUE(cluster.start(at(3)).has_value());
        EXPECT_GE(cluster.node(at(3))->status().checkpoint, there.kept_from) << seed;
        ASSERT_TRUE(cluster.run_for(Duration::from_s(5))) << cluster.violation();
        expect_everywhere(cluster, 4, 80, seed);
    }
}

// One seat has dropped its history and offers a checkpoint; the others still have all. Whoever was away
// executes what they bring, and keeps its own history.
TEST(CheckpointInCluster, NobodyTakesAStateOverWhoCanGoOnExecuting) {
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        SimOptions options = checkpointed(4, seed);
        options.configure = [](NodeIndex node, NodeOptions& of_node) {
            of_node.checkpoint_share = 0;
            if (node == at(1)) of_node.keep_blocks = 10;
        };
        SimCluster cluster{options, honest_nodes()};
        ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
        cluster.crash(at(3));
        write(cluster, 0, 60);
        ASSERT_GT(cluster.node(at(1))->status().kept_from, Height{2 * span});
        ASSERT_TRUE(cluster.start(at(3)).has_value());
        ASSERT_TRUE(cluster.run_for(Duration::from_s(10))) << cluster.violation();
        EXPECT_EQ(counter(cluster, 3, "checkpoints_adopted"), 0U) << seed;
        EXPECT_EQ(cluster.node(at(3))->status().kept_from, Height{1}) << seed;
        expect_everywhere(cluster, 4, 60, seed);
    }
}

/// Hands out checkpoints whose parts are not what they should be.
class FalseParts final : public Participant {
public:
    explicit FalseParts(std::unique_ptr<Participant> inner) : inner_{std::move(inner)} {}
    Result<void> restore(const StoreView& store, const VoteLogContents& votes) override {
        return inner_->restore(store, votes);
    }
    std::vector<Effect> on_event(const Event& event, Instant now) override {
        std::vector<Effect> effects = inner_->on_event(event, now);
        for (Effect& effect : effects) {
            auto* send = std::get_if<Send>(&effect);
            if (send == nullptr) continue;
            Message said = *send->message.decoded();
            // As a whole it fits the digests that this node offers, and is still no agreed state.
            if (auto* offered = std::get_if<OfferedCheckpoint>(&said)) {
                for (Digest& part : offered->checkpoint.parts)
                    part = hash(HashDomain::checkpoint_part, to_bytes("lie"));
            } else if (auto* part = std::get_if<CheckpointPart>(&said)) {
                part->bytes = to_bytes("lie");
            } else {
                continue;
            }
            send->message = encode_message(said);
        }
        return effects;
    }
    void reuse(std::vector<Effect> spent) override { inner_->reuse(std::move(spent)); }
    [[nodiscard]] const Node* node() const override { return inner_->node(); }

private:
    std::unique_ptr<Participant> inner_;
};

TEST(CheckpointInCluster, ALiarsStateIsNotTaken) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        const ParticipantFactory honest = honest_nodes();
        SimCluster cluster{
            checkpointed(4, seed, 10),
            [&](const ParticipantParts& parts) -> std::unique_ptr<Participant> {
                auto node = honest(parts);
                if (parts.index != at(1)) return node;
                return std::make_unique<FalseParts>(std::move(node));
            }};
        cluster.set_byzantine(at(1));
        ASSERT_TRUE(cluster.run_for(Duration::from_s(1)));
        cluster.crash(at(3));
        write(cluster, 0, 60);
        ASSERT_TRUE(cluster.start(at(3)).has_value());
        ASSERT_TRUE(cluster.run_for(Duration::from_s(20))) << cluster.violation();
        EXPECT_EQ(counter(cluster, 3, "checkpoints_adopted"), 1U) << seed;
        expect_everywhere(cluster, 4, 60, seed);
    }
}

}  // namespace
}  // namespace creto
