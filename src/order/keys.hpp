// Keys: where ordering keeps blocks and certificates in the store.
//
// Why      A restarted node must find its chain, and what its votes rest on, by exact keys: Load
//          answers exact keys only.
// Format   Column::blocks        'f' height  StoredBlock   finalised, from height 1 without gaps
//                                'b' block   Proposal      known, not finalised
//                        'l' epoch   RosterLink    of each change of the roster
//          Column::certificates  'v' epoch view kind  Certificate  above the final view, and the
//                                                                  highest finalisation
//          Numbers in keys are big-endian, so that keys sort like numbers.
// Holds    A finalised block carries its own finalisation if it is the first directly finalised one
//          of its archive span, so certificates do not outgrow the chain; where a stretch without
//          any is longer than a message, `final_by` says where it ends. A boundary block always
//          carries what made it final: it ends its epoch for whoever comes later.
#pragma once

#include <optional>

#include "model/block.hpp"
#include "model/effect.hpp"
#include "model/roster_link.hpp"

namespace creto::simplex {

/// Heights per archived finalisation.
inline constexpr std::uint64_t archive_span = 64;
static_assert(2 * archive_span <= limits::blocks_per_message_max);

struct StoredBlock {
    Block block;
    std::optional<Certificate> finalization;
    Height final_by =
        {};  ///< The height whose finalisation made this one final: its own, or above.
    /// What `finalization` is about, when it is an echo of this boundary block. [ORD-L12.4]
    std::optional<Block> echo = std::nullopt;
    friend bool operator==(const StoredBlock&, const StoredBlock&) = default;
};

void encode(Writer& w, const StoredBlock& v);
void decode(Reader& r, StoredBlock& v);

inline constexpr std::uint8_t final_prefix = 'f';
inline constexpr std::uint8_t pending_prefix = 'b';
inline constexpr std::uint8_t certificate_prefix = 'v';

[[nodiscard]] Bytes final_block_key(Height height);
[[nodiscard]] Bytes pending_block_key(const BlockId& block);
[[nodiscard]] Bytes certificate_key(Epoch epoch, View view, VoteKind kind);

inline constexpr std::uint8_t link_prefix = 'l';
[[nodiscard]] KeyWrite write_link(const RosterLink& link);
[[nodiscard]] KeyWrite write_final(const StoredBlock& stored);
[[nodiscard]] KeyWrite write_pending(const BlockId& id, const Proposal& proposal);
[[nodiscard]] KeyWrite erase_pending(const BlockId& id);
[[nodiscard]] KeyWrite write_certificate(const Certificate& certificate);
[[nodiscard]] KeyWrite erase_certificate(Epoch epoch, View view, VoteKind kind);

}  // namespace creto::simplex
