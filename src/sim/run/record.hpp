// RunRecord: what was seen of one run: series over time, nodes over time, latencies, blocks, faults.
//
// Why      A verdict alone convinces nobody; a report shows the run. Everything in a report's page
//          comes from here, by way of the result's `details`.
// Holds    Its size does not grow with the run: cells become longer, samples fewer.
// Units    Nanoseconds of virtual time from the start; latencies in microseconds.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/invariants.hpp"
#include "sim/life/schedule.hpp"
#include "sim/run/histogram.hpp"

namespace creto {

/// One span of time, all nodes together.
struct RunCell {
    std::uint32_t submitted = 0;
    std::uint32_t final = 0;    ///< Counted where the answer came.
    std::uint32_t refused = 0;  ///< Answered with an error.
    std::uint32_t blocks = 0;
    std::uint64_t view = 0;  ///< Greatest of an honest node, at the end of the cell.
    std::uint64_t height = 0;
    std::uint64_t latency_max_us = 0;
};

enum class NodeState : std::uint8_t { up, down, paused };

/// One node at the end of a cell.
struct NodeCell {
    std::uint64_t view = 0;
    std::uint32_t lag = 0;  ///< Blocks behind the highest.
    NodeState state = NodeState::up;
};

struct LatencyPoint {
    std::int64_t at_us = 0;  ///< When the answer came.
    std::int64_t latency_us = 0;
    std::uint32_t node = 0;
};

/// A final operation that took long, with the stages that were seen.
struct SlowDecision {
    std::int64_t intended_us = 0;
    std::int64_t latency_us = 0;
    std::int64_t waiting_us = 0;   ///< Until the block that covers it was proposed.
    std::int64_t ordering_us = 0;  ///< From there until the first node had finalised it.
    std::int64_t learning_us = 0;  ///< Until the asked node answered.
    std::uint32_t node = 0;
    std::uint64_t height = 0;
    std::uint64_t view = 0;
    std::uint64_t skipped = 0;  ///< Views without a block right before it.
    std::uint32_t proposer = 0;
};

/// Sums over honest nodes; what a node's processor, disk and links did.
struct RunLoads {
    std::uint64_t events = 0;
    Duration protocol;  ///< Charged to protocol threads.
    Duration crypto;    ///< Charged to checking threads.
    Duration queued;    ///< Events waited for their processor.
    Duration checking;  ///< From asking for a check to its answer.
    Duration syncing;   ///< From a durable write to its end.
    std::uint64_t checks = 0;
    std::uint64_t syncs = 0;
    Duration travelled;  ///< Messages under way, uplink queues included.
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;
    std::uint32_t protocol_peak_ppm = 0;  ///< The busiest node's share of the time.
    std::uint32_t crypto_peak_ppm = 0;
    std::uint64_t bytes_peak = 0;   ///< Sent and received by the busiest node.
    std::uint64_t memory_mean = 0;  ///< Bytes of graph and store a node, at the end.
    std::uint64_t memory_peak = 0;
};

struct RunRecord {
    std::uint64_t seed = 0;
    std::uint32_t nodes = 0;
    Duration span;
    Duration cell;
    std::vector<RunCell> cells;
    std::vector<std::vector<NodeCell>> rows;  ///< By node, then by cell.
    std::vector<std::string> roles;           ///< "honest", or how the node deviates.
    std::vector<Fault> faults;
    std::optional<Duration> calm_after;
    std::optional<Violation> violation;

    Histogram latency_us;
    Histogram waiting_us;
    Histogram ordering_us;
    Histogram learning_us;
    std::vector<LatencyPoint> points;
    std::vector<SlowDecision> slowest;  ///< Longest first.

    std::uint64_t blocks = 0;
    std::uint64_t views_skipped = 0;
    std::uint64_t rounds = 0;  ///< Views from parent to block, over all blocks.
    std::uint64_t votes_for = 0;
    std::uint64_t votes_any = 0;  ///< Notarize votes in the views of final blocks.
    std::uint64_t submitted = 0;
    std::uint64_t final = 0;
    std::uint64_t refused = 0;
    std::uint64_t vertices = 0;
    RunLoads loads;
    std::map<std::string, std::uint64_t> probes;  ///< Nodes' counters, over honest nodes.
};

/// Two cells become one: sums are added, and of states the later stays.
void merge_cells(RunRecord& record);

}  // namespace creto
