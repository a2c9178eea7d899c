// ScaleJobs: scenarios side by side, each in a process of its own.
//
// Why      A scenario uses one processor; and one that needs more memory than there is must not take the
//          others with it.
// Holds    A process that does not come back is a result: FAILED, with how it ended.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/output.hpp"
#include "scale/bench/run.hpp"

namespace creto {

struct ScaleJob {
    std::size_t index = 0;  ///< Among all that were asked for.
    const ScaleScenario* scenario = nullptr;
    BenchOptions bench;  ///< `tell` is set by run_jobs().
};

/// What one of them came to.
struct ScaleJobEnd {
    JsonDoc doc;
    std::string lines;  ///< For people.
};

struct ScaleJobHooks {
    std::function<void(const ScaleJob&)> begin;
    std::function<void(const ScaleJob&, const BenchProgress&)> tell;
    /// False: no more are begun, and those that run are asked to end.
    std::function<bool(const ScaleJob&, ScaleJobEnd)> end;
    /// Asked now and then: true asks all to end, and what they measured is kept.
    std::function<bool()> is_stopped;
    /// In the process of a job: a result as lines.
    std::function<std::string(const ScenarioResult&, const JsonDoc&)> lines_of;
};

/// Errors: what run_scenario() refuses; then nothing more is begun.
[[nodiscard]] Result<void> run_jobs(
    const std::vector<ScaleJob>& jobs, std::size_t at_a_time, const ScaleJobHooks& hooks
);

}  // namespace creto
