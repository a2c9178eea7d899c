#include "state/causal_base.hpp"

#include <algorithm>

namespace creto {

namespace {

/// What one dot and the list around it take beside the value, roughly.
constexpr std::size_t overhead = 64;

std::size_t bytes_of(const std::string& key, const CrdtEntry& entry) {
    std::size_t bytes = key.size() + overhead + entry.pending.size() * overhead;
    for (const CrdtEntry::Live& live : entry.values)
        bytes += live.value.size() + overhead;
    return bytes;
}

auto find_live(std::vector<CrdtEntry::Live>& values, const Dot& dot) {
    return std::lower_bound(
        values.begin(),
        values.end(),
        dot,
        [](const CrdtEntry::Live& live, const Dot& d) { return live.dot < d; }
    );
}

}  // namespace

bool CausalBase::apply(const CrdtOperation& operation, const Dot& dot) {
    const std::size_t growth =
        operation.key.size() + operation.value.size() + (operation.observed.size() + 2) * overhead;
    if (operation.action != CrdtOperation::Action::register_clear &&
        bytes_ + growth > limits::causal_bytes_max) {
        return false;
    }
    const auto [found, fresh] = entries_.try_emplace(operation.key);
    CrdtEntry& entry = found->second;
    if (!fresh) bytes_ -= bytes_of(operation.key, entry);
    if (operation.action == CrdtOperation::Action::counter_add) {
        entry.has_counter = true;
        entry.counter += static_cast<std::uint64_t>(operation.amount);
    } else {
        replace(entry, operation, dot);
    }
    changed_.insert(operation.key);
    if (entry.empty()) {
        entries_.erase(found);
    } else {
        bytes_ += bytes_of(operation.key, entry);
    }
    return true;
}

void CausalBase::replace(CrdtEntry& entry, const CrdtOperation& operation, const Dot& dot) {
    for (const Dot& replaced : operation.observed) {
        const auto live = find_live(entry.values, replaced);
        if (live != entry.values.end() && live->dot == replaced) {
            entry.values.erase(live);
        } else {
            expect(operation.key, entry, replaced);
        }
    }
    if (operation.action != CrdtOperation::Action::register_set) return;
    if (std::binary_search(entry.pending.begin(), entry.pending.end(), dot)) return;
    entry.values.insert(find_live(entry.values, dot), {dot, operation.value});
}

/// Keeps a removal whose value has not come yet. A correct writer holds what it removes, so the dot
/// is at most a window above the cut; anything else is ignored rather than kept for ever.
void CausalBase::expect(const std::string& key, CrdtEntry& entry, const Dot& dot) {
    const std::uint64_t passed = cut(dot.lane).value();
    const std::uint64_t sequence = dot.sequence.value();
    if (sequence <= passed || sequence - passed > limits::lane_window_vertices ||
        roster_->find(dot.lane.seat) == nullptr ||
        entry.pending.size() >= limits::crdt_pending_max) {
        return;
    }
    const auto place = std::lower_bound(entry.pending.begin(), entry.pending.end(), dot);
    if (place != entry.pending.end() && *place == dot) return;
    entry.pending.insert(place, dot);
    waiting_.emplace(dot.lane, dot.sequence, key);
}

void CausalBase::pass(const LaneId& lane, Sequence sequence) {
    cut_[lane] = sequence;
    auto waiting = waiting_.lower_bound({lane, Sequence{}, std::string{}});
    while (waiting != waiting_.end() && std::get<0>(*waiting) == lane &&
           std::get<1>(*waiting) <= sequence) {
        const std::string& key = std::get<2>(*waiting);
        const auto found = entries_.find(key);
        if (found != entries_.end()) {
            CrdtEntry& entry = found->second;
            bytes_ -= bytes_of(key, entry);
            std::erase_if(entry.pending, [&](const Dot& dot) {
                return dot.lane == lane && dot.sequence <= sequence;
            });
            changed_.insert(key);
            if (entry.empty()) {
                entries_.erase(found);
            } else {
                bytes_ += bytes_of(key, entry);
            }
        }
        waiting = waiting_.erase(waiting);
    }
}

void CausalBase::seal(MerkleMap& map) {
    for (const std::string& key : changed_) {
        if (const CrdtEntry* entry = find(key)) {
            map.set(key, encode_bytes(*entry));
        } else {
            map.erase(key);
        }
    }
    changed_.clear();
}

const CrdtEntry* CausalBase::find(const std::string& key) const {
    const auto found = entries_.find(key);
    return found == entries_.end() ? nullptr : &found->second;
}

Sequence CausalBase::cut(const LaneId& lane) const {
    const auto found = cut_.find(lane);
    return found == cut_.end() ? Sequence{} : found->second;
}

Result<void> CausalBase::restore(const MerkleMap& map, std::map<LaneId, Sequence> cut) {
    *this = CausalBase{*roster_};
    cut_ = std::move(cut);
    bool good = true;
    map.visit([&](const std::string& key, const Bytes& value) {
        if (!key.starts_with("causal/")) return;
        auto entry = decode_exact<CrdtEntry>(value);
        if (!entry || entry->empty()) {
            good = false;
            return;
        }
        bytes_ += bytes_of(key, *entry);
        for (const Dot& dot : entry->pending)
            waiting_.emplace(dot.lane, dot.sequence, key);
        entries_.emplace(key, std::move(*entry));
    });
    if (!good) return fail(ErrorCode::corrupt, "state: a leaf of the causal data is malformed");
    return {};
}

}  // namespace creto
