#include "scale/bench/measure.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "link/link_model.hpp"
#include "scale/numbers.hpp"
#include "scale/report/record_json.hpp"
#include "sim/life/life.hpp"

namespace creto {
namespace {

constexpr double never_s = std::numeric_limits<double>::infinity();

using Samples = std::vector<ClusterSample>;

/// The sums at an instant: of the last sample that is not after it.
const ClusterSample& at(const Samples& samples, Duration instant) {
    static const ClusterSample none{};
    const auto after = std::find_if(samples.begin(), samples.end(), [&](const ClusterSample& s) {
        return s.at > instant;
    });
    return after == samples.begin() ? none : *(after - 1);
}

double rate(const Samples& samples, Duration from, Duration to) {
    const ClusterSample& begin = at(samples, from);
    const ClusterSample& end = at(samples, to);
    const double span = seconds_of(end.at - begin.at);
    return span <= 0 ? 0 : static_cast<double>(end.final - begin.final) / span;
}

Samples inside(const Samples& samples, Duration from, Duration to) {
    Samples out;
    for (const ClusterSample& sample : samples)
        if (sample.at > from && sample.at <= to) out.push_back(sample);
    return out;
}

double mean(const std::vector<double>& values) {
    double sum = 0;
    for (const double value : values)
        sum += value;
    return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

double variance(const std::vector<double>& values) {
    const double middle = mean(values);
    double sum = 0;
    for (const double value : values)
        sum += (value - middle) * (value - middle);
    return values.size() < 2 ? 0 : sum / static_cast<double>(values.size() - 1);
}

/// Rates of windows of so many seconds.
std::vector<double> rates(const Samples& samples, Duration from, Duration to, std::int64_t span_s) {
    std::vector<double> out;
    const Duration span = Duration::from_s(span_s);
    for (Duration begin = from; begin + span <= to; begin = begin + span)
        out.push_back(rate(samples, begin, begin + span));
    return out;
}

void measure_growth(const Samples& part, PerformanceMetrics& out) {
    const std::size_t quarter = part.size() / 4;
    if (quarter == 0) return;
    std::vector<double> first;
    std::vector<double> last;
    for (std::size_t i = 0; i < quarter; ++i) {
        first.push_back(part[i].memory_mean);
        last.push_back(part[part.size() - quarter + i].memory_mean);
    }
    if (mean(first) > 0) out.set("memory_growth_percent", 100 * (mean(last) / mean(first) - 1));
    const auto sync_s = [&](std::size_t from, std::size_t to) {
        const auto count = static_cast<double>(part[to].syncs - part[from].syncs);
        return count <= 0 ? 0 : seconds_of(part[to].syncing - part[from].syncing) / count;
    };
    const double early = sync_s(0, quarter);
    const double late = sync_s(part.size() - 1 - quarter, part.size() - 1);
    if (early > 0) out.set("storage_slowdown", late / early);
}

void measure_rates(const Samples& samples, Duration from, Duration to, PerformanceMetrics& out) {
    constexpr std::int64_t window_s = 5;
    out.set("min_tps", rate(samples, from, to));
    for (const double tens : rates(samples, from, to, 10))
        out.set("min_tps", std::min(*out.get("min_tps"), tens));
    const std::vector<double> minutes = rates(samples, from, to, 60);
    if (minutes.size() >= 3 && mean(minutes) > 0)
        out.set("tps_variance_percent", 100 * std::sqrt(variance(minutes)) / mean(minutes));
    const Duration last = to - Duration::from_s(1);
    out.set("tps_current", rate(samples, last, to));
    double sustainable = 0;
    std::optional<double> saturated;
    for (const ClusterSample& sample : inside(samples, from, to)) {
        const ClusterSample& before = at(samples, sample.at - Duration::from_s(window_s));
        const auto offered = static_cast<double>(sample.submitted - before.submitted);
        const auto final = static_cast<double>(sample.final - before.final);
        const double span = std::max(1e-9, seconds_of(sample.at - before.at));
        if (final >= 0.95 * offered) sustainable = std::max(sustainable, offered / span);
        if (!saturated && sample.cpu_max_percent >= 95) saturated = offered / span;
    }
    out.set("sustainable_tps", sustainable);
    if (saturated) out.set("saturation_tps", *saturated);
}

void measure_seconds(const Samples& part, PerformanceMetrics& out) {
    if (part.empty()) return;
    std::vector<double> cpu;
    std::vector<double> memory;
    std::vector<double> bits;
    std::uint64_t alive = 0;
    double peak_cpu = 0;
    double peak_memory = 0;
    double peak_bits = 0;
    double no_quorum = 0;
    std::uint32_t no_quorum_nodes = 0;
    std::uint32_t sides = 0;
    for (std::size_t i = 0; i < part.size(); ++i) {
        cpu.push_back(part[i].cpu_mean_percent);
        memory.push_back(part[i].memory_mean);
        bits.push_back(part[i].bits_mean);
        peak_cpu = std::max(peak_cpu, part[i].cpu_max_percent);
        peak_memory = std::max(peak_memory, part[i].memory_max);
        peak_bits = std::max(peak_bits, part[i].bits_max);
        sides = std::max(sides, part[i].sides);
        if (i == 0 || part[i].height_max > part[i - 1].height_max) ++alive;
        if (part[i].honest == 0) continue;
        no_quorum = 100.0 * part[i].no_quorum / part[i].honest;
        no_quorum_nodes = part[i].no_quorum;
    }
    out.set("avg_cpu_percent", mean(cpu));
    out.set("peak_cpu_percent", peak_cpu);
    out.set("process_cpu_usage_percent", mean(cpu));
    out.set("avg_memory_mb", part.back().memory_mean / 1e6);
    out.set("peak_memory_mb", peak_memory / 1e6);
    out.set("process_resident_memory_bytes", peak_memory);
    out.set("avg_network_mbps", mean(bits) / 1e6);
    out.set("peak_network_mbps", peak_bits / 1e6);
    out.set(
        "uptime_percent", 100.0 * static_cast<double>(alive) / static_cast<double>(part.size())
    );
    out.set("running_nodes", part.back().running);
    out.set("partitions_seen", sides);
    out.set("partitions_left", part.back().sides);
    out.set("no_quorum_percent", no_quorum);
    out.set("no_quorum_nodes", no_quorum_nodes);
}

/// Whether blocks became final in the last two seconds and nobody is far behind.
bool healthy_at_end(const Samples& part) {
    if (part.size() < 3) return false;
    const ClusterSample& last = part.back();
    return last.height_max > part[part.size() - 3].height_max && last.no_quorum == 0 &&
           last.height_min + 64 >= last.height_max;
}

void measure_votes(const ClusterReport& report, PerformanceMetrics& out) {
    const RunRecord& record = report.trial.record;
    const double span = std::max(1e-9, seconds_of(report.measured_to - report.measured_from));
    const auto rounds = static_cast<double>(record.rounds);
    const double blocks = rounds - static_cast<double>(record.views_skipped);
    out.set("consensus_rounds_total", rounds);
    out.set("batch_processing_rate", blocks / span);
    if (record.ordering_us.count() > 0)
        out.set("consensus_latency_seconds", static_cast<double>(record.ordering_us.mean()) / 1e6);
    if (rounds > 0) out.set("round_duration_seconds", span / rounds);
    if (blocks > 0) out.set("rounds_to_finalize", rounds / blocks);
    if (record.votes_any > 0)
        out.set(
            "confidence_score",
            static_cast<double>(record.votes_for) / static_cast<double>(record.votes_any)
        );
    // Turns for a block, by windows of ten seconds: views per height.
    std::vector<double> turns;
    const double cell_s = std::max(1e-9, seconds_of(record.cell));
    const auto cells = static_cast<std::size_t>(std::max(1.0, 10 / cell_s));
    const auto first = static_cast<std::size_t>(seconds_of(report.measured_from) / cell_s);
    for (std::size_t i = first; i + cells < record.cells.size(); i += cells) {
        const double heights = static_cast<double>(
            record.cells[i + cells].height -
            std::min(record.cells[i].height, record.cells[i + cells].height)
        );
        const double views = static_cast<double>(
            record.cells[i + cells].view -
            std::min(record.cells[i].view, record.cells[i + cells].view)
        );
        if (heights > 0) turns.push_back(views / heights);
    }
    if (turns.size() >= 2) out.set("rounds_variance", variance(turns));
}

void measure_liars(const ClusterReport& report, PerformanceMetrics& out) {
    const auto lying = static_cast<double>(std::count_if(
        report.found.begin(),
        report.found.end(),
        [&](std::uint32_t node) { return report.liars.contains(node); }
    ));
    const double wrong = static_cast<double>(report.found.size()) - lying;
    out.set("byzantine_nodes", static_cast<double>(report.liars.size()));
    out.set("byzantine_detections_total", lying);
    if (!report.liars.empty())
        out.set("byzantine_found_percent", 100 * lying / static_cast<double>(report.liars.size()));
    out.set("false_positive_percent", 100 * wrong / std::max(1U, report.honest_nodes));
    out.set("proven_nodes", static_cast<double>(report.trial.proven.size()));
    out.set("suspected_nodes", static_cast<double>(report.trial.suspected.size()));
    if (report.reputation_ratio) out.set("reputation_ratio", *report.reputation_ratio);
    const bool is_provable =
        report.proven_to_others * 3 > report.liars.size() + report.honest_nodes;
    out.set(
        "failed_safely",
        report.trial.violation.empty() && (report.trial.diverged == 0 || is_provable) ? 1 : 0
    );
}

/// Views without finality for longer than the bound, where a quorum was there.
double stalls(const TestClusterConfig& config, const ClusterReport& report) {
    Schedule schedule;
    schedule.nodes = config.node_count;
    schedule.profile = config.profile;
    schedule.knobs = config.knobs;
    const Duration bound = healing_bound(schedule);
    double out = 0;
    Duration since;
    std::uint64_t height = 0;
    bool is_counted = false;
    for (const ClusterSample& sample : report.samples) {
        const bool cannot = sample.no_quorum * 2 > sample.honest || sample.honest == 0;
        if (sample.height_max > height || cannot) {
            height = std::max(height, sample.height_max);
            since = sample.at;
            is_counted = false;
        } else if (sample.at - since > bound && !is_counted) {
            is_counted = true;
            out += 1;
        }
    }
    return out;
}

}  // namespace

PerformanceMetrics measure(const TestClusterConfig& config, const ClusterReport& report) {
    PerformanceMetrics out;
    const RunRecord& record = report.trial.record;
    const Duration from = report.measured_from;
    const Duration to = report.measured_to;
    const double span = std::max(1e-9, seconds_of(to - from));
    const auto final = static_cast<double>(record.final);
    out.set("created_nodes", config.node_count + config.spare_count);
    out.set("avg_tps", final / span);
    out.set("offered_tps", static_cast<double>(record.submitted) / span);
    if (record.submitted > 0)
        out.set("tps_of_offered_percent", 100 * final / static_cast<double>(record.submitted));
    out.set("final_operations", final);
    out.set("finalized_vertices_total", final);
    out.set("peak_tps", peak_rate(record, from, to));
    measure_rates(report.samples, from, to, out);
    // By when it was asked for: an answer that comes a little later is no slump.
    constexpr std::size_t window_s = 10;
    const auto& asked = report.final_by_second;
    const auto first = static_cast<std::size_t>(from.ms() / 1'000);
    const auto last = std::min(asked.size(), static_cast<std::size_t>(to.ms() / 1'000));
    for (std::size_t at = first; at + window_s <= last; at += window_s) {
        double sum = 0;
        for (std::size_t i = at; i < at + window_s; ++i)
            sum += asked[i];
        out.set(
            "min_tps", at == first ? sum / window_s : std::min(*out.get("min_tps"), sum / window_s)
        );
    }
    const Samples part = inside(report.samples, from, to);
    measure_seconds(part, out);
    measure_growth(part, out);
    if (!part.empty())
        out.set(
            "final_blocks",
            static_cast<double>(
                part.back().height_max -
                std::min(part.back().height_max, at(report.samples, from).height_max)
            )
        );
    out.set("healthy", report.trial.violation.empty() && healthy_at_end(part) ? 1 : 0);
    if (record.latency_us.count() > 0) {
        const auto ms = [&](std::uint64_t permille) {
            return static_cast<double>(record.latency_us.at(permille)) / 1'000;
        };
        out.set("latency_p50_ms", ms(500));
        out.set("latency_p95_ms", ms(950));
        out.set("latency_p99_ms", ms(990));
        // Lane vertex, a view under way, proposal, two rounds of votes: five delays, and a sync.
        const NetworkProfile links = *parse_profile(config.profile);
        const double bound_ms = seconds_of(links.latency_max) * 1'000 * 5 + 1;
        out.set("latency_p95_of_bound", ms(950) / bound_ms);
    }
    measure_votes(report, out);
    measure_liars(report, out);
    const RunLoads& loads = record.loads;
    out.set("vertices_processed_total", static_cast<double>(record.vertices));
    out.set("active_vertices", static_cast<double>(report.backlog));
    out.set("dag_depth", static_cast<double>(report.lane_depth));
    out.set("network_bytes_sent_total", static_cast<double>(report.bytes_sent));
    out.set("network_bytes_received_total", static_cast<double>(report.bytes_received));
    out.set("rocksdb_write_ops_total", static_cast<double>(loads.syncs));
    if (loads.syncs > 0)
        out.set(
            "storage_operation_duration_seconds",
            seconds_of(loads.syncing) / static_cast<double>(loads.syncs)
        );
    out.set(
        "vertex_creation_duration_seconds",
        static_cast<double>(config.costs.sign_ns + config.costs.append_ns) / 1e9 +
            static_cast<double>(config.costs.hash_byte_ps * config.payload_bytes) / 1e12
    );
    if (report.query_p95_us > 0) out.set("query_latency_seconds", report.query_p95_us / 1e6);
    const double broken = report.trial.violation.empty() ? 0 : 1;
    out.set("consensus_failures_total", broken + stalls(config, report));
    out.set("oom_kills", static_cast<double>(report.memory_kills));
    out.set("crashes", broken + static_cast<double>(report.memory_kills));
    out.set("converged_nodes", report.converged_nodes);
    out.set("diverged_nodes", static_cast<double>(report.trial.diverged));
    out.set("joined_nodes", report.joined);
    for (const auto& [name, why] : report.missing)
        out.drop(name);
    return out;
}

PerformanceMetrics measure_window(const ClusterReport& report, const RunWindow& window) {
    PerformanceMetrics out;
    const Samples part = inside(report.samples, window.from, window.to);
    if (part.empty()) return out;
    const ClusterSample& begin = at(report.samples, window.from);
    const auto grown = [](std::uint64_t from, std::uint64_t to) {
        return static_cast<double>(to - std::min(from, to));
    };
    out.set("avg_tps", rate(report.samples, window.from, window.to));
    out.set("final_operations", grown(begin.final, part.back().final));
    out.set("final_blocks", grown(begin.height_max, part.back().height_max));
    measure_rates(report.samples, window.from, window.to, out);
    measure_seconds(part, out);
    out.set("healthy", healthy_at_end(part) ? 1 : 0);
    // Recovery: 95 % of what was before is final again, and all have what was final then.
    const ClusterSample& stopped = at(report.samples, window.before);
    const double wanted = rate(report.samples, report.measured_from, window.before);
    double recovered = never_s;
    for (std::size_t i = 0; i < part.size(); ++i) {
        const ClusterSample& before = i == 0 ? begin : part[i - 1];
        const double now =
            static_cast<double>(part[i].final - std::min(before.final, part[i].final)) /
            std::max(1e-9, seconds_of(part[i].at - before.at));
        const bool is_whole = part[i].sides == 0 && part[i].height_min >= begin.height_max;
        const double asked =
            static_cast<double>(part[i].submitted - std::min(before.submitted, part[i].submitted)) /
            std::max(1e-9, seconds_of(part[i].at - before.at));
        if (now < 0.95 * std::min(wanted, asked) || !is_whole) continue;
        recovered = seconds_of(part[i].at - window.from);
        break;
    }
    out.set("recovery_seconds", recovered);
    std::uint64_t least = part.back().height_min;
    out.set("state_kept", least >= stopped.height_max ? 1 : 0);
    return out;
}

void probe_links(const NetworkProfile& profile, std::uint32_t nodes, PerformanceMetrics& out) {
    constexpr std::uint64_t probes = 2'000;
    NetworkProfile links = profile;
    links.kind = LinkKind::datagram;  // A stream hides its losses in delay.
    LinkModel model{1, nodes, links};
    std::uint64_t lost = 0;
    std::uint64_t sent = 0;
    Duration least = Duration::max();
    Duration most;
    for (std::uint64_t number = 0; number < probes; ++number) {
        const Instant now = Instant{} + Duration::from_s(static_cast<std::int64_t>(number));
        for (std::uint32_t a = 0; a < nodes; ++a) {
            for (std::uint32_t b = 0; b < nodes; ++b) {
                if (a == b) continue;
                ++sent;
                const LinkPlan plan = model.plan({NodeIndex{a}, NodeIndex{b}}, 100, now, number);
                if (plan.copies == 0) {
                    ++lost;
                    continue;
                }
                least = std::min(least, plan.at[0] - now);
                most = std::max(most, plan.at[0] - now);
            }
        }
    }
    out.set("link_latency_min_ms", seconds_of(least) * 1'000);
    out.set("link_latency_max_ms", seconds_of(most) * 1'000);
    out.set("link_loss_percent", 100.0 * static_cast<double>(lost) / static_cast<double>(sent));
}

}  // namespace creto
