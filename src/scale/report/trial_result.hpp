// A trial, a life or a system scenario of the simulator as a result in the one format.
//
// Holds    PASSED only when every invariant held and the run made progress. A run with more liars
//          than the quorum tolerates promises no progress: that criterion is then not evaluated, with
//          the reason.
//          Every figure that rests on a model says so in `details.models`; a rate names its
//          bottleneck in `details.bottleneck`.
#pragma once

#include <string>
#include <vector>

#include "scale/result.hpp"
#include "sim/life/life.hpp"
#include "sim/run/trial.hpp"
#include "sim/scenario.hpp"

namespace creto {

/// `repro` is the command that gives this run again.
[[nodiscard]] ScenarioResult trial_result(
    const TrialPlan& plan, const TrialReport& report, const std::string& repro
);
/// What a run of real processes found beyond its trial's report.
struct ProcessFindings {
    std::uint32_t converged = 0;  ///< Nodes with one final state at the end.
    std::vector<std::uint32_t> pids;
    // Of all processors together, while the load was measured.
    std::uint32_t processors = 0;
    double nodes_percent = 0;
    double bench_percent = 0;
    double others_percent = 0;
};

/// The same of real processes: nothing in it rests on a model, and there is no trace to repeat.
[[nodiscard]] ScenarioResult process_result(
    const TrialPlan& plan,
    const TrialReport& report,
    const ProcessFindings& found,
    const std::string& repro
);
[[nodiscard]] ScenarioResult life_result(
    const Schedule& schedule, const LifeReport& report, const std::string& repro
);
[[nodiscard]] ScenarioResult system_result(
    const SimScenario& scenario, const SimOutcome& outcome, const std::string& repro
);

/// What was in the way of more: the busiest resource, or the links, or the load itself.
[[nodiscard]] std::string bottleneck(const TrialPlan& plan, const TrialReport& report);

}  // namespace creto
