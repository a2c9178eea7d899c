#include "sim/life/schedule.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "link/profile.hpp"
#include "sim/cost.hpp"
#include "sim/host_clock.hpp"

namespace creto {
namespace {

constexpr std::array<const char*, fault_kinds> names{
    "crash",       "pause",      "cut",         "cut-one-way",   "block-pair",
    "slow-link",   "bandwidth",  "storm",       "slow-disk",     "full-disk",
    "failed-disk", "clock-step", "clock-drift", "rollback",      "wipe",
    "read-error",  "log-tear",   "bit-rot",     "memory-budget", "reseat",
    "loss",        "slow-cpu",   "unseat",      "flood",         "parameter"};

Result<void> check(const Fault& fault, std::uint32_t nodes) {
    const auto refuse = [&](const std::string& what) {
        return fail(ErrorCode::invalid, std::string{to_string(fault.kind)} + ": " + what);
    };
    const auto known = [&](const std::vector<std::uint32_t>& list) {
        for (std::size_t i = 0; i < list.size(); ++i)
            if (list[i] >= nodes || (i > 0 && list[i] <= list[i - 1])) return false;
        return true;
    };
    if (!known(fault.nodes) || !known(fault.others))
        return refuse("nodes are below the node count, ascending, each once");
    const bool is_on_links = fault.kind == FaultKind::storm || fault.kind == FaultKind::loss;
    const bool is_global = is_on_links || fault.kind == FaultKind::parameter;
    const bool is_reseat = fault.kind == FaultKind::reseat;
    const bool has_others = fault.kind == FaultKind::cut_one_way ||
                            fault.kind == FaultKind::block_pair || fault.kind == FaultKind::flood;
    const bool is_of_one = is_reseat || fault.kind == FaultKind::unseat;
    if (is_of_one && fault.nodes.size() > 1) return refuse("one seat at a time");
    if (!is_reseat && fault.nodes.empty() != is_global)
        return refuse("it needs nodes; a storm, a loss and a parameter need none");
    if (fault.others.empty() == has_others)
        return refuse("`others` is for pairs, and needed there");
    for (const Duration span : {fault.at, fault.lasts})
        if (span < Duration{} || span > limits::schedule_span_max)
            return refuse("times lie between zero and a day");
    constexpr std::uint64_t amount_max = 1'000'000'000;
    if (fault.amount > amount_max || fault.more > amount_max)
        return refuse("the amount is too big");
    if (is_on_links && (fault.amount > 500'000 || fault.more > 500'000))
        return refuse("at most half of all messages");
    if ((fault.kind == FaultKind::slow_disk || fault.kind == FaultKind::slow_link) &&
        fault.amount > 60'000)
        return refuse("at most a minute");
    if (fault.kind == FaultKind::memory_budget && (fault.amount == 0 || fault.more > 60'000))
        return refuse("some KiB, and at most a minute until the restart");
    if (fault.kind == FaultKind::parameter) {
        if (fault.more >= all_parameters.size()) return refuse("no parameter has this number");
        const auto value = static_cast<std::uint32_t>(fault.amount);
        if (const auto why = refusal(all_parameters.at(fault.more), value)) return refuse(*why);
    }
    if (fault.kind == FaultKind::slow_cpu && (fault.amount == 0 || fault.amount > 100))
        return refuse("between 1 and 100 percent");
    constexpr std::uint64_t flood_max = 100'000;
    if (fault.kind == FaultKind::flood && (fault.amount == 0 || fault.amount > flood_max))
        return refuse("between 1 and 100,000 calls a second");
    if (fault.kind == FaultKind::clock_drift &&
        fault.amount > static_cast<std::uint64_t>(HostClock::drift_ppm_max))
        return refuse("at most 200,000");
    return {};
}

}  // namespace

const char* to_string(FaultKind kind) {
    return names.at(static_cast<std::size_t>(kind));
}

Result<FaultKind> parse_fault_kind(std::string_view name) {
    for (std::size_t i = 0; i < names.size(); ++i)
        if (name == names[i]) return static_cast<FaultKind>(i);
    return fail(ErrorCode::invalid, "no fault \"" + std::string{name.substr(0, 64)} + "\"");
}

Result<void> check(const Schedule& schedule) {
    const auto refuse = [](const std::string& what) {
        return fail(ErrorCode::invalid, "schedule: " + what);
    };
    const std::uint32_t least = schedule.mode == QuorumMode::byzantine ? 4 : 1;
    if (schedule.nodes < least || schedule.nodes > limits::schedule_nodes_max)
        return refuse(
            "between " + std::to_string(least) + " and " +
            std::to_string(limits::schedule_nodes_max) + " nodes"
        );
    if (schedule.spares > schedule.nodes || schedule.seats() < least)
        return refuse("at least " + std::to_string(least) + " nodes begin with a seat");
    const auto count = [&](FaultKind kind) {
        return std::count_if(
            schedule.faults.begin(),
            schedule.faults.end(),
            [kind](const Fault& fault) { return fault.kind == kind; }
        );
    };
    const auto reseats = count(FaultKind::reseat);
    if (reseats > schedule.spares) return refuse("more nodes are to get a seat than are spare");
    if (reseats + count(FaultKind::unseat) > 0 && schedule.knobs.epoch_blocks == 0)
        return refuse("without epochs nobody gets a seat or loses it");
    if (count(FaultKind::parameter) > 0 && schedule.knobs.epoch_blocks == 0)
        return refuse("without epochs no parameter changes");
    if (auto profile = parse_profile(schedule.profile); !profile)
        return tl::unexpected<Error>(profile.error());
    if (schedule.faults.size() > limits::schedule_faults_max) return refuse("too many faults");
    if (schedule.workload.count > limits::schedule_workload_max) return refuse("too many writes");
    if (schedule.workload.every <= Duration{}) return refuse("writes need some time between them");
    if (schedule.workload.steady < Duration{} || schedule.workload.steady_every <= Duration{} ||
        schedule.workload.steady > limits::schedule_span_max)
        return refuse("a steady load lasts at most a day, with some time between its writes");
    if (!find_costs(schedule.costs)) return refuse("no cost table is called " + schedule.costs);
    if (schedule.workload.causal_percent + schedule.workload.call_percent > 100)
        return refuse("more than 100 percent of the writes");
    for (const Duration span :
         {schedule.knobs.delta, schedule.knobs.delta_max, schedule.knobs.heartbeat})
        if (span < Duration::from_ms(1) || span > Duration::from_s(60))
            return refuse("delta and heartbeat lie between 1 ms and 60 s");
    if (schedule.knobs.delta_max < schedule.knobs.delta) return refuse("delta is over its maximum");
    if (schedule.knobs.view_interval < Duration{} ||
        schedule.knobs.view_interval > Duration::from_s(60))
        return refuse("the view interval is at most 60 s");
    if (!std::has_single_bit(schedule.knobs.term_views) ||
        schedule.knobs.term_views > limits::term_views_max)
        return refuse("a term takes a power of two of views, up to 32");
    if (schedule.knobs.checkpoint_blocks < limits::checkpoint_blocks_min ||
        schedule.knobs.checkpoint_blocks > limits::checkpoint_blocks_max)
        return refuse("checkpoints are too near or too far apart");
    const std::uint32_t epoch = schedule.knobs.epoch_blocks;
    if (epoch != 0 && (epoch < limits::epoch_blocks_min || epoch > limits::epoch_blocks_max))
        return refuse("an epoch is too short or too long");
    const std::uint32_t dead_after = schedule.knobs.dead_after_reports;
    if (dead_after != 0 && (dead_after < limits::dead_after_reports_min ||
                            dead_after > limits::dead_after_reports_max))
        return refuse("a seat is dead too soon or too late");
    if (dead_after != Knobs{}.dead_after_reports && epoch == 0)
        return refuse("seats are set aside only where the roster has epochs");
    if (schedule.knobs.detection < Duration::from_ms(10) ||
        schedule.knobs.detection > Duration::from_s(60))
        return refuse("detection takes between 10 ms and 60 s");
    if (schedule.calm_after < Duration{} || schedule.calm_after > limits::schedule_span_max)
        return refuse("calm comes within a day");
    if (schedule.calms.size() > limits::schedule_calms_max) return refuse("too many calms");
    Duration before;
    for (const Duration calm : schedule.calms) {
        if (calm <= before || calm >= schedule.calm_after)
            return refuse("calms follow each other, before the last one");
        before = calm;
    }
    for (const auto& [node, attack] : schedule.byzantine)
        if (node >= schedule.nodes) return refuse("a liar is not among the nodes");
    for (const Fault& fault : schedule.faults)
        if (auto good = check(fault, schedule.nodes); !good) return good;
    return {};
}

std::uint32_t liars_max(QuorumMode mode, std::uint32_t n) {
    std::uint32_t most = 0;
    while (mode == QuorumMode::byzantine && 3 * (most + 1) < n)
        ++most;
    return most;
}

bool seat_ends(const Schedule& schedule, std::uint32_t node) {
    const auto& faults = schedule.faults;
    return std::any_of(faults.begin(), faults.end(), [&](const Fault& fault) {
        const bool ends = fault.kind == FaultKind::reseat || fault.kind == FaultKind::unseat;
        return ends && !fault.nodes.empty() && fault.nodes[0] == node;
    });
}

bool loses_what_was_synced(FaultKind kind) {
    return kind == FaultKind::rollback || kind == FaultKind::wipe || kind == FaultKind::bit_rot;
}

std::vector<bool> unreliable(const Schedule& schedule) {
    std::vector<bool> out(schedule.nodes);
    for (const auto& [node, attack] : schedule.byzantine)
        out[node] = true;
    for (const Fault& fault : schedule.faults) {
        if (!loses_what_was_synced(fault.kind) && fault.kind != FaultKind::flood) continue;
        for (const std::uint32_t node : fault.nodes)
            out[node] = true;
    }
    return out;
}

}  // namespace creto
