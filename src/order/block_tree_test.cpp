#include "order/block_tree.hpp"

#include <algorithm>
#include <gtest/gtest.h>

#include "base/prng.hpp"
#include "order/testing/blocks.hpp"

namespace creto::simplex {
namespace {

using testing::block_id;
using testing::block_on;
using testing::genesis_tip;
using testing::tip_of;

/// A chain of `views` blocks, each with one vertex.
std::vector<Block> chain_of(std::vector<std::uint64_t> views) {
    std::vector<Block> chain;
    BranchTip tip = genesis_tip();
    for (const std::uint64_t view : views) {
        chain.push_back(block_on(tip, view, 1));
        tip = tip_of(tip, chain.back());
    }
    return chain;
}

void insert(BlockTree& tree, const Block& block) {
    EXPECT_TRUE(tree.insert(block.id(), block, std::nullopt));
}

TEST(BlockTree, LinksWhateverTheOrderOfArrival) {
    const std::vector<Block> chain = chain_of({1, 2, 4, 7});
    std::vector<std::size_t> order{0, 1, 2, 3};
    do {
        BlockTree tree{genesis_tip()};
        for (const std::size_t i : order)
            insert(tree, chain[i]);
        const auto path = tree.path(chain[3].id());
        ASSERT_TRUE(path);
        EXPECT_EQ(
            *path,
            (std::vector<BlockId>{chain[0].id(), chain[1].id(), chain[2].id(), chain[3].id()})
        );
        EXPECT_EQ(tree.tip(chain[3].id())->cut->tip({Seat{3}, {}}).sequence, Sequence{4});
        EXPECT_EQ(tree.tip(chain[3].id())->height, Height{4});
    } while (std::next_permutation(order.begin(), order.end()));
}

TEST(BlockTree, NamesTheFirstBlockThatABranchLacks) {
    const std::vector<Block> chain = chain_of({1, 2, 3});
    BlockTree tree{genesis_tip()};
    EXPECT_EQ(tree.missing_ancestor(chain[2].id()), chain[2].id());
    insert(tree, chain[2]);
    EXPECT_EQ(tree.missing_ancestor(chain[2].id()), chain[1].id());
    EXPECT_FALSE(tree.path(chain[2].id()));
    insert(tree, chain[1]);
    EXPECT_EQ(tree.missing_ancestor(chain[2].id()), chain[0].id());
    insert(tree, chain[0]);
    EXPECT_FALSE(tree.missing_ancestor(chain[2].id()));
    EXPECT_FALSE(tree.missing_ancestor(tree.root().id));
}

// Everything in a block that is not checked is an attack surface. [ORD-L2.1]
TEST(BlockTree, ABlockThatDoesNotContinueItsParentIsBroken) {
    const BranchTip parent = tip_of(genesis_tip(), block_on(genesis_tip(), 3, 2));
    const Block good = block_on(parent, 5, 2);
    ASSERT_TRUE(follow(parent, good, good.id()));
    const auto broken = [&](auto change) {
        Block block = good;
        change(block);
        return !follow(parent, block, block.id()).has_value();
    };
    EXPECT_TRUE(broken([](Block& b) { b.parent = block_id("other"); }));
    EXPECT_TRUE(broken([](Block& b) { b.parent_view = View{2}; }));
    EXPECT_TRUE(broken([](Block& b) { b.view = View{3}; }));
    EXPECT_TRUE(broken([](Block& b) { b.height = Height{3}; }));
    EXPECT_TRUE(broken([](Block& b) { b.delta[0].first = Sequence{4}; }));
    EXPECT_TRUE(broken([](Block& b) { b.delta[0].first = Sequence{2}; }));
    EXPECT_TRUE(broken([](Block& b) { b.delta[0].tip = VertexId{}; }));
    EXPECT_TRUE(broken([](Block& b) { b.delta[0].last = Sequence{5}; }));
    EXPECT_TRUE(broken([](Block& b) { b.delta.clear(); }));
    EXPECT_TRUE(broken([](Block& b) { b.cut_root = {}; }));
    EXPECT_TRUE(broken([](Block& b) { b.executed.height = Height{2}; })) << "above its parent";
    EXPECT_FALSE(broken([](Block& b) { b.executed = {Height{1}, blake3({}), {}}; }));
}

// [ORD-M1.1]
TEST(BlockTree, TheExecutedMarkNeverGoesBackNorChanges) {
    Block first = block_on(genesis_tip(), 1, 1);
    first.executed.state_root = blake3({});  // The genesis state is not in the tree.
    const BranchTip one = tip_of(genesis_tip(), first);
    Block second = block_on(one, 2, 1);
    second.executed = {Height{1}, blake3({}), {}};
    const BranchTip two = tip_of(one, second);
    Block third = block_on(two, 3);
    EXPECT_TRUE(follow(two, third, third.id()));
    third.executed.order_digest = blake3({});
    EXPECT_FALSE(follow(two, third, third.id())) << "the same height, another mark";
    third.executed = one.executed;
    EXPECT_FALSE(follow(two, third, third.id())) << "back to height 0";
}

// [ORD-M4.1] So that the state at each checkpoint has a header that names it.
TEST(BlockTree, TheExecutedMarkStopsAtEachCheckpoint) {
    EXPECT_EQ(next_checkpoint(Height{}, 8), Height{8});
    EXPECT_EQ(next_checkpoint(Height{7}, 8), Height{8});
    EXPECT_EQ(next_checkpoint(Height{8}, 8), Height{16});
    BranchTip parent = tip_of(genesis_tip(), block_on(genesis_tip(), 1));
    parent.height = Height{20};
    const auto may_follow = [&](std::uint64_t from, std::uint64_t to) {
        parent.executed = {Height{from}, blake3({}), {}};
        Block block = block_on(parent, 30);
        block.executed = {Height{to}, blake3({}), {}};
        return follow(parent, block, block.id(), 8).has_value();
    };
    EXPECT_TRUE(may_follow(5, 8));
    EXPECT_FALSE(may_follow(5, 9));
    EXPECT_FALSE(may_follow(7, 16));
    EXPECT_TRUE(may_follow(8, 9));
    EXPECT_TRUE(may_follow(8, 16));
    EXPECT_FALSE(may_follow(8, 17));
}

// [ORD-L11.4]
TEST(BlockTree, JumpsToABlockWhoseBranchIsNotHere) {
    const BranchTip one = tip_of(genesis_tip(), block_on(genesis_tip(), 1));
    const Block second = block_on(one, 2);
    const BranchTip two = tip_of(one, second);
    const Block third = block_on(two, 3, 1);
    const BranchTip three = tip_of(two, third);
    const Block fourth = block_on(three, 4);
    BlockTree tree{genesis_tip()};
    insert(tree, second);  // Beside what becomes the root.
    insert(tree, fourth);
    insert(tree, third);
    tree.mark_stored(second.id());
    EXPECT_EQ(tree.tip(fourth.id()), nullptr);
    const auto pruned = tree.jump(two);
    ASSERT_EQ(pruned.size(), 1U);
    EXPECT_EQ(pruned[0].id, second.id());
    EXPECT_TRUE(pruned[0].stored);
    EXPECT_EQ(tree.root().id, second.id());
    ASSERT_NE(tree.tip(fourth.id()), nullptr);
    EXPECT_EQ(tree.tip(fourth.id())->height, Height{4});
    EXPECT_EQ(tree.path(fourth.id()), (std::vector{third.id(), fourth.id()}));
}

TEST(BlockTree, BlocksOnABrokenOneAreBroken) {
    Block bad = block_on(genesis_tip(), 1, 1);
    const Block child = block_on(tip_of(genesis_tip(), bad), 2, 1);
    bad.cut_root = {};
    Block orphan = child;
    orphan.parent = bad.id();
    for (const bool child_first : {true, false}) {
        BlockTree tree{genesis_tip()};
        if (child_first) insert(tree, orphan);
        insert(tree, bad);
        if (!child_first) insert(tree, orphan);
        EXPECT_FALSE(tree.find(orphan.id())->broken.empty());
        EXPECT_FALSE(tree.path(orphan.id()));
        EXPECT_TRUE(tree.passes_by(orphan.id()));
        EXPECT_EQ(tree.tip(orphan.id()), nullptr);
    }
}

TEST(BlockTree, RemembersTheLastBlockThatCoversAnything) {
    BranchTip tip = genesis_tip();
    EXPECT_EQ(tip.last_full, Height{});
    tip = tip_of(tip, block_on(tip, 1, 1));
    EXPECT_EQ(tip.last_full, Height{1});
    tip = tip_of(tip, block_on(tip, 2));
    EXPECT_EQ(tip.last_full, Height{1});
    EXPECT_EQ(tip.height, Height{2});
}

TEST(BlockTree, AdvancingDropsEveryOtherBranch) {
    const std::vector<Block> chain = chain_of({1, 2, 6});
    const Block rival = block_on(genesis_tip(), 3, 2);
    const Block rivals_child = block_on(tip_of(genesis_tip(), rival), 4, 1);
    BlockTree tree{genesis_tip()};
    for (const Block& block : {chain[0], chain[1], chain[2], rival, rivals_child})
        insert(tree, block);
    tree.mark_stored(rivals_child.id());
    tree.mark_stored(chain[0].id());
    const auto pruned = tree.advance(chain[0].id());
    EXPECT_EQ(tree.root().height, Height{1});
    EXPECT_EQ(tree.size(), 2U);
    ASSERT_EQ(pruned.size(), 3U);
    const auto stored =
        std::count_if(pruned.begin(), pruned.end(), [](auto& p) { return p.stored; });
    EXPECT_EQ(stored, 2);
    EXPECT_TRUE(tree.path(chain[2].id()));
    EXPECT_FALSE(tree.insert(rival.id(), rival, std::nullopt)) << "at or below the root";
    EXPECT_TRUE(tree.insert(rivals_child.id(), rivals_child, std::nullopt));
    EXPECT_TRUE(tree.passes_by(rivals_child.id()));
    EXPECT_FALSE(tree.passes_by(chain[2].id()));
    static_cast<void>(tree.advance(chain[2].id()));
    EXPECT_EQ(tree.size(), 0U);
}

TEST(BlockTree, HoldsNoMoreThanItsLimitAndNeverLosesWhatItKeeps) {
    BlockTree tree{genesis_tip()};
    const Block kept = block_on(genesis_tip(), 1, 1);
    insert(tree, kept);
    tree.keep(kept.id());
    for (std::uint64_t view = 2; view < 2 + 2 * limits::pending_blocks_max; ++view)
        insert(tree, block_on(genesis_tip(), view, 1));
    EXPECT_EQ(tree.size(), limits::pending_blocks_max);
    EXPECT_EQ(tree.evicted(), limits::pending_blocks_max + 1);
    EXPECT_NE(tree.find(kept.id()), nullptr);
    const Block newest = block_on(genesis_tip(), 1 + 2 * limits::pending_blocks_max, 1);
    EXPECT_NE(tree.find(newest.id()), nullptr) << "the lowest views go first";
}

// Random branches, random order, random finalisations: the root's descendants are all that is left.
TEST(BlockTree, HoldsExactlyWhatDescendsFromTheRoot) {
    Prng prng{9};
    for (int run = 0; run < 100; ++run) {
        BlockTree tree{genesis_tip()};
        std::vector<BranchTip> tips{genesis_tip()};
        std::map<BlockId, BlockId> parent_of;
        for (std::uint64_t view = 1; view <= 40; ++view) {
            const BranchTip parent =
                tips[tips.size() - 1 - prng.below(std::min<std::size_t>(4, tips.size()))];
            const Block block = block_on(parent, view, prng.below(2));
            parent_of[block.id()] = block.parent;
            tips.push_back(tip_of(parent, block));
            tree.insert(block.id(), block, std::nullopt);
        }
        const auto descends = [&](BlockId id, const BlockId& from) {
            while (id != from && parent_of.contains(id))
                id = parent_of.at(id);
            return id == from;
        };
        const BranchTip root = tips[prng.between(1, 40)];
        static_cast<void>(tree.advance(root.id));
        for (const BranchTip& tip : tips) {
            const bool alive = tip.id != root.id && descends(tip.id, root.id);
            ASSERT_EQ(tree.find(tip.id) != nullptr, alive) << "run " << run;
            ASSERT_EQ(tree.path(tip.id).has_value(), alive || tip.id == root.id);
        }
    }
}

}  // namespace
}  // namespace creto::simplex
