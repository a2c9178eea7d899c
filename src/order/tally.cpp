#include "order/tally.hpp"

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

std::vector<Vote> Tally::votes_of(std::uint32_t member) const {
    std::vector<Vote> votes;
    const Seat seat = roster_.members()[member].seat;
    for (const auto& [view, held] : views_) {
        for (const KindVotes& kind : held.kinds) {
            if (kind.group_of.empty() || kind.group_of[member] == none) continue;
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
        if (votes.group_of.empty() || votes.group_of[member] == none) continue;
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

    KindVotes& votes = view.kinds[static_cast<std::size_t>(vote.content.kind)];
    if (votes.group_of.empty()) {
        votes.group_of.assign(roster_.size(), none);
        votes.signatures.resize(roster_.size());
    }
    if (votes.group_of[*member] != none) return added;
    std::uint16_t group = 0;
    while (group < votes.groups.size() && votes.groups[group].content != vote.content)
        ++group;
    if (group == votes.groups.size()) votes.groups.push_back({vote.content, 0});
    votes.group_of[*member] = group;
    votes.signatures[*member] = vote.signature;
    added.counted = true;
    // The count of a group passes the quorum once, so its certificate is made once.
    if (++votes.groups[group].count == roster_.quorum().q)
        added.certificate = certificate(votes, group);
    return added;
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
    for (std::uint32_t i = 0; i < roster_.size(); ++i) {
        if (votes.group_of[i] == group) made.add(i, votes.signatures[i]);
    }
    return made;
}

}  // namespace creto::simplex
