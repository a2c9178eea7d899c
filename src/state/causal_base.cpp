#include "state/causal_base.hpp"

#include <algorithm>

namespace creto {

namespace {

/// What an entry, a value or a pending dot takes beside its bytes, roughly.
constexpr std::size_t overhead = 128;

std::size_t bytes_of(const std::string& key, const CrdtEntry& entry) {
    std::size_t bytes = key.size() + overhead + entry.pending.size() * overhead;
    for (const CrdtEntry::Live& live : entry.values)
        bytes += live.value.size() + overhead;
    return bytes;
}

template <class Values>
auto find_live(Values& values, const Dot& dot) {
    return std::lower_bound(
        values.begin(),
        values.end(),
        dot,
        [](const CrdtEntry::Live& live, const Dot& d) { return live.dot < d; }
    );
}

/// Where the lane's values begin: they are in one row, by dot.
template <class Values>
auto first_of_lane(Values& values, const LaneId& lane) {
    return find_live(values, Dot{lane, {}, 0, 0});
}

}  // namespace

std::optional<std::string> CausalBase::apply(
    const CrdtOperation& operation, const AgentId& author, const Dot& dot
) {
    if (auto reason = refuse(operation, author, dot)) return reason;
    const auto [found, fresh] = entries_.try_emplace(operation.key);
    if (fresh) bytes_ += operation.key.size() + overhead;
    CrdtEntry& entry = found->second;
    switch (operation.action) {
        case CrdtOperation::Action::counter_add:
            entry.has_counter = true;
            entry.counter += static_cast<std::uint64_t>(operation.amount);
            break;
        case CrdtOperation::Action::register_set:
            replace(entry, operation);
            set(entry, operation, author, dot);
            break;
        case CrdtOperation::Action::register_clear:
            replace(entry, operation);
            break;
    }
    changed_.insert(operation.key);
    drop_if_empty(found);
    return std::nullopt;
}

std::optional<std::string> CausalBase::refuse(
    const CrdtOperation& operation, const AgentId& author, const Dot& dot
) const {
    if (operation.action == CrdtOperation::Action::register_clear) return std::nullopt;
    const std::size_t growth =
        operation.key.size() + operation.value.size() + (operation.observed.size() + 2) * overhead;
    if (bytes_ + growth > bytes_max_) {
        return "the keys under causal/ have reached their limit";
    }
    const CrdtEntry* entry = find(operation.key);
    if (operation.action != CrdtOperation::Action::register_set || entry == nullptr)
        return std::nullopt;
    std::size_t others = 0;
    for (auto at = first_of_lane(entry->values, dot.lane);
         at != entry->values.end() && at->dot.lane == dot.lane;
         ++at) {
        others += at->author == author ? 0 : 1;
    }
    if (others < limits::dots_max) return std::nullopt;
    return "its lane holds too many concurrent values of this key";
}

/// Takes away what the writer had observed.
void CausalBase::replace(CrdtEntry& entry, const CrdtOperation& operation) {
    for (const Dot& replaced : operation.observed) {
        const auto live = find_live(entry.values, replaced);
        if (live != entry.values.end() && live->dot == replaced) {
            erase(entry.values, live);
        } else {
            expect(operation.key, entry, replaced);
        }
    }
}

void CausalBase::set(
    CrdtEntry& entry, const CrdtOperation& operation, const AgentId& author, const Dot& dot
) {
    // Nobody is concurrent with itself: what the author wrote earlier in this lane is replaced.
    auto at = first_of_lane(entry.values, dot.lane);
    while (at != entry.values.end() && at->dot.lane == dot.lane)
        at = at->author == author ? erase(entry.values, at) : at + 1;
    if (std::binary_search(entry.pending.begin(), entry.pending.end(), dot)) return;
    bytes_ += operation.value.size() + overhead;
    entry.values.insert(
        find_live(entry.values, dot), {dot, author, merkle_value(operation.value), operation.value}
    );
}

CausalBase::Values::iterator CausalBase::erase(Values& values, Values::iterator at) {
    bytes_ -= at->value.size() + overhead;
    return values.erase(at);
}

void CausalBase::drop_if_empty(std::map<std::string, CrdtEntry>::iterator entry) {
    if (!entry->second.empty()) return;
    bytes_ -= entry->first.size() + overhead;
    entries_.erase(entry);
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
    bytes_ += overhead;
    waiting_.emplace(dot.lane, dot.sequence, key);
}

void CausalBase::pass(const LaneId& lane, Sequence sequence) {
    cut_[lane] = sequence;
    auto waiting = waiting_.lower_bound({lane, Sequence{}, std::string{}});
    while (waiting != waiting_.end() && std::get<0>(*waiting) == lane &&
           std::get<1>(*waiting) <= sequence) {
        const auto found = entries_.find(std::get<2>(*waiting));
        if (found != entries_.end()) {
            bytes_ -= overhead * std::erase_if(found->second.pending, [&](const Dot& dot) {
                          return dot.lane == lane && dot.sequence <= sequence;
                      });
            changed_.insert(found->first);
            drop_if_empty(found);
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

void CausalBase::save(Writer& w) const {
    for (const auto& [key, entry] : entries_) {
        for (const CrdtEntry::Live& live : entry.values)
            w.bytes(live.value);
    }
}

Result<void> CausalBase::restore(Reader& r, const MerkleMap& map, std::map<LaneId, Sequence> cut) {
    *this = CausalBase{*roster_, bytes_max_};
    cut_ = std::move(cut);
    bool good = true;
    map.visit([&](const std::string& key, const Bytes& value) {
        if (!key.starts_with("causal/")) return;
        auto entry = decode_exact<CrdtEntry>(value);
        good = good && entry && !entry->empty();
        if (good) entries_.emplace(key, std::move(*entry));
    });
    for (auto& [key, entry] : entries_) {
        for (CrdtEntry::Live& live : entry.values) {
            const ByteView value = r.bytes(limits::operation_bytes_max);
            good = good && r.ok() && merkle_value(value) == live.digest;
            live.value.assign(value.begin(), value.end());
        }
        for (const Dot& dot : entry.pending)
            waiting_.emplace(dot.lane, dot.sequence, key);
        bytes_ += bytes_of(key, entry);
    }
    if (!good) return fail(ErrorCode::corrupt, "state: the causal data are malformed");
    return {};
}

}  // namespace creto
