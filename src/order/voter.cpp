#include "order/voter.hpp"

#include <algorithm>

#include "order/vote_log.hpp"

namespace creto::simplex {

namespace {

std::size_t index(VoteKind kind) {
    return static_cast<std::size_t>(kind);
}

/// The same place and block, whichever kind.
bool same_block(const VoteContent& a, const VoteContent& b) {
    return a.block == b.block && a.parent_view == b.parent_view && a.epoch == b.epoch;
}

}  // namespace

Voter::Voter(const Roster& roster, Seat self, const Signer& signer)
    : chain_{roster.chain()}, epoch_{roster.epoch()}, terms_{roster}, self_{self}, signer_{signer} {
    const Member* member = roster.find(self);
    CRETO_ASSERT(member != nullptr && member->key == signer.public_key());
}

Result<void> Voter::restore(const std::vector<Bytes>& records) {
    std::optional<Vote> last;
    for (const Bytes& bytes : records) {
        auto record = decode_vote_record(bytes);
        if (!record) return tl::unexpected<Error>(record.error());
        const auto* vote = std::get_if<Vote>(&*record);
        if (vote != nullptr && vote->seat != self_) {
            return fail(ErrorCode::corrupt, "vote log: it belongs to another seat");
        }
        if (auto taken = take(*record); !taken) return taken;
        if (vote != nullptr) last = *vote;
    }
    records_ = records.size();
    // Signing is deterministic: another key or chain cannot have written the last record.
    if (last && signature_of(last->content) != last->signature) {
        return fail(ErrorCode::corrupt, "vote log: it belongs to another key or network");
    }
    return {};
}

Result<void> Voter::succeed(const Voter& before) {
    CRETO_ASSERT(before.self_ == self_ && before.epoch_ < epoch_);
    stopped_ = before.stopped_;
    for (const VoteRecord& record : before.later_) {
        if (auto taken = take(record); !taken) return taken;
    }
    records_ = before.records_;
    return {};
}

std::optional<VoteLogContents> Voter::unread() const {
    if (later_.empty()) return std::nullopt;
    VoteLogContents contents;
    for (const VoteRecord& record : later_)
        contents.records.push_back(encode_vote_record(record));
    return contents;
}

Result<void> Voter::take(const VoteRecord& record) {
    const auto* floor = std::get_if<VoteFloor>(&record);
    const auto* vote = std::get_if<Vote>(&record);
    const Epoch epoch = floor != nullptr ? floor->epoch : vote->content.epoch;
    if (epoch > epoch_) later_.push_back(record);
    if (epoch != epoch_) return {};  // What is over binds nobody any more.
    if (floor != nullptr) {
        forget_through(floor->view);
        return {};
    }
    if (vote->content.kind == VoteKind::bury) {
        return fail(ErrorCode::corrupt, "vote log: no voter records what it says of others");
    }
    if (vote->content.view <= floor_) return {};
    // A log in which this seat contradicts itself was not written by one correct voter. Between
    // two votes of different views there may have been a finalisation.
    const auto known = refusal_in_view(vote->content);
    if (known && *known != Refusal::already_cast && *known != Refusal::left) {
        return fail(
            ErrorCode::corrupt,
            "vote log: two votes of view " + std::to_string(vote->content.view.value()) +
                " contradict each other"
        );
    }
    slots_[vote->content.view][index(vote->content.kind)] = Slot{*vote, true};
    return {};
}

std::optional<Refusal> Voter::refusal_in_view(const VoteContent& content) const {
    if (stopped_) return Refusal::stopped;
    if (has_left()) return Refusal::left;  // What it dropped of this epoch it no longer knows.
    if (content.view <= floor_) return Refusal::below_floor;
    const auto found = slots_.find(content.view);
    if (found == slots_.end()) return std::nullopt;
    const auto& [notarize, nullify, finalize] = found->second;
    switch (content.kind) {
        case VoteKind::notarize:
            if (notarize) {
                return notarize->vote.content == content ? Refusal::already_cast
                                                         : Refusal::other_content;
            }
            if (nullify) return Refusal::nullified;  // [ORD-N1.1]
            if (finalize) return Refusal::finalized;
            break;
        case VoteKind::nullify:
            if (finalize) return Refusal::finalized;  // [ORD-F2.1]
            if (nullify) return Refusal::already_cast;
            break;
        case VoteKind::finalize:
            if (nullify) return Refusal::nullified;  // [ORD-F1.1]
            if (finalize) {
                return finalize->vote.content == content ? Refusal::already_cast
                                                         : Refusal::other_content;
            }
            if (notarize && !same_block(notarize->vote.content, content))
                return Refusal::other_content;
            break;
        case VoteKind::bury:
            break;
    }
    return std::nullopt;
}

// [ORD-T4.1]
std::optional<Refusal> Voter::refusal(const VoteContent& content) const {
    if (const auto why = refusal_in_view(content)) return why;
    if (content.kind == VoteKind::nullify && finalized_from(content.view))
        return Refusal::finalized;
    if (content.kind == VoteKind::finalize && given_up(content.view)) return Refusal::nullified;
    return std::nullopt;
}

bool Voter::finalized_from(View view) const {
    const View last = terms_.last_of(view);
    for (auto at = slots_.lower_bound(view); at != slots_.end() && at->first <= last; ++at) {
        if (at->second[index(VoteKind::finalize)]) return true;
    }
    return false;
}

bool Voter::given_up(View view) const {
    for (auto at = slots_.lower_bound(terms_.first_of(view));
         at != slots_.end() && at->first <= view;
         ++at) {
        if (at->second[index(VoteKind::nullify)]) return true;
    }
    return false;
}

Result<void, Refusal> Voter::sign(const VoteContent& content) {
    CRETO_ASSERT(content.epoch == epoch_);
    if (const auto why = refusal(content)) return tl::unexpected<Refusal>(*why);
    const Vote vote{content, self_, signature_of(content)};
    slots_[content.view][index(content.kind)] = Slot{vote, false};
    unsaved_.push_back(vote);
    return {};
}

Signature Voter::signature_of(const VoteContent& content) const {
    Writer writer;
    encode(writer, content);
    return signer_.sign(SignDomain::vote, chain_.value(), writer.view());
}

std::optional<Vote> Voter::bury(Epoch epoch, View base, View last) const {
    if (stopped_) return std::nullopt;
    const VoteContent content{VoteKind::bury, epoch, last, base, BlockId{}};
    return Vote{content, self_, signature_of(content)};
}

Result<void, Refusal> Voter::notarize(const VoteContent& content) {
    CRETO_ASSERT(content.kind == VoteKind::notarize);
    return sign(content);
}

Result<void, Refusal> Voter::nullify(Epoch epoch, View view) {
    return sign({.kind = VoteKind::nullify, .epoch = epoch, .view = view});
}

Result<void, Refusal> Voter::finalize(const Certificate& notarization) {
    CRETO_ASSERT(notarization.content.kind == VoteKind::notarize);
    VoteContent content = notarization.content;
    content.kind = VoteKind::finalize;
    return sign(content);
}

const Voter::Saved& Voter::save(std::vector<KeyWrite> writes, Effects& effects) {
    CRETO_ASSERT(!unsaved_.empty());
    std::vector<Bytes> records;
    records.reserve(unsaved_.size());
    for (const Vote& vote : unsaved_)
        records.push_back(encode_vote_record(vote));
    Persist batch{.ticket = effects.new_ticket(), .writes = std::move(writes)};
    if (compacting()) {
        batch.votes_kept = kept_records();
        records_ = batch.votes_kept.size();
    }
    records_ += records.size();
    batch.votes = std::move(records);
    saving_.push_back({batch.ticket, std::exchange(unsaved_, {})});
    effects.add(std::move(batch));
    return saving_.back();
}

/// The floor, and every vote above it: also those that are on their way, harmless twice.
std::vector<Bytes> Voter::kept_records() const {
    std::vector<Bytes> kept{encode_vote_record(VoteFloor{epoch_, floor_})};
    for (const auto& [view, slots] : slots_) {
        for (const auto& slot : slots) {
            if (slot) kept.push_back(encode_vote_record(slot->vote));
        }
    }
    for (const VoteRecord& record : later_)
        kept.push_back(encode_vote_record(record));
    return kept;
}

std::vector<Vote> Voter::on_persisted(Ticket ticket) {
    const auto found = std::find_if(saving_.begin(), saving_.end(), [&](const Saved& saved) {
        return saved.ticket == ticket;
    });
    if (found == saving_.end()) return {};
    std::vector<Vote> votes = std::move(found->votes);
    saving_.erase(found);
    for (const Vote& vote : votes) {
        const auto slots = slots_.find(vote.content.view);
        if (slots == slots_.end()) continue;  // Below the floor meanwhile.
        slots->second[index(vote.content.kind)]->durable = true;
    }
    return votes;
}

const Vote* Voter::cast(View view, VoteKind kind) const {
    const auto found = slots_.find(view);
    if (found == slots_.end()) return nullptr;
    const auto& slot = found->second[index(kind)];
    return slot ? &slot->vote : nullptr;
}

bool Voter::knows(const VoteContent& content) const {
    const Vote* vote = cast(content.view, content.kind);
    return vote != nullptr && vote->content == content;
}

bool Voter::is_durable(View view, VoteKind kind) const {
    const auto found = slots_.find(view);
    return found != slots_.end() && found->second[index(kind)] &&
           found->second[index(kind)]->durable;
}

std::vector<Vote> Voter::durable(View from, View to) const {
    std::vector<Vote> votes;
    for (auto at = slots_.lower_bound(from); at != slots_.end() && at->first <= to; ++at) {
        for (const auto& slot : at->second) {
            if (slot && slot->durable) votes.push_back(slot->vote);
        }
    }
    return votes;
}

void Voter::forget_through(View floor) {
    if (floor <= floor_) return;
    floor_ = floor;
    slots_.erase(slots_.begin(), slots_.upper_bound(floor));
}

}  // namespace creto::simplex
