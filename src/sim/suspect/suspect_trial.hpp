// SuspectTrial: a network with liars, or with honest nodes that look like some; whom does it suspect?
//
// Why      A suspicion is worth its truth table: how many of those who obstruct are found, how soon,
//          and how many of those who only have bad luck are named with them.
// Holds    A plan gives the same report every time. What is found is read from what honest nodes tell
//          their watchers; who lies is looked up afterwards.
// Errors   invalid: see check().
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/digest.hpp"
#include "link/profile.hpp"
#include "model/limits.hpp"
#include "model/quorum.hpp"
#include "sim/byzantine/attack.hpp"

namespace creto {

/// What befalls honest nodes, and is nobody's fault.
enum class Misfortune : std::uint8_t {
    none,
    slow_disk,  ///< One honest node's syncs take 50 to 100 ms.
    restarts,   ///< One honest node is down for 3 s in every 60.
    skew,       ///< One honest node's clock is 200 ppm fast, another's 200 ppm slow.
    pauses,     ///< One honest node stands still for 1 s in every 20.
    loss,       ///< Every link loses 1 % of what it carries, and repeats it.
};
[[nodiscard]] const char* to_string(Misfortune misfortune);
[[nodiscard]] Result<Misfortune> parse_misfortune(std::string_view name);

struct SuspectPlan {
    std::uint64_t seed = 1;
    std::uint32_t nodes = 7;
    QuorumMode mode = QuorumMode::byzantine;
    LinkProfile links = lan_profile();
    std::optional<Attack> attack;
    std::uint32_t liars = 2;  ///< The last nodes.
    Misfortune misfortune = Misfortune::none;
    Duration lasts = Duration::from_s(180);
    Duration write_every = Duration::from_ms(500);  ///< A final write of each honest node.
    std::uint32_t epoch_blocks = 0;
    /// With more nodes than these votes go through groups, and are joined.
    std::size_t direct_seats_max = limits::direct_seats_max;
    std::uint32_t view_interval_ms = 0;
};
/// Through groups a trial of more nodes takes hours.
inline constexpr std::uint32_t suspect_nodes_max = 256;
[[nodiscard]] Result<void> check(const SuspectPlan& plan);

struct SuspectReport {
    struct Named {
        std::uint32_t node = 0;
        bool lies = false;
        bool proven = false;
        std::int64_t proven_ms = -1;     ///< From the start of the load.
        std::int64_t suspected_ms = -1;  ///< The first time; -1: never.
        bool at_end = false;             ///< Still suspected, or proven, at the end.
        std::string reason;
    };
    std::string violation;  ///< Of an invariant; empty when all held.
    Digest trace_hash;
    std::uint64_t events = 0;
    std::int64_t virtual_ms = 0;
    std::vector<Named> nodes;  ///< All of them, by number.
    std::uint64_t final_writes = 0;
    std::int64_t write_p50_us = 0;  ///< Of the last half.
    std::int64_t write_p95_us = 0;
    std::uint64_t views_nullified = 0;  ///< At the witness, in the last half.
    std::uint64_t views = 0;
};

/// Requires: check(plan).
[[nodiscard]] SuspectReport run_suspect_trial(const SuspectPlan& plan);

}  // namespace creto
