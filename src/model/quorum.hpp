// Quorum: how many seats must agree, for n seats in one of two failure models.
//
// Why      n - f with f = floor((n-1)/3) is wrong to write as 2f+1: for n = 6 two disjoint threes
//          would both commit. The numbers are computed here and nowhere else.
// Holds    byzantine: q = floor(2n/3)+1, t = n-q; any two quorums share t+1 seats, so an honest
//          one.
//          crash: q = floor(n/2)+1; any two quorums share a seat; t = 0, one statement suffices.
#pragma once

#include <cstdint>

#include "base/assert.hpp"

namespace creto {

enum class QuorumMode : std::uint8_t { byzantine, crash };

struct Quorum {
    std::uint32_t n = 0;  ///< Seats that vote.
    std::uint32_t q = 0;  ///< Seats whose agreement decides.
    std::uint32_t t = 0;  ///< Seats that may lie; t+1 statements contain an honest one.

    /// Requires: n > 0; byzantine mode tolerates a liar from n = 4 on.
    [[nodiscard]] static constexpr Quorum of(QuorumMode mode, std::uint32_t n) {
        CRETO_ASSERT(n > 0);
        if (mode == QuorumMode::crash) return {n, n / 2 + 1, 0};
        const std::uint32_t q = 2 * n / 3 + 1;
        return {n, q, n - q};
    }

    friend bool operator==(const Quorum&, const Quorum&) = default;
};

static_assert(Quorum::of(QuorumMode::byzantine, 4) == Quorum{4, 3, 1});
static_assert(Quorum::of(QuorumMode::byzantine, 5) == Quorum{5, 4, 1});
static_assert(Quorum::of(QuorumMode::byzantine, 6) == Quorum{6, 5, 1});
static_assert(Quorum::of(QuorumMode::byzantine, 7) == Quorum{7, 5, 2});
static_assert(Quorum::of(QuorumMode::crash, 3) == Quorum{3, 2, 0});
static_assert(Quorum::of(QuorumMode::crash, 5) == Quorum{5, 3, 0});
static_assert(Quorum::of(QuorumMode::crash, 7) == Quorum{7, 4, 0});

}  // namespace creto
