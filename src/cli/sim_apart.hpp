// Apart: a simulated life in a process of its own, so that a failing assertion is a finding and not
// the end of the search.
//
// Errors   A process that dies by a signal, or takes longer than its time, reports checker "crash"
//          or "timeout".
#pragma once

#include <optional>
#include <string>

#include "sim/life/life.hpp"
#include "sim/life/planted.hpp"

namespace creto {

/// What the other process says of one life, and what it cost.
struct LifeLine {
    LifeReport report;
    std::uint32_t nodes = 0;
    std::string profile;
    bool is_byzantine = true;  ///< The quorum's mode.
    std::int64_t cpu_us = 0;
    std::string trace;  ///< The report's hash, in hex; reports from another process have only this.
};

[[nodiscard]] std::string to_line(const LifeLine& line);
[[nodiscard]] std::optional<LifeLine> parse_line(const std::string& text);

/// The life, and now and then the same life again: "determinism" when they differ.
[[nodiscard]] LifeLine live_here(
    const Schedule& schedule, const std::optional<PlantedBug>& bug, bool twice
);

/// One life in a child of its own.
[[nodiscard]] LifeLine live_apart(
    const Schedule& schedule,
    const std::optional<PlantedBug>& bug,
    int seconds_max = 300,
    bool twice = false
);

}  // namespace creto
