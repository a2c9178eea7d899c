// CoreProbe: what an OrderingCore knows and may still do, as one digest without clocks and names.
//
// Why      Two states that behave alike must be one state, or no search ends.
// Holds    In the digest: views, certificates by content, blocks and their links, own votes, flags
//          of the current view, the final chain's end, unsaved writes. Not in it: instants, who
//          signed a certificate, votes short of a quorum, peers and open requests. The searches
//          deliver anything that was ever sent, in any order, so nothing that these could bring
//          about is lost; docs/testing.md says what that leaves out.
#pragma once

#include "order/core.hpp"

namespace creto::simplex::testing {

/// Whether power may still fail, so that what is on the disk makes a difference.
enum class Storage : std::uint8_t { matters, no_longer_matters };

struct CoreProbe {
    static std::unique_ptr<Ordering> copy(const Ordering& ordering) {
        auto core = std::make_unique<OrderingCore>(*ordering.core_);
        return std::unique_ptr<Ordering>{new Ordering{std::move(core)}};
    }
    static OrderingCore& core(Ordering& ordering) { return *ordering.core_; }
    /// Executing the chain has told who votes in one more epoch.
    static void know(Ordering& ordering, const Rosters& rosters) {
        ordering.core_->rosters_ = &rosters;
    }
    /// `blocks` are all that exist, in an order that never changes.
    static void digest(
        const OrderingCore& core,
        const std::vector<BlockId>& blocks,
        Storage storage,
        Hasher& hasher
    );
    static const ViewLog& views(const OrderingCore& core) { return core.views_; }
    static const BlockTree& tree(const OrderingCore& core) { return core.tree_; }
    static const Voter& voter(const OrderingCore& core) { return *core.voter_; }
    /// Certificates and final blocks that wait for the next vote to be stored.
    static std::vector<KeyWrite> take_writes(OrderingCore& core) {
        return std::exchange(core.writes_, {});
    }
    /// Votes short of a quorum are not in the digest, so they must not be in the state either: they
    /// arrive again with those that complete them. Own votes stay counted.
    static void forget_votes(OrderingCore& core) {
        core.tally_.forget_through(View{~0ULL});
        if (!core.voter_) return;
        for (const Vote& vote : core.voter_->durable(core.views_.final().view.next(), View{~0ULL}))
            static_cast<void>(core.tally_.add(vote));
    }
    /// Whether this seat lost its patience with the term. [ORD-T5.1]
    static bool stalled(const OrderingCore& core, Instant now) { return core.stalled(now); }
    /// What made the block at this height final, when it was stored with it.
    static std::optional<VoteContent> proof(const OrderingCore& core, Height height) {
        const auto* entry = core.chain_.recent(height);
        if (entry == nullptr || !entry->stored.finalization) return std::nullopt;
        return entry->stored.finalization->content;
    }
    /// True while a moment more makes this seat propose an echo. [ORD-L12.4]
    static bool waits_to_repeat(const OrderingCore& core);
    /// True while time alone can still make this seat say something new.
    static bool patient(const OrderingCore& core) {
        return core.may_vote() && core.voter_->cast(core.current_, VoteKind::nullify) == nullptr &&
               !core.voter_->finalized_from(core.current_);
    }
};

}  // namespace creto::simplex::testing
