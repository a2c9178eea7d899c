#include "node/vote_gathering.hpp"

#include <algorithm>

namespace creto {

bool VoteGathering::add(
    const VoteContent& content, const Bytes& signers, Held held, bool is_late, Instant now
) {
    if (bytes_ + held.bytes > bytes_max) return false;
    auto at = std::find_if(gathered_.begin(), gathered_.end(), [&](const Gathered& one) {
        return one.content == content;
    });
    const Instant latest = now + (is_late ? late_patience : patience);
    if (at == gathered_.end()) {
        if (gathered_.size() >= contents_max) return false;
        gathered_.push_back({content, Bytes(signers.size()), {}, latest});
        at = std::prev(gathered_.end());
    }
    at->due_at = std::min(at->due_at, latest);
    next_due_ = std::min(next_due_, at->due_at);
    for (std::size_t i = 0; i < std::min(signers.size(), at->signers.size()); ++i)
        at->signers[i] = static_cast<std::uint8_t>(at->signers[i] | signers[i]);
    bytes_ += held.bytes;
    at->held.push_back(std::move(held));
    return true;
}

const Bytes* VoteGathering::signers(const VoteContent& content) const {
    const auto at = std::find_if(gathered_.begin(), gathered_.end(), [&](const Gathered& one) {
        return one.content == content;
    });
    return at == gathered_.end() ? nullptr : &at->signers;
}

std::vector<VoteGathering::Held> VoteGathering::take(const VoteContent& content) {
    const auto at = std::find_if(gathered_.begin(), gathered_.end(), [&](const Gathered& one) {
        return one.content == content;
    });
    if (at == gathered_.end()) return {};
    return remove(at);
}

std::vector<VoteGathering::Held> VoteGathering::due(Instant now) {
    std::vector<Held> all;
    while (next_due_ <= now) {
        const auto at = std::find_if(gathered_.begin(), gathered_.end(), [&](const Gathered& one) {
            return one.due_at <= now;
        });
        std::vector<Held> one = remove(at);
        std::move(one.begin(), one.end(), std::back_inserter(all));
    }
    return all;
}

std::vector<VoteGathering::Held> VoteGathering::remove(std::vector<Gathered>::iterator at) {
    std::vector<Held> held = std::move(at->held);
    gathered_.erase(at);
    next_due_ = Instant::max();
    for (const Gathered& one : gathered_)
        next_due_ = std::min(next_due_, one.due_at);
    for (const Held& one : held)
        bytes_ -= one.bytes;
    return held;
}

}  // namespace creto
