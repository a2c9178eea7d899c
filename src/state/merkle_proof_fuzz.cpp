// Whatever decodes as a proof encodes to the same bytes again, and shows nothing about a root that
// it was not made for.
#include <cstdlib>

#include "state/merkle_map.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace creto;
    const ByteView input{data, size};
    if (const auto proof = decode_exact<MerkleProof>(input)) {
        if (!equal(encode_bytes(*proof), input)) std::abort();
        MerkleMap map;
        for (const char* key : {"a", "b", "c", "d", "e"})
            map.set(key, {1});
        const Bytes wrong{2};
        if (verify(map.root(), "a", ByteView{wrong}, *proof)) std::abort();
        if (verify(map.root(), "a", std::nullopt, *proof)) std::abort();
    }
    return 0;
}
