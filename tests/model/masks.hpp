// Sets of seats as bits, seat i as bit i.
#pragma once

#include <bit>
#include <cstdint>
#include <string>

namespace creto::model_check {

inline std::uint32_t bits(std::uint32_t mask) {
    return static_cast<std::uint32_t>(std::popcount(mask));
}

inline std::string names(std::uint32_t mask) {
    std::string out;
    for (std::uint32_t i = 0; i < 32; ++i) {
        if ((mask >> i & 1U) != 0) out += (out.empty() ? "" : ",") + std::to_string(i);
    }
    return out.empty() ? "nobody" : out;
}

}  // namespace creto::model_check
