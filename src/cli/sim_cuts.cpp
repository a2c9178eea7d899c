#include "cli/sim_cuts.hpp"

#include <algorithm>
#include <chrono>

#include "cli/sim_trial.hpp"
#include "sim/cut/cut_trial.hpp"
#include "sim/run/workload.hpp"

namespace creto {

namespace {

Result<CutPlan> plan_of(const SimCutsOptions& options) {
    CutPlan plan;
    plan.nodes = options.nodes;
    plan.mode = options.crash_quorum ? QuorumMode::crash : QuorumMode::byzantine;
    auto links = parse_profile(options.profile);
    if (!links) return tl::unexpected<Error>(links.error());
    plan.links = *links;
    if (!options.loss.empty()) {
        const auto ppm = parse_share_ppm("--loss", options.loss);
        if (!ppm) return tl::unexpected<Error>(ppm.error());
        plan.links.loss_ppm = *ppm;
    }
    const auto slow = parse_share_ppm("--slow", options.slow);
    if (!slow) return tl::unexpected<Error>(slow.error());
    if (*slow > 0)
        plan.slow = std::max(
            1U, static_cast<std::uint32_t>(std::uint64_t{options.nodes} * *slow / 1'000'000)
        );
    auto cut = parse_cut(options.cut, options.nodes);
    if (!cut) return tl::unexpected<Error>(cut.error());
    plan.cut = *cut;
    const auto span = [](const std::string& text, Duration& out) {
        auto read = parse_duration(text);
        if (!read) return Result<void>{tl::unexpected<Error>(read.error())};
        out = *read;
        return Result<void>{};
    };
    for (const auto& [text, out] :
         {std::pair{&options.lasts, &plan.cut_for},
          std::pair{&options.after, &plan.after},
          std::pair{&options.every, &plan.write_every},
          std::pair{&options.notice, &plan.link_notice}})
        if (text->empty()) {
            if (plan.cut.kind == CutShape::Kind::flapping)
                plan.link_notice = Duration::from_ms(300);
        } else if (auto read = span(*text, *out); !read)
            return tl::unexpected<Error>(read.error());
    if (auto good = check(plan); !good) return tl::unexpected<Error>(good.error());
    return plan;
}

/// Over all runs.
struct CutSums {
    Histogram told;
    Histogram refused;
    Histogram pending;
    Histogram healed;
    Histogram first_block;
    Histogram settled;
    Histogram full_rate;
    std::int64_t views_until = -1;
    std::uint64_t refusals = 0;
    std::uint64_t false_told = 0;
    std::uint64_t lost = 0;
    std::uint64_t doubled = 0;
    std::uint64_t failed = 0;

    void add(const CutReport& report) {
        told.merge(report.told_us);
        refused.merge(report.refused_us);
        pending.merge(report.pending_us);
        healed.merge(report.healed_us);
        if (report.first_block_us >= 0) first_block.add(report.first_block_us);
        if (report.settled_us >= 0) settled.add(report.settled_us);
        if (report.full_rate_us >= 0) full_rate.add(report.full_rate_us);
        views_until = std::max(views_until, report.views_until);
        refusals += report.refused;
        false_told += report.false_told;
        lost += report.lost;
        doubled += report.doubled;
    }
};

JsonDoc times(const Histogram& histogram) {
    const auto ms = [](std::uint64_t us) { return static_cast<double>(us / 100) / 10; };
    return {
        {"count", histogram.count()},
        {"p50", ms(histogram.at(500))},
        {"p99", ms(histogram.at(990))},
        {"max", ms(histogram.max())}};
}

std::string line_of(const char* what, const JsonDoc& times) {
    if (times["count"] == 0) return "";
    return std::string{"  "} + what + ": p50 " + times["p50"].dump() + " ms, p99 " +
           times["p99"].dump() + " ms, max " + times["max"].dump() + " ms (" +
           times["count"].dump() + ")\n";
}

}  // namespace

int command_sim_cuts(const SimCutsOptions& options, const Output& output) {
    using Clock = std::chrono::steady_clock;
    auto plan = plan_of(options);
    if (!plan) return output.fail(plan.error(), exit_code::usage);
    if (options.seeds == 0)
        return output.fail({ErrorCode::invalid, "at least one seed"}, exit_code::usage);
    CutSums sums;
    std::string lines;
    JsonDoc failures = JsonDoc::array();
    std::int64_t virtual_ms = 0;
    std::uint64_t events = 0;
    const auto begun = Clock::now();
    for (std::uint64_t i = 0; i < options.seeds; ++i) {
        plan->seed = options.seed + i;
        const CutReport report = run_cut_trial(*plan);
        sums.add(report);
        virtual_ms += report.virtual_ms;
        events += report.events;
        const std::string fault = fault_of(*plan, report);
        if (fault.empty()) continue;
        ++sums.failed;
        failures.push_back({{"seed", plan->seed}, {"fault", fault}});
        lines += "FAILED seed " + std::to_string(plan->seed) + ": " + fault + "\n";
    }
    const double wall = std::chrono::duration<double>(Clock::now() - begun).count();
    JsonDoc doc{
        {"ok", sums.failed == 0},
        {"nodes", plan->nodes},
        {"cut", options.cut},
        {"profile", plan->links.name},
        {"loss_ppm", plan->links.loss_ppm},
        {"slow_nodes", plan->slow},
        {"runs", options.seeds},
        {"failed", sums.failed},
        {"failures", std::move(failures)},
        {"told_ms", times(sums.told)},
        {"told_falsely", sums.false_told},
        {"refused_ms", times(sums.refused)},
        {"refused", sums.refusals},
        {"pending_ms", times(sums.pending)},
        {"healed_ms", times(sums.healed)},
        {"first_block_ms", times(sums.first_block)},
        {"views_until_a_leader", sums.views_until},
        {"settled_ms", times(sums.settled)},
        {"full_rate_ms", times(sums.full_rate)},
        {"lost", sums.lost},
        {"doubled", sums.doubled},
        {"virtual_ms", virtual_ms},
        {"events", events},
        {"wall_s", wall}};
    lines += std::to_string(options.seeds) + " runs of " + std::to_string(plan->nodes) +
             " nodes, " + options.cut + " on " + plan->links.name + ": " +
             std::to_string(sums.failed) + " failed, " + std::to_string(sums.false_told) +
             " partitions told falsely, " + std::to_string(sums.lost) + " writes lost, " +
             std::to_string(sums.doubled) + " doubled\n";
    lines += line_of("both sets told after", doc["told_ms"]);
    lines += line_of("a final write refused after", doc["refused_ms"]);
    lines += line_of("what was taken is pending after", doc["pending_ms"]);
    lines += line_of("healed told after", doc["healed_ms"]);
    lines += line_of("the first block after", doc["first_block_ms"]);
    if (sums.views_until >= 0)
        lines +=
            "  views until a leader was live: at most " + std::to_string(sums.views_until) + "\n";
    lines += line_of("all that was taken is final after", doc["settled_ms"]);
    lines += line_of("the full rate after", doc["full_rate_ms"]);
    output.say(doc, lines);
    return sums.failed == 0 ? exit_code::done : exit_code::failed;
}

}  // namespace creto
