// SeatSet: a set of seats as bits, small enough to ride on every probe.
//
// Why      Nodes tell each other whom they hear, several times a second.
// Holds    Bit i is the member with the index i in the roster. Its bytes have one canonical form: as
//          many as the highest bit needs.
// Cost     An eighth of limits::seats_max in bytes of memory; O(1) for a bit.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "base/assert.hpp"
#include "codec/reader.hpp"
#include "codec/writer.hpp"
#include "model/limits.hpp"

namespace creto {

class SeatSet {
public:
    static constexpr std::size_t bytes_max = (limits::seats_max + 7) / 8;

    /// False for what no set can hold.
    [[nodiscard]] bool contains(std::uint32_t index) const {
        return index < limits::seats_max && (bytes_[index / 8] >> (index % 8) & 1U) != 0;
    }
    /// Requires: index < limits::seats_max.
    void insert(std::uint32_t index) {
        CRETO_ASSERT(index < limits::seats_max);
        bytes_[index / 8] = static_cast<std::uint8_t>(bytes_[index / 8] | 1U << (index % 8));
    }
    /// Requires: index < limits::seats_max.
    void erase(std::uint32_t index) {
        CRETO_ASSERT(index < limits::seats_max);
        bytes_[index / 8] = static_cast<std::uint8_t>(bytes_[index / 8] & ~(1U << (index % 8)));
    }
    [[nodiscard]] std::uint32_t size() const {
        std::uint32_t count = 0;
        for (const std::uint8_t byte : bytes_)
            count += static_cast<std::uint32_t>(std::popcount(byte));
        return count;
    }

    /// Calls `each` with every index that is in both, ascending. Cost: eight indices a step, and those in both.
    template <typename Each>
    void each_common(const SeatSet& other, const Each& each) const {
        for (std::uint32_t i = 0; i < bytes_max; ++i) {
            for (unsigned both = bytes_[i] & other.bytes_[i]; both != 0; both &= both - 1)
                each(i * 8 + static_cast<std::uint32_t>(std::countr_zero(both)));
        }
    }

    friend bool operator==(const SeatSet&, const SeatSet&) = default;
    friend void encode(Writer& w, const SeatSet& v);
    friend void decode(Reader& r, SeatSet& v);

private:
    std::array<std::uint8_t, bytes_max> bytes_{};
};

/// Whom a node hears, and lets others know.
struct Hearing {
    std::uint64_t roster = 0;  ///< Prefix of the digest of the one whose places these are.
    SeatSet heard;             ///< Within the window in which a seat must be heard.
    SeatSet lately;  ///< Within half of it: they were there a moment ago, whatever others say.
    friend bool operator==(const Hearing&, const Hearing&) = default;
};

void encode(Writer& w, const SeatSet& v);
void decode(Reader& r, SeatSet& v);
void encode(Writer& w, const Hearing& v);
void decode(Reader& r, Hearing& v);

}  // namespace creto
