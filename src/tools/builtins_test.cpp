#include "tools/builtins.hpp"

#include <gtest/gtest.h>
#include <set>

#include "tools/base64.hpp"
#include "tools/json_parse.hpp"
#include "tools/text_case.hpp"

namespace creto {
namespace {

/// The result, or the message of the error.
std::string call(std::string_view tool, std::string_view arguments, std::size_t bytes_max = 1'000) {
    static const auto snapshot = builtin_registry().snapshot();
    const ToolContext context{.unix_ms = 1'709'208'000'123, .result_bytes_max = bytes_max};
    const auto result = call_local(*snapshot, tool, arguments, context);
    return result ? *result : result.error().message;
}

TEST(Builtins, AreAtLeastFifteenWithContractsOfTheirOwn) {
    const auto tools = builtin_tools();
    EXPECT_GE(tools.size(), 15U);
    std::set<ContractId> ids;
    for (const Tool& tool : tools) {
        EXPECT_TRUE(ids.insert(tool.id()).second) << tool.name();
        EXPECT_FALSE(tool.offer().description.empty()) << tool.name();
        const bool is_clock =
            std::set<std::string>{"timestamp", "clock", "stamp"}.count(tool.name()) > 0;
        EXPECT_NE(tool.contract().deterministic, is_clock) << tool.name();
        EXPECT_NE(tool.offer().contract.has(ContractSummary::pinned), is_clock) << tool.name();
        EXPECT_TRUE(tool.contract().idempotent);
    }
}

TEST(Builtins, Calculate) {
    EXPECT_EQ(call("add", R"({"a":10,"b":20})"), "30");
    EXPECT_EQ(call("add", R"({"a":0.1,"b":0.2})"), "0.3");
    EXPECT_EQ(call("subtract", R"({"a":1,"b":2.5})"), "-1.5");
    EXPECT_EQ(call("multiply", R"({"a":1e10,"b":1e10})"), "100000000000000000000");
    EXPECT_EQ(call("divide", R"({"a":1,"b":8})"), "0.125");
    EXPECT_EQ(call("divide", R"({"a":1,"b":0})"), "divide: division by zero");
    EXPECT_EQ(call("min", R"({"numbers":[3,1,2]})"), "1");
    EXPECT_EQ(call("max", R"({"numbers":[3,1,2]})"), "3");
    EXPECT_EQ(
        call("min", R"({"numbers":[]})"),
        "min: 0 items, at least 1 at /numbers (schema /properties/numbers/minItems)"
    );
    EXPECT_EQ(call("sum", R"({"numbers":[1,2,3.5]})"), "6.5");
    EXPECT_EQ(call("sum", R"({"numbers":[]})"), "0");
    EXPECT_EQ(
        call("add", R"({"a":1e9000,"b":1})"), "add: number: more than 1024 significant digits"
    );
    EXPECT_EQ(
        call("add", R"({"a":1,"b":2,"c":3})"),
        "add: nothing is allowed at /c (schema /additionalProperties)"
    );
}

TEST(Builtins, CountPrimesAndShowWhatTheyFoundSoFar) {
    const auto primes = [](int below) {
        return call("primes", "{\"below\":" + std::to_string(below) + "}");
    };
    const auto found = [](int below, int count, int greatest) {
        return "{\"below\":" + std::to_string(below) + ",\"count\":" + std::to_string(count) +
               ",\"greatest\":" + std::to_string(greatest) + "}";
    };
    EXPECT_EQ(primes(0), found(0, 0, 0));
    EXPECT_EQ(primes(2), found(2, 0, 0));
    EXPECT_EQ(primes(3), found(3, 1, 2));
    EXPECT_EQ(primes(4), found(4, 2, 3));
    EXPECT_EQ(primes(25), found(25, 9, 23)) << "25 is the square of a prime";
    EXPECT_EQ(primes(26), found(26, 9, 23));
    EXPECT_EQ(primes(1'000'003), found(1'000'003, 78'498, 999'983)) << "one segment, to its end";
    EXPECT_EQ(primes(1'000'004), found(1'000'004, 78'499, 1'000'003)) << "one number more";
    struct Sink final : PieceSink {
        [[nodiscard]] bool show(Piece piece) override {
            shown.push_back(std::move(piece));
            return shown.size() < most;
        }
        std::vector<Piece> shown;
        std::size_t most = 1'000;
    } sink;
    const ToolContext context{.pieces = &sink};
    const auto snapshot = builtin_registry().snapshot();
    const std::string many = R"({"below":2500000})";
    EXPECT_TRUE(call_local(*snapshot, "primes", many, context));
    ASSERT_EQ(sink.shown.size(), 6U) << "a value and a progress of each of three segments";
    EXPECT_EQ(sink.shown[0].text, found(1'000'003, 78'498, 999'983));
    EXPECT_EQ(sink.shown[5], progress_piece(2'500'000, 2'500'000, "sieving"));
    sink.shown.clear();
    sink.most = 3;
    EXPECT_FALSE(call_local(*snapshot, "primes", many, context));
    EXPECT_EQ(sink.shown.size(), 3U) << "it ends when nobody looks any more";
    EXPECT_FALSE(is_quick("primes"));
    EXPECT_TRUE(is_quick("add"));
}

TEST(Builtins, TransformTexts) {
    EXPECT_EQ(call("concat", R"({"a":"x","b":"y"})"), "\"xy\"");
    EXPECT_EQ(
        call("uppercase", R"({"text":"stra\u00dfe \u00e9\u03c2\u0436"})"),
        "\"STRA\u00dfE \u00c9\u03a3\u0416\""
    );
    EXPECT_EQ(call("lowercase", R"({"text":"ABC \u00c9\u0178"})"), "\"abc \u00e9\u00ff\"");
    EXPECT_EQ(call("reverse", R"({"text":"a\u00e9\ud83d\ude00z"})"), "\"z\U0001F600\u00e9a\"");
    EXPECT_EQ(call("length", R"({"text":"a\u00e9\ud83d\ude00z"})"), "4");
    EXPECT_EQ(call("split", R"({"text":"a,b,,c,","separator":","})"), R"(["a","b","","c",""])");
    EXPECT_EQ(call("split", R"({"text":"","separator":","})"), R"([""])");
    EXPECT_EQ(call("split", R"({"text":"a--b","separator":"--"})"), R"(["a","b"])");
    EXPECT_EQ(call("join", R"({"parts":["a","b","c"],"separator":", "})"), "\"a, b, c\"");
    EXPECT_EQ(call("join", R"({"parts":[],"separator":","})"), "\"\"");
    EXPECT_EQ(call("replace", R"({"text":"aaa","from":"aa","to":"b"})"), "\"ba\"");
    EXPECT_EQ(call("replace", R"({"text":"x.y.z","from":".","to":""})"), "\"xyz\"");
    EXPECT_EQ(call("sort_lines", R"({"text":"b\na\nc\n"})"), R"("a\nb\nc\n")");
    EXPECT_EQ(call("sort_lines", R"({"text":"b\n\na"})"), R"("\na\nb")");
    EXPECT_EQ(call("sort_lines", R"({"text":""})"), R"("")");
    EXPECT_EQ(call("count_words", R"({"text":"  one two\n\tthree\u2003four "})"), "4");
    EXPECT_EQ(call("count_words", R"({"text":""})"), "0");
}

TEST(Builtins, DigestAndEncode) {
    EXPECT_EQ(
        call("hash", R"({"text":""})"),
        "\"af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262\""
    );
    EXPECT_EQ(
        call("sha256", R"({"text":"abc"})"),
        "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\""
    );
    EXPECT_EQ(call("base64_encode", R"({"text":"foob"})"), "\"Zm9vYg==\"");
    EXPECT_EQ(call("base64_decode", R"({"text":"Zm9vYg=="})"), "\"foob\"");
    EXPECT_EQ(call("base64_decode", R"({"text":"Zm9"})"), "base64_decode: not base64 with padding");
    EXPECT_EQ(
        call("base64_decode", R"({"text":"/w=="})"),
        "base64_decode: what it stands for is not text in UTF-8"
    );
}

TEST(Builtins, PickFromJson) {
    EXPECT_EQ(call("json_get", R"({"value":{"a":[1,{"b":null}]},"pointer":"/a/1/b"})"), "null");
    EXPECT_EQ(call("json_get", R"({"value":5,"pointer":""})"), "5");
    EXPECT_EQ(
        call("json_get", R"({"value":5,"pointer":"/x"})"), "json_get: there is nothing at /x"
    );
}

TEST(Builtins, TellTheTimeOfTheHost) {
    EXPECT_EQ(call("timestamp", "{}"), "\"2024-02-29T12:00:00.123Z\"");
    EXPECT_EQ(call("timestamp", R"({"format":"unix_ms"})"), "1709208000123");
    EXPECT_EQ(iso_time(0), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(iso_time(-1), "1969-12-31T23:59:59.999Z");
    EXPECT_EQ(iso_time(951'782'400'000), "2000-02-29T00:00:00.000Z");
    EXPECT_EQ(iso_time(4'107'542'399'999), "2100-02-28T23:59:59.999Z");
    EXPECT_EQ(iso_time(4'107'542'400'000), "2100-03-01T00:00:00.000Z");
    EXPECT_EQ(iso_time(253'402'300'799'999), "9999-12-31T23:59:59.999Z");
    EXPECT_FALSE(iso_time(253'402'300'800'000).has_value());
    EXPECT_EQ(iso_time(-62'167'219'200'000), "0000-01-01T00:00:00.000Z");
    EXPECT_FALSE(iso_time(-62'167'219'200'001).has_value());
}

TEST(Builtins, DoNotGrowBeyondTheResultLimit) {
    const std::string many = R"({"text":")" + std::string(500, 'a') + R"(","from":"a","to":")";
    EXPECT_EQ(
        call("replace", many + "bbb\"}"), "replace: the result would have more than 1000 bytes"
    );
    EXPECT_EQ(call("replace", many + "b\"}").size(), 502U);
    std::string parts = "{\"parts\":[\"\"";
    for (int i = 0; i < 200; ++i)
        parts += ",\"\"";
    EXPECT_EQ(
        call("join", parts + R"(],"separator":"123456"})"),
        "join: the result would have more than 1000 bytes"
    );
    const std::string commas = R"({"separator":",","text":")" + std::string(65'536, ',') + "\"}";
    EXPECT_EQ(call("split", commas, 1 << 20), "split: more than 65536 parts");
}

TEST(TextCase, MapsBackAndForth) {
    for (char32_t code = 0; code < 0x500; ++code) {
        const char32_t upper = to_upper(code);
        const char32_t lower = to_lower(code);
        EXPECT_EQ(to_upper(upper), upper) << static_cast<unsigned>(code);
        EXPECT_EQ(to_lower(lower), lower) << static_cast<unsigned>(code);
        EXPECT_TRUE(lower == code || to_upper(lower) == code) << static_cast<unsigned>(code);
    }
    EXPECT_EQ(to_upper(U'\u00f7'), U'\u00f7');
    EXPECT_EQ(to_upper(U'\u03ce'), U'\u038f');
    EXPECT_EQ(to_upper(U'\u0451'), U'\u0401');
    EXPECT_EQ(to_lower(U'\u0130'), U'\u0130');
}

TEST(Base64, HasOneTextPerByteString) {
    const std::pair<const char*, const char*> vectors[] = {
        {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}};
    for (const auto& [bytes, text] : vectors) {
        EXPECT_EQ(to_base64(as_bytes(bytes)), text);
        EXPECT_EQ(from_base64(text), to_bytes(bytes));
    }
    for (const char* bad :
         {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "=m9v", "Zg==Zg==", "Z===", "Zm 9", "Zm-_"})
        EXPECT_EQ(from_base64(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace creto
