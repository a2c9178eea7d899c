// FuzzInput: the bytes of a fuzz target as small decisions.
//
// Why      A target that builds something and then changes it needs numbers and pieces, and must go
//          on when they are used up.
// Holds    Below a bound of 256 or less a number takes one byte, else two; behind the end all are 0.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "base/bytes.hpp"

namespace creto::testing {

/// A broken promise of the code under test, also where assertions are off.
inline void require(bool holds) {
    if (!holds) std::abort();
}

class FuzzInput {
public:
    explicit FuzzInput(ByteView bytes) : bytes_{bytes} {}

    [[nodiscard]] bool empty() const { return bytes_.empty(); }
    std::uint8_t byte() {
        if (bytes_.empty()) return 0;
        const std::uint8_t value = bytes_.front();
        bytes_ = bytes_.subspan(1);
        return value;
    }
    std::uint32_t below(std::size_t bound) {
        if (bound == 0) return 0;
        std::uint32_t value = byte();
        if (bound > 256) value = value << 8U | byte();
        return static_cast<std::uint32_t>(value % bound);
    }
    /// So many, or what is left.
    Bytes take(std::size_t count) {
        const ByteView part = bytes_.first(std::min(count, bytes_.size()));
        bytes_ = bytes_.subspan(part.size());
        return {part.begin(), part.end()};
    }

private:
    ByteView bytes_;
};

/// Cuts it short, overwrites a piece, or flips a bit.
inline void damage(Bytes& bytes, FuzzInput& input) {
    if (bytes.empty()) return;
    switch (input.below(3)) {
        case 0:
            bytes.resize(input.below(bytes.size()));
            break;
        case 1: {
            const Bytes put = input.take(input.below(16));
            const std::size_t at = input.below(bytes.size());
            std::copy_n(
                put.begin(),
                std::min(put.size(), bytes.size() - at),
                bytes.begin() + static_cast<std::ptrdiff_t>(at)
            );
            break;
        }
        default:
            bytes[input.below(bytes.size())] ^= static_cast<std::uint8_t>(1U << input.below(8));
    }
}

}  // namespace creto::testing
