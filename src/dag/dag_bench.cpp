#include <benchmark/benchmark.h>
#include <map>

#include "dag/dag_testing.hpp"

namespace creto {
namespace {

using testing::Authors;
using testing::checked;

/// `seats` lanes that write in turns, each vertex after the latest of two other lanes.
const std::vector<VertexPtr>& graph_of(std::size_t vertices, std::uint32_t seats = 10) {
    static std::map<std::pair<std::size_t, std::uint32_t>, std::vector<VertexPtr>> graphs;
    std::vector<VertexPtr>& all = graphs[{vertices, seats}];
    if (!all.empty()) return all;
    const Authors authors{seats};
    std::vector<VertexPtr> tips(seats);
    for (std::size_t i = 0; i < vertices; ++i) {
        const auto seat = static_cast<std::uint32_t>(i % seats);
        Authors::Draft draft{.after = tips[seat], .payload = 64};
        for (const std::uint32_t back : {1U, 3U}) {
            const VertexPtr& seen = tips[(seat + seats - back) % seats];
            if (seen) draft.parents.push_back(seen);
        }
        tips[seat] = authors.vertex(seat, draft);
        all.push_back(tips[seat]);
    }
    return all;
}

const Authors& ten() {
    static const Authors authors{10};
    return authors;
}
Dag full(const std::vector<VertexPtr>& all, const Authors& authors = ten()) {
    Dag dag{authors.roster(), {.lane_window_vertices = 1'000'000}};
    for (const VertexPtr& vertex : all)
        static_cast<void>(dag.add(checked(vertex)));
    return dag;
}

void graph_add(benchmark::State& state) {
    const auto& all = graph_of(static_cast<std::size_t>(state.range(0)));
    std::vector<Checked<VertexPtr>> ready;
    for (const VertexPtr& vertex : all)
        ready.push_back(checked(vertex));
    for (auto _ : state) {
        Dag dag{ten().roster()};
        for (const auto& vertex : ready)
            benchmark::DoNotOptimize(dag.add(vertex));
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(graph_add)->ArgName("vertices")->Arg(100)->Arg(1'000)->Arg(10'000);

void graph_get(benchmark::State& state) {
    const auto& all = graph_of(static_cast<std::size_t>(state.range(0)));
    const Dag dag = full(all);
    std::vector<VertexId> ids;
    for (const VertexPtr& vertex : all)
        ids.push_back(vertex->id());
    std::size_t i = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(dag.find(ids[i]));
        i = i + 1 == ids.size() ? 0 : i + 1;
    }
}
BENCHMARK(graph_get)->ArgName("vertices")->Arg(1'000)->Arg(40'000);

void graph_get_by_sequence(benchmark::State& state) {
    const Dag dag = full(graph_of(1'000));
    std::uint64_t i = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(dag.at(Authors::lane(i % 10), Sequence{1 + i / 10 % 100}));
        ++i;
    }
}
BENCHMARK(graph_get_by_sequence);

void topological_sort(benchmark::State& state) {
    const Dag dag = full(graph_of(static_cast<std::size_t>(state.range(0))));
    for (auto _ : state)
        benchmark::DoNotOptimize(dag.overlay());
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(topological_sort)->ArgName("vertices")->Arg(100)->Arg(1'000)->Arg(10'000);

void order_block(benchmark::State& state) {
    const Dag dag = full(graph_of(static_cast<std::size_t>(state.range(0))));
    const auto delta = dag.build_delta({});
    for (auto _ : state)
        benchmark::DoNotOptimize(dag.order({}, delta, BlockId{}, View{1}));
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(order_block)->ArgName("vertices")->Arg(100)->Arg(1'000)->Arg(8'000);

void build_delta(benchmark::State& state) {
    const Dag dag = full(graph_of(static_cast<std::size_t>(state.range(0))));
    for (auto _ : state)
        benchmark::DoNotOptimize(dag.build_delta({}));
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(build_delta)->ArgName("vertices")->Arg(1'000)->Arg(8'000);

void check_delta(benchmark::State& state) {
    const Dag dag = full(graph_of(static_cast<std::size_t>(state.range(0))));
    const auto delta = dag.build_delta({});
    for (auto _ : state)
        benchmark::DoNotOptimize(dag.check_delta({}, delta));
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(check_delta)->ArgName("vertices")->Arg(1'000)->Arg(8'000);

void has_unordered(benchmark::State& state) {
    const Authors authors{static_cast<std::uint32_t>(state.range(0))};
    const Dag dag = full(graph_of(1'000, static_cast<std::uint32_t>(state.range(0))), authors);
    Cut cut;
    for (const VertexRef& tip : dag.tips())
        cut.set(tip.lane, {tip.sequence, tip.id});
    for (auto _ : state)
        benchmark::DoNotOptimize(dag.has_unordered(cut));
}
BENCHMARK(has_unordered)->ArgName("seats")->Arg(7)->Arg(128);

}  // namespace
}  // namespace creto
