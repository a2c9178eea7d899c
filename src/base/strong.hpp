// Strong: a number or digest that cannot be mistaken for another kind of number or digest.
//
// Why      dag.add(3, 7, id) says nothing; dag.add(Seat{3}, Sequence{7}, id) cannot be mixed up.
// Holds    Explicit both ways; ordered and comparable like its representation; no arithmetic
//          beyond successor, predecessor and distance, which is all a counter needs.
#pragma once

#include <compare>
#include <cstdint>

namespace creto {

template <class Tag, class Rep = std::uint64_t>
class Strong {
public:
    using rep_type = Rep;

    constexpr Strong() = default;
    constexpr explicit Strong(Rep value) : value_{value} {}

    [[nodiscard]] constexpr const Rep& value() const { return value_; }
    [[nodiscard]] constexpr Strong next() const { return Strong{static_cast<Rep>(value_ + 1)}; }
    /// Requires: value() > 0.
    [[nodiscard]] constexpr Strong prev() const { return Strong{static_cast<Rep>(value_ - 1)}; }
    /// `count` steps further.
    [[nodiscard]] constexpr Strong plus(Rep count) const {
        return Strong{static_cast<Rep>(value_ + count)};
    }
    constexpr Strong& operator++() {
        ++value_;
        return *this;
    }

    friend constexpr bool operator==(const Strong&, const Strong&) = default;
    friend constexpr auto operator<=>(const Strong&, const Strong&) = default;

private:
    Rep value_{};
};

}  // namespace creto
