// Whatever the bytes: no crash, and the valid part parses again to the same records. A log made of
// the input, with one bit flipped: damage unless the bit is in the last frame.
#include <algorithm>

#include "base/testing/fuzz_input.hpp"
#include "store/vote_log_format.hpp"

namespace {

using creto::Bytes;
using creto::ByteView;
namespace vote_log = creto::vote_log;
using creto::testing::require;

void check_any_bytes(ByteView input) {
    const auto parsed = vote_log::parse(input);
    require(parsed.valid_bytes <= input.size());
    if (!parsed.contents.intact) return;
    const auto again = vote_log::parse(input.first(parsed.valid_bytes));
    require(again.contents.intact && again.torn_bytes == 0);
    require(again.contents.records == parsed.contents.records);
}

/// The first three bytes say where a bit flips; each further one how long the next record is.
void check_flipped_bit(ByteView input) {
    if (input.size() < 4) return;
    const std::size_t where = input[0] | static_cast<std::size_t>(input[1]) << 8U;
    const unsigned bit = input[2] % 8U;
    ByteView rest = input.subspan(3);
    Bytes file = vote_log::header(7);
    std::size_t last = 0;
    for (std::uint64_t sequence = 1; !rest.empty(); ++sequence) {
        const ByteView record = rest.subspan(1, std::min<std::size_t>(rest[0], rest.size() - 1));
        const auto frame = vote_log::frame(7, sequence, {Bytes(record.begin(), record.end())});
        last = file.size();
        file.insert(file.end(), frame->begin(), frame->end());
        rest = rest.subspan(1 + record.size());
    }
    require(vote_log::parse(file).valid_bytes == file.size());
    if (where >= file.size()) return;
    file[where] = static_cast<std::uint8_t>(file[where] ^ (1U << bit));
    require(vote_log::parse(file).contents.intact == (where >= last));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input{data, size};
    check_any_bytes(input);
    // Behind a valid header, so that the frames are reached.
    Bytes file = vote_log::header(7);
    file.insert(file.end(), data, data + size);
    check_any_bytes(file);
    check_flipped_bit(input);
    return 0;
}
