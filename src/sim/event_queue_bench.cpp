#include <benchmark/benchmark.h>

#include "base/prng.hpp"
#include "sim/event_queue.hpp"

namespace creto {
namespace {

/// The hold model: with so many pending, pop one and push one, 50 to 200 ms later.
void event_queue_hold(benchmark::State& state) {
    EventQueue queue;
    Prng prng{1};
    const auto later = [&] {
        return Duration::from_ns(static_cast<std::int64_t>(prng.between(50'000'000, 200'000'000)));
    };
    for (std::int64_t i = 0; i < state.range(0); ++i)
        queue.push(Instant{} + later(), static_cast<std::uint64_t>(i));
    for (auto _ : state) {
        const SimEvent event = queue.pop();
        queue.push(event.at + later(), event.payload);
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(event_queue_hold)
    ->ArgName("pending")
    ->Arg(10'000)
    ->Arg(100'000)
    ->Arg(1'000'000)
    ->Arg(10'000'000);

}  // namespace
}  // namespace creto
