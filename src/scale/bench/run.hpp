// run_scenario(): carries out one scenario of the scale bench and says what it showed.
//
// Holds    The result is in the one result format. A scenario that needs more nodes than a roster holds
//          is not run, and FAILED with that reason: never a smaller network in disguise. With another
//          node count by hand it is never PASSED. The same scenario, seed and length give the same
//          trace hash. A run that was stopped keeps what it measured, and is PARTIAL. On real processes
//          what could not be injected is named, and then the run is never PASSED.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "scale/bench/scenario_file.hpp"
#include "scale/bench/stage.hpp"
#include "scale/result.hpp"

namespace creto {

struct BenchProgress {
    std::string scenario;
    Duration at;  ///< Of the host's time, over all variants.
    Duration of;
    std::uint64_t final = 0;
    std::uint64_t height = 0;
    bool is_replaying = false;  ///< Stores on disk; virtual time stands still.
};

struct BenchOptions {
    std::uint64_t seed = 1;
    bool smoke = false;
    BenchHost host = BenchHost::simulator;
    std::optional<std::uint32_t> nodes;
    std::string scratch;  ///< Where stores are replayed; empty: in $TMPDIR, or /tmp.
    /// The command that gives this run again.
    std::string repro = "creto scale run";
    /// Asked once a second of the host's time, and now and then while stores are replayed; false stops
    /// the run.
    std::function<bool(const BenchProgress&)> tell;
};

/// What run_scenario() would run: another node count and another length than in the file. Errors: invalid,
/// when the node count does not fit, or the host cannot have it.
[[nodiscard]] Result<ScaleScenario> scenario_to_run(
    const ScaleScenario& scenario, const BenchOptions& options
);

/// Its result when there was no run at all: FAILED, and every criterion says `why`.
[[nodiscard]] ScenarioResult scenario_not_run(
    const ScaleScenario& scenario, const BenchOptions& options, const std::string& why
);

/// Errors: as above, and unavailable, when real nodes do not start.
[[nodiscard]] Result<ScenarioResult> run_scenario(
    const ScaleScenario& scenario, const BenchOptions& options
);

}  // namespace creto
