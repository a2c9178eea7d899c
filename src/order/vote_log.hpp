// Vote records: one own vote as the vote log keeps it.
//
// Why      A vote that left this process must be known after any crash, or the seat signs twice.
// Format   Byte 1, then the vote's canonical bytes, signature included: a restarted node repeats its
//          votes, it never makes them anew. [ORD-W3.1]
//          Byte 2, then an epoch and a view: votes of that epoch up to there, and of all epochs
//          before, are dropped, and there will never be another. [ORD-W4.1]
// Errors   corrupt: not a record of this version. The log's own checksums come first.
#pragma once

#include <variant>

#include "model/vote.hpp"

namespace creto::simplex {

/// This seat signs nothing at or below this view of this epoch.
struct VoteFloor {
    Epoch epoch;
    View view;
    friend bool operator==(const VoteFloor&, const VoteFloor&) = default;
};
using VoteRecord = std::variant<Vote, VoteFloor>;

[[nodiscard]] Bytes encode_vote_record(const VoteRecord& record);
[[nodiscard]] Result<VoteRecord> decode_vote_record(ByteView bytes);

}  // namespace creto::simplex
