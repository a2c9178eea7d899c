// Every limit on what a peer, user or disk can make us hold or do, by name.
//
// Why      Bounded everywhere: over a limit the oldest work of the greediest goes, with a counter,
//          never the process. Each has a test one over.
#pragma once

#include <cstddef>
#include <cstdint>

namespace creto::limits {

// Roster
inline constexpr std::size_t seats_max = 2'048;
inline constexpr std::size_t direct_seats_max = 128;  ///< Up to these everybody votes to all.
inline constexpr std::size_t operators_max = 8;  ///< Keys of a genesis that may change the roster.
/// Reports of all seats together that must miss a seat before it is set aside, unless the network has
/// agreed on another number: some five minutes of work, an hour where nothing happens.
inline constexpr std::uint32_t dead_after_reports = 2'048;
inline constexpr std::uint32_t dead_after_reports_min = 8;
inline constexpr std::uint32_t dead_after_reports_max = 1'000'000;

// Agents without a seat, in the agreed state: what they may do in one epoch
inline constexpr std::uint32_t guest_operations_max = 65'536;  ///< Of one of them.
inline constexpr std::uint32_t guests_total = 65'536;  ///< Of all, unless the network says other.
inline constexpr std::uint32_t guests_total_min = 1'024;
inline constexpr std::uint32_t guests_total_max = 1'048'576;

// Ordering
/// Views whose votes a leader may still report on.
inline constexpr std::size_t turnout_views_max = 4'096;

// Operations and vertices
inline constexpr std::size_t operation_bytes_max = 128 * 1024;
inline constexpr std::size_t vertex_bytes_max = 1024 * 1024;
inline constexpr std::size_t vertex_operations_max = 16'384;
inline constexpr std::size_t parents_max = 9;  ///< Own predecessor and up to 8 foreign tips.
inline constexpr std::size_t key_bytes_max = 256;
inline constexpr std::size_t dots_max = seats_max;  ///< A place has one value a lane.
inline constexpr std::size_t path_fields_max = 8;   ///< Fields of maps below a key.
inline constexpr std::size_t field_bytes_max = 64;
inline constexpr std::size_t element_bytes_max = 256;  ///< Of a set; it is part of a leaf's name.
inline constexpr std::uint64_t expiry_blocks_max = 10'000;
inline constexpr std::size_t contracts_per_agent_max = 256;

// Lanes
inline constexpr std::uint64_t lane_window_vertices = 4'096;  ///< Un-ordered vertices per lane.
inline constexpr std::size_t lane_window_bytes = 64 * 1024 * 1024;
inline constexpr std::size_t parked_vertices_per_lane_max = 1'024;  ///< Waiting for parents.
inline constexpr std::size_t lane_resets_max = 64;  ///< Of one seat; then it needs another key.

// Blocks
inline constexpr std::uint64_t block_vertices_max = 8'192;
inline constexpr std::size_t block_bytes_max = 16 * 1024 * 1024;  ///< Sum over covered vertices.
inline constexpr std::size_t pending_blocks_max = 512;            ///< Known, not finalised.

// Votes and certificates
inline constexpr std::uint64_t view_window = 64;  ///< Views ahead for which votes are held.
inline constexpr std::uint64_t view_retention =
    256;  ///< Finalised views kept to answer stragglers.
/// The next term begins inside the window, and a stretch that can be buried has whole terms.
inline constexpr std::uint32_t term_views_max = 32;

// Checkpoints
inline constexpr std::uint32_t checkpoint_blocks = 1'024;  ///< Unless the genesis names another.
inline constexpr std::uint32_t checkpoint_blocks_min = 8;
inline constexpr std::uint32_t checkpoint_blocks_max = 65'536;
inline constexpr std::uint32_t epoch_blocks_min = 3;
inline constexpr std::uint32_t epoch_blocks_max = 65'536;
inline constexpr std::size_t roster_links_max = 1'024;  ///< With one offer of a checkpoint.
inline constexpr std::size_t checkpoint_part_bytes = 256 * 1024;
inline constexpr std::size_t checkpoint_parts_max = 8'192;  ///< A state of 2 GiB.
inline constexpr std::uint32_t checkpoint_parts_asked = 4;  ///< By one request.

// Messages
inline constexpr std::size_t message_bytes_max = 4 * 1024 * 1024;
inline constexpr std::size_t vertices_per_message_max = 1'024;
inline constexpr std::size_t blocks_per_message_max = 256;
inline constexpr std::size_t records_per_message_max = 256;
inline constexpr std::size_t lanes_per_message_max = 4'096;
inline constexpr std::size_t rumours_per_message_max = 8;  ///< Of each kind, on one ping.

// Checks
inline constexpr std::size_t checks_per_peer_max = 4'096;  ///< Messages waiting for a check.
inline constexpr std::size_t check_bytes_per_peer_max = 32 * 1024 * 1024;

// Agents and tools
inline constexpr std::size_t name_bytes_max = 128;
inline constexpr std::size_t addresses_max = 16;
inline constexpr std::size_t address_bytes_max = 256;
inline constexpr std::size_t contract_bytes_max = 64 * 1024;
inline constexpr std::size_t record_bytes_max = 512 * 1024;
inline constexpr std::size_t agents_max = 4'096;  ///< Agent records held.
/// A record counts no longer than this, whatever it says.
inline constexpr std::uint32_t record_lifetime_ms_max = 3'600'000;
inline constexpr std::size_t arguments_bytes_max = 1024 * 1024;
inline constexpr std::size_t result_bytes_max = 1024 * 1024;
inline constexpr std::size_t panel_max = 128;
inline constexpr std::size_t calls_per_peer_max = 1'024;  ///< Calls of one peer under way at once.
inline constexpr std::size_t calls_pending_max = 16'384;  ///< Own calls under way at once.
inline constexpr std::size_t operations_pending_max = 65'536;  ///< Own operations not yet final.

// What tools show while they work
inline constexpr std::size_t piece_bytes_max = 16 * 1024;      ///< Text of one piece.
inline constexpr std::size_t piece_overhead_bytes = 64;        ///< What a piece costs beside it.
inline constexpr std::size_t stream_credit_max = 1024 * 1024;  ///< Granted and not used, of a call.
inline constexpr std::size_t stream_window_bytes =
    128 * 1024;                                              ///< What a caller grants of its own.
inline constexpr std::size_t stream_held_bytes = 32 * 1024;  ///< What waits at its provider.
inline constexpr std::uint64_t stream_pieces_per_s = 200;    ///< Sent, of one call.
inline constexpr std::uint64_t stream_pieces_burst = 50;

// Operations of agents without a seat, at the seat that carries them
inline constexpr std::size_t carried_share = 4;  ///< Of a vertex: at most one part in so many.
inline constexpr std::size_t carried_operations_max = 4'096;  ///< Waiting, of all clients.
inline constexpr std::size_t carried_bytes_max = 8 * 1024 * 1024;
inline constexpr std::size_t carried_operations_per_client_max = 256;
inline constexpr std::size_t carried_bytes_per_client_max = 1024 * 1024;
inline constexpr std::size_t carried_pending_max = 16'384;  ///< In the lane, not final yet.

// Reading and watching keys
inline constexpr std::uint32_t read_items_max = 1'000;  ///< Of a set, list or map, in one answer.
inline constexpr std::size_t read_bytes_max = 1024 * 1024;  ///< ... but one of them in any case.
inline constexpr std::size_t remove_values_max = 4'096;     ///< Below a place, with one removal.
inline constexpr std::size_t session_reads_max = 1'024;     ///< Reads that wait for a session.
inline constexpr std::size_t watched_prefixes_max = 256;
inline constexpr std::uint32_t watched_items_max = 100;      ///< Of a set or list that changed.
inline constexpr std::size_t changes_per_event_max = 1'024;  ///< More are told as lost.

}  // namespace creto::limits
