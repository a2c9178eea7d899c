// measure(): what a run of a cluster under test comes to, as PerformanceMetrics.
//
// Holds    A pure function of the report. Of a window, only what its seconds say is given.
// Units    As in metrics.hpp.
#pragma once

#include "scale/bench/bench_cluster.hpp"

namespace creto {

/// Of the measured part of the run.
[[nodiscard]] PerformanceMetrics measure(
    const TestClusterConfig& config, const ClusterReport& report
);

/// A part of a run, and what came before it.
struct RunWindow {
    Duration from;
    Duration to;
    Duration before;  ///< The disturbance began here; recovery is held against what was until then.
};
[[nodiscard]] PerformanceMetrics measure_window(
    const ClusterReport& report, const RunWindow& window
);

/// What the links of a profile do, by probes over their model: all pairs of so many nodes.
void probe_links(const NetworkProfile& profile, std::uint32_t nodes, PerformanceMetrics& out);

}  // namespace creto
