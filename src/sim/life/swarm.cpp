#include "sim/life/swarm.hpp"

#include <algorithm>
#include <array>

#include "base/prng.hpp"
#include "sim/cost.hpp"

namespace creto {
namespace {

/// Streams of draws; never renumbered, or old seeds mean other lives.
enum class Stream : std::uint64_t {
    shape = 0x61,
    knobs = 0x62,
    liars = 0x63,
    classes = 0x64,
    fault = 0x65,
    fault_nodes = 0x66,
    workload = 0x67,
    terms = 0x68,
    checkpoints = 0x6A,
    memory = 0x6B,
    epochs = 0x6C,
    reseats = 0x6D,
    dormant = 0x6E,
};

class Dice {
public:
    explicit Dice(std::uint64_t seed) : seed_{seed} {}

    [[nodiscard]] std::uint64_t below(
        Stream stream, std::uint64_t bound, std::uint64_t a, std::uint64_t b = 0
    ) const {
        return scale_to(draw(seed_, static_cast<std::uint64_t>(stream), a, b), bound);
    }
    [[nodiscard]] bool chance(Stream stream, std::uint64_t percent, std::uint64_t a) const {
        return below(stream, 100, a) < percent;
    }
    template <class T, std::size_t N>
    [[nodiscard]] T pick(Stream stream, const std::array<T, N>& from, std::uint64_t a) const {
        return from[below(stream, N, a)];
    }

private:
    std::uint64_t seed_;
};

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

/// `count` distinct nodes, ascending; the draw names the fault.
std::vector<std::uint32_t> draw_set(
    const Dice& dice, std::uint32_t nodes, std::uint32_t count, std::uint64_t fault
) {
    std::vector<std::uint32_t> all(nodes);
    for (std::uint32_t i = 0; i < nodes; ++i)
        all[i] = i;
    for (std::uint32_t i = 0; i < count; ++i)
        std::swap(all[i], all[i + dice.below(Stream::fault_nodes, nodes - i, fault, i)]);
    all.resize(count);
    std::sort(all.begin(), all.end());
    return all;
}

class FaultDraw {
public:
    FaultDraw(const Dice& dice, const Schedule& schedule, FaultKind kind, std::uint64_t turn)
        : dice_{dice},
          schedule_{schedule},
          number_{static_cast<std::uint64_t>(kind) * faults_per_class_max + turn} {
        fault_.kind = kind;
    }

    Fault make() {
        const Duration span = schedule_.calm_after - first_fault;
        fault_.at = first_fault + ms(below(0, static_cast<std::uint64_t>(span.ms())));
        // From a blink to some seconds, each length as likely as its double.
        const std::uint64_t scale = std::uint64_t{64} << below(1, 8);
        fault_.lasts = ms(scale + below(2, scale));
        fault_.lasts = std::min(fault_.lasts, schedule_.calm_after - fault_.at);
        fill();
        return std::move(fault_);
    }

private:
    [[nodiscard]] std::uint64_t below(std::uint64_t use, std::uint64_t bound) const {
        return dice_.below(Stream::fault, bound, number_, use);
    }
    static Duration ms(std::uint64_t count) {
        return Duration::from_ms(static_cast<std::int64_t>(count));
    }
    [[nodiscard]] std::vector<std::uint32_t> set(std::uint32_t count) const {
        return draw_set(dice_, schedule_.nodes, count, number_);
    }
    /// Mostly one node, sometimes any number up to all.
    [[nodiscard]] std::vector<std::uint32_t> some() const {
        const std::uint64_t how = below(3, 10);
        if (how < 6) return set(1);
        if (how < 9) return set(1 + static_cast<std::uint32_t>(below(4, schedule_.nodes)));
        return set(schedule_.nodes);
    }
    /// A part that is neither nobody nor all.
    [[nodiscard]] std::vector<std::uint32_t> part() const {
        return set(1 + static_cast<std::uint32_t>(below(4, schedule_.nodes - 1)));
    }
    void pair_up() {
        fault_.nodes = part();
        for (std::uint32_t node = 0; node < schedule_.nodes; ++node)
            if (!std::binary_search(fault_.nodes.begin(), fault_.nodes.end(), node) &&
                (fault_.others.empty() || below(100 + node, 2) == 0))
                fault_.others.push_back(node);
    }

    void fill() {
        switch (fault_.kind) {
            case FaultKind::crash:
                fault_.nodes = some();
                fault_.amount = below(5, 4);
                break;
            case FaultKind::pause:
            case FaultKind::failed_disk:
            case FaultKind::full_disk:
                fault_.nodes = some();
                break;
            case FaultKind::cut:
                fault_.nodes = part();
                break;
            case FaultKind::cut_one_way:
            case FaultKind::block_pair:
                pair_up();
                break;
            case FaultKind::slow_link:
                fault_.nodes = some();
                fault_.amount = std::uint64_t{10} << below(5, 8);
                break;
            case FaultKind::bandwidth:
                fault_.nodes = some();
                fault_.amount = std::uint64_t{256} << below(5, 7);
                break;
            case FaultKind::storm:
                fault_.amount = std::uint64_t{1'000} << below(5, 8);
                fault_.more = std::uint64_t{1'000} << below(6, 8);
                break;
            case FaultKind::slow_disk:
                fault_.nodes = some();
                fault_.amount = std::uint64_t{5} << below(5, 8);
                break;
            case FaultKind::clock_step:
                fault_.nodes = some();
                fault_.amount = std::uint64_t{100} << below(5, 12);
                break;
            case FaultKind::clock_drift:
                fault_.nodes = some();
                fault_.amount = (std::uint64_t{50} << below(5, 11)) + 100'000 * below(6, 2);
                fault_.amount = std::min<std::uint64_t>(fault_.amount, 199'000);
                break;
            case FaultKind::read_error:
                fault_.nodes = some();
                break;
            case FaultKind::bit_rot:
                fault_.amount = 1 + below(5, 2);
                break;
            case FaultKind::memory_budget:
                fault_.nodes = some();
                fault_.amount =
                    below(5, 4) == 0 ? fair_memory_kib : std::uint64_t{2} << below(6, 8);
                fault_.more = std::uint64_t{50} << below(7, 6);
                break;
            case FaultKind::reseat:
                if (below(5, 3) > 0) fault_.nodes = draw_set(dice_, schedule_.seats(), 1, number_);
                break;
            case FaultKind::rollback:
            case FaultKind::wipe:
            case FaultKind::log_tear:
                break;                 // The nodes of these are chosen with the liars.
            case FaultKind::loss:      // Not drawn: storms lose more, and for good,
            case FaultKind::slow_cpu:  // and most lives charge nothing.
                break;
        }
    }

    const Dice& dice_;
    const Schedule& schedule_;
    std::uint64_t number_;
    Fault fault_;
};

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
            Fault fault = FaultDraw{dice, schedule, kind, 0}.make();
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
            schedule.faults.push_back(FaultDraw{dice, schedule, kind, turn}.make());
    }
    // Besides the others: a budget that nobody exceeds is no fault.
    const std::uint64_t budgets =
        dice.chance(Stream::memory, 20, 0) ? 1 + dice.below(Stream::memory, 3, 1) : 0;
    for (std::uint64_t turn = 0; turn < budgets; ++turn)
        schedule.faults.push_back(FaultDraw{dice, schedule, FaultKind::memory_budget, turn}.make());
    for (std::uint64_t turn = 0; turn < schedule.spares; ++turn)
        schedule.faults.push_back(FaultDraw{dice, schedule, FaultKind::reseat, turn}.make());
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
