#include "sim/life/draws.hpp"

#include <algorithm>

namespace creto {

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

namespace {

class FaultDraw {
public:
    FaultDraw(const Dice& dice, const Schedule& schedule, FaultKind kind, std::uint64_t number)
        : dice_{dice}, schedule_{schedule}, number_{number} {
        fault_.kind = kind;
    }

    Fault make(const FaultSpan& span) {
        const auto begins = static_cast<std::uint64_t>((span.until - span.from).ms());
        fault_.at = span.from + ms(below(0, begins));
        const std::uint64_t scale = static_cast<std::uint64_t>(span.shortest.ms())
                                    << below(1, span.lengths);
        fault_.lasts = ms(scale + below(2, scale));
        fault_.lasts = std::min(fault_.lasts, span.until - fault_.at);
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
            case FaultKind::
                unseat:  // Who leaves and who floods, and what the seats agree on, a life says.
            case FaultKind::flood:
            case FaultKind::parameter:
                break;
        }
    }

    const Dice& dice_;
    const Schedule& schedule_;
    std::uint64_t number_;
    Fault fault_;
};

}  // namespace

Fault draw_fault(
    const Dice& dice,
    const Schedule& schedule,
    FaultKind kind,
    std::uint64_t number,
    const FaultSpan& span
) {
    return FaultDraw{dice, schedule, kind, number}.make(span);
}

}  // namespace creto
