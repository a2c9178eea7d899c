// `creto doctor`: what is wrong with this machine, folder, configuration and running node, and what to do.
//
// Why      Whoever is stuck should not need to know which of ten things to look at.
// Looks at version, file limit, clock; settings and CRETO_ variables, key, genesis, free space, the time
//          of a sync, ports; and when the node runs: halted, quorum, partition, peers that cannot be
//          reached, lag.
// Holds    Changes nothing but a small file in the data folder, written, synced and removed.
#pragma once

#include <filesystem>
#include <string>

#include "cli/output.hpp"

namespace creto {

/// done: nothing is wrong, or only worth a look; failed: something is.
int command_doctor(const std::filesystem::path& dir, const Output& output);

}  // namespace creto
