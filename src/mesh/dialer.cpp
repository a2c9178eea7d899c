#include "mesh/dialer.hpp"

#include <algorithm>

namespace creto {

void Dialer::add_bootstrap(const std::string& address, Instant now) {
    bootstrap_[address] = {.addresses = {address}, .back_off = options_.retry_min, .next = now};
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
    if (!connected(agent)) due_.emplace(it->second.next, agent);
}

void Dialer::unwant(const AgentId& agent) {
    const auto target = agents_.find(agent);
    if (target == agents_.end()) return;
    due_.erase({target->second.next, agent});
    agents_.erase(target);
}

void Dialer::on_peer_up(const AgentId& agent, const std::string& address) {
    const auto place = std::lower_bound(peers_.begin(), peers_.end(), agent);
    if (place == peers_.end() || *place != agent) peers_.insert(place, agent);
    if (const auto known = bootstrap_.find(address); known != bootstrap_.end())
        known->second.has_answered = true;
    if (const auto target = agents_.find(agent); target != agents_.end()) {
        target->second.back_off = options_.retry_min;
        due_.erase({target->second.next, agent});
    }
}

void Dialer::on_peer_down(const AgentId& agent, Instant now) {
    const auto place = std::lower_bound(peers_.begin(), peers_.end(), agent);
    if (place != peers_.end() && *place == agent) peers_.erase(place);
    if (const auto target = agents_.find(agent); target != agents_.end()) {
        const bool first = is_first(agent, target->second);
        set_next(agent, target->second, now + (first ? options_.retry_min : options_.courtesy));
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
    for (auto& [address, target] : bootstrap_) {
        if (bootstrap_due(target) > now) continue;
        effects.add(Dial{address, std::nullopt});
        try_later(target, now);
    }
    std::vector<AgentId> due;
    for (const auto& [at, agent] : due_) {
        if (at > now) break;
        due.push_back(agent);
    }
    std::sort(due.begin(), due.end());
    for (const AgentId& agent : due) {
        Target& target = agents_.at(agent);
        const std::string& address =
            target.addresses[target.next_address % target.addresses.size()];
        ++target.next_address;
        effects.add(Dial{address, agent});
        due_.erase({target.next, agent});
        try_later(target, now);
        due_.emplace(target.next, agent);
    }
}

Instant Dialer::next_wake() const {
    Instant next = due_.empty() ? Instant::max() : due_.begin()->first;
    for (const auto& [address, target] : bootstrap_)
        next = std::min(next, bootstrap_due(target));
    return next;
}

Instant Dialer::bootstrap_due(const Target& target) const {
    return target.has_answered && !knows_nobody() ? Instant::max() : target.next;
}

void Dialer::set_next(const AgentId& agent, Target& target, Instant next) {
    due_.erase({target.next, agent});
    target.next = next;
    due_.emplace(next, agent);
}

void Dialer::try_later(Target& target, Instant now) const {
    target.next = now + target.back_off;
    target.back_off = std::min(target.back_off * 2, options_.retry_max);
}

}  // namespace creto
