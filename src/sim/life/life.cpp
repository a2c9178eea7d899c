#include "sim/life/life.hpp"

#include <algorithm>
#include <numeric>
#include <optional>
#include <set>

#include "sim/accountability.hpp"
#include "sim/flood/flooder.hpp"
#include "sim/life/clients.hpp"
#include "sim/life/injector.hpp"
#include "sim/life/replay.hpp"
#include "sim/life/watch.hpp"
#include "sim/node_participant.hpp"
#include "sim/run/recorder.hpp"
#include "tools/builtins.hpp"

namespace creto {
namespace {

SimOptions cluster_options(const Schedule& schedule, const LifeOptions& options) {
    SimOptions out;
    out.seed = schedule.seed;
    out.node_count = schedule.nodes;
    out.seat_count = schedule.seats();
    out.mode = schedule.mode;
    out.view_interval_ms = static_cast<std::uint32_t>(schedule.knobs.view_interval.ms());
    out.term_views = schedule.knobs.term_views;
    out.checkpoint_blocks = schedule.knobs.checkpoint_blocks;
    out.epoch_blocks = schedule.knobs.epoch_blocks;
    out.dead_after_reports = schedule.knobs.dead_after_reports;
    out.profile = *parse_profile(schedule.profile);
    out.detection = schedule.knobs.detection;
    const SimSignatures modelled =
        options.compares_signatures ? SimSignatures::tag_of_ed25519 : SimSignatures::tag;
    out.signatures = schedule.real_signatures ? SimSignatures::ed25519 : modelled;
    out.traces_bytes = !options.compares_signatures;
    out.costs = *find_costs(schedule.costs);
    if (out.costs.sync_ns > 0) {
        const auto sync = Duration::from_ns(static_cast<std::int64_t>(out.costs.sync_ns));
        out.disk.sync_min = sync * 3 / 4;
        out.disk.sync_max = sync * 5 / 4;
    }
    out.notices_kept_max = 0;
    out.log = options.log;
    for (const auto& [node, attack] : schedule.byzantine)
        out.attacks[NodeIndex{node}] = attack;
    out.configure = [knobs = schedule.knobs](NodeIndex /*node*/, NodeOptions& node) {
        node.delta = knobs.delta;
        node.delta_max = knobs.delta_max;
        node.heartbeat = knobs.heartbeat;
        node.keep_blocks = knobs.keep_blocks;
        if (knobs.checkpoint_blocks < limits::checkpoint_blocks) node.checkpoint_share = 0;
    };
    if (schedule.workload.call_percent > 0) {
        static const auto tools = builtin_registry().snapshot();  // For many lives: 6 ms.
        const ToolBox box{tools, Duration::from_ms(1), {}};
        for (std::uint32_t node = 0; node < schedule.nodes; ++node)
            out.tools[NodeIndex{node}] = box;
    }
    return out;
}

constexpr Duration calm_stays = Duration::from_s(5);

/// The probe that counts a notice, if one does.
struct ProbeOf {
    const char* operator()(const EpochBegun&) const { return "told.epochs_begun"; }
    const char* operator()(const RosterChanged&) const { return "told.rosters_changed"; }
    const char* operator()(const SeatDormant&) const { return "told.seats_dormant"; }
    const char* operator()(const SeatReturned&) const { return "told.seats_returned"; }
    const char* operator()(const Partitioned&) const { return "told.partitions"; }
    const char* operator()(const Healed&) const { return "told.partitions_healed"; }
    const char* operator()(const Excluded&) const { return "told.agents_excluded"; }
    const char* operator()(const LaneReset&) const { return "told.lanes_reset"; }
    const char* operator()(const Adopted&) const { return "told.states_adopted"; }
    template <class Other>
    const char* operator()(const Other&) const {
        return nullptr;
    }
};

class Life {
public:
    Life(const Schedule& schedule, const LifeOptions& options)
        : schedule_{schedule},
          options_{options},
          unreliable_{unreliable(schedule)},
          cluster_{with_notices(cluster_options(schedule, options)), factory()},
          clients_{schedule, cluster_},
          injector_{schedule, cluster_},
          watch_{schedule, cluster_, unreliable_} {
        for (std::uint32_t node = 0; node < schedule_.nodes; ++node)
            if (unreliable_[node]) cluster_.set_byzantine(NodeIndex{node});
        if (!options_.is_recorded) return;
        recorder_.attach(cluster_);
    }

    LifeReport run() {
        const Duration begun = earlier_storms();
        if (cluster_.run_for(schedule_.calm_after - begun)) injector_.calm();
        watch_.on_calm();
        if (holds()) converge();
        watch_.on_converged();
        if (holds() && schedule_.workload.steady > Duration{}) go_on();
        if (holds()) grow_old();
        if (holds()) rest();
        if (holds()) clients_.audit();
        if (holds()) check_liars_are_known();
        if (holds()) execute_again(schedule_, cluster_, unreliable_);
        if (holds()) check_not_empty();
        return report();
    }

private:
    [[nodiscard]] ParticipantFactory factory() const {
        return [this, make = options_.factory ? options_.factory : honest_nodes()](
                   const ParticipantParts& parts
               ) -> std::unique_ptr<Participant> {
            if (!floods(parts.index.value())) return make(parts);
            return std::make_unique<Flooder>(make(parts));
        };
    }
    [[nodiscard]] bool floods(std::uint32_t node) const {
        return std::any_of(
            schedule_.faults.begin(),
            schedule_.faults.end(),
            [node](const Fault& fault) {
                return fault.kind == FaultKind::flood &&
                       std::binary_search(fault.nodes.begin(), fault.nodes.end(), node);
            }
        );
    }
    SimOptions with_notices(SimOptions options) {
        options.on_notice = [this](NodeIndex node, const SimNotice& notice) {
            on_notice(node, notice);
            if (options_.on_notice) options_.on_notice(node, notice);
        };
        if (options_.is_recorded) recorder_.hook(options);
        // With costs a vote waits for its check, and may come too late to count.
        if (!schedule_.byzantine.empty() && options.costs.is_free())
            options.on_received = [this](NodeIndex node, const Received& received) {
                on_received(node, received);
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
        return inside == nullptr ? std::nullopt : std::optional{inside->gauges()};
    }
    /// All storms but the last, each with the calm after it; the end of the last of these.
    Duration earlier_storms() {
        const std::vector<Duration>& calms = schedule_.calms;
        Duration at;
        for (std::size_t i = 0; i < calms.size() && cluster_.run_for(calms[i] - at); ++i) {
            at = calms[i];
            injector_.pause();
            watch_.on_calm();
            converge();
            watch_.on_converged();
            if (holds()) (void)until([] { return false; }, cluster_.now() + calm_stays);
            if (!holds()) break;
            const Duration next = i + 1 < calms.size() ? calms[i + 1] : schedule_.calm_after;
            watch_.on_storm(next - at);
            injector_.go_on();
            late_.push_back(cluster_.now() - Instant{} - at);
        }
        return at;
    }
    /// By how much later than the schedule says this comes.
    [[nodiscard]] Duration late(Duration at) const {
        const auto storm = std::upper_bound(schedule_.calms.begin(), schedule_.calms.end(), at) -
                           schedule_.calms.begin();
        const auto known = std::min(static_cast<std::size_t>(storm), late_.size());
        return known == 0 ? Duration{} : late_[known - 1];
    }
    /// What is drawn beside what was lived.
    void record_faults() {
        std::vector<Fault> faults = schedule_.faults;
        for (Fault& fault : faults)
            fault.at = fault.at + late(fault.at);
        recorder_.set_faults(std::move(faults), schedule_.calm_after + late(schedule_.calm_after));
    }

    /// Asked every 100 ms of virtual time.
    bool until(const std::function<bool()>& done, Instant end) {
        while (!done()) {
            if (cluster_.now() >= end) return false;
            if (!cluster_.run_for(Watch::look_every)) return true;  // The violation counts.
            watch_.look();
            if (!holds()) return true;
        }
        return true;
    }

    void on_notice(NodeIndex node, const SimNotice& notice) {
        if (!is_reliable(node.value())) return;
        if (const char* what = std::visit(ProbeOf{}, *notice.notice)) ++told_[what];
        if (const auto* excluded = std::get_if<Excluded>(&*notice.notice)) {
            const auto culprit = cluster_.find(excluded->agent);
            if (culprit && is_reliable(culprit->value()))
                cluster_.violate(
                    "evidence",
                    "node " + std::to_string(culprit->value()) +
                        " is reliable and was excluded: " + excluded->reason,
                    node
                );
        }
        if (const auto* halted = std::get_if<Halted>(&*notice.notice)) {
            if (halted->reason.find("storage failed") == std::string::npos)
                cluster_.violate("halt", halted->reason, node);
        }
    }

    void on_received(NodeIndex node, const Received& received) {
        if (!is_reliable(node.value()) || received.channel != Channel::order) return;
        const auto from = cluster_.find(received.from);
        if (!from || !schedule_.byzantine.contains(from->value())) return;
        const auto message = decode_message(*received.message);
        if (!message) return;
        // Its own seat's votes; what it says in another's name proves nothing.
        const auto* vote = std::get_if<Vote>(&*message);
        if (vote != nullptr && vote->seat.value() != from->value()) return;
        const auto* proposal = std::get_if<Proposal>(&*message);
        if (proposal != nullptr && proposal->block.proposer.value() != from->value()) return;
        accountability_.on_heard(node, cluster_.host(node).boots, *message, [&] {
            const auto at = status(node.value());
            return EpochView{at->epoch, at->view};
        });
    }

    /// L6, and that nothing rises.
    void go_on() {
        clients_.go_on([this] {
            watch_.look();
            watch_.sample();
        });
        watch_.judge_rise();
    }

    /// A2: whom a node that lived on could prove, all have excluded.
    void check_liars_are_known() {
        for (const SeenLie& lie : accountability_.seen()) {
            const SimHost& witness = cluster_.host(lie.witness);
            const auto now = status(lie.witness.value());
            if (witness.boots != lie.boot || !now || now->halted) continue;
            each_reliable([&](std::uint32_t node) {
                if (!holds() || known_.contains({node, lie.liar}) || status(node)->halted) return;
                if (has_excluded(node, lie.liar)) {
                    known_.insert({node, lie.liar});
                    return;
                }
                cluster_.violate(
                    "completeness",
                    "seat " + std::to_string(lie.liar.value()) + " told node " +
                        std::to_string(lie.witness.value()) + " two stories of view " +
                        std::to_string(lie.view.value()) + ", and is not excluded here",
                    NodeIndex{node}
                );
            });
        }
    }
    [[nodiscard]] bool has_excluded(std::uint32_t node, Seat seat) {
        const AgentId& agent = cluster_.agent(NodeIndex{seat.value()});
        const Ticket ticket = cluster_.submit(NodeIndex{node}, AskReputation{});
        const auto is_answered = [&] { return cluster_.reply(ticket) != nullptr; };
        (void)cluster_.run_until(is_answered, Duration::from_s(1));
        const ReplyBody* reply = cluster_.reply(ticket);
        const auto* known = reply == nullptr ? nullptr : std::get_if<ReputationReply>(reply);
        const bool found =
            known != nullptr &&
            std::any_of(known->agents.begin(), known->agents.end(), [&](const auto& view) {
                return view.agent == agent && view.excluded;
            });
        cluster_.forget(ticket);
        return found;
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
        healed_after_ = std::max(healed_after_, cluster_.now() - calm);
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
            watch_.look();
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
        if (until([&] { return clients_.all_answered() && is_same(); }, end) || !holds()) return;
        if (!clients_.all_answered())
            return cluster_.violate("one-reply", "a command was not answered", NodeIndex{});
        cluster_.violate("state", "at rest: " + differs, NodeIndex{});
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
        out.costs = schedule_.costs;
        for (const Seat seat : accountability_.two_faced()) {
            ++out.two_faced;
            const AgentId& agent = cluster_.agent(NodeIndex{seat.value()});
            out.proven += cluster_.invariants().proven().contains(agent) ? 1 : 0;
        }
        out.latencies_ms = clients_.latencies_ms();
        out.trace_hash = cluster_.trace_hash();
        if (options_.is_recorded) {
            record_faults();
            out.record = recorder_.finish();
        }
        each_reliable([&](std::uint32_t node) { add_probes(node, out.probes); });
        for (const auto& [name, value] : told_)
            add_probe(out.probes, name, value);
        const NetworkCounters& net = cluster_.network();
        add_probe(out.probes, "net.lost", net.lost);
        add_probe(out.probes, "net.overflowed", net.overflowed);
        add_probe(out.probes, "net.unconnected", net.unconnected);
        return out;
    }

    using Probes = std::map<std::string, std::uint64_t>;
    static void add_probe(Probes& probes, const std::string& name, std::uint64_t value) {
        if (value > 0) probes[name] += value;
    }
    void add_probes(std::uint32_t node, Probes& probes) const {
        if (const Node* inside = cluster_.node(NodeIndex{node}))
            for (const auto& [name, value] : inside->status().counters)
                add_probe(probes, "node." + name, value);
        const SimHost& host = cluster_.host(NodeIndex{node});
        add_probe(probes, "host.sends_held", host.counters.sends_held);
        add_probe(probes, "host.events_stale", host.counters.events_stale);
        add_probe(probes, "host.events_waited", host.counters.events_waited);
        add_probe(probes, "host.writes_refused", host.counters.writes_refused);
        add_probe(probes, "host.tools_cancelled", host.counters.tools_cancelled);
        const DiskCounters& disk = host.disk.counters();
        add_probe(probes, "disk.logs_replaced", disk.logs_replaced);
        add_probe(probes, "disk.logs_put_back", disk.logs_put_back);
        add_probe(probes, "disk.batches_lost", disk.batches_lost);
        add_probe(probes, "disk.batches_torn", disk.batches_torn);
        add_probe(probes, "disk.records_lost", disk.records_lost);
        add_probe(probes, "disk.reads_failed", disk.reads_failed);
    }

    const Schedule& schedule_;
    const LifeOptions& options_;
    std::vector<bool> unreliable_;
    Recorder recorder_;
    std::map<std::string, std::uint64_t> told_;  ///< What reliable nodes told, by probe.
    std::vector<Duration> late_;  ///< By how much the schedule's clock is behind, storm by storm.
    SimCluster cluster_;
    Clients clients_;
    Injector injector_;
    Watch watch_;
    Accountability accountability_;
    std::set<std::pair<std::uint32_t, Seat>> known_;  ///< Nodes, and whom they have excluded.
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

LifeReport live_twice(const Schedule& schedule, const LifeOptions& options) {
    LifeReport once = live(schedule, options);
    if (!once.passed()) return once;
    const LifeReport again = live(schedule, options);
    if (again.trace_hash == once.trace_hash) return once;
    once.checker = "determinism";
    once.text = "seed " + std::to_string(schedule.seed) + ": the trace is " +
                once.trace_hash.hex() + ", and again " + again.trace_hash.hex();
    return once;
}

Duration healing_bound(const Schedule& schedule) {
    const LinkProfile profile = *parse_profile(schedule.profile);
    const auto leaders = static_cast<std::int64_t>(schedule.nodes / 3 + 2);
    // A term without finality is ended after eight of them, and then its last view.
    const bool has_terms =
        schedule.knobs.term_views != 1 ||
        std::any_of(schedule.faults.begin(), schedule.faults.end(), [](const Fault& fault) {
            return fault.kind == FaultKind::parameter &&
                   all_parameters.at(fault.more) == Parameter::term_views;
        });
    const std::int64_t deltas = has_terms ? 8 + 3 : 3;
    const Duration view = std::max(schedule.knobs.delta_max, profile.latency_max) * deltas +
                          schedule.knobs.view_interval;
    const Duration network = profile.latency_max * 40 + profile.retransmit_timeout * 4;
    // Patience begins anew after each block. Where its first step is shorter than a message takes, the
    // views until it is long enough come to nothing, each twice as long as the one before.
    const bool climbs = schedule.knobs.delta < profile.latency_max;
    const Duration climb = climbs ? schedule.knobs.delta_max * 2 * deltas : Duration{};
    return schedule.knobs.detection * 4 + (view + climb) * (2 * leaders) + network +
           schedule.knobs.heartbeat * 2 + Duration::from_s(20);
}

}  // namespace creto
