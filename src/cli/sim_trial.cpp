#include "cli/sim_trial.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <sstream>

#include "link/profile.hpp"
#include "scale/report/page.hpp"
#include "scale/report/trial_result.hpp"
#include "sim/life/schedule_json.hpp"

namespace creto {
namespace {

using Clock = std::chrono::steady_clock;

/// A whole text as a number from zero on; none for anything else.
std::optional<double> decimal_number(const std::string& text) {
    if (text.empty() || text.find_first_not_of("0123456789.") != std::string::npos ||
        text.size() > 15)
        return std::nullopt;
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    return *end == '\0' ? std::optional{value} : std::nullopt;
}

Result<Schedule> base_schedule(const SimRunOptions& options) {
    if (options.schedule.empty()) {
        Schedule schedule;
        schedule.profile = "local";
        return schedule;
    }
    std::ifstream file{options.schedule, std::ios::binary};
    if (!file) return fail(ErrorCode::not_found, "cannot read " + options.schedule);
    std::ostringstream text;
    text << file.rdbuf();
    return parse_schedule(text.str());
}

Result<void> set_liars(const SimRunOptions& options, Schedule& schedule) {
    if (options.byzantine.empty()) {
        if (options.attack.empty()) return {};
        return fail(ErrorCode::invalid, "--attack needs --byzantine: which share of the nodes");
    }
    const auto share = parse_share_ppm("--byzantine", options.byzantine);
    if (!share) return tl::unexpected<Error>(share.error());
    const auto attack = parse_attack(options.attack.empty() ? "random-voting" : options.attack);
    if (!attack) return tl::unexpected<Error>(attack.error());
    schedule.byzantine.clear();
    draw_liars(schedule, *share, *attack);
    return {};
}

Result<void> set_pace(const SimRunOptions& options, Schedule& schedule) {
    if (options.decisions.empty()) return {};
    const double rate = decimal_number(options.decisions).value_or(0);
    if (rate < 0.02 || rate > 1'000)
        return fail(ErrorCode::invalid, "--decisions is a rate between 0.02 and 1000 a second");
    schedule.knobs.view_interval = Duration::from_ms(std::lround(1'000 / rate));
    return {};
}

/// One line on a terminal, else a line now and then.
class Progress {
public:
    void tell(std::uint64_t seed, const TrialProgress& at) {
        const auto now = Clock::now();
        const bool is_terminal = ::isatty(STDERR_FILENO) == 1;
        const auto every = std::chrono::milliseconds{is_terminal ? 200 : 5'000};
        if (now - told_ < every) return;
        told_ = now;
        const double wall = std::chrono::duration<double>(now - begun_).count();
        std::ostringstream line;
        line << std::fixed << std::setprecision(0) << "seed " << seed << ": " << at.at.ms() / 1'000
             << " of " << at.of.ms() / 1'000 << " virtual s, " << at.final << " of " << at.submitted
             << " final, height " << at.height << ", " << std::setprecision(1)
             << static_cast<double>(at.at.ms()) / 1'000 / std::max(0.001, wall) << " x real time";
        std::cerr << (is_terminal ? "\r\033[K" : "") << line.str() << (is_terminal ? "" : "\n")
                  << std::flush;
        is_open_ = is_terminal;
    }
    void end() {
        if (is_open_) std::cerr << "\r\033[K" << std::flush;
    }

private:
    Clock::time_point begun_ = Clock::now();
    Clock::time_point told_ = begun_;
    bool is_open_ = false;
};

ScenarioResult run_one(const SimRunOptions& options, const TrialPlan& plan) {
    Progress progress;
    const std::string start = utc_now();
    const auto begun = Clock::now();
    const TrialReport report =
        run_trial(plan, [&](const TrialProgress& at) { progress.tell(plan.base.seed, at); });
    progress.end();
    ScenarioResult result = trial_result(plan, report, trial_command(options, plan.base.seed));
    result.wall_s = std::chrono::duration<double>(Clock::now() - begun).count();
    result.start_time = start;
    result.end_time = utc_now();
    result.nodes = plan.base.nodes;
    return result;
}

std::string trial_lines(const ScenarioResult& result, const JsonDoc& doc) {
    const JsonDoc& results = doc["results"];
    const auto figure = [](const JsonDoc& value) {
        std::ostringstream out;
        if (!value.is_number()) return std::string{"-"};
        out << std::setprecision(5) << value.get<double>();
        return out.str();
    };
    std::ostringstream out;
    out << result.title << ", seed " << result.seed << ": " << result.status() << "\n"
        << to_lines(result);
    const JsonDoc& rate = results["throughput"];
    const JsonDoc& latency = results["latency"];
    out << "  final " << figure(rate["avg_tps"]) << " of " << figure(rate["offered_tps"])
        << " operations a second, peak " << figure(rate["peak_tps"]) << "\n  latency p50 "
        << figure(latency["p50_ms"]) << " ms, p95 " << figure(latency["p95_ms"]) << " ms, p99 "
        << figure(latency["p99_ms"]) << " ms\n  blocks " << results["consensus"]["decisions"]
        << ", views for a block " << figure(results["consensus"]["avg_rounds_to_finalize"])
        << ", proven deviators " << results["detection"]["proven"]
        << "\n  bottleneck: " << result.details["bottleneck"].get<std::string>() << "\n  "
        << figure(results["cost"]["virtual_s"]) << " virtual s in "
        << figure(results["cost"]["wall_s"]) << " s, " << results["cost"]["messages"]
        << " messages, cost table " << doc["configuration"]["cost_table"].get<std::string>()
        << "\n  trace " << result.trace_hash
        << "\n  again: " << result.details["repro"].get<std::string>() << "\n";
    return out.str();
}

}  // namespace

Result<TrialPlan> trial_plan(const SimRunOptions& options) {
    auto base = base_schedule(options);
    if (!base) return tl::unexpected<Error>(base.error());
    TrialPlan plan;
    plan.base = std::move(*base);
    plan.base.seed = options.seed;
    if (options.nodes != 0) plan.base.nodes = options.nodes;
    if (options.crash_quorum) plan.base.mode = QuorumMode::crash;
    if (!options.profile.empty()) {
        const auto profile = parse_profile(options.profile);
        if (!profile) return tl::unexpected<Error>(profile.error());
        plan.base.profile = profile->name;
    }
    if (auto set = set_liars(options, plan.base); !set) return tl::unexpected<Error>(set.error());
    if (auto set = set_pace(options, plan.base); !set) return tl::unexpected<Error>(set.error());
    const auto workload =
        Workload::parse(options.workload.empty() ? "constant:100" : options.workload);
    if (!workload) return tl::unexpected<Error>(workload.error());
    plan.workload = *workload;
    if (!options.duration.empty()) {
        const auto duration = parse_duration(options.duration);
        if (!duration) return tl::unexpected<Error>(duration.error());
        plan.duration = *duration;
    } else if (!options.schedule.empty() && plan.base.calm_after > trial_warm_up) {
        plan.duration = plan.base.calm_after - trial_warm_up;
    }
    if (options.payload != 0) plan.payload_bytes = options.payload;
    if (!options.bandwidth.empty()) {
        const double mbps = decimal_number(options.bandwidth).value_or(-1);
        if (mbps < 0.001 || mbps > 1'000'000)
            return fail(ErrorCode::invalid, "--bandwidth is between 0.001 and 1000000 Mbit/s");
        plan.bandwidth_bps = static_cast<std::uint64_t>(mbps * 1e6);
    }
    if (auto good = check(plan); !good) return tl::unexpected<Error>(good.error());
    return plan;
}

std::string trial_command(const SimRunOptions& options, std::uint64_t seed) {
    std::string out = "creto sim run";
    const auto add = [&](const char* name, const std::string& value) {
        if (!value.empty()) out += std::string{" --"} + name + " " + value;
    };
    add("schedule", options.schedule);
    if (options.nodes != 0) add("nodes", std::to_string(options.nodes));
    add("profile", options.profile);
    add("byzantine", options.byzantine);
    add("attack", options.attack);
    add("workload", options.workload);
    add("duration", options.duration);
    add("decisions", options.decisions);
    if (options.payload != 0) add("payload", std::to_string(options.payload));
    add("bandwidth", options.bandwidth);
    if (options.crash_quorum) out += " --crash-quorum";
    return out + " --seed " + std::to_string(seed);
}

int run_trials(const SimRunOptions& options, const Output& output) {
    std::vector<ScenarioResult> results;
    std::string lines;
    for (std::uint64_t i = 0; i < options.seeds; ++i) {
        SimRunOptions one = options;
        one.seed = options.seed + i;
        const auto plan = trial_plan(one);
        if (!plan) return output.fail(plan.error(), exit_code::usage);
        results.push_back(run_one(one, *plan));
        lines += trial_lines(results.back(), to_json(results.back()));
    }
    return finish_runs(
        results.size() == 1 ? to_json(results.front()) : to_json(results),
        lines,
        options.html,
        output
    );
}

Result<std::uint32_t> parse_share_ppm(const char* option, const std::string& text) {
    const bool is_percent = !text.empty() && text.back() == '%';
    const auto value = decimal_number(is_percent ? text.substr(0, text.size() - 1) : text);
    const double share = value.value_or(-1) / (is_percent ? 100 : 1);
    if (share < 0 || share > 1)
        return fail(
            ErrorCode::invalid,
            std::string{option} + " is a share such as 0.30 or 30%, not \"" + text.substr(0, 64) +
                "\""
        );
    return static_cast<std::uint32_t>(std::lround(share * 1e6));
}

int finish_runs(
    const JsonDoc& doc, const std::string& lines, const std::string& html, const Output& output
) {
    if (!html.empty()) {
        if (auto written = write_report_page(doc, html); !written)
            return output.fail(written.error(), exit_code::usage);
        std::cerr << "report: " << html << std::endl;
    }
    output.say(doc, lines);
    if (doc["status"] == "PASSED") return exit_code::done;
    return doc["status"] == "PARTIAL" ? exit_code::partial : exit_code::failed;
}

}  // namespace creto
