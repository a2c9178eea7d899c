// Registry: the tools that this agent offers, and how one of them is called.
//
// Why      A local call must cost about a microsecond, so it runs on the caller's thread, from an
//          immutable snapshot and without locks. Whoever runs several threads hands the snapshot
//          over; the registry itself belongs to one of them.
// Holds    A name stands for one tool. A snapshot never changes. Arguments reach a tool only when
// its
//          input schema allows them, results leave only when its output schema does.
// Errors   CallError tells apart what callers act on: unknown tool, bad arguments (with the JSON
//          Pointer), an error of the tool. A tool that throws, or breaks its own output schema, has
//          failed; it cannot harm the process by it.
// Cost     Under 1 us for add({"a":1,"b":2}).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/agent_record.hpp"
#include "model/limits.hpp"
#include "model/message.hpp"
#include "tools/contract.hpp"
#include "tools/piece_queue.hpp"
#include "tools/schema.hpp"

namespace creto {

/// What the host tells a tool about a call.
struct ToolContext {
    std::int64_t unix_ms = 0;  ///< The time now, for tools that are not deterministic.
    std::size_t result_bytes_max = limits::result_bytes_max;
    PieceSink* pieces = nullptr;  ///< Where it may show what it has so far; null: nobody looks.

    /// Shows a piece. False: nobody waits for the tool any more, and it had better end.
    [[nodiscard]] bool show(Piece piece) const {
        return pieces == nullptr || pieces->show(std::move(piece));
    }
};

/// Requires nothing of the arguments but what the input schema promises. Called by any thread.
using ToolFunction = std::function<Result<Json>(const Json& arguments, const ToolContext& context)>;

struct CallError {
    CallAnswer::Status status = CallAnswer::Status::internal;  ///< Never `result`.
    std::string message;
    friend bool operator==(const CallError&, const CallError&) = default;
};

/// A contract, what it is for, and the function behind it.
class Tool {
public:
    /// Fails when the contract is not well formed or a schema does not compile. The function may be
    /// missing when somebody else runs the tool, between arguments() and result().
    [[nodiscard]] static Result<Tool> make(
        Contract contract, std::string description, ToolFunction function
    );

    [[nodiscard]] const Contract& contract() const { return contract_; }
    [[nodiscard]] const std::string& name() const { return contract_.name; }
    [[nodiscard]] const ContractId& id() const { return id_; }
    /// As agent records carry it.
    [[nodiscard]] const ToolOffer& offer() const { return offer_; }

    /// The whole call: arguments as JSON text in, the result as canonical JSON out.
    [[nodiscard]] Result<std::string, CallError> call(
        std::string_view arguments, const ToolContext& context
    ) const;

    /// The arguments, when the input schema allows them.
    [[nodiscard]] Result<Json, CallError> arguments(std::string_view text) const;
    /// The result as canonical JSON, when the output schema and the size allow it.
    [[nodiscard]] Result<std::string, CallError> result(
        const Result<Json>& outcome, const ToolContext& context
    ) const;

private:
    Tool(Contract contract, Schema input, Schema output, ToolFunction function)
        : contract_{std::move(contract)},
          input_{std::move(input)},
          output_{std::move(output)},
          function_{std::move(function)} {}

    Contract contract_;
    Schema input_;
    Schema output_;
    ToolFunction function_;
    ContractId id_;
    ToolOffer offer_;
};

class RegistrySnapshot {
public:
    /// Null when there is none.
    [[nodiscard]] const Tool* find(std::string_view name) const;
    [[nodiscard]] const Tool* find(const ContractId& contract) const;
    /// By name, ascending.
    [[nodiscard]] const std::vector<std::shared_ptr<const Tool>>& tools() const { return tools_; }
    [[nodiscard]] std::vector<ToolOffer> offers() const;

private:
    friend class Registry;
    std::vector<std::shared_ptr<const Tool>> tools_;
};

/// Calls a tool of the snapshot. With `contract`, only when the tool has that very contract.
[[nodiscard]] Result<std::string, CallError> call_local(
    const RegistrySnapshot& snapshot,
    std::string_view name,
    std::string_view arguments,
    const ToolContext& context,
    const ContractId& contract = {}
);

class Registry {
public:
    Registry() : snapshot_{std::make_shared<const RegistrySnapshot>()} {}

    /// conflict: the name is taken; limit: limits::contracts_per_agent_max tools are there.
    Result<void> add(Tool tool);
    /// Adds, or takes the place of the tool with this name.
    Result<void> replace(Tool tool);
    /// False when there was none.
    bool remove(std::string_view name);

    [[nodiscard]] std::shared_ptr<const RegistrySnapshot> snapshot() const { return snapshot_; }

private:
    std::shared_ptr<const RegistrySnapshot> snapshot_;
};

}  // namespace creto
