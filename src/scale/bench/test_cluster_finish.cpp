// The end of a ScaleTestCluster: calm, convergence, audits, counts.
#include <algorithm>

#include "scale/bench/test_cluster.hpp"
#include "sim/life/life.hpp"
#include "sim/life/replay.hpp"

namespace creto {
namespace {

std::uint64_t lane_depth(const SimCluster& cluster, std::uint32_t node) {
    std::uint64_t out = 0;
    (void)cluster.host(NodeIndex{node})
        .disk.scan(Column::vertices, {}, {}, [&](ByteView /*key*/, ByteView value) {
            const auto vertex = SealedVertex::decode(value);
            if (vertex) out = std::max(out, (*vertex)->header().depth);
            return true;
        });
    return out;
}

}  // namespace

bool ScaleTestCluster::until(const std::function<bool()>& done, Duration span) {
    const Instant end = cluster_.now() + span;
    while (!done()) {
        if (cluster_.now() >= end || !cluster_.run_for(Watch::look_every)) return false;
        watch_.look();
        if (!holds()) return false;
    }
    return true;
}

/// L1, L2, L4: a write at every reliable node is final, and nobody stays behind.
void ScaleTestCluster::converge(TrialReport& out) {
    const Instant begin = cluster_.now();
    out.bound = healing_bound(schedule_);
    const NodeList all = honest();
    std::map<std::uint32_t, Ticket> writes;
    const auto is_final = [&](std::uint32_t node) {
        const auto asked = writes.find(node);
        const ReplyBody* reply = asked == writes.end() ? nullptr : cluster_.reply(asked->second);
        if (reply != nullptr && std::holds_alternative<SubmitReply>(*reply)) return true;
        if (reply != nullptr || asked == writes.end()) writes[node] = clients_.write_final(node);
        return false;
    };
    const Height highest{cluster_.invariants().counts().heights};
    const Duration queues = std::max(Duration{}, cluster_.links().queues_empty() - cluster_.now());
    out.progressed = until(
        [&] {
            out.stuck.clear();
            for (const std::uint32_t node : all)
                if (!is_final(node) || cluster_.finalized(NodeIndex{node}) < highest)
                    out.stuck += (out.stuck.empty() ? "node " : ", ") + std::to_string(node);
            return out.stuck.empty();
        },
        queues + out.bound
    );
    out.progressed_after = cluster_.now() - begin;
}

std::string ScaleTestCluster::difference() const {
    std::optional<StatusReply> first;
    for (const std::uint32_t node : honest()) {
        const auto now = status(node);
        if (!now) continue;
        if (!first) first = now;
        if (now->finalized != first->finalized || now->state_root != first->state_root)
            return "height " + std::to_string(now->finalized.value()) + " at node " +
                   std::to_string(node) + ", " + std::to_string(first->finalized.value()) +
                   " elsewhere";
        if (now->pending_operations > 0)
            return "node " + std::to_string(node) + " has " +
                   std::to_string(now->pending_operations) + " operations pending";
    }
    return "";
}

/// S10, and that every command is answered.
void ScaleTestCluster::rest() {
    std::string differs;
    const auto is_still = [&] {
        differs = difference();
        return (!departed_.empty() || clients_.all_answered()) && differs.empty();
    };
    if (until(is_still, healing_bound(schedule_)) || !holds()) return;
    if (departed_.empty() && !clients_.all_answered())
        return cluster_.violate("one-reply", "a command was not answered", NodeIndex{witness_});
    cluster_.violate("state", "at rest: " + differs, NodeIndex{witness_});
}

/// S7: what the load was told to be final is final at the witness, at that height.
void ScaleTestCluster::audit_load() {
    constexpr std::size_t asked_max = 500;
    constexpr std::uint64_t remembered = limits::expiry_blocks_max / 2 - 500;
    const std::size_t stride = finals_to_check_.size() / asked_max + 1;
    std::map<Ticket, std::size_t> asked;
    for (std::size_t i = 0; i < finals_to_check_.size(); i += stride)
        asked[cluster_.submit(NodeIndex{witness_}, AskOperation{finals_to_check_[i].first})] = i;
    const bool all = until(
        [&] {
            return std::all_of(asked.begin(), asked.end(), [&](const auto& one) {
                return cluster_.reply(one.first) != nullptr;
            });
        },
        Duration::from_s(5)
    );
    if (!all) return;
    const auto standing = status(witness_);
    const Height kept = standing ? standing->kept_from : Height{};
    const Height now = standing ? standing->finalized : Height{};
    for (const auto& [ticket, index] : asked) {
        const auto* told = std::get_if<OperationReply>(cluster_.reply(ticket));
        const auto& [operation, height] = finals_to_check_[index];
        const bool is_final = told != nullptr && told->state == OperationReply::State::final;
        // Where it became final is forgotten with its block, and its id when it has expired.
        if (height < kept || height.plus(remembered) < now) continue;
        if (!is_final || told->height != height)
            cluster_.violate(
                "durability",
                "an operation was answered as final at height " + std::to_string(height.value()) +
                    " and is not there",
                NodeIndex{witness_}
            );
    }
}

void ScaleTestCluster::ask_reputation(ClusterReport& out) {
    if (schedule_.byzantine.empty() || !status(witness_)) return;
    const Ticket ticket = cluster_.submit(NodeIndex{witness_}, AskReputation{});
    (void)until([&] { return cluster_.reply(ticket) != nullptr; }, Duration::from_s(2));
    const ReplyBody* reply = cluster_.reply(ticket);
    const auto* known = reply == nullptr ? nullptr : std::get_if<ReputationReply>(reply);
    if (known == nullptr) return;
    double liars = 0;
    double honest_sum = 0;
    std::size_t liar_count = 0;
    std::size_t honest_count = 0;
    for (const ReputationView& view : known->agents) {
        const auto node = cluster_.find(view.agent);
        if (!node) continue;
        const bool lies = schedule_.byzantine.contains(node->value());
        // Who is excluded has none left.
        (lies ? liars : honest_sum) += view.excluded ? 0 : view.score_ppm;
        ++(lies ? liar_count : honest_count);
    }
    if (liar_count == 0 || honest_count == 0 || honest_sum == 0) return;
    out.reputation_ratio = (liars / static_cast<double>(liar_count)) /
                           (honest_sum / static_cast<double>(honest_count));
}

void ScaleTestCluster::count(ClusterReport& out) {
    for (const auto& [node, attack] : schedule_.byzantine)
        out.liars.insert(node);
    out.found = suspected_;
    out.found.insert(excluded_.begin(), excluded_.end());
    out.witness = witness_;
    out.honest_nodes = static_cast<std::uint32_t>(honest().size());
    std::map<std::pair<Height, Digest>, std::uint32_t> ends;
    NodeList converging = honest();
    converging.insert(converging.end(), losers_.begin(), losers_.end());
    for (const std::uint32_t node : converging) {
        const auto now = status(node);
        if (!now) continue;
        const std::uint32_t equal = ++ends[{now->finalized, now->state_root}];
        out.converged_nodes = std::max(out.converged_nodes, equal);
        out.backlog = std::max(out.backlog, now->causal_backlog);
    }
    out.proven_to_others = cluster_.invariants().proven().size();
    out.lane_depth = lane_depth(cluster_, witness_);
    out.memory_kills = injector_.fired()[static_cast<std::size_t>(FaultKind::memory_budget)];
    for (std::uint32_t node = schedule_.seats(); node < schedule_.nodes; ++node) {
        const Node* inside = cluster_.node(NodeIndex{witness_});
        const auto& key = cluster_.host(NodeIndex{node}).signer->public_key();
        if (inside != nullptr && inside->roster().find(key) != nullptr) ++out.joined;
    }
    std::uint64_t both = 0;
    for (std::uint32_t node = 0; node < schedule_.nodes; ++node)
        both += cluster_.bytes_of(NodeIndex{node});
    out.bytes_sent = cluster_.network().sent_bytes;
    out.bytes_received = both - std::min(both, out.bytes_sent);
    out.query_p95_us = static_cast<double>(query_us_.at(950));
}

ClusterReport ScaleTestCluster::finish() {
    ClusterReport out;
    out.measured_from = measured_from_ - Instant{};
    out.measured_to = cluster_.now() - Instant{};
    out.is_interrupted = is_interrupted_;
    removes_liars_ = false;
    recorder_.set_faults(schedule_.faults, out.measured_to);
    load_.end();
    TrialReport& trial = out.trial;
    if (holds() && !is_interrupted_) {
        injector_.calm();
        watch_.on_calm();
        trial.answered = until([&] { return load_.all_answered(); }, bench_drain_max);
        if (holds()) converge(trial);
        if (holds() && trial.progressed) {
            watch_.on_converged();
            rest();
            // Those books are also about nodes that are gone.
            if (holds() && departed_.empty()) clients_.audit();
            if (holds()) audit_load();
            if (holds()) execute_again(schedule_, cluster_, unreliable_);
        }
    }
    ask_reputation(out);
    count(out);
    trial.violation = cluster_.violation();
    trial.trace_hash = cluster_.trace_hash();
    trial.events = cluster_.events();
    trial.virtual_time = cluster_.now() - Instant{};
    trial.proven = excluded_;
    trial.accused = accused_;
    trial.suspected = suspected_;
    const auto& broken = cluster_.invariants().violation();
    if (broken && (broken->checker == "agreement" || broken->checker == "prefix"))
        trial.diverged = 1;
    if (cluster_.invariants().split()) trial.diverged = 1;
    trial.record = recorder_.finish();
    for (std::uint32_t node = 0; node < schedule_.nodes; ++node)
        if (unreliable_[node] && trial.record.roles[node] == "honest")
            trial.record.roles[node] = "disk forgets";
    out.samples = samples_;
    out.final_by_second = final_by_second_;
    return out;
}

}  // namespace creto
