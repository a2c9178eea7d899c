// The same messages come out whether the input comes whole or byte by byte, within the limit.
#include "base/assert.hpp"
#include "p2p/framing.hpp"

namespace {

using creto::Bytes;
using creto::ByteView;

std::vector<Bytes> read_all(ByteView input, std::size_t step) {
    constexpr std::size_t message_bytes_max = 4096;
    creto::p2p::FrameReader reader{message_bytes_max};
    std::vector<Bytes> out;
    while (!input.empty()) {
        ByteView part = input.first(std::min(step, input.size()));
        input = input.subspan(part.size());
        while (true) {
            const auto frame = reader.next(part);
            if (!frame) return out;
            if (!*frame) break;
            CRETO_ASSERT((*frame)->size() <= message_bytes_max);
            out.emplace_back((*frame)->begin(), (*frame)->end());
        }
    }
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input{data, size};
    CRETO_ASSERT(read_all(input, size + 1) == read_all(input, 1));
    return 0;
}
