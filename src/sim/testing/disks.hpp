// Disks: writes and instants in the words of tests of simulated disks; tests only.
#pragma once

#include <string_view>

#include "sim/disk.hpp"

namespace creto::sim_testing {

inline constexpr Instant origin;

inline Instant after_us(std::int64_t us) {
    return origin + Duration::from_us(us);
}
/// Every sync takes as long.
inline DiskOptions hundred_us() {
    return {.seed = 1, .sync_min = Duration::from_us(100), .sync_max = Duration::from_us(100)};
}
inline KeyWrite set(std::string_view key, std::string_view value) {
    return {Column::meta, to_bytes(key), share(to_bytes(value))};
}

}  // namespace creto::sim_testing
