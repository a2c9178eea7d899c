// FinalChain: the finalised blocks: what is still to be handed out, and what others may fetch.
//
// Why      The unit of output is one finalised block, whether it became final alone, with its
//          descendants, or through catch-up (snarkOS#2987). [ORD-L8.1]
// Source   Rules L8 and L11 in docs/spec/ordering.md.
// Holds    Heights are appended without gaps and taken in order, each once. The last
//          limits::view_retention blocks stay in memory with their finalisations; older ones are in
//          the store, with one finalisation per archive span (order/keys.hpp).
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/ring.hpp"
#include "order/block_tree.hpp"
#include "order/keys.hpp"
#include "order/ordering.hpp"

namespace creto::simplex {

class FinalChain {
public:
    struct Entry {
        StoredBlock stored;
        BlockId id;
    };

    FinalChain() : taken_cut_{std::make_shared<const Cut>()} {}

    /// The next finalised block: what to store for it. `cut` none: computed when it is taken.
    KeyWrite append(Entry entry, CutPtr cut);
    /// The same for a block that is in the store already.
    void restore(Entry entry);
    /// Goes on after a final block whose predecessors are not here. Requires: all was taken; above
    /// height().
    void jump(Entry entry, CutPtr cut);
    /// What makes the highest block final: most restored blocks come without, and who has no
    /// provable block to hand out cannot help anybody to catch up.
    void prove_tip(const Certificate& finalization);
    /// At most limits::blocks_per_message_max, in height order.
    [[nodiscard]] std::vector<FinalizedBlock> take();

    [[nodiscard]] Height height() const { return height_; }
    /// None when it is not in memory (any more).
    [[nodiscard]] const Entry* recent(Height height) const;
    /// The lowest height in memory; above height() when there is none.
    [[nodiscard]] Height recent_from() const;
    [[nodiscard]] std::size_t untaken() const { return untaken_.size(); }
    [[nodiscard]] std::size_t held() const { return recent_.size() + untaken_.size(); }

private:
    struct Untaken {
        Block block;
        BlockId id;
        CutPtr cut;
        std::optional<Certificate> finalization;
    };

    void remember(Entry entry);

    Height height_;
    std::optional<std::uint64_t> archived_;  ///< The last span with a finalisation in the store.
    Ring<Entry> recent_;
    Ring<Untaken> untaken_;
    CutPtr taken_cut_;
};

/// The end of consecutive finalised blocks that fits in one message. None if it is not the anchor.
[[nodiscard]] std::optional<ChainAnswer> anchored(
    const std::vector<StoredBlock>& run, const BlockId& anchor
);
/// Collects headers in height order until they prove a checkpoint's mark: one names it, and the last is
/// finalised. [ORD-L11.4]
class MarkProof {
public:
    explicit MarkProof(const ExecutedMark& mark) : mark_{mark} {}
    /// True once the proof is whole.
    bool add(const StoredBlock& next);
    /// Requires: it is whole.
    [[nodiscard]] ChainAnswer take() { return std::move(proof_); }

private:
    ExecutedMark mark_;
    bool named_ = false;
    ChainAnswer proof_;
};

/// The longest provable part of consecutive finalised blocks, within one message: up to the last
/// that carries its finalisation. None if no block does. [ORD-L11.1]
[[nodiscard]] std::optional<ChainAnswer> provable(const std::vector<StoredBlock>& run);

}  // namespace creto::simplex
