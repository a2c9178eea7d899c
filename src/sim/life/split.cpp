#include "sim/life/split.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "base/prng.hpp"
#include "sim/forensics.hpp"
#include "sim/life/clients.hpp"
#include "sim/life/injector.hpp"
#include "sim/node_participant.hpp"

namespace creto {
namespace {

constexpr std::uint64_t split_stream = 0x68;
constexpr auto ends_after = Duration::from_s(40);

/// Halves as the colluders see them: by the parity of the seat.
bool is_second_half(std::uint32_t node) {
    return node % 2 == 1;
}

SimOptions split_options(const Schedule& schedule, const LifeOptions& options) {
    SimOptions out;
    out.seed = schedule.seed;
    out.node_count = schedule.nodes;
    out.mode = schedule.mode;
    out.profile = *parse_profile(schedule.profile);
    out.detection = schedule.knobs.detection;
    out.notices_kept_max = 0;
    out.log = options.log;
    for (const auto& [node, attack] : schedule.byzantine)
        out.attacks[NodeIndex{node}] = attack;
    return out;
}

class SplitLife {
public:
    SplitLife(const Schedule& schedule, const LifeOptions& options)
        : schedule_{schedule},
          cluster_{
              with_watchers(split_options(schedule, options)),
              options.factory ? options.factory : honest_nodes()},
          forensics_{cluster_.host(NodeIndex{0}).options.genesis, cluster_.scheme()},
          clients_{schedule, cluster_},
          injector_{schedule, cluster_} {
        cluster_.expect_split();
    }

    SplitReport run() {
        if (cluster_.run_for(schedule_.calm_after)) injector_.calm();
        // Long enough to reconnect, to ask for what is missing, and to see what the others have.
        for (int turn = 0; turn < 8 && holds(); ++turn) {
            for (std::uint32_t node = 0; node < schedule_.nodes; ++node)
                if (is_honest(node)) clients_.write_final(node);
            (void)cluster_.run_for((ends_after - schedule_.calm_after) / 8);
        }
        count();
        if (holds()) judge();
        report_.life.seed = schedule_.seed;
        report_.life.lived = cluster_.now() - Instant{};
        report_.life.decisions = cluster_.invariants().counts().heights;
        report_.life.events = cluster_.events();
        report_.life.messages = cluster_.network().delivered;
        report_.life.liars = report_.liars;
        report_.life.fired = injector_.fired();
        report_.life.costs = "none";
        report_.life.trace_hash = cluster_.trace_hash();
        if (const auto& broken = cluster_.invariants().violation()) {
            report_.life.checker = broken->checker;
            report_.life.text = cluster_.violation();
        }
        return report_;
    }

private:
    SimOptions with_watchers(SimOptions options) {
        options.on_received = [this](NodeIndex node, const Received& received) {
            if (received.channel == Channel::order && is_honest(node.value()))
                forensics_.on_message(*received.message);
        };
        options.on_order_message = [this](NodeIndex node, const Bytes& message) {
            if (is_honest(node.value())) forensics_.on_message(message);
        };
        return options;
    }
    [[nodiscard]] bool holds() const { return cluster_.violation().empty(); }
    [[nodiscard]] bool is_honest(std::uint32_t node) const {
        return !schedule_.byzantine.contains(node);
    }

    void count() {
        report_.tolerated = liars_max(schedule_.mode, schedule_.nodes);
        report_.liars = schedule_.byzantine.size();
        report_.differed = cluster_.invariants().split().has_value() &&
                           cluster_.invariants().split()->checker != "justification";
        std::set<AgentId> provable = forensics_.culprits();
        provable.insert(
            cluster_.invariants().proven().begin(), cluster_.invariants().proven().end()
        );
        report_.provable = provable.size();
        report_.accused = cluster_.invariants().proven().size();
        for (std::uint32_t node = 0; node < schedule_.nodes; ++node) {
            const Node* inside = cluster_.node(NodeIndex{node});
            if (!is_honest(node) || inside == nullptr) continue;
            ++report_.honest;
            report_.stopped += inside->status().halted ? 1 : 0;
        }
    }

    void judge() {
        for (const AgentId& culprit : forensics_.culprits())
            if (is_honest(cluster_.find(culprit)->value()))
                cluster_.violate(
                    "forensics", "certificates prove an honest seat guilty", *cluster_.find(culprit)
                );
        if (!report_.differed && forensics_.clashes().empty())
            return cluster_.violate("empty", "no two certificates clashed", NodeIndex{});
        if (report_.provable <= report_.tolerated)
            cluster_.violate(
                "forensics",
                std::to_string(report_.provable) + " culprits are provable, and at least " +
                    std::to_string(report_.tolerated + 1) + " lied",
                NodeIndex{}
            );
    }

    const Schedule& schedule_;
    SimCluster cluster_;
    Forensics forensics_;
    Clients clients_;
    Injector injector_;
    SplitReport report_;
};

}  // namespace

Schedule make_split_schedule(std::uint64_t seed) {
    const auto below = [seed](std::uint64_t use, std::uint64_t bound) {
        return scale_to(draw(seed, split_stream, use), bound);
    };
    Schedule schedule;
    schedule.seed = seed;
    // Sizes at which two quorums can share no more than twice the tolerated liars.
    constexpr std::array<std::uint32_t, 4> sizes{4, 7, 8, 10};
    schedule.nodes = sizes[below(0, sizes.size())];
    schedule.profile = below(1, 2) == 0 ? "local" : "lan";
    schedule.calm_after = Duration::from_s(20);
    schedule.workload.count = 60;
    schedule.workload.causal_percent = 0;
    const std::uint32_t quorum = 2 * schedule.nodes / 3 + 1;
    const std::uint32_t least = 2 * quorum - schedule.nodes;
    const std::uint32_t most = 2 * liars_max(schedule.mode, schedule.nodes);
    const auto liars = least + static_cast<std::uint32_t>(below(2, most - least + 1));
    // The honest ones in equal parts, so that each half is a quorum with the liars.
    const std::uint32_t honest = schedule.nodes - liars;
    std::array<std::uint32_t, 2> left{(honest + 1) / 2, honest / 2};
    const auto turn = static_cast<std::uint32_t>(below(4, schedule.nodes));
    for (std::uint32_t i = 0; i < schedule.nodes; ++i) {
        const std::uint32_t node = (turn + i) % schedule.nodes;
        if (left[node % 2] > 0) {
            --left[node % 2];
        } else {
            schedule.byzantine[node] = Attack::collusion;
        }
    }
    Fault apart;
    apart.kind = FaultKind::block_pair;
    apart.at = Duration::from_s(2);
    apart.lasts = Duration::from_ms(static_cast<std::int64_t>(500 + below(3, 12'000)));
    for (std::uint32_t node = 0; node < schedule.nodes; ++node)
        if (!schedule.byzantine.contains(node))
            (is_second_half(node) ? apart.others : apart.nodes).push_back(node);
    schedule.faults = {apart};
    return schedule;
}

SplitReport live_split(const Schedule& schedule, const LifeOptions& options) {
    return SplitLife{schedule, options}.run();
}

}  // namespace creto
