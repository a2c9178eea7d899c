// concat, uppercase, lowercase, reverse, length, split, join, replace, sort_lines, count_words.
#include <algorithm>

#include "tools/builtin_parts.hpp"
#include "tools/text_case.hpp"
#include "tools/utf8.hpp"

namespace creto {

namespace {

constexpr const char* count_schema = R"({"type":"integer","minimum":0})";
constexpr std::size_t parts_max = 65'536;

tl::unexpected<Error> too_long(const ToolContext& context) {
    return fail(
        ErrorCode::limit,
        "the result would have more than " + std::to_string(context.result_bytes_max) + " bytes"
    );
}

ToolFunction on_text(Result<Json> (*function)(const std::string&)) {
    return [function](const Json& arguments, const ToolContext&) {
        return function(text_of(arguments, "text"));
    };
}

std::string mapped(const std::string& text, char32_t (*map)(char32_t)) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();)
        utf8::append(out, map(utf8::next(text, at)));
    return out;
}

std::string reversed(const std::string& text) {
    std::string out(text.size(), '\0');
    std::size_t to = text.size();
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t from = at;
        static_cast<void>(utf8::next(text, at));
        to -= at - from;
        text.copy(out.data() + to, at - from, from);
    }
    return out;
}

Result<Json> split(const std::string& text, const std::string& separator) {
    JsonArray parts;
    for (std::size_t from = 0; from <= text.size();) {
        if (parts.size() == parts_max) {
            return fail(ErrorCode::limit, "more than " + std::to_string(parts_max) + " parts");
        }
        const std::size_t end = std::min(text.find(separator, from), text.size());
        parts.emplace_back(text.substr(from, end - from));
        from = end == text.size() ? end + 1 : end + separator.size();
    }
    return Json{std::move(parts)};
}

Result<Json> join(
    const JsonArray& parts, const std::string& separator, const ToolContext& context
) {
    std::string out;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i > 0) out.append(separator);
        out.append(*parts[i].string());
        if (out.size() > context.result_bytes_max) return too_long(context);
    }
    return Json{std::move(out)};
}

Result<Json> replace(
    const std::string& text,
    const std::string& from,
    const std::string& to,
    const ToolContext& context
) {
    std::string out;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t found = text.find(from, at);
        const std::size_t end = std::min(found, text.size());
        out.append(text, at, end - at);
        if (found == std::string::npos) break;
        out.append(to);
        if (out.size() > context.result_bytes_max) return too_long(context);
        at = found + from.size();
    }
    return Json{std::move(out)};
}

/// Lines by their bytes, ascending, with the line end that the text has at its end.
std::string sorted_lines(const std::string& text) {
    std::vector<std::string_view> lines;
    std::string_view rest = text;
    const bool ends = text.ends_with('\n');
    if (ends) rest.remove_suffix(1);
    while (true) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        lines.push_back(rest.substr(0, end));
        if (end == rest.size()) break;
        rest.remove_prefix(end + 1);
    }
    std::sort(lines.begin(), lines.end());
    std::string out;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (i > 0) out.push_back('\n');
        out.append(lines[i]);
    }
    if (ends) out.push_back('\n');
    return out;
}

bool is_space(char32_t code) {
    return (code >= 0x09 && code <= 0x0D) || code == 0x20 || code == 0x85 || code == 0xA0 ||
           code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 ||
           code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

std::int64_t count_words(const std::string& text) {
    std::int64_t count = 0;
    bool inside = false;
    for (std::size_t at = 0; at < text.size();) {
        const bool space = is_space(utf8::next(text, at));
        if (!space && !inside) ++count;
        inside = !space;
    }
    return count;
}

void add_case_tools(std::vector<Tool>& tools) {
    tools.push_back(builtin(
        {.name = "uppercase",
         .description = "The text in capitals (Latin, Greek and Cyrillic letters).",
         .input = one_text(),
         .output = text_schema},
        on_text([](const std::string& text) -> Result<Json> {
            return Json{mapped(text, to_upper)};
        })
    ));
    tools.push_back(builtin(
        {.name = "lowercase",
         .description = "The text in small letters (Latin, Greek and Cyrillic).",
         .input = one_text(),
         .output = text_schema},
        on_text([](const std::string& text) -> Result<Json> {
            return Json{mapped(text, to_lower)};
        })
    ));
}

void add_whole_text_tools(std::vector<Tool>& tools) {
    tools.push_back(builtin(
        {.name = "reverse",
         .description = "The text with its code points in reverse order.",
         .input = one_text(),
         .output = text_schema},
        on_text([](const std::string& text) -> Result<Json> { return Json{reversed(text)}; })
    ));
    tools.push_back(builtin(
        {.name = "length",
         .description = "The number of code points in the text.",
         .input = one_text(),
         .output = count_schema},
        on_text([](const std::string& text) -> Result<Json> {
            return Json{static_cast<std::int64_t>(utf8::length(text))};
        })
    ));
    tools.push_back(builtin(
        {.name = "sort_lines",
         .description = "The lines of the text in ascending order of their bytes.",
         .input = one_text(),
         .output = text_schema},
        on_text([](const std::string& text) -> Result<Json> { return Json{sorted_lines(text)}; })
    ));
    tools.push_back(builtin(
        {.name = "count_words",
         .description = "The number of words, that is of runs without white space.",
         .input = one_text(),
         .output = count_schema},
        on_text([](const std::string& text) -> Result<Json> { return Json{count_words(text)}; })
    ));
}

}  // namespace

void add_text_tools(std::vector<Tool>& tools) {
    tools.push_back(builtin(
        {.name = "concat",
         .description = "The text a followed by the text b.",
         .input = object_schema({{"a", text_schema}, {"b", text_schema}}),
         .output = text_schema},
        [](const Json& arguments, const ToolContext&) -> Result<Json> {
            return Json{text_of(arguments, "a") + text_of(arguments, "b")};
        }
    ));
    add_case_tools(tools);
    add_whole_text_tools(tools);
    const char* separator_schema = R"({"type":"string","minLength":1})";
    const char* parts_schema = R"({"type":"array","items":{"type":"string"}})";
    tools.push_back(builtin(
        {.name = "split",
         .description = "The parts of the text between the places where the separator stands.",
         .input = object_schema({{"text", text_schema}, {"separator", separator_schema}}),
         .output = parts_schema},
        [](const Json& arguments, const ToolContext&) {
            return split(text_of(arguments, "text"), text_of(arguments, "separator"));
        }
    ));
    tools.push_back(builtin(
        {.name = "join",
         .description = "The parts one after the other, with the separator between them.",
         .input = object_schema({{"parts", parts_schema}, {"separator", text_schema}}),
         .output = text_schema},
        [](const Json& arguments, const ToolContext& context) {
            return join(items_of(arguments, "parts"), text_of(arguments, "separator"), context);
        }
    ));
    tools.push_back(builtin(
        {.name = "replace",
         .description = "The text with every occurrence of `from` replaced by `to`.",
         .input =
             object_schema({{"text", text_schema}, {"from", separator_schema}, {"to", text_schema}}
             ),
         .output = text_schema},
        [](const Json& arguments, const ToolContext& context) {
            return replace(
                text_of(arguments, "text"),
                text_of(arguments, "from"),
                text_of(arguments, "to"),
                context
            );
        }
    ));
}

}  // namespace creto
