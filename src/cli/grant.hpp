// Grant: the file in which a machine asks for a seat, and to which operators put their signatures.
//
// Why      Nobody types a key: who wants a seat signs for it with its own key, on its own machine, and
//          hands the file on. Seats' operators ask for it through their nodes (`creto roster add`);
//          operators of the genesis sign in the file, wherever their keys are.
// Layout   {"network", "chain", "agent", "name", "possession", "change": {"action", "seat"},
//          "approvals": ["0:SIGNATURE", …]}; "change" and "approvals" once an operator has signed. For a
//          parameter "change" is {"action", "parameter", "value", "number"}, and nobody asks for a seat.
// Errors   invalid, with the file, what is wrong and what to do.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "model/genesis.hpp"
#include "model/operation.hpp"
#include "scale/config.hpp"

namespace creto {

struct Grant {
    std::string network;
    ChainId chain;
    /// Without approvals its action is `add` where it has a name, else `replace`, of no seat yet.
    RosterOperation change;
};

/// Requires: "add", "remove", "replace" or "set".
[[nodiscard]] RosterOperation::Action action_named(const std::string& name);
/// What somebody means who names a parameter and its value; which change of it that is he has still to
/// say. Errors: there is no such parameter, or it cannot have this value.
[[nodiscard]] Result<ParameterChange> read_parameter(
    const std::string& name, const std::string& value
);

/// Signed by the key that wants a seat. An empty name: it can only take the place of another seat.
[[nodiscard]] Grant request_grant(
    const KeySeed& key, const std::string& name, const Genesis& genesis
);
/// Also checks that its key has signed it. Where there are approvals, `operators` must have made them.
[[nodiscard]] Result<Grant> read_grant(
    const std::filesystem::path& file, const std::vector<AgentId>& operators
);
[[nodiscard]] Result<void> write_grant(const std::filesystem::path& file, const Grant& grant);

/// Puts an operator's signature to a change. Errors: its key is none of the operators'.
[[nodiscard]] Result<void> approve(
    RosterOperation& change,
    const std::filesystem::path& key_file,
    const ChainId& chain,
    const std::vector<AgentId>& operators
);

}  // namespace creto
