// Our hashing beside upstream's C, in one run.
#include <benchmark/benchmark.h>
#include <blake3.h>

#include "crypto/digest.hpp"

namespace creto {
namespace {

void hash_ours(benchmark::State& state) {
    const Bytes content(static_cast<std::size_t>(state.range(0)), 7);
    for ([[maybe_unused]] auto _ : state)
        benchmark::DoNotOptimize(blake3(content));
}
BENCHMARK(hash_ours)->ArgName("bytes")->Arg(100)->Arg(1'024)->Arg(10'240);

void hash_upstream(benchmark::State& state) {
    const Bytes content(static_cast<std::size_t>(state.range(0)), 7);
    for ([[maybe_unused]] auto _ : state) {
        blake3_hasher hasher;
        blake3_hasher_init(&hasher);
        blake3_hasher_update(&hasher, content.data(), content.size());
        std::array<std::uint8_t, BLAKE3_OUT_LEN> out{};
        blake3_hasher_finalize(&hasher, out.data(), out.size());
        benchmark::DoNotOptimize(out);
    }
}
BENCHMARK(hash_upstream)->ArgName("bytes")->Arg(100)->Arg(1'024)->Arg(10'240);

/// With the domain in front, as everything that has an id is hashed.
void hash_with_domain(benchmark::State& state) {
    const Bytes content(static_cast<std::size_t>(state.range(0)), 7);
    for ([[maybe_unused]] auto _ : state)
        benchmark::DoNotOptimize(hash(HashDomain::vertex, content));
}
BENCHMARK(hash_with_domain)->ArgName("bytes")->Arg(100);

}  // namespace
}  // namespace creto
