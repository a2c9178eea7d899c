#include "order/repair.hpp"

#include <algorithm>

namespace creto::simplex {

namespace {

Message message_for(const CertificateKey& key) {
    return CertificateRequest{key.view, key.kind};
}
Message message_for(const BlockId& block) {
    return BlockRequest{block};
}
Message message_for(Height from) {
    return ChainRequest{from, static_cast<std::uint32_t>(limits::blocks_per_message_max)};
}

std::uint64_t number(const CertificateKey& key) {
    return key.view.value();
}
std::uint64_t number(const BlockId& block) {
    return block.value().prefix();
}
std::uint64_t number(Height from) {
    return from.value();
}

}  // namespace

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

AgentId Repair::whom(const Key& key, const Want& want, const std::vector<AgentId>& peers) const {
    const bool first = want.attempts == 0 && want.first &&
                       std::find(peers.begin(), peers.end(), *want.first) != peers.end();
    if (first) return *want.first;
    const std::uint64_t start = std::visit([](const auto& k) { return number(k); }, key);
    return peers[(start + spread_ + want.attempts) % peers.size()];
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
        requests.push_back(
            {whom(key, want, peers), std::visit([](const auto& k) { return message_for(k); }, key)}
        );
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
