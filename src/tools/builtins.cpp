#include "tools/builtins.hpp"

#include "base/assert.hpp"
#include "tools/builtin_parts.hpp"
#include "tools/json_parse.hpp"

namespace creto {

namespace {

constexpr const char* builtin_version = "1.0.0";

Json own_json(std::string_view text) {
    auto value = parse_json(text);
    CRETO_ASSERT(value.has_value());
    return std::move(*value);
}

}  // namespace

Tool builtin(const BuiltinSpec& spec, ToolFunction function) {
    Contract contract;
    contract.name = spec.name;
    contract.version = builtin_version;
    contract.input = own_json(spec.input);
    contract.output = own_json(spec.output);
    contract.deterministic = spec.deterministic;
    contract.idempotent = true;
    contract.open = true;
    contract.match = spec.match;
    if (spec.deterministic) {
        const std::string code = std::string{"creto built-in "} + spec.name + " " + builtin_version;
        contract.implementation = hash(HashDomain::implementation, as_bytes(code));
    }
    auto tool = Tool::make(std::move(contract), spec.description, std::move(function));
    CRETO_ASSERT(tool.has_value());
    return std::move(*tool);
}

std::string object_schema(const std::vector<std::pair<std::string, std::string>>& properties) {
    JsonObject described;
    JsonArray required;
    for (const auto& [name, schema] : properties) {
        described.set(name, own_json(schema));
        required.emplace_back(name);
    }
    JsonObject schema{
        {"additionalProperties", Json{false}},
        {"properties", Json{std::move(described)}},
        {"type", Json{"object"}}};
    if (!required.empty()) schema.set("required", Json{std::move(required)});
    return canonical(Json{std::move(schema)});
}

std::string one_text() {
    return object_schema({{"text", text_schema}});
}

const Decimal& number_of(const Json& arguments, std::string_view name) {
    const Json* value = arguments.find(name);
    CRETO_ASSERT(value && value->number());
    return *value->number();
}

const std::string& text_of(const Json& arguments, std::string_view name) {
    const Json* value = arguments.find(name);
    CRETO_ASSERT(value && value->string());
    return *value->string();
}

const JsonArray& items_of(const Json& arguments, std::string_view name) {
    const Json* value = arguments.find(name);
    CRETO_ASSERT(value && value->array());
    return *value->array();
}

std::vector<Tool> builtin_tools() {
    std::vector<Tool> tools;
    add_number_tools(tools);
    add_text_tools(tools);
    add_data_tools(tools);
    add_work_tools(tools);
    add_judged_tools(tools);
    return tools;
}

bool is_quick(std::string_view builtin) {
    return builtin != "primes";
}

Registry builtin_registry() {
    Registry registry;
    for (Tool& tool : builtin_tools()) {
        const auto added = registry.add(std::move(tool));
        CRETO_ASSERT(added.has_value());
    }
    return registry;
}

}  // namespace creto
