#include "order/repair.hpp"

#include <algorithm>

namespace creto::simplex {

Message Repair::message_for(const Key& key) const {
    if (const auto* certificate = std::get_if<CertificateKey>(&key))
        return CertificateRequest{epoch_, certificate->view, certificate->kind};
    if (const auto* block = std::get_if<BlockId>(&key)) return BlockRequest{*block};
    if (const auto* below = std::get_if<Below>(&key))
        return ChainRequest{below->from, below->count, below->anchor};
    return ChainRequest{
        std::get<Height>(key), static_cast<std::uint32_t>(limits::blocks_per_message_max), {}};
}

/// Spreads what is asked for over the peers.
std::uint64_t Repair::number(const Key& key) {
    if (const auto* certificate = std::get_if<CertificateKey>(&key))
        return certificate->view.value();
    if (const auto* block = std::get_if<BlockId>(&key)) return block->value().prefix();
    if (const auto* below = std::get_if<Below>(&key)) return below->from.value();
    return std::get<Height>(key).value();
}

void Repair::add(const Key& key, const std::optional<AgentId>& first) {
    Want& want = wants_[key];
    want.sweep = sweep_;
    if (want.attempts == 0) want.first = first;
}

void Repair::want(const CertificateKey& certificate, const std::optional<AgentId>& first) {
    add(certificate, first);
}
void Repair::want(const BlockId& block, const std::optional<AgentId>& first) {
    add(block, first);
}
void Repair::want(Height from, const std::optional<AgentId>& first) {
    add(from, first);
}

void Repair::want(const ChainRequest& anchored, const std::optional<AgentId>& first) {
    add(Below{anchored.anchor, anchored.from, anchored.count}, first);
}

AgentId Repair::whom(const Key& key, const Want& want, const std::vector<AgentId>& peers) const {
    const bool first = want.attempts == 0 && want.first &&
                       std::find(peers.begin(), peers.end(), *want.first) != peers.end();
    if (first) return *want.first;
    return peers[(number(key) + spread_ + want.attempts) % peers.size()];
}

std::vector<Repair::Request> Repair::due(
    const std::vector<AgentId>& peers, Duration retry, Instant now
) {
    std::erase_if(wants_, [this](const auto& entry) { return entry.second.sweep != sweep_; });
    std::vector<Request> requests;
    if (peers.empty()) {
        // Nobody to ask: whoever comes first is asked at once, and no timer runs until then.
        for (auto& [key, want] : wants_)
            want.attempts = 0;
        return requests;
    }
    for (auto& [key, want] : wants_) {
        if (want.attempts > 0 && want.next > now) continue;
        requests.push_back({whom(key, want, peers), message_for(key)});
        ++want.attempts;
        want.next = now + retry;
    }
    return requests;
}

Instant Repair::next_wake() const {
    Instant next = Instant::max();
    for (const auto& [key, want] : wants_) {
        if (want.attempts > 0) next = std::min(next, want.next);
    }
    return next;
}

}  // namespace creto::simplex
