#include "tools/json.hpp"

#include <algorithm>
#include <gtest/gtest.h>

#include "tools/json_parse.hpp"
#include "tools/utf8.hpp"

namespace creto {
namespace {

std::string form(std::string_view text) {
    const auto value = parse_json(text);
    return value ? canonical(*value) : value.error().message;
}

ErrorCode json_refusal(std::string_view text, const JsonLimits& limits = {}) {
    const auto value = parse_json(text, limits);
    EXPECT_FALSE(value.has_value()) << text;
    return value ? ErrorCode::io : value.error().code;
}

TEST(Json, EqualValuesHaveOneText) {
    EXPECT_EQ(
        form(R"( { "b" : 1.0 , "a" : [ true , null , "x" ] } )"), R"({"a":[true,null,"x"],"b":1})"
    );
    EXPECT_EQ(form(R"("\u0041\n\u001f\/\"\\")"), R"("A\n\u001f/\"\\")");
    EXPECT_EQ(form("[]"), "[]");
    EXPECT_EQ(form("{}"), "{}");
    EXPECT_EQ(form("[[],{},[[]]]"), "[[],{},[[]]]");
    EXPECT_EQ(form(R"("\ud83d\ude00")"), "\"\xF0\x9F\x98\x80\"");
    EXPECT_EQ(form("\"\xC3\xA9\""), "\"\xC3\xA9\"");
    EXPECT_EQ(form(R"("\u0000")"), R"("\u0000")");
    EXPECT_EQ(form("-0"), "0");
    EXPECT_EQ(form("30"), "30");
    EXPECT_EQ(form("123456789012345678901234567890"), "123456789012345678901234567890");
    EXPECT_EQ(form("999999999999999999"), "999999999999999999");
    EXPECT_EQ(form("9999999999999999999"), "9999999999999999999");
}

TEST(Json, ReadsItsOwnTextBack) {
    for (const char* text :
         {R"({"":0,"a":{"b":[1,2,{"c":-1.5e-9}]},"z":"\u0001\b\f\t\r"})", "[1e+21,null,false]"}) {
        const std::string once = form(text);
        EXPECT_EQ(form(once), once);
    }
}

TEST(Json, RefusesWhatIsNotJson) {
    for (const char* text :
         {"",
          " ",
          "{",
          "[",
          "[1",
          "[1,",
          "[1,]",
          "[,1]",
          "{\"a\"}",
          "{\"a\":}",
          "{\"a\":1,}",
          "{a:1}",
          "{'a':1}",
          "\"a",
          "\"\\",
          "\"\\x\"",
          "\"\\u12\"",
          "\"\\u12g4\"",
          "tru",
          "nul",
          "True",
          "1 2",
          "[1]]",
          "01",
          "+1",
          ".5",
          "1.",
          "NaN",
          "// c\n1",
          "\"\n\"",
          "\xEF\xBB\xBF"
          "1",
          "{\"a\":1 \"b\":2}",
          "[1 2]",
          "-",
          "--1",
          "1e",
          "\"\t\""})
        EXPECT_EQ(json_refusal(text), ErrorCode::invalid) << text;
}

TEST(Json, RefusesARepeatedKey) {
    EXPECT_EQ(json_refusal(R"({"a":1,"a":1})"), ErrorCode::invalid);
    EXPECT_EQ(json_refusal(R"({"b":1,"a":1,"b":2})"), ErrorCode::invalid);
    EXPECT_EQ(json_refusal(R"({"a":1,"\u0061":1})"), ErrorCode::invalid);
    EXPECT_EQ(form(R"({"a":{"a":1}})"), R"({"a":{"a":1}})");
}

TEST(Json, RefusesLoneSurrogatesAndBrokenUtf8) {
    for (const char* text :
         {R"("\ud800")",
          R"("\udc00")",
          R"("\ud800\ud800")",
          R"("\ud800x")",
          "\"\x80\"",
          "\"\xC0\x80\"",
          "\"\xE0\x80\x80\"",
          "\"\xED\xA0\x80\"",
          "\"\xF4\x90\x80\x80\"",
          "\"\xF0\x80\x80\x80\"",
          "\"\xC3\"",
          "\"\xFF\"",
          "\"\xF5\x80\x80\x80\""})
        EXPECT_EQ(json_refusal(text), ErrorCode::invalid) << text;
}

TEST(Json, RefusesOneLevelTooDeep) {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '[') + std::string(depth, ']');
    };
    EXPECT_EQ(form(nested(64)), nested(64));
    EXPECT_EQ(json_refusal(nested(65)), ErrorCode::limit);
    EXPECT_EQ(json_refusal(std::string(100'000, '[')), ErrorCode::limit);
    std::string objects;
    for (int i = 0; i < 65; ++i)
        objects += "{\"a\":";
    EXPECT_EQ(json_refusal(objects), ErrorCode::limit);
}

TEST(Json, RefusesOneByteOrValueTooMany) {
    EXPECT_EQ(json_refusal("12345", {.bytes_max = 4}), ErrorCode::limit);
    EXPECT_TRUE(parse_json("1234", {.bytes_max = 4}).has_value());
    EXPECT_EQ(json_refusal("[1,2,3]", {.values_max = 3}), ErrorCode::limit);
    EXPECT_TRUE(parse_json("[1,2]", {.values_max = 3}).has_value());
    EXPECT_EQ(json_refusal("[1e10001]"), ErrorCode::limit);
}

TEST(Json, NamesTheByteThatIsWrong) {
    EXPECT_EQ(parse_json("{\"a\":1,}").error().message, "JSON: expected a key in quotes at byte 7");
    EXPECT_EQ(parse_json("[1,x]").error().message, "JSON: expected a value at byte 3");
    EXPECT_EQ(
        parse_json(R"({"a":1,"a":2})").error().message,
        "JSON: the key \"a\" occurs twice in the object that ends at byte 13"
    );
}

TEST(Json, FindsMembersInSmallAndLargeObjects) {
    std::string text = "{";
    for (int i = 0; i < 100; ++i)
        text += (i ? ",\"k" : "\"k") + std::to_string(i) + "\":" + std::to_string(i);
    const Json large = *parse_json(text + "}");
    for (int i = 0; i < 100; ++i)
        EXPECT_EQ(*large.find("k" + std::to_string(i)), Json{i});
    EXPECT_EQ(large.find("k100"), nullptr);
    EXPECT_EQ(Json{1}.find("a"), nullptr);
    const Json small = *parse_json(R"({"b":1,"a":2})");
    EXPECT_EQ(*small.find("b"), Json{1});
    EXPECT_EQ(small.find("c"), nullptr);
}

TEST(Json, FollowsPointers) {
    const Json value = *parse_json(R"({"a/b":1,"m~n":2,"":3,"x":[10,{"y":20}]})");
    EXPECT_EQ(value.at_pointer(""), &value);
    EXPECT_EQ(*value.at_pointer("/a~1b"), Json{1});
    EXPECT_EQ(*value.at_pointer("/m~0n"), Json{2});
    EXPECT_EQ(*value.at_pointer("/"), Json{3});
    EXPECT_EQ(*value.at_pointer("/x/0"), Json{10});
    EXPECT_EQ(*value.at_pointer("/x/1/y"), Json{20});
    for (const char* none : {"a", "/x/2", "/x/01", "/x/-", "/x/", "/q", "/a~2b", "/x/0/z", "/m~"})
        EXPECT_EQ(value.at_pointer(none), nullptr) << none;
    EXPECT_EQ(pointer_token("a/b~c"), "a~1b~0c");
}

TEST(Json, OrdersTotally) {
    std::vector<Json> values;
    for (const char* text :
         {"null",
          "false",
          "true",
          "-1",
          "0",
          "1.5",
          "\"\"",
          "\"a\"",
          "[]",
          "[0]",
          "[0,0]",
          "[1]",
          "{}",
          R"({"a":1})",
          R"({"a":1,"b":0})",
          R"({"a":2})",
          R"({"b":0})"})
        values.push_back(*parse_json(text));
    for (std::size_t i = 0; i < values.size(); ++i) {
        for (std::size_t j = 0; j < values.size(); ++j) {
            EXPECT_EQ(values[i] <=> values[j], i <=> j) << i << " " << j;
            EXPECT_EQ(values[i] == values[j], i == j);
        }
    }
}

TEST(JsonObject, KeepsItsMembersSorted) {
    JsonObject object{{"b", Json{1}}, {"a", Json{2}}};
    object.set("aa", Json{3});
    object.set("b", Json{4});
    EXPECT_EQ(canonical(Json{object}), R"({"a":2,"aa":3,"b":4})");
}

TEST(Utf8, CountsAndWritesCodePoints) {
    std::string text;
    for (const char32_t code : {U'a', U'\u00e9', U'\u20ac', U'\U0001F600', U'\U0010FFFF'})
        utf8::append(text, code);
    EXPECT_TRUE(utf8::valid(text));
    EXPECT_EQ(utf8::length(text), 5U);
    std::size_t at = 1;
    EXPECT_EQ(utf8::next(text, at), U'\u00e9');
    EXPECT_EQ(utf8::next(text, at), U'\u20ac');
    EXPECT_FALSE(utf8::valid("abc\xC3"));
}

}  // namespace
}  // namespace creto
