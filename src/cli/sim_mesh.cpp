#include "cli/sim_mesh.hpp"

#include <chrono>
#include <iostream>

#include "cli/sim_trial.hpp"
#include "model/limits.hpp"
#include "sim/mesh/mesh_trial.hpp"
#include "sim/run/workload.hpp"

namespace creto {

namespace {

/// Warm-up, and time for the last crash to be noticed.
constexpr Duration duration_min = Duration::from_s(120);

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
    auto links = parse_profile(options.profile);
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

JsonDoc times(const Histogram& histogram) {
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
    doc["detection_first_ms"] = times(report.first_ms);
    doc["detection_every_ms"] = times(report.every_ms);
    doc["undetected"] = report.undetected;
    doc["false_deaths"] = report.false_deaths;
    doc["false_suspicions"] = report.suspicions;
    doc["false_suspicions_per_node_hour"] =
        static_cast<double>(report.suspicions_per_node_hour_milli) / 1'000;
    doc["refuted_ms"] = times(report.refuted_ms);
    doc["unrefuted"] = report.unrefuted;
    doc["bytes_per_node_s"] = report.bytes_per_node_s;
    doc["bytes_per_node_s_max"] = report.bytes_per_node_s_max;
    return doc;
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

}  // namespace

int command_sim_mesh(const SimMeshOptions& options, const Output& output) {
    using Clock = std::chrono::steady_clock;
    auto plan = plan_of(options);
    if (!plan) return output.fail(plan.error(), exit_code::usage);
    if (options.seeds == 0)
        return output.fail({ErrorCode::invalid, "at least one seed"}, exit_code::usage);
    JsonDoc doc{
        {"ok", true},
        {"nodes", plan->nodes},
        {"profile", plan->links.name},
        {"link", plan->links.kind == LinkKind::stream ? "stream" : "datagram"},
        {"loss_ppm", plan->links.loss_ppm},
        {"slow_ppm", plan->slow_ppm},
        {"liars_ppm", plan->liars_ppm},
        {"crashes", plan->crashes},
        {"joins", plan->joins},
        {"runs", JsonDoc::array()}};
    std::string lines;
    bool all_good = true;
    for (std::uint64_t i = 0; i < options.seeds; ++i) {
        plan->seed = options.seed + i;
        const auto begun = Clock::now();
        const MeshReport report = run_mesh_trial(*plan);
        const double wall = std::chrono::duration<double>(Clock::now() - begun).count();
        JsonDoc run = figures(*plan, report, wall);
        lines += line_of(run) + "\n" +
                 (report.violation.empty() ? "" : "  FAILED " + report.violation + "\n");
        all_good = all_good && is_good(*plan, report);
        doc["runs"].push_back(std::move(run));
    }
    doc["ok"] = all_good;
    output.say(doc, lines);
    return all_good ? exit_code::done : exit_code::failed;
}

}  // namespace creto
