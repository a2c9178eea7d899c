// `creto sim run`: the system scenarios in the simulator, over many seeds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/output.hpp"

namespace creto {

struct SimRunOptions {
    std::vector<std::string> scenarios;  ///< Ids or names; all when empty.
    std::uint64_t seed = 1;
    std::uint64_t seeds = 1;  ///< How many, from `seed` on.
};
int command_sim_run(const SimRunOptions& options, const Output& output);

}  // namespace creto
