#include "sim/life/swarm.hpp"

#include <algorithm>
#include <array>

#include "sim/cost.hpp"
#include "sim/life/draws.hpp"

namespace creto {
namespace {

constexpr auto calm_after = Duration::from_s(22);
constexpr auto first_fault = Duration::from_s(1);
constexpr std::uint32_t faults_per_class_max = 4;

std::uint32_t draw_nodes(const Dice& dice) {
    const std::uint64_t size = dice.below(Stream::shape, 1'000, 0);
    const auto more = [&](std::uint64_t bound) {
        return static_cast<std::uint32_t>(dice.below(Stream::shape, bound, 1));
    };
    if (size < 970) return 4 + more(4);
    return size < 995 ? 10 + more(7) : 17 + more(15);
}

Knobs draw_knobs(const Dice& dice, bool is_slow_net) {
    Knobs knobs;
    const auto on = [&](std::uint64_t number) {
        return dice.chance(Stream::knobs, 50, 2 * number);
    };
    const auto ms = [&](const auto& from, std::uint64_t number) {
        return Duration::from_ms(dice.pick(Stream::knobs, from, 2 * number + 1));
    };
    if (on(0)) knobs.delta = ms(std::array<std::int64_t, 4>{20, 50, 200, 400}, 0);
    if (on(1)) knobs.delta_max = ms(std::array<std::int64_t, 3>{500, 2'000, 4'000}, 1);
    if (on(2)) knobs.heartbeat = ms(std::array<std::int64_t, 3>{500, 1'000, 4'000}, 2);
    if (on(3)) knobs.view_interval = ms(std::array<std::int64_t, 3>{20, 50, 100}, 3);
    if (on(4)) knobs.detection = ms(std::array<std::int64_t, 3>{200, 500, 3'000}, 4);
    if (dice.chance(Stream::terms, 10, 0))
        knobs.term_views = dice.pick(Stream::terms, std::array<std::uint32_t, 4>{2, 4, 8, 32}, 1);
    if (dice.chance(Stream::checkpoints, 40, 0)) {
        knobs.checkpoint_blocks =
            dice.pick(Stream::checkpoints, std::array<std::uint32_t, 3>{8, 16, 32}, 1);
        knobs.keep_blocks =
            dice.pick(Stream::checkpoints, std::array<std::uint32_t, 3>{0, 1, 20}, 2);
    }
    if (dice.chance(Stream::epochs, 35, 0))
        knobs.epoch_blocks =
            dice.pick(Stream::epochs, std::array<std::uint32_t, 4>{3, 4, 8, 64}, 1);
    // Of seven seats each misses a dead one in two, four or nine of its reports.
    if (knobs.epoch_blocks != 0 && dice.chance(Stream::dormant, 60, 0))
        knobs.dead_after_reports =
            dice.pick(Stream::dormant, std::array<std::uint32_t, 3>{8, 28, 60}, 1);
    // A view must be able to last as long as its messages take.
    if (is_slow_net) knobs.delta_max = std::max(knobs.delta_max, Duration::from_s(1));
    knobs.delta_max = std::max(knobs.delta_max, knobs.delta);
    return knobs;
}

/// The turn-th fault of its kind.
Fault draw_fault(const Dice& dice, const Schedule& schedule, FaultKind kind, std::uint64_t turn) {
    const std::uint64_t number = static_cast<std::uint64_t>(kind) * faults_per_class_max + turn;
    return draw_fault(dice, schedule, kind, number, {first_fault, schedule.calm_after});
}

/// Who lies, and whose disk forgets: no more together than the roster bears.
void draw_liars(const Dice& dice, Schedule& schedule) {
    const std::uint32_t most = liars_max(schedule.mode, schedule.seats());
    if (most == 0 || dice.chance(Stream::liars, 50, 0)) return;
    const std::uint32_t count = 1 + static_cast<std::uint32_t>(dice.below(Stream::liars, most, 1));
    const bool one_mind = dice.chance(Stream::liars, 30, 2);
    constexpr std::uint64_t forgets_draw = 15;  // Never renumbered.
    const bool forgets = dice.chance(Stream::classes, 30, forgets_draw);
    std::uint64_t turn = 0;
    for (const std::uint32_t node : draw_set(dice, schedule.seats(), count, 10'000)) {
        if (forgets && turn == 0) {
            const auto kind = dice.pick(
                Stream::classes,
                std::array<FaultKind, 4>{
                    FaultKind::rollback, FaultKind::wipe, FaultKind::log_tear, FaultKind::bit_rot},
                forgets_draw + 1
            );
            Fault fault = draw_fault(dice, schedule, kind, 0);
            fault.nodes = {node};
            schedule.faults.push_back(std::move(fault));
        } else {
            const std::uint64_t which = 3 + (one_mind ? 0 : turn);
            schedule.byzantine[node] =
                all_attacks()[dice.below(Stream::liars, all_attacks().size(), which)];
        }
        ++turn;
    }
}

void draw_faults(const Dice& dice, Schedule& schedule) {
    constexpr auto drawn_kinds = static_cast<std::uint64_t>(FaultKind::rollback);
    std::vector<FaultKind> kinds;
    for (std::uint64_t kind = 0; kind < drawn_kinds; ++kind)
        if (dice.chance(Stream::classes, 50, kind)) kinds.push_back(static_cast<FaultKind>(kind));
    constexpr std::uint64_t read_error_draw = 17;
    if (dice.chance(Stream::classes, 30, read_error_draw)) kinds.push_back(FaultKind::read_error);
    if (kinds.empty())
        kinds.push_back(static_cast<FaultKind>(dice.below(Stream::classes, drawn_kinds, 1'000)));
    for (const FaultKind kind : kinds) {
        const std::uint64_t count =
            1 + dice.below(Stream::classes, faults_per_class_max, 2'000, std::uint64_t(kind));
        for (std::uint64_t turn = 0; turn < count; ++turn)
            schedule.faults.push_back(draw_fault(dice, schedule, kind, turn));
    }
    // Besides the others: a budget that nobody exceeds is no fault.
    const std::uint64_t budgets =
        dice.chance(Stream::memory, 20, 0) ? 1 + dice.below(Stream::memory, 3, 1) : 0;
    for (std::uint64_t turn = 0; turn < budgets; ++turn)
        schedule.faults.push_back(draw_fault(dice, schedule, FaultKind::memory_budget, turn));
    for (std::uint64_t turn = 0; turn < schedule.spares; ++turn)
        schedule.faults.push_back(draw_fault(dice, schedule, FaultKind::reseat, turn));
    std::stable_sort(
        schedule.faults.begin(),
        schedule.faults.end(),
        [](const Fault& a, const Fault& b) { return a.at < b.at; }
    );
}

}  // namespace

Schedule make_schedule(std::uint64_t seed) {
    const Dice dice{seed};
    Schedule schedule;
    schedule.seed = seed;
    schedule.calm_after = calm_after;
    schedule.nodes = draw_nodes(dice);
    if (dice.chance(Stream::shape, 15, 2)) schedule.mode = QuorumMode::crash;
    schedule.profile = dice.pick(
        Stream::shape,
        std::array<const char*, 8>{"local", "local", "lan", "lan", "lan", "wan", "wan", "degraded"},
        3
    );
    const bool is_slow_net = schedule.profile == "wan" || schedule.profile == "degraded";
    schedule.knobs = draw_knobs(dice, is_slow_net);
    if (schedule.knobs.epoch_blocks != 0 && dice.chance(Stream::reseats, 50, 0)) {
        schedule.spares = 1 + static_cast<std::uint32_t>(dice.below(Stream::reseats, 3, 1));
        schedule.nodes += schedule.spares;
    }
    schedule.workload.count = 20 + static_cast<std::uint32_t>(dice.below(Stream::workload, 100, 0));
    // Whole milliseconds, as in JSON, or a saved schedule is another life.
    schedule.workload.every = Duration::from_ms(calm_after.ms() / schedule.workload.count);
    schedule.workload.causal_percent =
        dice.pick(Stream::workload, std::array<std::uint32_t, 3>{0, 30, 60}, 1);
    schedule.workload.call_percent =
        dice.pick(Stream::workload, std::array<std::uint32_t, 4>{0, 0, 0, 20}, 2);
    // A degraded network has no rate of its own that a write every 200 ms could be measured against.
    if (schedule.profile != "degraded" && dice.chance(Stream::workload, 3, 3)) {
        schedule.workload.steady = Duration::from_s(80);
        schedule.workload.steady_every =
            Duration::from_ms(dice.pick(Stream::workload, std::array<std::int64_t, 2>{200, 500}, 4)
            );
    }
    if (dice.chance(Stream::shape, 20, 4)) {
        const CostTable measured = measured_costs();
        const bool is_measured = measured.verify_ns > 0;
        schedule.costs =
            is_measured && dice.chance(Stream::shape, 50, 5) ? measured.id : ed25519_costs().id;
    }
    draw_liars(dice, schedule);
    draw_faults(dice, schedule);
    return schedule;
}

}  // namespace creto
