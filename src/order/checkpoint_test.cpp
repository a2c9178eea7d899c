// Ordering around checkpoints: marks stop at them, restarts begin at them, and so do joiners.
#include <gtest/gtest.h>

#include "order/keys.hpp"
#include "order/testing/cluster.hpp"

namespace creto::simplex::testing {
namespace {

constexpr std::uint32_t span = 8;

/// A chain of some spans that four seats made, with what executing each height gave.
class Spans {
public:
    explicit Spans(std::uint64_t seed)
        : cluster{
              {.n = 4,
               .seed = seed,
               .loss_percent = 3,
               .observers = 1,
               .checkpoint_blocks = span}} {
        for (Index i = 0; i < 4; ++i)
            cluster.start(i);
        for (int k = 0; k < 150; ++k) {
            cluster.produce(static_cast<Index>(cluster.prng().below(4)));
            cluster.run_for(Duration::from_ms(20));
        }
        EXPECT_TRUE(cluster.run_until_ordered(Duration::from_s(10))) << "seed " << seed;
        cluster.run_for(Duration::from_s(5));  // Heartbeats bring the last ones to the store.
        for (Height h{1}; h <= cluster.ordering(0).finalized_height(); ++h) {
            const auto bytes = *cluster.node(0).disk.get(Column::blocks, final_block_key(h));
            if (!bytes) break;
            chain.push_back(decode_exact<StoredBlock>(*bytes).value());
            Hasher root{HashDomain::state_node};
            const ExecutedMark& before = marks.back();
            root.update(before.state_root).update(chain.back().block.id().value());
            marks.push_back({h, root.finish(), chain.back().block.id().value()});
            Cut cut = *cuts.back();
            creto::apply(cut, chain.back().block.delta);
            cuts.push_back(std::make_shared<const Cut>(std::move(cut)));
        }
    }
    [[nodiscard]] const Block& block(std::uint64_t height) const { return chain[height - 1].block; }
    [[nodiscard]] Anchor anchor(std::uint64_t height) const {
        return {block(height), cuts[height], marks[height]};
    }
    /// The last checkpoint that seat 0 can prove, with that proof.
    [[nodiscard]] OfferedCheckpoint offer() {
        for (std::uint64_t height = chain.size() / span * span; height > 0; height -= span) {
            const auto proof = cluster.ordering(0).prove(marks[height]);
            if (!proof) continue;
            OfferedCheckpoint made;
            made.checkpoint.block = block(height);
            made.checkpoint.mark = marks[height];
            made.proof = *proof;
            return made;
        }
        ADD_FAILURE() << "no checkpoint is proven";
        return {};
    }

    Cluster cluster;
    std::vector<StoredBlock> chain;
    std::vector<ExecutedMark> marks{ExecutedMark{}};
    std::vector<std::shared_ptr<const Cut>> cuts{std::make_shared<const Cut>()};
};

// [ORD-M4.1]
TEST(CheckpointOrder, EveryCheckpointIsNamedByALaterBlock) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        const Spans s{seed};
        ASSERT_GT(s.chain.size(), 5 * span);
        for (std::uint64_t height = span; height + 8 < s.chain.size(); height += span) {
            bool named = false;
            for (const StoredBlock& stored : s.chain)
                named = named || stored.block.executed == s.marks[height];
            EXPECT_TRUE(named) << "height " << height << " seed " << seed;
        }
    }
}

// [ORD-R7.1] The same chain from there on, and the seat goes on with the others.
TEST(CheckpointOrder, ARestartReadsTheChainFromTheHeightAfterIt) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        Spans s{seed};
        Cluster& c = s.cluster;
        c.crash(0);
        const std::uint64_t height = (s.chain.size() / span - 1) * span;
        const auto again = c.make_ordering(0);
        std::vector<FinalizedBlock> taken;
        const auto take = [&](std::vector<FinalizedBlock> blocks) -> Result<void> {
            for (FinalizedBlock& block : blocks)
                taken.push_back(std::move(block));
            return {};
        };
        const auto restored =
            again->restore(c.node(0).disk, c.node(0).disk.votes, take, s.anchor(height));
        ASSERT_TRUE(restored.has_value()) << restored.error().message;
        ASSERT_FALSE(taken.empty());
        EXPECT_EQ(taken.front().block.height, Height{height + 1});
        EXPECT_EQ(*taken.front().parent_cut, *s.cuts[height]);
        for (const FinalizedBlock& block : taken)
            EXPECT_EQ(*block.cut_after, *s.cuts[block.block.height.value()]);
        EXPECT_EQ(again->finalized_height(), taken.back().block.height);
        EXPECT_EQ(again->finalized_id(), c.chain().at(again->finalized_height()));
        EXPECT_FALSE(again->halted());
    }
}

// [ORD-L11.4] The store has one finalisation in 64 heights; that of the tip is in memory.
TEST(CheckpointOrder, WhoRestartedAtTheTipProvesTheCheckpointBefore) {
    Spans s{3};
    Cluster& c = s.cluster;
    c.crash(0);
    const std::uint64_t tip = s.chain.size();
    const std::uint64_t height = (tip / span - 1) * span;
    const auto again = c.make_ordering(0);
    const auto taken = [](std::vector<FinalizedBlock>) -> Result<void> { return {}; };
    ASSERT_TRUE(again->restore(c.node(0).disk, c.node(0).disk.votes, taken, s.anchor(tip)));
    std::vector<StoredBlock> stored{s.chain.begin() + static_cast<long>(height) - 1, s.chain.end()};
    for (StoredBlock& block : stored)
        block.finalization.reset();
    const auto proof = again->prove(s.marks[height], stored);
    ASSERT_TRUE(proof.has_value());
    OfferedCheckpoint offered;
    offered.checkpoint.block = s.block(height);
    offered.checkpoint.mark = s.marks[height];
    offered.proof = *proof;
    EXPECT_TRUE(check_items(offered, c.roster()).has_value());
    EXPECT_EQ(proof->blocks.back().height, Height{tip});
    EXPECT_FALSE(again->prove(s.marks[height]).has_value()) << "that height is in the store only";
    EXPECT_FALSE(again->prove(s.marks[tip], {}).has_value()) << "nothing names the tip's mark yet";
}

// [ORD-L11.4]
TEST(CheckpointOrder, ABlockProvesACheckpointOnlyIfAllOfItFits) {
    Spans s{2};
    const Roster& roster = s.cluster.roster();
    const OfferedCheckpoint good = s.offer();
    ASSERT_TRUE(check_items(good, roster).has_value());
    EXPECT_TRUE(CheckPass::verify(s.cluster.seats().scheme, *check_items(good, roster)).has_value()
    );
    const auto refused = [&](auto change) {
        OfferedCheckpoint bad = good;
        change(bad);
        return !check_items(bad, roster).has_value();
    };
    EXPECT_TRUE(refused([](auto& o) { o.proof.finalization.reset(); }));
    EXPECT_TRUE(refused([](auto& o) { o.proof.blocks.erase(o.proof.blocks.begin()); }));
    EXPECT_TRUE(refused([](auto& o) { o.proof.blocks.pop_back(); })) << "not what was finalised";
    EXPECT_TRUE(refused([](auto& o) { o.checkpoint.mark.state_root = blake3({}); })) << "not named";
    EXPECT_TRUE(refused([](auto& o) { o.proof.blocks.clear(); }));
    EXPECT_TRUE(refused([&](auto& o) {
        // Its own block, with proof and mark, but where no checkpoint lies.
        const std::uint64_t height = o.checkpoint.height().value() - 3;
        o.checkpoint.block = s.block(height);
        o.checkpoint.mark = s.marks[height];
        for (std::uint64_t h = o.proof.blocks.front().height.value() - 1; h >= height; --h)
            o.proof.blocks.insert(o.proof.blocks.begin(), s.block(h));
    }));
}

// [ORD-L11.4] The joiner follows and hands out what comes after, in order; below it serves nothing.
TEST(CheckpointOrder, AJoinerGoesOnFromACheckpoint) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        Spans s{seed};
        Cluster& c = s.cluster;
        const OfferedCheckpoint offered = s.offer();
        const std::uint64_t height = offered.checkpoint.height().value();
        const auto joiner = c.make_ordering(4);
        Effects effects;
        ASSERT_TRUE(joiner->restore(c.node(4).disk, c.node(4).disk.votes).has_value());
        joiner->start(c.now(), effects);
        joiner->on_peer_up(c.agent(0), c.now(), effects);
        joiner->adopt(
            s.anchor(height), {offered.proof, CheckPass::own()}, c.agent(0), c.now(), effects
        );
        EXPECT_FALSE(joiner->halted()) << *joiner->halted();
        EXPECT_EQ(joiner->finalized_height(), offered.proof.blocks.back().height);
        const auto blocks = joiner->take_finalized();
        ASSERT_FALSE(blocks.empty());
        EXPECT_EQ(blocks.front().block.height, Height{height + 1});
        for (const FinalizedBlock& block : blocks) {
            EXPECT_EQ(*block.cut_after, *s.cuts[block.block.height.value()]);
            joiner->on_executed(s.marks[block.block.height.value()], c.now(), effects);
        }
        EXPECT_FALSE(joiner->halted()) << *joiner->halted();
        joiner->keep_from(Height{height + 1});
        effects.take();
        joiner->on_chain_request(c.agent(0), {Height{height}, 9, {}}, c.now(), effects);
        EXPECT_EQ(joiner->take_unserved(), (std::vector{c.agent(0)}));
        EXPECT_TRUE(joiner->take_unserved().empty());
        joiner->on_chain_request(c.agent(0), {Height{height + 1}, 9, {}}, c.now(), effects);
        EXPECT_TRUE(joiner->take_unserved().empty());
    }
}

// [ORD-M3.1]
TEST(CheckpointOrder, AStateThatAFinalBlockContradictsStopsTheNode) {
    Spans s{1};
    Cluster& c = s.cluster;
    const OfferedCheckpoint offered = s.offer();
    Anchor anchor = s.anchor(offered.checkpoint.height().value());
    anchor.mark.state_root = blake3({});
    const auto joiner = c.make_ordering(4);
    Effects effects;
    ASSERT_TRUE(joiner->restore(c.node(4).disk, c.node(4).disk.votes).has_value());
    joiner->start(c.now(), effects);
    joiner->adopt(anchor, {offered.proof, CheckPass::own()}, c.agent(0), c.now(), effects);
    EXPECT_TRUE(joiner->halted());
}

}  // namespace
}  // namespace creto::simplex::testing
