#include "tools/schema.hpp"

#include <gtest/gtest.h>

#include "tools/json_parse.hpp"

namespace creto {
namespace {

Json json(std::string_view text) {
    auto value = parse_json(text);
    EXPECT_TRUE(value.has_value()) << text << ": " << value.error().message;
    return value ? std::move(*value) : Json{};
}

Schema schema(std::string_view text, const SchemaLimits& limits = {}) {
    auto compiled = Schema::compile(json(text), limits);
    EXPECT_TRUE(compiled.has_value()) << text << ": " << compiled.error().message;
    return compiled ? std::move(*compiled) : Schema::compile(Json{true}).value();
}

/// "ok", or the message.
std::string verdict(std::string_view schema_text, std::string_view value) {
    const auto result = schema(schema_text).check(json(value));
    return result ? "ok" : result.error().message;
}

Error schema_refusal(std::string_view text, const SchemaLimits& limits = {}) {
    const auto compiled = Schema::compile(json(text), limits);
    EXPECT_FALSE(compiled.has_value()) << text;
    return compiled ? Error{} : compiled.error();
}

TEST(Schema, SaysWhereAndWhyAValueDoesNotMatch) {
    const char* add =
        R"({"type":"object","properties":{"a":{"type":"number"},"b":{"type":"number"}},
            "required":["a","b"],"additionalProperties":false})";
    EXPECT_EQ(verdict(add, R"({"a":1,"b":2})"), "ok");
    EXPECT_EQ(
        verdict(add, R"({"a":1,"b":"2"})"),
        "expected number, found string at /b (schema /properties/b/type)"
    );
    EXPECT_EQ(
        verdict(add, R"({"a":1})"), "the member \"b\" is missing at the top (schema /required)"
    );
    EXPECT_EQ(
        verdict(add, R"({"a":1,"b":2,"c":3})"),
        "nothing is allowed at /c (schema /additionalProperties)"
    );
    EXPECT_EQ(verdict(add, "7"), "expected object, found number at the top (schema /type)");
    EXPECT_EQ(
        verdict(R"({"items":{"properties":{"x/y":{"minLength":3}}}})", R"([{},{"x/y":"ab"}])"),
        "2 characters, at least 3 at /1/x~1y (schema /items/properties/x~1y/minLength)"
    );
    EXPECT_EQ(
        verdict(R"({"$defs":{"n":{"maximum":5}},"items":{"$ref":"#/$defs/n"}})", "[1,9]"),
        "9 is not at most 5 at /1 (schema /$defs/n/maximum)"
    );
    EXPECT_EQ(
        verdict(R"({"anyOf":[{"type":"null"},{"const":1}]})", "2"),
        "matches none of 2 alternatives at the top (schema /anyOf)"
    );
    EXPECT_EQ(verdict("false", "1"), "nothing is allowed at the top (schema itself)");
}

TEST(Schema, RefusesMalformedKeywordsByTheirPlace) {
    EXPECT_EQ(
        schema_refusal(R"({"properties":{"a":{"minLength":-1}}})").message,
        "schema: /properties/a/minLength: expected a count"
    );
    EXPECT_EQ(schema_refusal("7").message, "schema: a schema is an object or a boolean");
    for (const char* bad :
         {R"({"type":"int"})",
          R"({"type":[]})",
          R"({"type":[1]})",
          R"({"minLength":1.5})",
          R"({"maximum":"1"})",
          R"({"multipleOf":0})",
          R"({"multipleOf":-1})",
          R"({"pattern":"("})",
          R"({"pattern":1})",
          R"({"properties":[]})",
          R"({"properties":{"a":1}})",
          R"({"required":"a"})",
          R"({"required":[1]})",
          R"({"allOf":[]})",
          R"({"allOf":{}})",
          R"({"items":[true]})",
          R"({"enum":1})",
          R"({"uniqueItems":1})",
          R"({"$ref":1})",
          R"({"$id":1})",
          R"({"$anchor":"1a"})",
          R"({"$anchor":"a","items":{"$anchor":"a"}})",
          R"({"$defs":{"a":{"$id":"x"},"b":{"$id":"x"}}})",
          R"({"$id":"http://a/b#frag"})",
          R"({"patternProperties":{"[":true}})",
          R"({"dependentRequired":{"a":1}})",
          R"({"minContains":-1})",
          R"({"$defs":1})",
          R"({"not":1})"})
        EXPECT_EQ(schema_refusal(bad).code, ErrorCode::invalid) << bad;
}

TEST(Schema, NeverLeavesTheDocument) {
    EXPECT_EQ(
        schema_refusal(R"({"items":{"$ref":"http://example.com/a.json"}})").message,
        "schema: /items/$ref: \"http://example.com/a.json\" is not inside this document, and "
        "nothing is fetched"
    );
    for (const char* bad :
         {R"({"$ref":"other.json"})",
          R"({"$ref":"file:///etc/passwd"})",
          R"({"$dynamicRef":"https://json-schema.org/draft/2020-12/schema"})"})
        EXPECT_NE(schema_refusal(bad).message.find("nothing is fetched"), std::string::npos) << bad;
    for (const char* bad :
         {R"({"$ref":"#nowhere"})", R"({"$ref":"#/$defs/a"})", R"({"$ref":"#/%zz"})"})
        EXPECT_NE(schema_refusal(bad).message.find("leads nowhere"), std::string::npos) << bad;
}

TEST(Schema, ReadsOlderDraftsAsTheyWereMeant) {
    const std::string seven = R"({"$schema":"http://json-schema.org/draft-07/schema#",)";
    const std::string tuple =
        seven + R"("items":[{"type":"string"},{"type":"number"}],"additionalItems":false})";
    EXPECT_EQ(verdict(tuple, R"(["a",1])"), "ok");
    EXPECT_NE(verdict(tuple, R"(["a","b"])"), "ok");
    EXPECT_NE(verdict(tuple, R"(["a",1,2])"), "ok");
    const std::string anchor =
        seven + R"("definitions":{"x":{"$id":"#n","type":"null"}},"items":{"$ref":"#n"}})";
    EXPECT_EQ(verdict(anchor, "[null]"), "ok");
    EXPECT_NE(verdict(anchor, "[1]"), "ok");
    EXPECT_EQ(
        schema_refusal(R"({"$schema":"http://json-schema.org/draft-04/schema#"})").message,
        "schema: /$schema: the dialect \"http://json-schema.org/draft-04/schema#\" is not "
        "supported; JSON Schema 2020-12 is"
    );
}

TEST(Schema, StopsEndlessRecursion) {
    for (const char* loop :
         {R"({"$ref":"#"})",
          R"({"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}},
                               "$ref":"#/$defs/a"})",
          R"({"not":{"$ref":"#"}})",
          R"({"anyOf":[{"$ref":"#"},true]})",
          R"({"allOf":[{"$ref":"#"},{"$ref":"#"}]})",
          R"({"if":{"$ref":"#"}})",
          R"({"$dynamicAnchor":"a","$dynamicRef":"#a"})"}) {
        const auto result = schema(loop).check(Json{1});
        ASSERT_FALSE(result.has_value()) << loop;
        EXPECT_EQ(result.error().code, ErrorCode::limit) << loop;
    }
}

TEST(Schema, StopsOneStepBeyondItsBudget) {
    // One step for the array, one for each item.
    const auto counting = [](std::uint64_t steps) {
        return schema(R"({"items":{"type":"number"}})", {.steps_max = steps})
            .check(json("[1,2,3]"));
    };
    EXPECT_TRUE(counting(4).has_value());
    EXPECT_EQ(counting(3).error().code, ErrorCode::limit);
}

TEST(Schema, StopsOneLevelBeyondItsDepth) {
    const char* text = R"({"allOf":[{"allOf":[{"allOf":[true]}]}]})";
    EXPECT_TRUE(schema(text, {.depth_max = 4}).check(Json{}).has_value());
    EXPECT_EQ(schema(text, {.depth_max = 3}).check(Json{}).error().code, ErrorCode::limit);
}

TEST(Schema, BoundsWhatGrowsExponentially) {
    // Each level doubles the work: 2^60 applications in all.
    std::string text = R"({"$defs":{"n0":{"type":"string"})";
    for (int i = 1; i <= 60; ++i) {
        const std::string below = R"({"$ref":"#/$defs/n)" + std::to_string(i - 1) + "\"}";
        text += ",\"n" + std::to_string(i) + R"(":{"anyOf":[)" + below + "," + below + "]}";
    }
    text += R"(},"$ref":"#/$defs/n60"})";
    EXPECT_EQ(schema(text).check(Json{1}).error().code, ErrorCode::limit);
}

TEST(Schema, ChargesForPatternsByTheirSize) {
    const std::string pattern = R"({"items":{"pattern":"^(a|b|ab|ba){500}$"}})";
    std::string items = "[";
    for (int i = 0; i < 50; ++i)
        items += (i ? ",\"" : "\"") + std::string(900, 'a') + "\"";
    EXPECT_EQ(schema(pattern).check(json(items + "]")).error().code, ErrorCode::limit);
    EXPECT_TRUE(schema(R"({"pattern":"^(a|b)*$"})").check(Json{std::string(5'000, 'a')}).has_value()
    );
}

TEST(Schema, RefusesOneSchemaTooMany) {
    EXPECT_TRUE(Schema::compile(json(R"({"items":{"not":true}})"), {.nodes_max = 3}).has_value());
    EXPECT_EQ(schema_refusal(R"({"items":{"not":true}})", {.nodes_max = 2}).code, ErrorCode::limit);
}

TEST(Schema, RefusesLocationsThatAddUp) {
    // A long key above many schemas would be repeated in the pointer of each.
    std::string text = R"({"properties":{")" + std::string(10'000, 'k') + R"(":{"properties":{)";
    for (int i = 0; i < 1'000; ++i)
        text += (i ? ",\"p" : "\"p") + std::to_string(i) + "\":true";
    text += "}}}}";
    EXPECT_EQ(schema_refusal(text).code, ErrorCode::limit);
}

TEST(Schema, RefusesPatternsThatAddUp) {
    std::string text = "{\"patternProperties\":{";
    for (int i = 0; i < 20; ++i)
        text += (i ? ",\"" : "\"") + std::string{"a{1000}b{1000}c{1000}d{900}"} +
                std::to_string(i) + "\":true";
    EXPECT_EQ(schema_refusal(text + "}}").code, ErrorCode::limit);
    EXPECT_EQ(schema_refusal(R"({"pattern":"((a{1000}){1000}){1000}"})").code, ErrorCode::limit);
}

TEST(Schema, KeepsItsMessagesShort) {
    const std::string key(50'000, 'k');
    const auto message = verdict(R"({"additionalProperties":false})", "{\"" + key + "\":1}");
    EXPECT_LT(message.size(), 700U);
    EXPECT_LT(
        schema_refusal("{\"properties\":{\"" + key + "\":{\"type\":1}}}").message.size(), 700U
    );
}

TEST(Schema, ComparesNumbersExactly) {
    EXPECT_EQ(verdict(R"({"multipleOf":0.01})", "4.35"), "ok");  // Not so with doubles.
    EXPECT_EQ(verdict(R"({"const":1})", "1.0"), "ok");
    EXPECT_EQ(verdict(R"({"type":"integer"})", "1e3"), "ok");
    EXPECT_EQ(
        verdict(R"({"maximum":9007199254740992})", "9007199254740993"),
        "9007199254740993 is not at most 9007199254740992 at the top (schema /maximum)"
    );
    EXPECT_NE(verdict(R"({"uniqueItems":true})", "[1,1.0]"), "ok");
}

TEST(Schema, IsSharedByItsCopies) {
    const Schema first = schema(R"({"type":"null"})");
    const Schema second = first;
    EXPECT_TRUE(second.check(Json{}).has_value());
    EXPECT_EQ(&first.document(), &second.document());
}

}  // namespace
}  // namespace creto
