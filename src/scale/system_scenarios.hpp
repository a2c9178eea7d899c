// The system scenarios S1.1 to S3.4 on real processes.
//
// Why      The main job, shown: agents find each other, call each other's tools, decide against liars,
//          survive floods, partitions and failures.
// Holds    Every figure is measured here; who lies is known to the drill settings alone, and detection is
//          read from the honest nodes' own state.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "scale/result.hpp"

namespace creto {

struct ScenarioContext {
    std::filesystem::path program;  ///< The creto binary.
    std::filesystem::path dir;      ///< For the clusters' folders.
    std::function<void(const std::string&)> say = [](const std::string& /*line*/) {};
};

struct SystemScenario {
    std::string id;
    std::string name;
    std::string about;
    std::function<void(const ScenarioContext&, ScenarioResult&)> run;
};

[[nodiscard]] const std::vector<SystemScenario>& system_scenarios();

/// Runs one and catches what stops it: a failed criterion, never an exception.
[[nodiscard]] ScenarioResult run_scenario(
    const SystemScenario& scenario, const ScenarioContext& context
);

}  // namespace creto
