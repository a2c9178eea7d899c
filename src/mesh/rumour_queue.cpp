#include "mesh/rumour_queue.hpp"

#include <algorithm>
#include <bit>

namespace creto {

namespace {

/// Each who knows tells it 3 log2 n times; that leaves out nobody among 4,096 with high probability.
constexpr std::uint32_t retold = 3;

}  // namespace

void RumourQueue::tell(const Suspicion& suspicion) {
    put({Kind::suspicion, {suspicion.agent, suspicion.version, {}}});
}

void RumourQueue::tell(const Alive& alive) {
    put({Kind::alive, alive});
}

void RumourQueue::put(Held rumour) {
    const auto held = std::find_if(held_.begin(), held_.end(), [&](const Held& other) {
        return other.said.agent == rumour.said.agent;
    });
    if (held != held_.end()) {
        const bool is_newer = rumour.said.version > held->said.version ||
                              (rumour.kind != held->kind && rumour.kind == Kind::suspicion &&
                               rumour.said.version == held->said.version);
        if (!is_newer) return;
        held_.erase(held);
    } else if (held_.size() >= held_max) {
        held_.pop_back();
    }
    held_.insert(held_.begin(), std::move(rumour));
}

void RumourQueue::forget_suspicion(const AgentId& agent) {
    std::erase_if(held_, [&](const Held& held) {
        return held.kind == Kind::suspicion && held.said.agent == agent;
    });
}

Rumours RumourQueue::take(std::size_t agents) {
    Rumours out;
    if (held_.empty()) return out;
    for (Held& held : held_) {
        if (held.kind == Kind::alive) {
            if (out.alive.size() == limits::rumours_per_message_max) continue;
            out.alive.push_back(held.said);
        } else {
            if (out.suspicions.size() == limits::rumours_per_message_max) continue;
            out.suspicions.push_back({held.said.agent, held.said.version});
        }
        ++held.told;
    }
    const auto enough = retold * static_cast<std::uint32_t>(std::bit_width(agents));
    std::erase_if(held_, [&](const Held& held) { return held.told >= enough; });
    std::stable_sort(held_.begin(), held_.end(), [](const Held& a, const Held& b) {
        return a.told < b.told;
    });
    return out;
}

}  // namespace creto
