// The official JSON Schema test suite for draft 2020-12 (testdata/json_schema_2020_12).
//
// A Schema is one document and fetches nothing. Where a test refers to another document, that
// document is bundled into the schema as the specification describes (core, 9.3): as a definition
// with its address as $id. What cannot be tested this way is excluded below, each with its reason.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <sstream>

#include "tools/json_parse.hpp"
#include "tools/schema.hpp"

namespace creto {
namespace {

namespace fs = std::filesystem;

const fs::path suite = fs::path{CRETO_SOURCE_DIR} / "src/tools/testdata/json_schema_2020_12";

/// "file: group" or "file: group: test", and why.
const std::map<std::string, std::string> excluded{
    {"vocabulary.json: schema that uses custom metaschema with with no validation vocabulary",
     "a dialect of somebody's own is refused, as MCP asks"},
    {"vocabulary.json: ignore unrecognized optional vocabulary",
     "a dialect of somebody's own is refused, as MCP asks"},
    {"refRemote.json: retrieved nested refs resolve relative to their URI not $id",
     "nothing is retrieved, so there is no address but $id"},
    {"refRemote.json: remote HTTP ref with different $id",
     "nothing is retrieved, so there is no address but $id"},
    {"refRemote.json: remote HTTP ref with different URN $id",
     "nothing is retrieved, so there is no address but $id"},
    {"refRemote.json: remote HTTP ref with nested absolute ref",
     "nothing is retrieved, so there is no address but $id"},
    {"ecmascript-regex.json: patterns always use unicode semantics with pattern",
     "\\p{...} is refused"},
    {"ecmascript-regex.json: patterns always use unicode semantics with patternProperties",
     "\\p{...} is refused"},
    {"ecmascript-regex.json: pattern with non-ASCII digits", "\\p{...} is refused"},
    {"ecmascript-regex.json: patternProperties with non-ASCII digits", "\\p{...} is refused"},
    {"ecmascript-regex.json: \\a is not an ECMA 262 control escape",
     "asks for `format: regex` as an assertion; a schema with \\a in a pattern is refused"},
};

Json read_file(const fs::path& file) {
    std::ifstream in{file};
    std::stringstream text;
    text << in.rdbuf();
    auto value = parse_json(text.str());
    EXPECT_TRUE(value.has_value()) << file << ": " << value.error().message;
    return value ? std::move(*value) : Json{};
}

/// Documents that a test may refer to, by address.
std::map<std::string, Json> read_documents() {
    std::map<std::string, Json> documents;
    const fs::path remotes = suite / "remotes";
    for (const auto& entry : fs::recursive_directory_iterator{remotes}) {
        if (!entry.is_regular_file()) continue;
        const std::string address =
            "http://localhost:1234/draft2020-12/" + fs::relative(entry.path(), remotes).string();
        documents.emplace(address, read_file(entry.path()));
    }
    for (const auto& entry : fs::directory_iterator{suite / "metaschema"}) {
        Json document = read_file(entry.path());
        const std::string address = *document.find("$id")->string();
        documents.emplace(address, std::move(document));
    }
    return documents;
}

/// Whether a schema with this text may need the document: it refers to the meta-schema, or mentions
/// the file's name.
bool may_need(const std::string& text, const std::string& address) {
    if (address.starts_with("https://json-schema.org/")) {
        return text.find("\"$ref\":\"https://json-schema.org/") != std::string::npos;
    }
    return text.find(address.substr(address.rfind('/') + 1)) != std::string::npos;
}

Json bundled(const Json& schema, const std::map<std::string, Json>& documents) {
    if (!schema.object()) return schema;
    std::string text = canonical(schema);
    JsonObject definitions;
    if (const Json* own = schema.find("$defs")) definitions = *own->object();
    std::set<std::string> taken;
    for (std::size_t before = 1; before != taken.size();) {
        before = taken.size();
        for (const auto& [address, document] : documents) {
            const bool here = text.find("\"$id\":\"" + address + "\"") != std::string::npos;
            if (here || !document.object() || !may_need(text, address)) continue;
            JsonObject with_address = *document.object();
            if (!with_address.find("$id")) with_address.set("$id", Json{address});
            text += canonical(Json{with_address});
            definitions.set("bundled " + address, Json{with_address});
            taken.insert(address);
        }
        if (taken.empty()) return schema;
    }
    JsonObject all = *schema.object();
    all.set("$defs", Json{definitions});
    return Json{all};
}

struct Count {
    std::size_t passed = 0;
    std::size_t excluded = 0;
};

void run_file(const fs::path& file, const std::map<std::string, Json>& documents, Count& count) {
    const Json groups = read_file(file);
    for (const Json& group : *groups.array()) {
        const std::string name =
            file.filename().string() + ": " + *group.find("description")->string();
        const JsonArray& tests = *group.find("tests")->array();
        if (excluded.contains(name)) {
            count.excluded += tests.size();
            continue;
        }
        const Json document = bundled(*group.find("schema"), documents);
        const auto schema = Schema::compile(document);
        ASSERT_TRUE(schema.has_value()) << name << ": " << schema.error().message;
        for (const Json& test : tests) {
            const std::string full = name + ": " + *test.find("description")->string();
            if (excluded.contains(full)) {
                ++count.excluded;
                continue;
            }
            const auto verdict = schema->check(*test.find("data"));
            const bool expected = *test.find("valid")->boolean();
            EXPECT_EQ(verdict.has_value(), expected)
                << full << ": " << (verdict ? "accepted" : verdict.error().message);
            const bool within_limits = verdict || verdict.error().code == ErrorCode::invalid;
            EXPECT_TRUE(within_limits) << full;
            if (verdict.has_value() == expected && within_limits) ++count.passed;
        }
    }
}

std::vector<fs::path> files_in(const fs::path& folder) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator{folder}) {
        if (entry.path().extension() == ".json") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

TEST(SchemaSuite, PassesTheMandatoryTests) {
    const auto documents = read_documents();
    Count count;
    for (const fs::path& file : files_in(suite / "tests"))
        run_file(file, documents, count);
    RecordProperty("passed", static_cast<int>(count.passed));
    EXPECT_EQ(count.passed + count.excluded, 1'176U);
    EXPECT_GE(count.passed, 1'163U);
}

TEST(SchemaSuite, PassesTheOptionalTestsOfItsKeywords) {
    const auto documents = read_documents();
    Count count;
    for (const fs::path& file : files_in(suite / "tests/optional"))
        run_file(file, documents, count);
    RecordProperty("passed", static_cast<int>(count.passed));
    EXPECT_EQ(count.passed + count.excluded, 140U);
    EXPECT_GE(count.passed, 125U);
}

}  // namespace
}  // namespace creto
