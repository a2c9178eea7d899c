#include "sim/suspect/suspect_trial.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "sim/cluster.hpp"
#include "sim/node_participant.hpp"
#include "sim/run/histogram.hpp"

namespace creto {

namespace {

constexpr std::array misfortunes{
    std::pair{Misfortune::none, "none"},
    std::pair{Misfortune::slow_disk, "slow-disk"},
    std::pair{Misfortune::restarts, "restarts"},
    std::pair{Misfortune::skew, "skew"},
    std::pair{Misfortune::pauses, "pauses"},
    std::pair{Misfortune::loss, "loss"}};

class SuspectTrial {
public:
    explicit SuspectTrial(const SuspectPlan& plan)
        : plan_{plan},
          prng_{draw(plan.seed, 1)},
          liars_{plan.attack ? plan.liars : 0},
          cluster_{options(), honest_nodes()} {
        // Somebody honest tells what the network found; somebody honest has bad luck.
        const std::uint32_t honest = plan.nodes - liars_;
        witness_ = static_cast<std::uint32_t>(prng_.below(honest));
        unlucky_ = (witness_ + 1 + static_cast<std::uint32_t>(prng_.below(honest - 1))) % honest;
        for (std::uint32_t i = 0; i < plan.nodes; ++i)
            out_.nodes.push_back({.node = i, .lies = i >= honest, .reason = {}});
    }

    SuspectReport run() {
        (void)cluster_.run_for(Duration::from_s(5));
        begun_ = cluster_.now();
        befall();
        for (std::uint32_t i = 0; i < plan_.nodes - liars_; ++i)
            write_later(i, spread());
        (void)cluster_.run_for(plan_.lasts / 2);
        half_ = cluster_.now();
        const OrderingCounts before = counts();
        (void)cluster_.run_for(plan_.lasts / 2);
        const OrderingCounts after = counts();
        out_.views = after.views - before.views;
        out_.views_nullified = after.nullified - before.nullified;
        out_.violation = cluster_.violation();
        out_.trace_hash = cluster_.trace_hash();
        out_.events = cluster_.events();
        out_.virtual_ms = cluster_.now().ns() / 1'000'000;
        out_.write_p50_us = static_cast<std::int64_t>(latency_us_.at(500));
        out_.write_p95_us = static_cast<std::int64_t>(latency_us_.at(950));
        return std::move(out_);
    }

private:
    struct OrderingCounts {
        std::uint64_t views = 0;
        std::uint64_t nullified = 0;
    };

    SimOptions options() {
        SimOptions out;
        out.seed = plan_.seed;
        out.node_count = plan_.nodes;
        out.mode = plan_.mode;
        out.profile = plan_.links;
        if (plan_.misfortune == Misfortune::loss) out.profile.loss_ppm = 10'000;
        out.epoch_blocks = plan_.epoch_blocks;
        out.view_interval_ms = plan_.view_interval_ms;
        if (plan_.nodes > plan_.direct_seats_max) out.vote_form = VoteForm::joined;
        out.configure = [most = plan_.direct_seats_max](NodeIndex, NodeOptions& node) {
            node.direct_seats_max = most;
        };
        out.notices_kept_max = 0;
        for (std::uint32_t i = plan_.nodes - liars_; i < plan_.nodes; ++i)
            out.attacks.emplace(NodeIndex{i}, *plan_.attack);
        out.on_notice = [this](NodeIndex node, const SimNotice& notice) {
            if (node.value() == witness_) on_notice(*notice.notice);
        };
        out.on_answer = [this](Ticket ticket, const SimCommand& command) {
            on_answer(ticket, command);
        };
        return out;
    }

    [[nodiscard]] OrderingCounts counts() const {
        const StatusReply status = cluster_.node(NodeIndex{witness_})->status();
        return {status.counters.at("views_entered"), status.counters.at("views_nullified")};
    }

    // --- bad luck ---

    void befall() {
        const NodeIndex node{unlucky_};
        switch (plan_.misfortune) {
            case Misfortune::none:
            case Misfortune::loss:
                break;
            case Misfortune::slow_disk:
                cluster_.disk(node).set_sync_latency(Duration::from_ms(50), Duration::from_ms(100));
                break;
            case Misfortune::skew:
                cluster_.set_clock_drift(node, 200);
                cluster_.set_clock_drift(NodeIndex{witness_}, -200);
                break;
            case Misfortune::restarts:
                after(Duration::from_s(20), [this] { restart(); });
                break;
            case Misfortune::pauses:
                after(Duration::from_s(5), [this] { stand_still(); });
                break;
        }
    }
    void after(Duration span, std::function<void()> action) {
        cluster_.at(cluster_.now() + span, std::move(action));
    }
    void restart() {
        cluster_.crash(NodeIndex{unlucky_});
        after(Duration::from_s(3), [this] {
            CRETO_ASSERT(cluster_.start(NodeIndex{unlucky_}).has_value());
        });
        after(Duration::from_s(60), [this] { restart(); });
    }
    void stand_still() {
        cluster_.pause(NodeIndex{unlucky_});
        after(Duration::from_s(1), [this] { cluster_.resume(NodeIndex{unlucky_}); });
        after(Duration::from_s(20), [this] { stand_still(); });
    }

    // --- load ---

    Duration spread() {
        const auto every = static_cast<std::uint64_t>(plan_.write_every.ns());
        return Duration::from_ns(static_cast<std::int64_t>(prng_.below(every)));
    }
    void write_later(std::uint32_t node, Duration span) {
        after(span, [this, node] {
            write_later(node, plan_.write_every);
            if (!cluster_.is_up(NodeIndex{node})) return;
            KeyOperation operation;
            operation.action = KeyOperation::Action::add;
            operation.key = "final/" + std::to_string(node);
            operation.amount = 1;
            open_.emplace(
                cluster_.submit(
                    NodeIndex{node}, Submit{operation, Reading::final, Duration::from_s(10)}
                ),
                cluster_.now()
            );
        });
    }
    void on_answer(Ticket ticket, const SimCommand& command) {
        const auto found = open_.find(ticket);
        if (found == open_.end()) return;
        const Instant asked = found->second;
        open_.erase(found);
        const auto* done = command.reply ? std::get_if<SubmitReply>(&*command.reply) : nullptr;
        if (done == nullptr) return;
        ++out_.final_writes;
        const bool late_half = half_ != Instant{} && asked >= half_;
        if (late_half) latency_us_.add((cluster_.now() - asked).us());
    }

    // --- what is found ---

    [[nodiscard]] SuspectReport::Named* named(const AgentId& agent) {
        const auto node = cluster_.find(agent);
        return node ? &out_.nodes[node->value()] : nullptr;
    }
    void on_notice(const Notice& notice) {
        const std::int64_t now = (cluster_.now() - begun_).ms();
        if (const auto* suspected = std::get_if<SeatSuspected>(&notice)) {
            auto* node = named(suspected->agent);
            if (node->suspected_ms < 0) node->suspected_ms = now;
            node->at_end = true;
            node->reason = suspected->reason;
        } else if (const auto* cleared = std::get_if<SeatCleared>(&notice)) {
            auto* node = named(cleared->agent);
            node->at_end = node->proven;
        } else if (const auto* excluded = std::get_if<Excluded>(&notice)) {
            auto* node = named(excluded->agent);
            node->proven = true;
            node->proven_ms = now;
            node->at_end = true;
        }
    }

    const SuspectPlan& plan_;
    Prng prng_;
    std::uint32_t liars_;
    std::uint32_t witness_ = 0;
    std::uint32_t unlucky_ = 0;
    SuspectReport out_;
    Histogram latency_us_;
    std::map<Ticket, Instant> open_;
    Instant begun_;
    Instant half_;
    SimCluster cluster_;
};

}  // namespace

const char* to_string(Misfortune misfortune) {
    for (const auto& [value, name] : misfortunes)
        if (value == misfortune) return name;
    return "";
}

Result<Misfortune> parse_misfortune(std::string_view name) {
    std::string known;
    for (const auto& [value, text] : misfortunes) {
        if (name == text) return value;
        known += known.empty() ? text : std::string{", "} + text;
    }
    return fail(
        ErrorCode::invalid, "no misfortune \"" + std::string{name} + "\"; there are: " + known
    );
}

Result<void> check(const SuspectPlan& plan) {
    const auto refuse = [](const std::string& why) -> Result<void> {
        return fail(ErrorCode::invalid, why);
    };
    if (plan.nodes < 4 || plan.nodes > suspect_nodes_max)
        return refuse("it takes 4 to " + std::to_string(suspect_nodes_max) + " nodes");
    const Quorum quorum = Quorum::of(plan.mode, plan.nodes);
    if (plan.attack && (plan.liars == 0 || plan.liars > quorum.n - quorum.q))
        return refuse(
            "of " + std::to_string(plan.nodes) + " nodes 1 to " +
            std::to_string(quorum.n - quorum.q) + " may deviate"
        );
    if (plan.lasts < Duration::from_s(10)) return refuse("it lasts 10 s or more");
    if (plan.write_every < Duration::from_ms(1)) return refuse("at most 1,000 writes/s and node");
    const bool epochs = plan.epoch_blocks == 0 || (plan.epoch_blocks >= limits::epoch_blocks_min &&
                                                   plan.epoch_blocks <= limits::epoch_blocks_max);
    if (!epochs)
        return refuse(
            "an epoch has " + std::to_string(limits::epoch_blocks_min) + " to " +
            std::to_string(limits::epoch_blocks_max) + " blocks, or 0 for no end"
        );
    if (auto links = creto::check(plan.links); !links) return tl::unexpected<Error>(links.error());
    return {};
}

SuspectReport run_suspect_trial(const SuspectPlan& plan) {
    CRETO_ASSERT(check(plan).has_value());
    return SuspectTrial{plan}.run();
}

}  // namespace creto
