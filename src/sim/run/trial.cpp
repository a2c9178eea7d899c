#include "sim/run/trial.hpp"

#include <algorithm>
#include <vector>

#include "base/assert.hpp"
#include "sim/life/injector.hpp"
#include "sim/life/life.hpp"
#include "sim/node_participant.hpp"
#include "sim/run/offered_load.hpp"
#include "sim/run/recorder.hpp"

namespace creto {
namespace {

constexpr std::uint64_t liar_stream = 0x92;
constexpr auto drain_max = Duration::from_s(10);
constexpr auto look_every = Duration::from_ms(100);

SimOptions cluster_options(const TrialPlan& plan) {
    SimOptions out;
    out.seed = plan.base.seed;
    out.node_count = plan.base.nodes;
    out.mode = plan.base.mode;
    out.view_interval_ms = static_cast<std::uint32_t>(plan.base.knobs.view_interval.ms());
    out.term_views = plan.base.knobs.term_views;
    out.profile = plan.links ? *plan.links : *parse_profile(plan.base.profile);
    if (plan.bandwidth_bps > 0) out.profile.bandwidth_bps = plan.bandwidth_bps;
    out.detection = plan.base.knobs.detection;
    out.signatures = plan.base.real_signatures ? SimSignatures::ed25519 : SimSignatures::tag;
    out.costs = plan.costs;
    out.shared_processors = plan.shared_processors;
    if (plan.disk) out.disk = *plan.disk;
    out.notices_kept_max = 0;
    for (const auto& [node, attack] : plan.base.byzantine)
        out.attacks[NodeIndex{node}] = attack;
    out.configure = [knobs = plan.base.knobs](NodeIndex /*node*/, NodeOptions& node) {
        node.delta = knobs.delta;
        node.delta_max = knobs.delta_max;
        node.heartbeat = knobs.heartbeat;
    };
    return out;
}

class TrialRun {
public:
    TrialRun(const TrialPlan& plan, const std::function<void(const TrialProgress&)>& progress)
        : plan_{plan},
          progress_{progress},
          unreliable_{unreliable(plan.base)},
          schedule_{with_calm(plan)},
          recorder_{Recorder::Operations::told},
          cluster_{with_hooks(), honest_nodes()},
          injector_{schedule_, cluster_},
          load_{load_plan(), cluster_, recorder_} {
        recorder_.attach(cluster_);
        recorder_.set_faults(plan.base.faults, schedule_.calm_after);
        recorder_.set_measured_from(Instant{} + trial_warm_up);
        for (std::uint32_t node = 0; node < schedule_.nodes; ++node)
            if (unreliable_[node]) cluster_.set_byzantine(NodeIndex{node});
        load_.begin(plan.workload, schedule_.calm_after);
    }

    TrialReport run() {
        const Duration of = schedule_.calm_after + drain_max;
        while (holds() && cluster_.now() < Instant{} + schedule_.calm_after) {
            const Duration left = Instant{} + schedule_.calm_after - cluster_.now();
            (void)cluster_.run_for(std::min(left, Duration::from_s(1)));
            if (progress_)
                progress_(
                    {cluster_.now() - Instant{},
                     of,
                     load_.submitted(),
                     load_.final(),
                     cluster_.invariants().counts().heights}
                );
        }
        if (holds()) injector_.calm();
        out_.answered = until([&] { return load_.all_answered(); }, drain_max);
        if (holds()) converge();
        return report();
    }

private:
    static Schedule with_calm(const TrialPlan& plan) {
        Schedule out = plan.base;
        out.calm_after = trial_warm_up + plan.duration;
        return out;
    }
    SimOptions with_hooks() {
        SimOptions options = cluster_options(plan_);
        options.on_notice = [this](NodeIndex node, const SimNotice& notice) {
            on_notice(node, notice);
        };
        recorder_.hook(options);
        options.on_answer = [this](Ticket ticket, const SimCommand& command) {
            (void)load_.on_answer(ticket, command);
        };
        return options;
    }
    OfferedLoad::Plan load_plan() {
        OfferedLoad::Plan out;
        out.seed = plan_.base.seed;
        out.payload_bytes = plan_.payload_bytes;
        out.takes = [this](std::uint32_t node) { return !unreliable_[node]; };
        return out;
    }
    [[nodiscard]] bool holds() const { return cluster_.violation().empty(); }
    bool until(const std::function<bool()>& done, Duration span) {
        const Instant end = cluster_.now() + span;
        while (!done()) {
            if (cluster_.now() >= end || !cluster_.run_for(look_every)) return false;
        }
        return true;
    }

    void on_notice(NodeIndex node, const SimNotice& notice) {
        if (unreliable_[node.value()]) return;
        if (const auto* suspected = std::get_if<SeatSuspected>(&*notice.notice)) {
            if (const auto whom = cluster_.find(suspected->agent))
                out_.suspected.insert(whom->value());
            return;
        }
        const auto* excluded = std::get_if<Excluded>(&*notice.notice);
        if (excluded == nullptr) return;
        const auto culprit = cluster_.find(excluded->agent);
        if (!culprit) return;
        out_.proven.insert(culprit->value());
        if (!unreliable_[culprit->value()]) out_.accused.insert(culprit->value());
    }

    // --- the end ---

    /// A write at each honest node becomes final, and everybody has the highest block of now.
    void converge() {
        const Instant begin = cluster_.now();
        out_.bound = healing_bound(schedule_);
        std::vector<std::optional<Ticket>> writes(schedule_.nodes);
        const auto is_final = [&](std::uint32_t node) {
            const ReplyBody* reply = writes[node] ? cluster_.reply(*writes[node]) : nullptr;
            if (reply != nullptr && std::holds_alternative<SubmitReply>(*reply)) return true;
            if (reply != nullptr || !writes[node])
                writes[node] = cluster_.submit(
                    NodeIndex{node},
                    Submit{
                        DataOperation{to_bytes("last")},
                        Reading::final,
                        OfferedLoad::operation_timeout}
                );
            return false;
        };
        out_.stuck.clear();
        const Height highest{cluster_.invariants().counts().heights};
        out_.progressed = until(
            [&] {
                out_.stuck.clear();
                for (std::uint32_t node = 0; node < schedule_.nodes; ++node) {
                    if (unreliable_[node]) continue;
                    const bool is_done =
                        is_final(node) && cluster_.finalized(NodeIndex{node}) >= highest;
                    if (!is_done)
                        out_.stuck += (out_.stuck.empty() ? "node " : ", ") + std::to_string(node);
                }
                return out_.stuck.empty();
            },
            out_.bound
        );
        out_.progressed_after = cluster_.now() - begin;
    }

    TrialReport report() {
        out_.violation = cluster_.violation();
        out_.trace_hash = cluster_.trace_hash();
        out_.events = cluster_.events();
        out_.virtual_time = cluster_.now() - Instant{};
        if (const auto& broken = cluster_.invariants().violation())
            out_.diverged = broken->checker == "agreement" || broken->checker == "prefix" ? 1 : 0;
        out_.record = recorder_.finish();
        for (std::uint32_t node = 0; node < schedule_.nodes; ++node)
            if (unreliable_[node] && out_.record.roles[node] == "honest")
                out_.record.roles[node] = "disk forgets";
        return std::move(out_);
    }

    const TrialPlan& plan_;
    const std::function<void(const TrialProgress&)>& progress_;
    std::vector<bool> unreliable_;
    Schedule schedule_;
    TrialReport out_;
    Recorder recorder_;
    SimCluster cluster_;
    Injector injector_;
    OfferedLoad load_;
};

}  // namespace

Result<void> check(const TrialPlan& plan) {
    const auto refuse = [](const std::string& what) { return fail(ErrorCode::invalid, what); };
    Schedule base = plan.base;
    base.calm_after =
        trial_warm_up + std::min(plan.duration, limits::schedule_span_max - trial_warm_up);
    if (auto good = check(base); !good) return good;
    if (plan.duration <= Duration{}) return refuse("a run needs some duration");
    if (plan.payload_bytes < 8 || plan.payload_bytes > limits::operation_bytes_max - 1'024)
        return refuse("a payload has 8 to 130,048 bytes");
    if (plan.bandwidth_bps > limits::link_bandwidth_bps_max) return refuse("at most 1 Tbit/s");
    return {};
}

TrialReport run_trial(
    const TrialPlan& plan, const std::function<void(const TrialProgress&)>& progress
) {
    CRETO_ASSERT(check(plan).has_value());
    return TrialRun{plan, progress}.run();
}

void draw_liars(Schedule& schedule, std::uint32_t share_ppm, Attack attack) {
    const auto count =
        static_cast<std::uint32_t>(std::uint64_t{schedule.nodes} * share_ppm / 1'000'000);
    std::vector<std::uint32_t> all(schedule.nodes);
    for (std::uint32_t i = 0; i < schedule.nodes; ++i)
        all[i] = i;
    for (std::uint32_t i = 0; i < count; ++i) {
        std::swap(
            all[i], all[i + scale_to(draw(schedule.seed, liar_stream, i), schedule.nodes - i)]
        );
        schedule.byzantine[all[i]] = attack;
    }
}

}  // namespace creto
