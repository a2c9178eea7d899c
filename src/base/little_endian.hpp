// load_le64(): eight bytes as a number, the first the least, on every machine.
//
// Why      Written as a loop over bytes it stays a loop: a third of the time of a short hash.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

#include "base/bytes.hpp"

namespace creto {

/// Requires: at + 8 <= bytes.size().
[[nodiscard]] inline std::uint64_t load_le64(ByteView bytes, std::size_t at) {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    if constexpr (std::endian::native == std::endian::big) value = __builtin_bswap64(value);
    return value;
}

}  // namespace creto
