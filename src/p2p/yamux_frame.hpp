// Yamux frame: the twelve bytes in front of everything on a multiplexed connection.
//
// Source   libp2p specs, yamux: version 0, type, flags, stream, length; all big-endian.
// Holds    decode() accepts exactly version 0 and the four types; unknown flags are kept as they
//          are, and mean nothing.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"

namespace creto::p2p::yamux {

inline constexpr std::size_t header_bytes = 12;
/// What each side may send on a new stream before it hears more.
inline constexpr std::uint32_t initial_window = 256 * 1'024;

enum class Type : std::uint8_t { data = 0, window_update = 1, ping = 2, go_away = 3 };

namespace flag {
inline constexpr std::uint16_t syn = 1;
inline constexpr std::uint16_t ack = 2;
inline constexpr std::uint16_t fin = 4;
inline constexpr std::uint16_t rst = 8;
}  // namespace flag

/// Why a side ends the whole connection.
namespace go_away {
inline constexpr std::uint32_t normal = 0;
inline constexpr std::uint32_t protocol_error = 1;
inline constexpr std::uint32_t internal_error = 2;
}  // namespace go_away

struct Header {
    Type type = Type::data;
    std::uint16_t flags = 0;
    std::uint32_t stream = 0;  ///< 0: the connection itself.
    std::uint32_t length = 0;  ///< Of the data behind; else a delta, a ping's value or a reason.

    [[nodiscard]] bool has(std::uint16_t flags_wanted) const { return (flags & flags_wanted) != 0; }
    friend bool operator==(const Header&, const Header&) = default;
};

/// None for another version or an unknown type. Requires: exactly header_bytes bytes.
[[nodiscard]] std::optional<Header> decode(ByteView bytes);
void encode(const Header& header, Bytes& out);

}  // namespace creto::p2p::yamux
