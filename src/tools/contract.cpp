#include "tools/contract.hpp"

#include <algorithm>

#include "model/limits.hpp"
#include "tools/json_parse.hpp"

namespace creto {

namespace {

constexpr std::size_t version_bytes_max = 64;
constexpr std::size_t fields_max = 32;
constexpr std::size_t pointer_bytes_max = 256;

bool consists_of(std::string_view text, std::string_view further) {
    return std::all_of(text.begin(), text.end(), [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               further.find(c) != std::string_view::npos;
    });
}

bool is_pointer(const std::string& text) {
    return text.size() <= pointer_bytes_max && (text.empty() || text.front() == '/');
}

struct RuleWriter {
    Json operator()(const MatchExact&) const { return Json{JsonObject{{"kind", Json{"exact"}}}}; }
    Json operator()(const MatchTolerance& rule) const {
        return Json{JsonObject{
            {"distance", Json{rule.distance}},
            {"kind", Json{"tolerance"}},
            {"pointer", Json{rule.pointer}}}};
    }
    Json operator()(const MatchFields& rule) const {
        JsonArray pointers;
        for (const std::string& pointer : rule.pointers)
            pointers.emplace_back(pointer);
        return Json{JsonObject{{"kind", Json{"fields"}}, {"pointers", Json{std::move(pointers)}}}};
    }
    Json operator()(const MatchLines&) const { return Json{JsonObject{{"kind", Json{"lines"}}}}; }
    Json operator()(const MatchJudge& rule) const {
        return Json{JsonObject{
            {"contract", Json{rule.contract.value().hex()}},
            {"kind", Json{"judge"}},
            {"tool", Json{rule.tool}}}};
    }
};

struct RuleChecker {
    bool operator()(const MatchExact&) const { return true; }
    bool operator()(const MatchTolerance& rule) const {
        return !rule.distance.is_negative() && is_pointer(rule.pointer);
    }
    bool operator()(const MatchFields& rule) const {
        const auto& list = rule.pointers;
        const auto not_ascending = [](const auto& a, const auto& b) { return !(a < b); };
        return !list.empty() && list.size() <= fields_max &&
               std::all_of(list.begin(), list.end(), is_pointer) &&
               std::adjacent_find(list.begin(), list.end(), not_ascending) == list.end();
    }
    bool operator()(const MatchLines&) const { return true; }
    bool operator()(const MatchJudge& rule) const {
        return !rule.tool.empty() && rule.tool.size() <= limits::name_bytes_max &&
               consists_of(rule.tool, "._-/") && rule.contract != ContractId{};
    }
};

/// Reads the fields of a definition; what is missing or of another kind is remembered as wrong.
class FieldReader {
public:
    explicit FieldReader(const Json& value) : value_{value} {}

    const Json& any(std::string_view key) {
        static const Json none;
        const Json* field = value_.find(key);
        ok_ = ok_ && field;
        return field ? *field : none;
    }
    std::string text(std::string_view key) {
        const std::string* field = any(key).string();
        ok_ = ok_ && field;
        return field ? *field : std::string{};
    }
    bool flag(std::string_view key) {
        const bool* field = any(key).boolean();
        ok_ = ok_ && field;
        return field && *field;
    }
    [[nodiscard]] bool ok() const { return ok_; }

private:
    const Json& value_;
    bool ok_ = true;
};

std::optional<Digest> read_digest(const std::string& text) {
    const auto bytes = from_hex(text);
    if (!bytes || bytes->size() != Digest::size) return std::nullopt;
    std::array<std::uint8_t, Digest::size> out{};
    std::copy(bytes->begin(), bytes->end(), out.begin());
    return Digest{out};
}

std::optional<MatchRule> read_rule(const Json& value) {
    FieldReader fields{value};
    const std::string kind = fields.text("kind");
    if (kind == "exact") return MatchExact{};
    if (kind == "lines") return MatchLines{};
    if (kind == "tolerance") {
        const Decimal* distance = fields.any("distance").number();
        std::string pointer = fields.text("pointer");
        if (!distance || !fields.ok()) return std::nullopt;
        return MatchTolerance{.distance = *distance, .pointer = std::move(pointer)};
    }
    if (kind == "judge") {
        std::string tool = fields.text("tool");
        const auto contract = read_digest(fields.text("contract"));
        if (!contract || !fields.ok()) return std::nullopt;
        return MatchJudge{.tool = std::move(tool), .contract = ContractId{*contract}};
    }
    const JsonArray* pointers = fields.any("pointers").array();
    if (kind != "fields" || !pointers) return std::nullopt;
    MatchFields rule;
    for (const Json& pointer : *pointers) {
        if (!pointer.string()) return std::nullopt;
        rule.pointers.push_back(*pointer.string());
    }
    return rule;
}

}  // namespace

std::string Contract::definition() const {
    JsonObject fields{
        {"deterministic", Json{deterministic}},
        {"idempotent", Json{idempotent}},
        {"input", input},
        {"match", std::visit(RuleWriter{}, match)},
        {"name", Json{name}},
        {"open", Json{open}},
        {"output", output},
        {"version", Json{version}}};
    if (implementation) fields.set("implementation", Json{implementation->hex()});
    return canonical(Json{std::move(fields)});
}

Result<Contract> Contract::parse(std::string_view definition) {
    const auto value = parse_json(definition, {.bytes_max = limits::contract_bytes_max});
    if (!value) return fail(value.error().code, "contract: " + value.error().message);
    FieldReader fields{*value};
    Contract contract;
    contract.name = fields.text("name");
    contract.version = fields.text("version");
    contract.input = fields.any("input");
    contract.output = fields.any("output");
    contract.deterministic = fields.flag("deterministic");
    contract.idempotent = fields.flag("idempotent");
    contract.open = fields.flag("open");
    auto rule = read_rule(fields.any("match"));
    if (value->find("implementation")) {
        contract.implementation = read_digest(fields.text("implementation"));
    }
    if (!fields.ok() || !rule) {
        return fail(ErrorCode::invalid, "contract: a field is missing or of the wrong kind");
    }
    contract.match = std::move(*rule);
    if (const auto formed = well_formed(contract); !formed) {
        return tl::unexpected<Error>(formed.error());
    }
    // Whatever was read over (unknown fields, spaces, capitals in the digest) shows here.
    if (contract.definition() != definition) {
        return fail(ErrorCode::invalid, "contract: not in canonical form");
    }
    return contract;
}

ContractSummary Contract::summary() const {
    ContractSummary summary;
    const auto set = [&summary](bool on, std::uint8_t flag) {
        if (on) summary.flags = static_cast<std::uint8_t>(summary.flags | flag);
    };
    set(deterministic, ContractSummary::deterministic);
    set(idempotent, ContractSummary::idempotent);
    set(implementation.has_value(), ContractSummary::pinned);
    set(open, ContractSummary::open);
    set(!std::holds_alternative<MatchExact>(match), ContractSummary::by_rule);
    summary.body = hash(HashDomain::contract, as_bytes(definition()));
    return summary;
}

Result<void> well_formed(const Contract& contract) {
    const auto refuse = [](ErrorCode code, const std::string& what) {
        return fail(code, "contract: " + what);
    };
    if (contract.name.empty() || !consists_of(contract.name, "._-/")) {
        return refuse(ErrorCode::invalid, "a name consists of letters, digits and . _ - /");
    }
    if (contract.name.size() > limits::name_bytes_max) {
        return refuse(
            ErrorCode::limit,
            "a name has at most " + std::to_string(limits::name_bytes_max) + " characters"
        );
    }
    if (contract.version.empty() || contract.version.size() > version_bytes_max ||
        !consists_of(contract.version, ".+-")) {
        return refuse(ErrorCode::invalid, "a version is 1 to 64 letters, digits and . + -");
    }
    if (!std::visit(RuleChecker{}, contract.match)) {
        return refuse(ErrorCode::invalid, "the match rule makes no sense");
    }
    if (contract.definition().size() > limits::contract_bytes_max) {
        return refuse(
            ErrorCode::limit, "more than " + std::to_string(limits::contract_bytes_max) + " bytes"
        );
    }
    return {};
}

}  // namespace creto
