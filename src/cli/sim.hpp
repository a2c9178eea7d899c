// `creto sim run`: a network of one's choice under a load, or the system scenarios, over many seeds.
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
    std::string html;         ///< A file for the report; empty: none.

    // A network of one's choice, when one of these is given. As text, as the command line has them.
    std::uint32_t nodes = 0;
    std::string profile;
    std::string byzantine;  ///< "0.30" or "30%"
    std::string attack;
    std::string workload;
    std::string duration;
    std::string decisions;  ///< Blocks a second at most.
    std::uint32_t payload = 0;
    std::string bandwidth;  ///< Mbit/s of each node.
    std::string schedule;   ///< A file with faults, liars and knobs.
    bool crash_quorum = false;

    [[nodiscard]] bool is_free_form() const {
        return nodes != 0 || payload != 0 || crash_quorum ||
               !(profile + byzantine + attack + workload + duration + decisions + bandwidth +
                 schedule)
                    .empty();
    }
};
int command_sim_run(const SimRunOptions& options, const Output& output);

}  // namespace creto
