#include "dag/parked.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace creto {

void Parked::park(const VertexPtr& vertex, std::vector<VertexRef> waits_for) {
    CRETO_ASSERT(!waits_for.empty());
    const VertexRef ref = vertex->ref();
    for (const VertexRef& parent : waits_for)
        waiters_[parent].insert(ref);
    Load& load = loads_[ref.lane];
    ++load.vertices;
    load.bytes += vertex->bytes().size();
    bytes_ += vertex->bytes().size();
    const auto not_held = static_cast<std::size_t>(std::count_if(
        waits_for.begin(),
        waits_for.end(),
        [this](const VertexRef& parent) { return !entries_.contains(parent); }
    ));
    if (not_held > 0) fronts_.insert(ref);
    const bool fresh = entries_.emplace(ref, Entry{vertex, std::move(waits_for), not_held}).second;
    CRETO_ASSERT(fresh);
    set_held(ref, true);
}

std::vector<VertexPtr> Parked::arrived(const VertexRef& parent) {
    std::vector<VertexPtr> ready;
    const auto found = waiters_.find(parent);
    if (found == waiters_.end()) return ready;
    const std::set<VertexRef> waiting = std::move(found->second);
    waiters_.erase(found);
    for (const VertexRef& waiter : waiting) {
        if (VertexPtr vertex = excuse_one(waiter, parent)) ready.push_back(std::move(vertex));
    }
    return ready;
}

std::vector<VertexPtr> Parked::excuse(
    const LaneId& lane,
    Sequence first,
    Sequence last,
    const std::function<bool(const VertexRef&)>& decided
) {
    std::vector<VertexPtr> ready;
    auto it = waiters_.lower_bound({lane, first, VertexId{}});
    while (it != waiters_.end() && it->first.lane == lane && it->first.sequence <= last) {
        if (!decided(it->first)) {
            ++it;
            continue;
        }
        const VertexRef parent = it->first;
        std::set<VertexRef> own;
        for (const VertexRef& waiter : it->second) {
            if (waiter.lane == lane) {
                own.insert(waiter);  // A vertex without its predecessor has no place in a lane.
            } else if (VertexPtr vertex = excuse_one(waiter, parent)) {
                ready.push_back(std::move(vertex));
            }
        }
        if (own.empty()) {
            it = waiters_.erase(it);
        } else {
            it->second = std::move(own);
            ++it;
        }
    }
    return ready;
}

VertexPtr Parked::excuse_foreign(const VertexRef& vertex) {
    const auto at = entries_.find(vertex);
    CRETO_ASSERT(at != entries_.end());
    const std::vector<VertexRef> waits_for = at->second.waits_for;
    for (const VertexRef& parent : waits_for) {
        if (parent.lane == vertex.lane) continue;
        const auto waiting = waiters_.find(parent);
        waiting->second.erase(vertex);
        if (waiting->second.empty()) waiters_.erase(waiting);
        stop_waiting(at, parent);
    }
    return at->second.waits_for.empty() ? take(at) : nullptr;
}

VertexPtr Parked::remove(const VertexRef& vertex) {
    const auto at = entries_.find(vertex);
    CRETO_ASSERT(at != entries_.end());
    for (const VertexRef& parent : at->second.waits_for) {
        const auto waiting = waiters_.find(parent);
        waiting->second.erase(vertex);
        if (waiting->second.empty()) waiters_.erase(waiting);
    }
    return take(at);
}

VertexPtr Parked::find(const VertexRef& vertex) const {
    const auto at = entries_.find(vertex);
    return at == entries_.end() ? nullptr : at->second.vertex;
}

std::vector<VertexPtr> Parked::at(const LaneId& lane, Sequence sequence) const {
    std::vector<VertexPtr> all;
    auto it = entries_.lower_bound({lane, sequence, VertexId{}});
    for (; it != entries_.end() && it->first.lane == lane && it->first.sequence == sequence; ++it)
        all.push_back(it->second.vertex);
    return all;
}

std::vector<VertexRef> Parked::of(const LaneId& lane, Sequence from) const {
    std::vector<VertexRef> all;
    auto it = entries_.lower_bound({lane, from, VertexId{}});
    for (; it != entries_.end() && it->first.lane == lane; ++it)
        all.push_back(it->first);
    return all;
}

std::vector<VertexRef> Parked::successors(const VertexRef& predecessor) const {
    std::vector<VertexRef> own;
    const auto found = waiters_.find(predecessor);
    if (found == waiters_.end()) return own;
    std::copy_if(
        found->second.begin(),
        found->second.end(),
        std::back_inserter(own),
        [&predecessor](const VertexRef& waiter) { return waiter.lane == predecessor.lane; }
    );
    return own;
}

Parked::Load Parked::load(const LaneId& lane) const {
    const auto found = loads_.find(lane);
    return found == loads_.end() ? Load{} : found->second;
}

LaneId Parked::greediest() const {
    CRETO_ASSERT(!loads_.empty());
    return std::max_element(
               loads_.begin(),
               loads_.end(),
               [](const auto& a, const auto& b) { return a.second.bytes < b.second.bytes; }
    )->first;
}

std::optional<VertexRef> Parked::furthest(
    const LaneId& lane, const std::function<bool(const VertexRef&)>& spare
) const {
    auto it = entries_.lower_bound({LaneId{lane.seat, lane.incarnation.next()}, Sequence{}, {}});
    while (it != entries_.begin() && (--it)->first.lane == lane) {
        if (spare(it->first)) return it->first;
    }
    return std::nullopt;
}

VertexPtr Parked::take(Entries::iterator at) {
    VertexPtr vertex = std::move(at->second.vertex);
    const auto load = loads_.find(at->first.lane);
    const std::size_t bytes = vertex->bytes().size();
    load->second.bytes -= bytes;
    bytes_ -= bytes;
    if (--load->second.vertices == 0) loads_.erase(load);
    fronts_.erase(at->first);
    const VertexRef ref = at->first;
    entries_.erase(at);
    set_held(ref, false);
    return vertex;
}

VertexPtr Parked::excuse_one(const VertexRef& waiter, const VertexRef& parent) {
    const auto at = entries_.find(waiter);
    CRETO_ASSERT(at != entries_.end());
    stop_waiting(at, parent);
    return at->second.waits_for.empty() ? take(at) : nullptr;
}

void Parked::set_held(const VertexRef& vertex, bool held) {
    const auto waiting = waiters_.find(vertex);
    if (waiting == waiters_.end()) return;
    for (const VertexRef& waiter : waiting->second) {
        const auto at = entries_.find(waiter);
        if (at == entries_.end()) continue;  // It is on its way out.
        if (held) {
            if (--at->second.not_held == 0) fronts_.erase(waiter);
        } else if (at->second.not_held++ == 0) {
            fronts_.insert(waiter);
        }
    }
}

void Parked::stop_waiting(Entries::iterator at, const VertexRef& parent) {
    std::erase(at->second.waits_for, parent);
    if (!entries_.contains(parent) && --at->second.not_held == 0) fronts_.erase(at->first);
}

}  // namespace creto
