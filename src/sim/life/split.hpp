// Split: lives with more liars than the quorum tolerates, and what must hold even then.
//
// Why      Beyond the tolerated number nothing is safe; but who did it must be provable, nobody
//          honest may be accused, and honest nodes that see it must stop and say so, not go on as
//          if nothing had happened.
// Holds    forensics  Once two certificates of a view contradict each other, more seats than the
//                     quorum tolerates are proven to have lied, from certificates that honest nodes
//                     sent or were sent and the genesis (A4).
//          silence    Then some honest node has stopped voting and says why; how many is counted.
//          evidence, proof, single-vote, durable-vote, monotonic, certificate: as in any life.
//          A life in which no two certificates clashed is "empty".
// Cost     As a life.
#pragma once

#include "sim/life/life.hpp"

namespace creto {

struct SplitReport {
    LifeReport life;
    bool differed = false;        ///< Honest nodes finalised different blocks.
    std::uint64_t tolerated = 0;  ///< Liars that the quorum bears.
    std::uint64_t liars = 0;
    std::uint64_t provable = 0;  ///< By who looks at the certificates.
    std::uint64_t accused = 0;   ///< By the nodes themselves.
    std::uint64_t stopped = 0;   ///< Honest nodes that stopped voting.
    std::uint64_t honest = 0;
};

/// 4 to 10 nodes, of which more than are tolerated, and at most twice as many, collude; the honest
/// ones of both halves cannot hear each other for a while.
[[nodiscard]] Schedule make_split_schedule(std::uint64_t seed);

/// Requires: check(schedule).
[[nodiscard]] SplitReport live_split(const Schedule& schedule, const LifeOptions& options = {});

}  // namespace creto
