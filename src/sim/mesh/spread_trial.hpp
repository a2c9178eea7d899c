// SpreadTrial: how soon what an agent says is known everywhere, by which links, and whether liars can
// keep it from somebody.
//
// Why      An overlay with few links has to be compared with one whose links are drawn blindly, and
//          with liars who know each other and want one agent for themselves.
// Holds    A plan gives the same report every time.
//          Liars (MeshLie::eclipses) answer pings 40 ms sooner than anybody else at their place could,
//          as honest agents have 20 ms of their own before the first router and liars have none; each
//          has `invented` more identities at its own address.
// Units    Times in milliseconds from the publication, over all that was published.
#pragma once

#include <string>

#include "crypto/digest.hpp"
#include "link/regions.hpp"
#include "sim/mesh/mesh_participant.hpp"
#include "sim/run/histogram.hpp"

namespace creto {

struct SpreadPlan {
    std::uint64_t seed = 1;
    std::uint32_t nodes = 100;
    LinkProfile links = regions_profile();
    MeshLinks overlay = MeshLinks::drawn;  ///< Or random.
    /// In place of that of nodes, so that a small trial can have an overlay.
    std::size_t full_mesh_max = OverlayOptions{}.full_mesh_max;
    Duration warm_up = Duration::from_s(30);
    std::uint32_t items = 40;  ///< Published one after the other, two a second.
    std::uint32_t liars_ppm = 0;
    std::uint32_t invented = 4;
    /// Whom the liars want: half of them are there from the start, half join after the warm-up and know
    /// one honest address. Without liars there are none.
    std::uint32_t victims = 20;
};

struct SpreadReport {
    std::string violation;  ///< Empty while the simulator's own promises hold.
    std::uint64_t events = 0;
    Digest trace_hash;
    std::int64_t virtual_ms = 0;

    Histogram half_ms;     ///< Until half of the honest agents had it: of each item.
    Histogram most_ms;     ///< ... 95 of 100.
    Histogram all_ms;      ///< ... the last one.
    Histogram victims_ms;  ///< Until a victim had it: of each item and victim that was in the mesh.
    std::uint64_t missing = 0;  ///< Items that an honest agent did not have at the end: summed up.
    std::uint64_t cut_off = 0;  ///< Agents that lacked one.
    std::uint64_t links_mean = 0;
    std::uint64_t links_max = 0;
    std::uint64_t bytes_per_node_s = 0;  ///< While nothing is published, renewals included.
};

/// Requires: 8 <= nodes, items > 0, victims < half of the honest nodes, check(links).
[[nodiscard]] SpreadReport run_spread_trial(const SpreadPlan& plan);

}  // namespace creto
