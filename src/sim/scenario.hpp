// SimScenario: the system scenarios in virtual time, from a seed.
//
// Why      What the demo shows once on real processes must hold under every interleaving: the same
//          Node runs here with latencies drawn by the seed, under the invariants.
// Holds    Timing criteria belong to real processes; here only outcomes are required. Every run also
//          fails when an invariant is violated.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "crypto/digest.hpp"
#include "sim/run/record.hpp"

namespace creto {

struct SimFinding {
    std::string what;
    bool holds = false;
};

struct SimOutcome {
    std::uint64_t seed = 0;
    std::vector<SimFinding> findings;
    std::string violation;  ///< Of an invariant; empty when all held.
    Digest trace_hash;
    std::uint64_t events = 0;
    std::uint64_t heights = 0;  ///< Finalised heights, over the run.
    std::int64_t virtual_ms = 0;
    RunRecord record;

    [[nodiscard]] bool passed() const;
    /// What failed, for people; with the seed.
    [[nodiscard]] std::string failure() const;
};

struct SimScenario {
    std::string id;
    std::string name;
    std::function<SimOutcome(std::uint64_t seed)> run;
};

/// S1.1, S1.2, S1.4, S1.5, S1.6, S2.1 to S3.4. S1.3 is about speed and has real processes only.
[[nodiscard]] const std::vector<SimScenario>& sim_scenarios();

}  // namespace creto
