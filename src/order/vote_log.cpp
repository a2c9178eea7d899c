#include "order/vote_log.hpp"

namespace creto::simplex {

namespace {
constexpr std::uint8_t record_version = 1;
}

Bytes encode_vote_record(const Vote& vote) {
    Writer w;
    w.u8(record_version);
    encode(w, vote);
    return w.take();
}

Result<Vote> decode_vote_record(ByteView record) {
    if (record.empty() || record.front() != record_version)
        return fail(ErrorCode::corrupt, "vote log: a record of unknown version");
    auto vote = decode_named<Vote>(record.subspan(1), "vote log");
    if (!vote) vote.error().code = ErrorCode::corrupt;
    return vote;
}

}  // namespace creto::simplex
