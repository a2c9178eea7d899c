// Votes through groups: who is told what, where there are too many seats to tell all. (rule V1)
//
// A vote goes to some of its seat's group; these pass on what they collected to the roots of its view; a
// root that has a quorum makes the certificate, and it comes back the same way: to some of each group, who
// hand it to the others. A proposal goes that way, too. Whoever gets no certificate in time says its votes
// to the roots itself.
#include <algorithm>

#include "base/prng.hpp"
#include "order/core.hpp"

namespace creto {

namespace {

/// Turns of other roots, when votes are repeated.
constexpr std::uint32_t attempts_apart = 7;
/// Seats that are told where this one stands, when nothing moves.
constexpr std::uint32_t told_at_once = 8;

}  // namespace

std::vector<AgentId> OrderingCore::keys_of(std::span<const std::uint32_t> members) const {
    std::vector<AgentId> keys;
    keys.reserve(members.size());
    for (const std::uint32_t member : members)
        if (member != self_ && peers_.contains(roster_.members()[member].key))
            keys.push_back(roster_.members()[member].key);
    return keys;
}

std::uint32_t OrderingCore::collectors_now() const {
    return collector_->misses_many() ? collectors_many : collectors_usual;
}

/// Who of the group votes, where it sends its votes here in any case.
void OrderingCore::watch_group(const Vote& vote) {
    const VoteContent& content = vote.content;
    const bool on_block = content.kind == VoteKind::notarize || content.kind == VoteKind::finalize;
    if (!collector_ || !on_block || !in_window(content.view)) return;
    const auto member = roster_.index_of(vote.seat);
    if (!member || member == self_ || paths_.group_of(*member) != own_group()) return;
    const auto chosen = paths_.collectors(content, own_group(), collectors_usual);
    if (std::find(chosen.begin(), chosen.end(), *self_) != chosen.end())
        collector_->saw(content, *member);
}

std::vector<AgentId> OrderingCore::collectors_for(const VoteContent& content) const {
    if (content.kind == VoteKind::bury) return seats_;
    return keys_of(paths_.collectors(content, own_group(), collectors_now()));
}

/// The usual ones, who hold what came in time, and others in turn, in case these are not there. Few turns,
/// so that votes which are not repeated at the same time come together all the same.
std::vector<AgentId> OrderingCore::roots_for(const VoteContent& content) const {
    if (content.kind == VoteKind::bury) return seats_;
    std::vector<std::uint32_t> roots = paths_.roots(content, 0);
    for (const std::uint32_t other : paths_.roots(content, 1 + attempt_ % attempts_apart))
        if (std::find(roots.begin(), roots.end(), other) == roots.end()) roots.push_back(other);
    return keys_of(roots);
}

std::vector<AgentId> OrderingCore::own_group_and_relays(const VoteContent& content) const {
    std::vector<AgentId> all = keys_of(paths_.group(own_group()));
    for (std::uint32_t group = 0; group < paths_.groups(); ++group) {
        if (group == own_group()) continue;
        const auto relays = keys_of(paths_.collectors(content, group, collectors_now()));
        all.insert(all.end(), relays.begin(), relays.end());
    }
    return all;
}

/// Others with each view and attempt.
std::vector<AgentId> OrderingCore::some_seats(View view) const {
    if (seats_.size() <= told_at_once) return seats_;
    std::vector<AgentId> some;
    const std::uint64_t from = mix64(view.value() + mix64(self_.value_or(0) + 1) + attempt_);
    for (std::uint32_t i = 0; i < told_at_once; ++i)
        some.push_back(seats_[(from + i) % seats_.size()]);
    return some;
}

/// Takes a vote of the own group, to pass it on.
void OrderingCore::collect(const Vote& vote, Instant now) {
    const VoteContent& content = vote.content;
    if (!collector_ || content.kind == VoteKind::bury) return;
    const auto member = roster_.index_of(vote.seat);
    if (!member || paths_.group_of(*member) != own_group()) return;
    if (collects_late(vote)) return collector_->add_late(vote, *member, now);
    if (!in_window(content.view) || views_.find(content.view, content.kind) != nullptr) return;
    if (member == self_ && !collects(*self_, content)) return;
    collector_->add(vote, *member, now);
}

/// A vote of the own group on a block that is settled: it shows that its seat takes part. [ORD-V1.8]
bool OrderingCore::collects_late(const Vote& vote) const {
    const VoteContent& content = vote.content;
    const bool on_block = content.kind == VoteKind::notarize || content.kind == VoteKind::finalize;
    if (!collector_ || !on_block || content.epoch != epoch_ || content.view > current_)
        return false;
    const bool settled =
        content.view <= views_.final().view || views_.find(content.view, content.kind) != nullptr;
    if (!settled || content.view.value() + limits::view_retention <= current_.value()) return false;
    const auto member = roster_.index_of(vote.seat);
    return member && member != self_ && paths_.group_of(*member) == own_group() &&
           collector_->lacks_late(content, *member);
}

/// Who looks at the votes of a view. [STAND-REPORT.2]
std::vector<AgentId> OrderingCore::reporters_on(View view) const {
    std::vector<std::uint32_t> both{*roster_.index_of(leader(view))};
    const std::uint32_t next = *roster_.index_of(leader(terms_.last_of(view).next()));
    if (next != both.front()) both.push_back(next);
    return keys_of(both);
}

// [ORD-V1.9]
std::optional<Gatherable> OrderingCore::gatherable(const Message& message) const {
    if (!collector_ || roster_.vote_form() != VoteForm::joined) return std::nullopt;
    Gatherable made;
    if (const auto* vote = std::get_if<Vote>(&message)) {
        const auto member = roster_.index_of(vote->seat);
        if (!member) return std::nullopt;
        made = {vote->content, Bytes((roster_.size() + 7) / 8)};
        made.signers[*member / 8] = static_cast<std::uint8_t>(1U << (*member % 8));
    } else if (const auto* partial = std::get_if<PartialCertificate>(&message)) {
        if (!well_formed(*partial, roster_)) return std::nullopt;
        made = {partial->votes.content, partial->votes.signers};
    } else {
        return std::nullopt;
    }
    const VoteContent& content = made.content;
    if (content.kind == VoteKind::bury) return std::nullopt;
    made.is_late = !in_window(content.view) || views_.find(content.view, content.kind) != nullptr;
    return made;
}

bool OrderingCore::enough(const VoteContent& content, const Bytes& signers) const {
    if (!in_window(content.view) || views_.find(content.view, content.kind) != nullptr)
        return false;  // Nobody waits for it.
    return tally_.count_with(content, signers) >= roster_.quorum().q ||
           collector_->completes(content, signers, paths_.group(own_group()), self_);
}

void OrderingCore::pass_on(Instant now, Effects& effects) {
    if (!collector_) return;
    for (const PartialCertificate& partial : collector_->due(now, signer_)) {
        const VoteContent& content = partial.votes.content;
        if (views_.find(content.view, content.kind) != nullptr) continue;
        effects.send_all(keys_of(paths_.roots(content, 0)), partial);
        roots_.note(partial, now);
        count(partial, now, effects);
    }
    for (const PartialCertificate& late : collector_->due_late(now, signer_)) {
        effects.send_all(reporters_on(late.votes.content.view), late);
        roots_.note(late, now);
    }
    wake_at(collector_->next_due());
}

void OrderingCore::on_partial(
    const AgentId& from, const PartialCertificate& partial, Instant now, Effects& effects
) {
    if (!started_ || partial.votes.content.epoch != epoch_) return;
    hear(from, now);
    const View view = partial.votes.content.view;
    if (!ahead_ && view > current_) ahead_ = Ahead{view, from, now};
    if (self_ && in_window(view) && partial.votes.signed_by(*self_))
        check_own(partial.votes.content);
    roots_.note(partial, now);
    if (!halted_) count(partial, now, effects);
    settle(now, effects);
}

void OrderingCore::count(const PartialCertificate& partial, Instant now, Effects& effects) {
    if (!in_window(partial.votes.content.view)) {
        ++counters_.votes_ignored;
        return;
    }
    auto added = tally_.add(partial);
    counters_.votes_counted += added.counted;
    for (const VoteConflict& proof : added.proofs)
        accuse(proof);
    if (added.certificate) accept(*added.certificate, std::nullopt, now, effects);
}

/// Whoever has signed what is of now is there. [ORD-V1.5]
void OrderingCore::hear_signers(const Certificate& certificate, Instant now) {
    if (certificate.content.kind == VoteKind::bury) return;
    const Duration window = std::max(Duration::from_s(1), pace_.delta() * 4);
    const bool quorum_back = heard_.hear_all(
        [&](std::uint32_t member) { return certificate.signed_by(member); }, turn(), now, window
    );
    if (quorum_back) pace_.quorum_back();  // [ORD-E4.1]
}

/// Own votes of views from `from` on, once more, and where this seat stands.
void OrderingCore::repeat_votes(View from, Effects& effects) {
    if (paths_.direct()) {
        send_own_votes(seats_, from, effects);
        effects.send_all(seats_, status());
        return;
    }
    // [ORD-V1.7] Straight to those who make certificates, and to others of them each time.
    for (const Vote& vote : own_votes(from))
        send_vote(roots_for(vote.content), vote, Ticket{}, effects);
    ++attempt_;
    effects.send_all(some_seats(current_), status());
}

}  // namespace creto
