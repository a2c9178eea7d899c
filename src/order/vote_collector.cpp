#include "order/vote_collector.hpp"

#include <algorithm>

namespace creto::simplex {

VoteCollector::Votes& VoteCollector::votes_in(Views& views, const VoteContent& content) {
    std::vector<Votes>& view = views[content.view];
    const auto votes = std::find_if(view.begin(), view.end(), [&](const Votes& one) {
        return one.content == content;
    });
    if (votes != view.end()) return *votes;
    return view.emplace_back(Votes{content, {}, {}});
}

void VoteCollector::add(const Vote& vote, std::uint32_t member, Instant now) {
    Votes& votes = votes_in(views_, vote.content);
    if (!votes.by.emplace(member, Said{vote.signature}).second) return;
    if (votes.by.size() >= options_.group_size) {
        votes.due_at = now;
    } else if (!votes.due_at) {
        votes.due_at = now + options_.patience;
    }
    next_due_ = std::min(next_due_, *votes.due_at);
}

template <class Which>
std::optional<PartialCertificate> VoteCollector::together(
    Votes& votes, const Signer& joiner, const Which& which
) const {
    Certificate made = unsigned_certificate(votes.content, roster_, votes.by.size());
    for (auto& [member, said] : votes.by) {
        if (!which(said)) continue;
        made.add(member, said.signature);
        said.gone = true;
    }
    if (made.signatures.empty()) return std::nullopt;
    join(made, roster_, &joiner);
    return PartialCertificate{std::move(made)};
}

std::vector<PartialCertificate> VoteCollector::due(Instant now, const Signer& joiner) {
    std::vector<PartialCertificate> all;
    if (now < next_due_) return all;
    for (auto& [view, contents] : views_) {
        for (Votes& votes : contents) {
            if (!votes.due_at || now < *votes.due_at) continue;
            votes.due_at.reset();
            auto made = together(votes, joiner, [](const Said&) { return true; });
            if (made) all.push_back(std::move(*made));
        }
    }
    look();
    return all;
}

bool VoteCollector::completes(
    const VoteContent& content,
    const Bytes& signers,
    std::span<const std::uint32_t> group,
    std::optional<std::uint32_t> self
) const {
    const Votes* held = nullptr;
    if (const auto view = views_.find(content.view); view != views_.end()) {
        for (const Votes& votes : view->second)
            if (votes.content == content) held = &votes;
    }
    return std::all_of(group.begin(), group.end(), [&](std::uint32_t member) {
        const bool signs = (signers[member / 8] >> (member % 8) & 1U) != 0;
        return member == self || signs || (held != nullptr && held->by.contains(member));
    });
}

void VoteCollector::keep_late(Votes votes, Instant now) {
    const bool on_block =
        votes.content.kind == VoteKind::notarize || votes.content.kind == VoteKind::finalize;
    if (!on_block || options_.late <= Duration{} || votes.content.view <= late_through_) return;
    votes.due_at = now + options_.late;
    next_late_ = std::min(next_late_, *votes.due_at);
    late_[votes.content.view].push_back(std::move(votes));
}

void VoteCollector::settle(View view, VoteKind kind, Instant now) {
    const auto found = views_.find(view);
    if (found == views_.end()) return;
    std::vector<Votes> others;
    for (Votes& votes : found->second) {
        if (votes.content.kind == kind) {
            keep_late(std::move(votes), now);
        } else {
            others.push_back(std::move(votes));
        }
    }
    if (others.empty()) {
        views_.erase(found);
    } else {
        found->second = std::move(others);
    }
    look();
}

// Of each member one vote of each kind: nobody makes us keep more than its seat could say.
bool VoteCollector::lacks_late(const VoteContent& content, std::uint32_t member) const {
    if (options_.late <= Duration{} || content.view <= late_through_) return false;
    const auto found = late_.find(content.view);
    if (found == late_.end()) return true;
    return std::none_of(found->second.begin(), found->second.end(), [&](const Votes& votes) {
        return votes.content.kind == content.kind && votes.by.contains(member);
    });
}

void VoteCollector::add_late(const Vote& vote, std::uint32_t member, Instant now) {
    Votes& votes = votes_in(late_, vote.content);
    votes.by.emplace(member, Said{vote.signature});
    if (!votes.due_at) votes.due_at = now + options_.late;
    next_late_ = std::min(next_late_, *votes.due_at);
}

// [ORD-V1.8]
std::vector<PartialCertificate> VoteCollector::due_late(Instant now, const Signer& joiner) {
    std::vector<PartialCertificate> all;
    if (now < next_late_) return all;
    next_late_ = Instant::max();
    for (auto view = late_.begin(); view != late_.end();) {
        std::erase_if(view->second, [&](Votes& votes) {
            if (now < *votes.due_at) {
                next_late_ = std::min(next_late_, *votes.due_at);
                return false;
            }
            auto made = together(votes, joiner, [](const Said& said) { return !said.gone; });
            if (made) all.push_back(std::move(*made));
            return true;
        });
        if (view->second.empty()) {
            late_through_ = std::max(late_through_, view->first);
            view = late_.erase(view);
        } else {
            ++view;
        }
    }
    return all;
}

void VoteCollector::forget_through(View view, Instant now) {
    while (!seen_.empty() && seen_.begin()->first.first <= view) {
        const std::size_t voted =
            std::min(options_.group_size, seen_.begin()->second.size() + 1);  // And itself.
        missing_ppm_ =
            (missing_ppm_ * 7 + (options_.group_size - voted) * 1'000'000 / options_.group_size) /
            8;
        seen_.erase(seen_.begin());
    }
    if (views_.empty() || views_.begin()->first > view) return;
    while (!views_.empty() && views_.begin()->first <= view) {
        for (Votes& votes : views_.begin()->second)
            keep_late(std::move(votes), now);
        views_.erase(views_.begin());
    }
    look();
}

void VoteCollector::look() {
    next_due_ = Instant::max();
    for (const auto& [view, contents] : views_)
        for (const Votes& votes : contents)
            if (votes.due_at) next_due_ = std::min(next_due_, *votes.due_at);
}

}  // namespace creto::simplex
