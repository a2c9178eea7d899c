// What the simulated system scenarios share: one run with its cluster, its lies and its findings.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/cluster.hpp"
#include "sim/node_participant.hpp"
#include "sim/run/recorder.hpp"
#include "sim/scenario.hpp"

namespace creto::sim_scenario {

using Nodes = std::vector<std::uint32_t>;

/// How one node's tools deviate.
enum class Lie : std::uint8_t { none, tenfold, constant_3000, every_second_doubled, hangs };

/// The built-in tools of these names (all when empty), with the lie in place of the truth.
[[nodiscard]] ToolBox tool_box(const std::vector<std::string>& names, Lie lie);

/// One run: a cluster, and what was found.
class Run {
public:
    Run(std::uint64_t seed,
        std::uint32_t nodes,
        QuorumMode mode,
        std::map<std::uint32_t, Lie> lies = {},
        std::optional<std::uint32_t> seats = std::nullopt,
        std::map<std::uint32_t, std::vector<std::string>> tools = {})
        : cluster_{watched(options(seed, nodes, mode, lies, seats, tools)), honest_nodes()} {
        out_.seed = seed;
        recorder_.attach(cluster_);
        for (const auto& [node, lie] : lies)
            cluster_.set_lying_provider(NodeIndex{node});
    }

    [[nodiscard]] SimCluster& cluster() { return cluster_; }
    /// Once something is missing the run has failed: nothing is waited for and asked any more.
    void require(std::string what, bool holds) {
        if (failed_) return;
        failed_ = !holds;
        out_.findings.push_back({std::move(what), holds});
    }
    bool until(const std::function<bool()>& done, std::int64_t seconds = 30) {
        return !failed_ && cluster_.run_until(done, Duration::from_s(seconds));
    }
    void pause(std::int64_t ms) {
        if (!failed_) cluster_.run_for(Duration::from_ms(ms));
    }

    /// Submits and waits for the reply.
    ReplyBody ask(std::uint32_t node, CommandBody body, std::int64_t seconds = 60) {
        if (failed_) return Error{ErrorCode::timeout, "not asked: the run has failed"};
        const Ticket ticket = cluster_.submit(NodeIndex{node}, std::move(body));
        until([&] { return cluster_.reply(ticket) != nullptr; }, seconds);
        const ReplyBody* reply = cluster_.reply(ticket);
        return reply == nullptr ? ReplyBody{Error{ErrorCode::timeout, "no reply"}} : *reply;
    }
    [[nodiscard]] static std::string error_of(const ReplyBody& reply) {
        const auto* error = std::get_if<Error>(&reply);
        return error == nullptr ? "" : error->message;
    }
    [[nodiscard]] StatusReply status(std::uint32_t node) {
        const Node* inside = cluster_.node(NodeIndex{node});
        return inside == nullptr ? StatusReply{} : inside->status();
    }
    bool mesh(const Nodes& nodes) {
        return until([&] {
            return std::all_of(nodes.begin(), nodes.end(), [&](std::uint32_t i) {
                const StatusReply s = status(i);
                return s.reachable_seats == nodes.size() && s.finalized > Height{} &&
                       agents(i).size() >= nodes.size();
            });
        });
    }
    /// The agents that a node lists with tools.
    std::set<AgentId> agents(std::uint32_t node) {
        std::set<AgentId> out;
        const ReplyBody reply = peers(node);
        if (const auto* peers = std::get_if<PeersReply>(&reply)) {
            for (const PeerView& peer : peers->peers) {
                if (!peer.tools.empty()) out.insert(peer.agent);
            }
        }
        return out;
    }
    ReplyBody peers(std::uint32_t node) {
        // A look that takes no virtual time: commands are handled in the instant they come.
        const Ticket ticket = cluster_.submit(NodeIndex{node}, AskPeers{});
        for (int i = 0; i < 3 && cluster_.reply(ticket) == nullptr; ++i) {
            cluster_.run_for(Duration::from_us(1));
        }
        const ReplyBody* reply = cluster_.reply(ticket);
        ReplyBody out = reply == nullptr ? ReplyBody{} : *reply;
        cluster_.forget(ticket);
        return out;
    }
    void cut(const std::vector<Nodes>& groups) {
        std::vector<std::vector<NodeIndex>> indices;
        for (const Nodes& group : groups) {
            indices.emplace_back();
            for (const std::uint32_t i : group)
                indices.back().emplace_back(i);
        }
        cluster_.cut(indices);
    }
    bool write(
        std::uint32_t node,
        const std::string& key,
        CrdtOperation::Action action,
        std::int64_t amount,
        const std::string& value = {}
    ) {
        CrdtOperation op{.action = action, .key = key, .amount = amount, .value = to_bytes(value)};
        return error_of(ask(node, Submit{.body = op, .reading = Reading::causal})).empty();
    }
    ReplyBody write_final(std::uint32_t node, const std::string& key, const std::string& value) {
        KeyOperation op{.key = key, .value = to_bytes(value)};
        return ask(node, Submit{.body = op, .reading = Reading::final});
    }
    KeyReply read(std::uint32_t node, const std::string& key) {
        const Ticket ticket = cluster_.submit(NodeIndex{node}, ReadKey{key});
        for (int i = 0; i < 3 && cluster_.reply(ticket) == nullptr; ++i) {
            cluster_.run_for(Duration::from_us(1));
        }
        const ReplyBody* reply = cluster_.reply(ticket);
        const auto* value = reply == nullptr ? nullptr : std::get_if<KeyReply>(reply);
        KeyReply out = value == nullptr ? KeyReply{} : *value;
        cluster_.forget(ticket);
        return out;
    }
    bool counter_is(const Nodes& nodes, const std::string& key, std::int64_t value) {
        return poll([&] {
            return std::all_of(nodes.begin(), nodes.end(), [&](std::uint32_t i) {
                return read(i, key).counter == value;
            });
        });
    }
    bool values_are(
        const Nodes& nodes, const std::string& key, const std::vector<std::string>& values
    ) {
        return poll([&] {
            return std::all_of(nodes.begin(), nodes.end(), [&](std::uint32_t i) {
                std::vector<std::string> held;
                for (const Bytes& value : read(i, key).values)
                    held.emplace_back(as_text(value));
                return held == values;
            });
        });
    }
    /// Looks every 50 ms of virtual time.
    bool poll(const std::function<bool()>& condition, std::int64_t seconds = 30) {
        for (std::int64_t i = 0; i < seconds * 20 && !failed_; ++i) {
            if (condition()) return true;
            if (!cluster_.run_for(Duration::from_ms(50))) return false;
        }
        return false;
    }
    bool same_state(const Nodes& nodes) {
        return poll([&] {
            std::set<std::pair<Height, Digest>> seen;
            for (const std::uint32_t i : nodes) {
                const StatusReply s = status(i);
                seen.insert({s.finalized, s.state_root});
            }
            return seen.size() == 1;
        });
    }

    SimOutcome finish() {
        out_.violation = cluster_.violation();
        out_.trace_hash = cluster_.trace_hash();
        out_.events = cluster_.events();
        out_.heights = cluster_.invariants().counts().heights;
        out_.virtual_ms = cluster_.now().ns() / 1'000'000;
        out_.record = recorder_.finish();
        return std::move(out_);
    }

private:
    static SimOptions options(
        std::uint64_t seed,
        std::uint32_t nodes,
        QuorumMode mode,
        const std::map<std::uint32_t, Lie>& lies,
        std::optional<std::uint32_t> seats,
        const std::map<std::uint32_t, std::vector<std::string>>& tools
    ) {
        SimOptions options;
        options.seed = seed;
        options.node_count = nodes;
        options.seat_count = seats;
        options.mode = mode;
        options.profile = local_profile();
        options.configure = [](NodeIndex /*node*/, NodeOptions& node) {
            node.limits.calls = {.rate_per_s = 500, .burst = 500};  // As on real processes.
        };
        for (std::uint32_t i = 0; i < nodes; ++i) {
            const auto lie = lies.find(i);
            const auto names = tools.find(i);
            options.tools[NodeIndex{i}] = tool_box(
                names == tools.end() ? std::vector<std::string>{} : names->second,
                lie == lies.end() ? Lie::none : lie->second
            );
        }
        return options;
    }

    SimOptions watched(SimOptions options) {
        recorder_.hook(options);
        return options;
    }

    Recorder recorder_;
    SimCluster cluster_;
    SimOutcome out_;
    bool failed_ = false;
};

inline Nodes first(std::uint32_t count) {
    Nodes out(count);
    for (std::uint32_t i = 0; i < count; ++i)
        out[i] = i;
    return out;
}

SimOutcome simple_partition(std::uint64_t seed);
SimOutcome partition_recovery(std::uint64_t seed);
SimOutcome minority_partition(std::uint64_t seed);
SimOutcome cascading_failures(std::uint64_t seed);

}  // namespace creto::sim_scenario
