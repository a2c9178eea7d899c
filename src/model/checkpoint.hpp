// Checkpoint: a final block with the cut after it and the parts of the state: where a chain can be
// entered.
//
// Why      A node need not execute a chain from its first block, nor keep it: the state after one
//          block, and the headers that prove it, are enough to go on from there.
// Source   Rule M4 in docs/spec/ordering.md; docs/decisions/0020-checkpoints.md.
// Holds    Checkpoints lie at the multiples of the genesis' checkpoint_blocks, and a later final
//          block names the mark of each [ORD-M4.1]. well_formed(): the cut is the one that the block
//          names, each tip is the vertex that the cut names, the mark is of the block's height. That
//          the block is final and the mark agreed is proven by headers (OfferedCheckpoint), that the
//          parts are the state by its root, once all of them are here.
// Units    A part is limits::checkpoint_part_bytes long, the last one shorter.
#pragma once

#include <algorithm>
#include <vector>

#include "model/block.hpp"

namespace creto {

struct Checkpoint {
    Block block;
    Cut cut;  ///< After the block.
    std::vector<VertexHeader>
        tips;           ///< Of the cut, in its order: whoever goes on needs their depth.
    ExecutedMark mark;  ///< What executing up to the block gave.
    std::uint64_t state_bytes = 0;
    std::vector<Digest> parts;  ///< What each part hashes to.

    [[nodiscard]] Height height() const { return block.height; }
    friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

/// How many parts so many bytes of state have.
[[nodiscard]] constexpr std::uint64_t checkpoint_parts(std::uint64_t state_bytes) {
    const std::uint64_t whole = state_bytes / limits::checkpoint_part_bytes;
    return whole + (state_bytes % limits::checkpoint_part_bytes == 0 ? 0 : 1);
}
/// How long a part is. Requires: its number is below checkpoint_parts().
[[nodiscard]] constexpr std::uint64_t checkpoint_part_size(
    std::uint64_t state_bytes, std::uint32_t number
) {
    const std::uint64_t from = number * std::uint64_t{limits::checkpoint_part_bytes};
    return std::min<std::uint64_t>(limits::checkpoint_part_bytes, state_bytes - from);
}
/// The bytes of a part. Requires: its number is below checkpoint_parts().
[[nodiscard]] ByteView checkpoint_part(ByteView state, std::uint32_t number);

[[nodiscard]] Result<void> well_formed(const Checkpoint& checkpoint);

void encode(Writer& w, const Checkpoint& v);
void decode(Reader& r, Checkpoint& v);

}  // namespace creto
