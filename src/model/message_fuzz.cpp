// Whatever decodes encodes to the same bytes again; nothing crashes.
#include <cstdlib>

#include "model/message.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const creto::ByteView input{data, size};
    if (const auto message = creto::decode_message(input)) {
        if (!creto::equal(*creto::encode_message(*message), input)) std::abort();
    }
    return 0;
}
