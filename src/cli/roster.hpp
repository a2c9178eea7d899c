// The roster as an operator sees it: who votes, who will, and how that changes.
#pragma once

#include <string>

#include "cli/output.hpp"
#include "cli/program.hpp"
#include "scale/client.hpp"

namespace creto {

int command_roster(const Client& node, const Output& output);

struct RosterChange {
    std::string action;  ///< "add", "remove" or "replace".
    std::string seat;    ///< For remove and replace: its number or name. Empty: the node's own.
    std::string agent;   ///< For add and replace.
    std::string name;    ///< For add.
    std::uint64_t timeout_ms = 30'000;
};
/// Asks for the change in the node's name, and says how many of those needed have asked.
int command_roster_change(const Client& node, const RosterChange& change, const Output& output);

/// `creto roster` and its subcommands.
void add_roster(Program& p);

}  // namespace creto
