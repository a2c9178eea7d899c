#include "cli/drill.hpp"

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "tools/json_parse.hpp"

namespace creto {

namespace {

/// Every number in the value, `factor` times as large.
Result<Json> scaled(const Json& value, const Decimal& factor) {
    if (const Decimal* number = value.number()) {
        auto product = Decimal::multiply(*number, factor);
        if (!product) return tl::unexpected<Error>(product.error());
        return Json{*product};
    }
    if (const std::string* text = value.string()) return Json{*text + *text};
    if (const JsonArray* array = value.array()) {
        JsonArray out;
        for (const Json& item : *array) {
            auto one = scaled(item, factor);
            if (!one) return one;
            out.push_back(std::move(*one));
        }
        return Json{std::move(out)};
    }
    if (const JsonObject* object = value.object()) {
        JsonObject out;
        for (const JsonMember& member : *object) {
            auto one = scaled(member.value, factor);
            if (!one) return one;
            out.set(member.key, std::move(*one));
        }
        return Json{std::move(out)};
    }
    return value;
}

/// The same words, louder: what a judge takes for the same, and nobody else does.
Result<Json> reworded(const Json& value) {
    const std::string* text = value.string();
    if (text == nullptr) return value;
    std::string out = *text + "!";
    for (char& c : out)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return Json{std::move(out)};
}

ToolFunction honest(const std::shared_ptr<const Tool>& tool) {
    return [tool](const Json& arguments, const ToolContext& context) -> Result<Json> {
        auto text = tool->call(canonical(arguments), context);
        if (!text) return fail(ErrorCode::invalid, text.error().message);
        return parse_json(*text);
    };
}

}  // namespace

Result<Tool> drill(Tool tool, const std::string& kind) {
    if (kind.empty()) return tool;
    const Contract contract = tool.contract();
    const std::string description = tool.offer().description;
    const ToolFunction truth = honest(std::make_shared<const Tool>(std::move(tool)));
    const std::size_t colon = kind.find(':');
    const std::string verb = kind.substr(0, colon);
    const std::string operand = colon == std::string::npos ? "" : kind.substr(colon + 1);
    ToolFunction function;
    if (verb == "times" || verb == "half") {
        auto factor = Decimal::parse(operand);
        if (!factor) return tl::unexpected<Error>(factor.error());
        auto count = std::make_shared<std::atomic<std::uint64_t>>(0);
        function = [truth, count, factor = *factor, always = verb == "times"](
                       const Json& arguments, const ToolContext& context
                   ) -> Result<Json> {
            auto value = truth(arguments, context);
            if (!value || (!always && (*count)++ % 2 == 0)) return value;
            return scaled(*value, factor);
        };
    } else if (verb == "constant") {
        auto value = parse_json(operand);
        if (!value) return tl::unexpected<Error>(value.error());
        function = [value = *value](const Json& /*a*/, const ToolContext& /*c*/) -> Result<Json> {
            return value;
        };
    } else if (verb == "reword") {
        function = [truth](const Json& arguments, const ToolContext& context) -> Result<Json> {
            auto value = truth(arguments, context);
            return value ? reworded(*value) : value;
        };
    } else if (verb == "hang") {
        function = [](const Json& /*a*/, const ToolContext& /*c*/) -> Result<Json> {
            std::this_thread::sleep_for(std::chrono::seconds{20});
            return fail(ErrorCode::timeout, "the drill is over");
        };
    } else if (verb == "throw") {
        function = [](const Json& /*a*/, const ToolContext& /*c*/) -> Result<Json> {
            throw std::runtime_error{"drill: this tool throws"};
        };
    } else if (verb == "garbage") {
        function = [](const Json& /*a*/, const ToolContext& /*c*/) -> Result<Json> {
            return Json{JsonArray{Json{"garbage"}, Json{}}};
        };
    } else {
        return fail(
            ErrorCode::invalid,
            "drill.answers: \"" + kind +
                "\" is none of times:K, half:K, constant:JSON, reword, hang, throw, garbage"
        );
    }
    return Tool::make(contract, description, std::move(function));
}

}  // namespace creto
