#include "tools/contract.hpp"

#include <gtest/gtest.h>

#include "model/limits.hpp"
#include "tools/json_parse.hpp"

namespace creto {
namespace {

Contract sample() {
    Contract contract;
    contract.name = "weather/now";
    contract.version = "1.2.0-rc.1+b";
    contract.input = parse_json(R"({"type":"object"})").value();
    contract.output = parse_json(R"({"type":"number"})").value();
    contract.idempotent = true;
    contract.match = MatchTolerance{.distance = Decimal::parse("0.5").value(), .pointer = "/t"};
    return contract;
}

TEST(Contract, HasOneDefinition) {
    EXPECT_EQ(
        sample().definition(),
        R"({"deterministic":false,"idempotent":true,"input":{"type":"object"},)"
        R"("match":{"distance":0.5,"kind":"tolerance","pointer":"/t"},"name":"weather/now",)"
        R"("open":false,"output":{"type":"number"},"version":"1.2.0-rc.1+b"})"
    );
}

TEST(Contract, ReadsItsDefinitionBack) {
    Contract contract = sample();
    for (const MatchRule& rule :
         {MatchRule{MatchExact{}},
          MatchRule{MatchLines{}},
          contract.match,
          MatchRule{MatchFields{.pointers = {"/a", "/b/0"}}}}) {
        contract.match = rule;
        contract.implementation.reset();
        EXPECT_EQ(Contract::parse(contract.definition()), contract);
        contract.implementation = blake3(as_bytes("code"));
        EXPECT_EQ(Contract::parse(contract.definition()), contract);
    }
}

TEST(Contract, EveryFieldChangesTheId) {
    const Contract base = sample();
    std::vector<Contract> variants(9, base);
    variants[0].name = "other";
    variants[1].version = "2";
    variants[2].input = Json{true};
    variants[3].output = Json{true};
    variants[4].deterministic = true;
    variants[5].idempotent = false;
    variants[6].open = true;
    variants[7].match = MatchExact{};
    variants[8].implementation = blake3(as_bytes("code"));
    for (const Contract& variant : variants)
        EXPECT_NE(variant.id(), base.id()) << variant.definition();
    EXPECT_EQ(sample().id(), base.id());
}

TEST(Contract, SummaryCarriesTheFlags) {
    Contract contract = sample();
    EXPECT_EQ(contract.summary().flags, ContractSummary::idempotent | ContractSummary::by_rule);
    contract.match = MatchExact{};
    EXPECT_EQ(contract.summary().flags, ContractSummary::idempotent);
    contract.deterministic = contract.open = true;
    contract.implementation = Digest{};
    EXPECT_TRUE(contract.summary().has(
        ContractSummary::deterministic | ContractSummary::pinned | ContractSummary::open
    ));
}

TEST(Contract, RefusesEveryOtherSpelling) {
    const std::string good = sample().definition();
    EXPECT_TRUE(Contract::parse(good).has_value());
    const auto with = [&good](std::string_view from, std::string_view to) {
        std::string text = good;
        text.replace(text.find(from), from.size(), to);
        return text;
    };
    for (const std::string& bad :
         {std::string{},
          std::string{"{}"},
          std::string{"7"},
          " " + good,
          good + "\n",
          with("{\"det", "{ \"det"),
          with("0.5", "0.50"),
          with("0.5", "-0.5"),
          with("0.5", "\"0.5\""),
          with("tolerance", "exact"),
          with("tolerance", "judge"),
          with("/t", "t"),
          with("\"open\":false", "\"open\":0"),
          with("\"open\":false,", ""),
          with("weather/now", "weather now"),
          with("weather/now", ""),
          with("1.2.0-rc.1+b", ""),
          with("1.2.0-rc.1+b", std::string(65, '1')),
          with("\"open\"", "\"implementation\":\"AB\",\"open\""),
          with("\"open\"", "\"implementation\":\"" + std::string(64, 'A') + "\",\"open\""),
          with("\"name\"", "\"extra\":1,\"name\"")})
        EXPECT_FALSE(Contract::parse(bad).has_value()) << bad;
}

TEST(Contract, RefusesOneByteTooMany) {
    Contract contract = sample();
    contract.name = std::string(limits::name_bytes_max, 'n');
    EXPECT_TRUE(well_formed(contract).has_value());
    contract.name += "n";
    EXPECT_EQ(well_formed(contract).error().code, ErrorCode::limit);

    contract = sample();
    contract.input = Json{JsonObject{{"title", Json{""}}}};
    const std::size_t room = limits::contract_bytes_max - contract.definition().size();
    contract.input = Json{JsonObject{{"title", Json{std::string(room, 't')}}}};
    EXPECT_TRUE(Contract::parse(contract.definition()).has_value());
    contract.input = Json{JsonObject{{"title", Json{std::string(room + 1, 't')}}}};
    EXPECT_EQ(well_formed(contract).error().code, ErrorCode::limit);
    EXPECT_EQ(Contract::parse(contract.definition()).error().code, ErrorCode::limit);
}

TEST(Contract, RefusesFieldRulesOutOfOrderOrTooLong) {
    Contract contract = sample();
    for (const MatchFields& bad :
         {MatchFields{},
          MatchFields{.pointers = {"/b", "/a"}},
          MatchFields{.pointers = {"/a", "/a"}},
          MatchFields{.pointers = {"a"}},
          MatchFields{.pointers = {"/" + std::string(256, 'a')}}}) {
        contract.match = bad;
        EXPECT_FALSE(well_formed(contract).has_value());
    }
    MatchFields many;
    for (int i = 0; i < 32; ++i)
        many.pointers.push_back("/" + std::to_string(100 + i));
    contract.match = many;
    EXPECT_TRUE(well_formed(contract).has_value());
    many.pointers.emplace_back("/200");
    contract.match = many;
    EXPECT_FALSE(well_formed(contract).has_value());
}

}  // namespace
}  // namespace creto
