#include "state/causal_state.hpp"

#include <algorithm>

namespace creto {

CausalState::CausalState(const FinalState& base) : base_{&base} {}

void CausalState::add(const VertexPtr& vertex) {
    const VertexHeader& header = vertex->header();
    if (header.sequence <= base_->causal_base().cut(header.lane)) return;
    const At at{header.lane, header.sequence, vertex->id()};
    if (!vertices_.emplace(at, vertex).second) return;
    lay(*vertex, Way::in);
    note_changes(*vertex);
}

void CausalState::set_overlay(const std::vector<VertexPtr>& overlay) {
    const std::map<At, VertexPtr> before = std::exchange(vertices_, {});
    const std::vector<std::string> watched = std::exchange(watched_, {});
    overlays_.clear();
    all_changed_ = true;
    for (const VertexPtr& vertex : overlay)
        add(vertex);
    watched_ = watched;
    for (const auto& [at, vertex] : before) {
        if (!vertices_.contains(at)) note_changes(*vertex);
    }
    for (const auto& [at, vertex] : vertices_) {
        if (!before.contains(at)) note_changes(*vertex);
    }
}

void CausalState::apply_final(const std::vector<VertexPtr>& ordered) {
    std::set<LaneId> lanes;
    std::set<VertexId> executed;
    for (const VertexPtr& vertex : ordered) {
        const VertexHeader& header = vertex->header();
        lanes.insert(header.lane);
        executed.insert(vertex->id());
        if (!vertices_.contains({header.lane, header.sequence, vertex->id()})) note_new(*vertex);
    }
    for (const LaneId& lane : lanes) {
        const Sequence cut = base_->causal_base().cut(lane);
        auto at = vertices_.lower_bound({lane, Sequence{}, VertexId{}});
        while (at != vertices_.end() && std::get<0>(at->first) == lane &&
               std::get<1>(at->first) <= cut) {
            lay(*at->second, Way::out);
            // What was executed reads the same as before; a branch that lost does not.
            if (!executed.contains(at->second->id())) note_changes(*at->second);
            at = vertices_.erase(at);
        }
    }
}

/// The base has it, and the overlay never had.
void CausalState::note_new(const SealedVertex& vertex) {
    const VertexHeader& header = vertex.header();
    Dot dot{header.lane, header.sequence, 0, vertex.id().value().prefix()};
    for (const Operation& operation : vertex.operations()) {
        const auto* write = std::get_if<CrdtOperation>(&operation.body);
        if (write != nullptr && well_formed(operation))
            changed_.insert(slot_of(*write, dot, header.depth));
        ++dot.index;
    }
    note_changes(vertex);
}

void CausalState::watch(std::vector<std::string> prefixes) {
    watched_ = std::move(prefixes);
    if (watched_.empty()) changes_.clear();
}

bool CausalState::is_watched(const std::string& key) const {
    return std::any_of(watched_.begin(), watched_.end(), [&](const std::string& prefix) {
        return key.starts_with(prefix);
    });
}

void CausalState::note_changes(const SealedVertex& vertex) {
    if (watched_.empty()) return;
    for (const Operation& operation : vertex.operations()) {
        const auto* write = std::get_if<CrdtOperation>(&operation.body);
        if (write != nullptr && is_watched(write->key)) changes_.insert({write->key, write->path});
    }
}

void CausalState::lay(const SealedVertex& vertex, Way way) {
    const VertexHeader& header = vertex.header();
    const Member* owner = base_->voters().known(header.lane.seat);
    if (owner == nullptr) return;
    Dot dot{header.lane, header.sequence, 0, vertex.id().value().prefix()};
    for (const Operation& operation : vertex.operations()) {
        const auto* write = std::get_if<CrdtOperation>(&operation.body);
        if (write != nullptr && operation.client == owner->key && well_formed(operation))
            lay_write(*write, dot, header.depth, way);
        ++dot.index;
    }
}

void CausalState::lay_write(
    const CrdtOperation& write, const Dot& dot, std::uint64_t depth, Way way
) {
    const std::string slot = slot_of(write, dot, depth);
    changed_.insert(slot);
    const auto found = overlays_.try_emplace(slot).first;
    Overlay& overlay = found->second;
    for (const Dot& replaced : write.observed) {
        std::uint32_t& times = overlay.replaced[replaced];
        times += way == Way::in ? 1U : ~0U;
        if (times == 0) overlay.replaced.erase(replaced);
    }
    std::map<Dot, Written>& writes = overlay.lanes[dot.lane];
    if (way == Way::in) {
        const bool adds = write.action == CrdtOperation::Action::counter_add;
        writes.emplace(dot, Written{&write, adds ? share_after(write) : Bytes{}, depth});
    } else {
        writes.erase(dot);
    }
    if (writes.empty()) overlay.lanes.erase(dot.lane);
    if (overlay.lanes.empty()) overlays_.erase(found);
}

ByteView CausalState::Written::value() const {
    switch (kind_of(write->action)) {
        case CrdtKind::counter:
            return share;
        case CrdtKind::set:
            return {};  // The slot's name says which element.
        default:
            return write->value;
    }
}

std::vector<CausalState::Live> CausalState::live(const std::string& slot) const {
    std::vector<Live> values;
    const CausalBase& base = base_->causal_base();
    const CrdtEntry* entry = base.find(slot);
    const auto found = overlays_.find(slot);
    const Overlay* overlay = found == overlays_.end() ? nullptr : &found->second;
    if (entry != nullptr) {
        for (const CrdtEntry::Live& held : entry->values) {
            const bool gone = overlay != nullptr && (overlay->replaced.contains(held.dot) ||
                                                     overlay->lanes.contains(held.dot.lane));
            if (!gone) values.push_back({held.dot, held.depth, held.value});
        }
    }
    if (overlay == nullptr) return values;
    for (const auto& [lane, writes] : overlay->lanes) {
        const auto& [dot, written] = *writes.rbegin();
        const bool gone = removes(written.write->action) || overlay->replaced.contains(dot) ||
                          base.expects_gone(slot, dot);
        if (!gone) values.push_back({dot, written.depth, written.value()});
    }
    std::sort(values.begin(), values.end(), [](const Live& a, const Live& b) {
        return a.dot.lane < b.dot.lane;
    });
    return values;
}

}  // namespace creto
