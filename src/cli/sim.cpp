#include "cli/sim.hpp"

#include <chrono>
#include <iostream>

#include "scale/result.hpp"
#include "sim/scenario.hpp"

namespace creto {

namespace {

ScenarioResult result_of(const SimScenario& scenario, const SimOutcome& outcome) {
    ScenarioResult result;
    result.id = scenario.id;
    result.title = scenario.name;
    result.host = "simulator";
    result.start_time = utc_now();
    result.end_time = utc_now();
    result.seed = outcome.seed;
    result.trace_hash = outcome.trace_hash.hex();
    for (const SimFinding& finding : outcome.findings) {
        result.require(finding.what, "holds", finding.holds ? "holds" : "broken", finding.holds);
    }
    result.require(
        "invariants",
        "no violation",
        outcome.violation.empty() ? "none" : outcome.violation,
        outcome.violation.empty()
    );
    result.details["events"] = outcome.events;
    result.details["heights"] = outcome.heights;
    result.details["virtual_ms"] = outcome.virtual_ms;
    result.details["models"] = {
        "signatures are keyed tags of Ed25519's size",
        "links draw their latency from the profile",
        "processor time costs nothing",
        "disks are memory with a sync"};
    return result;
}

}  // namespace

int command_sim_run(const SimRunOptions& options, const Output& output) {
    std::vector<ScenarioResult> kept;
    std::uint64_t runs = 0;
    std::uint64_t failed = 0;
    std::uint64_t events = 0;
    std::ostream& out = output.json ? std::cerr : std::cout;
    const auto start = std::chrono::steady_clock::now();
    for (const SimScenario& scenario : sim_scenarios()) {
        bool chosen = options.scenarios.empty();
        for (const std::string& name : options.scenarios) {
            chosen = chosen || name == scenario.id || name == scenario.name;
        }
        if (!chosen) continue;
        std::uint64_t broken = 0;
        for (std::uint64_t i = 0; i < options.seeds; ++i) {
            const SimOutcome outcome = scenario.run(options.seed + i);
            ++runs;
            events += outcome.events;
            if (!outcome.passed()) {
                ++broken;
                out << scenario.id << " FAILED " << outcome.failure() << "\n  again: creto sim run "
                    << "--scenario " << scenario.id << " --seed " << outcome.seed << std::endl;
            }
            // Of many seeds the first and every failure are reported in full.
            if (i == 0 || !outcome.passed()) kept.push_back(result_of(scenario, outcome));
        }
        failed += broken;
        out << scenario.id << "  " << scenario.name << ": " << options.seeds - broken << " of "
            << options.seeds << " seeds hold" << std::endl;
    }
    if (runs == 0) {
        return output.fail(
            {ErrorCode::not_found, "there is no such scenario; see creto demo --list"},
            exit_code::usage
        );
    }
    const double wall =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    out << runs << " runs, " << failed << " failed, " << events << " events in " << wall << " s"
        << std::endl;
    if (output.json) {
        JsonDoc doc = to_json(kept);
        doc["runs_total"] = runs;
        doc["runs_failed"] = failed;
        doc["events"] = events;
        doc["wall_s"] = wall;
        output.say(doc, "");
    }
    return failed == 0 ? exit_code::done : exit_code::failed;
}

}  // namespace creto
