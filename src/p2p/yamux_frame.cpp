#include "p2p/yamux_frame.hpp"

#include <array>

#include "base/assert.hpp"

namespace creto::p2p::yamux {

namespace {

std::uint32_t u32_at(ByteView bytes, std::size_t at) {
    std::uint32_t value = 0;
    for (const std::uint8_t byte : bytes.subspan(at, 4))
        value = value << 8U | byte;
    return value;
}

}  // namespace

std::optional<Header> decode(ByteView bytes) {
    CRETO_ASSERT(bytes.size() == header_bytes);
    const bool known = bytes[0] == 0 && bytes[1] <= static_cast<std::uint8_t>(Type::go_away);
    if (!known) return std::nullopt;
    return Header{
        .type = Type{bytes[1]},
        .flags = static_cast<std::uint16_t>(bytes[2] << 8U | bytes[3]),
        .stream = u32_at(bytes, 4),
        .length = u32_at(bytes, 8)};
}

void encode(const Header& header, Bytes& out) {
    const auto byte = [](std::uint32_t value, unsigned shift) {
        return static_cast<std::uint8_t>(value >> shift);
    };
    const std::array<std::uint8_t, header_bytes> bytes{
        0,
        static_cast<std::uint8_t>(header.type),
        byte(header.flags, 8),
        byte(header.flags, 0),
        byte(header.stream, 24),
        byte(header.stream, 16),
        byte(header.stream, 8),
        byte(header.stream, 0),
        byte(header.length, 24),
        byte(header.length, 16),
        byte(header.length, 8),
        byte(header.length, 0)};
    out.insert(out.end(), bytes.begin(), bytes.end());
}

}  // namespace creto::p2p::yamux
