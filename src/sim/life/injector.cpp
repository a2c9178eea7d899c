#include "sim/life/injector.hpp"

#include <algorithm>

#include "base/prng.hpp"
#include "sim/flood/flooder.hpp"
#include "sim/memory.hpp"

namespace creto {
namespace {

constexpr std::uint64_t rot_stream = 0x69;
constexpr Duration memory_look_every = Duration::from_ms(10);
constexpr std::uint64_t bursts_a_second = 100;
constexpr Duration burst_every = Duration::from_ms(1'000 / bursts_a_second);

bool has(const std::vector<std::uint32_t>& nodes, std::uint32_t node) {
    return std::binary_search(nodes.begin(), nodes.end(), node);
}

}  // namespace

Injector::Injector(const Schedule& schedule, SimCluster& cluster)
    : schedule_{schedule},
      cluster_{cluster},
      active_(schedule.faults.size()),
      stopped_by_(schedule.nodes),
      unreadable_(schedule.nodes),
      may_rot_(schedule.nodes),
      unreliable_{unreliable(schedule)},
      asks_{schedule, cluster, unreliable_} {
    for (const Fault& fault : schedule_.faults)
        if (fault.kind == FaultKind::bit_rot)
            for (const std::uint32_t node : fault.nodes)
                may_rot_[node] = true;
    is_over_.resize(schedule.faults.size());
    plan_phase(Duration{});
}

Duration Injector::phase_end(std::size_t phase) const {
    return phase < schedule_.calms.size() ? schedule_.calms[phase] : schedule_.calm_after;
}

/// The schedule's clock is `late` behind the simulation's.
void Injector::plan_phase(Duration late) {
    const Duration begin = phase_ == 0 ? Duration{} : phase_end(phase_ - 1);
    const Duration end = phase_end(phase_);
    for (FaultIndex index = 0; index < schedule_.faults.size(); ++index) {
        const Fault& fault = schedule_.faults[index];
        if (fault.at >= begin && fault.at < end) plan(index, late, std::min(fault.end(), end));
    }
}

void Injector::plan(FaultIndex index, Duration late, Duration until) {
    cluster_.at(Instant{} + schedule_.faults[index].at + late, [this, index] {
        if (!is_calm_ && !is_over_[index]) begin(index);
    });
    cluster_.at(Instant{} + until + late, [this, index] {
        if (!is_calm_) end(index);
    });
}

void Injector::add_new() {
    for (FaultIndex index = active_.size(); index < schedule_.faults.size(); ++index) {
        active_.push_back(false);
        is_over_.push_back(false);
        plan(index, Duration{}, schedule_.faults[index].end());
    }
}

void Injector::go_on() {
    const Duration begun = phase_end(phase_);
    ++phase_;
    plan_phase(cluster_.now() - Instant{} - begun);
}

void Injector::calm() {
    is_calm_ = true;
    asks_.stop();
    pause();
}

void Injector::pause() {
    for (FaultIndex index = 0; index < active_.size(); ++index)
        if (active_[index]) end(index);
    for (std::uint32_t node = 0; node < schedule_.nodes; ++node)
        if (!cluster_.is_up(NodeIndex{node})) start(node);
}

void Injector::begin(FaultIndex index) {
    const Fault& fault = schedule_.faults[index];
    active_[index] = true;
    // A budget that nobody exceeds changes nothing: its kills are counted.
    if (fault.kind != FaultKind::memory_budget) ++fired_[static_cast<std::size_t>(fault.kind)];
    switch (fault.kind) {
        case FaultKind::crash:
            for (const std::uint32_t node : fault.nodes)
                stop(
                    node,
                    index,
                    (fault.amount & crash_flag::torn) != 0 ? CrashLoss::torn
                                                           : CrashLoss::all_unsynced,
                    (fault.amount & crash_flag::silent) != 0 ? StopNotice::silent
                                                             : StopNotice::closed
                );
            break;
        case FaultKind::wipe:
            for (const std::uint32_t node : fault.nodes)
                stop(node, index, CrashLoss::all_unsynced, StopNotice::closed);
            break;
        case FaultKind::rollback:
            for (const std::uint32_t node : fault.nodes)
                images_[index][node] = cluster_.disk(NodeIndex{node}).image();
            break;
        case FaultKind::cut:
        case FaultKind::cut_one_way:
        case FaultKind::block_pair:
            part_all(fault, 1);
            break;
        case FaultKind::storm:
        case FaultKind::loss:
            refresh_links();
            break;
        case FaultKind::failed_disk:
            for (const std::uint32_t node : fault.nodes)
                cluster_.disk(NodeIndex{node}).fail_next_writes(1);
            break;
        case FaultKind::log_tear:
            for (const std::uint32_t node : fault.nodes) {
                cluster_.damage_vote_log(NodeIndex{node}, "a record before the tail is torn");
                restart(node);
            }
            break;
        case FaultKind::bit_rot:
            for (const std::uint32_t node : fault.nodes)
                for (std::uint64_t turn = 0; turn < fault.amount; ++turn)
                    (void)cluster_.disk(NodeIndex{node})
                        .rot(draw(schedule_.seed, rot_stream, index * 2 + turn, node));
            break;
        case FaultKind::clock_step:
            for (const std::uint32_t node : fault.nodes)
                cluster_.step_clock(
                    NodeIndex{node}, Duration::from_ms(static_cast<std::int64_t>(fault.amount))
                );
            break;
        case FaultKind::memory_budget:
            look_at_memory(index);
            break;
        case FaultKind::reseat:
        case FaultKind::unseat:
        case FaultKind::parameter:
            asks_.add(fault);
            break;
        case FaultKind::flood:
            flood(index);
            break;
        default:
            for (const std::uint32_t node : fault.nodes)
                refresh_node(node);
    }
}

void Injector::end(FaultIndex index) {
    is_over_[index] = true;
    if (!active_[index]) return;
    const Fault& fault = schedule_.faults[index];
    active_[index] = false;
    switch (fault.kind) {
        case FaultKind::crash:
        case FaultKind::wipe:
        case FaultKind::memory_budget:
            for (const std::uint32_t node : fault.nodes) {
                if (stopped_by_[node] != index) continue;
                if (fault.kind == FaultKind::wipe) cluster_.disk(NodeIndex{node}).wipe();
                start(node);
            }
            break;
        case FaultKind::rollback:
            for (const std::uint32_t node : fault.nodes) {
                if (!cluster_.is_up(NodeIndex{node})) continue;  // Another fault holds it down.
                stop(node, index, CrashLoss::all_unsynced, StopNotice::closed);
                cluster_.disk(NodeIndex{node}).load(std::move(images_[index][node]));
                start(node);
            }
            images_.erase(index);
            break;
        case FaultKind::cut:
        case FaultKind::cut_one_way:
        case FaultKind::block_pair:
            part_all(fault, -1);
            break;
        case FaultKind::storm:
        case FaultKind::loss:
            refresh_links();
            break;
        case FaultKind::failed_disk:
        case FaultKind::full_disk:
            for (const std::uint32_t node : fault.nodes) {
                cluster_.disk(NodeIndex{node}).fail_next_writes(0);
                refresh_node(node);
                restart(node);
            }
            break;
        case FaultKind::reseat:
        case FaultKind::unseat:
        case FaultKind::parameter:
        case FaultKind::flood:
        case FaultKind::clock_step:  // A steady clock does not go back.
        case FaultKind::log_tear:
            break;
        case FaultKind::bit_rot:
            for (const std::uint32_t node : fault.nodes)
                restart(node);
            break;
        case FaultKind::read_error:
            for (const std::uint32_t node : fault.nodes) {
                refresh_node(node);
                if (unreadable_[node]) start(node);
            }
            break;
        default:
            for (const std::uint32_t node : fault.nodes)
                refresh_node(node);
    }
}

void Injector::stop(std::uint32_t node, FaultIndex index, CrashLoss loss, StopNotice notice) {
    if (!cluster_.is_up(NodeIndex{node})) return;
    cluster_.crash(NodeIndex{node}, loss, notice);
    stopped_by_[node] = index;
}

/// A burst every ten milliseconds; a node that is down has none.
void Injector::flood(FaultIndex index) {
    if (!active_[index]) return;
    const Fault& fault = schedule_.faults[index];
    const std::string count =
        std::to_string((fault.amount + bursts_a_second - 1) / bursts_a_second);
    for (const std::uint32_t node : fault.nodes) {
        if (cluster_.node(NodeIndex{node}) == nullptr) continue;
        for (const std::uint32_t other : fault.others)
            static_cast<void>(cluster_.submit(
                NodeIndex{node},
                CallTool{
                    .tool = Flooder::flood_word,
                    .arguments = count,
                    .agent = cluster_.agent(NodeIndex{other})}
            ));
    }
    cluster_.at(cluster_.now() + burst_every, [this, index] { flood(index); });
}

/// What was written and not synced survives in part: the process is killed, not the machine.
void Injector::look_at_memory(FaultIndex index) {
    if (!active_[index]) return;
    const Fault& fault = schedule_.faults[index];
    for (const std::uint32_t node : fault.nodes) {
        if (!cluster_.is_up(NodeIndex{node})) continue;
        const std::size_t held = held_bytes(cluster_.host(NodeIndex{node}));
        if (held <= fault.amount * 1'024) continue;
        ++fired_[static_cast<std::size_t>(fault.kind)];
        if (fault.amount >= fair_memory_kib && !unreliable_[node])
            cluster_.violate(
                "resources",
                "killed for holding " + std::to_string(held) + " bytes in memory",
                NodeIndex{node}
            );
        stop(node, index, CrashLoss::torn, StopNotice::closed);
        const auto delay = Duration::from_ms(static_cast<std::int64_t>(fault.more));
        cluster_.at(cluster_.now() + delay, [this, node, index] {
            if (stopped_by_[node] == index) start(node);
        });
    }
    cluster_.at(cluster_.now() + memory_look_every, [this, index] { look_at_memory(index); });
}

void Injector::start(std::uint32_t node) {
    stopped_by_[node].reset();
    ++restarts_;
    auto started = cluster_.start(NodeIndex{node});
    unreadable_[node] = !started && started.error().code == ErrorCode::io && !reads(node);
    if (unreadable_[node]) return;  // The end of the fault starts it.
    if (!started && started.error().code == ErrorCode::corrupt && may_rot_[node]) {
        cluster_.disk(NodeIndex{node}).wipe();  // What the message says that an operator does.
        started = cluster_.start(NodeIndex{node});
    }
    if (!started) return cluster_.violate("restore", started.error().message, NodeIndex{node});
    refresh_node(node);
}

/// Whether no fault keeps the node's disk from being read.
bool Injector::reads(std::uint32_t node) const {
    for (FaultIndex i = 0; i < active_.size(); ++i) {
        const Fault& fault = schedule_.faults[i];
        if (active_[i] && fault.kind == FaultKind::read_error && has(fault.nodes, node))
            return false;
    }
    return true;
}

void Injector::restart(std::uint32_t node) {
    if (!cluster_.is_up(NodeIndex{node})) return;
    cluster_.crash(NodeIndex{node}, CrashLoss::all_unsynced, StopNotice::closed);
    start(node);
}

void Injector::part(NodePair pair, int change, std::vector<NodePair>& changed) {
    int& count = parted_[pair];
    const bool was_parted = count > 0;
    count += change;
    if ((count > 0) != was_parted) changed.push_back(pair);
}

void Injector::part_all(const Fault& fault, int change) {
    std::vector<NodePair> changed;
    const auto part_both = [&](NodePair pair) {
        part(pair, change, changed);
        part(pair.reversed(), change, changed);
    };
    for (const std::uint32_t a : fault.nodes) {
        for (std::uint32_t b = 0; b < schedule_.nodes; ++b) {
            const NodePair pair{NodeIndex{a}, NodeIndex{b}};
            if (a == b) continue;
            if (fault.kind == FaultKind::cut) {
                if (!has(fault.nodes, b)) part_both(pair);
            } else if (has(fault.others, b)) {
                if (fault.kind == FaultKind::cut_one_way) {
                    part(pair, change, changed);
                } else {
                    part_both(pair);
                }
            }
        }
    }
    if (!changed.empty()) cluster_.block(changed, change > 0);
}

/// The profile with all storms that rage now; then each node's own limits again.
void Injector::refresh_links() {
    LinkProfile profile = cluster_.options().profile;
    for (FaultIndex index = 0; index < active_.size(); ++index) {
        const Fault& fault = schedule_.faults[index];
        if (!active_[index]) continue;
        if (fault.kind == FaultKind::loss)
            profile.loss_ppm = std::max(profile.loss_ppm, static_cast<std::uint32_t>(fault.amount));
        if (fault.kind != FaultKind::storm) continue;
        profile.kind = LinkKind::datagram;
        profile.loss_ppm = std::max(profile.loss_ppm, static_cast<std::uint32_t>(fault.amount));
        profile.duplicate_ppm =
            std::max(profile.duplicate_ppm, static_cast<std::uint32_t>(fault.more));
        profile.reorder_ppm = profile.duplicate_ppm;
        profile.reorder_extra = profile.latency_max;
    }
    cluster_.links().set_profile(std::move(profile));
    for (std::uint32_t node = 0; node < schedule_.nodes; ++node)
        refresh_node(node);
}

/// What the faults that act on the node now make of it together.
void Injector::refresh_node(std::uint32_t node) {
    const NodeIndex index{node};
    std::uint64_t latency_ms = 0;
    std::uint64_t kbit_per_s = 0;
    std::uint64_t sync_ms = 0;
    std::int64_t drift = 0;
    std::uint32_t cpu_percent = 100;
    bool is_paused = false;
    bool is_full = false;
    for (FaultIndex i = 0; i < active_.size(); ++i) {
        const Fault& fault = schedule_.faults[i];
        if (!active_[i] || !has(fault.nodes, node)) continue;
        const auto amount = static_cast<std::int64_t>(fault.amount);
        if (fault.kind == FaultKind::slow_link) latency_ms += fault.amount;
        if (fault.kind == FaultKind::bandwidth)
            kbit_per_s = kbit_per_s == 0 ? fault.amount : std::min(kbit_per_s, fault.amount);
        if (fault.kind == FaultKind::slow_disk) sync_ms = std::max(sync_ms, fault.amount);
        if (fault.kind == FaultKind::slow_cpu)
            cpu_percent = std::min(cpu_percent, static_cast<std::uint32_t>(fault.amount));
        if (fault.kind == FaultKind::clock_drift)
            drift = amount > 100'000 ? 100'000 - amount : amount;
        is_paused = is_paused || fault.kind == FaultKind::pause;
        is_full = is_full || fault.kind == FaultKind::full_disk;
    }
    const auto ms = [](std::uint64_t count) {
        return Duration::from_ms(static_cast<std::int64_t>(count));
    };
    cluster_.links().set_extra_latency(index, std::min(ms(latency_ms), limits::link_latency_max));
    const std::uint64_t profile_bps = cluster_.links().profile().bandwidth_bps;
    cluster_.links().set_bandwidth(index, kbit_per_s == 0 ? profile_bps : kbit_per_s * 1'000);
    SimDisk& disk = cluster_.disk(index);
    const DiskOptions& usual = cluster_.options().disk;
    disk.set_sync_latency(
        std::max(usual.sync_min, ms(sync_ms)), std::max(usual.sync_max, ms(sync_ms))
    );
    disk.fail_reads(!reads(node));
    disk.set_capacity(is_full ? disk.used_bytes() : usual.capacity_bytes);
    cluster_.set_clock_drift(index, drift);
    cluster_.set_cpu_percent(index, cpu_percent);
    if (!cluster_.is_up(index)) return;
    if (is_paused) {
        cluster_.pause(index);
    } else {
        cluster_.resume(index);
    }
}

}  // namespace creto
