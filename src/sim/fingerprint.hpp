// fingerprint(): 64 bits that name bytes in the trace.
//
// Why      Each message is named once; BLAKE3 took as long for it as its receivers took to read it.
// Source   The multiply-and-fold step of wyhash (Wang Yi, public domain), two words at a time.
// Holds    The same on every machine. Not against an adversary: nobody gains by a collision here.
// Cost     About 10 ns for 150 bytes.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/little_endian.hpp"
#include "base/prng.hpp"

namespace creto {

/// The product of two words, its halves folded together.
[[nodiscard]] constexpr std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

[[nodiscard]] inline std::uint64_t fingerprint(ByteView bytes) {
    constexpr std::uint64_t first = 0xA0761D6478BD642FULL;
    constexpr std::uint64_t second = 0xE7037ED1A0B428DBULL;
    std::uint64_t mixed = fold(bytes.size() ^ first, second);
    std::size_t at = 0;
    for (; at + 16 <= bytes.size(); at += 16)
        mixed = fold(load_le64(bytes, at) ^ first, load_le64(bytes, at + 8) ^ second ^ mixed);
    for (; at + 8 <= bytes.size(); at += 8)
        mixed = fold(load_le64(bytes, at) ^ first, second ^ mixed);
    std::uint64_t rest = 0;
    for (; at < bytes.size(); ++at)
        rest = rest << 8U | bytes[at];
    return mix64(mixed ^ rest);
}

}  // namespace creto
