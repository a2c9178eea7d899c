// A hostile schema and a hostile value: an answer within bounds, whatever they are. The input is
// the schema's text, a zero byte, and the value's text.
#include <algorithm>

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "tools/json_parse.hpp"
#include "tools/schema.hpp"
#include "tools/utf8.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace creto;
    const std::string_view text = as_text({data, size});
    const std::size_t middle = std::min(text.find('\0'), text.size());
    auto document = parse_json(text.substr(0, middle));
    if (!document) return 0;
    const auto schema = Schema::compile(std::move(*document), {.steps_max = 100'000});
    if (!schema) {
        CRETO_ASSERT(utf8::valid(schema.error().message));
        return 0;
    }
    const auto value = parse_json(text.substr(std::min(middle + 1, text.size())));
    const auto check = [&schema](const Json& instance) {
        const auto first = schema->check(instance);
        CRETO_ASSERT(first || utf8::valid(first.error().message));
        const auto second = schema->check(instance);
        CRETO_ASSERT(second.has_value() == first.has_value());
        CRETO_ASSERT(first || second.error() == first.error());
    };
    check(value ? *value : Json{});
    check(schema->document());
    return 0;
}
