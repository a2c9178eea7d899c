// FloodTrial: one agent floods a node with calls; what everybody else feels of it.
//
// Why      The flood of one must not slow the others: that is a ratio of two runs of one seed, with the
//          flood and without, and needs processors that cost something.
// Holds    Both runs have the same load at the same instants, and the same draws on all links but the
//          flooder's. A plan gives the same report every time.
// Units    Latencies in microseconds, from the command to its answer.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "crypto/digest.hpp"
#include "link/profile.hpp"
#include "sim/cost.hpp"
#include "sim/run/histogram.hpp"

namespace creto {

struct FloodPlan {
    std::uint64_t seed = 1;
    std::uint32_t seats = 4;
    std::uint64_t requests = 100'000;  ///< Evenly over `lasts`, a hundred bursts a second.
    /// Calls of one peer in a second at every node; 0: only what they cost counts.
    std::uint64_t quota = 500;
    /// The node never drops the flooder: all of it is heard.
    bool is_patient = false;
    LinkProfile links = local_profile();
    CostTable costs = calibrated_costs();
    Duration lasts = Duration::from_s(10);
};

/// What is measured of the others.
enum class FloodLoad : std::uint8_t {
    agent_calls,  ///< An agent without a seat calls the node that is flooded,
    seat_calls,   ///< a seat does,
    other_calls,  ///< and that agent another node.
    verified,     ///< A seat asks all seats.
    own_writes,   ///< Final, at the node that is flooded,
    writes,       ///< and at another seat.
};
inline constexpr std::size_t flood_load_count = 6;
[[nodiscard]] const char* to_string(FloodLoad load);

struct FloodSide {
    std::array<Histogram, flood_load_count> us;
    std::uint64_t failed = 0;  ///< Of the others' requests; those without an answer too.
    Digest trace_hash;
};
struct FloodReport {
    std::string violation;  ///< Of an invariant; empty when all held.
    FloodSide quiet;
    FloodSide flooded;
    std::uint64_t served = 0;  ///< Of the flooder's requests.
    std::uint64_t refused = 0;
    std::uint64_t dropped = 0;  ///< Links of the flooder that were closed, or not let in.
    std::uint64_t events = 0;
    std::int64_t virtual_ms = 0;

    void merge(const FloodReport& other);
    /// With the flood for one without it, in thousandths.
    [[nodiscard]] std::uint64_t ratio_permille(FloodLoad load, std::uint64_t permille) const;
};

[[nodiscard]] FloodReport run_flood_trial(const FloodPlan& plan);

}  // namespace creto
