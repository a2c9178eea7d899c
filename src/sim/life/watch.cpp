#include "sim/life/watch.hpp"

#include <algorithm>

#include "link/profile.hpp"

namespace creto {
namespace {

// What a node may hold, in this file's own numbers.
constexpr std::uint64_t mebibyte = 1U << 20U;
constexpr std::uint64_t graph_bytes_max = (256 + 64) * mebibyte;  ///< Not final, and parked.
constexpr std::uint64_t lane_vertices_max = 4'096;                ///< Not final, of one lane.
constexpr std::uint64_t operations_max = 65'536;
constexpr std::uint64_t calls_max = 16'384;
constexpr std::uint64_t agents_max = 4'096;
constexpr std::uint64_t unsynced_max = 10'000;
/// A life writes little: so much for each block and write, and so much to begin with.
constexpr std::uint64_t disk_bytes_free = 16 * mebibyte;
constexpr std::uint64_t disk_bytes_each = 64 * 1'024;

/// What must not keep rising, and by how much it may wander.
constexpr std::int64_t count_slack = 64;
constexpr std::int64_t bytes_slack = 256 * 1'024;

}  // namespace

Watch::Watch(const Schedule& schedule, SimCluster& cluster, const std::vector<bool>& unreliable)
    : schedule_{schedule}, cluster_{cluster}, unreliable_{unreliable} {
    on_storm(schedule_.calms.empty() ? schedule_.calm_after : schedule_.calms.front());
}

void Watch::on_storm(Duration lasts) {
    is_calm_ = false;
    has_converged_ = false;
    marks_.clear();
    circles_.clear();
    for (auto later = Duration::from_s(1); later < lasts; later = later + Duration::from_s(1))
        cluster_.at(cluster_.now() + later, [this] { look(); });
}

std::vector<Watch::Standing> Watch::standings() const {
    std::vector<Standing> out;
    for (std::uint32_t i = 0; i < schedule_.nodes; ++i) {
        const Node* node = unreliable_[i] ? nullptr : cluster_.node(NodeIndex{i});
        if (node != nullptr) out.push_back({i, node->gauges()});
    }
    return out;
}

void Watch::look() {
    if (!cluster_.violation().empty()) return;
    const std::vector<Standing> all = standings();
    for (const Standing& standing : all)
        check_held(standing);
    if (has_converged_) check_views(all);
    if (is_calm_) check_circle(all);
}

void Watch::check_held(const Standing& standing) {
    const StatusReply& status = standing.status;
    const SimHost& host = cluster_.host(NodeIndex{standing.node});
    const auto over = [&](const char* what, std::uint64_t value, std::uint64_t most) {
        if (value > most)
            cluster_.violate(
                "resources",
                std::string{what} + ": " + std::to_string(value) + ", and at most " +
                    std::to_string(most),
                NodeIndex{standing.node}
            );
    };
    const std::uint64_t decided = cluster_.invariants().counts().heights;
    over("bytes of the graph", status.graph_bytes, graph_bytes_max);
    over("vertices not final", status.causal_backlog, lane_vertices_max * schedule_.nodes);
    over("operations pending", status.pending_operations, operations_max);
    over("calls pending", status.pending_calls, calls_max);
    over("agents known", status.agents_known, agents_max);
    over("writes not synced", host.life->unsynced.size(), unsynced_max);
    over(
        "bytes on disk",
        host.disk.used_bytes(),
        disk_bytes_free + disk_bytes_each * (decided + schedule_.workload.count)
    );
}

/// Two message delays, and as long as a view is waited for at most. Where nodes drop blocks, one that
/// was outrun asks everybody for what it lacks, for three seconds, before it takes over a state. Who has no
/// seat hears of the last view when it asks, if both lie who should have told it. [ORD-C1.1]
Duration Watch::view_slack(bool has_seat) const {
    const LinkProfile profile = *parse_profile(schedule_.profile);
    const Duration delay =
        std::max(schedule_.knobs.delta_max, profile.latency_max + profile.retransmit_timeout);
    const Duration patience = schedule_.knobs.delta_max * 3 + schedule_.knobs.view_interval;
    const Duration takeover = schedule_.knobs.keep_blocks > 0 ? Duration::from_s(3) : Duration{};
    const Duration question = has_seat ? Duration{} : schedule_.knobs.heartbeat;
    return delay * 2 + patience + takeover + question + look_every;
}

void Watch::check_views(const std::vector<Standing>& all) {
    if (all.empty()) return;
    EpochView newest;
    for (const Standing& standing : all)
        newest = std::max(newest, standing.at());
    View oldest = newest.second;
    for (const Standing& standing : all)
        if (standing.status.epoch == newest.first) oldest = std::min(oldest, standing.status.view);
    spread_max_ =
        std::max(spread_max_, static_cast<std::int64_t>(newest.second.value() - oldest.value()));
    const Instant now = cluster_.now();
    marks_.push_back({now, newest});
    // The newest of those that are as old as this.
    const auto due = [&](Duration slack) {
        EpochView out;
        for (const Mark& mark : marks_)
            if (mark.at + slack <= now) out = mark.newest;
        return out;
    };
    const EpochView of_seats = due(view_slack(true));
    const EpochView of_others = due(view_slack(false));
    while (marks_.size() > 1 && marks_[1].at + view_slack(false) <= now)
        marks_.pop_front();
    for (const Standing& standing : all) {
        const bool has_seat = standing.status.seat.has_value();
        const EpochView& least = has_seat ? of_seats : of_others;
        if (EpochView{standing.status.epoch, standing.status.view.next()} < least)
            cluster_.violate(
                "view-sync",
                "view " + std::to_string(standing.status.view.value()) + " of epoch " +
                    std::to_string(standing.status.epoch.value()) + ", and " +
                    std::to_string(view_slack(has_seat).ms()) + " ms ago somebody was at " +
                    std::to_string(least.second.value()) + " of " +
                    std::to_string(least.first.value()),
                NodeIndex{standing.node}
            );
    }
}

void Watch::check_circle(const std::vector<Standing>& all) {
    EpochView newest_at;
    Height highest;
    bool is_waiting = false;
    for (const Standing& standing : all) {
        newest_at = std::max(newest_at, standing.at());
        highest = std::max(highest, standing.status.finalized);
        is_waiting = is_waiting || standing.status.pending_operations > 0;
    }
    if (highest > highest_ || !is_waiting) {
        highest_ = highest;
        circles_.clear();
        return;
    }
    if (newest_at <= circled_at_) return;  // Nobody has moved: slow, but no circle.
    circled_at_ = newest_at;
    const View newest = newest_at.second;
    std::string standing_now = std::to_string(newest.value() % schedule_.nodes);
    for (const Standing& standing : all)
        standing_now += "," + std::to_string(newest.value() - standing.status.view.value()) + ":" +
                        std::to_string(highest.value() - standing.status.finalized.value());
    if (++circles_[standing_now] > circles_max)
        cluster_.violate(
            "livelock",
            "at view " + std::to_string(newest.value()) + " the same standing for the " +
                std::to_string(circles_max + 1) + "th time, and nothing final after height " +
                std::to_string(highest.value()),
            NodeIndex{}
        );
}

void Watch::sample() {
    for (const Standing& standing : standings()) {
        const SimHost& host = cluster_.host(NodeIndex{standing.node});
        const auto add = [&](const char* what, std::uint64_t value) {
            rises_["node " + std::to_string(standing.node) + ": " + what].add(
                static_cast<std::int64_t>(value)
            );
        };
        add("vertices not final", standing.status.causal_backlog);
        add("operations pending", standing.status.pending_operations);
        add("writes not synced", host.life->unsynced.size());
        add("events waiting", host.life->inbox.size() + host.life->inbound.size());
        add("bytes of the graph", standing.status.graph_bytes);
    }
}

void Watch::judge_rise() {
    for (const auto& [what, rise] : rises_)
        if (rise.rises(what.find("bytes") == std::string::npos ? count_slack : bytes_slack))
            cluster_.violate("resources", what + " keep rising", NodeIndex{});
}

}  // namespace creto
