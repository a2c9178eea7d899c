#include "tools/registry.hpp"

#include <gtest/gtest.h>
#include <stdexcept>

#include "tools/json_parse.hpp"

namespace creto {
namespace {

using Status = CallAnswer::Status;

Contract contract(const char* name, const char* input = "true", const char* output = "true") {
    Contract contract;
    contract.name = name;
    contract.version = "1";
    contract.input = parse_json(input).value();
    contract.output = parse_json(output).value();
    return contract;
}

Tool tool(Contract what, ToolFunction function) {
    return Tool::make(std::move(what), "For tests.", std::move(function)).value();
}

Result<Json> same(const Json& arguments, const ToolContext&) {
    return arguments;
}

Registry with(Tool one) {
    Registry registry;
    EXPECT_TRUE(registry.add(std::move(one)).has_value());
    return registry;
}

CallError error_of(const Registry& registry, std::string_view name, std::string_view arguments) {
    const auto result = call_local(*registry.snapshot(), name, arguments, {});
    EXPECT_FALSE(result.has_value());
    return result ? CallError{} : result.error();
}

TEST(Registry, CallsAToolByName) {
    const Registry registry = with(tool(contract("echo"), same));
    EXPECT_EQ(
        call_local(*registry.snapshot(), "echo", R"({ "b":1.0, "a":[] })", {}), R"({"a":[],"b":1})"
    );
}

TEST(Registry, TellsErrorsApart) {
    const Registry registry = with(tool(
        contract(
            "half",
            R"({"properties":{"n":{"type":"integer"}},"required":["n"]})",
            R"({"type":"integer"})"
        ),
        [](const Json& arguments, const ToolContext&) -> Result<Json> {
            const Decimal& n = *arguments.find("n")->number();
            if (n.is_negative()) return fail(ErrorCode::invalid, "no negative numbers");
            auto half = Decimal::divide(n, Decimal{2});
            return Json{*half};
        }
    ));
    EXPECT_EQ(
        error_of(registry, "third", "{}"),
        (CallError{Status::unknown_tool, "there is no tool \"third\" here"})
    );
    EXPECT_EQ(error_of(registry, "half", "{\"n\":").status, Status::bad_arguments);
    EXPECT_EQ(
        error_of(registry, "half", R"({"n":"4"})"),
        (CallError{
            Status::bad_arguments,
            "half: expected integer, found string at /n (schema /properties/n/type)"})
    );
    EXPECT_EQ(
        error_of(registry, "half", R"({"n":-4})"),
        (CallError{Status::tool_error, "half: no negative numbers"})
    );
    EXPECT_EQ(
        error_of(registry, "half", R"({"n":5})"),
        (CallError{
            Status::tool_error,
            "half: the result breaks the contract: expected integer, found number at "
            "the top (schema /type)"})
    );
    EXPECT_EQ(call_local(*registry.snapshot(), "half", R"({"n":4})", {}), "2");
}

TEST(Registry, SurvivesAToolThatThrows) {
    Registry registry =
        with(tool(contract("throws"), [](const Json&, const ToolContext&) -> Result<Json> {
            throw std::runtime_error("broken\xFF");
        }));
    EXPECT_EQ(
        error_of(registry, "throws", "1"),
        (CallError{Status::tool_error, "throws: the tool failed without a readable message"})
    );
    ASSERT_TRUE(registry
                    .replace(tool(
                        contract("throws"),
                        [](const Json&, const ToolContext&) -> Result<Json> { throw 7; }
                    ))
                    .has_value());
    EXPECT_EQ(error_of(registry, "throws", "1").message, "throws: the tool failed");
}

TEST(Registry, RefusesAResultOneByteTooLongOrNotText) {
    const Registry registry = with(tool(contract("echo"), same));
    const ToolContext context{.unix_ms = 0, .result_bytes_max = 6};
    EXPECT_EQ(call_local(*registry.snapshot(), "echo", "\"1234\"", context), "\"1234\"");
    const auto longer = call_local(*registry.snapshot(), "echo", "\"12345\"", context);
    EXPECT_EQ(longer.error().message, "echo: the result has more than 6 bytes");
    const Registry broken = with(tool(contract("broken"), [](const Json&, const ToolContext&) {
        return Result<Json>{Json{"\xFF"}};
    }));
    EXPECT_EQ(error_of(broken, "broken", "1").status, Status::tool_error);
}

TEST(Registry, RefusesArgumentsOneByteTooLong) {
    const Registry registry = with(tool(contract("echo"), same));
    const std::string most = "\"" + std::string(limits::arguments_bytes_max - 2, 'a') + "\"";
    EXPECT_TRUE(call_local(*registry.snapshot(), "echo", most, {}).has_value());
    EXPECT_EQ(error_of(registry, "echo", most + " ").status, Status::bad_arguments);
}

TEST(Registry, ClipsWhatAToolSaysOfItsFailure) {
    const Registry registry =
        with(tool(contract("long"), [](const Json&, const ToolContext&) -> Result<Json> {
            return fail(ErrorCode::invalid, std::string(100'000, 'x'));
        }));
    EXPECT_LT(error_of(registry, "long", "1").message.size(), 5'000U);
}

TEST(Registry, AddsReplacesAndRemoves) {
    Registry registry = with(tool(contract("b"), same));
    EXPECT_EQ(registry.add(tool(contract("b"), same)).error().code, ErrorCode::conflict);
    ASSERT_TRUE(registry.add(tool(contract("a"), same)).has_value());
    const auto before = registry.snapshot();
    ASSERT_TRUE(registry.replace(tool(contract("b", "false"), same)).has_value());
    EXPECT_TRUE(registry.remove("a"));
    EXPECT_FALSE(registry.remove("a"));
    // The older snapshot still answers as it did.
    EXPECT_TRUE(call_local(*before, "a", "1", {}).has_value());
    EXPECT_TRUE(call_local(*before, "b", "1", {}).has_value());
    EXPECT_EQ(before->offers().size(), 2U);
    EXPECT_EQ(before->offers().front().name, "a");
    EXPECT_EQ(error_of(registry, "a", "1").status, Status::unknown_tool);
    EXPECT_EQ(error_of(registry, "b", "1").status, Status::bad_arguments);
}

TEST(Registry, FindsByContractAndChecksItWhenAsked) {
    const Registry registry = with(tool(contract("a"), same));
    const ContractId id = contract("a").id();
    ASSERT_NE(registry.snapshot()->find(id), nullptr);
    EXPECT_EQ(registry.snapshot()->find(id)->name(), "a");
    EXPECT_EQ(registry.snapshot()->find(contract("b").id()), nullptr);
    EXPECT_TRUE(call_local(*registry.snapshot(), "a", "1", {}, id).has_value());
    const auto other = call_local(*registry.snapshot(), "a", "1", {}, contract("b").id());
    EXPECT_EQ(other.error().status, Status::unknown_tool);
}

TEST(Registry, OffersWhatOthersCanRead) {
    const Registry registry = with(tool(contract("a", R"({"type":"object"})"), same));
    const ToolOffer offer = registry.snapshot()->offers().front();
    const auto read = Contract::parse(offer.definition);
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->summary(), offer.contract);
    EXPECT_EQ(read->name, offer.name);
    EXPECT_EQ(offer.description, "For tests.");
}

TEST(Registry, RefusesOneToolTooMany) {
    Registry registry;
    for (std::size_t i = 0; i < limits::contracts_per_agent_max; ++i)
        ASSERT_TRUE(
            registry.add(tool(contract(("t" + std::to_string(i)).c_str()), same)).has_value()
        );
    EXPECT_EQ(registry.add(tool(contract("more"), same)).error().code, ErrorCode::limit);
    EXPECT_TRUE(registry.replace(tool(contract("t0"), same)).has_value());
}

TEST(Tool, RefusesContractsThatCannotWork) {
    EXPECT_FALSE(Tool::make(contract("a b"), "", same).has_value());
    EXPECT_EQ(
        Tool::make(contract("a", R"({"type":1})"), "", same).error().message,
        "a: input schema: /type: unknown type"
    );
    EXPECT_FALSE(Tool::make(contract("a", "true", R"({"$ref":"x.json"})"), "", same).has_value());
    EXPECT_FALSE(Tool::make(contract("a"), "\xFF", same).has_value());
    EXPECT_FALSE(Tool::make(contract("a"), std::string(64 * 1024 + 1, 'x'), same).has_value());
    // As deep as a value may be by itself is too deep within a definition.
    const std::string deep = "{\"default\":" + std::string(63, '[') + std::string(63, ']') + "}";
    EXPECT_EQ(Tool::make(contract("a", deep.c_str()), "", same).error().code, ErrorCode::limit);
}

TEST(Tool, SplitsACallForThoseWhoRunItElsewhere) {
    const Tool hosted =
        tool(contract("hosted", R"({"type":"number"})", R"({"type":"string"})"), {});
    EXPECT_EQ(hosted.call("1", {}).error().status, Status::internal);
    EXPECT_EQ(*hosted.arguments("1"), Json{1});
    EXPECT_EQ(hosted.arguments("null").error().status, Status::bad_arguments);
    EXPECT_EQ(hosted.result(Json{"done"}, {}), "\"done\"");
    EXPECT_EQ(hosted.result(Json{1}, {}).error().status, Status::tool_error);
    EXPECT_EQ(hosted.result(fail(ErrorCode::io, "gone"), {}).error().message, "hosted: gone");
}

}  // namespace
}  // namespace creto
