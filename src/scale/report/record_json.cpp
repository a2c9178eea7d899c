#include "scale/report/record_json.hpp"

#include <algorithm>
#include <array>

#include "scale/numbers.hpp"

namespace creto {
namespace {

using Doc = nlohmann::ordered_json;

double ms_of_us(std::uint64_t us) {
    return three_decimals(static_cast<double>(us) / 1'000);
}
double s_of(Duration span) {
    return three_decimals(static_cast<double>(span.us()) / 1e6);
}

Doc timeline(const RunRecord& record) {
    Doc out;
    out["cell_s"] = s_of(record.cell);
    out["span_s"] = s_of(record.span);
    for (const char* name :
         {"submitted", "final", "refused", "blocks", "view", "height", "latency_max_ms"})
        out[name] = Doc::array();
    for (const RunCell& cell : record.cells) {
        out["submitted"].push_back(cell.submitted);
        out["final"].push_back(cell.final);
        out["refused"].push_back(cell.refused);
        out["blocks"].push_back(cell.blocks);
        out["view"].push_back(cell.view);
        out["height"].push_back(cell.height);
        out["latency_max_ms"].push_back(ms_of_us(cell.latency_max_us));
    }
    return out;
}

Doc nodes(const RunRecord& record) {
    Doc out;
    out["roles"] = record.roles;
    for (const char* name : {"view", "lag", "state"})
        out[name] = Doc::array();
    for (const std::vector<NodeCell>& row : record.rows) {
        Doc views = Doc::array();
        Doc lags = Doc::array();
        std::string states;
        for (const NodeCell& cell : row) {
            views.push_back(cell.view);
            lags.push_back(cell.lag);
            states += cell.state == NodeState::up ? 'u' : cell.state == NodeState::down ? 'd' : 'p';
        }
        out["view"].push_back(std::move(views));
        out["lag"].push_back(std::move(lags));
        out["state"].push_back(std::move(states));
    }
    return out;
}

Doc faults(const RunRecord& record) {
    Doc out = Doc::array();
    for (const Fault& fault : record.faults) {
        Doc one{
            {"fault", to_string(fault.kind)},
            {"at_s", s_of(fault.at)},
            {"end_s", s_of(std::min(fault.end(), record.calm_after.value_or(fault.end())))},
            {"nodes", fault.nodes}};
        if (!fault.others.empty()) one["others"] = fault.others;
        if (fault.amount != 0) one["amount"] = fault.amount;
        if (fault.more != 0) one["more"] = fault.more;
        out.push_back(std::move(one));
    }
    return out;
}

Doc percentiles(const Histogram& histogram) {
    Doc out{{"count", histogram.count()}, {"mean_ms", ms_of_us(histogram.mean())}};
    if (histogram.count() == 0) return out;
    out["p50_ms"] = ms_of_us(histogram.at(500));
    out["p95_ms"] = ms_of_us(histogram.at(950));
    out["p99_ms"] = ms_of_us(histogram.at(990));
    out["p999_ms"] = ms_of_us(histogram.at(999));
    out["max_ms"] = ms_of_us(histogram.max());
    return out;
}

Doc latency(const RunRecord& record) {
    Doc out = percentiles(record.latency_us);
    out["histogram"] = Doc::array();
    record.latency_us.each([&](std::uint64_t us, std::uint64_t count) {
        out["histogram"].push_back({ms_of_us(us), count});
    });
    out["waiting"] = percentiles(record.waiting_us);
    out["ordering"] = percentiles(record.ordering_us);
    out["learning"] = percentiles(record.learning_us);
    out["points"] = Doc::array();
    for (const LatencyPoint& point : record.points)
        out["points"].push_back(
            {three_decimals(static_cast<double>(point.at_us) / 1e6),
             ms_of_us(static_cast<std::uint64_t>(point.latency_us)),
             point.node}
        );
    return out;
}

double mean_ms(Duration sum, std::uint64_t count) {
    return count == 0 ? 0 : static_cast<double>(sum.ns()) / 1e6 / static_cast<double>(count);
}

/// What an operation waits for until it is proposed is measured. The rest is divided as the steps
/// of a message are: one hop, one place in the receiver's queue, its processor, one check, one sync.
Doc where_time_goes(const RunRecord& record) {
    const RunLoads& loads = record.loads;
    struct Part {
        const char* name;
        double step_ms;
    };
    const std::array<Part, 5> parts{
        Part{"network", mean_ms(loads.travelled, loads.messages)},
        Part{"processor queue", mean_ms(loads.queued, loads.events)},
        Part{"processor", mean_ms(loads.protocol, loads.events)},
        Part{"signature checks", mean_ms(loads.checking, loads.checks)},
        Part{"disk", mean_ms(loads.syncing, loads.syncs)}};
    double step_ms = 0;
    for (const Part& part : parts)
        step_ms += part.step_ms;
    const double rest_ms =
        static_cast<double>(record.ordering_us.mean() + record.learning_us.mean()) / 1'000;
    Doc out = Doc::array();
    out.push_back(
        {{"part", "waiting for a leader"},
         {"ms", ms_of_us(record.waiting_us.mean())},
         {"how", "measured"}}
    );
    for (const Part& part : parts)
        out.push_back(
            {{"part", part.name},
             {"ms", three_decimals(step_ms == 0 ? 0 : rest_ms * part.step_ms / step_ms)},
             {"step_ms", three_decimals(part.step_ms)},
             {"how", "the measured rest, divided as one message's step is"}}
        );
    return out;
}

Doc slowest(const RunRecord& record) {
    Doc out = Doc::array();
    for (const SlowDecision& slow : record.slowest) {
        const auto ms = [](std::int64_t us) { return ms_of_us(static_cast<std::uint64_t>(us)); };
        out.push_back(
            {{"at_s", three_decimals(static_cast<double>(slow.intended_us) / 1e6)},
             {"latency_ms", ms(slow.latency_us)},
             {"waiting_ms", ms(slow.waiting_us)},
             {"ordering_ms", ms(slow.ordering_us)},
             {"learning_ms", ms(slow.learning_us)},
             {"node", slow.node},
             {"height", slow.height},
             {"view", slow.view},
             {"views_skipped", slow.skipped},
             {"proposer", slow.proposer}}
        );
    }
    return out;
}

Doc loads(const RunRecord& record) {
    const RunLoads& l = record.loads;
    return {
        {"events", l.events},
        {"messages", l.messages},
        {"bytes", l.bytes},
        {"checks", l.checks},
        {"syncs", l.syncs},
        {"protocol_s", s_of(l.protocol)},
        {"crypto_s", s_of(l.crypto)},
        {"protocol_peak_percent", three_decimals(l.protocol_peak_ppm / 1e4)},
        {"crypto_peak_percent", three_decimals(l.crypto_peak_ppm / 1e4)},
        {"bytes_peak", l.bytes_peak}};
}

struct Property {
    const char* checker;
    const char* id;
    const char* says;
};
constexpr std::array<Property, 20> properties{
    Property{"agreement", "S1", "one block at a height, on all honest nodes"},
    Property{"prefix", "S2", "final blocks follow each other without gaps"},
    Property{"one-outcome", "S3", "no two certificates that contradict each other"},
    Property{"justification", "S4", "nobody votes past a view that may be final"},
    Property{"single-vote", "S5", "one vote of a kind for a view, restarts included"},
    Property{"durable-vote", "S6", "a vote is on disk before it is sent"},
    Property{"durability", "S7", "what was answered as final is there at the end"},
    Property{"integrity", "S8", "what is final was written by somebody"},
    Property{"exactly-once", "S9", "each operation is executed once"},
    Property{"state", "S10", "equal blocks give equal state"},
    Property{"certificate", "S11", "certificates have a quorum of good signatures"},
    Property{"epoch", "S12", "votes count in their epoch only"},
    Property{"monotonic", "S13", "views and heights never fall"},
    Property{"resources", "S14", "what a node holds stays within its bounds"},
    Property{"progress", "L1 L2", "writes become final once nothing disturbs"},
    Property{"view-sync", "L3", "honest nodes meet in one view"},
    Property{"catch-up", "L4", "whoever was away reaches the tip"},
    Property{"evidence", "A1", "nobody honest is accused"},
    Property{"halt", "-", "no honest node stops voting"},
    Property{"one-reply", "-", "every command is answered once"}};

}  // namespace

Doc record_details(const RunRecord& record) {
    Doc out;
    out["timeline"] = timeline(record);
    out["nodes"] = nodes(record);
    out["faults"] = faults(record);
    if (record.calm_after) out["calm_s"] = s_of(*record.calm_after);
    if (const auto& broken = record.violation)
        out["violation"] = {
            {"checker", broken->checker},
            {"text", broken->text},
            {"node", broken->node.value()},
            {"at_s", s_of(broken->at - Instant{})}};
    out["latency"] = latency(record);
    out["where_time_goes"] = where_time_goes(record);
    out["slowest"] = slowest(record);
    out["loads"] = loads(record);
    out["probes"] = record.probes;
    return out;
}

Doc verdicts(const std::string& broken, const std::set<std::string>& checked) {
    Doc out = Doc::array();
    bool is_known = broken.empty();
    for (const Property& property : properties) {
        Doc one{{"id", property.id}, {"checker", property.checker}, {"says", property.says}};
        if (property.checker == broken) {
            one["passed"] = false;
            is_known = true;
        } else if (checked.count(property.checker) == 0) {
            one["passed"] = nullptr;
            one["reason"] = "not checked in this kind of run";
        } else if (broken.empty()) {
            one["passed"] = true;
        } else {
            one["passed"] = nullptr;
            one["reason"] = "open: the run ended when another broke";
        }
        out.push_back(std::move(one));
    }
    if (!is_known)
        out.push_back({{"id", "-"}, {"checker", broken}, {"says", "see below"}, {"passed", false}});
    return out;
}

double peak_rate(const RunRecord& record, Duration from, Duration to) {
    const auto per_second =
        static_cast<std::size_t>(std::max<std::int64_t>(1, 1'000'000'000 / record.cell.ns()));
    double peak = 0;
    for (std::size_t first = 0; first + per_second <= record.cells.size(); ++first) {
        const Duration begin = record.cell * static_cast<std::int64_t>(first);
        const Duration span = record.cell * static_cast<std::int64_t>(per_second);
        if (begin < from || begin + span > to) continue;
        std::uint64_t count = 0;
        for (std::size_t i = first; i < first + per_second; ++i)
            count += record.cells[i].final;
        peak = std::max(peak, static_cast<double>(count) * 1e9 / static_cast<double>(span.ns()));
    }
    return peak;
}

}  // namespace creto
