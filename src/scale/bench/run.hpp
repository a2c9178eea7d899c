// run_scenario(): carries out one scenario of the scale bench and says what it showed.
//
// Holds    The result is in the one result format. A scenario that needs more nodes than a roster holds
//          is not run, and FAILED with that reason: never a smaller network in disguise. With another
//          node count by hand it is never PASSED. The same scenario, seed and length give the same
//          trace hash. A run that was stopped keeps what it measured, and is PARTIAL.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "scale/bench/scenario_file.hpp"
#include "scale/result.hpp"

namespace creto {

struct BenchProgress {
    std::string scenario;
    Duration at;  ///< Of virtual time, over all variants.
    Duration of;
    std::uint64_t final = 0;
    std::uint64_t height = 0;
    bool is_replaying = false;  ///< Stores on disk; virtual time stands still.
};

struct BenchOptions {
    std::uint64_t seed = 1;
    bool smoke = false;
    std::optional<std::uint32_t> nodes;
    std::string scratch;  ///< Where stores are replayed; empty: in $TMPDIR, or /tmp.
    /// The command that gives this run again.
    std::string repro = "creto scale run";
    /// Asked once a virtual second, and now and then while stores are replayed; false stops the run.
    std::function<bool(const BenchProgress&)> tell;
};

/// Errors: invalid, when the node count does not fit.
[[nodiscard]] Result<ScenarioResult> run_scenario(
    const ScaleScenario& scenario, const BenchOptions& options
);

}  // namespace creto
