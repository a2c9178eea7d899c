// Whatever the bytes: no crash, and the valid part parses again to the same records.
#include <cstdlib>

#include "store/vote_log_format.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using creto::Bytes;
    // Behind a valid header, so that the frames are reached; and as it is.
    Bytes file = creto::vote_log::header(7);
    file.insert(file.end(), data, data + size);
    for (const creto::ByteView input : {creto::ByteView{data, size}, creto::ByteView{file}}) {
        const auto parsed = creto::vote_log::parse(input);
        if (parsed.valid_bytes > input.size()) std::abort();
        if (!parsed.contents.intact) continue;
        const auto again = creto::vote_log::parse(input.first(parsed.valid_bytes));
        if (!again.contents.intact || again.torn_bytes != 0 ||
            again.contents.records != parsed.contents.records)
            std::abort();
    }
    return 0;
}
