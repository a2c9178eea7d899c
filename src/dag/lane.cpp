#include "dag/lane.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace creto {

VertexPtr Lane::find(Sequence sequence, const VertexId& id) const {
    if (const LaneSlot* held = slot(sequence); held != nullptr && held->id == id) {
        return held->vertex;
    }
    if (side_.empty()) return nullptr;
    const auto beside = side_.find({sequence, id});
    return beside == side_.end() ? nullptr : beside->second;
}

std::vector<VertexPtr> Lane::at(Sequence sequence) const {
    std::vector<VertexPtr> all;
    if (const LaneSlot* held = slot(sequence)) all.push_back(held->vertex);
    auto beside = side_.lower_bound({sequence, VertexId{}});
    for (; beside != side_.end() && beside->first.first == sequence; ++beside)
        all.push_back(beside->second);
    return all;
}

bool Lane::continues(const VertexHeader& header) const {
    const LaneTip before = predecessor(header);
    return on_main(before) || (!side_.empty() && side_.contains({before.sequence, before.id}));
}

void Lane::add(const VertexPtr& vertex, const VertexId& id) {
    const VertexHeader& header = vertex->header();
    if (predecessor(header) == tip()) {
        main_.push_back({vertex, id, header.depth});
    } else {
        side_.emplace(Place{header.sequence, id}, vertex);
    }
}

std::vector<VertexPtr> Lane::longest_from(const LaneTip& from) const {
    // Walk upwards, keeping every vertex that descends from `from`; the last one kept is the end
    // of a longest chain. Forked lanes only, so the cost of maps does not matter.
    std::map<Place, VertexPtr> reached;
    VertexPtr best;
    for (Sequence sequence = from.sequence.next();; ++sequence) {
        bool any = false;
        for (const VertexPtr& vertex : at(sequence)) {  // The preferred branch comes first.
            const LaneTip before = predecessor(vertex->header());
            if (before != from && !reached.contains({before.sequence, before.id})) continue;
            reached.emplace(Place{sequence, vertex->id()}, vertex);
            if (!any) best = vertex;
            any = true;
        }
        if (!any) break;
    }
    std::vector<VertexPtr> chain;
    while (best != nullptr) {
        chain.push_back(best);
        const LaneTip before = predecessor(best->header());
        const auto found = reached.find({before.sequence, before.id});
        best = found == reached.end() ? nullptr : found->second;
    }
    std::reverse(chain.begin(), chain.end());
    return chain;
}

std::vector<VertexPtr> Lane::beside(Sequence from, Sequence last) const {
    std::vector<VertexPtr> all;
    auto it = side_.lower_bound({from.next(), VertexId{}});
    for (; it != side_.end() && it->first.first <= last; ++it)
        all.push_back(it->second);
    return all;
}

std::vector<VertexPtr> Lane::decide(const LaneTip& tip, const std::vector<VertexId>& chain) {
    std::vector<VertexPtr> dropped;
    if (!chain.empty()) {
        // Another branch won: cut the preferred one back to where both part, then follow the
        // winner as far as it is complete.
        Sequence agreed = final_.sequence;
        for (const VertexId& id : chain) {
            const LaneSlot* held = slot(agreed.next());
            if (held == nullptr || held->id != id) break;
            ++agreed;
        }
        while (this->tip().sequence > agreed) {
            dropped.push_back(std::move(main_.back().vertex));
            main_.pop_back();
        }
        for (Sequence next = agreed.next(); next <= tip.sequence; ++next) {
            const auto winner =
                side_.find({next, chain[next.value() - final_.sequence.value() - 1]});
            if (winner == side_.end()) break;
            const VertexPtr vertex = winner->second;
            main_.push_back({vertex, vertex->id(), vertex->header().depth});
            side_.erase(winner);
        }
    }
    final_ = tip;
    if (!side_.empty()) drop_dead_side(dropped);
    extend_from_side();
    return dropped;
}

std::vector<VertexPtr> Lane::jump(const LaneTip& tip) {
    std::vector<VertexPtr> dropped;
    boundary_depth_ = 0;
    if (const LaneSlot* held = slot(tip.sequence); held != nullptr && held->id == tip.id) {
        boundary_depth_ = held->depth;
        while (boundary_.sequence < tip.sequence) {
            dropped.push_back(std::move(main_.front().vertex));
            main_.pop_front();
            ++boundary_.sequence;
        }
    } else {
        for (LaneSlot& slot : main_)
            dropped.push_back(std::move(slot.vertex));
        main_.clear();
    }
    boundary_ = tip;
    final_ = tip;
    if (!side_.empty()) drop_dead_side(dropped);
    extend_from_side();
    return dropped;
}

std::vector<VertexPtr> Lane::prune(Sequence sequence) {
    CRETO_ASSERT(sequence <= final_.sequence);
    std::vector<VertexPtr> dropped;
    while (boundary_.sequence < sequence) {
        CRETO_ASSERT(!main_.empty());
        LaneSlot& first = main_.front();
        boundary_ = {boundary_.sequence.next(), first.id};
        boundary_depth_ = first.depth;
        dropped.push_back(std::move(first.vertex));
        main_.pop_front();
    }
    proven_.erase(proven_.begin(), proven_.upper_bound(sequence));
    return dropped;
}

std::optional<std::uint64_t> Lane::depth_of(const LaneTip& tip) const {
    if (tip.sequence == boundary_.sequence) {
        if (tip.id != boundary_.id || boundary_depth_ == 0) return std::nullopt;
        return boundary_depth_;
    }
    if (const LaneSlot* held = slot(tip.sequence); held != nullptr && held->id == tip.id) {
        return held->depth;
    }
    if (const VertexPtr beside = find(tip.sequence, tip.id)) return beside->header().depth;
    return std::nullopt;
}

bool Lane::note_fork(Sequence sequence) {
    note_split(sequence);
    if (fork_point_ && *fork_point_ <= sequence) return false;
    fork_point_ = sequence;
    return true;
}

bool Lane::note_split(Sequence sequence) {
    if (split_at(sequence)) return false;
    split_ = sequence;
    return true;
}

void Lane::note_wrong_depth(Sequence sequence) {
    wrong_depth_ = wrong_depth_ ? std::min(*wrong_depth_, sequence) : sequence;
}

std::optional<Sequence> Lane::doubtful_from() const {
    if (!split_ || !wrong_depth_) return split_ ? split_ : wrong_depth_;
    return std::min(*split_, *wrong_depth_);
}

/// Complete vertices beside the preferred branch that continue its tip become part of it.
void Lane::extend_from_side() {
    while (!side_.empty()) {
        const LaneTip end = tip();
        auto next = side_.lower_bound({end.sequence.next(), VertexId{}});
        while (next != side_.end() && next->first.first == end.sequence.next() &&
               predecessor(next->second->header()) != end)
            ++next;
        if (next == side_.end() || next->first.first != end.sequence.next()) return;
        main_.push_back({next->second, next->first.second, next->second->header().depth});
        side_.erase(next);
    }
}

/// Keeps beside the preferred branch only what descends from the final vertex.
void Lane::drop_dead_side(std::vector<VertexPtr>& dropped) {
    for (auto it = side_.begin(); it != side_.end();) {
        const LaneTip before = predecessor(it->second->header());
        const bool alive = it->first.first > final_.sequence &&
                           (before == final_ || side_.contains({before.sequence, before.id}) ||
                            (before.sequence > final_.sequence && on_main(before)));
        if (alive) {
            ++it;
            continue;
        }
        dropped.push_back(std::move(it->second));
        it = side_.erase(it);
    }
}

}  // namespace creto
