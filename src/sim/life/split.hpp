// Split: lives with more liars than the quorum tolerates, and what must hold even then.
//
// Why      Beyond the tolerated number nothing is safe; but who did it must be provable, nobody
//          honest may be accused.
// Holds    forensics  Once two certificates of a view contradict each other, more seats than the
//                     quorum tolerates are proven to have lied, with the genesis alone: from
//                     certificates that honest nodes sent or were sent, or from the proofs that
//                     they hand on (A4).
//          evidence, proof, single-vote, durable-vote, monotonic, certificate: as in any life.
//          A life in which no two certificates clashed is "empty".
// Limits   How many honest nodes stop voting after a split is counted and not demanded: a certificate
//          at or below a node's own final view is not looked at, so not all of them notice.
// Cost     As a life.
#pragma once

#include "sim/life/life.hpp"

namespace creto {

struct SplitReport {
    LifeReport life;
    bool differed = false;        ///< Honest nodes finalised different blocks.
    std::uint64_t tolerated = 0;  ///< Liars that the quorum bears.
    std::uint64_t liars = 0;
    std::uint64_t provable = 0;  ///< By who looks at certificates and at proofs.
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
