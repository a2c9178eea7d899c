#include "mesh/dialer.hpp"

#include <algorithm>

namespace creto {

void Dialer::add_bootstrap(const std::string& address, Instant now) {
    bootstrap_[address] = {.addresses = {address}, .back_off = options_.retry_min, .next = now};
}

void Dialer::want(const AgentId& agent, const std::vector<std::string>& addresses, Instant now) {
    if (agent == self_ || addresses.empty()) return;
    const auto [it, fresh] = agents_.try_emplace(agent);
    it->second.addresses = addresses;
    if (!fresh) return;
    it->second.back_off = options_.retry_min;
    it->second.next = self_ < agent ? now : now + options_.courtesy;
}

void Dialer::unwant(const AgentId& agent) {
    agents_.erase(agent);
}

void Dialer::on_peer_up(const AgentId& agent, const std::string& address) {
    connected_.insert(agent);
    bootstrap_.erase(address);
    if (const auto target = agents_.find(agent); target != agents_.end()) {
        target->second.back_off = options_.retry_min;
    }
}

void Dialer::on_peer_down(const AgentId& agent, Instant now) {
    connected_.erase(agent);
    if (const auto target = agents_.find(agent); target != agents_.end()) {
        target->second.next = self_ < agent ? now + options_.retry_min : now + options_.courtesy;
    }
}

void Dialer::on_time(Instant now, Effects& effects) {
    for (auto& [address, target] : bootstrap_) {
        if (target.next > now) continue;
        effects.add(Dial{address, std::nullopt});
        try_later(target, now);
    }
    for (auto& [agent, target] : agents_) {
        if (target.next > now || connected_.count(agent) > 0) continue;
        const std::string& address =
            target.addresses[target.next_address % target.addresses.size()];
        ++target.next_address;
        effects.add(Dial{address, agent});
        try_later(target, now);
    }
}

Instant Dialer::next_wake() const {
    Instant next = Instant::max();
    for (const auto& [address, target] : bootstrap_)
        next = std::min(next, target.next);
    for (const auto& [agent, target] : agents_) {
        if (connected_.count(agent) == 0) next = std::min(next, target.next);
    }
    return next;
}

void Dialer::try_later(Target& target, Instant now) const {
    target.next = now + target.back_off;
    target.back_off = std::min(target.back_off * 2, options_.retry_max);
}

}  // namespace creto
