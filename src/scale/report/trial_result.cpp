#include "scale/report/trial_result.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "link/profile.hpp"
#include "scale/numbers.hpp"
#include "scale/report/page_files.hpp"
#include "scale/report/record_json.hpp"

namespace creto {
namespace {

using Doc = nlohmann::ordered_json;

std::string text(double value, int digits = 1) {
    char out[64];
    std::snprintf(out, sizeof out, "%.*f", digits, value);
    return out;
}
Doc ms(const Histogram& histogram, std::uint64_t permille) {
    if (histogram.count() == 0) return nullptr;
    return three_decimals(static_cast<double>(histogram.at(permille)) / 1'000);
}

std::string pattern_of(const Schedule& schedule) {
    std::string out;
    for (const auto& [node, attack] : schedule.byzantine) {
        const std::string name = to_string(attack);
        if (out.find(name) == std::string::npos) out += (out.empty() ? "" : "+") + name;
    }
    return out.empty() ? "none" : out;
}

Doc configuration(const Schedule& schedule, const std::string& workload, const CostTable& costs) {
    return {
        {"node_count", schedule.nodes},
        {"network_profile", schedule.profile},
        {"quorum", schedule.mode == QuorumMode::crash ? "crash" : "byzantine"},
        {"byzantine_percentage",
         three_decimals(100.0 * static_cast<double>(schedule.byzantine.size()) / schedule.nodes)},
        {"byzantine_pattern", pattern_of(schedule)},
        {"workload", workload},
        {"signature_scheme",
         schedule.real_signatures     ? "ed25519"
         : has_joined_votes(costs.id) ? "tag, votes joined"
                                      : "tag"},
        {"cost_table", costs.id}};
}

struct Spans {
    double measured_s = 0;
    double virtual_s = 0;
    double required_s = 0;
};

Doc results(const RunRecord& record, const Spans& spans, double peak) {
    const RunLoads& loads = record.loads;
    const std::size_t honest =
        static_cast<std::size_t>(std::count(record.roles.begin(), record.roles.end(), "honest"));
    const double nodes = static_cast<double>(std::max<std::size_t>(1, honest));
    const double whole = std::max(1e-9, spans.virtual_s);
    Doc out;
    out["throughput"] = {
        {"avg_tps",
         three_decimals(static_cast<double>(record.final) / std::max(1e-9, spans.measured_s))},
        {"offered_tps",
         three_decimals(static_cast<double>(record.submitted) / std::max(1e-9, spans.measured_s))},
        {"peak_tps", three_decimals(peak)},
        {"total_vertices", record.vertices}};
    out["latency"] = {
        {"p50_ms", ms(record.latency_us, 500)},
        {"p95_ms", ms(record.latency_us, 950)},
        {"p99_ms", ms(record.latency_us, 990)},
        {"p999_ms", ms(record.latency_us, 999)},
        {"max_ms", ms(record.latency_us, 1'000)},
        {"count", record.latency_us.count()}};
    out["resource_usage"] = {
        {"avg_cpu_percent",
         three_decimals(
             100 * (seconds_of(loads.protocol) + seconds_of(loads.crypto)) / nodes / whole
         )},
        {"peak_cpu_percent",
         three_decimals((loads.protocol_peak_ppm + loads.crypto_peak_ppm) / 1e4)},
        {"avg_memory_mb", three_decimals(static_cast<double>(loads.memory_mean) / 1e6)},
        {"peak_memory_mb", three_decimals(static_cast<double>(loads.memory_peak) / 1e6)},
        {"avg_network_mbps",
         three_decimals(static_cast<double>(loads.bytes) * 8 / 1e6 / nodes / whole)}};
    const std::size_t blocks = record.blocks;
    out["consensus"] = {
        {"avg_rounds_to_finalize",
         blocks == 0
             ? Doc(nullptr)
             : Doc(three_decimals(
                   1 + static_cast<double>(record.views_skipped) /
                           std::max(1.0, static_cast<double>(record.rounds - record.views_skipped))
               ))},
        {"confidence_at_finalization",
         record.votes_any == 0
             ? Doc(nullptr)
             : Doc(three_decimals(
                   static_cast<double>(record.votes_for) / static_cast<double>(record.votes_any)
               ))},
        {"sealed_share", nullptr},
        {"finalized", blocks > 0},
        {"diverged", 0},
        {"decisions", blocks}};
    out["detection"] = {
        {"byzantine_detected", 0},
        {"proven", 0},
        {"suspected", 0},
        {"false_positives", 0},
        {"culprits", Doc::array()}};
    out["cost"] = {
        {"wall_s", 0},
        {"virtual_s", three_decimals(spans.virtual_s)},
        {"virtual_required_s", three_decimals(spans.required_s)},
        {"messages", loads.messages},
        {"shortcut_share", 0}};
    return out;
}

Doc models(const LinkProfile& links, const Schedule& schedule, const CostTable& costs) {
    Doc out = Doc::array();
    out.push_back(
        std::string{"links: "} + links.name + ", " +
        text(static_cast<double>(links.latency_min.us()) / 1'000, 2) + " to " +
        text(static_cast<double>(links.latency_max.us()) / 1'000, 2) + " ms one way, loss " +
        text(links.loss_ppm / 1e4, 2) + " %, " +
        (links.kind == LinkKind::stream ? "as delay on streams" : "as missing datagrams") +
        (links.bandwidth_bps > 0
             ? ", " + text(static_cast<double>(links.bandwidth_bps) / 1e6) + " Mbit/s a node"
             : ", bandwidth unlimited")
    );
    out.push_back(
        schedule.real_signatures
            ? "signatures: Ed25519"
            : "signatures: keyed tags of Ed25519's size; their cost is the table's"
    );
    if (has_joined_votes(costs.id))
        out.push_back(
            "votes: joined, as BLS12-381 multi-signatures: sums of tags, of 64 bytes where those "
            "have "
            "96; costs from figures published for blst, none measured here; keys are taken to be "
            "proven"
        );
    out.push_back(
        costs.is_free() ? "processors: infinitely fast"
                        : "processors: one for the protocol and one for signatures a node, costs "
                          "from table " +
                              costs.id
    );
    out.push_back("disks: memory; a sync takes 0.2 to 0.4 ms, grouped; what was not synced is lost"
    );
    out.push_back("messages: whole, with 86 bytes of framing; no sockets, no libp2p, no RocksDB");
    out.push_back("memory: bytes of the graph and of the store, without the process");
    out.push_back("shortcuts: none, every message is delivered and handled by the node's own code");
    return out;
}

std::vector<std::string> not_covered() {
    return {
        "the share of votes at the moment of sealing",
        "more than 2,048 seats, changes of the roster, days of uptime on one disk",
        "the operating system: scheduling, buffers of sockets, page cache"};
}

/// What every kind of result has in its details besides the record.
void describe(
    ScenarioResult& result,
    const Schedule& schedule,
    const LinkProfile& links,
    const CostTable& costs,
    const std::string& repro
) {
    result.details["repro"] = repro;
    result.details["models"] = models(links, schedule, costs);
    result.details["not_covered"] = not_covered();
    result.details["calibration"] = Doc::parse(embedded::calibration_json());
}

const std::set<std::string> trial_checkers{
    "agreement",
    "prefix",
    "one-outcome",
    "justification",
    "single-vote",
    "durable-vote",
    "state",
    "certificate",
    "epoch",
    "monotonic",
    "progress",
    "catch-up",
    "evidence",
    "one-reply"};

/// What can be read of processes from outside.
const std::set<std::string> process_checkers{
    "agreement", "state", "progress", "catch-up", "evidence", "halt"};

std::string bottleneck_of_processes(const TrialReport& report, const ProcessFindings& found) {
    constexpr double busy = 85;
    const double all = found.nodes_percent + found.bench_percent + found.others_percent;
    const std::string machine = std::to_string(found.processors) + " processors, " + text(all, 0) +
                                " % busy: " + text(found.nodes_percent, 0) + " % with nodes, " +
                                text(found.bench_percent, 0) + " % with clients and links, " +
                                text(found.others_percent, 0) + " % with other work";
    if (all >= busy) return "the machine: " + machine;
    const RunRecord& record = report.record;
    return (record.final * 100 >= record.submitted * 98
                ? std::string{"the load that was offered"}
                : std::string{"latency: waiting for messages, leaders and syncs"}) +
           "; " + machine;
}

std::string joined(const std::set<std::uint32_t>& nodes) {
    std::string out;
    for (const std::uint32_t node : nodes)
        out += (out.empty() ? "node " : ", ") + std::to_string(node);
    return out.empty() ? "none" : out;
}

/// Beside what is checked of all nodes at every step, or can be read from outside.
void judge(ScenarioResult& result, const TrialPlan& plan, const TrialReport& report) {
    const Schedule& base = plan.base;
    const bool held = report.violation.empty();
    result.require(
        "decisions",
        "at least one block and one operation",
        std::to_string(report.record.blocks) + " blocks, " + std::to_string(report.record.final) +
            " operations",
        report.record.blocks > 0 && report.record.final > 0
    );
    std::size_t faulty = base.byzantine.size();
    const std::vector<bool> bad = unreliable(base);
    faulty = std::max(faulty, static_cast<std::size_t>(std::count(bad.begin(), bad.end(), true)));
    const std::string bound = text(seconds_of(report.bound), 1) + " s after the load";
    if (faulty > liars_max(base.mode, base.nodes)) {
        result.criteria.push_back(
            {"progress",
             "a write of every honest node is final",
             report.progressed ? "all" : "not at " + report.stuck,
             std::nullopt,
             std::to_string(faulty) + " of " + std::to_string(base.nodes) +
                 " deviate, more than the quorum tolerates: only safety is promised"}
        );
    } else if (held) {
        result.require(
            "progress",
            "a write of every honest node is final within " + bound,
            report.progressed ? "all after " + text(seconds_of(report.progressed_after), 2) + " s"
                              : "not at " + report.stuck,
            report.progressed
        );
    }
    result.require(
        "no honest node accused", "none", joined(report.accused), report.accused.empty()
    );
}

/// Configuration and results, as far as they do not depend on the host.
void fill(ScenarioResult& result, const TrialPlan& plan, const TrialReport& report) {
    const RunRecord& record = report.record;
    result.configuration = configuration(plan.base, plan.workload.text(), plan.costs);
    result.configuration["duration_s"] = three_decimals(seconds_of(plan.duration));
    result.configuration["payload_bytes"] = plan.payload_bytes;
    const Spans spans{
        seconds_of(plan.duration),
        seconds_of(report.virtual_time),
        seconds_of(trial_warm_up + plan.duration)};
    const double peak = peak_rate(record, trial_warm_up, trial_warm_up + plan.duration);
    result.results = results(record, spans, peak);
    result.results["consensus"]["diverged"] = report.diverged;
    Doc& detection = result.results["detection"];
    std::set<std::uint32_t> named = report.proven;
    named.insert(report.suspected.begin(), report.suspected.end());
    const auto lying =
        static_cast<std::size_t>(std::ranges::count_if(named, [&](std::uint32_t node) {
            return plan.base.byzantine.contains(node);
        }));
    detection["byzantine_detected"] = lying;
    detection["proven"] = report.proven.size();
    detection["suspected"] = report.suspected.size();
    detection["false_positives"] = named.size() - lying;
    for (const std::uint32_t node : named)
        detection["culprits"].push_back("node-" + std::to_string(node));
}

std::string broken_by(const ScenarioResult& result, const TrialReport& report) {
    if (report.record.violation) return report.record.violation->checker;
    const bool is_stuck = result.status() == std::string{"FAILED"} && !report.progressed;
    return is_stuck ? "progress" : "";
}

}  // namespace

std::string bottleneck(const TrialPlan& plan, const TrialReport& report) {
    constexpr double busy = 70;
    const RunRecord& record = report.record;
    const double protocol = record.loads.protocol_peak_ppm / 1e4;
    const double crypto = record.loads.crypto_peak_ppm / 1e4;
    const double bits = static_cast<double>(record.loads.bytes_peak) * 8 / seconds_of(record.span);
    const double uplink =
        plan.bandwidth_bps == 0 ? 0 : 100 * bits / static_cast<double>(plan.bandwidth_bps);
    const double most = std::max({protocol, crypto, uplink});
    if (most >= busy) {
        const char* name = most == protocol ? "the busiest node's protocol thread"
                           : most == crypto ? "the busiest node's signature checks"
                                            : "the busiest node's link";
        return std::string{name} + ", " + text(most, 0) + " % busy";
    }
    const bool keeps_up = record.final * 100 >= record.submitted * 98;
    const std::string rest =
        "; the busiest processor is " + text(std::max(protocol, crypto), 0) + " % busy";
    if (keeps_up) return "the load that was offered" + rest;
    return "latency: waiting for messages, leaders and syncs" + rest;
}

ScenarioResult trial_result(
    const TrialPlan& plan, const TrialReport& report, const std::string& repro
) {
    const RunRecord& record = report.record;
    ScenarioResult result;
    result.id = "sim-run";
    result.title = std::to_string(plan.base.nodes) + " nodes, " + plan.base.profile + ", " +
                   plan.workload.text();
    result.host = "simulator";
    result.seed = plan.base.seed;
    result.trace_hash = report.trace_hash.hex();
    const bool held = report.violation.empty();
    result.require("invariants", "no violation", held ? "none" : report.violation, held);
    judge(result, plan, report);
    fill(result, plan, report);
    result.details["verdicts"] = verdicts(broken_by(result, report), trial_checkers);
    result.details["bottleneck"] = bottleneck(plan, report);
    LinkProfile links = plan.links ? *plan.links : *parse_profile(plan.base.profile);
    if (plan.bandwidth_bps > 0) links.bandwidth_bps = plan.bandwidth_bps;
    describe(result, plan.base, links, plan.costs, repro);
    result.details["warm_up_s"] = seconds_of(trial_warm_up);
    result.details["events"] = report.events;
    result.details.update(record_details(record));
    return result;
}
ScenarioResult process_result(
    const TrialPlan& plan,
    const TrialReport& report,
    const ProcessFindings& found,
    const std::string& repro
) {
    ScenarioResult result;
    result.id = "real-run";
    result.title = std::to_string(plan.base.nodes) + " processes, " + plan.base.profile + ", " +
                   plan.workload.text();
    result.seed = plan.base.seed;
    result.pids = found.pids;
    const RunRecord& record = report.record;
    const std::string checker = record.violation ? record.violation->checker : "";
    const auto add = [&](const char* name, const char* wanted, const char* good, bool holds) {
        Criterion one{name, wanted, holds ? good : report.violation, holds, {}};
        if (record.blocks == 0 && holds) {
            one.passed.reset();
            one.reason = "no block was final";
        }
        result.criteria.push_back(std::move(one));
    };
    add("agreement",
        "no two nodes differ in a final block or a state of one height",
        "none that was seen",
        report.diverged == 0 && checker != "agreement" && checker != "state");
    add("nodes stay up", "no process ends or stops by itself", "none did", checker != "halt");
    judge(result, plan, report);
    if (report.violation.empty())
        result.require(
            "convergence",
            "all end with one order and one state",
            std::to_string(found.converged) + " of " + std::to_string(plan.base.nodes),
            found.converged == plan.base.nodes
        );
    fill(result, plan, report);
    for (const char* modelled : {"cost_table"})
        result.configuration.erase(modelled);
    for (const char* modelled : {"virtual_s", "virtual_required_s", "messages", "shortcut_share"})
        result.results["cost"].erase(modelled);
    result.details["host"] = "real";
    result.details["cores"] = found.processors;
    result.details["machine"] = {
        {"processors", found.processors},
        {"nodes_percent", three_decimals(found.nodes_percent)},
        {"bench_percent", three_decimals(found.bench_percent)},
        {"others_percent", three_decimals(found.others_percent)}};
    result.details["verdicts"] = verdicts(broken_by(result, report), process_checkers);
    result.details["bottleneck"] = bottleneck_of_processes(report, found);
    result.details["repro"] = repro;
    result.details["not_covered"] = {
        "what nodes hold inside: votes, lanes and books of clients are checked in the simulator",
        "several machines: these processes share processors, disk and loopback"};
    result.details["warm_up_s"] = seconds_of(trial_warm_up);
    result.details.update(record_details(record));
    for (const char* modelled : {"where_time_goes", "slowest", "probes"})
        result.details.erase(modelled);
    return result;
}

ScenarioResult life_result(
    const Schedule& schedule, const LifeReport& report, const std::string& repro
) {
    const RunRecord& record = report.record;
    ScenarioResult result;
    result.id = "sim-life";
    result.title = "a life of " + std::to_string(schedule.nodes) + " nodes, " + schedule.profile +
                   ", " + std::to_string(schedule.faults.size()) + " faults";
    result.host = "simulator";
    result.seed = schedule.seed;
    result.trace_hash = report.trace_hash.hex();
    result.require(
        "all checkers", "no violation", report.passed() ? "none" : report.text, report.passed()
    );
    result.configuration = configuration(
        schedule,
        std::to_string(schedule.workload.count) + " operations, one each " +
            std::to_string(schedule.workload.every.ms()) + " ms",
        no_costs()
    );
    result.configuration["duration_s"] = three_decimals(seconds_of(report.lived));
    const double lived = seconds_of(report.lived);
    result.results = results(record, {lived, lived, lived}, peak_rate(record, {}, record.span));
    std::set<std::string> checked = trial_checkers;
    checked.insert(
        {"durability", "integrity", "exactly-once", "state", "resources", "view-sync", "halt"}
    );
    result.details["verdicts"] = verdicts(report.checker, checked);
    result.details["bottleneck"] =
        "the faults; this run asks whether it breaks, not how fast it is";
    describe(result, schedule, *parse_profile(schedule.profile), no_costs(), repro);
    result.details["events"] = report.events;
    result.details["healed_s"] = three_decimals(seconds_of(report.healed_after));
    result.details["restarts"] = report.restarts;
    result.details.update(record_details(record));
    return result;
}

ScenarioResult system_result(
    const SimScenario& scenario, const SimOutcome& outcome, const std::string& repro
) {
    ScenarioResult result;
    result.id = scenario.id;
    result.title = scenario.name;
    result.host = "simulator";
    result.seed = outcome.seed;
    result.trace_hash = outcome.trace_hash.hex();
    for (const SimFinding& finding : outcome.findings)
        result.require(finding.what, "holds", finding.holds ? "holds" : "broken", finding.holds);
    if (outcome.findings.empty()) result.require("findings", "at least one", "none", false);
    const bool held = outcome.violation.empty();
    result.require("invariants", "no violation", held ? "none" : outcome.violation, held);
    const RunRecord& record = outcome.record;
    result.nodes = record.nodes;
    Schedule schedule;
    schedule.nodes = record.nodes;
    schedule.profile = "local";
    result.configuration = configuration(schedule, "the scenario's own", no_costs());
    result.configuration["duration_s"] = three_decimals(seconds_of(record.span));
    const double span = seconds_of(record.span);
    result.results = results(record, {span, span, span}, peak_rate(record, {}, record.span));
    std::set<std::string> checked = trial_checkers;
    checked.erase("progress");
    checked.erase("catch-up");
    result.details["verdicts"] =
        verdicts(record.violation ? record.violation->checker : "", checked);
    result.details["bottleneck"] = "none: this run asks whether it holds, not how fast it is";
    describe(result, schedule, local_profile(), no_costs(), repro);
    result.details["events"] = outcome.events;
    result.details["heights"] = outcome.heights;
    result.details["virtual_ms"] = outcome.virtual_ms;
    result.details.update(record_details(record));
    return result;
}

}  // namespace creto
