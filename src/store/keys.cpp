#include "store/keys.hpp"

#include <algorithm>
#include <cstring>

namespace creto {

bool KeyOrder::operator()(ByteView a, ByteView b) const {
    const std::size_t common = std::min(a.size(), b.size());
    const int order = common == 0 ? 0 : std::memcmp(a.data(), b.data(), common);
    return order != 0 ? order < 0 : a.size() < b.size();
}

const char* to_string(Column column) {
    switch (column) {
        case Column::vertices:
            return "vertices";
        case Column::lanes:
            return "lanes";
        case Column::blocks:
            return "blocks";
        case Column::certificates:
            return "certificates";
        case Column::state:
            return "state";
        case Column::receipts:
            return "receipts";
        case Column::meta:
            return "meta";
    }
    return "unknown";
}

namespace keys {

namespace {

constexpr std::size_t prefix_bytes = 8;
constexpr std::size_t lane_bytes = 8;
constexpr std::size_t lane_entry_bytes = lane_bytes + 8 + prefix_bytes;
constexpr std::uint8_t checkpoint_prefix = 'h';
constexpr std::uint8_t part_prefix = 'p';

template <class T>
void append_big_endian(Bytes& out, T value) {
    for (std::size_t i = sizeof(T); i-- > 0;)
        out.push_back(static_cast<std::uint8_t>(value >> (8U * i)));
}

template <class T>
T read_big_endian(ByteView in) {
    T value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i)
        value = static_cast<T>(value << 8U | in[i]);
    return value;
}

Bytes lane_prefix(const LaneId& lane) {
    Bytes key;
    key.reserve(lane_entry_bytes);
    append_big_endian(key, lane.seat.value());
    append_big_endian(key, lane.incarnation.value());
    return key;
}

/// The least key that is greater than every key that starts with `prefix`; empty: there is none.
Bytes after_prefix(Bytes prefix) {
    while (!prefix.empty() && prefix.back() == 0xFF)
        prefix.pop_back();
    if (!prefix.empty()) ++prefix.back();
    return prefix;
}

}  // namespace

bool Range::contains(ByteView key) const {
    const KeyOrder less;
    return !less(key, from) && (to.empty() || less(key, to));
}

Bytes number(std::uint64_t value) {
    Bytes key;
    key.reserve(sizeof value);
    append_big_endian(key, value);
    return key;
}

std::optional<std::uint64_t> parse_number(ByteView key) {
    if (key.size() != sizeof(std::uint64_t)) return std::nullopt;
    return read_big_endian<std::uint64_t>(key);
}

Bytes digest(const Digest& digest) {
    return Bytes(digest.view().begin(), digest.view().end());
}

std::optional<Digest> parse_digest(ByteView key) {
    if (key.size() != Digest::size) return std::nullopt;
    std::array<std::uint8_t, Digest::size> bytes{};
    std::copy(key.begin(), key.end(), bytes.begin());
    return Digest{bytes};
}

Range with_prefix(ByteView prefix) {
    Bytes from(prefix.begin(), prefix.end());
    Bytes to = after_prefix(from);
    return {std::move(from), std::move(to)};
}

Range numbers(std::uint64_t first, std::uint64_t last) {
    return {number(first), after_prefix(number(last))};
}

Bytes vertex(const VertexId& id) {
    return digest(id.value());
}

Bytes lane_entry(const VertexRef& vertex) {
    Bytes key = lane_prefix(vertex.lane);
    append_big_endian(key, vertex.sequence.value());
    const ByteView id = vertex.id.value().view().first(prefix_bytes);
    key.insert(key.end(), id.begin(), id.end());
    return key;
}

std::optional<LaneEntry> parse_lane_entry(ByteView key) {
    if (key.size() != lane_entry_bytes) return std::nullopt;
    return LaneEntry{
        {Seat{read_big_endian<std::uint32_t>(key)},
         Incarnation{read_big_endian<std::uint32_t>(key.subspan(4))}},
        Sequence{read_big_endian<std::uint64_t>(key.subspan(lane_bytes))},
        read_big_endian<std::uint64_t>(key.subspan(lane_bytes + 8)),
    };
}

Range lane(const LaneId& lane) {
    return with_prefix(lane_prefix(lane));
}

Range lane(const LaneId& lane, Sequence first, Sequence last) {
    Bytes from = lane_prefix(lane);
    Bytes to = from;
    append_big_endian(from, first.value());
    append_big_endian(to, last.value());
    return {std::move(from), after_prefix(std::move(to))};
}

std::vector<KeyWrite> put_vertex(const VertexPtr& vertex) {
    std::vector<KeyWrite> writes;
    writes.reserve(2);
    writes.push_back(
        {Column::vertices, keys::vertex(vertex->id()), SharedBytes{vertex, &vertex->bytes()}}
    );
    writes.push_back({Column::lanes, lane_entry(vertex->ref()), share(digest(vertex->id().value()))}
    );
    return writes;
}

std::vector<KeyWrite> remove_vertex(const VertexRef& vertex) {
    std::vector<KeyWrite> writes;
    writes.reserve(2);
    writes.push_back({Column::lanes, lane_entry(vertex), std::nullopt});
    writes.push_back({Column::vertices, keys::vertex(vertex.id), std::nullopt});
    return writes;
}

Bytes checkpoint(Height height) {
    Bytes key{checkpoint_prefix};
    append_big_endian(key, height.value());
    return key;
}
Range checkpoints() {
    return with_prefix(Bytes{checkpoint_prefix});
}
Bytes checkpoint_part(Height height, std::uint32_t number) {
    Bytes key{part_prefix};
    append_big_endian(key, height.value());
    append_big_endian(key, number);
    return key;
}

Bytes format() {
    return to_bytes("format");
}
Bytes chain() {
    return to_bytes("chain");
}
Bytes name() {
    return to_bytes("name");
}
Bytes voted() {
    return to_bytes("voted");
}
Bytes kept_from() {
    return to_bytes("kept_from");
}
Bytes own_counter() {
    return to_bytes("own_counter");
}

}  // namespace keys
}  // namespace creto
