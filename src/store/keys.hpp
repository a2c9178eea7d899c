// Keys: where each thing lies in the store, and how to ask for a range.
//
// Why      A store only knows byte order. Numbers are written big-endian, so that byte order is
//          numeric order and "lane 3 from sequence 100" is one scan.
// Layout   vertices  vertex id                                        -> the vertex's bytes
//          lanes     seat, incarnation, sequence, first 8 id bytes    -> vertex id
//          state     'h' height                                       -> Checkpoint
//                    'p' height, number                               -> a part of its state
//          blocks, certificates, receipts: a number() or a digest(), or both one after the other,
//                    as their owners say
//          meta      a short word                                     -> see the functions
// Holds    Two branches of a forked lane have different keys. Keys are never reinterpreted: another
//          layout is another format_version.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "model/effect.hpp"
#include "model/vertex.hpp"

namespace creto {

/// Byte order of keys, as RocksDB compares them; also between owned and viewed bytes.
struct KeyOrder {
    using is_transparent = void;
    [[nodiscard]] bool operator()(ByteView a, ByteView b) const;
};

/// "vertices", "lanes", …: the names of the column families.
[[nodiscard]] const char* to_string(Column column);

namespace keys {

/// What this code reads and writes; another number is another layout.
inline constexpr std::uint32_t format_version = 1;

/// All keys in [from, to); an empty `to` is the end of the column, as in StoreView::scan.
struct Range {
    Bytes from;
    Bytes to;

    [[nodiscard]] bool contains(ByteView key) const;
};

[[nodiscard]] Bytes number(std::uint64_t value);
[[nodiscard]] std::optional<std::uint64_t> parse_number(ByteView key);
[[nodiscard]] Bytes digest(const Digest& digest);
[[nodiscard]] std::optional<Digest> parse_digest(ByteView key);
/// All keys that start with `prefix`.
[[nodiscard]] Range with_prefix(ByteView prefix);
/// All number() keys in [first, last].
[[nodiscard]] Range numbers(std::uint64_t first, std::uint64_t last);

/// A key of the lane index, read.
struct LaneEntry {
    LaneId lane;
    Sequence sequence;
    std::uint64_t id_prefix = 0;  ///< The first 8 bytes of the vertex id, as a big-endian number.

    friend bool operator==(const LaneEntry&, const LaneEntry&) = default;
};

[[nodiscard]] Bytes vertex(const VertexId& id);
[[nodiscard]] Bytes lane_entry(const VertexRef& vertex);
[[nodiscard]] std::optional<LaneEntry> parse_lane_entry(ByteView key);
/// The whole index of one lane.
[[nodiscard]] Range lane(const LaneId& lane);
/// The index of one lane, sequences in [first, last].
[[nodiscard]] Range lane(const LaneId& lane, Sequence first, Sequence last);

/// The two writes that store a vertex, sharing its bytes; and the two that remove it.
[[nodiscard]] std::vector<KeyWrite> put_vertex(const VertexPtr& vertex);
[[nodiscard]] std::vector<KeyWrite> remove_vertex(const VertexRef& vertex);

[[nodiscard]] Bytes checkpoint(Height height);
/// All of them, by height.
[[nodiscard]] Range checkpoints();
[[nodiscard]] Bytes checkpoint_part(Height height, std::uint32_t number);

// Meta keys.
[[nodiscard]] Bytes format();  ///< -> number(format_version)
[[nodiscard]] Bytes chain();   ///< -> the chain id's 32 bytes
[[nodiscard]] Bytes name();    ///< -> the node's name, for people
/// Present once this node has voted: then a missing vote log is a loss, not a new node.
[[nodiscard]] Bytes voted();
/// -> number(the lowest height whose block and vertices are kept); absent: 1.
[[nodiscard]] Bytes kept_from();
/// -> number(this node's next operation counter, as of the newest checkpoint).
[[nodiscard]] Bytes own_counter();

}  // namespace keys
}  // namespace creto
