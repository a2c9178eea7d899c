// CostTable: what an event costs its node's processor, in virtual time.
//
// Why      Without it ten thousand nodes order at the speed of light: at 10,000 nodes a quorum
//          takes 6 times as long once signatures are paid for.
// Holds    A run never measures: the table is data with an id, printed in every report, so that
//          the same seed gives the same trace on every machine.
// Units    Nanoseconds; picoseconds for one byte.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "model/effect.hpp"
#include "model/event.hpp"

namespace creto {

struct CostTable {
    std::string id = "none";
    std::uint64_t event_ns = 0;        ///< Any event, however small.
    std::uint64_t command_ns = 0;      ///< A user's command: its request, its answer, its client.
    std::uint64_t open_byte_ps = 0;    ///< Decryption of what arrives.
    std::uint64_t decode_byte_ps = 0;  ///< Decoding.
    std::uint64_t hash_byte_ps = 0;    ///< Hashing.
    std::uint64_t tally_ns = 0;        ///< One message about the order: counting, judging.
    std::uint64_t apply_ns = 0;        ///< One operation that becomes final.
    std::uint64_t send_ns = 0;         ///< One message to one peer.
    std::uint64_t send_byte_ps = 0;    ///< Encryption; each peer has its own key.
    std::uint64_t sign_ns = 0;         ///< One record in the vote log: its signature,
    std::uint64_t append_ns = 0;       ///< and its bytes.
    std::uint64_t persist_ns = 0;      ///< One batch.
    std::uint64_t verify_ns = 0;       ///< One signature, on the checking thread.
    std::uint64_t sync_ns = 0;         ///< One sync of the disk; 0: the disk's own default.
    // Votes that can be joined: see with_joined_votes().
    std::uint64_t joined_verify_ns = 0;  ///< One signature of however many; besides,
    std::uint64_t joined_key_ns = 0;     ///< one key of those that signed,
    std::uint64_t joined_part_ns = 0;    ///< and one signature that is added to others.

    [[nodiscard]] bool is_free() const { return id == "none"; }
};

/// Everything is free: latency alone decides.
[[nodiscard]] CostTable no_costs();
/// Ed25519 on one core at 2.6 GHz: signing 20 us, verifying 57 us.
[[nodiscard]] CostTable ed25519_costs();

/// What `make costs` wrote last, from the project's own functions (bench/costs.cpp).
[[nodiscard]] CostTable measured_costs();
/// What `make calibrate` wrote last: for nodes that share a machine's processors (bench/calibrate).
[[nodiscard]] CostTable calibrated_costs();
[[nodiscard]] std::vector<CostTable> all_costs();
/// The same where votes are signed so that they can be joined: as BLS12-381 multi-signatures are by
/// figures that users of blst published, each of another machine. Nothing here measures them; whatever rests on them is modelled, and its id says so.
[[nodiscard]] CostTable with_joined_votes(CostTable table);
[[nodiscard]] bool has_joined_votes(std::string_view id);
/// The table with this id; none if there is no such table.
[[nodiscard]] std::optional<CostTable> find_costs(std::string_view id);

/// What the protocol thread spends on the event and on carrying out its effects.
[[nodiscard]] Duration protocol_cost(
    const CostTable& table, const Event& event, const std::vector<Effect>& effects
);
/// Whether a signature that can be joined is checked alone, or added to others on the same content.
enum class With : std::uint8_t { nothing, others };
/// What the checking thread spends; charged for signatures that fail as well.
[[nodiscard]] Duration check_cost(
    const CostTable& table, const Check& check, With with = With::nothing
);

}  // namespace creto
