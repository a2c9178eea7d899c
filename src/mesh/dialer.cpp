#include "mesh/dialer.hpp"

#include <algorithm>

namespace creto {

void Dialer::add_bootstrap(const std::string& address, Instant now) {
    bootstrap_[address] = {.addresses = {address}, .back_off = options_.retry_min, .next = now};
    next_wake_.reset();
}

void Dialer::want(
    const AgentId& agent, const std::vector<std::string>& addresses, Instant now, Turn turn
) {
    if (agent == self_ || addresses.empty()) return;
    const auto [it, fresh] = agents_.try_emplace(agent);
    it->second.addresses = addresses;
    it->second.turn = turn;
    if (!fresh) return;
    it->second.back_off = options_.retry_min;
    it->second.next = is_first(agent, it->second) ? now : now + options_.courtesy;
    if (next_wake_ && !connected(agent)) next_wake_ = std::min(*next_wake_, it->second.next);
}

void Dialer::unwant(const AgentId& agent) {
    agents_.erase(agent);
    next_wake_.reset();
}

void Dialer::on_peer_up(const AgentId& agent, const std::string& address) {
    const auto place = std::lower_bound(peers_.begin(), peers_.end(), agent);
    if (place == peers_.end() || *place != agent) peers_.insert(place, agent);
    if (const auto known = bootstrap_.find(address); known != bootstrap_.end()) {
        known->second.has_answered = true;
        next_wake_.reset();
    }
    if (const auto target = agents_.find(agent); target != agents_.end()) {
        target->second.back_off = options_.retry_min;
        // Of many only whoever was the next one changes when that is.
        if (next_wake_ && target->second.next <= *next_wake_) next_wake_.reset();
    }
}

void Dialer::on_peer_down(const AgentId& agent, Instant now) {
    const auto place = std::lower_bound(peers_.begin(), peers_.end(), agent);
    if (place != peers_.end() && *place == agent) peers_.erase(place);
    if (knows_nobody()) next_wake_.reset();
    if (const auto target = agents_.find(agent); target != agents_.end()) {
        target->second.next =
            now + (is_first(agent, target->second) ? options_.retry_min : options_.courtesy);
        if (next_wake_) next_wake_ = std::min(*next_wake_, target->second.next);
    }
}

std::vector<AgentId> Dialer::wanted() const {
    std::vector<AgentId> out;
    out.reserve(agents_.size());
    for (const auto& [agent, target] : agents_)
        out.push_back(agent);
    return out;
}

bool Dialer::connected(const AgentId& agent) const {
    return std::binary_search(peers_.begin(), peers_.end(), agent);
}

void Dialer::on_time(Instant now, Effects& effects) {
    if (next_wake() > now) return;
    next_wake_.reset();
    for (auto& [address, target] : bootstrap_) {
        if (target.next > now || (target.has_answered && !knows_nobody())) continue;
        effects.add(Dial{address, std::nullopt});
        try_later(target, now);
    }
    for (auto& [agent, target] : agents_) {
        if (target.next > now || connected(agent)) continue;
        const std::string& address =
            target.addresses[target.next_address % target.addresses.size()];
        ++target.next_address;
        effects.add(Dial{address, agent});
        try_later(target, now);
    }
}

Instant Dialer::next_wake() const {
    if (next_wake_) return *next_wake_;
    Instant next = Instant::max();
    for (const auto& [address, target] : bootstrap_)
        if (!target.has_answered || knows_nobody()) next = std::min(next, target.next);
    for (const auto& [agent, target] : agents_) {
        if (!connected(agent)) next = std::min(next, target.next);
    }
    next_wake_ = next;
    return next;
}

void Dialer::try_later(Target& target, Instant now) const {
    target.next = now + target.back_off;
    target.back_off = std::min(target.back_off * 2, options_.retry_max);
}

}  // namespace creto
