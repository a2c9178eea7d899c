// Every limit on what a peer, user or disk can make us hold or do, by name.
//
// Why      Bounded everywhere: over a limit the oldest work of the greediest goes, with a counter,
//          never the process. Each has a test one over.
#pragma once

#include <cstddef>
#include <cstdint>

namespace creto::limits {

// Roster
inline constexpr std::size_t seats_max = 128;  ///< Votes to all; aggregation lifts this.

// Operations and vertices
inline constexpr std::size_t operation_bytes_max = 128 * 1024;
inline constexpr std::size_t vertex_bytes_max = 1024 * 1024;
inline constexpr std::size_t vertex_operations_max = 16'384;
inline constexpr std::size_t parents_max = 9;  ///< Own predecessor and up to 8 foreign tips.
inline constexpr std::size_t key_bytes_max = 256;
inline constexpr std::size_t dots_max = 64;
inline constexpr std::uint64_t expiry_blocks_max = 10'000;
inline constexpr std::size_t contracts_per_agent_max = 256;

// Lanes
inline constexpr std::uint64_t lane_window_vertices = 4'096;  ///< Un-ordered vertices per lane.
inline constexpr std::size_t lane_window_bytes = 64 * 1024 * 1024;
inline constexpr std::size_t parked_vertices_per_lane_max = 1'024;  ///< Waiting for parents.

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

// Messages
inline constexpr std::size_t message_bytes_max = 4 * 1024 * 1024;
inline constexpr std::size_t vertices_per_message_max = 1'024;
inline constexpr std::size_t blocks_per_message_max = 256;
inline constexpr std::size_t records_per_message_max = 256;
inline constexpr std::size_t lanes_per_message_max = 1'024;
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

}  // namespace creto::limits
