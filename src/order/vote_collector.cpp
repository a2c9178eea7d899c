#include "order/vote_collector.hpp"

#include <algorithm>

namespace creto::simplex {

void VoteCollector::add(const Vote& vote, std::uint32_t member, Instant now) {
    std::vector<Votes>& view = views_[vote.content.view];
    auto votes = std::find_if(view.begin(), view.end(), [&](const Votes& one) {
        return one.content == vote.content;
    });
    if (votes == view.end()) votes = view.insert(view.end(), Votes{vote.content, {}, {}});
    if (!votes->signatures.emplace(member, vote.signature).second) return;
    if (votes->signatures.size() >= group_size_) {
        votes->due_at = now;
    } else if (!votes->due_at) {
        votes->due_at = now + patience_;
    }
    next_due_ = std::min(next_due_, *votes->due_at);
}

std::vector<PartialCertificate> VoteCollector::due(Instant now, const Signer& joiner) {
    std::vector<PartialCertificate> all;
    if (now < next_due_) return all;
    for (auto& [view, contents] : views_) {
        for (Votes& votes : contents) {
            if (!votes.due_at || now < *votes.due_at) continue;
            votes.due_at.reset();
            Certificate made =
                unsigned_certificate(votes.content, roster_, votes.signatures.size());
            for (const auto& [member, signature] : votes.signatures)
                made.add(member, signature);
            join(made, roster_, &joiner);
            all.push_back({std::move(made)});
        }
    }
    look();
    return all;
}

void VoteCollector::forget_through(View view) {
    while (!seen_.empty() && seen_.begin()->first.first <= view) {
        const std::size_t voted =
            std::min(group_size_, seen_.begin()->second.size() + 1);  // And itself.
        missing_ppm_ = (missing_ppm_ * 7 + (group_size_ - voted) * 1'000'000 / group_size_) / 8;
        seen_.erase(seen_.begin());
    }
    if (views_.empty() || views_.begin()->first > view) return;
    views_.erase(views_.begin(), views_.upper_bound(view));
    look();
}

void VoteCollector::look() {
    next_due_ = Instant::max();
    for (const auto& [view, contents] : views_)
        for (const Votes& votes : contents)
            if (votes.due_at) next_due_ = std::min(next_due_, *votes.due_at);
}

}  // namespace creto::simplex
