// The command `creto sim split`: lives with more liars than the quorum tolerates.
//
// Why      Then nothing is safe, but who did it must be provable, and nobody honest accused.
#pragma once

#include <string>

#include "cli/output.hpp"

namespace creto {

struct SimSplitOptions {
    std::string seeds = "1-100";
    std::uint64_t seed = 0;  ///< Not 0: this one only.
    bool log = false;        ///< The nodes' own lines too.
};
/// Done when every life kept what remains to be kept; failed otherwise.
int command_sim_split(const SimSplitOptions& options, const Output& output);

}  // namespace creto
