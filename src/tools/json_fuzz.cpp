// Whatever parse_json() accepts has one text, which reads back as the same value.
#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "tools/json_parse.hpp"
#include "tools/utf8.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace creto;
    const auto value = parse_json(as_text({data, size}));
    if (!value) {
        CRETO_ASSERT(utf8::valid(value.error().message));
        return 0;
    }
    const std::string text = canonical(*value);
    CRETO_ASSERT(utf8::valid(text));
    // Plain notation may be longer than what was read, but not beyond all measure.
    const auto again = parse_json(text, {.bytes_max = 64 * 1024 * 1024});
    CRETO_ASSERT(again.has_value() && *again == *value);
    CRETO_ASSERT(canonical(*again) == text);
    CRETO_ASSERT((*again <=> *value) == std::strong_ordering::equal);
    if (const Decimal* number = value->number()) {
        const auto twice = Decimal::add(*number, *number);
        if (twice) CRETO_ASSERT(Decimal::subtract(*twice, *number).value() == *number);
        if (!number->is_zero()) CRETO_ASSERT(Decimal::divide(*number, *number)->text() == "1");
    }
    return 0;
}
