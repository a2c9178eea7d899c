// Keys: where ordering keeps blocks and certificates in the store.
//
// Why      A restarted node must find its chain, and what its votes rest on, by exact keys: Load
//          answers exact keys only.
// Format   Column::blocks        'f' height  StoredBlock   finalised, from height 1 without gaps
//                                'b' block   Proposal      known, not finalised
//          Column::certificates  'v' view kind  Certificate  above the final view, and the highest
//                                                            finalisation
//          Numbers in keys are big-endian, so that keys sort like numbers.
// Holds    A finalised block carries its own finalisation if it is the first directly finalised one
//          of its archive span, so certificates do not outgrow the chain; where a stretch without
//          any is longer than a message, `final_by` says where it ends.
#pragma once

#include <optional>

#include "model/block.hpp"
#include "model/effect.hpp"

namespace creto::simplex {

/// Heights per archived finalisation.
inline constexpr std::uint64_t archive_span = 64;
static_assert(2 * archive_span <= limits::blocks_per_message_max);

struct StoredBlock {
    Block block;
    std::optional<Certificate> finalization;
    Height final_by =
        {};  ///< The height whose finalisation made this one final: its own, or above.
    friend bool operator==(const StoredBlock&, const StoredBlock&) = default;
};

void encode(Writer& w, const StoredBlock& v);
void decode(Reader& r, StoredBlock& v);

inline constexpr std::uint8_t final_prefix = 'f';
inline constexpr std::uint8_t pending_prefix = 'b';
inline constexpr std::uint8_t certificate_prefix = 'v';

[[nodiscard]] Bytes final_block_key(Height height);
[[nodiscard]] Bytes pending_block_key(const BlockId& block);
[[nodiscard]] Bytes certificate_key(View view, VoteKind kind);

[[nodiscard]] KeyWrite write_final(const StoredBlock& stored);
[[nodiscard]] KeyWrite write_pending(const BlockId& id, const Proposal& proposal);
[[nodiscard]] KeyWrite erase_pending(const BlockId& id);
[[nodiscard]] KeyWrite write_certificate(const Certificate& certificate);
[[nodiscard]] KeyWrite erase_certificate(View view, VoteKind kind);

}  // namespace creto::simplex
