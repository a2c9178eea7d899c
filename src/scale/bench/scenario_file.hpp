// ScaleScenario: one scenario of the scale bench as its file says it: network, load, faults, criteria.
//
// Why      What must be shown stands in a file that people read and change, not in code; the bench
//          carries out whatever the file says.
// Format   TOML; docs/scale.md describes every key. The 79 files of scenarios/ are in the binary.
// Holds    A scenario that parse_scenario() gives can be run, or says in too_big() why not. A criterion
//          names a metric of metrics.hpp.
// Errors   invalid, with file, line, the key and the nearest known one; an impossible figure (0 nodes,
//          200 % liars, a partition whose sides do not add up) names what it may be.
// Units    Times count from the end of the warm-up.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/byzantine/attack.hpp"
#include "sim/life/schedule.hpp"
#include "sim/run/workload.hpp"

namespace creto {

enum class StepKind : std::uint8_t {
    kill,         ///< `nodes` live honest nodes stop; they start again at the end.
    kill_until,   ///< As many more as it takes until `nodes` are down.
    partition,    ///< `groups` of nodes reach only their own.
    latency,      ///< `ms` more on every message; of `nodes`, or of all.
    loss,         ///< Every link loses `percent`; on a stream this is delay.
    cpu,          ///< `nodes` have `percent` of a processor.
    memory,       ///< The memory of `nodes` is `percent` full already.
    disk,         ///< `nodes` lose their disk, and start with an empty one at the end.
    clock,        ///< Half of `nodes` jump `ms` ahead, the others fall behind.
    parameters,   ///< Timeouts change, node by node; each restarts with the new ones.
    churn,        ///< `nodes` die, and spare ones get their seats.
    restart_all,  ///< All stop, and start again at the end.
    workload,     ///< The load is another one from here on.
    at_once,      ///< `nodes` operations in one instant, each at another node.
    remove_liars  ///< The others remove the liars from the roster.
};
[[nodiscard]] const char* to_string(StepKind kind);

struct ScenarioStep {
    std::string name;
    StepKind kind = StepKind::kill;
    Duration at;
    std::optional<Duration> lasts;  ///< None: until the load ends.
    std::optional<Duration> every;  ///< Again and again, each time with other nodes.
    std::uint32_t nodes = 0;        ///< At the scenario's own node count.
    std::vector<std::uint32_t> groups;
    std::uint32_t percent_milli = 0;  ///< Thousandths of a percent.
    std::uint32_t ms = 0;
    std::string workload;
};

/// Where in the run a criterion looks.
enum class Window : std::uint8_t { whole, before, during, after };

struct ScenarioCriterion {
    std::string name;
    std::string metric;
    std::optional<double> min;
    std::optional<double> max;
    std::optional<double> equals;
    Window window = Window::whole;
    std::string step;         ///< For before, during and after.
    std::string until;        ///< The part ends where this step begins.
    std::string variant;      ///< Empty: must hold in each.
    std::string relative_to;  ///< The figure is divided by that of this variant.
    bool needs_full = false;  ///< A shortened run says nothing about it.
    bool scales = false;      ///< Bounds are for the scenario's node count, and shrink with it.
    bool is_wish = false;     ///< Printed, not evaluated.
    std::string not_applicable;
};

struct ScenarioNetwork {
    std::uint32_t nodes = 4;
    std::string profile = "local";
    std::uint32_t byzantine_ppm = 0;
    Attack attack = Attack::random_voting;
    std::uint32_t spares = 0;
    std::uint32_t epoch_blocks = 0;
    std::uint32_t keep_blocks = 0;
    std::uint64_t bandwidth_bps = 0;
    std::optional<Duration> view_interval;  ///< None: usual_view_interval() of its nodes.
    std::optional<VoteForm> vote_form;      ///< None: joined where votes go through groups.
};

struct ScenarioVariant {
    std::string name;
    ScenarioNetwork network;
};

struct ScaleScenario {
    std::string name;
    std::string category;
    std::string about;
    std::string base;  ///< What the documents measured, for people.
    ScenarioNetwork network;
    Workload workload;
    std::uint32_t payload_bytes = 256;
    bool one_client_node = false;
    Duration duration = Duration::from_s(60);
    Duration smoke = Duration::from_s(20);
    std::uint32_t replayed_stores = 0;  ///< So many nodes' storage is replayed into real stores.
    std::vector<ScenarioStep> steps;
    std::vector<ScenarioVariant> variants;
    std::vector<ScenarioCriterion> criteria;
    std::string micro;  ///< A microbenchmark in place of a cluster.

    [[nodiscard]] std::string alias() const { return "test_" + name; }
    /// Spares too; of the largest variant.
    [[nodiscard]] std::uint32_t nodes_max() const;
    /// Why it cannot run with its own node count; empty when it can.
    [[nodiscard]] std::string too_big() const;
};

namespace limits {
inline constexpr std::uint32_t scenario_nodes_max = 10'000;
inline constexpr std::size_t scenario_file_bytes_max = 65'536;
inline constexpr std::size_t scenario_steps_max = 64;
inline constexpr std::size_t scenario_criteria_max = 64;
inline constexpr std::size_t scenario_variants_max = 64;
inline constexpr Duration scenario_warm_up = Duration::from_s(5);
}  // namespace limits

/// The categories, in the order of the catalogue.
[[nodiscard]] const std::vector<std::string>& scenario_categories();

/// `file` is named in errors.
[[nodiscard]] Result<ScaleScenario> parse_scenario(std::string_view text, const std::string& file);

/// The same scenario with another number of nodes: counts shrink with it, shares stay.
[[nodiscard]] Result<ScaleScenario> with_nodes(ScaleScenario scenario, std::uint32_t nodes);

/// The same with `smoke` for its duration: instants move with it, and what lasts is at least five
/// seconds long where it was.
[[nodiscard]] ScaleScenario shortened(ScaleScenario scenario);

}  // namespace creto
