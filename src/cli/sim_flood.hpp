// The command `creto sim flood`: one agent floods a node with calls; what everybody else feels of it.
#pragma once

#include <cstdint>
#include <string>

#include "cli/output.hpp"

namespace creto {

/// As text, as the command line has them.
struct SimFloodOptions {
    std::uint32_t seats = 4;
    std::uint64_t requests = 100'000;
    std::uint64_t quota = 500;
    bool patient = false;
    std::uint64_t seed = 1;
    std::uint64_t seeds = 1;
    std::string profile = "local";
    std::string loss;   ///< "5%" or "0.05"; the profile's own when empty.
    std::string costs;  ///< A table's id; empty: the calibrated one.
    std::string lasts = "10s";
};

/// Done when over all seeds nobody else's p99 is above 1.10 times what it is without the flood.
int command_sim_flood(const SimFloodOptions& options, const Output& output);

}  // namespace creto
