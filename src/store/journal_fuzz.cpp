// A batch that decodes encodes to the same bytes again; nothing crashes.
#include <cstdlib>

#include "store/journal.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const creto::ByteView input{data, size};
    const auto batch = creto::journal::decode(input);
    if (batch && *batch) {
        const creto::Bytes again = creto::journal::encode((*batch)->number, (*batch)->writes);
        if (!creto::equal(again, input)) std::abort();
    }
    return 0;
}
