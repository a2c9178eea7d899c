// A vote record that decodes encodes to the same bytes again; nothing crashes.
#include <cstdlib>

#include "order/vote_log.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const creto::ByteView input{data, size};
    if (const auto record = creto::simplex::decode_vote_record(input)) {
        if (!creto::equal(creto::simplex::encode_vote_record(*record), input)) std::abort();
    }
    return 0;
}
