// What a vertex costs its author, and what a signature costs everyone.
#include <benchmark/benchmark.h>

#include "crypto/signature.hpp"
#include "model/vertex.hpp"

namespace creto {
namespace {

KeySeed some_seed() {
    return KeySeed{std::array<std::uint8_t, KeySeed::size>{1, 2, 3}};
}

void ed25519_sign_64(benchmark::State& state) {
    const Bytes message(64, 7);
    for (auto _ : state)
        benchmark::DoNotOptimize(ed25519_sign_raw(some_seed(), message));
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(ed25519_sign_64);

void signer_sign_64(benchmark::State& state) {
    Ed25519Scheme scheme;
    const auto signer = scheme.signer(some_seed());
    const Bytes message(64, 7);
    for (auto _ : state)
        benchmark::DoNotOptimize(signer->sign(SignDomain::vertex, Digest{}, message));
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(signer_sign_64);

void ed25519_verify_64(benchmark::State& state) {
    const Bytes message(64, 7);
    const Signature signature = ed25519_sign_raw(some_seed(), message);
    const PublicKey key = ed25519_public_key(some_seed());
    for (auto _ : state) {
        if (!ed25519_verify_raw(key, message, signature)) state.SkipWithError("refused");
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(ed25519_verify_64);

/// Encoded, hashed and signed; the cost of copying the operation in is in it.
void vertex_create(benchmark::State& state) {
    Ed25519Scheme scheme;
    const auto signer = scheme.signer(some_seed());
    Operation operation;
    operation.client = ed25519_public_key(some_seed());
    operation.body = DataOperation{Bytes(static_cast<std::size_t>(state.range(0)), 7)};
    VertexHeader header;
    header.sequence = Sequence{1};
    for (auto _ : state) {
        benchmark::DoNotOptimize(SealedVertex::make(header, {operation}, ChainId{}, *signer));
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(vertex_create)->ArgName("bytes")->Arg(100)->Arg(10'240);

}  // namespace
}  // namespace creto
