// The names of things: seats, lanes, views, heights, and the digests that identify content.
//
// Why      One word and one type per idea; none converts into another.
// Units    Sequences, views, heights and epochs count from 1; 0 means "none yet" (an empty lane,
//          the genesis view, the genesis block).
#pragma once

#include <algorithm>
#include <compare>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "base/strong.hpp"
#include "codec/reader.hpp"
#include "codec/writer.hpp"
#include "crypto/digest.hpp"
#include "crypto/signature.hpp"

namespace creto {

/// A numbered place in the roster, never reused.
using Seat = Strong<struct SeatTag, std::uint32_t>;
/// How often a seat's lane was started anew.
using Incarnation = Strong<struct IncarnationTag, std::uint32_t>;
/// The place of a vertex in its lane; the first is 1.
using Sequence = Strong<struct SequenceTag>;
/// A turn of one leader; genesis is view 0.
using View = Strong<struct ViewTag>;
/// A span with one validator set; the first is 1.
using Epoch = Strong<struct EpochTag>;
/// The number of a finalised block; genesis is height 0.
using Height = Strong<struct HeightTag>;
/// What joins a request to its answer at the seam between node and host.
using Ticket = Strong<struct TicketTag>;

using ChainId = Strong<struct ChainIdTag, Digest>;
using VertexId = Strong<struct VertexIdTag, Digest>;
using BlockId = Strong<struct BlockIdTag, Digest>;
using OperationId = Strong<struct OperationIdTag, Digest>;
using CallId = Strong<struct CallIdTag, Digest>;
using ContractId = Strong<struct ContractIdTag, Digest>;

/// Who an agent is: its public key. For people it is written as a libp2p peer id.
using AgentId = PublicKey;

/// A lane: one seat's own chain of vertices. Not bound to an epoch.
struct LaneId {
    Seat seat;
    Incarnation incarnation;

    friend bool operator==(const LaneId&, const LaneId&) = default;
    friend auto operator<=>(const LaneId&, const LaneId&) = default;
};

/// "12D3Koo…": base58 of the identity multihash of the key's protobuf form (libp2p peer ids).
[[nodiscard]] std::string agent_text(const AgentId& agent);
/// Reads what agent_text() wrote.
[[nodiscard]] Result<AgentId> parse_agent(std::string_view text);
/// "3" or "3.1": seat, and the incarnation when it is not the first.
[[nodiscard]] std::string lane_text(const LaneId& lane);

// Canonical bytes of the building blocks; every other type's encode and decode rest on these.
inline void encode(Writer& w, const Digest& v) {
    w.raw(v.view());
}
inline void decode(Reader& r, Digest& v) {
    std::array<std::uint8_t, Digest::size> out{};
    const ByteView in = r.raw(out.size());
    std::copy(in.begin(), in.end(), out.begin());
    v = Digest{out};
}
template <class Tag, std::size_t N>
void encode(Writer& w, const FixedBytes<Tag, N>& v) {
    w.raw(v.view());
}
template <class Tag, std::size_t N>
void decode(Reader& r, FixedBytes<Tag, N>& v) {
    std::array<std::uint8_t, N> out{};
    const ByteView in = r.raw(N);
    std::copy(in.begin(), in.end(), out.begin());
    v = FixedBytes<Tag, N>{out};
}
template <class Tag, class Rep>
void encode(Writer& w, const Strong<Tag, Rep>& v) {
    if constexpr (std::is_same_v<Rep, Digest>) {
        encode(w, v.value());
    } else {
        w.uvarint(v.value());
    }
}
template <class Tag, class Rep>
void decode(Reader& r, Strong<Tag, Rep>& v) {
    if constexpr (std::is_same_v<Rep, Digest>) {
        Digest digest;
        decode(r, digest);
        v = Strong<Tag, Rep>{digest};
    } else {
        const std::uint64_t value = r.uvarint();
        if (value > std::numeric_limits<Rep>::max()) r.fail(DecodeError::over_limit);
        v = Strong<Tag, Rep>{static_cast<Rep>(value)};
    }
}
inline void encode(Writer& w, const LaneId& v) {
    encode(w, v.seat);
    encode(w, v.incarnation);
}
inline void decode(Reader& r, LaneId& v) {
    decode(r, v.seat);
    decode(r, v.incarnation);
}
/// Signed integers are zigzag-mapped onto unsigned ones, so that small amounts stay short.
inline void encode_signed(Writer& w, std::int64_t v) {
    w.uvarint((static_cast<std::uint64_t>(v) << 1U) ^ static_cast<std::uint64_t>(v >> 63));
}
inline std::int64_t decode_signed(Reader& r) {
    const std::uint64_t z = r.uvarint();
    return static_cast<std::int64_t>((z >> 1U) ^ (~(z & 1U) + 1U));
}
/// A list: its count, then its items.
template <class T>
void encode_list(Writer& w, const std::vector<T>& items) {
    w.uvarint(items.size());
    for (const T& item : items)
        encode(w, item);
}
/// A list of at most `max` items, each at least `item_bytes_min` bytes long.
template <class T>
void decode_list(
    Reader& r, std::vector<T>& items, std::size_t max, std::size_t item_bytes_min = 1
) {
    const std::size_t count = r.count(max, item_bytes_min);
    items.clear();
    items.reserve(count);
    for (std::size_t i = 0; i < count && r.ok(); ++i)
        decode(r, items.emplace_back());
}

}  // namespace creto
