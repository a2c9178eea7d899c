// VoteLogFormat: the bytes of a vote log, and what can still be trusted after a crash or damage.
//
// Why      A node that forgets a vote may vote twice. So what a crash leaves behind (a torn tail,
//          never acknowledged) must be told from damage (an acknowledged vote is gone).
// Format   header  "cretovl1", salt u64, checksum 8
//          frame   length u32, sequence u64, checksum 8, payload; one frame for each append, its
//                  payload the records, each as length and bytes. Little-endian, as Writer writes.
//          A checksum is the first 8 bytes of BLAKE3(HashDomain::checksum, salt, sequence,
//          payload); the header's is that of sequence 0 and no payload. Zeros may follow the last
//          frame.
// Holds    A bad frame is a torn tail if nothing valid follows, and else damage: an append starts
//          only when the one before is durable, and a frame is one append, so a disk that writes
//          the pages of one append in any order cannot make a torn tail look like damage. The salt
//          is each file's own, so that no peer's bytes inside a record can pose as a frame.
//          Damage to the very last frame looks like a torn tail; no log alone can tell them apart.
// Cost     One hash of each frame. Looking for valid frames after a bad one is bounded: beyond
//          `search_bytes_per_byte` of hashing the log counts as damaged.
#pragma once

#include "store/store.hpp"

namespace creto::vote_log {

inline constexpr std::size_t header_bytes = 24;
inline constexpr std::size_t frame_header_bytes = 20;
/// The most that one append may take; one over is refused with limit.
inline constexpr std::size_t payload_bytes_max = 16 * 1024 * 1024;
inline constexpr std::size_t search_bytes_per_byte = 16;

[[nodiscard]] Bytes header(std::uint64_t salt);

/// One frame with all `records`. Errors: limit. Requires: at least one record.
[[nodiscard]] Result<Bytes> frame(
    std::uint64_t salt, std::uint64_t sequence, const std::vector<Bytes>& records
);

/// A whole new log.
struct NewLog {
    Bytes bytes;
    std::uint64_t next_sequence = 1;
};
/// A log that holds `records`, in as many frames as they need. Errors: limit, for a record that
/// fits no frame.
[[nodiscard]] Result<NewLog> begin(std::uint64_t salt, const std::vector<Bytes>& records);

struct Parsed {
    VoteLogContents contents;  ///< All records that are readable, also those after damage.
    std::uint64_t salt = 0;
    std::uint64_t next_sequence = 1;
    /// The length up to the end of the last valid frame: where the next frame goes when intact.
    std::size_t valid_bytes = 0;
    /// Bytes of a torn tail, without the zeros after it.
    std::size_t torn_bytes = 0;
};

/// Reads a whole log. Anything can be handed in; what is no log at all is "not intact".
[[nodiscard]] Parsed parse(ByteView bytes);

}  // namespace creto::vote_log
