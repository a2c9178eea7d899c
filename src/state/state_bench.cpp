// Benchmarks of the agreed state: tree updates, proofs, and executing blocks.
#include <benchmark/benchmark.h>

#include "base/prng.hpp"
#include "state/merkle_map.hpp"
#include "state/state_fixture.hpp"

namespace creto {
namespace {

std::vector<std::string> keys_of(std::size_t count) {
    std::vector<std::string> keys;
    keys.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
        keys.push_back("final/key-" + std::to_string(i));
    return keys;
}

/// Batches of 10,000 updates of a map of `keys` entries, the root taken after each.
void merkle_update(benchmark::State& state) {
    const auto size = static_cast<std::size_t>(state.range(0));
    const std::vector<std::string> keys = keys_of(size);
    MerkleMap map;
    for (const std::string& key : keys)
        map.set(key, Bytes(32, 1));
    benchmark::DoNotOptimize(map.root());
    Prng prng{1};
    std::uint8_t round = 0;
    for (auto _ : state) {
        ++round;
        for (int i = 0; i < 10'000; ++i)
            map.set(keys[prng.below(size)], Bytes(32, round));
        benchmark::DoNotOptimize(map.root());
    }
    state.SetItemsProcessed(state.iterations() * 10'000);
}
BENCHMARK(merkle_update)->ArgName("keys")->Arg(10'000)->Arg(100'000)->Arg(1'000'000);

void merkle_insert(benchmark::State& state) {
    const std::vector<std::string> keys = keys_of(100'000);
    for (auto _ : state) {
        MerkleMap map;
        for (const std::string& key : keys)
            map.set(key, Bytes(32, 1));
        benchmark::DoNotOptimize(map.root());
    }
    state.SetItemsProcessed(state.iterations() * 100'000);
}
BENCHMARK(merkle_insert);

void merkle_prove_and_verify(benchmark::State& state) {
    const std::vector<std::string> keys = keys_of(100'000);
    MerkleMap map;
    for (const std::string& key : keys)
        map.set(key, Bytes(32, 1));
    const Digest root = map.root();
    const Bytes value(32, 1);
    Prng prng{1};
    for (auto _ : state) {
        const std::string& key = keys[prng.below(keys.size())];
        benchmark::DoNotOptimize(verify(root, key, ByteView{value}, map.prove(key)));
    }
}
BENCHMARK(merkle_prove_and_verify);

/// Blocks of 1,000 operations of 4 lanes; `make` gives each operation's body.
template <class Make>
void apply_blocks(benchmark::State& state, const Make& make) {
    constexpr std::uint64_t per_vertex = 250;
    state_test::Network net{4};
    std::vector<std::vector<VertexPtr>> blocks(64);
    std::uint64_t n = 0;
    for (std::size_t b = 0; b < blocks.size(); ++b) {
        for (std::uint32_t seat = 0; seat < 4; ++seat) {
            std::vector<Operation> operations;
            for (std::uint64_t i = 0; i < per_vertex; ++i)
                operations.push_back(net.operation(seat, make(n++), Height{b + 500}));
            blocks[b].push_back(net.vertex(seat, std::move(operations)));
        }
    }
    for (auto _ : state) {
        FinalState final_state{net.roster};
        for (const auto& block : blocks)
            benchmark::DoNotOptimize(state_test::finalise(final_state, block));
    }
    state.SetItemsProcessed(
        state.iterations() * static_cast<std::int64_t>(blocks.size() * 4 * per_vertex)
    );
}

void apply_data(benchmark::State& state) {
    apply_blocks(state, [&](std::uint64_t) {
        return state_test::data(static_cast<std::size_t>(state.range(0)));
    });
}
BENCHMARK(apply_data)->ArgName("bytes")->Arg(100)->Arg(256)->Arg(1'024);

void apply_keys(benchmark::State& state) {
    const Bytes value(256, 1);
    apply_blocks(state, [&](std::uint64_t n) {
        return KeyOperation{
            KeyOperation::Action::set, "final/key-" + std::to_string(n % 10'000), value, 0};
    });
}
BENCHMARK(apply_keys);

void apply_counters(benchmark::State& state) {
    apply_blocks(state, [&](std::uint64_t n) {
        return state_test::count("causal/key-" + std::to_string(n % 1'000), 1);
    });
}
BENCHMARK(apply_counters);

/// Only what cannot be left out: hashing the operations' ids.
void operation_id(benchmark::State& state) {
    state_test::Network net{4};
    const Operation operation =
        net.operation(0, state_test::data(static_cast<std::size_t>(state.range(0))));
    for (auto _ : state)
        benchmark::DoNotOptimize(operation.id(net.roster.chain()));
}
BENCHMARK(operation_id)->ArgName("bytes")->Arg(256);

void causal_add_and_read(benchmark::State& state) {
    state_test::Network net{4};
    const FinalState base{net.roster};
    std::vector<VertexPtr> vertices;
    for (std::uint32_t i = 0; i < 1'000; ++i) {
        vertices.push_back(net.vertex(
            i % 4, {net.operation(i % 4, state_test::count("causal/" + std::to_string(i), 1))}
        ));
    }
    for (auto _ : state) {
        CausalState causal{base};
        for (const VertexPtr& vertex : vertices)
            causal.add(vertex);
        benchmark::DoNotOptimize(causal.read("causal/7"));
    }
    state.SetItemsProcessed(state.iterations() * 1'000);
}
BENCHMARK(causal_add_and_read);

}  // namespace
}  // namespace creto
