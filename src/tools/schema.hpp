// Schema: says whether a JSON value has the form that a contract promises.
//
// Why      Arguments and results of strangers are checked before anything uses them; and no
// packaged
//          library knows draft 2020-12 and works within bounds.
// Source   JSON Schema 2020-12 (core and validation): all keywords of its vocabularies. `format`
// and
//          the content keywords are annotations. Tested with the official suite.
// Holds    A schema is one document: references lead to places inside it, nothing is ever fetched.
//          Compiled once, then immutable: any number of threads may check with it.
// Differs  Documents that declare draft 6, 7 or 2019-09 are read by the rules of 2020-12, with
// `items`
//          as a list, `additionalItems` and `#anchor` ids understood as they were meant. Any other
//          declared dialect is refused. Keywords of no vocabulary are ignored.
// Errors   compile(): invalid (with the JSON Pointer of the keyword) or limit. check(): invalid
// when
//          the value does not match, limit when finding out would take too long.
// Cost     About 40 ns for {"a":1,"b":2} against two required numbers.
#pragma once

#include <cstdint>
#include <memory>

#include "tools/json.hpp"

namespace creto {

namespace schema {
struct Program;
}

struct SchemaLimits {
    std::size_t nodes_max = 10'000;  ///< Schemas within the document.
    /// Text of all their pointers and addresses together.
    std::size_t location_bytes_max = 4 * 1024 * 1024;
    std::size_t pattern_instructions_max = 65'536;  ///< Of all patterns together.
    std::uint64_t steps_max = 1'000'000;            ///< Work of one check, at about 10 ns a step.
    std::size_t depth_max = 256;  ///< Schemas applied inside each other during a check.
};

class Schema {
public:
    [[nodiscard]] static Result<Schema> compile(Json document, const SchemaLimits& limits = {});

    /// Nothing when the value matches; otherwise where and why not: "expected number, found string
    /// at /a (schema /properties/a/type)".
    [[nodiscard]] Result<void> check(const Json& value) const;

    [[nodiscard]] const Json& document() const;

private:
    explicit Schema(std::shared_ptr<const schema::Program> program)
        : program_{std::move(program)} {}
    std::shared_ptr<const schema::Program> program_;
};

}  // namespace creto
