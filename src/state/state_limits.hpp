// Limits of the agreed state. They decide which operations are void, so all nodes share them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace creto {

/// How much the agreed state holds. Every node of a network has the same; tests have smaller ones.
struct StateLimits {
    std::size_t final_keys = 1'000'000;
    std::size_t final_bytes = 512 * 1024 * 1024;   ///< Keys and values.
    std::size_t causal_bytes = 512 * 1024 * 1024;  ///< Keys, live values, and what goes with them.
    std::size_t operation_ids = 16'777'216;        ///< Not yet expired.
    std::size_t verdicts = 65'536;                 ///< The latest; older leaves are dropped.
    std::size_t disputes = 256;                    ///< Open at once.
    std::size_t disputes_per_caller = 8;
    std::size_t exclusions = 4'096;  ///< The latest, beside those of members of the roster.
};

namespace limits {

inline constexpr std::uint64_t dispute_blocks = 64;    ///< Then a dispute ends undecided.
inline constexpr std::uint32_t drawn_panel = 31;       ///< Seats; of more, so many are drawn.
inline constexpr std::uint32_t drawn_bar_max = 24;     ///< With a higher one all are asked.
inline constexpr std::size_t dissents_kept_max = 8;    ///< Of one agent, to explain its score.
inline constexpr std::size_t marks_kept = 256;         ///< Heights whose mark can be asked for.
inline constexpr std::size_t receipt_proofs_kept = 8;  ///< Heights, for each call that waits.
inline constexpr std::size_t receipts_waiting_max = 1'024;

// What is read
inline constexpr std::size_t merkle_steps_max = 256;
inline constexpr std::size_t verdict_bytes_max = 16 * 1024;
inline constexpr std::size_t snapshot_leaves_max = 16'777'216;
inline constexpr std::size_t snapshot_ids_max = 64 * 1024 * 1024;
inline constexpr std::size_t leaf_key_bytes_max = 2'048;  ///< A slot under causal/ is the longest.
inline constexpr std::size_t leaf_bytes_max = 512 * 1024 * 1024;

}  // namespace limits

}  // namespace creto
