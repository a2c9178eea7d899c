// The wall clock. Informational: nothing is decided by it.
#pragma once

#include <chrono>
#include <cstdint>

namespace creto {

[[nodiscard]] inline std::int64_t unix_ms_now() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch()
    )
        .count();
}

}  // namespace creto
