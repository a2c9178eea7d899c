// Numbers of reports: floating point, which the layers below do without.
#pragma once

#include <cmath>

#include "base/time.hpp"

namespace creto {

[[nodiscard]] inline double seconds_of(Duration span) {
    return static_cast<double>(span.ns()) / 1e9;
}

/// A microsecond of a millisecond, and a millisecond of a second.
[[nodiscard]] inline double three_decimals(double value) {
    return std::round(value * 1'000) / 1'000;
}

}  // namespace creto
