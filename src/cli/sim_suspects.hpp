// The command `creto sim suspects`: whom a network suspects, and how often it is right.
#pragma once

#include <cstdint>
#include <string>

#include "cli/output.hpp"

namespace creto {

/// As text, as the command line has them.
struct SimSuspectsOptions {
    std::uint32_t nodes = 7;
    std::string attack;               ///< See parse_attack(); none when empty.
    std::uint32_t liars = 0;          ///< 0: as many as are tolerated.
    std::string misfortune = "none";  ///< See parse_misfortune().
    bool crash_quorum = false;
    std::uint64_t seed = 1;
    std::uint64_t seeds = 1;
    std::string profile = "lan";
    std::string lasts = "3m";
    std::string every = "500ms";
    std::uint32_t epoch_blocks = 0;
};

/// Done when no promise was broken, no honest node was proven guilty and none was suspected.
int command_sim_suspects(const SimSuspectsOptions& options, const Output& output);

}  // namespace creto
