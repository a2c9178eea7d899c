// Completion: what may come next on a command line, read from the command tree itself.
//
// Why      A script that lists the commands is wrong with the next command. The shells' scripts here ask
//          the program (`creto complete WORDS…`), so they never change.
#pragma once

#include <string>
#include <vector>

#include "cli/program.hpp"

namespace creto {

/// Commands, options or an option's values that may stand in place of the last of `words` (which may
/// be empty or begun), after those before it. Empty where a file or free text is expected.
[[nodiscard]] std::vector<std::string> completions(
    const CLI::App& app, const std::vector<std::string>& words
);

/// The script for bash, zsh or fish.
[[nodiscard]] Result<std::string> completion_script(const std::string& shell);

/// What is wrong with the line, the word that may have been meant, and whose help to read.
[[nodiscard]] std::string usage_message(
    const CLI::App& app, const std::vector<std::string>& words, const std::string& wrong
);

}  // namespace creto
