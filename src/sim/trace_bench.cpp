#include <benchmark/benchmark.h>

#include "sim/trace.hpp"

namespace creto {
namespace {

void trace_add(benchmark::State& state) {
    TraceHash trace;
    std::uint32_t number = 0;
    for (auto _ : state) {
        trace.add(Instant::from_ns(number), NodeIndex{number % 100}, 3, number);
        ++number;
    }
    benchmark::DoNotOptimize(trace.digest());
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(trace_add);

}  // namespace
}  // namespace creto
