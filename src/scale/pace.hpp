// Pace: how long a new network lets pass between two proposals, by its seats.
//
// Why      Each view costs two votes of every seat to every seat. Few seats decide as fast as their links
//          are; with many the votes of a block more are dearer than the moment that its content waits.
// Units    0: the next proposal leaves as soon as it may.
#pragma once

#include <cstddef>

#include "base/time.hpp"

namespace creto {

/// For a target of 100 ms from a write to its finality on local links: a quarter of it.
[[nodiscard]] constexpr Duration usual_view_interval(std::size_t seats) {
    if (seats <= 16) return Duration{};
    return Duration::from_ms(seats < 5'000 ? 25 : 100);
}

}  // namespace creto
