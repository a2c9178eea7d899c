#include "cli/sim.hpp"

#include <algorithm>
#include <chrono>
#include <iostream>

#include "cli/sim_trial.hpp"
#include "scale/report/trial_result.hpp"
#include "sim/scenario.hpp"

namespace creto {

namespace {

using Clock = std::chrono::steady_clock;

bool is_chosen(const SimScenario& scenario, const std::vector<std::string>& names) {
    if (names.empty()) return true;
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
        return name == scenario.id || name == scenario.name;
    });
}

ScenarioResult run_one(const SimScenario& scenario, std::uint64_t seed, std::uint64_t& events) {
    const std::string start = utc_now();
    const auto begun = Clock::now();
    const SimOutcome outcome = scenario.run(seed);
    ScenarioResult result = system_result(
        scenario,
        outcome,
        "creto sim run --scenario " + scenario.id + " --seed " + std::to_string(seed)
    );
    result.start_time = start;
    result.end_time = utc_now();
    result.wall_s = std::chrono::duration<double>(Clock::now() - begun).count();
    events += outcome.events;
    if (!outcome.passed()) result.details["failure"] = outcome.failure();
    return result;
}

}  // namespace

int command_sim_run(const SimRunOptions& options, const Output& output) {
    if (options.seeds == 0)
        return output.fail({ErrorCode::invalid, "at least one seed"}, exit_code::usage);
    if (options.is_free_form()) {
        if (options.scenarios.empty()) return run_trials(options, output);
        return output.fail(
            {ErrorCode::invalid, "a scenario has its own nodes, load and faults: only --seed fits"},
            exit_code::usage
        );
    }
    std::vector<ScenarioResult> kept;
    std::uint64_t runs = 0;
    std::uint64_t failed = 0;
    std::uint64_t events = 0;
    std::ostream& out = output.json ? std::cerr : std::cout;
    const auto start = Clock::now();
    for (const SimScenario& scenario : sim_scenarios()) {
        if (!is_chosen(scenario, options.scenarios)) continue;
        std::uint64_t broken = 0;
        for (std::uint64_t i = 0; i < options.seeds; ++i) {
            ScenarioResult result = run_one(scenario, options.seed + i, events);
            ++runs;
            const bool is_broken = std::string{result.status()} != "PASSED";
            if (is_broken) {
                ++broken;
                out << scenario.id << " FAILED " << result.details["failure"].get<std::string>()
                    << "\n  again: " << result.details["repro"].get<std::string>() << std::endl;
            }
            // Of many seeds the first and every failure are reported in full.
            if (i == 0 || is_broken) kept.push_back(std::move(result));
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
    const double wall = std::chrono::duration<double>(Clock::now() - start).count();
    out << runs << " runs, " << failed << " failed, " << events << " events in " << wall << " s"
        << std::endl;
    JsonDoc doc = to_json(kept);
    doc["runs_total"] = runs;
    doc["runs_failed"] = failed;
    doc["events"] = events;
    doc["wall_s"] = wall;
    return finish_runs(doc, "", options.html, output);
}

}  // namespace creto
