// Draws: what every kind of life draws from its seed, each draw by a name of its own.
//
// Why      Kinds of lives differ in their shape and in which faults they have, not in what a fault is.
// Holds    A draw depends on seed, stream and number alone.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/prng.hpp"
#include "sim/life/schedule.hpp"

namespace creto {

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
    parameters = 0x6F,
};

class Dice {
public:
    /// `apart` is added to each stream: draws of another kind of life from the same seed.
    explicit Dice(std::uint64_t seed, std::uint64_t apart = 0) : seed_{seed}, apart_{apart} {}

    [[nodiscard]] std::uint64_t below(
        Stream stream, std::uint64_t bound, std::uint64_t a, std::uint64_t b = 0
    ) const {
        return scale_to(draw(seed_, apart_ + static_cast<std::uint64_t>(stream), a, b), bound);
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
    std::uint64_t apart_;
};

/// `count` distinct nodes of `nodes`, ascending; the draw names the fault.
[[nodiscard]] std::vector<std::uint32_t> draw_set(
    const Dice& dice, std::uint32_t nodes, std::uint32_t count, std::uint64_t fault
);

/// When a fault may begin, where it ends at the latest, and how long it may last.
struct FaultSpan {
    Duration from;
    Duration until;
    Duration shortest = Duration::from_ms(64);
    /// Each length is as likely as its double, of so many.
    std::uint64_t lengths = 8;
};

/// One fault: when, for how long, at whom and how hard. The nodes of what makes a disk forget are left
/// to whoever chooses the liars. `number` names its draws.
[[nodiscard]] Fault draw_fault(
    const Dice& dice,
    const Schedule& schedule,
    FaultKind kind,
    std::uint64_t number,
    const FaultSpan& span
);

}  // namespace creto
