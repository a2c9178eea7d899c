// Slot: the name of one value of the causal data: a place, a kind and, in sets and lists, which one.
//
// Why      Each value is a leaf of its own, so that a write costs what it changes, however large the
//          map, set or list around it is. A map is the slots below a place, a set its elements', a
//          list its items': one mechanism serves all kinds.
// Format   key {00 field}* 00 00 kind [which]. Keys and fields hold no zero byte, so the slots at and
//          below a place are neighbours, and no other slot is among them. `which` is a set's element,
//          or a list item's position: depth, vertex, index, so that the names ascend as the list does.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/operation.hpp"

namespace creto {

/// A key under causal/, or a field of the map below it.
struct Place {
    std::string key;
    std::vector<std::string> path;
    friend bool operator==(const Place&, const Place&) = default;
    friend auto operator<=>(const Place&, const Place&) = default;
};

/// What the names of all slots at and below the place begin with, and no others.
[[nodiscard]] std::string prefix_of(const Place& place);
/// The same for the slots of one kind at the place itself.
[[nodiscard]] std::string prefix_of(const Place& place, CrdtKind kind);

/// The slot that an operation writes. A list item's is known once its vertex is made.
[[nodiscard]] std::string slot_of(
    const CrdtOperation& operation, const Dot& dot, std::uint64_t depth
);
/// The same for what is no list. Requires: the action appends to no list.
[[nodiscard]] std::string slot_of(const CrdtOperation& operation);

struct SlotName {
    Place place;
    CrdtKind kind = CrdtKind::counter;
    std::string_view which;  ///< In the name that was read.
};
/// None when nothing of ours has such a name.
[[nodiscard]] std::optional<SlotName> read_slot(std::string_view name);

/// "causal/cart, field a/b": for people.
[[nodiscard]] std::string place_text(const Place& place);

}  // namespace creto
