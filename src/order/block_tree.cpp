#include "order/block_tree.hpp"

#include <algorithm>

namespace creto::simplex {

namespace {

/// The cut after the block; none when the delta does not continue this cut.
std::optional<Cut> cut_after(const Cut& cut, const std::vector<LaneRange>& delta) {
    for (const LaneRange& range : delta) {
        const Sequence before = cut.tip(range.lane).sequence;
        if (range.first != before.next() || range.last < range.first) return std::nullopt;
    }
    Cut after = cut;
    creto::apply(after, delta);
    return after;
}

}  // namespace

Result<BranchTip> follow(
    const BranchTip& parent,
    const Block& block,
    const BlockId& id,
    std::uint32_t checkpoint_blocks,
    const Epochs& epochs
) {
    const auto refuse = [](const char* why) { return fail(ErrorCode::invalid, why); };
    const Height height = parent.boundary ? parent.height : parent.height.next();
    if (block.parent != parent.id || block.parent_view != parent.view ||
        block.view <= parent.view || block.height != height) {
        return refuse("its view or height does not follow its parent's");
    }
    const bool ends = epochs.is_boundary(height);  // [ORD-L12.3]
    if (block.epoch != epochs.of(height) || block.next_roster.has_value() != ends)
        return refuse("it does not belong to the epoch of its height");
    const bool repeats = block.executed == parent.executed && block.delta.empty();
    if (block.echo_of != parent.boundary || (parent.boundary && !repeats))
        return refuse("it is no echo of the block that ended the epoch");  // [ORD-L12.4]
    // The mark never goes back, and one height has one mark on a branch. The genesis state is
    // everyone's own knowledge: the first block is held against that elsewhere. [ORD-M1.1]
    const bool changed = block.executed.height == parent.executed.height &&
                         block.executed != parent.executed && parent.height != Height{};
    if (block.executed.height < parent.executed.height || block.executed.height > parent.height ||
        changed) {
        return refuse("its executed mark does not follow its parent's");
    }
    if (block.executed.height > next_checkpoint(parent.executed.height, checkpoint_blocks))
        return refuse("its executed mark steps over a checkpoint");  // [ORD-M4.1]
    CutPtr cut = parent.cut;
    if (!block.delta.empty()) {
        auto after = cut_after(*parent.cut, block.delta);
        if (!after) return refuse("its ranges do not continue its parent's cut");
        cut = std::make_shared<const Cut>(std::move(*after));
    }
    if (cut->root() != block.cut_root) return refuse("it names another cut than it makes");
    return BranchTip{
        .view = block.view,
        .height = block.height,
        .id = id,
        .cut = std::move(cut),
        .executed = block.executed,
        .last_full = block.delta.empty() ? parent.last_full : block.height,
        .boundary = ends && !parent.boundary ? std::optional{id} : parent.boundary};
}

const TreeBlock* BlockTree::find(const BlockId& id) const {
    const auto found = blocks_.find(id);
    return found == blocks_.end() ? nullptr : &found->second;
}

const BranchTip* BlockTree::tip(const BlockId& id) const {
    if (id == root_.id) return &root_;
    const TreeBlock* held = find(id);
    return held != nullptr && held->tip ? &*held->tip : nullptr;
}

bool BlockTree::insert(
    const BlockId& id, const Block& block, const std::optional<Signature>& signature
) {
    if (block.height <= root_.height || blocks_.contains(id)) return false;
    make_room();
    TreeBlock held;
    held.block = block;
    held.signature = signature;
    blocks_.emplace(id, std::move(held));
    loose_.emplace(block.view, id);
    children_.emplace(block.parent, id);
    link_from(id);
    return true;
}

void BlockTree::link_from(const BlockId& id) {
    std::vector<BlockId> work{id};
    while (!work.empty()) {
        const BlockId at = work.back();
        work.pop_back();
        TreeBlock& held = blocks_.at(at);
        const TreeBlock* above = find(held.block.parent);
        if (above != nullptr && !above->broken.empty()) {
            held.broken = "its parent is broken";
        } else if (const BranchTip* parent = tip(held.block.parent)) {
            auto tip = follow(*parent, held.block, at, checkpoint_blocks_, epochs_);
            if (tip) {
                held.tip = std::move(*tip);
            } else {
                held.broken = tip.error().message;
            }
        } else {
            continue;  // Its parent is still on its way.
        }
        for (auto below = children_.lower_bound({at, BlockId{}});
             below != children_.end() && below->first == at;
             ++below) {
            work.push_back(below->second);
        }
    }
}

void BlockTree::make_room() {
    if (blocks_.size() < limits::pending_blocks_max || loose_.empty()) return;
    const BlockId lowest = loose_.begin()->second;
    erase(lowest);
    ++evicted_;
}

void BlockTree::erase(const BlockId& id) {
    const auto found = blocks_.find(id);
    const Block& block = found->second.block;
    children_.erase({block.parent, id});
    loose_.erase({block.view, id});
    blocks_.erase(found);
}

std::vector<BlockId> BlockTree::stored() const {
    std::vector<BlockId> ids;
    for (const auto& [id, held] : blocks_) {
        if (held.stored) ids.push_back(id);
    }
    return ids;
}

void BlockTree::keep(const BlockId& id) {
    const auto found = blocks_.find(id);
    if (found == blocks_.end()) return;
    found->second.kept = true;
    loose_.erase({found->second.block.view, id});
}

void BlockTree::mark_stored(const BlockId& id) {
    if (const auto found = blocks_.find(id); found != blocks_.end()) found->second.stored = true;
}

void BlockTree::sign(const BlockId& id, const Signature& signature) {
    if (const auto found = blocks_.find(id); found != blocks_.end())
        found->second.signature = signature;
}

std::optional<std::vector<BlockId>> BlockTree::path(const BlockId& id) const {
    std::vector<BlockId> path;
    BlockId at = id;
    while (at != root_.id) {
        const TreeBlock* held = find(at);
        if (held == nullptr || !held->tip) return std::nullopt;
        path.push_back(at);
        at = held->block.parent;
    }
    std::reverse(path.begin(), path.end());
    return path;
}

std::optional<BlockId> BlockTree::missing_ancestor(const BlockId& id) const {
    BlockId at = id;
    while (at != root_.id) {
        const TreeBlock* held = find(at);
        if (held == nullptr) return at;
        if (held->tip || !held->broken.empty()) return std::nullopt;
        at = held->block.parent;
    }
    return std::nullopt;
}

bool BlockTree::passes_by(const BlockId& id) const {
    const TreeBlock* held = find(id);
    while (held != nullptr) {
        if (!held->broken.empty()) return true;
        const bool takes_a_height = !held->block.echo_of;
        if (takes_a_height && held->block.height <= root_.height.next())
            return held->block.parent != root_.id;
        held = find(held->block.parent);
    }
    return false;
}

std::vector<BlockTree::Pruned> BlockTree::advance(const BlockId& id) {
    const BranchTip* tip_now = tip(id);
    CRETO_ASSERT(tip_now != nullptr);
    root_ = BranchTip{*tip_now};
    // In view order parents come before children, so one pass finds everything that lives on.
    std::vector<std::pair<View, BlockId>> by_view;
    for (const auto& [block_id, held] : blocks_)
        by_view.emplace_back(held.block.view, block_id);
    std::sort(by_view.begin(), by_view.end());
    std::vector<Pruned> pruned;
    for (const auto& [view, block_id] : by_view) {
        const TreeBlock& held = blocks_.at(block_id);
        const bool above = held.block.height > root_.height && view > root_.view;
        const bool joined =
            !held.tip || held.block.parent == root_.id || blocks_.contains(held.block.parent);
        const bool lives = above && joined && held.broken.empty();
        if (lives) continue;
        pruned.push_back({block_id, view, held.stored});
        erase(block_id);
    }
    return pruned;
}

std::vector<BlockTree::Pruned> BlockTree::jump(BranchTip root) {
    CRETO_ASSERT(root.height > root_.height && root.view > root_.view);
    root_ = std::move(root);
    std::vector<Pruned> pruned;
    for (auto& [id, held] : blocks_) {
        if (held.block.height <= root_.height || held.block.view <= root_.view)
            pruned.push_back({id, held.block.view, held.stored});
        held.tip.reset();  // Each stands on what is linked next, or waits for it.
        held.broken.clear();
    }
    for (const Pruned& dropped : pruned)
        erase(dropped.id);
    std::vector<BlockId> first;
    for (auto below = children_.lower_bound({root_.id, BlockId{}});
         below != children_.end() && below->first == root_.id;
         ++below) {
        first.push_back(below->second);
    }
    for (const BlockId& id : first)
        link_from(id);
    return pruned;
}

std::vector<BlockTree::Pruned> BlockTree::forget_dead(View base, View last, const ViewLog& views) {
    std::vector<Pruned> pruned;
    for (const auto& [id, held] : blocks_) {
        const View view = held.block.view;
        if (view <= base || view > last) continue;
        const Certificate* notarization = views.find(view, VoteKind::notarize);
        if (notarization != nullptr && notarization->content.block == id) continue;
        pruned.push_back({id, view, held.stored});
    }
    for (const Pruned& dropped : pruned)
        erase(dropped.id);
    return pruned;
}

}  // namespace creto::simplex
