// The command `creto sim cuts`: a network under load that is cut and healed.
#pragma once

#include <cstdint>
#include <string>

#include "cli/output.hpp"

namespace creto {

/// As text, as the command line has them.
struct SimCutsOptions {
    std::uint32_t nodes = 4;
    std::string cut = "2+2";  ///< See parse_cut().
    bool crash_quorum = false;
    std::uint64_t seed = 1;
    std::uint64_t seeds = 1;
    std::string profile = "lan";
    std::string loss;  ///< "5%" or "0.05"; the profile's own when empty.
    std::string slow = "0";
    std::string lasts = "10s";
    std::string after = "30s";
    std::string every = "100ms";  ///< Each node writes so often.
    std::string notice;           ///< Until the transport gives a cut link up; 3s, flapping 300ms.
};

/// Done when in all runs both sides told, nothing was lost or doubled, and all was well in the end.
int command_sim_cuts(const SimCutsOptions& options, const Output& output);

}  // namespace creto
