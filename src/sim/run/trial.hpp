// Trial: N nodes under a load, with faults and liars as ordered, from a plan to a verdict.
//
// Why      `creto sim fuzz` asks whether anything breaks; a trial asks how well it runs: what is
//          offered and what becomes final, how long that takes, what is in the way.
// Source   The catalogue's words: clients submit open-loop at live honest nodes drawn evenly, retry
//          once elsewhere, 5 s of warm-up, latency from the intended instant to finality at the node
//          that was asked.
// Holds    The same plan gives the same report, its trace hash included. Invariants are checked at
//          every step.
// Units    Instants count from the start of the simulation; the load lasts warm_up + duration.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>

#include "crypto/digest.hpp"
#include "link/profile.hpp"
#include "sim/cost.hpp"
#include "sim/life/schedule.hpp"
#include "sim/run/record.hpp"
#include "sim/run/workload.hpp"

namespace creto {

inline constexpr Duration trial_warm_up = Duration::from_s(5);

struct TrialPlan {
    /// Seed, nodes, mode, profile, knobs, liars and faults; its own workload is not used.
    Schedule base;
    Workload workload;
    Duration duration = Duration::from_s(20);
    std::uint32_t payload_bytes = 256;
    std::uint64_t bandwidth_bps = 0;  ///< Of each node; 0: the profile's.
    CostTable costs = ed25519_costs();
    std::uint32_t shared_processors = 0;
    /// Replaces the profile of `base` when its name is set; for links that have no name.
    std::optional<LinkProfile> links;
    std::optional<DiskOptions> disk;
};

/// Says what is wrong with a plan that someone wrote.
[[nodiscard]] Result<void> check(const TrialPlan& plan);

struct TrialReport {
    RunRecord record;
    Digest trace_hash;
    std::uint64_t events = 0;
    Duration virtual_time;
    std::string violation;  ///< Of an invariant; empty when all held.
    bool answered = false;  ///< Every operation was answered within ten seconds after the load.
    /// A write at each honest node became final within `bound` after the load; where not, why.
    bool progressed = false;
    std::string stuck;
    Duration bound;
    Duration progressed_after;
    std::set<std::uint32_t> proven;     ///< Nodes that were excluded on proof.
    std::set<std::uint32_t> accused;    ///< Of these, the honest ones.
    std::set<std::uint32_t> suspected;  ///< Nodes that were suspected at any time.
    std::uint64_t diverged = 0;  ///< Honest nodes whose final blocks differ from the first's.
};

/// How far it is, once a virtual second.
struct TrialProgress {
    Duration at;
    Duration of;
    std::uint64_t submitted = 0;
    std::uint64_t final = 0;
    std::uint64_t height = 0;
};

/// Requires: check(plan).
[[nodiscard]] TrialReport run_trial(
    const TrialPlan& plan, const std::function<void(const TrialProgress&)>& progress = {}
);

/// `share_ppm` of the nodes, drawn by the seed, all with this attack.
void draw_liars(Schedule& schedule, std::uint32_t share_ppm, Attack attack);

}  // namespace creto
