// Quorum: how many seats must agree, of those that vote, in one of two failure models.
//
// Why      n - f with f = floor((n-1)/3) is wrong to write as 2f+1: for n = 6 two disjoint threes
//          would both commit. And a seat that is set aside (dormant) does not vote, but may be one of
//          the liars that there are among all. The numbers are computed here and nowhere else.
// Source   Two quorums of a voting seats share 2q - a of them, of which t may lie; so q > (a+t)/2.
//          docs/decisions/0030-dormant-seats.md.
// Holds    [SEAT-DORMANT.3] a seats vote, d are dormant.
//          byzantine: t = floor((a+d-1)/3), q = max(floor(2a/3), floor((a+t)/2)) + 1; any two quorums
//          share t+1 seats, so an honest one. With d = 0 that is q = floor(2a/3)+1 and t = a-q. The
//          more are dormant of the same seats, the smaller is q, and never larger than a while a > t.
//          crash: q = floor(a/2)+1; any two quorums share a seat; t = 0, one statement suffices.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/assert.hpp"

namespace creto {

enum class QuorumMode : std::uint8_t { byzantine, crash };

struct Quorum {
    std::uint32_t n = 0;  ///< Seats that vote.
    std::uint32_t q = 0;  ///< Seats whose agreement decides.
    std::uint32_t t = 0;  ///< Seats that may lie; t+1 statements contain an honest one.

    /// Requires: voting > 0; byzantine mode tolerates a liar from 4 seats on.
    [[nodiscard]] static constexpr Quorum of(
        QuorumMode mode, std::uint32_t voting, std::uint32_t dormant
    ) {
        CRETO_ASSERT(voting > 0);
        if (mode == QuorumMode::crash) return {voting, voting / 2 + 1, 0};
        const std::uint32_t t = (voting + dormant - 1) / 3;
        return {voting, std::max(2 * voting / 3, (voting + t) / 2) + 1, t};
    }
    /// Of a roster in which no seat is dormant.
    [[nodiscard]] static constexpr Quorum of(QuorumMode mode, std::uint32_t n) {
        return of(mode, n, 0);
    }
    /// As many vote as must agree: otherwise too few are left for what may lie among all.
    [[nodiscard]] static constexpr bool possible(
        QuorumMode mode, std::uint32_t voting, std::uint32_t dormant
    ) {
        return voting > 0 && of(mode, voting, dormant).q <= voting;
    }

    friend bool operator==(const Quorum&, const Quorum&) = default;
};

static_assert(Quorum::of(QuorumMode::byzantine, 4) == Quorum{4, 3, 1});
static_assert(Quorum::of(QuorumMode::byzantine, 5) == Quorum{5, 4, 1});
static_assert(Quorum::of(QuorumMode::byzantine, 6) == Quorum{6, 5, 1});
static_assert(Quorum::of(QuorumMode::byzantine, 7) == Quorum{7, 5, 2});
static_assert(Quorum::of(QuorumMode::byzantine, 4, 1) == Quorum{4, 3, 1});
static_assert(Quorum::of(QuorumMode::byzantine, 6, 1) == Quorum{6, 5, 2});
static_assert(Quorum::of(QuorumMode::byzantine, 5, 2) == Quorum{5, 4, 2});
static_assert(Quorum::of(QuorumMode::byzantine, 4, 3) == Quorum{4, 4, 2});
static_assert(Quorum::possible(QuorumMode::byzantine, 4, 8));
static_assert(!Quorum::possible(QuorumMode::byzantine, 4, 9));
static_assert(Quorum::of(QuorumMode::crash, 3) == Quorum{3, 2, 0});
static_assert(Quorum::of(QuorumMode::crash, 5) == Quorum{5, 3, 0});
static_assert(Quorum::of(QuorumMode::crash, 7) == Quorum{7, 4, 0});
static_assert(Quorum::of(QuorumMode::crash, 5, 2) == Quorum{5, 3, 0});

}  // namespace creto
