// Serving others, and what is said to a peer that comes back: rules A4, E5, G4 and L11.
#include <algorithm>

#include "order/core.hpp"

namespace creto {

using simplex::StoredBlock;

namespace {

/// What one peer may ask for: certificates, blocks and chains together. (rule G4)
constexpr TokenBucket::Options request_quota{.rate_per_s = 200, .burst = 400};
/// Chain answers under way to the store, for all peers together.
constexpr std::size_t loads_max = 8;
/// A stretch of final blocks without a finalisation of their own that a joiner holds at most.
constexpr std::uint64_t stretch_blocks_max = 16'384;
/// Own votes repeated at once.
constexpr std::size_t repeat_votes_max = 64;

// Ascending lists of agents.
void put(std::vector<AgentId>& list, const AgentId& agent) {
    const auto at = std::lower_bound(list.begin(), list.end(), agent);
    if (at == list.end() || *at != agent) list.insert(at, agent);
}
void take_out(std::vector<AgentId>& list, const AgentId& agent) {
    const auto at = std::lower_bound(list.begin(), list.end(), agent);
    if (at != list.end() && *at == agent) list.erase(at);
}

}  // namespace

void OrderingCore::hear(const AgentId& from, Instant now) {
    const Member* member = roster_.find(from);
    if (member == nullptr) return;
    const Duration window = std::max(Duration::from_s(1), pace_.delta() * 4);
    const auto index = static_cast<std::uint32_t>(member - roster_.members().data());
    const bool quorum_back = heard_.hear(index, turn(), now, window);
    if (quorum_back) pace_.quorum_back();  // [ORD-E4.1]
}

void OrderingCore::saw(const AgentId& from, const Vote& vote, Instant now) {
    const bool near = vote.content.epoch < epoch_ ||
                      vote.content.view.value() <= current_.value() + limits::view_window;
    if (paths_.direct()) {
        if (near) turnout_.note(from, vote.seat, vote.content, now);
        return;
    }
    const Member* sender = roster_.find(from);
    if (sender == nullptr || sender->seat != vote.seat || vote.content.epoch != epoch_) return;
    watch_group(vote);
    if (near) roots_.note(vote.content, *roster_.index_of(vote.seat), now);
}

void OrderingCore::list_peers() {
    seats_.clear();
    all_.clear();
    for (const auto& [agent, peer] : peers_) {
        all_.push_back(agent);
        if (peer.member) seats_.push_back(agent);
    }
}

void OrderingCore::on_peer_up(const AgentId& peer, Instant now, Effects& effects) {
    if (peer == agent_) return;
    const Member* member = roster_.find(peer);
    Peer fresh{.requests = TokenBucket{request_quota}};
    if (member != nullptr) fresh.member = roster_.index_of(member->seat);
    peers_.insert_or_assign(peer, fresh);
    put(all_, peer);
    if (member != nullptr) put(seats_, peer);
    hear(peer, now);
    if (!started_) return;
    return_votes(peer, peers_.at(peer), effects);
    // (rule E5) Whoever is ahead answers a status with its best certificate.
    effects.send(peer, status());
    if (member != nullptr) send_own_votes({peer}, views_.final().view.next(), effects);
    settle(now, effects);
}

void OrderingCore::on_peer_down(const AgentId& peer, Instant now, Effects& effects) {
    peers_.erase(peer);
    take_out(all_, peer);
    take_out(seats_, peer);
    settle(now, effects);
}

/// Durable own votes from a view on: repeated, never made anew.
std::vector<Vote> OrderingCore::own_votes(View from) const {
    if (!voter_) return {};
    const View recent{current_.value() > 8 ? current_.value() - 8 : 0};
    std::vector<Vote> votes = voter_->durable(std::max(from, recent), View{~0ULL});
    if (votes.size() > repeat_votes_max) votes.resize(repeat_votes_max);
    return votes;
}

void OrderingCore::send_own_votes(const std::vector<AgentId>& to, View from, Effects& effects) {
    for (const Vote& vote : own_votes(from))
        send_vote(to, vote, Ticket{}, effects);
}

/// The leader's notarize vote is the signature of its proposal, so the proposal is what is sent.
void OrderingCore::send_vote(
    const std::vector<AgentId>& to, const Vote& vote, Ticket after, Effects& effects
) {
    if (vote.content.kind == VoteKind::notarize && leader(vote.content.view) == vote.seat) {
        if (const simplex::TreeBlock* held = tree_.find(vote.content.block)) {
            effects.send_all(to, Proposal{held->block, vote.signature}, after);
            return;
        }
    }
    effects.send_all(to, vote, after);
}

/// Our best certificates for a peer that stands lower, not more often than it could use them.
void OrderingCore::help(
    const AgentId& to, Peer& peer, View their_view, View their_final, Instant now, Effects& effects
) {
    if (peer.helped && now < peer.helped_at + pace_.retry() / 2) return;
    const auto& finalization = views_.finalization();
    const View before = current_.prev();
    bool sent = false;
    if (finalization && finalization->content.view > their_final) {
        effects.send(to, *finalization);
        sent = true;
    }
    if (their_view < current_ && before > views_.final().view) {
        for (const VoteKind kind : {VoteKind::nullify, VoteKind::notarize}) {
            const Certificate* entry = views_.find(before, kind);
            if (entry == nullptr) continue;
            effects.send(to, *entry);
            sent = true;
            break;
        }
    }
    if (!sent) return;
    peer.helped = true;
    peer.helped_at = now;
}

/// Says where we stand, so that the peer can help us.
void OrderingCore::tell(const AgentId& to, Instant now, Effects& effects) {
    const auto found = peers_.find(to);
    if (found == peers_.end()) return;
    Peer& peer = found->second;
    if (peer.told && now < peer.told_at + pace_.retry() / 2) return;
    peer.told = true;
    peer.told_at = now;
    effects.send(to, status());
}

void OrderingCore::on_status(
    const AgentId& from, const OrderStatus& their, Instant now, Effects& effects
) {
    if (!started_) return;
    hear(from, now);
    const auto found = peers_.find(from);
    if (their.epoch != epoch_) return on_other_epoch(from, their.epoch, now, effects);
    if (found != peers_.end()) {
        hear_claim(from, their);
        if (their.view == View{}) {  // It asks what it said, and where everybody stands.
            help(from, found->second, their.view, their.finalized_view, now, effects);
            return_votes(from, found->second, effects);
            tell(from, now, effects);
        }
        if (their.finalized_view < views_.final().view || their.view < current_)
            help(from, found->second, their.view, their.finalized_view, now, effects);
        // A claim moves nothing here: only certificates do. It is a reason to ask. [ORD-E5.2]
        if (their.finalized_view > views_.final().view || their.view > current_)
            tell(from, now, effects);
    }
    settle(now, effects);
}

bool OrderingCore::admit(const AgentId& from, Instant now) {
    const auto found = peers_.find(from);
    if (found != peers_.end() && !found->second.requests.take(1, now)) return true;
    ++counters_.requests_refused;
    return false;
}

void OrderingCore::on_certificate_request(
    const AgentId& from, const CertificateRequest& request, Instant now, Effects& effects
) {
    if (!started_) return;
    hear(from, now);
    if (request.epoch == epoch_ && admit(from, now)) {
        // What is settled is answered by what settled it. (rule G5)
        const Certificate* answer = views_.find(request.view, request.kind);
        if (answer == nullptr && request.view <= views_.final().view && views_.finalization())
            answer = &*views_.finalization();
        ++(answer != nullptr ? counters_.requests_served : counters_.requests_refused);
        if (answer != nullptr) effects.send(from, *answer);
    }
    settle(now, effects);
}

void OrderingCore::on_block_request(
    const AgentId& from, const BlockRequest& request, Instant now, Effects& effects
) {
    if (!started_) return;
    hear(from, now);
    if (admit(from, now)) {
        const simplex::TreeBlock* held = tree_.find(request.block);
        // A signature that only we hold yet is our vote: it leaves after its record, not before.
        // One with our key that is not in our log is another process's, and not ours to spread.
        const bool own =
            held != nullptr && self_ && held->block.proposer == roster_.members()[*self_].seat;
        const bool known = held != nullptr && held->signature.has_value() &&
                           (!own || (voter_->is_durable(held->block.view, VoteKind::notarize) &&
                                     voter_->knows(held->block.content(VoteKind::notarize))));
        ++(known ? counters_.requests_served : counters_.requests_refused);
        if (known) effects.send(from, Proposal{held->block, *held->signature});
    }
    settle(now, effects);
}

void OrderingCore::on_chain_request(
    const AgentId& from, const ChainRequest& request, Instant now, Effects& effects
) {
    if (!started_) return;
    hear(from, now);
    const auto found = peers_.find(from);
    const bool here = request.from != Height{} && request.count > 0 &&
                      request.from <= chain_.height() && found != peers_.end();
    if (!here || !admit(from, now)) {
        counters_.requests_refused += here ? 0 : 1;
        return settle(now, effects);
    }
    if (request.from < kept_from_) {
        ++counters_.requests_refused;
        note_unserved(from);
        return settle(now, effects);
    }
    const auto count = static_cast<std::uint32_t>(std::min<std::uint64_t>(
        {request.count,
         limits::blocks_per_message_max,
         chain_.height().value() - request.from.value() + 1,
         // What lies in the next epoch is proven by another roster.
         roster_.epochs().last_of(roster_.epochs().of(request.from)).value() -
             request.from.value() + 1}
    ));
    serve_chain({from, request.from, count, request.anchor, false}, effects);
    settle(now, effects);
}

/// Whoever asks for blocks that are not kept needs a checkpoint instead.
void OrderingCore::note_unserved(const AgentId& from) {
    const bool noted = std::find(unserved_.begin(), unserved_.end(), from) != unserved_.end();
    if (!noted) unserved_.push_back(from);  // One for each connection at most.
}

/// Answers from memory, or asks the store first.
void OrderingCore::serve_chain(const ChainLoad& wanted, Effects& effects) {
    const auto peer = peers_.find(wanted.to);
    if (peer == peers_.end()) return;
    if (wanted.from >= chain_.recent_from()) return answer_chain(wanted, {}, effects);
    if (peer->second.loading || loads_.size() >= loads_max) {
        ++counters_.requests_refused;
        return;
    }
    // Exact keys only, at most one message's worth: never a scan. (rule G4)
    Load load{.ticket = effects.new_ticket(), .column = Column::blocks, .keys = {}};
    for (std::uint64_t i = 0; i < wanted.count; ++i) {
        const Height height = wanted.from.plus(i);
        if (height >= chain_.recent_from()) break;
        load.keys.push_back(simplex::final_block_key(height));
    }
    peer->second.loading = true;
    loads_.emplace(load.ticket, wanted);
    effects.add(std::move(load));
}

void OrderingCore::on_loaded(const Loaded& loaded, Instant now, Effects& effects) {
    const auto found = loads_.find(loaded.ticket);
    if (found == loads_.end()) return;
    const ChainLoad load = found->second;
    loads_.erase(found);
    const auto peer = peers_.find(load.to);
    if (peer != peers_.end()) {
        peer->second.loading = false;
        std::vector<StoredBlock> run;
        for (const auto& value : loaded.values) {
            if (!value) break;
            auto stored = decode_exact<StoredBlock>(*value);
            if (!stored || stored->block.height != load.from.plus(run.size())) break;
            run.push_back(std::move(*stored));
        }
        answer_chain(load, std::move(run), effects);
    }
    settle(now, effects);
}

/// Appends what is in memory to what was loaded, and sends the provable part.
void OrderingCore::answer_chain(
    const ChainLoad& wanted, std::vector<StoredBlock> run, Effects& effects
) {
    while (run.size() < wanted.count) {
        const auto* entry = chain_.recent(wanted.from.plus(run.size()));
        if (entry == nullptr) break;
        run.push_back(entry->stored);
    }
    const bool has_anchor = !wanted.anchor.value().is_zero();
    const auto answer = has_anchor ? simplex::anchored(run, wanted.anchor) : simplex::provable(run);
    if (!answer && !has_anchor && !wanted.stretch_end && !run.empty() &&
        run.back().final_by > run.back().block.height) {
        // [ORD-L11.2] Too long a stretch for one message: its end, which proves the rest.
        const Height end = run.back().final_by;
        const std::uint64_t count = std::min<std::uint64_t>(
            limits::blocks_per_message_max, end.value() - wanted.from.value() + 1
        );
        const Height from{end.value() - count + 1};
        return serve_chain({wanted.to, from, static_cast<std::uint32_t>(count), {}, true}, effects);
    }
    ++(answer ? counters_.requests_served : counters_.requests_refused);
    if (answer) return effects.send(wanted.to, *answer);
    // Who began at a checkpoint that was a boundary may not have what made it final. [ORD-L12.5]
    const bool is_unproven =
        !run.empty() && run.back().block.next_roster && !run.back().finalization;
    if (is_unproven) note_unserved(wanted.to);
}

void OrderingCore::on_chain_answer(
    const AgentId& from, const ChainAnswer& answer, Instant now, Effects& effects
) {
    if (!started_) return;
    hear(from, now);
    if (!worth(answer)) return settle(now, effects);  // It was, when its check began.
    const Height before = chain_.height();
    if (!answer.finalization || answer.blocks.front().height > before.next()) {
        extend_stretch(answer);
        if (answer.finalization) accept(*answer.finalization, from, now, effects);
        if (chain_.height() > before) final_source_ = from;
        return settle(now, effects);
    }
    // check_items() has seen that the blocks are linked and that the last is the finalised one.
    const bool continues = !answer.blocks.empty() &&
                           answer.blocks.front().height <= before.next() &&
                           answer.blocks.back().height > before;
    if (continues && !agreement_lost_) {
        for (const Block& block : answer.blocks) {
            const auto* known = chain_.recent(block.height);
            if (block.height <= before && known != nullptr && known->id != block.id()) {
                agreement_lost_ = true;
                halt(
                    "two chains are finalised from height " + std::to_string(block.height.value()) +
                    " on: more seats lie than the quorum tolerates"
                );
                break;
            }
        }
        if (!agreement_lost_) finalize_run(answer.blocks, *answer.finalization);
        if (later_ && chain_.height() > before) later_->until = now + later_patience();
        accept(*answer.finalization, from, now, effects);
        if (chain_.height() > before) final_source_ = from;
    }
    settle(now, effects);
}

std::optional<ChainAnswer> OrderingCore::prove(
    const ExecutedMark& mark, const std::vector<StoredBlock>& stored
) const {
    simplex::MarkProof proof{mark};
    for (std::uint64_t i = 0; i < limits::blocks_per_message_max; ++i) {
        const auto* entry = chain_.recent(mark.height.plus(i));
        if (entry == nullptr && i >= stored.size()) break;
        if (proof.add(entry != nullptr ? entry->stored : stored[i])) return proof.take();
    }
    return std::nullopt;
}

// [ORD-L11.4] The chain below the anchor is the agreed one by its mark, and is nobody's matter here.
void OrderingCore::adopt(
    const Anchor& anchor,
    const ChainAnswer& proof,
    const AgentId& from,
    Instant now,
    Effects& effects
) {
    const simplex::BranchTip tip = simplex::tip_at(anchor);
    StoredBlock stored{anchor.block, std::nullopt, proof.blocks.back().height};
    writes_.push_back(simplex::write_final(stored));
    chain_.jump({std::move(stored), tip.id}, anchor.cut);
    if (tree_.root().id != tip.id) {  // Else the epoch began there.
        for (const auto& pruned : tree_.jump(tip))
            if (pruned.stored) writes_.push_back(simplex::erase_pending(pruned.id));
    }
    if (!marks_.restart_from(anchor.mark)) {  // [ORD-M3.1]
        halt(
            "the state at height " + std::to_string(anchor.mark.height.value()) +
            " differs from the finalised one"
        );
    }
    stretch_.reset();
    judged_ = {};
    judge_again_ = true;
    // A proof that reaches into the next epoch proves the anchor, and the rest is asked for.
    if (proof.blocks.back().epoch == epoch_ && proof.blocks.back().height > tip.height) {
        finalize_run(proof.blocks, *proof.finalization);
        accept(*proof.finalization, from, now, effects);
    }
    final_source_ = from;
    settle(now, effects);
}

/// Something final that does not join our chain: one at a time, and not longer than we can hold.
bool OrderingCore::is_stretch_end(Height first, Height last) const {
    return !stretch_ && first > chain_.height().next() &&
           last.value() - chain_.height().value() <= stretch_blocks_max;
}

// [ORD-L11.2] Every block is named by the one above it, and the highest by its finalisation.
void OrderingCore::extend_stretch(const ChainAnswer& answer) {
    if (answer.finalization) {
        stretch_ = Stretch{*answer.finalization, {answer.blocks.begin(), answer.blocks.end()}};
    } else if (answer.blocks.back().id() == stretch_->blocks.front().parent) {
        stretch_->blocks.insert(
            stretch_->blocks.begin(), answer.blocks.begin(), answer.blocks.end()
        );
    }
    finish_stretch();
}

/// Finalises the whole stretch, once it reaches down to our chain.
void OrderingCore::finish_stretch() {
    if (stretch_->lowest() > chain_.height().next()) return;
    const Stretch whole = std::move(*stretch_);
    stretch_.reset();
    const std::vector<Block> blocks{whole.blocks.begin(), whole.blocks.end()};
    finalize_run(blocks, whole.finalization);
}

}  // namespace creto
