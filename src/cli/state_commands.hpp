// The commands that read and write keys under final/ and causal/.
#pragma once

#include <string>

#include "cli/output.hpp"
#include "scale/client.hpp"

namespace creto {

struct StateOptions {
    std::string key;
    std::string path;   ///< Fields of a map, joined by slashes; empty: the key itself.
    std::string value;  ///< What is set, added or appended; the element of a set.
    bool last = false;  ///< set: of concurrent values keep the last.
    std::uint64_t from = 0;
    std::uint64_t count = 1'000;
    std::string session;
    std::uint64_t timeout_ms = 30'000;
};

/// What is done to a key: the admin API's words.
struct StateVerb {
    const char* action = "set";
    const char* kind = "";  ///< Empty: the action's own.
};

int command_state_get(const Client& node, const StateOptions& options, const Output& output);
int command_state_write(
    const Client& node, const StateVerb& verb, const StateOptions& options, const Output& output
);

}  // namespace creto
