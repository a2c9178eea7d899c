// hash, sha256, base64_encode, base64_decode, json_get, timestamp, clock, stamp.
#include "crypto/box.hpp"
#include "crypto/digest.hpp"
#include "tools/base64.hpp"
#include "tools/builtin_parts.hpp"
#include "tools/builtins.hpp"
#include "tools/utf8.hpp"

namespace creto {

namespace {

constexpr const char* digest_schema = R"({"type":"string","pattern":"^[0-9a-f]{64}$"})";

/// `value` in at least `width` digits.
std::string padded(std::int64_t value, std::size_t width) {
    const std::string digits = std::to_string(value);
    return std::string(width - std::min(width, digits.size()), '0') + digits;
}

void add_digest_tools(std::vector<Tool>& tools) {
    tools.push_back(builtin(
        {.name = "hash",
         .description = "The BLAKE3 digest of the text's UTF-8 bytes, in hexadecimal digits.",
         .input = one_text(),
         .output = digest_schema},
        [](const Json& arguments, const ToolContext&) -> Result<Json> {
            return Json{blake3(as_bytes(text_of(arguments, "text"))).hex()};
        }
    ));
    tools.push_back(builtin(
        {.name = "sha256",
         .description = "The SHA-256 digest of the text's UTF-8 bytes, in hexadecimal digits.",
         .input = one_text(),
         .output = digest_schema},
        [](const Json& arguments, const ToolContext&) -> Result<Json> {
            return Json{to_hex(sha256(as_bytes(text_of(arguments, "text"))))};
        }
    ));
}

void add_base64_tools(std::vector<Tool>& tools) {
    tools.push_back(builtin(
        {.name = "base64_encode",
         .description = "The text's UTF-8 bytes in base64, with padding.",
         .input = one_text(),
         .output = text_schema},
        [](const Json& arguments, const ToolContext&) -> Result<Json> {
            return Json{to_base64(as_bytes(text_of(arguments, "text")))};
        }
    ));
    tools.push_back(builtin(
        {.name = "base64_decode",
         .description = "The text that base64 with padding stands for; it must be UTF-8.",
         .input = one_text(),
         .output = text_schema},
        [](const Json& arguments, const ToolContext&) -> Result<Json> {
            const auto bytes = from_base64(text_of(arguments, "text"));
            if (!bytes) return fail(ErrorCode::invalid, "not base64 with padding");
            if (!utf8::valid(as_text(*bytes))) {
                return fail(ErrorCode::invalid, "what it stands for is not text in UTF-8");
            }
            return Json{as_text(*bytes)};
        }
    ));
}

/// What no two agents answer alike, and a panel can decide nevertheless: by rules.
void add_rule_tools(std::vector<Tool>& tools) {
    constexpr std::int64_t clocks_differ_ms = 5'000;
    tools.push_back(builtin(
        {.name = "clock",
         .description = "Milliseconds since 1970 at the agent that answers. Answers within five "
                        "seconds of the "
                        "median agree.",
         .input = object_schema({}),
         .output = R"({"type":"integer"})",
         .deterministic = false,
         .match = MatchTolerance{.distance = Decimal{clocks_differ_ms}, .pointer = ""}},
        [](const Json& /*arguments*/, const ToolContext& context) -> Result<Json> {
            return Json{context.unix_ms};
        }
    ));
    tools.push_back(builtin(
        {.name = "stamp",
         .description = "The text's BLAKE3 digest with the time at the agent that answers. Answers "
                        "with the same "
                        "digest agree.",
         .input = one_text(),
         .output = object_schema({{"digest", digest_schema}, {"time", text_schema}}),
         .deterministic = false,
         .match = MatchFields{.pointers = {"/digest"}}},
        [](const Json& arguments, const ToolContext& context) -> Result<Json> {
            auto time = iso_time(context.unix_ms);
            if (!time) return tl::unexpected<Error>(std::move(time.error()));
            return Json{JsonObject{
                {"digest", Json{blake3(as_bytes(text_of(arguments, "text"))).hex()}},
                {"time", Json{std::move(*time)}}}};
        }
    ));
}

}  // namespace

Result<std::string> iso_time(std::int64_t unix_ms) {
    constexpr std::int64_t day_ms = 86'400'000;
    constexpr std::int64_t first = -62'167'219'200'000;  // 0000-01-01
    constexpr std::int64_t last = 253'402'300'799'999;   // 9999-12-31T23:59:59.999
    if (unix_ms < first || unix_ms > last) {
        return fail(ErrorCode::invalid, "the time is outside the years 0000 to 9999");
    }
    std::int64_t days = unix_ms / day_ms;
    std::int64_t rest = unix_ms % day_ms;
    if (rest < 0) {
        rest += day_ms;
        --days;
    }
    // Hinnant's civil_from_days: years start in March, so that the leap day is the last of a year.
    const std::int64_t shifted = days + 719'468;  // Days since 0000-03-01.
    const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
    const std::int64_t day_of_era = shifted - era * 146'097;
    const std::int64_t year_of_era =
        (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
    const std::int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::int64_t shifted_month = (5 * day_of_year + 2) / 153;
    const std::int64_t day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    const std::int64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
    const std::int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
    return padded(year, 4) + "-" + padded(month, 2) + "-" + padded(day, 2) + "T" +
           padded(rest / 3'600'000, 2) + ":" + padded(rest / 60'000 % 60, 2) + ":" +
           padded(rest / 1'000 % 60, 2) + "." + padded(rest % 1'000, 3) + "Z";
}

void add_data_tools(std::vector<Tool>& tools) {
    add_digest_tools(tools);
    add_base64_tools(tools);
    add_rule_tools(tools);
    tools.push_back(builtin(
        {.name = "json_get",
         .description = "The value that a JSON Pointer (RFC 6901) names within a JSON value.",
         .input = object_schema(
             {{"value", R"({"description":"Any JSON value."})"},
              {"pointer", R"({"type":"string","pattern":"^(/.*)?$"})"}}
         ),
         .output = "true"},
        [](const Json& arguments, const ToolContext&) -> Result<Json> {
            const std::string& pointer = text_of(arguments, "pointer");
            const Json* found = arguments.find("value")->at_pointer(pointer);
            if (found) return *found;
            return fail(ErrorCode::not_found, "there is nothing at " + utf8::clipped(pointer, 256));
        }
    ));
    tools.push_back(builtin(
        {.name = "timestamp",
         .description =
             "The time now at the agent that answers: ISO 8601 in UTC, or milliseconds since 1970.",
         .input =
             R"({"additionalProperties":false,"properties":{"format":{"enum":["iso","unix_ms"]}},"type":"object"})",
         .output = R"({"type":["string","integer"]})",
         .deterministic = false},
        [](const Json& arguments, const ToolContext& context) -> Result<Json> {
            const Json* format = arguments.find("format");
            if (format && *format->string() == "unix_ms") return Json{context.unix_ms};
            auto text = iso_time(context.unix_ms);
            if (!text) return tl::unexpected<Error>(std::move(text.error()));
            return Json{std::move(*text)};
        }
    ));
}

}  // namespace creto
