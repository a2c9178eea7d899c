// What of a scenario real processes on one machine cannot be, and which of its faults they cannot have.
//
// Holds    A pure function of the scenario: it is said before the run, and a criterion that refers to
//          what is left out is not evaluated.
#pragma once

#include <string>
#include <vector>

#include "scale/bench/scenario_file.hpp"

namespace creto {

inline constexpr std::uint32_t real_nodes_max = 50;

/// Why it cannot run on real processes at all, and what to do; empty when it can.
[[nodiscard]] std::string why_not_real(const ScaleScenario& scenario);

struct NotInjected {
    std::string step;  ///< Its name, or its kind where it has none; "byzantine" of liars.
    std::string kind;
    std::string why;
};

/// What is left out with real processes.
[[nodiscard]] std::vector<NotInjected> not_injected(const ScaleScenario& scenario);
/// Whether real processes can have a step of this kind; else why not.
[[nodiscard]] std::string why_not_injected(StepKind kind);

/// The links need the shim: the profile, a width or a step asks for more than loopback gives.
[[nodiscard]] bool needs_links(const ScaleScenario& scenario, const ScenarioNetwork& network);

}  // namespace creto
