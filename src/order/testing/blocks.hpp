// Blocks for tests: each continues a branch, with whatever the test changes.
#pragma once

#include "order/block_tree.hpp"
#include "order/testing/fake_lanes.hpp"
#include "order/testing/seats.hpp"

namespace creto::simplex::testing {

inline BranchTip genesis_tip() {
    return {
        .view = View{},
        .height = Height{},
        .id = block_id("g"),
        .cut = std::make_shared<const Cut>(),
        .executed = {},
        .last_full = Height{}};
}

/// A block of `view` on a branch that covers `vertices` more of lane 3.
inline Block block_on(const BranchTip& parent, std::uint64_t view, std::uint64_t vertices = 0) {
    Block block{
        .epoch = Epoch{1},
        .view = View{view},
        .parent_view = parent.view,
        .height = parent.height.next(),
        .parent = parent.id,
        .proposer = Seat{3},
        .delta = {},
        .cut_root = {},
        .executed = parent.executed};
    const LaneId lane{Seat{3}, {}};
    const std::uint64_t base = parent.cut->tip(lane).sequence.value();
    if (vertices > 0) block.delta = {range_of(lane, base + 1, base + vertices)};
    Cut after = *parent.cut;
    creto::apply(after, block.delta);
    block.cut_root = after.root();
    return block;
}

inline BranchTip tip_of(const BranchTip& parent, const Block& block) {
    return follow(parent, block, block.id()).value();
}

}  // namespace creto::simplex::testing
