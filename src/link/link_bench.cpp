#include <benchmark/benchmark.h>

#include "link/link_model.hpp"

namespace creto {
namespace {

/// Messages between random pairs of `nodes` at a million a second.
void plan_messages(benchmark::State& state, LinkKind kind, std::uint64_t bandwidth_bps) {
    const auto nodes = static_cast<std::uint32_t>(state.range(0));
    LinkProfile profile = lan_profile();
    profile.kind = kind;
    profile.bandwidth_bps = bandwidth_bps;
    LinkModel model{1, nodes, profile};
    Prng prng{1};
    std::uint64_t number = 0;
    for (auto _ : state) {
        const std::uint64_t word = prng.next();
        const auto from = static_cast<std::uint32_t>(scale_to(word, nodes));
        const auto to = (from + 1 + static_cast<std::uint32_t>(word % (nodes - 1))) % nodes;
        const Instant now = Instant::from_ns(static_cast<std::int64_t>(number) * 1'000);
        benchmark::DoNotOptimize(model.plan({NodeIndex{from}, NodeIndex{to}}, 200, now, number++));
    }
    state.SetItemsProcessed(state.iterations());
}

void link_plan_stream(benchmark::State& state) {
    plan_messages(state, LinkKind::stream, 0);
}
void link_plan_datagram(benchmark::State& state) {
    plan_messages(state, LinkKind::datagram, 0);
}
void link_plan_limited(benchmark::State& state) {
    plan_messages(state, LinkKind::stream, 1'000'000'000);
}
BENCHMARK(link_plan_stream)->ArgName("nodes")->Arg(4)->Arg(100)->Arg(10'000);
BENCHMARK(link_plan_datagram)->ArgName("nodes")->Arg(4)->Arg(10'000);
BENCHMARK(link_plan_limited)->ArgName("nodes")->Arg(4)->Arg(10'000);

}  // namespace
}  // namespace creto
