// BlockTree: the blocks above the final one, each with the cut after it once its branch is known.
//
// Why      A vote, a new block and a finalisation all need the cut that a branch has reached.
// Source   Rules L1, L2 and L8 in docs/spec/ordering.md.
// Holds    A linked block has an unbroken chain of linked parents down to the root, continues its
//          parent's cut, and names the root of the cut after it. [ORD-L2.1] After the block that ends
//          the epoch come only echoes of it. [ORD-L12.4] A block that does not keep to this is
//          broken, whoever signed it, and so is every block on it. Notarized blocks are never
//          evicted; of the others, those of the lowest views go first when
//          limits::pending_blocks_max is reached.
// Cost     O(log blocks) and one copy of the cut for each block.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "model/block.hpp"
#include "order/view_log.hpp"

namespace creto::simplex {

using CutPtr = std::shared_ptr<const Cut>;

/// What a branch has reached: the root, or any linked block.
struct BranchTip {
    View view;
    Height height;
    BlockId id;
    CutPtr cut;
    ExecutedMark executed;
    Height last_full;  ///< The highest block of the branch that covers anything; 0 for none.
    /// The block that ends the epoch, once the branch has it: from there on there are only echoes.
    std::optional<BlockId> boundary = std::nullopt;
};

/// Does the block continue this branch? The branch after it, or why not. `checkpoint_blocks`: how
/// far checkpoints are apart.
[[nodiscard]] Result<BranchTip> follow(
    const BranchTip& parent,
    const Block& block,
    const BlockId& id,
    std::uint32_t checkpoint_blocks = limits::checkpoint_blocks,
    const Epochs& epochs = Epochs{0}
);

/// The lowest checkpoint above a height: no mark after one of this height names a greater height
/// before it has named that. [ORD-M4.1]
[[nodiscard]] constexpr Height next_checkpoint(Height height, std::uint32_t checkpoint_blocks) {
    return Height{(height.value() / checkpoint_blocks + 1) * checkpoint_blocks};
}

struct TreeBlock {
    Block block;
    std::optional<Signature> signature;  ///< None: learned from a finalised chain.
    std::optional<BranchTip> tip;        ///< Once linked.
    std::string broken;                  ///< Why it can never be linked; empty otherwise.
    bool kept = false;                   ///< Notarized, or own: never evicted.
    bool stored = false;                 ///< Was written to the store as a pending block.
};

class BlockTree {
public:
    explicit BlockTree(
        BranchTip root,
        std::uint32_t checkpoint_blocks = limits::checkpoint_blocks,
        const Epochs& epochs = Epochs{0}
    )
        : root_{std::move(root)}, checkpoint_blocks_{checkpoint_blocks}, epochs_{epochs} {}

    [[nodiscard]] const BranchTip& root() const { return root_; }
    [[nodiscard]] const TreeBlock* find(const BlockId& id) const;
    /// The branch that ends at a block: the root or a linked block; none otherwise.
    [[nodiscard]] const BranchTip* tip(const BlockId& id) const;

    /// Takes a block and links what can be linked. False: known, or at or below the root.
    bool insert(const BlockId& id, const Block& block, const std::optional<Signature>& signature);
    void keep(const BlockId& id);
    void mark_stored(const BlockId& id);
    void sign(const BlockId& id, const Signature& signature);

    /// The blocks above the root up to and including `id`, in height order; none while one of them
    /// is missing or broken.
    [[nodiscard]] std::optional<std::vector<BlockId>> path(const BlockId& id) const;
    /// Going down from `id`: the first block that is not here. None if the branch is complete.
    [[nodiscard]] std::optional<BlockId> missing_ancestor(const BlockId& id) const;

    /// True when the branch of `id` passes the root by: it cannot ever descend from it.
    [[nodiscard]] bool passes_by(const BlockId& id) const;

    struct Pruned {
        BlockId id;
        View view;
        bool stored = false;
    };
    /// Makes `id` the root and drops every block that does not descend from it.
    /// Requires: linked.
    std::vector<Pruned> advance(const BlockId& id);
    /// Makes a final block the root whose branch from the old root is not here, and drops what
    /// cannot stand on it. Requires: above the root.
    std::vector<Pruned> jump(BranchTip root);

    /// Drops the blocks of the views after `base` up to `last` that are not notarized here.
    /// Requires: those views are dead.
    std::vector<Pruned> forget_dead(View base, View last, const ViewLog& views);

    /// Those that were written to the store as pending blocks.
    [[nodiscard]] std::vector<BlockId> stored() const;

    [[nodiscard]] std::size_t size() const { return blocks_.size(); }
    [[nodiscard]] std::uint64_t evicted() const { return evicted_; }

private:
    void link_from(const BlockId& id);
    void erase(const BlockId& id);
    void make_room();

    BranchTip root_;
    std::uint32_t checkpoint_blocks_;
    Epochs epochs_;
    std::map<BlockId, TreeBlock> blocks_;
    std::set<std::pair<View, BlockId>> loose_;        ///< Those that may be evicted.
    std::set<std::pair<BlockId, BlockId>> children_;  ///< By parent, also of parents not here.
    std::uint64_t evicted_ = 0;
};

}  // namespace creto::simplex
