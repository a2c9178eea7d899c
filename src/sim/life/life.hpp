// Life: one simulated life of a network, from its schedule to a verdict.
//
// Why      A storm of faults, then calm: safety must hold all the time, and once nothing disturbs
//          any more, everything must come back within a bounded time, nodes that were stopped
//          included. A long life has several storms, and after each the same is asked.
// Holds    A life in which nothing happened is no pass: without a fault that fired, or with fewer
//          than decisions_min decisions, it fails as "empty".
//          The same schedule gives the same report, its trace hash included.
// Checks   Invariants (sim/invariants.hpp) at every step, Watch (watch.hpp) while it goes on, the
//          clients' books (clients.hpp) at the end, and here:
//          progress      A write at every reliable node is final within the bound (L1, L2).
//          catch-up      Every reliable node reaches the height of the first (L4).
//          state         At rest all have the same state root, and nothing is pending (S10).
//          replay        What a node has on its disk, executed again from genesis, gives its state.
//          evidence      Nobody reliable is excluded or accused (A1).
//          completeness  Who told one node two stories is excluded everywhere (accountability.hpp).
//          halt          No reliable node stops voting, unless its disk failed.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "crypto/digest.hpp"
#include "sim/cluster.hpp"
#include "sim/life/schedule.hpp"
#include "sim/run/record.hpp"

namespace creto {

inline constexpr std::uint64_t decisions_min = 20;
inline constexpr Duration life_min = Duration::from_s(30);

struct LifeReport {
    std::uint64_t seed = 0;
    std::string checker;  ///< What failed; empty when all held.
    std::string text;     ///< For people.
    Duration lived;
    Duration healed_after;  ///< From the calm until everything had converged; the longest.
    std::uint64_t decisions = 0;
    std::uint64_t events = 0;
    std::uint64_t messages = 0;
    std::uint64_t restarts = 0;
    std::uint64_t writes = 0;
    std::uint64_t writes_final = 0;
    std::array<std::uint64_t, fault_kinds> fired{};
    std::uint64_t liars = 0;
    std::uint64_t two_faced = 0;  ///< Liars who told honest nodes two stories.
    std::uint64_t proven = 0;     ///< Those of them who were proven to.
    std::string costs;            ///< The id of the cost table that was charged.
    std::vector<std::int64_t> latencies_ms;
    /// Counters of the nodes that were not zero: which paths this life went through.
    std::map<std::string, std::uint64_t> probes;
    Digest trace_hash;
    RunRecord record;  ///< Empty unless it was asked for.

    [[nodiscard]] bool passed() const { return checker.empty(); }
    [[nodiscard]] std::uint64_t faults() const;
};

struct LifeOptions {
    /// Makes the participants; empty: honest nodes. For planted bugs.
    ParticipantFactory factory;
    SimLogSink log;
    std::function<void(NodeIndex, const SimNotice&)> on_notice;
    bool is_recorded = false;  ///< Fills the report's record.
    /// The trace hash is of all but signatures: lives with real and modelled ones give the same.
    bool compares_signatures = false;
};

/// Requires: check(schedule).
[[nodiscard]] LifeReport live(const Schedule& schedule, const LifeOptions& options = {});

/// The life, and the same life again: "determinism" when their traces differ (D1).
[[nodiscard]] LifeReport live_twice(const Schedule& schedule, const LifeOptions& options = {});

/// By when after the calm everything must have converged: reconnecting, the bad leaders that may
/// follow each other with views of the greatest length, catching up, and slack for the network.
[[nodiscard]] Duration healing_bound(const Schedule& schedule);

}  // namespace creto
