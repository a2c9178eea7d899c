#include "model/probe.hpp"

namespace creto::simplex::testing {

namespace {

void add(Hasher& hasher, const Certificate* certificate) {
    if (certificate == nullptr) {
        hasher.update_u64(0);
    } else {
        hasher.update_u64(1).update(signing_bytes(certificate->content));
    }
}

}  // namespace

void CoreProbe::digest(
    const OrderingCore& core, const std::vector<BlockId>& blocks, Storage storage, Hasher& hasher
) {
    const auto flag = [&hasher](bool a, bool b = false, bool c = false, bool d = false) {
        hasher.update_u64((a ? 1U : 0U) | (b ? 2U : 0U) | (c ? 4U : 0U) | (d ? 8U : 0U));
    };
    hasher.update_u64(core.epoch_.value()).update_u64(core.current_.value());
    flag(core.started_, core.halted_.has_value(), core.agreement_lost_, core.judge_again_);
    flag(core.leader_gave_up_, core.skipped_);

    const ViewLog& views = core.views_;
    hasher.update_u64(views.final().view.value()).update(views.final().block.value());
    add(hasher, views.finalization() ? &*views.finalization() : nullptr);
    const View end = std::max(views.certified(), core.current_).plus(4);
    for (View view = views.final().view.next(); view <= end; ++view) {
        add(hasher, views.find(view, VoteKind::notarize));
        add(hasher, views.find(view, VoteKind::nullify));
        const auto proposal = views.proposal(view);
        flag(proposal.has_value(), views.equivocated(view), views.refused(view));
        if (proposal) hasher.update(proposal->value());
    }
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        const TreeBlock* held = core.tree_.find(blocks[i]);
        if (held == nullptr) continue;
        hasher.update_u64(i);
        const bool stored = storage == Storage::matters && held->stored;
        flag(held->tip.has_value(), !held->broken.empty(), stored);
    }
    hasher.update(core.tree_.root().id.value());
    hasher.update_u64(core.chain_.height().value()).update_u64(core.marks_.highest().value());
    if (core.voter_) {
        hasher.update_u64(core.voter_->floor().value());
        flag(core.voter_->stopped(), core.voter_->unsaved().empty(), core.voter_->has_left());
        for (View view = core.voter_->floor().next(); view <= end; ++view) {
            for (const VoteKind kind :
                 {VoteKind::notarize, VoteKind::nullify, VoteKind::finalize}) {
                const Vote* vote = core.voter_->cast(view, kind);
                if (vote == nullptr) continue;
                hasher.update(signing_bytes(vote->content));
                flag(core.voter_->is_durable(view, kind));
            }
        }
    }
    if (storage == Storage::no_longer_matters) return;
    hasher.update_u64(core.writes_.size());
    for (const KeyWrite& write : core.writes_) {
        hasher.update(write.key);
        flag(write.value.has_value());
    }
}

bool CoreProbe::waits_to_repeat(const OrderingCore& core) {
    if (!core.may_vote() || core.leader(core.current_) != core.roster_.members()[*core.self_].seat)
        return false;
    if (core.voter_->cast_any(core.current_) || core.views_.proposal(core.current_)) return false;
    const auto parent = core.views_.parent_for(core.current_);
    const Head* head = std::get_if<Head>(&parent);
    const BranchTip* tip = head == nullptr ? nullptr : core.tree_.tip(head->block);
    return tip != nullptr && tip->boundary.has_value();
}

}  // namespace creto::simplex::testing
