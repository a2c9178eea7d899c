#include "sim/life/shrink.hpp"

#include <algorithm>
#include <array>

namespace creto {
namespace {

class Shrinker {
public:
    Shrinker(
        Schedule schedule,
        const std::string& checker,
        const LifeVerdict& verdict,
        std::uint32_t tries_max
    )
        : checker_{checker}, verdict_{verdict}, tries_max_{tries_max} {
        out_.schedule = std::move(schedule);
    }

    Shrunk run() {
        // What one pass made simpler may let the one before do more.
        for (std::uint32_t kept = ~0U; kept != out_.kept && out_.tried < tries_max_;) {
            kept = out_.kept;
            drop_faults();
            drop_calms();
            drop_liars();
            drop_writes();
            fewer_nodes();
            plain_network();
            smaller_faults();
        }
        return std::move(out_);
    }

private:
    /// Keeps the candidate if it is good and fails in the same way.
    bool keeps(const Schedule& candidate) {
        if (out_.tried >= tries_max_ || candidate == out_.schedule || !check(candidate))
            return false;
        ++out_.tried;
        if (verdict_(candidate) != checker_) return false;
        ++out_.kept;
        out_.schedule = candidate;
        return true;
    }
    template <class Change>
    bool tries(Change change) {
        Schedule candidate = out_.schedule;
        change(candidate);
        return keeps(candidate);
    }

    /// Halves first, then smaller and smaller parts: each is left out once.
    void drop_faults() {
        std::size_t part = std::max<std::size_t>(1, out_.schedule.faults.size() / 2);
        while (true) {
            std::size_t from = 0;
            while (from < out_.schedule.faults.size()) {
                const bool dropped = tries([&](Schedule& s) {
                    const auto first = s.faults.begin() + static_cast<std::ptrdiff_t>(from);
                    const auto count = std::min(part, s.faults.size() - from);
                    s.faults.erase(first, first + static_cast<std::ptrdiff_t>(count));
                });
                if (!dropped) from += part;
            }
            if (part == 1) return;
            part = std::max<std::size_t>(1, part / 2);
        }
    }

    void drop_calms() {
        for (std::size_t k = out_.schedule.calms.size(); k-- > 0;)
            tries([&](Schedule& s) { erase_at(s.calms, k); });
    }

    void drop_liars() {
        const auto liars = out_.schedule.byzantine;
        for (const auto& liar : liars)
            tries([&](Schedule& s) { s.byzantine.erase(liar.first); });
    }

    void drop_writes() {
        tries([](Schedule& s) { s.workload.call_percent = 0; });
        tries([](Schedule& s) { s.workload.causal_percent = 0; });
        tries([](Schedule& s) { s.workload.count = 0; });
        tries([](Schedule& s) { s.workload.steady = {}; });
        while (tries([](Schedule& s) { s.workload.count /= 2; })) {
        }
    }

    /// Nodes above the new count go, and faults that were about them only.
    static void cut_down(Schedule& schedule, std::uint32_t nodes) {
        const std::uint32_t fewer = schedule.nodes - nodes;
        schedule.spares -= std::min(schedule.spares, fewer);
        schedule.nodes = nodes;
        const auto gone = [&](std::uint32_t node) { return node >= nodes; };
        for (Fault& fault : schedule.faults) {
            std::erase_if(fault.nodes, gone);
            std::erase_if(fault.others, gone);
        }
        std::erase_if(schedule.faults, [](const Fault& fault) {
            const bool needs_others = fault.kind == FaultKind::cut_one_way ||
                                      fault.kind == FaultKind::block_pair ||
                                      fault.kind == FaultKind::flood;
            const bool needs_nodes =
                fault.kind != FaultKind::storm && fault.kind != FaultKind::loss &&
                fault.kind != FaultKind::parameter && fault.kind != FaultKind::reseat;
            return (fault.nodes.empty() && needs_nodes) || (fault.others.empty() && needs_others);
        });
        std::erase_if(schedule.byzantine, [&](const auto& liar) { return gone(liar.first); });
    }
    void fewer_nodes() {
        for (const std::uint32_t nodes :
             {std::uint32_t{4}, std::uint32_t{7}, out_.schedule.nodes / 2, out_.schedule.nodes - 1})
            if (nodes < out_.schedule.nodes) tries([&](Schedule& s) { cut_down(s, nodes); });
    }

    void plain_network() {
        tries([](Schedule& s) { s.costs = "none"; });
        tries([](Schedule& s) { s.knobs = Knobs{}; });
        tries([](Schedule& s) { s.knobs.delta = Knobs{}.delta; });
        tries([](Schedule& s) { s.knobs.delta_max = Knobs{}.delta_max; });
        tries([](Schedule& s) { s.knobs.heartbeat = Knobs{}.heartbeat; });
        tries([](Schedule& s) { s.knobs.view_interval = Knobs{}.view_interval; });
        tries([](Schedule& s) { s.knobs.term_views = Knobs{}.term_views; });
        tries([](Schedule& s) { s.knobs.keep_blocks = Knobs{}.keep_blocks; });
        tries([](Schedule& s) { s.knobs.dead_after_reports = Knobs{}.dead_after_reports; });
        tries([](Schedule& s) {
            s.knobs.epoch_blocks = Knobs{}.epoch_blocks;
            s.knobs.dead_after_reports = Knobs{}.dead_after_reports;
        });
        tries([](Schedule& s) { s.knobs.checkpoint_blocks = Knobs{}.checkpoint_blocks; });
        tries([](Schedule& s) { s.knobs.detection = Knobs{}.detection; });
        tries([](Schedule& s) { s.profile = "local"; });
        tries([](Schedule& s) { s.profile = "lan"; });
        Duration last;
        for (const Fault& fault : out_.schedule.faults)
            last = std::max(last, fault.end());
        tries([&](Schedule& s) {
            s.calm_after = std::min(s.calm_after, last);
            std::erase_if(s.calms, [&](Duration calm) { return calm >= s.calm_after; });
        });
    }

    void smaller_faults() {
        for (std::size_t i = 0; i < out_.schedule.faults.size(); ++i) {
            for (std::size_t k = out_.schedule.faults[i].nodes.size(); k-- > 0;)
                tries([&](Schedule& s) { erase_at(s.faults[i].nodes, k); });
            for (std::size_t k = out_.schedule.faults[i].others.size(); k-- > 0;)
                tries([&](Schedule& s) { erase_at(s.faults[i].others, k); });
            tries([&](Schedule& s) { s.faults[i].amount = 0; });
            for (int turn = 0; turn < 6; ++turn)
                tries([&](Schedule& s) {
                    s.faults[i].lasts = Duration::from_ms(s.faults[i].lasts.ms() / 2);
                });
            for (const std::int64_t unit : {1'000, 100})
                tries([&](Schedule& s) {
                    s.faults[i].at = Duration::from_ms(s.faults[i].at.ms() / unit * unit);
                });
        }
    }
    template <class T>
    static void erase_at(std::vector<T>& list, std::size_t place) {
        list.erase(list.begin() + static_cast<std::ptrdiff_t>(place));
    }

    const std::string& checker_;
    const LifeVerdict& verdict_;
    std::uint32_t tries_max_;
    Shrunk out_;
};

}  // namespace

Shrunk shrink(
    Schedule schedule,
    const std::string& checker,
    const LifeVerdict& verdict,
    std::uint32_t tries_max
) {
    return Shrinker{std::move(schedule), checker, verdict, tries_max}.run();
}

}  // namespace creto
