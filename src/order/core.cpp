#include "order/core.hpp"

namespace creto {

using simplex::Head;
using simplex::Refusal;

namespace {

/// Writes that no vote waits for go out together, at the latest when so many are held.
constexpr std::size_t writes_held_max = 256;
/// What a view writes: two certificates, its block, and what these replace.
constexpr std::size_t writes_usual = 8;
/// Finalised but not executed blocks beyond which catch-up pauses (sui#18438).
constexpr std::uint64_t execution_lag_max = 1'024;

simplex::BranchTip genesis_tip(const Roster& roster) {
    return {
        .view = View{},
        .height = Height{},
        .id = genesis_block_id(roster.chain()),
        .cut = std::make_shared<const Cut>(),
        .executed = {},
        .last_full = Height{}};
}

}  // namespace

OrderingCore::OrderingCore(
    const Roster& roster,
    std::optional<Seat> self,
    const Signer& signer,
    CutSource& source,
    OrderingOptions options,
    Log& log,
    const Rosters* rosters
)
    : roster_{roster},
      rosters_{rosters},
      epoch_{roster.epoch()},
      terms_{roster},
      self_{self ? roster.index_of(*self) : std::nullopt},
      signer_{signer},
      agent_{signer.public_key()},
      source_{source},
      options_{options},
      log_{log},
      paths_{roster, options.direct_seats_max},
      views_{genesis_block_id(roster.chain()), terms_},
      tree_{genesis_tip(roster), roster.checkpoint_blocks(), roster.epochs()},
      tally_{roster, &signer},
      burials_{roster, &signer},
      pace_{
          {options.delta,
           options.delta_max,
           options.heartbeat,
           options.view_interval,
           roster.size() * roster.term_views(),
           roster.quorum().t * roster.term_views(),
           roster.term_views() > 1,
           !paths_.direct()}},
      heard_{roster.quorum(), self_, options.skip_views, !paths_.direct()},
      repair_{self_.value_or(roster.size()), epoch_},
      turnout_{{options.turnout_after, options.turnout_every}},
      roots_{{options.turnout_after, options.turnout_every}} {
    turnout_.enter(roster);
    roots_.enter(roster, paths_.direct() ? std::nullopt : self);
    CRETO_ASSERT(self.has_value() == self_.has_value());
    CRETO_ASSERT(!roster.epochs().have_end() || rosters != nullptr);
    CRETO_ASSERT(options.delta > Duration{} && options.delta_max >= options.delta);
    CRETO_ASSERT(options.heartbeat > Duration{});
    if (self) voter_.emplace(roster, *self, signer);
    if (self && !paths_.direct())
        collector_.emplace(
            roster,
            simplex::VoteCollector::Options{
                paths_.group(own_group()).size(),
                roster.vote_form() == VoteForm::joined
                    ? std::min(options.collect_for, options.collect_gathered_for)
                    : options.collect_for,
                options.turnout_after / 2}
        );
}

void OrderingCore::start(Instant now, Effects& effects) {
    CRETO_ASSERT(!started_);
    started_ = true;
    source_.enter(epoch_);
    if (later_) later_->until = now + later_patience();
    pace_.enter(simplex::Pacemaker::Entered::by_progress, now);
    if (views_.notarized().view > views_.final().view) unfinal_since_ = now;
    watch_term(now);
    if (voter_) {
        // Own votes count again here as they do at the peers, or a network that was killed as a
        // whole stays one vote short for ever (monorepo#4275). (rule R1)
        for (const Vote& vote : voter_->durable(views_.final().view.next(), View{~0ULL})) {
            count(vote, now, effects);
            collect(vote, now);
        }
    }
    settle(now, effects);
}

OrderStatus OrderingCore::status() const {
    return {
        .epoch = epoch_,
        .view = current_,
        .finalized_view = tree_.root().view,
        .finalized = tree_.root().height};
}

const OrderingCounters& OrderingCore::counters() const {
    counters_.blocks_evicted = evicted_before_ + tree_.evicted();
    return counters_;
}

OrderingHeld OrderingCore::held() const {
    return {
        .views = views_.views_held() + burials_.stretches(),
        .voted_views = tally_.views_held(),
        .own_views = voter_ ? voter_->views_held() : 0,
        .blocks = tree_.size() + (stretch_ ? stretch_->blocks.size() : 0),
        .marks = marks_.held(),
        .wants = repair_.size(),
        .final_blocks = chain_.held(),
        .proofs = evidence_.size()};
}

void OrderingCore::on_proposal(
    const AgentId& from, const Proposal& proposal, Instant came, Instant now, Effects& effects
) {
    if (!started_ || proposal.block.epoch != epoch_) return;
    hear(from, now);
    const BlockId id = proposal.block.id();
    const View view = proposal.block.view;
    const Vote vote{
        {.kind = VoteKind::notarize,
         .epoch = proposal.block.epoch,
         .view = view,
         .parent_view = proposal.block.parent_view,
         .block = id},
        proposal.block.proposer,
        proposal.signature};
    if (!ahead_ && view > current_) ahead_ = Ahead{view, from, now};
    saw(from, vote, now);
    if (in_window(view)) {
        roots_.note(vote.content, *roster_.index_of(vote.seat), now);
        if (views_.proposal(view) != id) judge_again_ = true;
        if (!views_.proposal(view)) relay(from, proposal, effects);
        views_.propose(view, id);
        count(vote, now, effects);
    }
    accept_block(id, proposal, came);
    if (in_window(view) && (views_.proposal(view) != id || tally_.differs(vote.content))) {
        for (std::uint32_t i = 0; i < roster_.size() && in_window(view); ++i) {
            const VoteContent* said = tally_.content(view, VoteKind::notarize, i);
            if (said != nullptr) seek_second(*said, roster_.members()[i].key, effects);
        }
    }
    settle(now, effects);
}

void OrderingCore::on_vote(const AgentId& from, const Vote& vote, Instant now, Effects& effects) {
    if (!started_ || vote.content.epoch != epoch_) return;  // It was of it when its check began.
    hear(from, now);
    const View view = vote.content.view;
    if (!in_window(view)) {
        ++counters_.votes_ignored;
        collect(vote, now);
    } else {
        if (!ahead_ && view > current_) ahead_ = Ahead{view, from, now};
        // The leader itself gave up: nobody waits for it any longer. (rule P2)
        if (vote.content.kind == VoteKind::nullify && view == current_ &&
            vote.seat == leader(view)) {
            leader_gave_up_ = true;
        }
        count(vote, now, effects);
        collect(vote, now);
        if (vote.content.kind == VoteKind::notarize) seek_second(vote.content, from, effects);
    }
    // A vote for a view that is over comes from a straggler, or was late. (rule A4)
    if (vote.content.kind == VoteKind::nullify && view < current_) {
        if (const auto peer = peers_.find(from); peer != peers_.end())
            help(from, peer->second, view, View{}, now, effects);
    }
    settle(now, effects);
}

void OrderingCore::on_certificate(
    const AgentId& from, const Certificate& certificate, Instant now, Effects& effects
) {
    if (!started_ || certificate.content.epoch != epoch_) return;
    hear(from, now);
    accept(certificate, from, now, effects);
    settle(now, effects);
}

void OrderingCore::on_data(Instant now, Effects& effects) {
    if (!judged_.ranges.empty()) judge_again_ = true;
    settle(now, effects);
}

void OrderingCore::on_persisted(Ticket ticket, Instant now, Effects& effects) {
    if (!voter_) return;
    const std::vector<Vote> votes = voter_->on_persisted(ticket);
    if (votes.empty()) return;
    for (const Vote& vote : votes) {
        count(vote, now, effects);
        collect(vote, now);
    }
    settle(now, effects);
}

void OrderingCore::on_executed(const ExecutedMark& mark, Instant now, Effects& effects) {
    if (!marks_.add_own(mark)) {
        halt(
            "the state at height " + std::to_string(mark.height.value()) +
            " differs from the finalised one: this node diverged"
        );
    }
    marks_.forget_below(tree_.root().executed.height);
    judge_again_ = true;
    settle(now, effects);
}

void OrderingCore::settle(Instant now, Effects& effects) {
    if (!started_) return;
    wake_ = Instant::max();
    pass_on(now, effects);
    roots_.look(now);
    trust_again(now);
    finish();
    consider(now);
    lead(now);
    watch(now, effects);
    catch_up(now, effects);
    flush(now, effects);
}

bool OrderingCore::overdue(Instant now) {
    if (!unfinal_since_) return false;
    const Instant patience_ends = *unfinal_since_ + pace_.finality_patience();
    if (now >= patience_ends) return true;
    wake_at(patience_ends);
    return false;
}

// [ORD-L15.1] Without work nobody's timer runs; each of these is a reason to decide something.
bool OrderingCore::has_work(Instant now) {
    if (ended()) return false;
    if (now >= pace_.heartbeat_at()) return true;
    wake_at(pace_.heartbeat_at());
    if (views_.proposal(current_) || (voter_ && voter_->cast_any(current_))) return true;
    // t+1 seats gave up: an honest one saw work that has not reached us.
    if (tally_.nullify_count(current_) > roster_.quorum().t) return true;
    if (overdue(now) || source_.awaits_epoch()) return true;
    const simplex::BranchTip* tip = tree_.tip(views_.notarized().block);
    if (tip == nullptr || tip->executed.height < tip->last_full) return true;
    return source_.has_unordered(*tip->cut, next_mark(*tip));
}

bool OrderingCore::is_silent(Seat seat) const {
    return heard_.silent(*roster_.index_of(seat), turn());
}

/// Proven to lie, in what was executed here. [ORD-E2.3]
bool OrderingCore::is_excluded(Seat seat) const {
    return source_.is_excluded(roster_.find(seat)->key);
}

void OrderingCore::watch(Instant now, Effects& effects) {
    if (!pace_.working() && has_work(now)) pace_.work(now);
    if (asking_) return ask(now, effects);
    if (!may_vote()) {
        if (now >= status_at_) {
            effects.send_all(seats_, status());
            status_at_ = now + options_.heartbeat;
        }
        return wake_at(status_at_);
    }
    const bool proposed = views_.proposal(current_).has_value();
    const Instant deadline = proposed ? pace_.view_deadline() : pace_.leader_deadline();
    const bool settled =
        voter_->cast(current_, VoteKind::nullify) != nullptr || voter_->finalized_from(current_);
    if (!settled) {
        const bool lies = is_excluded(leader(current_)) || views_.equivocated(current_);
        skipped_ = pace_.working() && (lies || (!proposed && is_silent(leader(current_))));
        counters_.leaders_skipped += skipped_ ? 1 : 0;
        if (leader_gave_up_ || skipped_ || now >= deadline || stalled(now)) {
            give_up(now);
        } else {
            wake_at(deadline);
            if (stalls_at_) wake_at(*stalls_at_);
        }
    } else if (now >= retry_at_) {
        repeat(now, effects);  // (rule X3)
        retry_at_ = now + pace_.retry();
    }
    if (voter_->cast(current_, VoteKind::nullify) || voter_->finalized_from(current_)) {
        retry_at_ = std::min(retry_at_, now + pace_.retry());
        wake_at(retry_at_);
    }
    if (overdue(now)) {
        if (now >= finality_retry_at_) {
            // (rule F4) Stored votes only: nothing new is ever said about an old view here.
            repeat_votes(views_.final().view.next(), effects);
            ++counters_.retransmissions;
            finality_retry_at_ = now + pace_.finality_patience();
        }
        wake_at(finality_retry_at_);
    }
}

void OrderingCore::give_up(Instant now) {
    if (!voter_->nullify(epoch_, current_)) return;
    ++counters_.nullify_votes;
    retry_at_ = now + pace_.retry();
}

/// Says again what this seat said in this view, with the certificate that lets a peer enter it.
void OrderingCore::repeat(Instant now, Effects& effects) {
    static_cast<void>(now);
    ++counters_.retransmissions;
    repeat_votes(current_, effects);
    if (const Certificate* held = entry_certificate())
        effects.send_all(paths_.direct() ? seats_ : some_seats(current_), *held);
}

/// What lets a peer enter the current view; none right after a restart from a final block alone.
const Certificate* OrderingCore::entry_certificate() const {
    for (const VoteKind kind : {VoteKind::finalize, VoteKind::nullify, VoteKind::notarize}) {
        const Certificate* held = views_.find(current_.prev(), kind);
        if (held != nullptr) return held;
    }
    return nullptr;
}

void OrderingCore::catch_up(Instant now, Effects& effects) {
    if (ahead_ && ahead_->view <= current_) ahead_.reset();
    if (ahead_) {
        const Instant due = ahead_->at + pace_.delta() / 2;
        if (now >= due) {
            tell(ahead_->agent, now, effects);
            ahead_.reset();
        } else {
            wake_at(due);
        }
    }
    repair_.begin();
    const AgentId& leader_agent = roster_.find(leader(current_))->key;
    for (const auto& key : judged_.certificates)
        repair_.want(key, leader_agent);
    if (judged_.block) repair_.want(*judged_.block, leader_agent);
    const auto lacking = tree_.missing_ancestor(views_.notarized().block);
    if (lacking && !ended()) repair_.want(*lacking, std::nullopt);
    if (later_ && now >= later_->until) later_.reset();
    if (later_) {
        const bool due = now >= later_->ask_at;
        if (due) repair_.want(chain_.height().next(), later_->agent);
        wake_at(due ? later_->until : later_->ask_at);
    }
    if (lacks_final()) {
        if (const auto block = tree_.missing_ancestor(views_.final().block))
            repair_.want(*block, final_source_);
        // No more than can be executed soon. (rule L11)
        if (stretch_) {
            const Height last = stretch_->lowest().prev();
            const std::uint64_t count = std::min<std::uint64_t>(
                limits::blocks_per_message_max, last.value() - chain_.height().value()
            );
            const ChainRequest below{
                Height{last.value() - count + 1},
                static_cast<std::uint32_t>(count),
                stretch_->blocks.front().parent};
            repair_.want(below, final_source_);
        } else if (chain_.height() <= marks_.highest().plus(execution_lag_max)) {
            repair_.want(chain_.height().next(), final_source_);
        }
    }
    for (auto& request : repair_.due(seats_, pace_.retry() / 2, now)) {
        ++counters_.requests_sent;
        effects.send(request.to, request.message);
    }
    wake_at(repair_.next_wake());
    if (!judged_.ranges.empty()) {
        if (now >= ranges_at_) {
            for (const LaneRange& range : judged_.ranges)
                wanted_.push_back({range, leader_agent});
            ranges_at_ = now + pace_.retry();
        }
        wake_at(ranges_at_);
    }
}

void OrderingCore::flush(Instant now, Effects& effects) {
    if (voter_ && !voter_->unsaved().empty()) {
        for (const Vote& vote : voter_->unsaved()) {
            if (vote.content.kind != VoteKind::notarize) continue;
            // A notarized block must survive with its voters: it is stored with the vote.
            const BlockId& id = vote.content.block;
            if (leader(vote.content.view) == vote.seat) tree_.sign(id, vote.signature);
            const simplex::TreeBlock* held = tree_.find(id);
            CRETO_ASSERT(held != nullptr && held->signature.has_value());
            if (held->stored) continue;
            writes_.push_back(simplex::write_pending(id, Proposal{held->block, *held->signature}));
            tree_.mark_stored(id);
        }
        if (voter_->compacting()) {
            if (views_.finalization())
                writes_.push_back(simplex::write_certificate(*views_.finalization()));
            if (const Certificate* held = entry_certificate())
                writes_.push_back(simplex::write_certificate(*held));
        }
        // [ORD-W1.1] One durable batch, then the votes.
        const auto& saved = voter_->save(std::exchange(writes_, {}), effects);
        writes_.reserve(writes_usual);
        flush_at_.reset();
        for (const Vote& vote : saved.votes) {
            const bool leads =
                vote.content.kind == VoteKind::notarize && leader(vote.content.view) == vote.seat;
            if (paths_.direct()) {
                send_vote(seats_, vote, saved.ticket, effects);
            } else if (leads) {
                send_vote(own_group_and_relays(vote.content), vote, saved.ticket, effects);
            } else {
                send_vote(collectors_for(vote.content), vote, saved.ticket, effects);
            }
        }
        return;
    }
    if (writes_.empty()) return;
    // Certificates and finalised blocks alone wait for the next vote, so that one sync serves all.
    if (!flush_at_) flush_at_ = now + pace_.delta();
    if (now < *flush_at_ && writes_.size() < writes_held_max) return wake_at(*flush_at_);
    write_chain(effects);
}

}  // namespace creto
