// MeshTrial: how soon a mesh of many agents notices who died, how often it is wrong, what it costs.
//
// Why      These are figures of a thousand agents over hours; whole nodes would take days.
// Holds    A plan gives the same report every time. What is judged is what agents publish.
//          A suspicion or death is false when the agent runs at that moment, slow or not.
// Units    Times of the report in milliseconds. Bytes are on the wire, with 86 for encryption, framing
//          and headers of each message, sent and received.
#pragma once

#include <cstdint>
#include <string>

#include "crypto/digest.hpp"
#include "link/profile.hpp"
#include "sim/run/histogram.hpp"

namespace creto {

struct MeshPlan {
    std::uint64_t seed = 1;
    std::uint32_t nodes = 100;
    Duration duration = Duration::from_s(300);
    LinkProfile links = wan_profile();
    /// Of all agents. A slow one's processor stands still for one second in three.
    std::uint32_t slow_ppm = 0;
    std::uint32_t liars_ppm = 0;  ///< They accuse (MeshLie::accuses).
    std::uint32_t crashes = 0;    ///< One after the other, drawn; nobody closes their links.
    bool joins = false;  ///< All start at once and know one address; ends when all know all.
};

struct MeshReport {
    std::string violation;  ///< Empty while the simulator's own promises hold.
    std::uint64_t events = 0;
    Digest trace_hash;
    std::int64_t virtual_ms = 0;

    Histogram first_ms;            ///< From a crash to the first agent that says so.
    Histogram every_ms;            ///< To each.
    std::uint64_t undetected = 0;  ///< Agents that never said so, over all crashes.
    std::uint64_t suspicions = 0;  ///< False ones.
    std::uint64_t false_deaths = 0;
    Histogram refuted_ms;  ///< From a false suspicion to its end, at the same agent.
    std::uint64_t unrefuted = 0;
    std::uint64_t suspicions_per_node_hour_milli = 0;
    std::uint64_t bytes_per_node_s = 0;      ///< Mean over honest agents that did not crash.
    std::uint64_t bytes_per_node_s_max = 0;  ///< Of the one with most.
    bool joined = false;                     ///< All knew all in time.
    std::int64_t joined_ms = 0;
};

/// Requires: 4 <= nodes, crashes < nodes / 4, check(links).
[[nodiscard]] MeshReport run_mesh_trial(const MeshPlan& plan);

}  // namespace creto
