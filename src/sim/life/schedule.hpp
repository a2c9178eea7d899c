// Schedule: everything that happens to one simulated life, as data.
//
// Why      A seed alone rots when code changes; a list of faults mostly survives, can be read,
//          shrunk and kept as a test.
// Holds    A life is a function of its schedule. Randomness is drawn by name from `seed`, so that
//          to remove a fault or a write moves no other draw.
// Format   docs/testing.md describes the JSON; schedule_json.hpp reads and writes it.
// Units    Instants count from the start of the simulation, milliseconds in JSON; while a calm lasts
//          this clock stands.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "model/limits.hpp"
#include "model/quorum.hpp"
#include "sim/byzantine/attack.hpp"

namespace creto {

enum class FaultKind : std::uint8_t {
    crash,        ///< Stops `nodes`; they start again at the end. See CrashFlag.
    pause,        ///< `nodes` handle nothing.
    cut,          ///< `nodes` and the others do not reach each other.
    cut_one_way,  ///< Nothing goes from `nodes` to `others`.
    block_pair,   ///< Each of `nodes` and each of `others` do not reach each other: a partial cut.
    slow_link,    ///< `amount` ms more on every message of `nodes`.
    bandwidth,    ///< `nodes` send and receive `amount` kbit/s.
    storm,        ///< Every link loses `amount` and repeats and delays some `more` ppm of messages.
    slow_disk,    ///< A sync of `nodes` takes `amount` ms.
    full_disk,    ///< The disks of `nodes` are full; at the end there is room, and they restart.
    failed_disk,  ///< The next write of `nodes` fails; at the end they restart.
    clock_step,   ///< The clocks of `nodes` jump `amount` ms ahead.
    clock_drift,  ///< The clocks of `nodes` gain `amount` ppm; above 100,000: lose what is over it.
    rollback,     ///< At the end, `nodes` restart from the disk that they had at the beginning.
    wipe,         ///< Stops `nodes`; at the end they start with an empty disk.
    read_error,   ///< The disks of `nodes` read nothing; who is down meanwhile starts at the end.
    log_tear,     ///< A record before the tail of the vote log of `nodes` is torn; they restart.
    bit_rot,      ///< `amount` values on the disks of `nodes` rot, or 2 by a misdirected write. At
                  ///< the end they restart; who cannot read its disk starts with an empty one.
    memory_budget,  ///< Whoever of `nodes` holds more than `amount` KiB is killed, as often as it
                    ///< does, and its supervisor starts it again after `more` ms.
    reseat,         ///< The seats ask that the next spare get a seat: the one of `nodes`, or one
                    ///< more. No fault of anybody's, and hard to live through.
    loss,           ///< Every link loses `amount` ppm: on a stream a message comes late, not never.
    slow_cpu,  ///< Whatever `nodes` compute takes as long as with `amount` percent of a processor.
    unseat,    ///< The others ask that the seat of `nodes` end; with `amount` it asks so itself.
    flood,  ///< Each of `nodes` sends each of `others` `amount` calls a second; no honest one does.
    parameter,  ///< The seats ask that Parameter number `more` become `amount`. Nobody's fault, too.
};
inline constexpr std::size_t fault_kinds = 25;

[[nodiscard]] const char* to_string(FaultKind kind);
[[nodiscard]] Result<FaultKind> parse_fault_kind(std::string_view name);

/// Bits of `amount` for FaultKind::crash.
namespace crash_flag {
inline constexpr std::uint64_t torn = 1;    ///< Keeps a drawn prefix of what was not synced.
inline constexpr std::uint64_t silent = 2;  ///< Power loss: peers notice by silence only.
}  // namespace crash_flag

/// With so much memory no node that keeps to the rules is killed: 256 MiB that is not final and a
/// block of 16 beyond it, 64 parked, and as much for messages that wait.
inline constexpr std::uint64_t fair_memory_kib = (256 + 16 + 64 + 64) * 1'024;

struct Fault {
    Duration at;
    Duration lasts;
    FaultKind kind = FaultKind::crash;
    std::vector<std::uint32_t> nodes;
    std::vector<std::uint32_t> others;
    std::uint64_t amount = 0;
    std::uint64_t more = 0;

    [[nodiscard]] Duration end() const { return at + lasts; }
    friend bool operator==(const Fault&, const Fault&) = default;
};

/// Writes and calls of clients: `count` of them, one about every `every`; each one's kind, node and
/// instant are drawn by its number.
struct WorkloadPlan {
    std::uint32_t count = 100;
    Duration every = Duration::from_ms(200);
    std::uint32_t causal_percent = 30;
    std::uint32_t call_percent = 0;  ///< Needs the tools, which cost some lane traffic.
    /// After everything has converged, final writes go on for so long, one every `steady_every`.
    Duration steady;
    Duration steady_every = Duration::from_ms(250);

    friend bool operator==(const WorkloadPlan&, const WorkloadPlan&) = default;
};

/// What a node may be configured to.
struct Knobs {
    Duration delta = Duration::from_ms(100);
    Duration delta_max = Duration::from_s(1);
    Duration heartbeat = Duration::from_s(2);
    Duration view_interval;
    std::uint32_t term_views = 1;
    /// Nearer ones than usual are all made, however little was executed between.
    std::uint32_t checkpoint_blocks = limits::checkpoint_blocks;
    std::uint32_t keep_blocks = 0;   ///< In each node's store; 0: all.
    std::uint32_t epoch_blocks = 0;  ///< 0: one epoch without end.
    std::uint32_t dead_after_reports = limits::dead_after_reports;
    Duration detection = Duration::from_s(1);

    friend bool operator==(const Knobs&, const Knobs&) = default;
};

struct Schedule {
    std::uint64_t seed = 1;
    std::uint32_t nodes = 4;
    std::uint32_t spares = 0;  ///< So many of the last nodes begin without a seat.
    QuorumMode mode = QuorumMode::byzantine;
    std::string profile = "lan";
    bool real_signatures = false;  ///< Ed25519 in place of tags.
    std::string costs = "none";    ///< Id of the cost table (sim/cost.hpp) that is charged.
    Knobs knobs;
    WorkloadPlan workload;
    std::map<std::uint32_t, Attack> byzantine;
    /// At each of these the faults end, and the schedule's clock stands until what remains has
    /// converged. Ascending.
    std::vector<Duration> calms;
    /// All faults end here at the latest, and what remains must converge.
    Duration calm_after = Duration::from_s(22);
    std::vector<Fault> faults;

    /// Nodes that begin with a seat.
    [[nodiscard]] std::uint32_t seats() const { return nodes - spares; }
    friend bool operator==(const Schedule&, const Schedule&) = default;
};

/// Says what is wrong with a schedule that someone wrote; a good one can be run.
[[nodiscard]] Result<void> check(const Schedule& schedule);

/// Seats that may lie in a roster of `n`: the greatest t with 3t < n, none in crash mode.
[[nodiscard]] std::uint32_t liars_max(QuorumMode mode, std::uint32_t n);

/// The node's seat is to end: another takes it, or nobody.
[[nodiscard]] bool seat_ends(const Schedule& schedule, std::uint32_t node);

/// The node's disk may forget what was durable on it.
[[nodiscard]] bool loses_what_was_synced(FaultKind kind);

/// Nodes whose promises are void in this life: liars, who floods, and nodes whose disk forgets what it
/// synced.
[[nodiscard]] std::vector<bool> unreliable(const Schedule& schedule);

namespace limits {
inline constexpr std::uint32_t schedule_nodes_max = 2'048;
inline constexpr std::size_t schedule_faults_max = 1'000;
inline constexpr std::size_t schedule_calms_max = 100;
inline constexpr std::uint32_t schedule_workload_max = 100'000;
inline constexpr Duration schedule_span_max = Duration::from_s(86'400);
inline constexpr std::size_t schedule_bytes_max = 1'000'000;
}  // namespace limits

}  // namespace creto
