#include "tools/registry.hpp"

#include <algorithm>
#include <exception>

#include "tools/json_parse.hpp"
#include "tools/utf8.hpp"

namespace creto {

namespace {

using Status = CallAnswer::Status;

constexpr std::size_t message_bytes_max = 4'096;

tl::unexpected<CallError> refuse(Status status, std::string message) {
    return tl::unexpected<CallError>(CallError{.status = status, .message = std::move(message)});
}

/// What a tool says of itself goes to strangers: bounded, and text.
std::string presentable(std::string_view message) {
    if (!utf8::valid(message)) return "the tool failed without a readable message";
    return utf8::clipped(message, message_bytes_max);
}

Result<Json> run(const ToolFunction& function, const Json& arguments, const ToolContext& context) {
    try {
        return function(arguments, context);
    } catch (const std::exception& error) {
        return fail(ErrorCode::unavailable, error.what());
    } catch (...) {
        return fail(ErrorCode::unavailable, "the tool failed");
    }
}

using ToolList = std::vector<std::shared_ptr<const Tool>>;

ToolList::const_iterator place_of(const ToolList& tools, std::string_view name) {
    return std::lower_bound(
        tools.begin(),
        tools.end(),
        name,
        [](const auto& tool, std::string_view wanted) { return tool->name() < wanted; }
    );
}

}  // namespace

Result<Tool> Tool::make(Contract contract, std::string description, ToolFunction function) {
    if (const auto formed = well_formed(contract); !formed) {
        return tl::unexpected<Error>(formed.error());
    }
    // Others must be able to read it: nested one level deeper than the schemas, and in UTF-8.
    if (const auto read = Contract::parse(contract.definition()); !read) {
        return tl::unexpected<Error>(read.error());
    }
    if (!utf8::valid(description) || description.size() > limits::contract_bytes_max) {
        return fail(ErrorCode::limit, contract.name + ": the description is too long or not text");
    }
    auto input = Schema::compile(contract.input);
    if (!input) return fail(input.error().code, contract.name + ": input " + input.error().message);
    auto output = Schema::compile(contract.output);
    if (!output) {
        return fail(output.error().code, contract.name + ": output " + output.error().message);
    }
    Tool tool{std::move(contract), std::move(*input), std::move(*output), std::move(function)};
    tool.offer_ = {
        .name = tool.contract_.name,
        .contract = tool.contract_.summary(),
        .description = std::move(description),
        .definition = tool.contract_.definition()};
    tool.id_ = tool.offer_.contract.id();
    return tool;
}

Result<std::string, CallError> Tool::call(std::string_view text, const ToolContext& context) const {
    if (!function_) return refuse(Status::internal, name() + ": runs elsewhere");
    const auto checked = arguments(text);
    if (!checked) return tl::unexpected<CallError>(checked.error());
    return result(run(function_, *checked, context), context);
}

Result<Json, CallError> Tool::arguments(std::string_view text) const {
    auto parsed = parse_json(text, {.bytes_max = limits::arguments_bytes_max});
    if (!parsed) {
        return refuse(Status::bad_arguments, name() + ": " + parsed.error().message);
    }
    if (const auto allowed = input_.check(*parsed); !allowed) {
        return refuse(Status::bad_arguments, name() + ": " + allowed.error().message);
    }
    return std::move(*parsed);
}

Result<std::string, CallError> Tool::result(const Result<Json>& outcome, const ToolContext& context)
    const {
    if (!outcome) {
        return refuse(Status::tool_error, name() + ": " + presentable(outcome.error().message));
    }
    if (const auto allowed = output_.check(*outcome); !allowed) {
        return refuse(
            Status::tool_error,
            name() + ": the result breaks the contract: " + presentable(allowed.error().message)
        );
    }
    std::string text = canonical(*outcome);
    if (text.size() > context.result_bytes_max) {
        return refuse(
            Status::tool_error,
            name() + ": the result has more than " + std::to_string(context.result_bytes_max) +
                " bytes"
        );
    }
    if (!utf8::valid(text)) {
        return refuse(Status::tool_error, name() + ": the result is not text in UTF-8");
    }
    return text;
}

const Tool* RegistrySnapshot::find(std::string_view name) const {
    const auto it = place_of(tools_, name);
    return it != tools_.end() && (*it)->name() == name ? it->get() : nullptr;
}

const Tool* RegistrySnapshot::find(const ContractId& contract) const {
    const auto it = std::find_if(tools_.begin(), tools_.end(), [&](const auto& tool) {
        return tool->id() == contract;
    });
    return it != tools_.end() ? it->get() : nullptr;
}

std::vector<ToolOffer> RegistrySnapshot::offers() const {
    std::vector<ToolOffer> offers;
    offers.reserve(tools_.size());
    for (const auto& tool : tools_)
        offers.push_back(tool->offer());
    return offers;
}

Result<std::string, CallError> call_local(
    const RegistrySnapshot& snapshot,
    std::string_view name,
    std::string_view arguments,
    const ToolContext& context,
    const ContractId& contract
) {
    const Tool* tool = snapshot.find(name);
    if (!tool) {
        const std::string shown = utf8::valid(name) ? utf8::clipped(name, 128) : "?";
        return refuse(Status::unknown_tool, "there is no tool \"" + shown + "\" here");
    }
    if (contract != ContractId{} && contract != tool->id()) {
        return refuse(Status::unknown_tool, tool->name() + ": has another contract here");
    }
    return tool->call(arguments, context);
}

Result<void> Registry::add(Tool tool) {
    if (snapshot_->find(tool.name())) {
        return fail(ErrorCode::conflict, "there is a tool \"" + tool.name() + "\" already");
    }
    return replace(std::move(tool));
}

Result<void> Registry::replace(Tool tool) {
    auto next = std::make_shared<RegistrySnapshot>(*snapshot_);
    const auto it = place_of(next->tools_, tool.name());
    const auto place = next->tools_.begin() + (it - next->tools_.cbegin());
    if (it != next->tools_.cend() && (*it)->name() == tool.name()) {
        *place = std::make_shared<const Tool>(std::move(tool));
    } else {
        if (next->tools_.size() >= limits::contracts_per_agent_max) {
            return fail(
                ErrorCode::limit,
                "at most " + std::to_string(limits::contracts_per_agent_max) + " tools"
            );
        }
        next->tools_.insert(place, std::make_shared<const Tool>(std::move(tool)));
    }
    snapshot_ = std::move(next);
    return {};
}

bool Registry::remove(std::string_view name) {
    if (!snapshot_->find(name)) return false;
    auto next = std::make_shared<RegistrySnapshot>(*snapshot_);
    const auto it = place_of(next->tools_, name);
    next->tools_.erase(it);
    snapshot_ = std::move(next);
    return true;
}

}  // namespace creto
