#include "cli/sim_suspects.hpp"

#include <chrono>
#include <cmath>

#include "cli/sim_trial.hpp"
#include "sim/run/histogram.hpp"
#include "sim/run/workload.hpp"
#include "sim/suspect/suspect_trial.hpp"

namespace creto {

namespace {

Result<SuspectPlan> plan_of(const SimSuspectsOptions& options) {
    SuspectPlan plan;
    plan.nodes = options.nodes;
    plan.mode = options.crash_quorum ? QuorumMode::crash : QuorumMode::byzantine;
    auto links = parse_profile(options.profile);
    if (!links) return tl::unexpected<Error>(links.error());
    plan.links = *links;
    if (!options.attack.empty()) {
        auto attack = parse_attack(options.attack);
        if (!attack) return tl::unexpected<Error>(attack.error());
        plan.attack = *attack;
        const Quorum quorum = Quorum::of(plan.mode, std::max(1U, plan.nodes));
        plan.liars = options.liars == 0 ? quorum.n - quorum.q : options.liars;
    } else if (options.liars > 0) {
        return fail(ErrorCode::invalid, "--liars need an --attack");
    }
    auto misfortune = parse_misfortune(options.misfortune);
    if (!misfortune) return tl::unexpected<Error>(misfortune.error());
    plan.misfortune = *misfortune;
    auto lasts = parse_duration(options.lasts);
    if (!lasts) return tl::unexpected<Error>(lasts.error());
    plan.lasts = *lasts;
    auto every = parse_duration(options.every);
    if (!every) return tl::unexpected<Error>(every.error());
    plan.write_every = *every;
    plan.epoch_blocks = options.epoch_blocks;
    // As `creto scale` paces them.
    if (plan.nodes > plan.direct_seats_max) plan.view_interval_ms = 25;
    if (auto good = check(plan); !good) return tl::unexpected<Error>(good.error());
    return plan;
}

/// Seats by what was said of them and what they were.
struct Table {
    std::uint64_t found = 0;   ///< Liars, proven or suspected.
    std::uint64_t missed = 0;  ///< Liars that were neither.
    std::uint64_t named = 0;   ///< Honest, proven or suspected at any time.
    std::uint64_t clear = 0;   ///< Honest, and never either.
    std::uint64_t proven = 0;  ///< Of the found.
    std::uint64_t framed = 0;  ///< Of the named: proven.
    Histogram after_ms;        ///< Until a liar was found.

    void add(const SuspectReport::Named& node) {
        const bool said = node.proven || node.suspected_ms >= 0;
        if (!node.lies) {
            ++(said ? named : clear);
            framed += node.proven ? 1U : 0U;
            return;
        }
        ++(said ? found : missed);
        proven += node.proven ? 1U : 0U;
        if (!said) return;
        const bool first_proven =
            node.proven && (node.suspected_ms < 0 || node.proven_ms < node.suspected_ms);
        after_ms.add(first_proven ? node.proven_ms : node.suspected_ms);
    }
    /// Matthews' correlation: 1 is right about everyone, 0 is a guess. 0 where one side is empty.
    [[nodiscard]] double correlation() const {
        const auto tp = static_cast<double>(found);
        const auto fn = static_cast<double>(missed);
        const auto fp = static_cast<double>(named);
        const auto tn = static_cast<double>(clear);
        const double product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn);
        return product == 0 ? 0 : (tp * tn - fp * fn) / std::sqrt(product);
    }
};

JsonDoc share(std::uint64_t part, std::uint64_t rest) {
    if (part + rest == 0) return nullptr;
    return std::round(1'000.0 * static_cast<double>(part) / static_cast<double>(part + rest)) /
           1'000;
}

std::string percent(const JsonDoc& value) {
    if (value.is_null()) return "-";
    std::array<char, 16> text{};
    static_cast<void>(std::snprintf(text.data(), text.size(), "%.1f %%", 100 * value.get<double>())
    );
    return text.data();
}

}  // namespace

int command_sim_suspects(const SimSuspectsOptions& options, const Output& output) {
    using Clock = std::chrono::steady_clock;
    auto plan = plan_of(options);
    if (!plan) return output.fail(plan.error(), exit_code::usage);
    if (options.seeds == 0)
        return output.fail({ErrorCode::invalid, "at least one seed"}, exit_code::usage);
    Table table;
    Histogram p50_us;
    Histogram p95_us;
    std::uint64_t views = 0;
    std::uint64_t nullified = 0;
    std::uint64_t broken = 0;
    std::int64_t virtual_ms = 0;
    std::string lines;
    JsonDoc runs = JsonDoc::array();
    const auto begun = Clock::now();
    for (std::uint64_t i = 0; i < options.seeds; ++i) {
        plan->seed = options.seed + i;
        const SuspectReport report = run_suspect_trial(*plan);
        virtual_ms += report.virtual_ms;
        p50_us.add(report.write_p50_us);
        p95_us.add(report.write_p95_us);
        views += report.views;
        nullified += report.views_nullified;
        JsonDoc named = JsonDoc::array();
        for (const SuspectReport::Named& node : report.nodes) {
            table.add(node);
            if (!node.proven && node.suspected_ms < 0) continue;
            named.push_back(
                {{"node", node.node},
                 {"lies", node.lies},
                 {"proven", node.proven},
                 {"proven_ms", node.proven ? JsonDoc(node.proven_ms) : JsonDoc(nullptr)},
                 {"suspected_ms",
                  node.suspected_ms >= 0 ? JsonDoc(node.suspected_ms) : JsonDoc(nullptr)},
                 {"at_end", node.at_end},
                 {"reason", node.reason}}
            );
            if (!node.lies)
                lines += "seed " + std::to_string(plan->seed) + ": node " +
                         std::to_string(node.node) + " is honest, and suspected after " +
                         std::to_string(node.suspected_ms) + " ms: " + node.reason + "\n";
        }
        if (!report.violation.empty()) {
            ++broken;
            lines += "FAILED seed " + std::to_string(plan->seed) + ": " + report.violation + "\n";
        }
        runs.push_back(
            {{"seed", plan->seed},
             {"named", std::move(named)},
             {"violation", report.violation},
             {"trace", report.trace_hash.hex()}}
        );
    }
    const bool good = broken == 0 && table.named == 0;
    JsonDoc doc{
        {"ok", good},
        {"nodes", plan->nodes},
        {"attack", plan->attack ? JsonDoc(to_string(*plan->attack)) : JsonDoc(nullptr)},
        {"liars", plan->attack ? plan->liars : 0},
        {"misfortune", to_string(plan->misfortune)},
        {"profile", plan->links.name},
        {"epoch_blocks", plan->epoch_blocks},
        {"runs", options.seeds},
        {"violations", broken},
        {"liars_found", table.found},
        {"liars_proven", table.proven},
        {"liars_missed", table.missed},
        {"honest_named", table.named},
        {"honest_proven", table.framed},
        {"honest_clear", table.clear},
        {"true_positive_rate", share(table.found, table.missed)},
        {"false_positive_rate", share(table.named, table.clear)},
        {"correlation", std::round(1'000 * table.correlation()) / 1'000},
        {"found_after_ms",
         {{"p50", table.after_ms.at(500)},
          {"p99", table.after_ms.at(990)},
          {"max", table.after_ms.max()}}},
        {"write_p50_ms", static_cast<double>(p50_us.at(500)) / 1'000},
        {"write_p95_ms", static_cast<double>(p95_us.at(500)) / 1'000},
        {"views", views},
        {"views_nullified", nullified},
        {"virtual_ms", virtual_ms},
        {"wall_s", std::chrono::duration<double>(Clock::now() - begun).count()},
        {"seeds", std::move(runs)}};
    lines += std::to_string(options.seeds) + " runs of " + std::to_string(plan->nodes) +
             " nodes on " + plan->links.name + ", " +
             (plan->attack ? std::to_string(plan->liars) + " of them " + to_string(*plan->attack)
                           : std::string{"nobody lies"}) +
             ", misfortune: " + to_string(plan->misfortune) + "\n";
    lines += "  liars found: " + percent(doc["true_positive_rate"]) + " (" +
             std::to_string(table.proven) + " proven, " +
             std::to_string(table.found - table.proven) + " suspected, " +
             std::to_string(table.missed) + " missed)\n";
    lines += "  honest named: " + percent(doc["false_positive_rate"]) + " (" +
             std::to_string(table.named) + " of " + std::to_string(table.named + table.clear) +
             "; proven: " + std::to_string(table.framed) + ")\n";
    if (table.after_ms.count() > 0)
        lines += "  found after: p50 " + doc["found_after_ms"]["p50"].dump() + " ms, p99 " +
                 doc["found_after_ms"]["p99"].dump() + " ms\n";
    lines += "  a final write, second half: p50 " + doc["write_p50_ms"].dump() + " ms, p95 " +
             doc["write_p95_ms"].dump() + " ms; views given up: " + std::to_string(nullified) +
             " of " + std::to_string(views) + "\n";
    output.say(doc, lines);
    return good ? exit_code::done : exit_code::failed;
}

}  // namespace creto
