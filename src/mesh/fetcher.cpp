#include "mesh/fetcher.hpp"

#include <algorithm>

namespace creto {

void Fetcher::want(const LaneRange& range, const std::optional<AgentId>& first, Instant now) {
    const Key key{range.lane, range.last, range.tip};
    const auto found = wanted_.find(key);
    if (found != wanted_.end()) {
        found->second.first = std::min(found->second.first, range.first);
        return;
    }
    if (wanted_.size() >= options_.requests_max) return;
    wanted_.emplace(key, Want{range.first, first, now, 0});
}

void Fetcher::arrived(const LaneId& lane, Sequence sequence) {
    auto it = wanted_.lower_bound(Key{lane, sequence, VertexId{}});
    while (it != wanted_.end() && it->first.lane == lane && it->first.last == sequence) {
        it = wanted_.erase(it);
    }
}

void Fetcher::forget_below(const Cut& cut) {
    for (auto it = wanted_.begin(); it != wanted_.end();) {
        const bool below = it->first.last <= cut.tip(it->first.lane).sequence;
        it = below ? wanted_.erase(it) : std::next(it);
    }
}

void Fetcher::on_time(Instant now, const std::vector<AgentId>& connected, Effects& effects) {
    if (connected.empty()) return;
    std::map<AgentId, VertexRequest> requests;
    for (auto it = wanted_.begin(); it != wanted_.end();) {
        auto& [key, want] = *it;
        if (want.next > now) {
            ++it;
            continue;
        }
        // A range that nobody could give for so long is asked for anew by whoever still needs it.
        if (want.tries >= 64) {
            it = wanted_.erase(it);
            continue;
        }
        const bool has_first =
            want.ask_first &&
            std::find(connected.begin(), connected.end(), *want.ask_first) != connected.end();
        const AgentId& peer = want.tries == 0 && has_first
                                  ? *want.ask_first
                                  : connected[prng_.below(connected.size())];
        ++want.tries;
        ++asked_;
        want.next = now + options_.retry;
        // Long ranges are asked for from below, so that each answer can be used at once.
        for (std::uint64_t first = want.first.value(); first <= key.last.value();
             first += options_.span_max) {
            const std::uint64_t last = std::min(first + options_.span_max - 1, key.last.value());
            VertexRequest& request = requests[peer];
            if (request.ranges.size() >= limits::lanes_per_message_max) break;
            request.ranges.push_back(
                {key.lane,
                 Sequence{first},
                 Sequence{last},
                 last == key.last.value() ? key.tip : VertexId{}}
            );
        }
        ++it;
    }
    for (const auto& [peer, request] : requests)
        effects.send(peer, request);
}

Instant Fetcher::next_wake() const {
    Instant next = Instant::max();
    for (const auto& [key, want] : wanted_)
        next = std::min(next, want.next);
    return next;
}

}  // namespace creto
