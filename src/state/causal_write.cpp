// What a writer has to say about the state that it writes over.
//
// Holds    [CRDT-MAP.1] Removing a place is one removal for each slot that is live at and below it.
#include "state/causal_walk.hpp"

namespace creto {

namespace {

CrdtOperation::Action removal_of(CrdtKind kind) {
    switch (kind) {
        case CrdtKind::values:
            return CrdtOperation::Action::register_clear;
        case CrdtKind::last:
            return CrdtOperation::Action::last_clear;
        case CrdtKind::set:
            return CrdtOperation::Action::set_remove;
        default:
            return CrdtOperation::Action::counter_clear;
    }
}

const char* described(CrdtKind kind) {
    switch (kind) {
        case CrdtKind::counter:
            return "a counter";
        case CrdtKind::values:
            return "a register of concurrent values";
        case CrdtKind::last:
            return "a register of the last value";
        case CrdtKind::set:
            return "a set";
        case CrdtKind::list:
            return "a list";
    }
    return "of an unknown kind";
}

constexpr std::array<CrdtKind, 5> all_kinds{
    CrdtKind::counter, CrdtKind::values, CrdtKind::last, CrdtKind::set, CrdtKind::list};

}  // namespace

void CausalState::prepare(std::vector<Operation>& operations, const LaneId& lane) const {
    std::map<std::string, std::uint64_t> shares;  // As this vertex leaves them.
    for (Operation& operation : operations) {
        auto* write = std::get_if<CrdtOperation>(&operation.body);
        if (write == nullptr || kind_of(write->action) == CrdtKind::list) continue;
        const std::string slot = slot_of(*write);
        if (write->action != CrdtOperation::Action::counter_add) {
            write->observed.clear();
            for (const Live& value : live(slot)) {
                if (value.dot.lane != lane) write->observed.push_back(value.dot);
            }
            if (write->action == CrdtOperation::Action::counter_clear) shares[slot] = 0;
            continue;
        }
        const auto [share, fresh] = shares.try_emplace(slot, 0);
        if (fresh) {
            for (const Live& value : live(slot)) {
                if (value.dot.lane == lane) share->second = read_share(value.value);
            }
        }
        write->share = share->second;
        share->second += static_cast<std::uint64_t>(write->amount);
    }
}

std::optional<std::string> CausalState::other_kind(const CrdtOperation& write) const {
    const CrdtKind kind = kind_of(write.action);
    Place place{write.key, {}};
    for (const std::string& field : write.path) {
        for (const CrdtKind held : all_kinds) {
            if (holds(place, held))
                return place_text(place) + " is " + described(held) + " and has no fields";
        }
        place.path.push_back(field);
    }
    for (const CrdtKind held : all_kinds) {
        if (held != kind && holds(place, held))
            return place_text(place) + " is " + described(held) + ", not " + described(kind);
    }
    if (has_fields(place)) return place_text(place) + " is a map, not " + described(kind);
    return std::nullopt;
}

Result<std::vector<CrdtOperation>> CausalState::removal(const Place& place) const {
    std::vector<CrdtOperation> writes;
    bool any = false;
    for (Walk walk{*this, prefix_of(place)}; const std::string* slot = walk.slot(); walk.next()) {
        const auto name = read_slot(*slot);
        if (!name || live(*slot).empty()) continue;
        any = true;
        if (name->kind == CrdtKind::list) continue;
        if (writes.size() == limits::remove_values_max) {
            return fail(
                ErrorCode::limit,
                place_text(place) + " holds more than " +
                    std::to_string(limits::remove_values_max) +
                    " values; remove its fields or elements one by one"
            );
        }
        writes.push_back(
            {.action = removal_of(name->kind),
             .key = name->place.key,
             .value = to_bytes(name->which),
             .path = name->place.path}
        );
    }
    if (!writes.empty()) return writes;
    if (any)
        return fail(ErrorCode::invalid, place_text(place) + " is a list, and a list only grows");
    return fail(ErrorCode::not_found, place_text(place) + " holds nothing at this node");
}

}  // namespace creto
