// `creto scale list | run | report`: the scale bench on the command line.
//
// Holds    With --json stdout holds one document; progress goes to stderr. The last line of a run of
//          several scenarios says how many passed and failed. Ctrl-C keeps what was measured, marked
//          PARTIAL.
// Errors   exit codes as everywhere: 0 PASSED, 1 FAILED, 2 usage, 3 PARTIAL.
#pragma once

#include <string>
#include <vector>

#include "cli/output.hpp"
#include "cli/program.hpp"

namespace creto {

struct ScaleOptions {
    std::vector<std::string> names;
    std::string category;
    bool all = false;
    bool smoke = false;
    bool real = false;  ///< On processes of this machine.
    bool resume = false;
    std::uint32_t nodes = 0;  ///< 0: each scenario's own.
    std::uint32_t up_to = 0;  ///< Leave out those with more nodes; 0: none.
    std::uint32_t jobs = 1;   ///< So many at a time.
    std::uint64_t seed = 1;
    std::string
        votes;  ///< How they are signed: list, joined or both; empty: as each scenario has it.
    std::string out;
    std::string html;
    std::string scenarios;  ///< A folder in place of the built-in files.
};

int command_scale_list(const ScaleOptions& options, const Output& output);
int command_scale_run(const ScaleOptions& options, const Output& output);
int command_scale_report(const std::string& dir, const std::string& html, const Output& output);

void add_scale(Program& p);

}  // namespace creto
