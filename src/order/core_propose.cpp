// Leading and judging: which block stands on which parent, and whether a proposal deserves a vote.
#include <algorithm>

#include "order/core.hpp"

namespace creto {

using simplex::Ancestry;
using simplex::BranchTip;
using simplex::Head;

/// Takes a block that somebody may need: the first of its view, a notarized one, or one we asked
/// for. Everything else would be a peer's way to fill our memory.
void OrderingCore::accept_block(const BlockId& id, const Proposal& proposal, Instant came) {
    const View view = proposal.block.view;
    const Certificate* notarization = views_.find(view, VoteKind::notarize);
    const bool notarized = notarization != nullptr && notarization->content.block == id;
    const bool first = views_.proposal(view) == id;
    if (ended() || (!first && !notarized && !repair_.wants(id))) return;
    if (first && proposal.block.height <= tree_.root().height) views_.refuse(view);
    if (!tree_.insert(id, proposal.block, proposal.signature)) {
        const simplex::TreeBlock* known = tree_.find(id);
        if (known != nullptr && !known->signature) tree_.sign(id, proposal.signature);
        return;
    }
    if (notarized || repair_.wants(id)) tree_.keep(id);
    proposal_seen_at_ = came;
    any_proposal_ = true;
    judge_again_ = true;
}

void OrderingCore::consider(Instant now) {
    if (!may_vote() || !judge_again_) return;
    judge_again_ = false;
    // Once a view, and never after giving it up; the gate holds that anyway. [ORD-N1.1]
    if (voter_->cast_any(current_)) return;
    if (views_.equivocated(current_)) return give_up(now);  // (rule N2)
    if (stalled(now)) return give_up(now);                  // [ORD-T5.1]
    if (views_.refused(current_)) {
        ++counters_.proposals_refused;
        return give_up(now);
    }
    const auto id = views_.proposal(current_);
    if (!id) return;
    judged_ = judge(current_, *id);
    switch (judged_.verdict) {
        case Judgement::Verdict::valid: {
            const Block& block = tree_.find(*id)->block;
            static_cast<void>(voter_->notarize(
                {.kind = VoteKind::notarize,
                 .epoch = block.epoch,
                 .view = block.view,
                 .parent_view = block.parent_view,
                 .block = *id}
            ));
            break;
        }
        case Judgement::Verdict::invalid:
            // Structurally wrong: nothing that arrives later makes it right. [ORD-N4.1]
            ++counters_.proposals_refused;
            log_.debug("proposal of view " + std::to_string(current_.value()) + ": " + judged_.why);
            give_up(now);
            break;
        case Judgement::Verdict::waits:
            break;  // Missing is never a fault; only the view's own time ends it. (rule N4)
    }
}

OrderingCore::Judgement OrderingCore::judge(View view, const BlockId& id) {
    using Verdict = Judgement::Verdict;
    Judgement judgement;
    const simplex::TreeBlock* held = tree_.find(id);
    if (held == nullptr) {
        judgement.block = id;  // Evicted: ask for it again.
        return judgement;
    }
    const Block& block = held->block;
    Ancestry ancestry = views_.check_parent(view, block.parent_view, block.parent);
    if (ancestry.verdict == Ancestry::Verdict::invalid) {
        return {.verdict = Verdict::invalid, .why = std::move(ancestry.why)};
    }
    judgement.certificates = std::move(ancestry.missing);
    judgement.block = tree_.missing_ancestor(block.parent);
    if (!judgement.certificates.empty() || judgement.block) return judgement;
    if (!held->broken.empty()) return {.verdict = Verdict::invalid, .why = held->broken};
    const BranchTip* parent = tree_.tip(block.parent);
    if (parent == nullptr || !held->tip) return judgement;
    return judge_body(block, *parent);
}

OrderingCore::Judgement OrderingCore::judge_body(const Block& block, const BranchTip& parent) {
    using Verdict = Judgement::Verdict;
    using Agreement = simplex::ExecutedMarks::Agreement;
    Agreement agreement = marks_.compare(block.executed);  // [ORD-M2.1]
    // What its parent names already is agreed. Whoever began at a checkpoint did not execute what
    // lies below itself, and knows what the state says there all the same. [ORD-M2.1]
    if (agreement == Agreement::unknown && block.executed == parent.executed &&
        block.executed.height <= marks_.highest())
        agreement = Agreement::equal;
    if (agreement == Agreement::different) {
        return {.verdict = Verdict::invalid, .why = "its executed mark is not what we executed"};
    }
    Judgement judgement;
    if (!block.delta.empty()) {
        CutSource::Check check =
            source_.check(*parent.cut, block.delta, block.executed.height);  // (rule L3)
        // What the state says at a height that was not executed here is not known, so nothing is
        // decided yet; what is missing can be fetched all the same. [ORD-L6.1]
        const bool known = agreement == Agreement::equal;
        if (known && check.verdict == CutSource::Check::Verdict::invalid) {
            return {.verdict = Verdict::invalid, .why = std::move(check.why)};
        }
        if (!known || check.verdict == CutSource::Check::Verdict::missing) {
            judgement.ranges = std::move(check.missing);
            return judgement;
        }
    }
    if (agreement != Agreement::equal) return judgement;
    if (block.next_roster) {  // [ORD-L12.3]
        const Roster* next = rosters_->of(epoch_.next());
        if (next == nullptr) return judgement;  // Its state is still being executed here.
        if (*block.next_roster != next->digest())
            return {
                .verdict = Verdict::invalid, .why = "it names another roster for the next epoch"};
    }
    judgement.verdict = Verdict::valid;
    return judgement;
}

void OrderingCore::lead(Instant now) {
    if (!may_vote() || leader(current_) != roster_.members()[*self_].seat) return;
    if (voter_->cast_any(current_) || views_.proposal(current_)) return;
    auto found = views_.parent_for(current_);
    // A notarization that came after its view was buried: its block may be nowhere any more, and
    // what lies below is as good a parent. [ORD-B2.1]
    while (const Head* head = std::get_if<Head>(&found)) {
        const bool gone = tree_.tip(head->block) == nullptr && head->view > views_.final().view &&
                          views_.buried(head->view.prev(), head->view);
        if (!gone) break;
        found = views_.parent_below(head->view);
    }
    if (const auto* missing = std::get_if<std::vector<simplex::CertificateKey>>(&found)) {
        // Asked for by catch_up(); we build when it is here. [ORD-P1.1]
        judged_.certificates = *missing;
        return;
    }
    const BranchTip* parent = tree_.tip(std::get<Head>(found).block);
    judged_.certificates.clear();
    judged_.block = tree_.missing_ancestor(std::get<Head>(found).block);
    if (parent == nullptr) return;
    if (any_proposal_ && now < proposal_seen_at_ + options_.view_interval)
        return wake_at(proposal_seen_at_ + options_.view_interval);  // (rule P3)
    // Who votes next is not known here before the end of the epoch before was executed. [ORD-L12.2]
    const Height height = parent->boundary ? parent->height : parent->height.next();
    if (roster_.epochs().is_boundary(height) && rosters_->of(epoch_.next()) == nullptr) return;
    if (parent->boundary) {
        // Its votes are on their way, as a rule; if not, an echo makes it final. [ORD-L12.4]
        const Instant latest = pace_.entered_at() + pace_.delta();
        if (now < latest) return wake_at(latest);
        return propose(*parent, {}, now);
    }
    std::vector<LaneRange> delta;
    const Height mark = next_mark(*parent);
    if (source_.has_unordered(*parent->cut, mark)) delta = source_.build(*parent->cut, mark);
    if (delta.empty() && !may_lead_empty(*parent, now)) return;
    propose(*parent, std::move(delta), now);
}

/// An empty block is worth its votes only if someone waits for what it carries. [ORD-L15.2]
bool OrderingCore::may_lead_empty(const BranchTip& parent, Instant now) {
    if (now >= pace_.heartbeat_at() || overdue(now) || source_.awaits_epoch()) return true;
    if (tally_.nullify_count(current_) > roster_.quorum().t) return true;
    if (parent.executed.height >= parent.last_full) return false;
    // Its only content is a root: better a moment later, with the root of everything so far, and
    // not at all when the next block has content: that one must not wait for this view's votes.
    const bool whole = marks_.highest() >= parent.last_full;
    const Duration patience =
        whole ? std::min(options_.root_patience, pace_.delta() / 4) : pace_.delta();
    const Instant latest = pace_.entered_at() + patience;
    if (now >= latest) return true;
    wake_at(latest);
    return false;
}

/// The height that the mark of a block names. An empty block carries nothing else.
Height OrderingCore::next_mark(const BranchTip& parent, bool empty) const {
    if (parent.height == Height{}) return Height{};
    const Height usual = empty ? parent.height : parent.height.prev();
    const Height height = std::min(
        {marks_.highest(),
         usual,
         simplex::next_checkpoint(parent.executed.height, roster_.checkpoint_blocks())}
    );  // [ORD-M4.1]
    // Below the checkpoint where this node began it has no marks of its own.
    return height > parent.executed.height && marks_.knows(height) ? height
                                                                   : parent.executed.height;
}

/// The own mark that replicas have, too, when the proposal reaches them.
ExecutedMark OrderingCore::mark_on(const BranchTip& parent, bool empty) const {
    if (parent.height == Height{}) return marks_.at(Height{});
    const Height height = next_mark(parent, empty);
    return height == parent.executed.height ? parent.executed : marks_.at(height);
}

void OrderingCore::propose(const BranchTip& parent, std::vector<LaneRange> delta, Instant now) {
    Block block{
        .epoch = epoch_,
        .view = current_,
        .parent_view = parent.view,
        .height = parent.boundary ? parent.height : parent.height.next(),
        .parent = parent.id,
        .proposer = roster_.members()[*self_].seat,
        .delta = std::move(delta),
        .cut_root = {},
        .executed = {}};
    Cut cut = *parent.cut;
    creto::apply(cut, block.delta);
    block.cut_root = cut.root();
    block.executed = parent.boundary ? parent.executed : mark_on(parent, block.delta.empty());
    block.echo_of = parent.boundary;
    if (!parent.boundary)
        block.turnout = paths_.direct() ? turnout_.report(block.proposer, now) : roots_.report(now);
    if (roster_.epochs().is_boundary(block.height))
        block.next_roster = rosters_->of(epoch_.next())->digest();
    const BlockId id = block.id();
    tree_.insert(id, block, std::nullopt);
    tree_.keep(id);
    CRETO_ASSERT(tree_.tip(id) != nullptr);
    views_.propose(current_, id);
    const auto voted = voter_->notarize(
        {.kind = VoteKind::notarize,
         .epoch = block.epoch,
         .view = block.view,
         .parent_view = block.parent_view,
         .block = id}
    );
    CRETO_ASSERT(voted.has_value());
    ++counters_.proposals_made;
    proposal_seen_at_ = now;
    any_proposal_ = true;
}

}  // namespace creto
