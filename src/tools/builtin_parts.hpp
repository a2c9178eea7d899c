// How the built-in tools are put together. Used by builtins*.cpp only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/registry.hpp"

namespace creto {

struct BuiltinSpec {
    const char* name = "";
    const char* description = "";
    std::string input;   ///< JSON text.
    std::string output;  ///< JSON text.
    bool deterministic = true;
    MatchRule match = MatchExact{};
};

/// Requires: a name, schemas and a function that fit together; it is our own mistake otherwise.
[[nodiscard]] Tool builtin(const BuiltinSpec& spec, ToolFunction function);

/// {"type":"object"} with these properties, all required, and no others. Each property is its name
/// and its schema's text.
[[nodiscard]] std::string object_schema(
    const std::vector<std::pair<std::string, std::string>>& properties
);

inline constexpr const char* text_schema = R"({"type":"string"})";
/// The object with one text, named "text".
[[nodiscard]] std::string one_text();

// The argument of that name. Requires: the input schema asks for it.
[[nodiscard]] const Decimal& number_of(const Json& arguments, std::string_view name);
[[nodiscard]] const std::string& text_of(const Json& arguments, std::string_view name);
[[nodiscard]] const JsonArray& items_of(const Json& arguments, std::string_view name);

void add_number_tools(std::vector<Tool>& tools);
void add_text_tools(std::vector<Tool>& tools);
void add_data_tools(std::vector<Tool>& tools);
void add_work_tools(std::vector<Tool>& tools);
void add_judged_tools(std::vector<Tool>& tools);

}  // namespace creto
