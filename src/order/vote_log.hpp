// Vote records: one own vote as the vote log keeps it.
//
// Why      A vote that left this process must be known after any crash, or the seat signs twice.
// Format   Version byte 1, then the vote's canonical bytes, signature included: a restarted node
//          repeats its votes, it never makes them anew. [ORD-W3.1]
// Errors   corrupt: not a record of this version. The log's own checksums come first.
#pragma once

#include "model/vote.hpp"

namespace creto::simplex {

[[nodiscard]] Bytes encode_vote_record(const Vote& vote);
[[nodiscard]] Result<Vote> decode_vote_record(ByteView record);

}  // namespace creto::simplex
