// run_micro(): short measurements of the project's own functions, in this process and in real time.
//
// Why      The catalogue's rows about one function's speed, beside what a network reaches.
// Holds    Each figure is the median of 15 batches. Comparisons against other programs (upstream's C,
//          db_bench) are not made here but in `make bench`, where both run in turn.
// Units    As in metrics.hpp. A build that is not optimised gives figures that mean nothing.
#pragma once

#include <string>

#include "base/result.hpp"
#include "scale/bench/metrics.hpp"

namespace creto {

/// `suite`: vertex, graph, hashing or storage. Errors: io, when there is no place for a store.
[[nodiscard]] Result<PerformanceMetrics> run_micro(const std::string& suite);

}  // namespace creto
