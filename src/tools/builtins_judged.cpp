// A judge of texts, and a tool whose answers it judges.
#include <map>

#include "tools/builtin_parts.hpp"

namespace creto {

namespace {

bool is_letter_or_digit(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80;
}

/// The words of a text in small letters, one space between two. Only ASCII is folded: what else a text
/// holds is compared as it is.
std::string plain_words(std::string_view text) {
    std::string out;
    bool is_gap = false;
    for (const char c : text) {
        if (!is_letter_or_digit(static_cast<unsigned char>(c))) {
            is_gap = true;
            continue;
        }
        if (is_gap && !out.empty()) out += ' ';
        is_gap = false;
        out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return out;
}

/// The value with all its texts reduced to their words; names of members stay.
Json reduced(const Json& value) {
    if (value.string() != nullptr) return Json{plain_words(*value.string())};
    if (const JsonArray* array = value.array()) {
        JsonArray out;
        for (const Json& item : *array)
            out.push_back(reduced(item));
        return Json{std::move(out)};
    }
    if (const JsonObject* object = value.object()) {
        JsonObject out;
        for (const JsonMember& member : *object)
            out.set(member.key, reduced(member.value));
        return Json{std::move(out)};
    }
    return value;
}

Result<Json> same_text(const Json& arguments, const ToolContext& /*context*/) {
    const JsonArray& answers = items_of(arguments, "answers");
    std::map<Json, JsonArray> groups;
    std::vector<const JsonArray*> order;  // By their first members.
    for (std::size_t i = 0; i < answers.size(); ++i) {
        const auto [group, is_new] = groups.try_emplace(reduced(answers[i]));
        group->second.emplace_back(static_cast<std::int64_t>(i));
        if (is_new) order.push_back(&group->second);
    }
    JsonArray out;
    for (const JsonArray* group : order)
        out.emplace_back(*group);
    return Json{JsonObject{{"groups", Json{std::move(out)}}}};
}

Result<Json> greet(const Json& arguments, const ToolContext& /*context*/) {
    return Json{"Hello, " + text_of(arguments, "name")};
}

}  // namespace

void add_judged_tools(std::vector<Tool>& tools) {
    Tool judge = builtin(
        {.name = "same_text",
         .description = "A judge: which of these answers say the same, but for case, white space "
                        "and punctuation.",
         .input =
             object_schema({{"answers", R"({"description":"What was answered.","type":"array"})"}}),
         .output = object_schema(
             {{"groups",
               R"({"description":"Places of those that say the same.",)"
               R"("items":{"items":{"minimum":0,"type":"integer"},"type":"array"},"type":"array"})"}}
         )},
        same_text
    );
    tools.push_back(builtin(
        {.name = "greet",
         .description = "Greets somebody. Whether two greetings are the same, same_text judges.",
         .input =
             object_schema({{"name", R"({"description":"Whom.","maxLength":1000,"type":"string"})"}}
             ),
         .output = R"({"type":"string"})",
         .match = MatchJudge{.tool = judge.name(), .contract = judge.id()}},
        greet
    ));
    tools.push_back(std::move(judge));
}

}  // namespace creto
