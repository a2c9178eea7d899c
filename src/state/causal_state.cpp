#include "state/causal_state.hpp"

#include <algorithm>

namespace creto {

CausalState::CausalState(const FinalState& base) : base_{&base} {}

void CausalState::add(const VertexPtr& vertex) {
    const VertexHeader& header = vertex->header();
    if (header.sequence <= base_->causal_base().cut(header.lane)) return;
    const Place place{header.lane, header.sequence, vertex->id()};
    if (!vertices_.emplace(place, vertex).second) return;
    lay(*vertex, Way::in);
}

void CausalState::set_overlay(const std::vector<VertexPtr>& overlay) {
    vertices_.clear();
    keys_.clear();
    all_changed_ = true;
    for (const VertexPtr& vertex : overlay)
        add(vertex);
}

void CausalState::apply_final(const std::vector<VertexPtr>& ordered) {
    std::set<LaneId> lanes;
    for (const VertexPtr& vertex : ordered) {
        lanes.insert(vertex->header().lane);
        for (const Operation& operation : vertex->operations()) {
            if (const auto* write = std::get_if<CrdtOperation>(&operation.body))
                changed_.insert(write->key);
        }
    }
    for (const LaneId& lane : lanes) {
        const Sequence cut = base_->causal_base().cut(lane);
        auto at = vertices_.lower_bound({lane, Sequence{}, VertexId{}});
        while (at != vertices_.end() && std::get<0>(at->first) == lane &&
               std::get<1>(at->first) <= cut) {
            lay(*at->second, Way::out);
            at = vertices_.erase(at);
        }
    }
}

void CausalState::lay(const SealedVertex& vertex, Way way) {
    const VertexHeader& header = vertex.header();
    const Member* owner = base_->roster().find(header.lane.seat);
    if (owner == nullptr) return;
    Dot dot{header.lane, header.sequence, 0, vertex.id().value().prefix()};
    for (const Operation& operation : vertex.operations()) {
        lay(operation, dot, owner->key, way);
        ++dot.index;
    }
}

void CausalState::lay(const Operation& operation, const Dot& dot, const AgentId& owner, Way way) {
    const auto* write = std::get_if<CrdtOperation>(&operation.body);
    if (write == nullptr || (!operation.signature && operation.client != owner) ||
        !well_formed(operation)) {
        return;
    }
    changed_.insert(write->key);
    const auto found = keys_.try_emplace(write->key).first;
    Overlay& overlay = found->second;
    const auto amount = static_cast<std::uint64_t>(write->amount);
    if (write->action != CrdtOperation::Action::counter_add) {
        lay_write(overlay, operation, dot, way);
    } else if (operation.signature) {
        const OperationId id = operation.id(base_->roster().chain());
        Carried& carried = overlay.carried[id];
        carried.expiry = operation.expiry;
        carried.amount = write->amount;
        carried.copies += way == Way::in ? 1U : ~0U;
        if (carried.copies == 0) overlay.carried.erase(id);
    } else {
        overlay.own_adds += way == Way::in ? amount : ~amount + 1;
        overlay.own_add_count += way == Way::in ? 1U : ~0U;
    }
    if (overlay.empty()) keys_.erase(found);
}

void CausalState::lay_write(Overlay& overlay, const Operation& operation, const Dot& dot, Way way) {
    const auto& write = std::get<CrdtOperation>(operation.body);
    overlay.writes += way == Way::in ? 1U : ~0U;
    for (const Dot& replaced : write.observed) {
        std::uint32_t& times = overlay.replaced[replaced];
        times += way == Way::in ? 1U : ~0U;
        if (times == 0) overlay.replaced.erase(replaced);
    }
    if (write.action != CrdtOperation::Action::register_set) return;
    const Author author{dot.lane, operation.client};
    std::map<Dot, const Bytes*>& sets = overlay.sets[author];
    if (way == Way::in) {
        sets.emplace(dot, &write.value);
    } else {
        sets.erase(dot);
    }
    if (sets.empty()) overlay.sets.erase(author);
}

std::map<Dot, const Bytes*> CausalState::live(const std::string& key) const {
    std::map<Dot, const Bytes*> values;
    const CrdtEntry* entry = base_->causal_base().find(key);
    const auto found = keys_.find(key);
    const Overlay* overlay = found == keys_.end() ? nullptr : &found->second;
    if (entry != nullptr) {
        for (const CrdtEntry::Live& held : entry->values) {
            const bool gone =
                overlay != nullptr && (overlay->replaced.contains(held.dot) ||
                                       overlay->sets.contains({held.dot.lane, held.author}));
            if (!gone) values.emplace(held.dot, &held.value);
        }
    }
    if (overlay == nullptr) return values;
    for (const auto& [author, sets] : overlay->sets) {
        const auto& [dot, value] = *sets.rbegin();
        const bool gone = overlay->replaced.contains(dot) ||
                          (entry != nullptr &&
                           std::binary_search(entry->pending.begin(), entry->pending.end(), dot));
        if (!gone) values.emplace(dot, value);
    }
    return values;
}

std::optional<std::int64_t> CausalState::counter(const std::string& key) const {
    const CrdtEntry* entry = base_->causal_base().find(key);
    bool counted = entry != nullptr && entry->has_counter;
    std::uint64_t sum = counted ? entry->counter : 0;
    const auto overlay = keys_.find(key);
    if (overlay != keys_.end()) {
        counted = counted || overlay->second.own_add_count > 0;
        sum += overlay->second.own_adds;
        for (const auto& [id, carried] : overlay->second.carried) {
            // Once its expiry has passed it cannot become final; once it is final, it is counted.
            if (carried.expiry <= base_->height() || base_->final_at(id)) continue;
            counted = true;
            sum += static_cast<std::uint64_t>(carried.amount);
        }
    }
    if (!counted) return std::nullopt;
    return static_cast<std::int64_t>(sum);
}

CausalState::Value CausalState::read(const std::string& key) const {
    std::set<std::string_view> distinct;
    for (const auto& [dot, bytes] : live(key))
        distinct.insert(as_text(*bytes));
    Value value;
    for (const std::string_view bytes : distinct)
        value.values.push_back(to_bytes(bytes));
    value.counter = counter(key);
    value.found = value.counter.has_value() || !value.values.empty();
    return value;
}

std::vector<Dot> CausalState::observed(const std::string& key) const {
    std::vector<Dot> dots;
    for (const auto& [dot, bytes] : live(key)) {
        if (dots.size() == limits::dots_max) break;
        dots.push_back(dot);
    }
    return dots;
}

Digest CausalState::summary() {
    if (all_changed_) {
        readings_ = {};
        for (const auto& [key, entry] : base_->causal_base().entries())
            changed_.insert(key);
        for (const auto& [key, overlay] : keys_)
            changed_.insert(key);
        all_changed_ = false;
    }
    // What others carry may expire while nothing happens to its key.
    for (const auto& [key, overlay] : keys_) {
        if (!overlay.carried.empty()) changed_.insert(key);
    }
    for (const std::string& key : changed_) {
        const std::optional<std::int64_t> count = counter(key);
        const std::map<Dot, const Bytes*> values = live(key);
        if (!count && values.empty()) {
            readings_.erase(key);
            continue;
        }
        Writer w;
        w.boolean(count.has_value());
        w.u64(static_cast<std::uint64_t>(count.value_or(0)));
        w.uvarint(values.size());
        for (const auto& [dot, value] : values) {
            encode(w, dot);
            w.bytes(*value);
        }
        readings_.set(key, w.take());
    }
    changed_.clear();
    return readings_.root();
}

}  // namespace creto
