#include "sim/life/schedule_json.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace creto {
namespace {

using Doc = nlohmann::ordered_json;

Doc write(const Fault& fault) {
    Doc out;
    out["t_ms"] = fault.at.ms();
    out["fault"] = to_string(fault.kind);
    out["lasts_ms"] = fault.lasts.ms();
    if (!fault.nodes.empty()) out["nodes"] = fault.nodes;
    if (!fault.others.empty()) out["others"] = fault.others;
    if (fault.amount != 0) out["amount"] = fault.amount;
    if (fault.more != 0) out["more"] = fault.more;
    return out;
}

/// Reads an object key by key; what remains unread is a mistake.
class Fields {
public:
    Fields(const Doc& object, std::string where) : object_{object}, where_{std::move(where)} {
        if (!object.is_object()) refuse("", "is no object");
    }

    template <class T>
    void number(const char* key, T& out, std::uint64_t most = 1'000'000'000'000) {
        const Doc* found = find(key);
        if (found == nullptr) return;
        if (!found->is_number_unsigned() || found->get<std::uint64_t>() > most)
            return refuse(key, "is no number in range");
        out = static_cast<T>(found->get<std::uint64_t>());
    }
    void seed(std::uint64_t& out) { number(key_seed, out, ~std::uint64_t{0}); }
    void span(const char* key, Duration& out) {
        std::int64_t ms = out.ms();
        number(key, ms, span_ms_max);
        if (find(key) != nullptr) out = Duration::from_ms(ms);
    }
    void text(const char* key, std::string& out) {
        const Doc* found = find(key);
        if (found == nullptr) return;
        if (!found->is_string()) return refuse(key, "is no text");
        out = found->get<std::string>();
    }
    void flag(const char* key, bool& out) {
        const Doc* found = find(key);
        if (found == nullptr) return;
        if (!found->is_boolean()) return refuse(key, "is neither true nor false");
        out = found->get<bool>();
    }
    void spans(const char* key, std::vector<Duration>& out) {
        const Doc* found = find(key);
        if (found == nullptr) return;
        if (!found->is_array() || found->size() > limits::schedule_calms_max)
            return refuse(key, "is no list of instants");
        for (const Doc& item : *found) {
            if (!item.is_number_unsigned() || item.get<std::uint64_t>() > span_ms_max)
                return refuse(key, "holds something that is no instant");
            out.push_back(Duration::from_ms(item.get<std::int64_t>()));
        }
    }
    void list(const char* key, std::vector<std::uint32_t>& out) {
        const Doc* found = find(key);
        if (found == nullptr) return;
        if (!found->is_array() || found->size() > limits::schedule_nodes_max)
            return refuse(key, "is no list of nodes");
        for (const Doc& item : *found) {
            if (!item.is_number_unsigned() || item.get<std::uint64_t>() > 1'000)
                return refuse(key, "holds something that is no node");
            out.push_back(item.get<std::uint32_t>());
        }
    }
    const Doc* find(const char* key) {
        if (!object_.is_object()) return nullptr;
        const auto found = object_.find(key);
        if (found == object_.end()) return nullptr;
        seen_.emplace_back(key);
        return &*found;
    }
    void refuse(const std::string& key, const std::string& what) {
        if (error_.empty()) error_ = where_ + (key.empty() ? "" : "." + key) + " " + what;
    }
    void refuse(const Error& error) { refuse("", error.message); }

    /// Says the first mistake, unknown keys included.
    [[nodiscard]] Result<void> end() {
        if (object_.is_object()) {
            for (const auto& [key, value] : object_.items())
                if (std::find(seen_.begin(), seen_.end(), key) == seen_.end())
                    refuse(key.substr(0, 64), "is not known");
        }
        if (!error_.empty()) return fail(ErrorCode::invalid, error_);
        return {};
    }

private:
    static constexpr const char* key_seed = "seed";
    static constexpr auto span_ms_max = static_cast<std::uint64_t>(limits::schedule_span_max.ms());
    const Doc& object_;
    std::string where_;
    std::vector<std::string> seen_;
    std::string error_;
};

Result<Fault> read_fault(const Doc& json) {
    Fields fields{json, "fault"};
    Fault fault;
    fields.span("t_ms", fault.at);
    fields.span("lasts_ms", fault.lasts);
    std::string kind;
    fields.text("fault", kind);
    if (const auto parsed = parse_fault_kind(kind)) {
        fault.kind = *parsed;
    } else {
        fields.refuse(parsed.error());
    }
    fields.list("nodes", fault.nodes);
    fields.list("others", fault.others);
    fields.number("amount", fault.amount);
    fields.number("more", fault.more);
    if (auto end = fields.end(); !end) return tl::unexpected<Error>(end.error());
    return fault;
}

Result<void> read_parts(Fields& fields, Schedule& out) {
    if (const Doc* workload = fields.find("workload")) {
        Fields part{*workload, "workload"};
        part.number("count", out.workload.count, limits::schedule_workload_max);
        part.span("every_ms", out.workload.every);
        part.number("causal_percent", out.workload.causal_percent, 100);
        part.number("call_percent", out.workload.call_percent, 100);
        part.span("steady_ms", out.workload.steady);
        part.span("steady_every_ms", out.workload.steady_every);
        if (auto end = part.end(); !end) return end;
    }
    if (const Doc* knobs = fields.find("knobs")) {
        Fields part{*knobs, "knobs"};
        part.span("delta_ms", out.knobs.delta);
        part.span("delta_max_ms", out.knobs.delta_max);
        part.span("heartbeat_ms", out.knobs.heartbeat);
        part.span("view_interval_ms", out.knobs.view_interval);
        part.number("term_views", out.knobs.term_views, limits::term_views_max);
        part.number(
            "checkpoint_blocks", out.knobs.checkpoint_blocks, limits::checkpoint_blocks_max
        );
        part.number("keep_blocks", out.knobs.keep_blocks, limits::schedule_workload_max);
        part.number("epoch_blocks", out.knobs.epoch_blocks, limits::epoch_blocks_max);
        part.number(
            "dead_after_reports", out.knobs.dead_after_reports, limits::dead_after_reports_max
        );
        part.span("detection_ms", out.knobs.detection);
        if (auto end = part.end(); !end) return end;
    }
    if (const Doc* liars = fields.find("byzantine")) {
        if (!liars->is_object() || liars->size() > limits::schedule_nodes_max)
            return fail(ErrorCode::invalid, "byzantine is no object of attacks by node");
        for (const auto& [node, name] : liars->items()) {
            const bool is_node = !node.empty() && node.size() <= 4 &&
                                 node.find_first_not_of("0123456789") == std::string::npos;
            if (!is_node || !name.is_string())
                return fail(ErrorCode::invalid, "byzantine: a node's number, and an attack's name");
            const auto attack = parse_attack(name.get<std::string>());
            if (!attack) return tl::unexpected<Error>(attack.error());
            out.byzantine[static_cast<std::uint32_t>(std::stoul(node))] = *attack;
        }
    }
    if (const Doc* faults = fields.find("faults")) {
        if (!faults->is_array() || faults->size() > limits::schedule_faults_max)
            return fail(ErrorCode::invalid, "faults is no list");
        for (const Doc& item : *faults) {
            auto fault = read_fault(item);
            if (!fault) return tl::unexpected<Error>(fault.error());
            out.faults.push_back(std::move(*fault));
        }
    }
    return {};
}

}  // namespace

std::string to_json(const Schedule& schedule) {
    Doc out;
    out["seed"] = schedule.seed;
    out["nodes"] = schedule.nodes;
    if (schedule.spares != 0) out["spares"] = schedule.spares;
    out["mode"] = schedule.mode == QuorumMode::byzantine ? "byzantine" : "crash";
    out["profile"] = schedule.profile;
    out["real_signatures"] = schedule.real_signatures;
    out["costs"] = schedule.costs;
    out["knobs"] = {
        {"delta_ms", schedule.knobs.delta.ms()},
        {"delta_max_ms", schedule.knobs.delta_max.ms()},
        {"heartbeat_ms", schedule.knobs.heartbeat.ms()},
        {"view_interval_ms", schedule.knobs.view_interval.ms()},
        {"detection_ms", schedule.knobs.detection.ms()}};
    if (schedule.knobs.term_views != 1) out["knobs"]["term_views"] = schedule.knobs.term_views;
    if (schedule.knobs.checkpoint_blocks != Knobs{}.checkpoint_blocks)
        out["knobs"]["checkpoint_blocks"] = schedule.knobs.checkpoint_blocks;
    if (schedule.knobs.epoch_blocks != 0)
        out["knobs"]["epoch_blocks"] = schedule.knobs.epoch_blocks;
    if (schedule.knobs.dead_after_reports != Knobs{}.dead_after_reports)
        out["knobs"]["dead_after_reports"] = schedule.knobs.dead_after_reports;
    if (schedule.knobs.keep_blocks != 0) out["knobs"]["keep_blocks"] = schedule.knobs.keep_blocks;
    out["workload"] = {
        {"count", schedule.workload.count},
        {"every_ms", schedule.workload.every.ms()},
        {"causal_percent", schedule.workload.causal_percent},
        {"call_percent", schedule.workload.call_percent},
        {"steady_ms", schedule.workload.steady.ms()},
        {"steady_every_ms", schedule.workload.steady_every.ms()}};
    out["byzantine"] = Doc::object();
    for (const auto& [node, attack] : schedule.byzantine)
        out["byzantine"][std::to_string(node)] = to_string(attack);
    for (const Duration calm : schedule.calms)
        out["calms_ms"].push_back(calm.ms());
    out["calm_after_ms"] = schedule.calm_after.ms();
    std::string text = "{";
    for (const auto& [key, value] : out.items())
        text += (text.size() > 1 ? ",\n " : "\n ") + Doc(key).dump() + ": " + value.dump();
    text += ",\n \"faults\": [";
    for (std::size_t i = 0; i < schedule.faults.size(); ++i)
        text += (i == 0 ? "\n  " : ",\n  ") + write(schedule.faults[i]).dump();
    return text + "]\n}\n";
}

Result<Schedule> parse_schedule(std::string_view text) {
    if (text.size() > limits::schedule_bytes_max)
        return fail(ErrorCode::limit, "schedule: over a megabyte");
    const Doc json = Doc::parse(text, nullptr, false);
    if (json.is_discarded()) return fail(ErrorCode::invalid, "schedule: not JSON");
    Schedule out;
    Fields fields{json, "schedule"};
    std::string note;
    fields.text("note", note);  // For people: why it is kept.
    fields.seed(out.seed);
    fields.number("nodes", out.nodes, limits::schedule_nodes_max);
    fields.number("spares", out.spares, limits::schedule_nodes_max);
    std::string mode = "byzantine";
    fields.text("mode", mode);
    if (mode != "byzantine" && mode != "crash") fields.refuse("mode", "is byzantine or crash");
    out.mode = mode == "crash" ? QuorumMode::crash : QuorumMode::byzantine;
    fields.text("profile", out.profile);
    fields.flag("real_signatures", out.real_signatures);
    fields.text("costs", out.costs);
    fields.spans("calms_ms", out.calms);
    fields.span("calm_after_ms", out.calm_after);
    if (auto parts = read_parts(fields, out); !parts) return tl::unexpected<Error>(parts.error());
    if (auto end = fields.end(); !end) return tl::unexpected<Error>(end.error());
    if (auto good = check(out); !good) return tl::unexpected<Error>(good.error());
    return out;
}

}  // namespace creto
