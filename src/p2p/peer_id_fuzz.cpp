// Whatever parses as a peer id is written back the same.
#include "base/assert.hpp"
#include "p2p/peer_id.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace creto;
    const ByteView input{data, size};
    if (const auto key = p2p::from_key_protobuf(input)) {
        CRETO_ASSERT(equal(p2p::to_key_protobuf(*key), input));
    }
    if (const auto key = p2p::from_peer_id(input))
        CRETO_ASSERT(equal(p2p::to_peer_id(*key), input));
    if (const auto key = p2p::from_peer_id_text(as_text(input))) {
        CRETO_ASSERT(p2p::to_peer_id_text(*key) == as_text(input));
    }
    return 0;
}
