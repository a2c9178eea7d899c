// From one epoch to the next: what a new core takes over, and who says that there is one.
//
// Why      Another epoch has other voters, other leaders and views that count from 1 again, so
//          nothing that was voted in one may count in another. A core belongs to one epoch; what
//          outlives it, the final chain, executed marks, peers and learned patience, is handed on.
// Source   Rules L12 and L13 in docs/spec/ordering.md; telcoin-network#968, ava#552, sei-chain#3632.
// Holds    [ORD-L12.5] The new core begins when the boundary is final and its roster is known, with
//          nothing of the old one's votes, certificates and pending blocks, here or in the store. What
//          made the boundary final is written before the first vote that rests on it.
#include <algorithm>

#include "order/core.hpp"

namespace creto {

const Roster* OrderingCore::next_roster() const {
    if (rosters_ == nullptr) return nullptr;
    const Epochs& epochs = roster_.epochs();
    const Height height = tree_.root().height;
    const Epoch next = ended() ? epochs.after(height) : epochs.of(height.next());
    return next == epoch_ ? nullptr : rosters_->of(next);
}

std::unique_ptr<OrderingCore> OrderingCore::succeed() {
    const Roster* roster = next_roster();
    CRETO_ASSERT(roster != nullptr);
    simplex::BranchTip root = tree_.root();
    const auto* last = chain_.recent(root.height);
    const bool changes = roster->digest() != roster_.digest() && roster->epoch() == epoch_.next();
    if (root.boundary && changes && last != nullptr && last->stored.finalization) {
        const simplex::StoredBlock& stored = last->stored;
        links_.push_back(
            {stored.block,
             stored.echo,
             *stored.finalization,
             roster->members(),
             roster->dormant(),
             roster->changed_parameters()}
        );
    }
    if (root.boundary) {
        root.id = *root.boundary;
        root.view = View{};
        root.boundary.reset();
    }
    return succeed(*roster, std::move(root));
}

std::unique_ptr<OrderingCore> OrderingCore::succeed(const Roster& roster, simplex::BranchTip root) {
    const Member* member = roster.find(agent_);
    auto next = std::make_unique<OrderingCore>(
        roster,
        member == nullptr ? std::nullopt : std::optional{member->seat},
        signer_,
        source_,
        options_,
        log_,
        rosters_
    );
    next->views_.restart_from({root.view, root.id}, std::nullopt);
    next->tree_ = simplex::BlockTree{std::move(root), roster.checkpoint_blocks(), roster.epochs()};
    next->current_ = next->views_.final().view.next();
    next->take_over(*this);
    return next;
}

std::unique_ptr<OrderingCore> OrderingCore::succeed_at(const Anchor& anchor) {
    const Epochs& epochs = roster_.epochs();
    simplex::BranchTip root = simplex::tip_at(anchor);
    if (epochs.is_boundary(root.height)) root.view = View{};
    const Roster* roster = rosters_->of(epochs.after(root.height));
    CRETO_ASSERT(roster != nullptr);
    return succeed(*roster, std::move(root));
}

void OrderingCore::take_over(OrderingCore& before) {
    writes_ = std::move(before.writes_);
    for (const auto& key : before.views_.keys())
        writes_.push_back(simplex::erase_certificate(before.epoch_, key.view, key.kind));
    for (const BlockId& id : before.tree_.stored())
        writes_.push_back(simplex::erase_pending(id));
    chain_ = std::move(before.chain_);
    turnout_ = std::move(before.turnout_);
    turnout_.enter(roster_);
    roots_ = std::move(before.roots_);
    const bool reports = self_ && !paths_.direct();
    roots_.enter(roster_, reports ? std::optional{roster_.members()[*self_].seat} : std::nullopt);
    marks_ = std::move(before.marks_);
    pace_.succeed(before.pace_);
    loads_ = std::move(before.loads_);
    kept_from_ = before.kept_from_;
    unserved_ = std::move(before.unserved_);
    evidence_ = std::move(before.evidence_);
    links_ = std::move(before.links_);
    final_source_ = before.final_source_;
    counters_ = before.counters_;
    evicted_before_ = before.evicted_before_ + before.tree_.evicted();
    halted_ = before.halted_;
    agreement_lost_ = before.agreement_lost_;
    proposal_seen_at_ = before.proposal_seen_at_;
    any_proposal_ = before.any_proposal_;
    status_at_ = before.status_at_;
    later_ = before.later_ && before.later_->epoch > epoch_ ? before.later_ : std::nullopt;
    peers_ = std::move(before.peers_);
    for (auto& [agent, peer] : peers_) {
        const Member* member = roster_.find(agent);
        peer.member = member == nullptr ? std::nullopt : roster_.index_of(member->seat);
        peer.helped = false;
        peer.told = false;
    }
    list_peers();
    if (!voter_) {
        unread_ = before.voter_ ? before.voter_->unread() : std::move(before.unread_);
        if (unread_ && before.lost_) unread_->intact = false;
        return;
    }
    // What a seat said before it had this one, it said in another epoch. Its log tells what it said in
    // this one, in an earlier life whose store is lost: nobody has read it yet. [ORD-L12.5]
    const bool same =
        before.voter_ && before.self_ &&
        before.roster_.members()[*before.self_].seat == roster_.members()[*self_].seat;
    if (!same) {
        if (!before.unread_) return begin_asking(false);
        if (auto read = voter_->restore(before.unread_->records); !read)
            return halt(read.error().message);  // [ORD-R4.1]
        return begin_asking(!before.unread_->intact);
    }
    if (auto taken = voter_->succeed(*before.voter_); !taken) return halt(taken.error().message);
    began_empty_ = before.began_empty_;
    if (before.asking_) {
        asking_ = true;
        lost_ = before.lost_;
        watch_until_ = before.watch_until_;
    } else if (before.lost_) {
        // Whoever vouched for the views of the epoch before may have stood at its end: an earlier
        // life of this seat can have said something about the first term of this one. [ORD-R5.1]
        voter_->begin_above(terms_.last_of(View{1}));
    }
}

/// [ORD-L12.6] Says where we stand to whoever stands in an epoch that is over, and remembers who is further on.
void OrderingCore::on_other_epoch(const AgentId& from, Epoch epoch, Instant now, Effects& effects) {
    if (!started_) return;
    hear(from, now);
    if (epoch < epoch_) tell(from, now, effects);
    if (epoch > epoch_) note_later(from, epoch, now);
    settle(now, effects);
}

void OrderingCore::note_later(const AgentId& from, Epoch epoch, Instant now) {
    if (!peers_.contains(from)) return;
    const bool further = !later_ || later_->epoch < epoch;
    if (further) {
        const bool next = epoch == epoch_.next() && !later_;
        later_ = Later{epoch, from, next ? now + pace_.delta() / 2 : now, now};
    }
    if (later_->agent == from) later_->until = now + later_patience();
}

}  // namespace creto
