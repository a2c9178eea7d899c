// Contract: what a tool promises, and the digest that names the promise.
//
// Why      Two agents offer the same tool when the digests of their contracts agree; only then can
//          their answers be compared, and one of them be found to lie.
// Format   The definition is canonical JSON with every field present (`implementation` only when it
//          is pinned). Its hash and the flags make the ContractSummary that model/ knows. What a
//          tool is for and what it costs are not part of it.
// Holds    One contract, one definition: parse() refuses any other spelling of it.
// Limits   limits::contract_bytes_max for the definition, limits::name_bytes_max for the name.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/call.hpp"
#include "tools/match.hpp"

namespace creto {

struct Contract {
    std::string name;            ///< Letters, digits and . _ - /
    std::string version;         ///< Letters, digits and . + -
    Json input;                  ///< JSON Schema of the arguments.
    Json output;                 ///< JSON Schema of the result.
    bool deterministic = false;  ///< Equal arguments, equal results.
    bool idempotent = false;     ///< Calling twice is as good as once.
    bool open = false;           ///< A dispute may reveal arguments and results.
    MatchRule match;
    std::optional<Digest> implementation;  ///< Of the code that answers, where it is pinned.

    /// Reads what definition() wrote, and nothing else.
    [[nodiscard]] static Result<Contract> parse(std::string_view definition);

    [[nodiscard]] std::string definition() const;
    [[nodiscard]] ContractSummary summary() const;
    [[nodiscard]] ContractId id() const { return summary().id(); }

    friend bool operator==(const Contract&, const Contract&) = default;
};

/// Whether names and sizes are within their limits and the match rule makes sense. Schemas are
/// checked when they are compiled.
[[nodiscard]] Result<void> well_formed(const Contract& contract);

}  // namespace creto
