#include "cli/sim_flood.hpp"

#include <chrono>

#include "cli/sim_trial.hpp"
#include "sim/flood/flood_trial.hpp"
#include "sim/run/workload.hpp"

namespace creto {

namespace {

constexpr std::uint64_t allowed_permille = 1'100;

Result<FloodPlan> plan_of(const SimFloodOptions& options) {
    FloodPlan plan;
    plan.seats = options.seats;
    plan.requests = options.requests;
    plan.quota = options.quota;
    plan.is_patient = options.patient;
    if (options.seats < 4 || options.seats > 31)
        return fail(ErrorCode::invalid, "--seats is 4 to 31");
    if (options.requests < 1'000 || options.requests > 10'000'000)
        return fail(ErrorCode::invalid, "--requests is 1000 to 10000000");
    if (options.quota > 100'000'000) return fail(ErrorCode::invalid, "--quota is 0 to 100000000");
    auto links = parse_profile(options.profile);
    if (!links) return tl::unexpected<Error>(links.error());
    plan.links = *links;
    if (!options.loss.empty()) {
        const auto ppm = parse_share_ppm("--loss", options.loss);
        if (!ppm) return tl::unexpected<Error>(ppm.error());
        plan.links.loss_ppm = *ppm;
    }
    if (!options.costs.empty()) {
        const auto table = find_costs(options.costs);
        if (!table || table->is_free()) {
            std::string known;
            for (const CostTable& one : all_costs())
                if (!one.is_free()) known += (known.empty() ? "" : ", ") + one.id;
            return fail(ErrorCode::invalid, "--costs is one of " + known);
        }
        plan.costs = *table;
    }
    const auto lasts = parse_duration(options.lasts);
    if (!lasts) return tl::unexpected<Error>(lasts.error());
    if (*lasts < Duration::from_s(1) || *lasts > Duration::from_s(600))
        return fail(ErrorCode::invalid, "--lasts is 1s to 10m");
    plan.lasts = *lasts;
    return plan;
}

double ms(std::uint64_t us) {
    return static_cast<double>(us) / 1'000;
}

std::string ratio(std::uint64_t permille) {
    std::string text = std::to_string(permille / 10 % 100);
    return std::to_string(permille / 1'000) + "." + (text.size() < 2 ? "0" : "") + text;
}

}  // namespace

int command_sim_flood(const SimFloodOptions& options, const Output& output) {
    using Clock = std::chrono::steady_clock;
    auto plan = plan_of(options);
    if (!plan) return output.fail(plan.error(), exit_code::usage);
    if (options.seeds == 0)
        return output.fail({ErrorCode::invalid, "at least one seed"}, exit_code::usage);
    const auto begun = Clock::now();
    FloodReport report;
    for (std::uint64_t i = 0; i < options.seeds; ++i) {
        plan->seed = options.seed + i;
        report.merge(run_flood_trial(*plan));
    }
    const double wall = std::chrono::duration<double>(Clock::now() - begun).count();
    bool is_good = report.violation.empty() && report.quiet.failed + report.flooded.failed == 0;
    JsonDoc loads = JsonDoc::object();
    std::string lines;
    for (std::size_t i = 0; i < flood_load_count; ++i) {
        const auto load = static_cast<FloodLoad>(i);
        const std::uint64_t p50 = report.ratio_permille(load, 500);
        const std::uint64_t p99 = report.ratio_permille(load, 990);
        const Histogram& quiet = report.quiet.us[i];
        const Histogram& flooded = report.flooded.us[i];
        is_good = is_good && p99 <= allowed_permille;
        loads[to_string(load)] = {
            {"count", flooded.count()},
            {"quiet_ms", {{"p50", ms(quiet.at(500))}, {"p99", ms(quiet.at(990))}}},
            {"flooded_ms", {{"p50", ms(flooded.at(500))}, {"p99", ms(flooded.at(990))}}},
            {"p50_ratio_permille", p50},
            {"p99_ratio_permille", p99}};
        const JsonDoc& shown = loads[to_string(load)];
        lines += std::string{"  "} + to_string(load) + ": p50 " + shown["quiet_ms"]["p50"].dump() +
                 " -> " + shown["flooded_ms"]["p50"].dump() + " ms (x" + ratio(p50) + "), p99 " +
                 shown["quiet_ms"]["p99"].dump() + " -> " + shown["flooded_ms"]["p99"].dump() +
                 " ms (x" + ratio(p99) + ")\n";
    }
    JsonDoc doc{
        {"ok", is_good},
        {"seats", plan->seats},
        {"profile", plan->links.name},
        {"loss_ppm", plan->links.loss_ppm},
        {"costs", plan->costs.id},
        {"requests", plan->requests},
        {"quota", plan->quota},
        {"runs", options.seeds},
        {"violation", report.violation},
        {"served", report.served},
        {"refused", report.refused},
        {"closed", report.dropped},
        {"failed_quiet", report.quiet.failed},
        {"failed_flooded", report.flooded.failed},
        {"loads", std::move(loads)},
        {"virtual_ms", report.virtual_ms},
        {"events", report.events},
        {"wall_s", wall}};
    lines = std::to_string(plan->requests) + " requests of one agent at one of " +
            std::to_string(plan->seats) + " seats, " + std::to_string(options.seeds) + " runs on " +
            plan->links.name + ": " + std::to_string(report.served) + " served, " +
            std::to_string(report.refused) + " refused, its link closed " +
            std::to_string(report.dropped) + " times; of the others' requests " +
            std::to_string(report.flooded.failed) + " failed\n" + lines +
            (report.violation.empty() ? "" : "  FAILED " + report.violation + "\n");
    output.say(doc, lines);
    return is_good ? exit_code::done : exit_code::failed;
}

}  // namespace creto
