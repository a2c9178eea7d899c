// A seat whose vote log is lost, or empty: what it may still say.
//
// Why      A seat that forgot its votes would contradict them, and be taken for a liar. A lost disk
//          is never evidence, so it must not speak where it may have spoken.
// Holds    [ORD-R5.1] A seat that lost its log votes again only above every view in which a vote of
//          its own could exist. It can have voted in view v only if view v-1 has a certificate. Of
//          the seats that signed that one, at least one honest one is among any q others, and it
//          stands in view v-1 at least; so once q others have said where they stand and we hold the
//          certificates to stand there, too, v is at most the view after ours. (With terms: of the
//          next term, if that certificate was the nullification of a view before v-1.)
//          [ORD-R5.2] With OrderingOptions::ask_first a seat with an empty log waits for a quorum,
//          itself included, which hands back the votes with its key that it holds; one of these
//          means that the log was lost, also when it shows up later. (A second time it means another
//          process with the same key.)
//          [ORD-R5.3] For OrderingOptions::watch_for after it could trust itself again a seat that
//          lost its log only looks on. A vote of its own above the floor that it would have is then
//          another process': it stops, and has contradicted nobody.
// Limits   A claim counts only once certificates prove it, so a liar can withhold its own answer and
//          nothing else. A seat that asks is one of the faults that the quorum tolerates. When more
//          logs are lost than that, nobody is left who may vote, and only people can decide.
#include <algorithm>

#include "order/core.hpp"

namespace creto {

void OrderingCore::begin_asking(bool lost) {
    began_empty_ = voter_->records() == 0 && options_.ask_first && roster_.size() > 1;
    lost_ = lost;
    asking_ = began_empty_ || (lost && roster_.size() > 1);
}

/// View 0, where nobody stands, asks for an answer even by those who are not ahead.
void OrderingCore::ask(Instant now, Effects& effects) {
    if (now >= status_at_) {
        OrderStatus question = status();
        question.view = View{};
        effects.send_all(seats_, question);
        status_at_ = now + std::max(ask_after_, pace_.retry());
        ask_after_ = std::min(std::max(ask_after_, pace_.retry()) * 2, options_.heartbeat);
    }
    wake_at(status_at_);
}

void OrderingCore::hear_claim(const AgentId& from, const OrderStatus& their) {
    const Member* member = roster_.find(from);
    if (!asking_ || member == nullptr || their.view == View{}) return;
    const auto index = *roster_.index_of(member->seat);
    if (index == self_) return;
    claims_[index] = their.view;
    too_few_in_.reset();
}

void OrderingCore::trust_again(Instant now) {
    if (!asking_) return;
    const Quorum quorum = roster_.quorum();
    const std::uint32_t needed = lost_ ? std::min(quorum.q, quorum.n - 1) : quorum.q - 1;
    if (claims_.size() < needed || too_few_in_ == current_) return;
    const auto proven = static_cast<std::uint32_t>(std::count_if(
        claims_.begin(),
        claims_.end(),
        [this](const auto& claim) { return claim.second <= current_; }
    ));
    if (proven < needed) {
        too_few_in_ = current_;
        return;
    }
    // Whoever vouched for the last view that it entered may stand a term further back, and what it
    // said in that term binds it to the end. [ORD-T4.1]
    const View floor = std::max(terms_.last_of(terms_.last_of(current_).next()), voter_->floor());
    if (lost_ && options_.watch_for > Duration{}) {
        if (!watch_until_) watch_until_ = now + options_.watch_for;
        if (!watch_above_) watch_above_ = floor;
        if (now < *watch_until_) return wake_at(*watch_until_);
    }
    asking_ = false;
    claims_.clear();
    judge_again_ = true;
    if (!lost_) return;
    voter_->begin_above(floor);  // [ORD-R5.1]
    log_.warn(
        "the vote log was lost: this seat votes again above view " + std::to_string(floor.value())
    );
}

/// Votes with the key of a peer: if it does not know them, it must learn that it said them.
void OrderingCore::return_votes(const AgentId& to, const Peer& peer, Effects& effects) {
    if (!peer.member) return;
    for (const Vote& vote : tally_.votes_of(*peer.member))
        effects.send(to, vote);
}

}  // namespace creto
