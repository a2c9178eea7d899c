#include "dag/parked.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace creto {

void Parked::park(const VertexPtr& vertex, std::vector<VertexRef> waits_for) {
    CRETO_ASSERT(!waits_for.empty());
    const VertexRef ref = vertex->ref();
    for (const VertexRef& parent : waits_for)
        start_waiting(ref, parent);
    Load& load = loads_[ref.lane];
    ++load.vertices;
    load.bytes += vertex->bytes().size();
    bytes_ += vertex->bytes().size();
    const bool fresh = entries_.emplace(ref, Entry{vertex, std::move(waits_for)}).second;
    CRETO_ASSERT(fresh);
    if (const auto at = waiters_.find(ref); at != waiters_.end()) unlist_hole(ref, at->second);
}

std::vector<VertexPtr> Parked::arrived(const VertexRef& parent) {
    std::vector<VertexPtr> ready;
    const auto found = waiters_.find(parent);
    if (found == waiters_.end()) return ready;
    unlist_hole(parent, found->second);
    const std::set<VertexRef> waiting = std::move(found->second.waiters);
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
        const auto at = it++;
        if (!decided(at->first)) continue;
        const VertexRef parent = at->first;
        const std::set<VertexRef> waiting = at->second.waiters;
        for (const VertexRef& waiter : waiting) {
            // A vertex without its predecessor has no place in a lane.
            if (waiter.lane == lane) continue;
            stop_waiting(waiter, waiters_.find(parent));
            if (VertexPtr vertex = excuse_one(waiter, parent)) ready.push_back(std::move(vertex));
        }
    }
    return ready;
}

VertexPtr Parked::excuse_foreign(const VertexRef& vertex) {
    const auto at = entries_.find(vertex);
    CRETO_ASSERT(at != entries_.end());
    std::vector<VertexRef>& waits_for = at->second.waits_for;
    std::vector<VertexRef> own;
    for (const VertexRef& parent : waits_for) {
        if (parent.lane == vertex.lane) {
            own.push_back(parent);
        } else {
            stop_waiting(vertex, waiters_.find(parent));
        }
    }
    waits_for = std::move(own);
    return waits_for.empty() ? take(at) : nullptr;
}

VertexPtr Parked::remove(const VertexRef& vertex) {
    const auto at = entries_.find(vertex);
    CRETO_ASSERT(at != entries_.end());
    for (const VertexRef& parent : at->second.waits_for)
        stop_waiting(vertex, waiters_.find(parent));
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
        found->second.waiters.begin(),
        found->second.waiters.end(),
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
    const VertexRef ref = at->first;
    const auto load = loads_.find(ref.lane);
    const std::size_t bytes = vertex->bytes().size();
    load->second.bytes -= bytes;
    bytes_ -= bytes;
    if (--load->second.vertices == 0) loads_.erase(load);
    entries_.erase(at);
    if (const auto waited = waiters_.find(ref); waited != waiters_.end())
        list_hole(ref, waited->second);
    return vertex;
}

VertexPtr Parked::excuse_one(const VertexRef& waiter, const VertexRef& parent) {
    const auto at = entries_.find(waiter);
    CRETO_ASSERT(at != entries_.end());
    std::erase(at->second.waits_for, parent);
    return at->second.waits_for.empty() ? take(at) : nullptr;
}

void Parked::start_waiting(const VertexRef& waiter, const VertexRef& parent) {
    Awaited& awaited = waiters_[parent];
    awaited.waiters.insert(waiter);
    if (entries_.contains(parent)) return;
    const auto lowest = awaited.lowest.find(waiter.lane);
    if (lowest != awaited.lowest.end() && lowest->second <= waiter.sequence) return;
    unlist(parent, awaited, waiter.lane);
    list(parent, awaited, waiter.lane);
}

void Parked::stop_waiting(const VertexRef& waiter, Waiters::iterator parent) {
    Awaited& awaited = parent->second;
    awaited.waiters.erase(waiter);
    const auto lowest = awaited.lowest.find(waiter.lane);
    if (lowest != awaited.lowest.end() && lowest->second == waiter.sequence) {
        unlist(parent->first, awaited, waiter.lane);
        list(parent->first, awaited, waiter.lane);
    }
    if (awaited.waiters.empty()) waiters_.erase(parent);
}

void Parked::list_hole(const VertexRef& parent, Awaited& awaited) {
    for (auto at = awaited.waiters.begin(); at != awaited.waiters.end();) {
        const LaneId lane = at->lane;
        list(parent, awaited, lane);
        at = awaited.waiters.lower_bound({{lane.seat, lane.incarnation.next()}, {}, {}});
    }
}

void Parked::unlist_hole(const VertexRef& parent, Awaited& awaited) {
    while (!awaited.lowest.empty())
        unlist(parent, awaited, LaneId{awaited.lowest.begin()->first});
}

void Parked::list(const VertexRef& parent, Awaited& awaited, const LaneId& lane) {
    const auto first = awaited.waiters.lower_bound({lane, Sequence{}, VertexId{}});
    if (first == awaited.waiters.end() || first->lane != lane) return;
    awaited.lowest[lane] = first->sequence;
    holes_[lane].emplace(first->sequence, parent);
}

void Parked::unlist(const VertexRef& parent, Awaited& awaited, const LaneId& lane) {
    const auto lowest = awaited.lowest.find(lane);
    if (lowest == awaited.lowest.end()) return;
    const auto holes = holes_.find(lane);
    holes->second.erase({lowest->second, parent});
    if (holes->second.empty()) holes_.erase(holes);
    awaited.lowest.erase(lowest);
}

}  // namespace creto
