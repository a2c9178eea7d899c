#include "sim/run/trial.hpp"

#include <algorithm>
#include <map>
#include <vector>

#include "base/assert.hpp"
#include "sim/life/injector.hpp"
#include "sim/life/life.hpp"
#include "sim/node_participant.hpp"
#include "sim/run/recorder.hpp"

namespace creto {
namespace {

enum class Draw : std::uint64_t { instant = 1, node = 2, elsewhere = 3 };
constexpr std::uint64_t load_stream = 0x91;
constexpr std::uint64_t liar_stream = 0x92;
constexpr auto operation_timeout = Duration::from_s(15);
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

class Trial {
public:
    Trial(const TrialPlan& plan, const std::function<void(const TrialProgress&)>& progress)
        : plan_{plan},
          progress_{progress},
          unreliable_{unreliable(plan.base)},
          schedule_{with_calm(plan)},
          workload_{plan.workload},
          draws_{plan.base.seed, load_stream},
          recorder_{Recorder::Operations::told},
          cluster_{with_hooks(), honest_nodes()},
          injector_{schedule_, cluster_} {
        recorder_.attach(cluster_);
        recorder_.set_faults(plan.base.faults, schedule_.calm_after);
        recorder_.set_measured_from(Instant{} + trial_warm_up);
        for (std::uint32_t node = 0; node < schedule_.nodes; ++node)
            if (unreliable_[node]) cluster_.set_byzantine(NodeIndex{node});
        workload_.begin(plan.base.seed, schedule_.calm_after);
        cluster_.at(Instant{}, [this] { on_slot(); });
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
                     submitted_,
                     final_,
                     cluster_.invariants().counts().heights}
                );
        }
        if (holds()) injector_.calm();
        out_.answered = until([&] { return pending_.empty(); }, drain_max);
        if (holds()) converge();
        return report();
    }

private:
    struct Pending {
        Instant intended;
        std::uint64_t number = 0;
        bool is_retry = false;
    };

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
            on_answer(ticket, command);
        };
        return options;
    }
    [[nodiscard]] bool holds() const { return cluster_.violation().empty(); }
    bool until(const std::function<bool()>& done, Duration span) {
        const Instant end = cluster_.now() + span;
        while (!done()) {
            if (cluster_.now() >= end || !cluster_.run_for(look_every)) return false;
        }
        return true;
    }

    // --- the load ---

    void on_slot() {
        const Instant now = cluster_.now();
        for (const Ticket ticket : answered_)
            cluster_.forget(ticket);
        answered_.clear();
        if (now >= Instant{} + schedule_.calm_after) return;
        const std::uint64_t count = workload_.next_slot();
        const auto slot = static_cast<std::uint64_t>(Workload::slot.ns());
        for (std::uint64_t i = 0; i < count; ++i) {
            const std::uint64_t number = next_number_++;
            const std::uint64_t wait = scale_to(draws_(number, std::uint64_t(Draw::instant)), slot);
            cluster_.at(now + Duration::from_ns(static_cast<std::int64_t>(wait)), [this, number] {
                ++submitted_;
                recorder_.on_submitted(cluster_.now());
                offer({cluster_.now(), number, false});
            });
        }
        cluster_.at(now + Workload::slot, [this] { on_slot(); });
    }

    /// At a live honest node, drawn by the operation's number.
    void offer(const Pending& operation) {
        std::vector<std::uint32_t> live;
        for (std::uint32_t node = 0; node < schedule_.nodes; ++node)
            if (!unreliable_[node] && cluster_.is_up(NodeIndex{node})) live.push_back(node);
        if (live.empty()) return recorder_.on_refused();
        const Draw use = operation.is_retry ? Draw::elsewhere : Draw::node;
        const NodeIndex node{
            live[scale_to(draws_(operation.number, std::uint64_t(use)), live.size())]};
        DataOperation data;
        data.payload.resize(plan_.payload_bytes);
        for (std::size_t i = 0; i < std::min<std::size_t>(8, data.payload.size()); ++i)
            data.payload[i] = static_cast<std::uint8_t>(operation.number >> (8 * i));
        const Ticket ticket =
            cluster_.submit(node, Submit{std::move(data), Reading::final, operation_timeout});
        pending_.emplace(ticket, operation);
    }

    void on_answer(Ticket ticket, const SimCommand& command) {
        const auto found = pending_.find(ticket);
        if (found == pending_.end()) return;
        const Pending operation = found->second;
        pending_.erase(found);
        answered_.push_back(ticket);
        if (const auto* done = std::get_if<SubmitReply>(&*command.reply)) {
            ++final_;
            recorder_.on_final(command.node, operation.intended, done->height);
        } else if (!operation.is_retry) {
            cluster_.at(
                cluster_.now(),
                [this, again = Pending{operation.intended, operation.number, true}] {
                    offer(again);
                }
            );
        } else {
            recorder_.on_refused();
        }
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
                    Submit{DataOperation{to_bytes("last")}, Reading::final, operation_timeout}
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
    Workload workload_;
    TrialReport out_;
    NamedDraws draws_;
    std::map<Ticket, Pending> pending_;
    std::vector<Ticket> answered_;
    std::uint64_t next_number_ = 0;
    std::uint64_t submitted_ = 0;
    std::uint64_t final_ = 0;
    Recorder recorder_;
    SimCluster cluster_;
    Injector injector_;
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
    return Trial{plan, progress}.run();
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
