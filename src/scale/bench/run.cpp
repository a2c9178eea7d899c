#include "scale/bench/run.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>

#include "scale/bench/judge.hpp"
#include "scale/bench/micro.hpp"
#include "scale/bench/real_limits.hpp"
#include "scale/report/page.hpp"
#include "scale/report/page_files.hpp"
#include "scale/report/record_json.hpp"
#include "scale/report/trial_result.hpp"
#include "tools/json_parse.hpp"
#include "tools/schema.hpp"

namespace creto {
namespace {

using Doc = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

/// What a ScaleTestCluster checks beyond a trial (docs/testing.md).
const std::set<std::string> cluster_checkers{
    "agreement",    "prefix",       "one-outcome", "justification", "single-vote",
    "durable-vote", "state",        "certificate", "epoch",         "monotonic",
    "progress",     "catch-up",     "evidence",    "one-reply",     "durability",
    "integrity",    "exactly-once", "resources",   "view-sync",     "halt"};

double rounded_seconds(Duration span) {
    return std::round(static_cast<double>(span.ns()) / 1e6) / 1e3;
}
double six_decimals(double value) {
    return std::round(value * 1e6) / 1e6;
}

Doc metrics_json(const PerformanceMetrics& metrics) {
    Doc out = Doc::object();
    for (const auto& [name, value] : metrics.all())
        out[name] = six_decimals(value);
    return out;
}

Doc criteria_json(const std::vector<Criterion>& criteria) {
    Doc out = Doc::array();
    for (const Criterion& one : criteria)
        out.push_back(
            {{"name", one.name},
             {"required", one.required},
             {"actual", one.actual},
             {"reason", one.reason}}
        );
    return out;
}

void describe(
    ScenarioResult& result,
    const ScaleScenario& asked,
    const ScaleScenario& scenario,
    const BenchOptions& options
) {
    result.id = asked.name;
    result.title = asked.name;
    result.seed = options.seed;
    result.nodes = scenario.network.nodes;
    result.profile = scenario.network.profile;
    result.configuration["node_count"] = scenario.network.nodes;
    if (!result.configuration.contains("byzantine_percentage")) {
        result.configuration["byzantine_percentage"] =
            six_decimals(scenario.network.byzantine_ppm / 1e4);
        result.configuration["byzantine_pattern"] =
            scenario.network.byzantine_ppm == 0 ? "none" : to_string(scenario.network.attack);
    }
    result.configuration["workload"] = scenario.workload.text();
    result.configuration["duration_s"] = rounded_seconds(scenario.duration);
    result.configuration["payload_bytes"] = scenario.payload_bytes;
    result.details["category"] = asked.category;
    result.details["about"] = asked.about;
    result.details["node_count_required"] = asked.network.nodes;
    result.details["smoke"] = options.smoke;
    result.details["repro"] = options.repro;
}

Result<ScenarioResult> run_functions(const ScaleScenario& scenario, const BenchOptions& options) {
    auto metrics = run_micro(scenario.micro);
    if (!metrics) return tl::unexpected<Error>(metrics.error());
    ScenarioResult result;
    describe(result, scenario, scenario, options);
    result.nodes = 1;
    result.pids = {static_cast<std::uint32_t>(::getpid())};
    const JudgedRun run{
        "", 1, 1, *metrics, [](const ScenarioCriterion&) { return PerformanceMetrics{}; }};
    CriteriaResult judged = judge(scenario, {run}, RunLength::full);
    result.criteria = std::move(judged.criteria);
    result.details["wishes"] = criteria_json(judged.wishes);
    result.details["metrics"] = metrics_json(*metrics);
    result.details["bottleneck"] = "the processor: one function at a time, in real time";
    return result;
}

/// Criteria that every run has, whatever its file says. With several runs each names its own.
void add_safety(
    ScenarioResult& into, const ScenarioResult& of, const std::string& variant, bool promises
) {
    for (Criterion one : of.criteria) {
        const bool is_about_progress = one.name == "progress" || one.name == "decisions";
        if (is_about_progress && (!promises || one.actual.empty())) continue;
        if (!variant.empty()) one.name += " (" + variant + ")";
        into.criteria.push_back(std::move(one));
    }
}

std::string why_invalid(const ScenarioResult& result) {
    constexpr JsonLimits big{32'000'000, 64, 4'000'000};
    const auto text = parse_json(std::string{embedded::result_schema_json()}, big);
    auto schema = text ? Schema::compile(*text) : fail(ErrorCode::invalid, "no schema");
    if (!schema) return schema.error().message;
    ScenarioResult dated = result;
    dated.start_time = dated.end_time = utc_now();
    const auto doc = parse_json(to_json(dated).dump(), big);
    if (!doc) return doc.error().message;
    const auto checked = schema->check(*doc);
    return checked ? "" : checked.error().message;
}

bool names_all(const ScenarioResult& result) {
    ScenarioResult dated = result;
    dated.start_time = dated.end_time = utc_now();
    const std::string page = report_page(to_json(dated));
    const std::vector<std::string> words{
        "avg_tps", "p95_ms", "avg_cpu_percent", "avg_memory_mb", "\"base\""};
    return std::all_of(words.begin(), words.end(), [&](const std::string& word) {
        return page.find(word) != std::string::npos;
    });
}

class Runs {
public:
    Runs(const ScaleScenario& asked, const ScaleScenario& scenario, const BenchOptions& options)
        : asked_{asked}, scenario_{scenario}, options_{options} {}

    Result<ScenarioResult> run() {
        const auto begun = Clock::now();
        std::vector<ScenarioVariant> variants = scenario_.variants;
        if (variants.empty()) variants.push_back({"", scenario_.network});
        count_ = variants.size();
        ScenarioResult out;
        for (const ScenarioVariant& variant : variants) {
            if (is_stopped_) break;
            if (auto ran = run_one(variant, out); !ran) return tl::unexpected<Error>(ran.error());
        }
        const std::chrono::duration<double> wall = Clock::now() - begun;
        for (JudgedRun& judged : judged_)
            judged.whole.set("wall_seconds", wall.count());
        add_own_metrics(out);
        finish(out);
        return out;
    }

private:
    Result<void> run_one(const ScenarioVariant& variant, ScenarioResult& out) {
        auto stage = std::make_unique<Stage>(
            scenario_, variant.network, options_.seed, options_.host, options_.scratch
        );
        const Duration each = limits::scenario_warm_up + scenario_.duration;
        const Duration before = each * static_cast<std::int64_t>(stages_.size());
        const auto tell = [&, stage = stage.get()](const TrialProgress& at) {
            if (is_stopped_) return false;
            is_stopped_ = options_.tell && !options_.tell(
                                               {asked_.name,
                                                before + std::min(at.at, each),
                                                each * static_cast<std::int64_t>(count_),
                                                at.final,
                                                at.height,
                                                stage->is_replaying()}
                                           );
            return !is_stopped_;
        };
        if (auto ran = stage->run(tell); !ran) return ran;
        ScenarioResult one = result_of(*stage);
        const ScenarioVariant* required = nullptr;
        for (const ScenarioVariant& own : asked_.variants)
            if (own.name == variant.name) required = &own;
        judged_.push_back(
            {variant.name,
             variant.network.nodes,
             required == nullptr ? asked_.network.nodes : required->network.nodes,
             stage->metrics(),
             [stage = stage.get()](const ScenarioCriterion& criterion) {
                 return stage->part(criterion);
             },
             stage->report().missing,
             left_out(),
             variant.network.byzantine_ppm > 0 ? without_liars(*stage) : ""}
        );
        virtual_s_ += rounded_seconds(stage->report().trial.virtual_time);
        if (stages_.empty()) {
            out = one;  // Of several runs the page draws the first.
            out.criteria.clear();
            if (const StorageReplay* storage = stage->storage()) {
                out.details["storage_replay"] = storage->details();
                if (const std::string says = storage->text(); !says.empty())
                    out.details["models"].push_back(says);
            }
        }
        add_safety(out, one, count_ > 1 ? variant.name : "", stage->promises_progress());
        stages_.push_back(std::move(stage));
        return {};
    }

    [[nodiscard]] bool is_real() const { return options_.host == BenchHost::processes; }

    [[nodiscard]] ScenarioResult result_of(const Stage& stage) const {
        const ClusterReport& report = stage.report();
        if (!is_real()) return trial_result(stage.plan(), report.trial, options_.repro);
        ProcessFindings found;
        found.converged = report.converged_nodes;
        found.pids = report.pids;
        if (const auto& machine = report.machine) {
            found.processors = machine->processors;
            found.nodes_percent = machine->nodes_percent;
            found.bench_percent = machine->bench_percent;
            found.others_percent = machine->others_percent;
        }
        return process_result(stage.plan(), report.trial, found, options_.repro);
    }

    /// Why nobody lies in a run that is about liars; empty: somebody does.
    [[nodiscard]] std::string without_liars(const Stage& stage) const {
        if (is_real()) return left_out()["byzantine"];
        return stage.report().liars.empty() ? "of so few nodes none is a liar" : "";
    }

    /// By the step's name, why it is not part of this run.
    [[nodiscard]] std::map<std::string, std::string> left_out() const {
        std::map<std::string, std::string> out;
        if (!is_real()) return out;
        for (const NotInjected& one : not_injected(scenario_))
            out.emplace(one.step, one.why);
        return out;
    }

    void tell_of_left_out(ScenarioResult& out) const {
        if (!is_real()) return;
        const std::vector<NotInjected> all = not_injected(scenario_);
        Doc list = Doc::array();
        std::string names;
        for (const NotInjected& one : all) {
            list.push_back({{"step", one.step}, {"kind", one.kind}, {"why", one.why}});
            names += (names.empty() ? "" : ", ") + one.step;
        }
        out.details["not_injected"] = std::move(list);
        if (all.empty()) return;
        out.criteria.push_back(
            {"all faults injected",
             "all that the scenario names",
             "without " + names,
             std::nullopt,
             all.front().why}
        );
    }

    void add_own_metrics(ScenarioResult& out) {
        describe(out, asked_, scenario_, options_);
        out.details["base"] = asked_.base;
        if (const std::string why = why_invalid(out); !why.empty())
            out.details["schema_says"] = why;
        judged_.front().whole.set("schema_valid", out.details.contains("schema_says") ? 0 : 1);
        judged_.front().whole.set("report_complete", names_all(out) ? 1 : 0);
    }

    void finish(ScenarioResult& out) {
        const RunLength length = options_.smoke && scenario_.duration < asked_.duration
                                     ? RunLength::shortened
                                     : RunLength::full;
        CriteriaResult judged = judge(scenario_, judged_, length);
        std::vector<Criterion> safety = std::move(out.criteria);
        out.criteria = std::move(judged.criteria);
        if (is_stopped_) {
            // What was measured stays; a run that was stopped decides nothing against it.
            for (Criterion& one : out.criteria) {
                one.passed.reset();
                one.reason = "the run was stopped";
            }
            std::erase_if(safety, [](const Criterion& one) {
                return one.name.starts_with("progress") || one.name.starts_with("decisions") ||
                       one.name.starts_with("convergence");
            });
        }
        out.criteria.insert(out.criteria.end(), safety.begin(), safety.end());
        const double required_s = rounded_seconds(limits::scenario_warm_up + asked_.duration) *
                                  static_cast<double>(std::max<std::size_t>(1, count_));
        if (is_stopped_)
            out.criteria.push_back(
                {"completed",
                 "the whole run",
                 std::to_string(static_cast<int>(virtual_s_)) + (is_real() ? " s" : " virtual s"),
                 std::nullopt,
                 "the run was stopped"}
            );
        if (scenario_.network.nodes != asked_.network.nodes)
            out.criteria.push_back(
                {"node count",
                 std::to_string(asked_.network.nodes),
                 std::to_string(scenario_.network.nodes),
                 std::nullopt,
                 "another node count was asked for with --nodes"}
            );
        tell_of_left_out(out);
        out.details["wishes"] = criteria_json(judged.wishes);
        out.details["metrics"] = metrics_json(judged_.front().whole);
        Doc variants = Doc::array();
        for (const JudgedRun& run : judged_)
            if (!run.variant.empty())
                variants.push_back(
                    {{"variant", run.variant},
                     {"node_count", run.nodes},
                     {"metrics", metrics_json(run.whole)}}
                );
        if (!variants.empty()) out.details["variants"] = std::move(variants);
        const std::string broken = stages_.front()->report().trial.record.violation
                                       ? stages_.front()->report().trial.record.violation->checker
                                       : "";
        if (!is_real()) out.details["verdicts"] = verdicts(broken, cluster_checkers);
        out.results["cost"][is_real() ? "run_s" : "virtual_s"] = virtual_s_;
        out.results["cost"][is_real() ? "run_required_s" : "virtual_required_s"] = required_s;
        const PerformanceMetrics& first = judged_.front().whole;
        for (const char* name :
             {"avg_cpu_percent",
              "peak_cpu_percent",
              "avg_memory_mb",
              "peak_memory_mb",
              "avg_network_mbps"})
            if (const auto value = first.get(name))
                out.results["resource_usage"][name] = std::round(*value * 1e3) / 1e3;
    }

    const ScaleScenario& asked_;
    const ScaleScenario& scenario_;
    const BenchOptions& options_;
    std::vector<std::unique_ptr<Stage>> stages_;
    std::vector<JudgedRun> judged_;
    std::size_t count_ = 1;
    double virtual_s_ = 0;
    bool is_stopped_ = false;
};

}  // namespace

// Every criterion stands there, unevaluated, beside the one that says why.
ScenarioResult scenario_not_run(
    const ScaleScenario& scenario, const BenchOptions& options, const std::string& why
) {
    ScenarioResult result;
    result.start_time = result.end_time = utc_now();
    if (options.host == BenchHost::simulator) result.host = "simulator";
    if (options.host == BenchHost::processes) result.details["host"] = "real";
    describe(result, scenario, scenario, options);
    result.require(
        "run", std::to_string(scenario.network.nodes) + " nodes", "not run: " + why, false
    );
    const JudgedRun nothing{
        "", scenario.network.nodes, scenario.network.nodes, {}, [](const ScenarioCriterion&) {
            return PerformanceMetrics{};
        }};
    for (Criterion& one : judge(scenario, {nothing}, RunLength::full).criteria) {
        one.passed.reset();
        one.actual = "-";
        one.reason = "not run: " + why;
        result.criteria.push_back(std::move(one));
    }
    result.details["not_run"] = why;
    if (options.host == BenchHost::simulator)
        result.results["cost"] = {
            {"virtual_s", 0},
            {"virtual_required_s", rounded_seconds(limits::scenario_warm_up + scenario.duration)}};
    return result;
}

Result<ScaleScenario> scenario_to_run(const ScaleScenario& scenario, const BenchOptions& options) {
    ScaleScenario chosen = scenario;
    if (options.nodes && scenario.micro.empty()) {
        auto other = with_nodes(scenario, *options.nodes);
        if (!other) return tl::unexpected<Error>(other.error());
        chosen = std::move(*other);
    }
    if (options.host == BenchHost::processes)
        if (const std::string why = why_not_real(chosen); !why.empty())
            return fail(
                ErrorCode::invalid, scenario.name + " cannot run on real processes: " + why
            );
    return options.smoke ? shortened(chosen) : chosen;
}

Result<ScenarioResult> run_scenario(const ScaleScenario& scenario, const BenchOptions& options) {
    const std::string start = utc_now();
    const auto begun = Clock::now();
    const auto dated = [&](Result<ScenarioResult> result) {
        if (!result) return result;
        result->start_time = start;
        result->end_time = utc_now();
        result->wall_s = std::chrono::duration<double>(Clock::now() - begun).count();
        return result;
    };
    const auto chosen = scenario_to_run(scenario, options);
    if (!chosen) return tl::unexpected<Error>(chosen.error());
    if (!scenario.micro.empty()) return dated(run_functions(scenario, options));
    if (const std::string why = chosen->too_big(); !why.empty())
        return dated(scenario_not_run(scenario, options, why));
    auto result = Runs{scenario, *chosen, options}.run();
    if (!result && options.host == BenchHost::processes)
        return dated(scenario_not_run(scenario, options, result.error().message));
    return dated(std::move(result));
}

}  // namespace creto
