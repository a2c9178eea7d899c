#include "cli/sim_mesh.hpp"

#include <chrono>
#include <iostream>

#include "cli/sim_trial.hpp"
#include "link/regions.hpp"
#include "model/limits.hpp"
#include "sim/mesh/mesh_trial.hpp"
#include "sim/mesh/spread_trial.hpp"
#include "sim/run/workload.hpp"

namespace creto {

namespace {

/// Warm-up, and time for the last crash to be noticed.
constexpr Duration duration_min = Duration::from_s(120);

Result<LinkProfile> links_of(const SimMeshOptions& options) {
    if (options.regions != 0 && options.regions != regions_max)
        return fail(ErrorCode::invalid, "--regions is 10: there is a table of ten regions");
    return options.regions == 0 ? parse_profile(options.profile) : regions_profile();
}

Result<SpreadPlan> spread_plan_of(const SimMeshOptions& options) {
    SpreadPlan plan;
    plan.seed = options.seed;
    plan.nodes = options.nodes;
    plan.items = options.items;
    if (options.nodes < 20 || options.nodes > limits::agents_max)
        return fail(ErrorCode::invalid, "--nodes is 20 to 4096 with --spread and --eclipse");
    if (options.items == 0 || options.items > 1'000)
        return fail(ErrorCode::invalid, "--items is 1 to 1000");
    auto links = links_of(options);
    if (!links) return tl::unexpected<Error>(links.error());
    plan.links = *links;
    const auto liars = parse_share_ppm("--eclipse", options.eclipse);
    if (!liars) return tl::unexpected<Error>(liars.error());
    plan.liars_ppm = *liars;
    if (plan.liars_ppm > 500'000)
        return fail(ErrorCode::invalid, "--eclipse: at most half of the agents");
    plan.victims = std::min<std::uint32_t>(plan.victims, plan.nodes / 5);
    if (options.overlay == "random") {
        plan.overlay = MeshLinks::random;
    } else if (options.overlay != "drawn") {
        return fail(ErrorCode::invalid, "--overlay is drawn or random");
    }
    return plan;
}

Result<MeshPlan> plan_of(const SimMeshOptions& options) {
    MeshPlan plan;
    plan.seed = options.seed;
    plan.nodes = options.nodes;
    plan.crashes = options.crashes;
    plan.joins = options.joins;
    if (options.nodes < 4 || options.nodes > limits::agents_max)
        return fail(ErrorCode::invalid, "--nodes is 4 to 4096");
    if (options.crashes >= options.nodes / 4)
        return fail(ErrorCode::invalid, "--crashes: fewer than a quarter of the agents");
    const auto duration = parse_duration(options.duration);
    if (!duration) return tl::unexpected<Error>(duration.error());
    if (*duration < duration_min) return fail(ErrorCode::invalid, "--duration is at least 2m");
    plan.duration = *duration;
    auto links = links_of(options);
    if (!links) return tl::unexpected<Error>(links.error());
    plan.links = *links;
    if (options.link != "datagram" && options.link != "stream")
        return fail(ErrorCode::invalid, "--link is datagram or stream");
    // Agents hold connections; datagrams make the same losses count in full.
    plan.links.kind =
        options.link == "stream" || options.joins ? LinkKind::stream : LinkKind::datagram;
    const auto share = [](const char* option, const std::string& text, std::uint32_t& out) {
        const auto ppm = parse_share_ppm(option, text);
        if (!ppm) return Result<void>{tl::unexpected<Error>(ppm.error())};
        out = *ppm;
        return Result<void>{};
    };
    if (!options.loss.empty())
        if (auto read = share("--loss", options.loss, plan.links.loss_ppm); !read)
            return tl::unexpected<Error>(read.error());
    if (auto read = share("--slow", options.slow, plan.slow_ppm); !read)
        return tl::unexpected<Error>(read.error());
    if (auto read = share("--liars", options.liars, plan.liars_ppm); !read)
        return tl::unexpected<Error>(read.error());
    return plan;
}

bool is_good(const MeshPlan& plan, const MeshReport& report) {
    if (!report.violation.empty()) return false;
    if (plan.joins) return report.joined;
    return report.false_deaths == 0 && report.undetected == 0 && report.unrefuted == 0;
}

/// A victim may wait twice as long as the slowest twentieth of the others.
bool is_good(const SpreadPlan& plan, const SpreadReport& report) {
    if (!report.violation.empty() || report.cut_off > 0) return false;
    return plan.liars_ppm == 0 || report.victims_ms.at(950) <= 2 * report.most_ms.at(500);
}

JsonDoc histogram_json(const Histogram& histogram) {
    return {
        {"count", histogram.count()},
        {"p50", histogram.at(500)},
        {"p99", histogram.at(990)},
        {"max", histogram.max()}};
}

JsonDoc figures(const MeshPlan& plan, const MeshReport& report, double wall_s) {
    JsonDoc doc{
        {"seed", plan.seed},
        {"ok", is_good(plan, report)},
        {"violation", report.violation},
        {"virtual_ms", report.virtual_ms},
        {"events", report.events},
        {"trace_hash", report.trace_hash.hex()},
        {"wall_s", wall_s}};
    if (plan.joins) {
        doc["joined"] = report.joined;
        doc["joined_ms"] = report.joined_ms;
        return doc;
    }
    doc["detection_first_ms"] = histogram_json(report.first_ms);
    doc["detection_every_ms"] = histogram_json(report.every_ms);
    doc["undetected"] = report.undetected;
    doc["false_deaths"] = report.false_deaths;
    doc["false_suspicions"] = report.suspicions;
    doc["false_suspicions_per_node_hour"] =
        static_cast<double>(report.suspicions_per_node_hour_milli) / 1'000;
    doc["refuted_ms"] = histogram_json(report.refuted_ms);
    doc["unrefuted"] = report.unrefuted;
    doc["bytes_per_node_s"] = report.bytes_per_node_s;
    doc["bytes_per_node_s_max"] = report.bytes_per_node_s_max;
    return doc;
}

JsonDoc figures(const SpreadPlan& plan, const SpreadReport& report, double wall_s) {
    return {
        {"seed", plan.seed},
        {"ok", is_good(plan, report)},
        {"violation", report.violation},
        {"virtual_ms", report.virtual_ms},
        {"events", report.events},
        {"trace_hash", report.trace_hash.hex()},
        {"wall_s", wall_s},
        {"spread_p50_ms", histogram_json(report.half_ms)},
        {"spread_p95_ms", histogram_json(report.most_ms)},
        {"spread_all_ms", histogram_json(report.all_ms)},
        {"victims_ms", histogram_json(report.victims_ms)},
        {"victims_p95_ms", report.victims_ms.at(950)},
        {"missing", report.missing},
        {"cut_off", report.cut_off},
        {"links_mean", report.links_mean},
        {"links_max", report.links_max},
        {"bytes_per_node_s", report.bytes_per_node_s}};
}

std::string spread_line_of(const JsonDoc& run) {
    std::string line = "seed " + run["seed"].dump() + ": half have it after " +
                       run["spread_p50_ms"]["p50"].dump() + " ms, 95 % after " +
                       run["spread_p95_ms"]["p50"].dump() + " ms, all after " +
                       run["spread_all_ms"]["p50"].dump() + " ms (medians); ";
    if (run["victims_ms"]["count"] != 0)
        line += "victims p50 " + run["victims_ms"]["p50"].dump() + " ms, p95 " +
                run["victims_p95_ms"].dump() + " ms, max " + run["victims_ms"]["max"].dump() +
                " ms; ";
    return line + run["cut_off"].dump() + " agents cut off; " + run["links_mean"].dump() +
           " links a node, " + run["links_max"].dump() + " at most; " +
           run["bytes_per_node_s"].dump() + " B a node and second at rest";
}

std::string line_of(const JsonDoc& run) {
    std::string line = "seed " + run["seed"].dump() + ": ";
    if (run.contains("joined"))
        return line +
               (run["joined"].get<bool>() ? "all know all after " : "not all know all after ") +
               run["joined_ms"].dump() + " ms";
    line += run["false_deaths"].dump() + " declared dead falsely, " +
            run["false_suspicions_per_node_hour"].dump() + " false suspicions a node and hour";
    if (run["refuted_ms"]["count"] != 0)
        line += " (refuted after " + run["refuted_ms"]["p50"].dump() + " ms, p99 " +
                run["refuted_ms"]["p99"].dump() + " ms)";
    if (run["detection_first_ms"]["count"] != 0)
        line += ", a crash known after p50 " + run["detection_every_ms"]["p50"].dump() +
                " ms, p99 " + run["detection_every_ms"]["p99"].dump() + " ms, to the first after " +
                run["detection_first_ms"]["p50"].dump() + " ms";
    return line + ", " + run["bytes_per_node_s"].dump() + " B a node and second";
}

/// A run of the plan for each seed, each in a line and in the document.
template <class Plan, class Report>
int run_seeds(
    const SimMeshOptions& options,
    Plan plan,
    Report (*run)(const Plan&),
    std::string (*line)(const JsonDoc&),
    JsonDoc doc,
    const Output& output
) {
    using Clock = std::chrono::steady_clock;
    std::string lines;
    bool all_good = true;
    doc["runs"] = JsonDoc::array();
    for (std::uint64_t i = 0; i < options.seeds; ++i) {
        plan.seed = options.seed + i;
        const auto begun = Clock::now();
        const Report report = run(plan);
        const double wall = std::chrono::duration<double>(Clock::now() - begun).count();
        JsonDoc made = figures(plan, report, wall);
        lines += line(made) + "\n" +
                 (report.violation.empty() ? "" : "  FAILED " + report.violation + "\n");
        all_good = all_good && is_good(plan, report);
        doc["runs"].push_back(std::move(made));
    }
    doc["ok"] = all_good;
    output.say(doc, lines);
    return all_good ? exit_code::done : exit_code::failed;
}

int command_sim_spread(const SimMeshOptions& options, const Output& output) {
    const auto plan = spread_plan_of(options);
    if (!plan) return output.fail(plan.error(), exit_code::usage);
    JsonDoc doc{
        {"ok", true},
        {"nodes", plan->nodes},
        {"profile", plan->links.name},
        {"overlay", options.overlay},
        {"items", plan->items},
        {"eclipse_ppm", plan->liars_ppm},
        {"victims", plan->liars_ppm == 0 ? 0 : plan->victims}};
    return run_seeds(options, *plan, run_spread_trial, spread_line_of, std::move(doc), output);
}

}  // namespace

int command_sim_mesh(const SimMeshOptions& options, const Output& output) {
    if (options.seeds == 0)
        return output.fail({ErrorCode::invalid, "at least one seed"}, exit_code::usage);
    if (options.spread || options.eclipse != "0") return command_sim_spread(options, output);
    const auto plan = plan_of(options);
    if (!plan) return output.fail(plan.error(), exit_code::usage);
    JsonDoc doc{
        {"ok", true},
        {"nodes", plan->nodes},
        {"profile", plan->links.name},
        {"link", plan->links.kind == LinkKind::stream ? "stream" : "datagram"},
        {"loss_ppm", plan->links.loss_ppm},
        {"slow_ppm", plan->slow_ppm},
        {"liars_ppm", plan->liars_ppm},
        {"crashes", plan->crashes},
        {"joins", plan->joins}};
    return run_seeds(options, *plan, run_mesh_trial, line_of, std::move(doc), output);
}

}  // namespace creto
