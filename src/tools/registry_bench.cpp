#include <benchmark/benchmark.h>

#include "tools/builtins.hpp"
#include "tools/json_parse.hpp"
#include "tools/pattern.hpp"
#include "tools/schema.hpp"

namespace creto {
namespace {

constexpr std::string_view two_numbers = R"({"a":1,"b":2})";

/// A record of the size that tools usually exchange, about 1 KB.
std::string record() {
    std::string text = R"({"id":123456,"name":"Ada Lovelace","tags":["x","y","zzz"],"rows":[)";
    for (int i = 0; i < 20; ++i) {
        text += (i ? "," : "") + std::string{R"({"n":)"} + std::to_string(i * 37) +
                R"(,"text":"row number )" + std::to_string(i) + R"(","ok":true})";
    }
    return text + "]}";
}

void local_call_add(benchmark::State& state) {
    const auto snapshot = builtin_registry().snapshot();
    for (auto _ : state)
        benchmark::DoNotOptimize(call_local(*snapshot, "add", two_numbers, {}));
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(local_call_add);

void local_call_concat(benchmark::State& state) {
    const auto snapshot = builtin_registry().snapshot();
    for (auto _ : state)
        benchmark::DoNotOptimize(
            call_local(*snapshot, "concat", R"({"a":"hello, ","b":"world"})", {})
        );
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(local_call_concat);

void local_call_refused(benchmark::State& state) {
    const auto snapshot = builtin_registry().snapshot();
    for (auto _ : state)
        benchmark::DoNotOptimize(call_local(*snapshot, "add", R"({"a":1,"b":"2"})", {}));
}
BENCHMARK(local_call_refused);

void parse(benchmark::State& state, const std::string& text) {
    for (auto _ : state)
        benchmark::DoNotOptimize(parse_json(text));
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK_CAPTURE(parse, two_numbers, std::string{two_numbers});
BENCHMARK_CAPTURE(parse, record_1k, record());

void write_canonical(benchmark::State& state, const std::string& text) {
    const Json value = parse_json(text).value();
    for (auto _ : state)
        benchmark::DoNotOptimize(canonical(value));
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK_CAPTURE(write_canonical, two_numbers, std::string{two_numbers});
BENCHMARK_CAPTURE(write_canonical, record_1k, record());

void schema_check_add(benchmark::State& state) {
    const auto snapshot = builtin_registry().snapshot();
    const Schema schema = Schema::compile(snapshot->find("add")->contract().input).value();
    const Json value = parse_json(two_numbers).value();
    for (auto _ : state)
        benchmark::DoNotOptimize(schema.check(value));
}
BENCHMARK(schema_check_add);

void schema_check_record(benchmark::State& state) {
    const Schema schema =
        Schema::compile(
            parse_json(R"({"type":"object","required":["id","name","rows"],"properties":{
                "id":{"type":"integer","minimum":0},"name":{"type":"string","maxLength":80},
                "tags":{"type":"array","items":{"type":"string"},"uniqueItems":true},
                "rows":{"type":"array","items":{"$ref":"#/$defs/row"}}},
                "$defs":{"row":{"type":"object","required":["n"],"additionalProperties":false,
                "properties":{"n":{"type":"integer"},"text":{"type":"string","minLength":1},
                "ok":{"type":"boolean"}}}}})")
                .value()
        )
            .value();
    const Json value = parse_json(record()).value();
    for (auto _ : state)
        benchmark::DoNotOptimize(schema.check(value));
}
BENCHMARK(schema_check_record);

void pattern_of_a_date(benchmark::State& state) {
    const Pattern pattern = Pattern::compile("^\\d{4}-\\d{2}-\\d{2}$").value();
    for (auto _ : state)
        benchmark::DoNotOptimize(pattern.found_in("2024-02-29"));
}
BENCHMARK(pattern_of_a_date);

void decimal_add(benchmark::State& state) {
    const Decimal a = Decimal::parse("12345.678").value();
    const Decimal b = Decimal::parse("0.125").value();
    for (auto _ : state)
        benchmark::DoNotOptimize(Decimal::add(a, b));
}
BENCHMARK(decimal_add);

void contract_id(benchmark::State& state) {
    const auto snapshot = builtin_registry().snapshot();
    const Contract& contract = snapshot->find("add")->contract();
    for (auto _ : state)
        benchmark::DoNotOptimize(contract.id());
}
BENCHMARK(contract_id);

}  // namespace
}  // namespace creto
