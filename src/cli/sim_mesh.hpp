// The command `creto sim mesh`: how a mesh of many agents finds each other and notices who died.
#pragma once

#include <cstdint>
#include <string>

#include "cli/output.hpp"

namespace creto {

/// As text, as the command line has them.
struct SimMeshOptions {
    std::uint32_t nodes = 100;
    std::uint64_t seed = 1;
    std::uint64_t seeds = 1;
    std::string duration = "5m";
    std::string profile = "wan";
    std::string loss;               ///< "5%" or "0.05"; the profile's own when empty.
    std::string link = "datagram";  ///< datagram or stream.
    std::string slow = "0";
    std::string liars = "0";
    std::uint32_t crashes = 0;
    bool joins = false;
    bool spread = false;
    std::string overlay = "drawn";  ///< drawn or random.
    std::uint32_t regions = 0;      ///< 0: the profile's.
    std::uint32_t items = 40;
    std::string eclipse = "0";
};

/// Done when nobody alive was declared dead and all that died was noticed; with joins, when all found
/// all; with spread or eclipse, when everybody got everything, victims within twice the time.
int command_sim_mesh(const SimMeshOptions& options, const Output& output);

}  // namespace creto
