#include "state/causal_base.hpp"

#include <algorithm>
#include <charconv>

namespace creto {

namespace {

/// What a slot, a value or a removal takes beside its bytes, roughly; with its leaf.
constexpr std::size_t overhead = 256;

/// Leaves of removals that wait; those of slots are named as the slots, which begin with "causal/".
constexpr std::string_view removal_prefix = "removed/";
constexpr std::string_view slot_prefix = "causal/";
/// How far lanes have come, by their seats; those of the first seats are in the header.
constexpr std::string_view cut_prefix = "cut/";
constexpr std::uint32_t seats_per_cut_leaf = 32;

std::uint32_t leaf_of(const LaneId& lane) {
    return lane.seat.value() / seats_per_cut_leaf;
}

std::string cut_key(std::uint32_t leaf) {
    return std::string{cut_prefix} + std::to_string(leaf);
}

std::size_t bytes_of(const CrdtEntry::Live& live) {
    return live.value.size() + overhead;
}

template <class Values>
auto find_lane(Values& values, const LaneId& lane) {
    return std::lower_bound(
        values.begin(),
        values.end(),
        lane,
        [](const CrdtEntry::Live& live, const LaneId& l) { return live.dot.lane < l; }
    );
}

std::string leaf_of(const Dot& dot, const std::string& slot) {
    return std::string{removal_prefix}.append(as_text(encode_bytes(dot))).append(slot);
}

}  // namespace

std::optional<std::string> CausalBase::apply(
    const CrdtOperation& operation, const Dot& dot, std::uint64_t depth
) {
    const std::string slot = slot_of(operation, dot, depth);
    if (const std::size_t more = growth(operation, slot); more > 0 && bytes_ + more > bytes_max_)
        return "the keys under causal/ have reached their limit";
    for (const Dot& observed : operation.observed)
        take_away(slot, observed);
    take_away_own(slot, dot.lane);
    if (removes(operation.action) || expects_gone(slot, dot)) return std::nullopt;
    Bytes value;
    if (operation.action == CrdtOperation::Action::counter_add) {
        value = share_after(operation);
    } else if (kind_of(operation.action) != CrdtKind::set) {
        value = operation.value;
    }
    put(slot, {dot, depth, merkle_value(value), std::move(value)});
    return std::nullopt;
}

/// An upper bound; nothing for what only takes away, so that a full state can be emptied.
std::size_t CausalBase::growth(const CrdtOperation& operation, const std::string& slot) const {
    const auto waiting = static_cast<std::size_t>(std::count_if(
        operation.observed.begin(),
        operation.observed.end(),
        [this](const Dot& dot) { return can_come(dot); }
    ));
    const std::size_t put =
        removes(operation.action) ? 0 : slot.size() + operation.value.size() + 2 * overhead;
    return put + waiting * (slot.size() + overhead);
}

/// A correct writer holds what it takes away, so the dot is at most a window above the cut.
bool CausalBase::can_come(const Dot& dot) const {
    const Sequence passed = cut(dot.lane);
    const auto newest = newest_.find(dot.lane.seat);
    return dot.sequence > passed &&
           dot.sequence.value() - passed.value() <= limits::lane_window_vertices &&
           dot.lane.incarnation <= (newest == newest_.end() ? Incarnation{} : newest->second) &&
           roster_->known(dot.lane.seat) != nullptr;
}

void CausalBase::take_away(const std::string& slot, const Dot& dot) {
    if (can_come(dot)) {
        if (!removals_.emplace(dot, slot).second) return;
        removals_changed_.emplace(dot, slot);
        bytes_ += slot.size() + overhead;
        return;
    }
    const auto entry = entries_.find(slot);
    if (entry == entries_.end()) return;
    const auto value = find_lane(entry->second.values, dot.lane);
    if (value != entry->second.values.end() && value->dot == dot) erase(entry, value);
}

/// Nobody is concurrent with itself: what the lane wrote to the slot earlier is replaced.
void CausalBase::take_away_own(const std::string& slot, const LaneId& lane) {
    const auto entry = entries_.find(slot);
    if (entry == entries_.end()) return;
    const auto value = find_lane(entry->second.values, lane);
    if (value != entry->second.values.end() && value->dot.lane == lane) erase(entry, value);
}

void CausalBase::put(const std::string& slot, CrdtEntry::Live live) {
    const auto [entry, fresh] = entries_.try_emplace(slot);
    if (fresh) bytes_ += slot.size() + overhead;
    bytes_ += bytes_of(live);
    std::vector<CrdtEntry::Live>& values = entry->second.values;
    values.insert(find_lane(values, live.dot.lane), std::move(live));
    changed_.insert(slot);
}

void CausalBase::erase(Entries::iterator entry, std::vector<CrdtEntry::Live>::iterator value) {
    changed_.insert(entry->first);
    bytes_ -= bytes_of(*value);
    entry->second.values.erase(value);
    if (!entry->second.values.empty()) return;
    bytes_ -= entry->first.size() + overhead;
    entries_.erase(entry);
}

void CausalBase::pass(const LaneId& lane, Sequence sequence) {
    cut_[lane] = sequence;
    cut_changed_.insert(leaf_of(lane));
    auto removal = removals_.lower_bound({Dot{lane, {}, 0, 0}, std::string{}});
    while (removal != removals_.end() && removal->first.lane == lane &&
           removal->first.sequence <= sequence) {
        bytes_ -= removal->second.size() + overhead;
        removals_changed_.insert(*removal);
        removal = removals_.erase(removal);
    }
}

void CausalBase::seal(MerkleMap& map) {
    for (const std::string& slot : changed_) {
        if (const CrdtEntry* entry = find(slot)) {
            map.set(slot, encode_bytes(*entry));
        } else {
            map.erase(slot);
        }
    }
    for (const Removal& removal : removals_changed_) {
        const std::string leaf = leaf_of(removal.first, removal.second);
        if (removals_.contains(removal)) {
            map.set(leaf, {});
        } else {
            map.erase(leaf);
        }
    }
    for (const std::uint32_t leaf : cut_changed_) {
        if (leaf == 0) continue;  // A part of the header.
        Writer w;
        encode_cut(w, leaf);
        map.set(cut_key(leaf), w.take());
    }
    changed_.clear();
    removals_changed_.clear();
    cut_changed_.clear();
}

void CausalBase::encode_cut(Writer& w, std::uint32_t leaf) const {
    const auto first = cut_.lower_bound({Seat{leaf * seats_per_cut_leaf}, {}});
    auto last = first;
    while (last != cut_.end() && leaf_of(last->first) == leaf)
        ++last;
    w.uvarint(static_cast<std::uint64_t>(std::distance(first, last)));
    for (auto at = first; at != last; ++at) {
        encode(w, at->first);
        encode(w, at->second);
    }
}

/// False: it is not what encode_cut() writes for this leaf.
bool CausalBase::read_cut(ByteView value, std::uint32_t leaf) {
    Reader r{value};
    const std::size_t lanes = r.count(value.size(), 3);
    std::optional<LaneId> before;
    for (std::size_t i = 0; i < lanes && r.ok(); ++i) {
        LaneId lane;
        Sequence sequence;
        decode(r, lane);
        decode(r, sequence);
        if (leaf_of(lane) != leaf || (before && !(*before < lane))) return false;
        cut_[lane] = sequence;
        before = lane;
    }
    return r.finish() == DecodeError::none;
}

const CrdtEntry* CausalBase::find(const std::string& slot) const {
    const auto found = entries_.find(slot);
    return found == entries_.end() ? nullptr : &found->second;
}

Sequence CausalBase::cut(const LaneId& lane) const {
    const Sequence* found = cut_.find(lane);
    return found == nullptr ? Sequence{} : *found;
}

void CausalBase::save(Writer& w) const {
    for (const auto& [slot, entry] : entries_) {
        for (const CrdtEntry::Live& live : entry.values)
            w.bytes(live.value);
    }
}

Result<void> CausalBase::restore(Reader& r, const MerkleMap& map, ByteView cut) {
    *this = CausalBase{*roster_, bytes_max_};
    bool good = read_cut(cut, 0);
    map.visit([&](const std::string& leaf, const Bytes& value) {
        if (leaf.starts_with(slot_prefix)) {
            auto entry = decode_exact<CrdtEntry>(value);
            good = good && entry && !entry->values.empty() && read_slot(leaf);
            if (good) entries_.emplace(leaf, std::move(*entry));
        } else if (leaf.starts_with(removal_prefix)) {
            Reader name{as_bytes(leaf).subspan(removal_prefix.size())};
            Dot dot;
            decode(name, dot);
            good = good && name.ok() && value.empty() && read_slot(as_text(name.rest()));
            if (good) removals_.emplace(dot, as_text(name.rest()));
        } else if (leaf.starts_with(cut_prefix)) {
            std::uint32_t number = 0;
            std::from_chars(leaf.data() + cut_prefix.size(), leaf.data() + leaf.size(), number);
            good = good && number > 0 && leaf == cut_key(number) && read_cut(value, number);
        }
    });
    for (auto& [slot, entry] : entries_) {
        bytes_ += slot.size() + overhead;
        for (CrdtEntry::Live& live : entry.values) {
            const ByteView value = r.bytes(limits::operation_bytes_max);
            good = good && r.ok() && merkle_value(value) == live.digest;
            live.value.assign(value.begin(), value.end());
            bytes_ += bytes_of(live);
        }
    }
    for (const Removal& removal : removals_)
        bytes_ += removal.second.size() + overhead;
    if (!good) return fail(ErrorCode::corrupt, "state: the causal data are malformed");
    return {};
}

}  // namespace creto
