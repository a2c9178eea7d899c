// Limits of the agreed state. They decide which operations are void, so all nodes share them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace creto::limits {

// Keys
inline constexpr std::size_t final_keys_max = 1'000'000;
inline constexpr std::size_t final_bytes_max = 512 * 1024 * 1024;   ///< Keys and values.
inline constexpr std::size_t causal_bytes_max = 512 * 1024 * 1024;  ///< Keys and live values.
inline constexpr std::size_t crdt_pending_max = 256;  ///< Removals of one key kept in advance.

// Exactly once
inline constexpr std::size_t operation_ids_max = 16'777'216;  ///< Not yet expired.

// Calls and disputes
inline constexpr std::size_t verdicts_max = 65'536;  ///< The latest; older leaves are dropped.
inline constexpr std::size_t disputes_open_max = 256;
inline constexpr std::size_t disputes_per_caller_max = 8;
inline constexpr std::uint64_t dispute_blocks = 64;  ///< Then a dispute ends undecided.
inline constexpr std::size_t dissents_kept_max = 8;  ///< Of one agent, to explain its reputation.
inline constexpr std::size_t exclusions_max = 4'096;

// Looking back
inline constexpr std::size_t marks_kept = 256;  ///< Heights whose mark can still be asked for.

// Proofs and snapshots
inline constexpr std::size_t merkle_steps_max = 256;
inline constexpr std::size_t verdict_bytes_max = 16 * 1024;
inline constexpr std::size_t snapshot_leaves_max = 16'777'216;
inline constexpr std::size_t leaf_key_bytes_max = 512;
inline constexpr std::size_t leaf_bytes_max = 512 * 1024 * 1024;

}  // namespace creto::limits
