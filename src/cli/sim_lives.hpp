// `creto sim fuzz`, `replay` and `shrink`: lives of the network under drawn faults, by the thousand.
//
// Why      One seed shows one interleaving. What a million of them do not break is not proven, but
//          what is broken is found, and can be had again.
#pragma once

#include <cstdint>
#include <string>

#include "cli/output.hpp"

namespace creto {

/// From the first to the last, both included.
struct Seeds {
    std::uint64_t first = 1;
    std::uint64_t last = ~std::uint64_t{0} - 1;
};
/// "A-B", "A", or nothing: 1 and on.
[[nodiscard]] Result<Seeds> parse_seeds(const std::string& text);

struct SimFuzzOptions {
    bool is_long = false;    ///< Long lives: sim/life/long_swarm.hpp.
    double minutes = 1;      ///< Ends at the first of time and seeds.
    std::string seeds;       ///< "A-B", "A" or empty: 1 and on.
    std::uint32_t jobs = 2;  ///< Processes, one a core.
    std::string plant;       ///< A bug that must be found.
    std::string keep;        ///< A folder for the schedules of failing seeds; empty: none.
    std::uint32_t recheck_percent = 5;
};
/// Done when no life failed; failed otherwise, and when there was none.
int command_sim_fuzz(const SimFuzzOptions& options, const Output& output);

struct SimReplayOptions {
    std::string file;  ///< A schedule; or a seed.
    std::uint64_t seed = 0;
    bool is_long = false;  ///< The seed's long life.
    std::string plant;
    bool log = false;  ///< The nodes' own lines too.
    std::string html;  ///< A file for the life as a page; empty: none.
    std::uint32_t tries = 400;
    std::string out;  ///< Where a shrunk schedule goes; empty: standard output.
};
int command_sim_replay(const SimReplayOptions& options, const Output& output);
int command_sim_shrink(const SimReplayOptions& options, const Output& output);

}  // namespace creto
