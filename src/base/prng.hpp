// Prng: a seeded generator, and draws that depend on nothing but their name.
//
// Why      The same seed must give the same run. A draw by name (seed, stream, a, b) does not move
//          when another draw is added or removed, so a failing run can be shrunk.
// Source   xoshiro256** and splitmix64 (Blackman and Vigna 2018).
// Holds    No global state, no clock, no entropy of its own. Not for keys.
#pragma once

#include <array>
#include <cstdint>

#include "base/assert.hpp"

namespace creto {

/// One step of splitmix64: a bijective mix of 64 bits.
[[nodiscard]] constexpr std::uint64_t mix64(std::uint64_t x) {
    x += 0x9E3779B97F4A7C15ULL;
    x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    x = (x ^ (x >> 27U)) * 0x94D049BB133111EBULL;
    return x ^ (x >> 31U);
}

/// A draw that is a pure function of its name.
[[nodiscard]] constexpr std::uint64_t draw(
    std::uint64_t seed, std::uint64_t stream, std::uint64_t a = 0, std::uint64_t b = 0
) {
    return mix64(mix64(mix64(mix64(seed) ^ stream) ^ a) ^ b);
}

/// The draws of one stream, with the part of the name that never changes mixed once: the same
/// values as draw(seed, stream, a, b), in half the time.
class NamedDraws {
public:
    constexpr NamedDraws(std::uint64_t seed, std::uint64_t stream)
        : prefix_{mix64(mix64(seed) ^ stream)} {}

    [[nodiscard]] constexpr std::uint64_t operator()(std::uint64_t a = 0, std::uint64_t b = 0)
        const {
        return mix64(mix64(prefix_ ^ a) ^ b);
    }

private:
    std::uint64_t prefix_;
};

/// `value` (64 random bits) scaled to [0, bound). Requires: bound > 0.
[[nodiscard]] constexpr std::uint64_t scale_to(std::uint64_t value, std::uint64_t bound) {
    CRETO_ASSERT(bound > 0);
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint64_t>((static_cast<Wide>(value) * bound) >> 64U);
}

class Prng {
public:
    explicit constexpr Prng(std::uint64_t seed) {
        for (auto& word : state_)
            word = seed = mix64(seed);
    }

    constexpr std::uint64_t next() {
        const std::uint64_t result = rotl(state_[1] * 5, 7) * 9;
        const std::uint64_t t = state_[1] << 17U;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= t;
        state_[3] = rotl(state_[3], 45);
        return result;
    }
    /// Uniform in [0, bound). Requires: bound > 0.
    constexpr std::uint64_t below(std::uint64_t bound) { return scale_to(next(), bound); }
    /// Uniform in [low, high]. Requires: low <= high.
    constexpr std::uint64_t between(std::uint64_t low, std::uint64_t high) {
        CRETO_ASSERT(low <= high);
        return high - low == ~0ULL ? next() : low + below(high - low + 1);
    }
    /// True in `parts` of `whole` cases.
    constexpr bool chance(std::uint64_t parts, std::uint64_t whole) { return below(whole) < parts; }

private:
    static constexpr std::uint64_t rotl(std::uint64_t x, unsigned k) {
        return (x << k) | (x >> (64U - k));
    }
    std::array<std::uint64_t, 4> state_{};
};

}  // namespace creto
