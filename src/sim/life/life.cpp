#include "sim/life/life.hpp"

#include <algorithm>
#include <numeric>
#include <optional>

#include "sim/life/clients.hpp"
#include "sim/life/injector.hpp"
#include "sim/node_participant.hpp"
#include "tools/builtins.hpp"

namespace creto {
namespace {

constexpr auto look_every = Duration::from_ms(100);
constexpr std::uint64_t dag_bytes_max = 64U << 20U;
constexpr std::uint64_t pending_max = 1'000;

SimOptions cluster_options(const Schedule& schedule, const LifeOptions& options) {
    SimOptions out;
    out.seed = schedule.seed;
    out.node_count = schedule.nodes;
    out.mode = schedule.mode;
    out.view_interval_ms = static_cast<std::uint32_t>(schedule.knobs.view_interval.ms());
    out.profile = *parse_profile(schedule.profile);
    out.detection = schedule.knobs.detection;
    out.signatures = schedule.real_signatures ? SimSignatures::ed25519 : SimSignatures::tag;
    out.notices_kept_max = 0;
    out.log = options.log;
    for (const auto& [node, attack] : schedule.byzantine)
        out.attacks[NodeIndex{node}] = attack;
    out.configure = [knobs = schedule.knobs](NodeIndex /*node*/, NodeOptions& node) {
        node.delta = knobs.delta;
        node.delta_max = knobs.delta_max;
        node.heartbeat = knobs.heartbeat;
    };
    if (schedule.workload.call_percent > 0) {
        const ToolBox box{builtin_registry().snapshot(), Duration::from_ms(1), {}};
        for (std::uint32_t node = 0; node < schedule.nodes; ++node)
            out.tools[NodeIndex{node}] = box;
    }
    return out;
}

class Life {
public:
    Life(const Schedule& schedule, const LifeOptions& options)
        : schedule_{schedule},
          options_{options},
          unreliable_{unreliable(schedule)},
          cluster_{with_notices(cluster_options(schedule, options)), factory(options)},
          clients_{schedule, cluster_},
          injector_{schedule, cluster_} {
        for (std::uint32_t node = 0; node < schedule_.nodes; ++node)
            if (unreliable_[node]) cluster_.set_byzantine(NodeIndex{node});
    }

    LifeReport run() {
        if (cluster_.run_for(schedule_.calm_after)) injector_.calm();
        if (holds()) converge();
        if (holds()) grow_old();
        if (holds()) rest();
        if (holds()) clients_.audit();
        if (holds()) check_not_empty();
        return report();
    }

private:
    static ParticipantFactory factory(const LifeOptions& options) {
        return options.factory ? options.factory : honest_nodes();
    }
    SimOptions with_notices(SimOptions options) {
        options.on_notice = [this](NodeIndex node, const SimNotice& notice) {
            on_notice(node, notice);
            if (options_.on_notice) options_.on_notice(node, notice);
        };
        return options;
    }

    [[nodiscard]] bool holds() const { return cluster_.violation().empty(); }
    [[nodiscard]] bool is_reliable(std::uint32_t node) const { return !unreliable_[node]; }
    template <class Function>
    void each_reliable(Function function) {
        for (std::uint32_t i = 0; i < schedule_.nodes; ++i)
            if (is_reliable(i)) function(i);
    }
    [[nodiscard]] std::optional<StatusReply> status(std::uint32_t node) const {
        const Node* inside = cluster_.node(NodeIndex{node});
        return inside == nullptr ? std::nullopt : std::optional{inside->status()};
    }
    /// Asked every 100 ms of virtual time.
    bool until(const std::function<bool()>& done, Instant end) {
        while (!done()) {
            if (cluster_.now() >= end) return false;
            if (!cluster_.run_for(look_every)) return true;  // The violation is what counts.
        }
        return true;
    }

    void on_notice(NodeIndex node, const SimNotice& notice) {
        if (!is_reliable(node.value())) return;
        if (const auto* excluded = std::get_if<Excluded>(&notice.notice)) {
            const auto culprit = cluster_.find(excluded->agent);
            if (culprit && is_reliable(culprit->value()))
                cluster_.violate(
                    "evidence",
                    "node " + std::to_string(culprit->value()) +
                        " is reliable and was excluded: " + excluded->reason,
                    node
                );
        }
        if (const auto* halted = std::get_if<Halted>(&notice.notice)) {
            if (halted->reason.find("storage failed") == std::string::npos)
                cluster_.violate("halt", halted->reason, node);
        }
    }

    /// L1, L2 and L4: a write at every node is final, and nobody stays behind.
    void converge() {
        const Instant calm = cluster_.now();
        // What a narrow link has taken in still leaves it at its old rate: a minute of messages, and
        // what is sent now comes after them.
        const Instant end =
            std::max(calm, cluster_.links().queues_empty()) + healing_bound(schedule_);
        std::vector<std::optional<Ticket>> writes(schedule_.nodes);
        const auto is_final = [&](std::uint32_t node) {
            const ReplyBody* reply = writes[node] ? cluster_.reply(*writes[node]) : nullptr;
            if (reply != nullptr && std::holds_alternative<SubmitReply>(*reply)) return true;
            // Refused in a minority, or stopped by a fault that was not over: asks again.
            if (reply != nullptr || !writes[node]) writes[node] = clients_.write_final(node);
            return false;
        };
        const auto all_final = [&] {
            bool all = true;
            each_reliable([&](std::uint32_t node) { all = is_final(node) && all; });
            return all;
        };
        if (!until(all_final, end)) {
            each_reliable([&](std::uint32_t node) {
                if (!is_final(node)) cluster_.violate("progress", describe(node), NodeIndex{node});
            });
            return;
        }
        const Height highest{cluster_.invariants().counts().heights};
        if (!until([&] { return cluster_.finalized_by_all() >= highest; }, end)) {
            each_reliable([&](std::uint32_t node) {
                if (cluster_.finalized(NodeIndex{node}) < highest)
                    cluster_.violate("catch-up", describe(node), NodeIndex{node});
            });
        }
        healed_after_ = cluster_.now() - calm;
    }

    /// Lives on until it is as old, and has decided as much, as a life must.
    void grow_old() {
        // Twenty blocks one after the other, each with its share of what a whole healing may take.
        const Instant end = cluster_.now() + healing_bound(schedule_) * 4;
        std::uint32_t turn = 0;
        const auto is_old = [&] {
            return cluster_.now() >= Instant{} + life_min &&
                   cluster_.invariants().counts().heights >= decisions_min;
        };
        while (holds() && !is_old() && cluster_.now() < end) {
            if (cluster_.invariants().counts().heights < decisions_min) {
                while (!is_reliable(turn % schedule_.nodes))
                    ++turn;
                clients_.write_final(turn++ % schedule_.nodes);
            }
            (void)cluster_.run_for(Duration::from_ms(500));
        }
    }

    /// Waits until nobody has anything to do, and compares.
    void rest() {
        const Instant end = cluster_.now() + healing_bound(schedule_);
        std::string differs;
        const auto is_same = [&] {
            differs = difference();
            return differs.empty();
        };
        if (!until([&] { return clients_.all_answered() && is_same(); }, end) || !holds())
            if (holds()) cluster_.violate("state", "at rest: " + differs, NodeIndex{});
        each_reliable([&](std::uint32_t node) { check_resources(node); });
    }

    /// What is not the same on all reliable nodes yet.
    [[nodiscard]] std::string difference() {
        std::optional<StatusReply> first;
        std::string out;
        each_reliable([&](std::uint32_t node) {
            const auto now = status(node);
            if (!now || !out.empty()) return;
            if (!first) first = now;
            if (now->finalized != first->finalized || now->state_root != first->state_root)
                out = "height " + std::to_string(now->finalized.value()) + " at node " +
                      std::to_string(node) + ", " + std::to_string(first->finalized.value()) +
                      " elsewhere";
            const auto apart = static_cast<std::int64_t>(now->view.value()) -
                               static_cast<std::int64_t>(first->view.value());
            if (apart < -1 || apart > 1)
                out = "view " + std::to_string(now->view.value()) + " at node " +
                      std::to_string(node) + ", " + std::to_string(first->view.value()) +
                      " elsewhere";
            if (now->pending_operations > 0)
                out = "node " + std::to_string(node) + " has " +
                      std::to_string(now->pending_operations) + " operations pending";
        });
        return out;
    }

    void check_resources(std::uint32_t node) {
        const auto now = status(node);
        if (!now || !holds()) return;
        const auto over = [&](const char* what, std::uint64_t value, std::uint64_t most) {
            if (value > most)
                cluster_.violate(
                    "resources",
                    std::string{what} + " is " + std::to_string(value) + " at rest",
                    NodeIndex{node}
                );
        };
        over("dag_bytes", now->counters.at("dag_bytes"), dag_bytes_max);
        over("pending calls", now->pending_calls, pending_max);
        over("unsynced", cluster_.host(NodeIndex{node}).life->unsynced.size(), pending_max);
    }

    [[nodiscard]] std::string describe(std::uint32_t node) const {
        const auto now = status(node);
        if (!now) return "is down";
        return "height " + std::to_string(now->finalized.value()) + " of " +
               std::to_string(cluster_.invariants().counts().heights) + ", view " +
               std::to_string(now->view.value()) + ", reaches " +
               std::to_string(now->reachable_seats) + " seats, " +
               std::to_string(now->pending_operations) +
               " pending, halted: " + now->halted.value_or("no");
    }

    void check_not_empty() {
        const auto& fired = injector_.fired();
        const auto faults = std::accumulate(fired.begin(), fired.end(), std::uint64_t{0}) +
                            schedule_.byzantine.size();
        const std::uint64_t decisions = cluster_.invariants().counts().heights;
        if (faults == 0) cluster_.violate("empty", "no fault fired", NodeIndex{});
        if (decisions < decisions_min)
            cluster_.violate("empty", std::to_string(decisions) + " decisions", NodeIndex{});
    }

    LifeReport report() {
        LifeReport out;
        out.seed = schedule_.seed;
        if (const auto& broken = cluster_.invariants().violation()) {
            out.checker = broken->checker;
            out.text = cluster_.violation();
        }
        out.lived = cluster_.now() - Instant{};
        out.healed_after = healed_after_;
        out.decisions = cluster_.invariants().counts().heights;
        out.events = cluster_.events();
        out.messages = cluster_.network().delivered;
        out.restarts = injector_.restarts();
        out.writes = clients_.submitted();
        out.writes_final = clients_.answered_final();
        out.fired = injector_.fired();
        out.liars = schedule_.byzantine.size();
        out.latencies_ms = clients_.latencies_ms();
        out.trace_hash = cluster_.trace_hash();
        each_reliable([&](std::uint32_t node) {
            if (const auto now = status(node))
                for (const auto& [name, value] : now->counters)
                    if (value > 0) out.probes[name] += value;
        });
        return out;
    }

    const Schedule& schedule_;
    const LifeOptions& options_;
    std::vector<bool> unreliable_;
    SimCluster cluster_;
    Clients clients_;
    Injector injector_;
    Duration healed_after_;
};

}  // namespace

std::uint64_t LifeReport::faults() const {
    return std::accumulate(fired.begin(), fired.end(), std::uint64_t{0});
}

LifeReport live(const Schedule& schedule, const LifeOptions& options) {
    CRETO_ASSERT(check(schedule).has_value());
    return Life{schedule, options}.run();
}

Duration healing_bound(const Schedule& schedule) {
    const LinkProfile profile = *parse_profile(schedule.profile);
    const auto leaders = static_cast<std::int64_t>(schedule.nodes / 3 + 2);
    const Duration view =
        std::max(schedule.knobs.delta_max, profile.latency_max) * 3 + schedule.knobs.view_interval;
    const Duration network = profile.latency_max * 40 + profile.retransmit_timeout * 4;
    return schedule.knobs.detection * 4 + view * (2 * leaders) + network +
           schedule.knobs.heartbeat * 2 + Duration::from_s(20);
}

}  // namespace creto
