// Shrink: the smallest schedule that still fails in the same way.
//
// Why      A storm of forty faults explains nothing; the two that matter do.
// Source   Delta debugging (Zeller and Hildebrandt 2002), then simplifications by name, as DEMi
//          (NSDI 2016) and Hypothesis do them.
// Holds    A candidate is kept only when the same checker fires. Every draw has a name, so that
//          what is removed moves nothing else.
#pragma once

#include <functional>
#include <string>

#include "sim/life/schedule.hpp"

namespace creto {

/// Runs a schedule and names the checker that failed; empty when it passed.
using LifeVerdict = std::function<std::string(const Schedule&)>;

struct Shrunk {
    Schedule schedule;
    std::uint32_t tried = 0;
    std::uint32_t kept = 0;
};

/// Requires: verdict(schedule) == checker. Asks the verdict at most `tries_max` times.
[[nodiscard]] Shrunk shrink(
    Schedule schedule,
    const std::string& checker,
    const LifeVerdict& verdict,
    std::uint32_t tries_max
);

}  // namespace creto
