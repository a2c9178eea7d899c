// What votes and certificates do: counting, entering views, finalising, and accusing.
#include <algorithm>

#include "order/core.hpp"

namespace creto {

using simplex::Pacemaker;
using simplex::StoredBlock;

namespace {

/// Stretches before a dead one of which it is said again that they are dead.
constexpr std::uint64_t stretches_repeated = 3;
/// Proofs held between two take_evidence().
constexpr std::size_t evidence_max = 256;

/// The vote of one signer of a certificate.
Vote vote_of(const Certificate& certificate, std::uint32_t member, Seat seat) {
    std::size_t place = 0;
    for (std::uint32_t i = 0; i < member; ++i)
        place += certificate.signed_by(i) ? 1 : 0;
    return {certificate.content, seat, certificate.signatures[place]};
}

}  // namespace

void OrderingCore::count(const Vote& vote, Instant now, Effects& effects) {
    if (self_ && vote.content.kind != VoteKind::bury &&
        vote.seat == roster_.members()[*self_].seat) {
        check_own(vote.content);
        if (halted_) return;
    }
    if (!in_window(vote.content.view)) return;
    if (vote.content.kind == VoteKind::bury) {
        const auto burial = burials_.add(vote);
        if (burial) accept(*burial, std::nullopt, now, effects);
        return;
    }
    auto added = tally_.add(vote);
    ++(added.counted ? counters_.votes_counted : counters_.votes_ignored);
    if (added.proof) accuse(*added.proof);
    if (added.certificate) accept(*added.certificate, std::nullopt, now, effects);
}

/// A vote with our key that our log does not know: another process uses the key, or the log was
/// rolled back. Own votes are durable before anyone sees them, so there is no third way.
/// (rule R2)
void OrderingCore::check_own(const VoteContent& content) {
    if (!voter_ || halted_ || content.view <= voter_->floor() || voter_->knows(content)) return;
    const bool another = asking_ && watch_above_ && content.view > *watch_above_;  // [ORD-R5.3]
    if (!another && (asking_ || (began_empty_ && !lost_))) {
        lost_ = true;  // [ORD-R5.2]
        asking_ = true;
        return;
    }
    halt(
        "a " + std::string{to_string(content.kind)} + " vote of view " +
        std::to_string(content.view.value()) +
        " carries this node's signature and is not in its vote log: another process uses the same "
        "key, or the log was rolled back"
    );
}

void OrderingCore::accept(
    const Certificate& certificate,
    const std::optional<AgentId>& from,
    Instant now,
    Effects& effects
) {
    const VoteContent& content = certificate.content;
    // More than t seats signed both: agreement is lost and nobody may build on either.
    if (const Certificate* other = views_.clash(certificate)) {
        const Certificate held = *other;
        accuse_clash(held, certificate);
        return;
    }
    if (views_.put(certificate) != simplex::ViewLog::Put::added) return;
    if (content.kind != VoteKind::bury) {
        if (self_ && certificate.signed_by(*self_)) check_own(content);
        accuse_signers(certificate);
    }

    writes_.push_back(simplex::write_certificate(certificate));
    for (const auto& key : views_.take_dropped())
        writes_.push_back(simplex::erase_certificate(epoch_, key.view, key.kind));

    const View end = end_of(content);
    if (end.next() >= current_) {
        if (!paths_.direct()) {
            hear_signers(certificate, now);
            relay(certificate, from, effects);
        } else if (self_ && leader(end.next()) == roster_.members()[*self_].seat) {
            // (rule C1) One speaker for each fresh certificate; everyone else counted the votes as well.
            effects.send_all(seats_, certificate);
        }
        tell_seatless(certificate, effects);
    }
    if (collector_ && content.kind != VoteKind::bury)
        collector_->settle(content.view, content.kind, now);

    judge_again_ = true;
    if (content.kind == VoteKind::notarize) accept_notarization(certificate, now);
    if (content.kind == VoteKind::finalize) {
        final_source_ = from;
        accept_finalization(certificate, now);
    }
    if (content.kind == VoteKind::bury) {
        for (const auto& pruned : tree_.forget_dead(content.parent_view, content.view, views_))
            if (pruned.stored) writes_.push_back(simplex::erase_pending(pruned.id));
    }
    if (end >= current_) move_on(content, now);
    if (content.kind == VoteKind::nullify || content.kind == VoteKind::bury)
        bury(content.view, now, effects);
}

/// Those without a seat see no votes, and in a quiet network nothing comes after the last finalisation: two
/// speak to them of each. [ORD-C1.1]
void OrderingCore::tell_seatless(const Certificate& certificate, Effects& effects) const {
    const VoteContent& content = certificate.content;
    if (!self_ || content.kind != VoteKind::finalize || all_.size() == seats_.size()) return;
    const Seat own = roster_.members()[*self_].seat;
    const View next_term = terms_.last_of(content.view).next();
    if (own != leader(content.view) && own != leader(next_term)) return;
    for (const auto& [agent, peer] : peers_)
        if (!peer.member) effects.send(agent, certificate);
}

/// The last view that this certificate ends. [ORD-T3.1] A burial is about whole terms.
View OrderingCore::end_of(const VoteContent& certified) const {
    return certified.kind == VoteKind::nullify ? terms_.last_of(certified.view) : certified.view;
}

/// Enters the view after the one that this certificate ends. (rule E1)
void OrderingCore::move_on(const VoteContent& content, Instant now) {
    Pacemaker::Entered how = Pacemaker::Entered::by_progress;
    if (content.kind == VoteKind::nullify || content.kind == VoteKind::bury) {
        how = skipped_ ? Pacemaker::Entered::by_skip : Pacemaker::Entered::by_timeout;
        ++counters_.views_nullified;
        const std::uint32_t turn = content.view == current_ ? pace_.turn() : 1;
        heard_.lost_turn(*roster_.index_of(leader(content.view)), turn);
    }
    enter(end_of(content).next(), how, now);
}

// [ORD-B1.1] Whenever a stretch of views is dead as a whole, this seat says so; and says it again
// with the next ones, since some of it may have been lost.
void OrderingCore::bury(View dead, Instant now, Effects& effects) {
    if (!started_ || !may_vote()) return;
    for (const auto& span : views_.to_bury(dead, stretches_repeated)) {
        if (!in_window(span.last)) continue;
        const auto vote = voter_->bury(epoch_, span.base, span.last);
        if (!vote) return;
        effects.send_all(seats_, *vote);
        count(*vote, now, effects);
    }
}

void OrderingCore::accept_notarization(const Certificate& certificate, Instant now) {
    const VoteContent& content = certificate.content;
    tree_.keep(content.block);
    if (!unfinal_since_) unfinal_since_ = now;
    // Of a view that is not ours it is not known what it took: too long, for all we saw.
    const bool quick = content.view == current_ && pace_.notarized(now);
    heard_.kept_turn(*roster_.index_of(leader(content.view)), quick);
    // [ORD-F1.1] Not where we gave up (the gate refuses), not where the leader told two stories,
    // and to no use where q seats gave up. Not before start(): a restarted node repeats, it does
    // not decide anew about what it may have seen before. (rule R3)
    const bool may =
        started_ && may_vote() && !views_.equivocated(content.view) && !views_.dead(content.view);
    if (may) static_cast<void>(voter_->finalize(certificate));
}

void OrderingCore::accept_finalization(const Certificate& certificate, Instant now) {
    const View view = certificate.content.view;
    tally_.forget_through(view);
    if (collector_) collector_->forget_through(view, now);
    burials_.forget_through(view);
    sought_.erase(sought_.begin(), sought_.upper_bound(view));
    forget_handed(view);
    if (voter_) voter_->forget_through(view);
    unfinal_since_.reset();
    if (views_.notarized().view > view) unfinal_since_ = now;
    stalls_at_.reset();
    watch_term(now);
    pace_.finalized();  // [ORD-E4.1]
}

/// The patience with a term begins with its first view that was passed and is not final. [ORD-T5.1]
void OrderingCore::watch_term(Instant now) {
    const bool waits = !terms_.is_first(current_) && views_.final().view < current_.prev();
    if (waits && !stalls_at_) stalls_at_ = now + pace_.stall_patience();
}

bool OrderingCore::stalled(Instant now) const {
    return stalls_at_ && now >= *stalls_at_;
}

void OrderingCore::enter(View view, Pacemaker::Entered how, Instant now) {
    CRETO_ASSERT(view > current_);  // Never backwards. (rule E1)
    if (!terms_.same(view, current_)) stalls_at_.reset();
    current_ = view;
    attempt_ = 0;
    watch_term(now);
    ++counters_.views_entered;
    if (view.value() > limits::view_retention)
        forget_below(View{view.value() - limits::view_retention}, now);
    pace_.enter(how, now, heard_.next_turn(*roster_.index_of(leader(current_))));
    judge_again_ = true;
    judged_ = {};
    leader_gave_up_ = false;
    skipped_ = false;
    retry_at_ = now + pace_.retry();
    ranges_at_ = now;
}

// [ORD-B3.1] Votes of views that lie so far back count nowhere any more, nor does ours. The gate
// forgets whole terms: a Nullify in the first half binds this seat in the second. [ORD-T4.1]
void OrderingCore::forget_below(View view, Instant now) {
    tally_.forget_through(view);
    if (collector_) collector_->forget_through(view, now);
    burials_.forget_through(view);
    sought_.erase(sought_.begin(), sought_.upper_bound(view));
    forget_handed(view);
    if (voter_) voter_->forget_through(terms_.last_of(view));
}

/// Finalises what the highest finalisation covers, once all of it is here.
void OrderingCore::finish() {
    if (!lacks_final() || !views_.finalization()) return;
    const Certificate& finalization = *views_.finalization();
    finalize_through(finalization.content.block, finalization);
}

/// A run of blocks with what makes the last one final, which may be an echo of the one before it: the
/// echoes between them are nobody's matter. [ORD-L12.4]
void OrderingCore::finalize_run(std::span<const Block> blocks, const Certificate& finalization) {
    const Height before = chain_.height();
    const Block* echo = blocks.back().echo_of ? &blocks.back() : nullptr;
    BlockId last = tree_.root().id;
    for (const Block& block : blocks) {
        if (block.height <= before || &block == echo) continue;
        last = block.id();
        tree_.insert(last, block, std::nullopt);
        tree_.keep(last);
    }
    finalize_through(last, finalization, echo);
    counters_.chain_blocks_synced += chain_.height().value() - before.value();
}

// [ORD-F3.1] A finalisation makes all ancestors final, however far back. [ORD-L8.1]
/// `echo`: the finalised block, when it is an echo of `id`.
void OrderingCore::finalize_through(
    const BlockId& id, const Certificate& finalization, const Block* echo
) {
    if (agreement_lost_ || ended()) return;
    const auto path = tree_.path(id);
    if (!path && tree_.passes_by(id)) {
        agreement_lost_ = true;
        halt(
            "the finalised block of view " + std::to_string(finalization.content.view.value()) +
            " does not continue this node's final chain: more seats lie than the quorum tolerates"
        );
    }
    if (!path) return;
    for (const BlockId& at : *path) {
        const simplex::TreeBlock& held = *tree_.find(at);
        const Height final_by = tree_.tip(id)->height;
        StoredBlock stored{held.block, std::nullopt, final_by};
        // What is final by an echo is final: that is what echoes are for. [ORD-L12.4]
        const bool ends = held.tip->boundary == at;
        if (at == id || ends) stored.finalization = finalization;
        if (ends && at != id) stored.echo = tree_.find(id)->block;
        if (ends && echo != nullptr) stored.echo = *echo;
        if (!marks_.add_final(held.block.executed)) {  // [ORD-M3.1]
            halt(
                "the finalised block " + std::to_string(held.block.height.value()) +
                " names another state at height " +
                std::to_string(held.block.executed.height.value()) +
                " than this node has: it diverged"
            );
        }
        turnout_.on_final(held.block, at);
        roots_.on_final(held.block, at);
        writes_.push_back(chain_.append({std::move(stored), at}, held.tip->cut));
        ++counters_.blocks_finalized;
        if (ends) break;
    }
    if (path->empty()) return;
    if (stretch_ && stretch_->lowest() <= tree_.tip(id)->height) stretch_.reset();
    for (const auto& pruned : tree_.advance(id)) {
        if (pruned.stored) writes_.push_back(simplex::erase_pending(pruned.id));
        // A proposal beside the final chain will not be voted for, whatever still arrives.
        if (views_.proposal(pruned.view) == pruned.id) views_.refuse(pruned.view);
    }
    marks_.forget_below(tree_.root().executed.height);
    judge_again_ = true;
}

/// Somebody voted for another block than the one that the leader showed us: only its proposal can
/// prove that the leader lied, so we ask for it, once a view. (rule N2)
void OrderingCore::seek_second(const VoteContent& said, const AgentId& whom, Effects& effects) {
    const auto first = views_.proposal(said.view);
    if (!first || *first == said.block || views_.equivocated(said.view)) return;
    if (!peers_.contains(whom) || !sought_.insert(said.view).second) return;
    ++counters_.requests_sent;
    effects.send(whom, BlockRequest{said.block});
}

void OrderingCore::accuse(const VoteConflict& proof) {
    ++counters_.equivocations_seen;
    if (evidence_.size() < evidence_max) evidence_.emplace_back(proof);
    const VoteContent& content = proof.b.content;
    const bool two_proposals =
        proof.a.content.kind == VoteKind::notarize && content.kind == VoteKind::notarize;
    if (two_proposals && proof.a.seat == leader(content.view)) {
        views_.mark_equivocated(content.view);  // (rule N2)
        judge_again_ = true;
    }
    const std::string what = "seat " + std::to_string(proof.a.seat.value()) +
                             " signed two votes of view " + std::to_string(content.view.value()) +
                             " that contradict each other";
    log_.debug(what);
    // Crash mode tolerates no liar at all: the only safe thing left is to stop, and say who.
    if (roster_.mode() == QuorumMode::crash) halt(what);  // [ORD-K1.1]
}

/// A certificate shows votes that we never saw: whoever told us something else is proven by it,
/// although the view may be settled before a second vote comes. [ORD-A1.2]
void OrderingCore::accuse_signers(const Certificate& certificate) {
    if (roster_.vote_form() == VoteForm::joined) return;
    if (!tally_.contradicted(certificate.content)) return;
    auto signature = certificate.signatures.begin();
    for (std::uint32_t i = 0; i < roster_.size(); ++i) {
        if (!certificate.signed_by(i)) continue;
        const Vote vote{certificate.content, roster_.members()[i].seat, *signature++};
        if (const auto proof = tally_.against(vote)) accuse(*proof);
    }
}

/// Two certificates that cannot both exist: every seat in both lied.
void OrderingCore::accuse_clash(const Certificate& a, const Certificate& b) {
    if (agreement_lost_) return;
    agreement_lost_ = true;
    const bool in_lists = roster_.vote_form() == VoteForm::list;
    for (std::uint32_t i = 0; in_lists && i < roster_.size(); ++i) {
        if (!conflict(a.content, b.content)) break;  // A burial repeats what others have proven.
        if (!a.signed_by(i) || !b.signed_by(i)) continue;
        const Seat seat = roster_.members()[i].seat;
        accuse({vote_of(a, i, seat), vote_of(b, i, seat)});
    }
    halt(
        "view " + std::to_string(a.content.view.value()) +
        " has two certificates that contradict each other: more seats lie than the quorum tolerates"
    );
}

void OrderingCore::halt(std::string reason) {
    if (voter_) voter_->stop();
    if (halted_) return;
    log_.error("this node no longer votes: " + reason);
    halted_ = std::move(reason);
}

}  // namespace creto
