// Benchmarks of the agreed state: tree updates, proofs, and executing blocks.
#include <benchmark/benchmark.h>

#include "base/prng.hpp"
#include "state/merkle_map.hpp"

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

}  // namespace
}  // namespace creto
