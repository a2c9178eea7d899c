#include "sim/life/long_swarm.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include "sim/cost.hpp"
#include "sim/life/draws.hpp"

namespace creto {
namespace {

constexpr std::uint64_t apart = 0x1'000;  ///< From the streams of usual lives; never changed.

/// Classes of what happens in a storm; never renumbered.
enum class Class : std::uint64_t {
    kills,
    absence,
    partitions,
    links,
    disks,
    clocks,
    memory,
    flood,
};
constexpr std::uint64_t class_count = 8;

/// Numbers of draws in Stream::classes, besides those of Class; never renumbered.
constexpr std::uint64_t storms_draw = 100;
constexpr std::uint64_t of_storm_draw = 1'000;

/// Faults of a life have numbers of their own: kind, storm and turn.
std::uint64_t fault_number(FaultKind kind, std::uint64_t storm, std::uint64_t turn) {
    return (static_cast<std::uint64_t>(kind) * 64 + storm) * 64 + turn;
}

std::uint32_t to_count(std::uint64_t value) {
    return static_cast<std::uint32_t>(value);
}

enum class Size : std::uint8_t { small, middle, large };
Size size_of(std::uint32_t nodes) {
    if (nodes <= 16) return Size::small;
    return nodes <= 40 ? Size::middle : Size::large;
}

class LongDraw {
public:
    explicit LongDraw(std::uint64_t seed) : dice_{seed, apart} { schedule_.seed = seed; }

    Schedule make() {
        draw_shape();
        draw_knobs();
        draw_roster();
        draw_classes();
        draw_workload();
        draw_liars();
        draw_storms();
        draw_parameters();
        std::stable_sort(
            schedule_.faults.begin(),
            schedule_.faults.end(),
            [](const Fault& a, const Fault& b) { return a.at < b.at; }
        );
        return std::move(schedule_);
    }

private:
    void draw_shape() {
        const std::uint64_t size = dice_.below(Stream::shape, 1'000, 0);
        const auto more = [&](std::uint64_t bound) {
            return to_count(dice_.below(Stream::shape, bound, 1));
        };
        schedule_.nodes = size < 850 ? 7 + more(10) : size < 980 ? 17 + more(24) : 41 + more(60);
        size_ = size_of(schedule_.nodes);
        if (dice_.chance(Stream::shape, 12, 2)) schedule_.mode = QuorumMode::crash;
        schedule_.profile = dice_.pick(
            Stream::shape,
            std::array<const char*, 8>{
                "local", "lan", "lan", "lan", "lan", "wan", "wan", "degraded"},
            3
        );
        // Large ones as far as a machine can follow.
        const std::array<std::uint64_t, 3> least_s{120, 100, 80};
        const std::array<std::uint64_t, 3> more_s{180, 80, 60};
        const auto at = static_cast<std::size_t>(size_);
        const auto seconds =
            static_cast<std::int64_t>(least_s[at] + dice_.below(Stream::shape, more_s[at] + 1, 4));
        schedule_.calm_after = Duration::from_s(seconds);
        const auto storms =
            static_cast<std::int64_t>(2 + dice_.below(Stream::classes, 3, storms_draw));
        for (std::int64_t storm = 1; storm < storms; ++storm)
            schedule_.calms.push_back(Duration::from_s(seconds * storm / storms));
        if (dice_.chance(Stream::shape, 15, 5)) schedule_.costs = ed25519_costs().id;
    }

    void draw_knobs() {
        Knobs& knobs = schedule_.knobs;
        const auto ms = [&](const auto& from, std::uint64_t number) {
            return Duration::from_ms(dice_.pick(Stream::knobs, from, number));
        };
        using Three = std::array<std::int64_t, 3>;
        // All vote to all: the more there are, the slower they may go.
        const std::array<Three, 3> intervals{
            Three{20, 50, 100}, {100, 200, 300}, {500, 700, 1'000}};
        knobs.view_interval = ms(intervals[static_cast<std::size_t>(size_)], 0);
        knobs.delta = ms(Three{50, 100, 400}, 1);
        knobs.delta_max = ms(Three{1'000, 2'000, 4'000}, 2);
        knobs.heartbeat = ms(Three{1'000, 2'000, 4'000}, 3);
        knobs.detection = ms(Three{500, 1'000, 3'000}, 4);
        if (dice_.chance(Stream::terms, 10, 0))
            knobs.term_views = dice_.pick(Stream::terms, std::array<std::uint32_t, 3>{2, 4, 8}, 1);
        if (dice_.chance(Stream::checkpoints, 40, 0)) {
            knobs.checkpoint_blocks =
                dice_.pick(Stream::checkpoints, std::array<std::uint32_t, 3>{8, 16, 32}, 1);
            knobs.keep_blocks =
                dice_.pick(Stream::checkpoints, std::array<std::uint32_t, 3>{0, 1, 20}, 2);
        }
        // What makes blocks slowly has short epochs, or sees few.
        using Four = std::array<std::uint32_t, 4>;
        const std::array<Four, 3> epochs{Four{4, 8, 16, 32}, {4, 8, 8, 16}, {4, 4, 8, 8}};
        knobs.epoch_blocks = dice_.pick(Stream::epochs, epochs[static_cast<std::size_t>(size_)], 1);
        if (dice_.chance(Stream::dormant, 45, 0)) {
            // Each of those that miss a seat does so in so many of its reports.
            const auto reports =
                dice_.pick(Stream::dormant, std::array<std::uint32_t, 3>{1, 2, 4}, 1);
            knobs.dead_after_reports =
                std::max(limits::dead_after_reports_min, reports * schedule_.nodes);
            sets_aside_ = true;
        }
    }

    /// Who is to get a seat, to hand it on, to leave; and an agent that never gets one, and floods.
    void draw_roster() {
        const std::uint32_t room = schedule_.nodes - 7;
        if (room > 0 && dice_.chance(Stream::reseats, 65, 0))
            joins_ = 1 + to_count(dice_.below(Stream::reseats, std::min(room, 3U), 1));
        outsiders_ = dice_.chance(Stream::reseats, 40, 2) && room > joins_ ? 1 : 0;
        schedule_.spares = joins_ + outsiders_;
        const std::uint32_t spared =
            schedule_.seats() > 7 ? std::min(schedule_.seats() - 7, 2U) : 0;
        if (spared > 0 && dice_.chance(Stream::reseats, 60, 3))
            leaves_ = 1 + to_count(dice_.below(Stream::reseats, spared, 4));
    }

    void draw_classes() {
        for (std::uint64_t c = 0; c < class_count; ++c)
            if (dice_.chance(Stream::classes, 55, c)) classes_.insert(static_cast<Class>(c));
        if (outsiders_ > 0) classes_.insert(Class::flood);
        if (sets_aside_) classes_.insert(Class::absence);
        const std::array<Class, 2> always{Class::kills, Class::partitions};
        for (const Class c : always)
            if (classes_.size() < 3) classes_.insert(c);
    }

    void draw_workload() {
        WorkloadPlan& workload = schedule_.workload;
        const std::uint64_t more = size_ == Size::small ? 240 : 60;
        workload.count = 60 + to_count(dice_.below(Stream::workload, more, 0));
        // Calms come in between, so writes go on for longer than the storms.
        workload.every = Duration::from_ms(schedule_.calm_after.ms() * 5 / 4 / workload.count);
        workload.causal_percent =
            dice_.pick(Stream::workload, std::array<std::uint32_t, 3>{0, 30, 60}, 1);
        workload.call_percent =
            dice_.pick(Stream::workload, std::array<std::uint32_t, 3>{0, 0, 20}, 2);
        // A flood is of calls, and needs tools.
        if (classes_.contains(Class::flood)) workload.call_percent = 20;
    }

    [[nodiscard]] std::uint32_t liars_most() const {
        std::uint32_t most = liars_max(schedule_.mode, schedule_.seats() - leaves_);
        if (!sets_aside_) return most;
        for (std::uint32_t n = schedule_.seats() - leaves_; n <= schedule_.seats() + joins_; ++n)
            most = std::min(most, silent_max_with_dormant(schedule_.mode, n));
        return most;
    }
    [[nodiscard]] std::size_t storms() const { return schedule_.calms.size() + 1; }
    [[nodiscard]] FaultSpan span_of(std::size_t storm) const {
        const Duration from = storm == 0 ? Duration{} : schedule_.calms[storm - 1];
        const Duration until =
            storm < schedule_.calms.size() ? schedule_.calms[storm] : schedule_.calm_after;
        return {from + Duration::from_s(1), until, Duration::from_ms(128), 8};
    }
    void add(
        FaultKind kind, std::size_t storm, std::uint64_t turn, std::vector<std::uint32_t> nodes
    ) {
        Fault fault =
            draw_fault(dice_, schedule_, kind, fault_number(kind, storm, turn), span_of(storm));
        if (!nodes.empty()) fault.nodes = std::move(nodes);
        schedule_.faults.push_back(std::move(fault));
    }

    /// Who lies or floods, whose disk forgets, whose machine is replaced, and who leaves.
    void draw_liars() {
        std::uint32_t left = liars_most();
        const bool all = dice_.chance(Stream::liars, 30, 0);
        if (!all && left > 0) left = 1 + to_count(dice_.below(Stream::liars, left, 1));
        if (dice_.chance(Stream::liars, 15, 4)) left = 0;
        const std::vector<std::uint32_t> order = shuffled();
        std::size_t next = 0;
        const bool one_mind = dice_.chance(Stream::liars, 30, 2);
        const bool loses = dice_.chance(Stream::liars, 45, 3);
        if (outsiders_ == 0 && classes_.contains(Class::flood)) {
            if (left > 1) {
                flooder_ = order[next++];
                --left;
            }
        } else if (outsiders_ > 0) {
            flooder_ = schedule_.nodes - 1;
        }
        // Of several whose machines break one is replaced by another, if there is one.
        std::uint64_t turn = 0;
        std::uint32_t joins = joins_;
        for (; left > 0; --left, ++turn) {
            const std::uint32_t node = order[next++];
            if (loses && dice_.chance(Stream::liars, turn == 0 ? 100 : 30, 200 + turn)) {
                const bool is_last = lose_disk(node, turn);
                if (joins > 0 && !is_last && dice_.chance(Stream::liars, 50, 300 + turn)) {
                    --joins;
                    add(FaultKind::reseat, storms() - 1, joins, {node});
                }
            } else {
                const std::uint64_t which = 400 + (one_mind ? 0 : turn);
                schedule_.byzantine[node] =
                    all_attacks()[dice_.below(Stream::liars, all_attacks().size(), which)];
            }
        }
        for (std::uint64_t i = 0; i < leaves_; ++i) {
            const auto storm = dice_.below(Stream::reseats, storms(), 500 + i);
            add(FaultKind::unseat, storm, i, {order[next++]});
            schedule_.faults.back().amount = dice_.below(Stream::reseats, 2, 600 + i);
        }
        for (; joins > 0; --joins) {
            const auto storm = dice_.below(Stream::reseats, storms(), 700 + joins);
            const bool hands_on = dice_.chance(Stream::reseats, 50, 800 + joins);
            Fault fault = draw_fault(
                dice_,
                schedule_,
                FaultKind::reseat,
                fault_number(FaultKind::reseat, storm, 16 + joins),
                span_of(storm)
            );
            fault.nodes.clear();
            if (hands_on) fault.nodes = {order[next++]};
            schedule_.faults.push_back(std::move(fault));
        }
    }
    /// What the network agrees on about itself. No quota is so small that an honest write is over it.
    void draw_parameters() {
        struct Values {
            Parameter parameter;
            std::array<std::uint32_t, 4> from;
        };
        constexpr std::array<Values, 3> known{
            Values{Parameter::term_views, {1, 2, 4, 8}},
            Values{Parameter::guest_operations, {0, 1'000, 1'000, 65'536}},
            Values{Parameter::guests_total, {32'768, 65'536, 65'536, 1'048'576}}};
        const std::uint64_t changes = dice_.below(Stream::parameters, 4, 0);
        for (std::uint64_t i = 0; i < changes; ++i) {
            const Values& values = dice_.pick(Stream::parameters, known, 10 * i + 1);
            const auto storm = dice_.below(Stream::parameters, storms(), 10 * i + 2);
            add(FaultKind::parameter, storm, i, {});
            schedule_.faults.back().amount =
                dice_.pick(Stream::parameters, values.from, 10 * i + 3);
            schedule_.faults.back().more = static_cast<std::uint64_t>(values.parameter);
        }
    }
    /// True if it is in the last storm.
    bool lose_disk(std::uint32_t node, std::uint64_t turn) {
        const auto kind = dice_.pick(
            Stream::classes,
            std::array<FaultKind, 5>{
                FaultKind::wipe,
                FaultKind::wipe,
                FaultKind::rollback,
                FaultKind::bit_rot,
                FaultKind::log_tear},
            2'000 + turn
        );
        const auto storm = dice_.below(Stream::classes, storms(), 3'000 + turn);
        add(kind, storm, turn, {node});
        return storm + 1 == storms();
    }
    /// The seats in a drawn order.
    [[nodiscard]] std::vector<std::uint32_t> shuffled() const {
        const std::uint32_t seats = schedule_.seats();
        std::vector<std::uint32_t> out(seats);
        for (std::uint32_t i = 0; i < seats; ++i)
            out[i] = i;
        for (std::uint32_t i = 0; i < seats; ++i)
            std::swap(out[i], out[i + dice_.below(Stream::fault_nodes, seats - i, 1'000'000, i)]);
        return out;
    }

    void draw_storms() {
        for (std::size_t storm = 0; storm < storms(); ++storm) {
            const std::size_t before = schedule_.faults.size();
            for (const Class c : classes_)
                if (dice_.chance(Stream::classes, 60, of_storm(storm, c))) draw_class(c, storm);
            if (schedule_.faults.size() == before) draw_class(*classes_.begin(), storm);
        }
    }
    static std::uint64_t of_storm(std::size_t storm, Class c, std::uint64_t use = 0) {
        return (of_storm_draw + storm * class_count + static_cast<std::uint64_t>(c)) * 16 + use;
    }
    template <std::size_t N>
    void draw_some(Class c, std::size_t storm, const std::array<FaultKind, N>& kinds) {
        const std::uint64_t count = 1 + dice_.below(Stream::classes, 2, of_storm(storm, c, 1));
        for (std::uint64_t turn = 0; turn < count; ++turn)
            add(dice_.pick(Stream::classes, kinds, of_storm(storm, c, 2 + turn)),
                storm,
                static_cast<std::uint64_t>(c) * 4 + turn,
                {});
    }
    void draw_class(Class c, std::size_t storm) {
        using Three = std::array<FaultKind, 3>;
        switch (c) {
            case Class::kills:
                return draw_some(
                    c, storm, Three{FaultKind::crash, FaultKind::crash, FaultKind::pause}
                );
            case Class::absence:
                return draw_absence(storm);
            case Class::partitions:
                return draw_some(
                    c, storm, Three{FaultKind::cut, FaultKind::cut_one_way, FaultKind::block_pair}
                );
            case Class::links:
                return draw_some(
                    c, storm, Three{FaultKind::slow_link, FaultKind::bandwidth, FaultKind::storm}
                );
            case Class::disks:
                return draw_some(
                    c,
                    storm,
                    std::array<FaultKind, 4>{
                        FaultKind::slow_disk,
                        FaultKind::full_disk,
                        FaultKind::failed_disk,
                        FaultKind::read_error}
                );
            case Class::clocks:
                return draw_some(
                    c,
                    storm,
                    Three{FaultKind::clock_step, FaultKind::clock_drift, FaultKind::clock_drift}
                );
            case Class::memory:
                return draw_some(c, storm, std::array<FaultKind, 1>{FaultKind::memory_budget});
            case Class::flood:
                return draw_flood(storm);
        }
    }
    /// Some are away for most of the storm, no more than may be: where seats are set aside, they are.
    void draw_absence(std::size_t storm) {
        const std::uint32_t seats = schedule_.seats();
        const std::uint32_t most = std::max(1U, seats - Quorum::of(schedule_.mode, seats).q);
        const auto use = of_storm(storm, Class::absence, 1);
        const std::uint32_t least = std::min(2U, most);
        const std::uint32_t count =
            least + to_count(dice_.below(Stream::classes, most - least + 1, use));
        const FaultSpan span = span_of(storm);
        Fault fault = draw_fault(
            dice_, schedule_, FaultKind::crash, fault_number(FaultKind::crash, storm, 60), span
        );
        fault.at = span.from;
        const std::int64_t percent =
            60 + static_cast<std::int64_t>(dice_.below(Stream::classes, 40, use + 1));
        fault.lasts = Duration::from_ms((span.until - span.from).ms() * percent / 100);
        fault.nodes = draw_set(dice_, seats, count, fault_number(FaultKind::crash, storm, 61));
        schedule_.faults.push_back(std::move(fault));
    }
    /// At one of the others, for some seconds.
    void draw_flood(std::size_t storm) {
        if (!flooder_) return;
        Fault fault = draw_fault(
            dice_,
            schedule_,
            FaultKind::flood,
            fault_number(FaultKind::flood, storm, 0),
            span_of(storm)
        );
        constexpr auto longest = Duration::from_s(6);
        fault.lasts = std::min(std::max(fault.lasts, Duration::from_s(1)), longest);
        fault.nodes = {*flooder_};
        const auto use = of_storm(storm, Class::flood, 1);
        const std::uint32_t victim =
            to_count(dice_.below(Stream::classes, schedule_.nodes - 1, use));
        fault.others = {victim + (victim >= *flooder_ ? 1 : 0)};
        fault.amount =
            dice_.pick(Stream::classes, std::array<std::uint64_t, 3>{500, 2'000, 5'000}, use + 1);
        schedule_.faults.push_back(std::move(fault));
    }

    Dice dice_;
    Schedule schedule_;
    Size size_ = Size::small;
    std::set<Class> classes_;
    std::uint32_t joins_ = 0;
    std::uint32_t outsiders_ = 0;  ///< Never get a seat.
    std::uint32_t leaves_ = 0;
    std::optional<std::uint32_t> flooder_;
    bool sets_aside_ = false;
};

/// How many are set aside when `dead` are dead: the fewest that make the quorum smallest.
std::uint32_t set_aside(QuorumMode mode, std::uint32_t n, std::uint32_t dead) {
    std::uint32_t best = 0;
    for (std::uint32_t d = 1; d <= dead && d < n; ++d)
        if (Quorum::possible(mode, n - d, d) &&
            Quorum::of(mode, n - d, d).q < Quorum::of(mode, n - best, best).q)
            best = d;
    return best;
}

}  // namespace

Schedule make_long_schedule(std::uint64_t seed) {
    return LongDraw{seed}.make();
}

std::uint32_t silent_max_with_dormant(QuorumMode mode, std::uint32_t n) {
    std::uint32_t silent = liars_max(mode, n);
    // With so many aside a quorum of the others still decides that more are.
    for (std::uint32_t aside = 0;;) {
        const std::uint32_t dead_max = n - Quorum::of(mode, n - aside, aside).q;
        std::uint32_t next = aside;
        for (std::uint32_t dead = aside; dead <= dead_max; ++dead) {
            next = set_aside(mode, n, dead);
            silent = std::min(silent, n - next - Quorum::of(mode, n - next, next).q);
        }
        if (next <= aside) return silent;
        aside = next;
    }
}

std::vector<std::string> ingredients(const Schedule& schedule) {
    std::set<std::string> out;
    for (const Fault& fault : schedule.faults) {
        const bool is_all = fault.nodes.size() == schedule.nodes;
        switch (fault.kind) {
            case FaultKind::reseat:
                out.insert(fault.nodes.empty() ? "added" : "replaced");
                break;
            case FaultKind::unseat:
                out.insert("removed");
                break;
            case FaultKind::crash:
                out.insert(
                    is_all                   ? "all killed"
                    : fault.nodes.size() > 1 ? "several killed"
                                             : "killed"
                );
                break;
            default:
                out.insert(to_string(fault.kind));
        }
    }
    if (!schedule.byzantine.empty()) out.insert("liars");
    const auto most = liars_max(schedule.mode, schedule.seats());
    if (most > 0 && schedule.byzantine.size() == most) out.insert("all liars that are tolerated");
    if (schedule.knobs.dead_after_reports != Knobs{}.dead_after_reports) out.insert("set aside");
    if (schedule.mode == QuorumMode::crash) out.insert("crash mode");
    return {out.begin(), out.end()};
}

}  // namespace creto
