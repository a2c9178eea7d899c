// The roster as an operator sees it: who votes, who will, under which parameters, and how that changes.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/output.hpp"
#include "cli/program.hpp"
#include "scale/client.hpp"

namespace creto {

int command_roster(const Client& node, const Output& output);

struct RosterChange {
    std::string action;     ///< "add", "remove", "replace" or "set".
    std::string seat;       ///< For remove and replace: its number or name. Empty: the node's own.
    std::string parameter;  ///< For set: its name,
    std::string value;      ///< and a whole number.
    std::filesystem::path grant;  ///< For add and replace: what the new machine made.
    /// Keys of operators of the genesis that sign it; others may have signed in the grant.
    std::vector<std::filesystem::path> operator_keys;
    bool by_operators = false;  ///< It is refused here unless enough operators have signed.
    std::uint64_t timeout_ms = 30'000;
};
/// Asks for the change in the node's name, and says how many of those needed have asked.
int command_roster_change(const Client& node, const RosterChange& change, const Output& output);

struct GrantOptions {
    std::filesystem::path file = "grant.json";
    std::filesystem::path dir = ".";  ///< The folder of the node that wants the seat.
    std::filesystem::path genesis;    ///< Empty: the one in the folder.
    std::string name;
    std::string seat;          ///< A number.
    std::string parameter;     ///< With set: its name,
    std::string value;         ///< a whole number,
    std::uint32_t number = 1;  ///< and which change of the parameter it is.
    std::string approve;       ///< "add", "remove", "replace" or "set": sign that as an operator.
    std::filesystem::path operator_key;
    bool request = false;
};
/// Makes, signs or shows a grant, without a node.
int command_roster_grant(const GrantOptions& options, const Output& output);

/// `creto roster` and its subcommands.
void add_roster(Program& p);

}  // namespace creto
