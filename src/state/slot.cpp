#include "state/slot.hpp"

#include <array>

#include "base/assert.hpp"

namespace creto {

namespace {

constexpr char end_of_field = '\0';
/// Letters rather than numbers, for whoever looks at a state's leaves.
constexpr std::array<char, 5> letters{'c', 'v', 'w', 's', 'l'};

/// Most significant byte first: the names ascend as the numbers do.
template <class T>
void put(std::string& out, T value) {
    for (std::size_t i = sizeof(T); i > 0; --i)
        out.push_back(static_cast<char>(value >> (8U * (i - 1)) & 0xFFU));
}

std::string position_of(const Dot& dot, std::uint64_t depth) {
    std::string out;
    put(out, depth);
    put(out, dot.vertex);
    put(out, dot.index);
    // Two vertices that share eight bytes of their ids are still two.
    put(out, dot.lane.seat.value());
    put(out, dot.lane.incarnation.value());
    put(out, dot.sequence.value());
    return out;
}

}  // namespace

std::string prefix_of(const Place& place) {
    std::string out = place.key;
    for (const std::string& field : place.path)
        out.append(1, end_of_field).append(field);
    return out.append(1, end_of_field);
}

std::string prefix_of(const Place& place, CrdtKind kind) {
    return prefix_of(place)
        .append(1, end_of_field)
        .append(1, letters[static_cast<std::size_t>(kind)]);
}

std::string slot_of(const CrdtOperation& operation) {
    const CrdtKind kind = kind_of(operation.action);
    CRETO_ASSERT(kind != CrdtKind::list);
    std::string out = prefix_of({operation.key, operation.path}, kind);
    if (kind == CrdtKind::set) out.append(as_text(operation.value));
    return out;
}

std::string slot_of(const CrdtOperation& operation, const Dot& dot, std::uint64_t depth) {
    if (kind_of(operation.action) != CrdtKind::list) return slot_of(operation);
    return prefix_of({operation.key, operation.path}, CrdtKind::list) + position_of(dot, depth);
}

std::optional<SlotName> read_slot(std::string_view name) {
    SlotName out;
    const std::size_t end = name.find(end_of_field);
    if (end == std::string_view::npos) return std::nullopt;
    out.place.key = name.substr(0, end);
    std::string_view rest = name.substr(end + 1);
    while (!rest.empty() && rest.front() != end_of_field) {
        const std::size_t next = rest.find(end_of_field);
        if (next == std::string_view::npos) return std::nullopt;
        out.place.path.emplace_back(rest.substr(0, next));
        rest.remove_prefix(next + 1);
    }
    if (rest.size() < 2) return std::nullopt;
    for (std::size_t i = 0; i < letters.size(); ++i) {
        if (letters[i] != rest[1]) continue;
        out.kind = static_cast<CrdtKind>(i);
        out.which = rest.substr(2);
        return out;
    }
    return std::nullopt;
}

std::string place_text(const Place& place) {
    std::string out = place.key;
    for (std::size_t i = 0; i < place.path.size(); ++i)
        out.append(i == 0 ? ", field " : "/").append(place.path[i]);
    return out;
}

}  // namespace creto
