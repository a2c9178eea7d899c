// judge(): a scenario's criteria held against what its runs measured.
//
// Holds    A criterion is passed by a measurement only. It is null, with the reason, where a shortened
//          run says nothing, where nothing was measured, and where the run is not the scenario's own.
//          Wishes and what cannot apply are listed apart, and decide nothing.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "scale/bench/metrics.hpp"
#include "scale/bench/scenario_file.hpp"
#include "scale/result.hpp"

namespace creto {

/// One run of a scenario: the only one, or that of a variant.
struct JudgedRun {
    std::string variant;
    std::uint32_t nodes = 0;
    std::uint32_t nodes_required = 0;
    PerformanceMetrics whole;
    /// The figures of a part; empty metrics when it was not reached.
    std::function<PerformanceMetrics(const ScenarioCriterion&)> part;
    /// Metrics that this host cannot give, with the reason.
    std::map<std::string, std::string> missing;
    /// Steps that were left out, with the reason.
    std::map<std::string, std::string> left_out;
    /// Why nothing that the scenario asks can be judged; empty when it can.
    std::string void_because;
};

struct CriteriaResult {
    std::vector<Criterion> criteria;
    std::vector<Criterion> wishes;
};

enum class RunLength : std::uint8_t { full, shortened };

[[nodiscard]] CriteriaResult judge(
    const ScaleScenario& scenario, const std::vector<JudgedRun>& runs, RunLength length
);

}  // namespace creto
