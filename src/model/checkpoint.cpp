#include "model/checkpoint.hpp"

#include <algorithm>

namespace creto {

ByteView checkpoint_part(ByteView state, std::uint32_t number) {
    const std::size_t from = std::size_t{number} * limits::checkpoint_part_bytes;
    CRETO_ASSERT(from < state.size());
    return state.subspan(from, std::min(limits::checkpoint_part_bytes, state.size() - from));
}

Result<void> well_formed(const Checkpoint& checkpoint) {
    const auto refuse = [](const char* why) { return fail(ErrorCode::invalid, why); };
    if (auto form = well_formed(checkpoint.block); !form) return form;
    if (checkpoint.mark.height != checkpoint.block.height)
        return refuse("checkpoint: its mark is of another height");
    if (checkpoint.cut.root() != checkpoint.block.cut_root)
        return refuse("checkpoint: its cut is not the one that its block names");
    if (checkpoint.tips.size() != checkpoint.cut.size())
        return refuse("checkpoint: it has not one tip for each lane");
    auto tip = checkpoint.tips.begin();
    for (const auto& [lane, at] : checkpoint.cut) {
        if (tip->lane != lane || tip->sequence != at.sequence || tip->id() != at.id)
            return refuse("checkpoint: a tip is not the vertex that its cut names");
        ++tip;
    }
    if (checkpoint.state_bytes == 0 ||
        checkpoint.parts.size() != checkpoint_parts(checkpoint.state_bytes))
        return refuse("checkpoint: it has not one digest for each part of the state");
    return {};
}

void encode(Writer& w, const Checkpoint& v) {
    encode(w, v.block);
    w.uvarint(v.cut.size());
    for (const auto& [lane, tip] : v.cut) {
        encode(w, lane);
        encode(w, tip);
    }
    encode_list(w, v.tips);
    encode(w, v.mark);
    w.uvarint(v.state_bytes);
    encode_list(w, v.parts);
}

void decode(Reader& r, Checkpoint& v) {
    decode(r, v.block);
    const std::size_t lanes = r.count(limits::lanes_per_message_max, 35);
    LaneId last;
    for (std::size_t i = 0; i < lanes && r.ok(); ++i) {
        Cut::Entry entry;
        decode(r, entry.first);
        decode(r, entry.second);
        if (i > 0 && !(last < entry.first)) r.fail(DecodeError::bad_value);
        if (!r.ok()) return;
        last = entry.first;
        v.cut.set(entry.first, entry.second);
    }
    decode_list(r, v.tips, limits::lanes_per_message_max, 35);
    decode(r, v.mark);
    v.state_bytes = r.uvarint();
    decode_list(r, v.parts, limits::checkpoint_parts_max, 32);
}

}  // namespace creto
