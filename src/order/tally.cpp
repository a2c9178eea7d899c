#include "order/tally.hpp"

#include <algorithm>

namespace creto::simplex {

const Tally::KindVotes* Tally::find(View view, VoteKind kind) const {
    const auto found = views_.find(view);
    return found == views_.end() ? nullptr : &found->second.kinds[static_cast<std::size_t>(kind)];
}

const VoteContent* Tally::content(View view, VoteKind kind, std::uint32_t member) const {
    const KindVotes* votes = find(view, kind);
    if (votes == nullptr || votes->group_of.empty()) return nullptr;
    const std::uint16_t group = votes->group_of[member];
    return group == none ? nullptr : &votes->groups[group].content;
}

std::uint32_t Tally::count_with(const VoteContent& content, const Bytes& signers) const {
    const Certificate said{content, signers, {}};
    const KindVotes* votes = find(content.view, content.kind);
    if (votes == nullptr || votes->group_of.empty()) return said.count();
    const auto same =
        std::find_if(votes->groups.begin(), votes->groups.end(), [&](const Group& group) {
            return group.content == content;
        });
    if (same == votes->groups.end()) return said.count();
    const auto group = static_cast<std::uint16_t>(std::distance(votes->groups.begin(), same));
    std::uint32_t count = same->count;
    static_cast<void>(said.each_signer([&](std::uint32_t member) {
        count += votes->group_of[member] == group ? 0 : 1;
        return true;
    }));
    return count;
}

bool Tally::differs(const VoteContent& content) const {
    const KindVotes* votes = find(content.view, content.kind);
    return votes != nullptr &&
           std::any_of(votes->groups.begin(), votes->groups.end(), [&](const Group& group) {
               return group.content != content;
           });
}

std::vector<Vote> Tally::votes_of(std::uint32_t member) const {
    std::vector<Vote> votes;
    const Seat seat = roster_.members()[member].seat;
    for (const auto& [view, held] : views_) {
        for (const KindVotes& kind : held.kinds) {
            if (kind.group_of.empty() || kind.group_of[member] == none || !kind.single(member))
                continue;
            const VoteContent& said = kind.groups[kind.group_of[member]].content;
            votes.push_back({said, seat, kind.signatures[member]});
        }
    }
    return votes;
}

std::uint32_t Tally::nullify_count(View view) const {
    const KindVotes* votes = find(view, VoteKind::nullify);
    return votes == nullptr || votes->groups.empty() ? 0 : votes->groups.front().count;
}

bool Tally::accused(View view, std::uint32_t member) const {
    const auto found = views_.find(view);
    return found != views_.end() && !found->second.accused.empty() && found->second.accused[member];
}

std::optional<VoteConflict> Tally::proof(ViewVotes& view, const Vote& vote, std::uint32_t member)
    const {
    if (!view.accused.empty() && view.accused[member]) return std::nullopt;
    for (const KindVotes& votes : view.kinds) {
        if (votes.group_of.empty() || votes.group_of[member] == none || !votes.single(member))
            continue;
        const VoteContent& earlier = votes.groups[votes.group_of[member]].content;
        if (!conflict(earlier, vote.content)) continue;
        view.accused.resize(roster_.size());
        view.accused[member] = true;
        return VoteConflict{Vote{earlier, vote.seat, votes.signatures[member]}, vote};
    }
    return std::nullopt;
}

Tally::ViewVotes& Tally::votes_in(View view) {
    const auto place = views_.lower_bound(view);
    if (place != views_.end() && place->first == view) return place->second;
    if (spare_.empty()) return views_.emplace_hint(place, view, ViewVotes{})->second;
    const auto made = views_.emplace_hint(place, view, std::move(spare_.back()));
    spare_.pop_back();
    return made->second;
}

void Tally::forget_through(View view) {
    while (!views_.empty() && views_.begin()->first <= view) {
        if (spare_.size() < spare_max) {
            ViewVotes& settled = spare_.emplace_back(std::move(views_.begin()->second));
            for (KindVotes& votes : settled.kinds) {
                votes.group_of.clear();
                votes.came_joined.clear();
                votes.groups.clear();
            }
            settled.accused.clear();
        }
        views_.erase(views_.begin());
    }
}

Tally::Added Tally::add(const Vote& vote) {
    const auto member = roster_.index_of(vote.seat);
    CRETO_ASSERT(member.has_value());
    ViewVotes& view = votes_in(vote.content.view);
    Added added;
    added.proof = proof(view, vote, *member);

    KindVotes& votes = votes_in(view, vote.content.kind);
    if (votes.group_of[*member] != none) return added;
    const std::uint16_t group = group_in(votes, vote.content);
    votes.group_of[*member] = group;
    votes.signatures[*member] = vote.signature;
    added.counted = true;
    // The count of a group passes the quorum once, so its certificate is made once.
    if (++votes.groups[group].count == roster_.quorum().q)
        added.certificate = certificate(votes, group);
    return added;
}

Tally::KindVotes& Tally::votes_in(ViewVotes& view, VoteKind kind) const {
    KindVotes& votes = view.kinds[static_cast<std::size_t>(kind)];
    if (votes.group_of.empty()) {
        votes.group_of.assign(roster_.size(), none);
        votes.signatures.resize(roster_.size());
    }
    return votes;
}

std::uint16_t Tally::group_in(KindVotes& votes, const VoteContent& content) {
    std::uint16_t group = 0;
    while (group < votes.groups.size() && votes.groups[group].content != content)
        ++group;
    if (group == votes.groups.size()) votes.groups.push_back({content, 0});
    return group;
}

bool Tally::lacks(const PartialCertificate& partial) const {
    const VoteContent& content = partial.votes.content;
    const KindVotes* votes = find(content.view, content.kind);
    if (votes == nullptr || votes->group_of.empty()) return true;
    const bool in_list = roster_.vote_form() == VoteForm::list;
    return !partial.votes.each_signer([&](std::uint32_t i) {
        if (i >= votes->group_of.size()) return true;
        const std::uint16_t group = votes->group_of[i];
        if (group == none) return false;
        // Whoever says two things is counted for the first; the second is proof, once. Joined with others it
        // counts, as they do.
        const bool is_other = votes->groups[group].content != content;
        return !is_other || (in_list && accused(content.view, i));
    });
}

Tally::AddedPartial Tally::add(const PartialCertificate& partial) {
    const Certificate& said = partial.votes;
    AddedPartial added;
    if (roster_.vote_form() == VoteForm::list) {
        auto signature = said.signatures.begin();
        for (std::uint32_t i = 0; i < roster_.size(); ++i) {
            if (!said.signed_by(i)) continue;
            Added one = add(Vote{said.content, roster_.members()[i].seat, *signature++});
            added.counted += one.counted ? 1 : 0;
            if (one.proof) added.proofs.push_back(std::move(*one.proof));
            if (one.certificate) added.certificate = std::move(one.certificate);
        }
        return added;
    }
    KindVotes& votes = votes_in(votes_in(said.content.view), said.content.kind);
    const std::uint16_t group = group_in(votes, said.content);
    const std::uint32_t before = votes.groups[group].count;
    take(votes, group, said);
    const std::uint32_t after = votes.groups[group].count;
    added.counted = after > before ? after - before : 0;
    const std::uint32_t q = roster_.quorum().q;
    if (before < q && after >= q) added.certificate = certificate(votes, group);
    return added;
}

void Tally::take(KindVotes& votes, std::uint16_t group, const Certificate& joined) const {
    std::vector<Certificate>& held = votes.groups[group].joined;
    const auto overlaps = [&](const Certificate& other) {
        for (std::size_t i = 0; i < other.signers.size(); ++i)
            if ((other.signers[i] & joined.signers[i]) != 0) return true;
        return false;
    };
    std::uint32_t overlapped = 0;
    for (const Certificate& other : held)
        overlapped += overlaps(other) ? other.count() : 0;
    if (overlapped >= joined.count()) return;
    votes.came_joined.resize(roster_.size());
    if (overlapped == 0) {  // As it is when each group has said its part once.
        held.push_back(joined);
        static_cast<void>(joined.each_signer([&](std::uint32_t i) {
            std::uint16_t& place = votes.group_of[i];
            votes.groups[group].count += place == group ? 0 : 1;
            if (place == none) {
                place = group;
                votes.came_joined[i] = true;
            }
            return true;
        }));
        return;
    }
    std::erase_if(held, overlaps);
    held.push_back(joined);
    std::vector<std::uint8_t> all(joined.signers.size());
    for (const Certificate& part : held)
        for (std::size_t i = 0; i < all.size(); ++i)
            all[i] = static_cast<std::uint8_t>(all[i] | part.signers[i]);
    std::uint32_t count = 0;
    for (std::uint32_t i = 0; i < roster_.size(); ++i) {
        const bool within = (all[i / 8] >> (i % 8) & 1U) != 0;
        std::uint16_t& place = votes.group_of[i];
        if (within && place == none) {
            place = group;
            votes.came_joined[i] = true;
        } else if (!within && place == group && !votes.single(i)) {
            // What was replaced had a vote that its successor has not.
            place = none;
            votes.came_joined[i] = false;
        }
        count += within || place == group ? 1 : 0;
    }
    votes.groups[group].count = count;
}

std::optional<VoteConflict> Tally::against(const Vote& vote) {
    const auto found = views_.find(vote.content.view);
    if (found == views_.end()) return std::nullopt;
    return proof(found->second, vote, *roster_.index_of(vote.seat));
}

bool Tally::contradicted(const VoteContent& content) const {
    const auto found = views_.find(content.view);
    if (found == views_.end()) return false;
    for (const KindVotes& votes : found->second.kinds) {
        for (const Group& group : votes.groups)
            if (conflict(group.content, content)) return true;
    }
    return false;
}

Certificate Tally::certificate(const KindVotes& votes, std::uint16_t group) const {
    const Group& same = votes.groups[group];
    Certificate made = unsigned_certificate(same.content, roster_, same.count);
    for (const Certificate& part : same.joined) {
        for (std::size_t i = 0; i < made.signers.size(); ++i)
            made.signers[i] = static_cast<std::uint8_t>(made.signers[i] | part.signers[i]);
        made.signatures.push_back(part.signatures.front());
    }
    for (std::uint32_t i = 0; i < roster_.size(); ++i) {
        if (votes.group_of[i] == group && votes.single(i) && !made.signed_by(i))
            made.add(i, votes.signatures[i]);
    }
    join(made, roster_, joiner_);
    return made;
}

}  // namespace creto::simplex
