// CutTrial: a network under load that is cut and healed, judged by what its nodes say and keep.
//
// Why      How soon both sides notice, what becomes of writes meanwhile, and how soon all is well again.
// Holds    A plan gives the same report every time. Nothing announces a cut to a node. Each write has a
//          key of its own and adds one to it, so that what was lost or done twice shows.
// Units    Times of the report in microseconds.
#pragma once

#include <cstdint>
#include <string>

#include "crypto/digest.hpp"
#include "sim/cut/cut_plan.hpp"
#include "sim/run/histogram.hpp"

namespace creto {

struct CutReport {
    std::string violation;  ///< Of an invariant; empty when all held.
    Digest trace_hash;
    std::uint64_t events = 0;
    std::int64_t virtual_ms = 0;

    // Detection.
    Histogram told_us;  ///< From the cut (a moving one's last) to both sets, as they are, at each.
    std::uint64_t untold = 0;  ///< Nodes that never told the right sets.
    std::uint64_t false_told =
        0;  ///< Partitions told by who lost nobody, or while nothing was cut.

    // Writes.
    Histogram refused_us;  ///< From the first word of a node without a quorum to its refusal.
    std::uint64_t refused = 0;
    std::uint64_t not_refused = 0;    ///< Final writes that such a node took after its word.
    std::uint64_t refused_final = 0;  ///< Refused ones that took effect.
    Histogram pending_us;  ///< From that word to the answer "pending" of what it had taken.
    std::uint64_t pending = 0;
    std::uint64_t pending_unknown = 0;  ///< Of these, those that the node did not know by their id.
    std::uint64_t causal_refused = 0;   ///< Causal writes that were refused.

    // Healing.
    Histogram healed_us;  ///< From the heal to the word of each node that told a partition.
    std::uint64_t unhealed = 0;
    std::int64_t first_block_us = -1;  ///< From the heal to the first block that is final at all.
    std::int64_t views_until = -1;  ///< Its view above the highest before the heal; -1: no stall.
    std::int64_t settled_us = -1;   ///< Until all that was taken before the heal is final at all.
    std::int64_t full_rate_us =
        -1;                  ///< Until 95 % of each later second's writes become final in 2 s.
    std::uint64_t lost = 0;  ///< Writes that were taken and have no effect in the end.
    std::uint64_t doubled = 0;
    bool converged = false;  ///< One state, and one reading of all causal counters.
};

/// Requires: check(plan).
[[nodiscard]] CutReport run_cut_trial(const CutPlan& plan);
/// Empty when all that is asked of it holds; times are not judged here.
[[nodiscard]] std::string fault_of(const CutPlan& plan, const CutReport& report);

}  // namespace creto
