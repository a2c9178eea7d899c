#include "order/vote_log.hpp"

namespace creto::simplex {

namespace {

constexpr std::uint8_t vote_kind = 1;
constexpr std::uint8_t floor_kind = 2;

}  // namespace

Bytes encode_vote_record(const VoteRecord& record) {
    Writer w;
    if (const auto* vote = std::get_if<Vote>(&record)) {
        w.u8(vote_kind);
        encode(w, *vote);
    } else {
        w.u8(floor_kind);
        encode(w, std::get<VoteFloor>(record).epoch);
        encode(w, std::get<VoteFloor>(record).view);
    }
    return w.take();
}

Result<VoteRecord> decode_vote_record(ByteView bytes) {
    Reader reader{bytes};
    const std::uint8_t kind = reader.u8();
    VoteRecord record;
    if (kind == vote_kind) {
        decode(reader, record.emplace<Vote>());
    } else if (kind == floor_kind) {
        auto& floor = record.emplace<VoteFloor>();
        decode(reader, floor.epoch);
        decode(reader, floor.view);
    } else {
        reader.fail(DecodeError::bad_value);
    }
    if (reader.finish() == DecodeError::none) return record;
    return fail(ErrorCode::corrupt, std::string{"vote log: "} + to_string(reader.error()));
}

}  // namespace creto::simplex
