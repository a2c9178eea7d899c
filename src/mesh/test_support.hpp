// TestSupport: agents and instants by number, for tests of the mesh; tests only.
#pragma once

#include "base/time.hpp"
#include "model/ids.hpp"

namespace creto::mesh_testing {

inline AgentId agent_of(std::uint32_t n) {
    std::array<std::uint8_t, 32> key{};
    key[0] = static_cast<std::uint8_t>(n);
    key[1] = static_cast<std::uint8_t>(n >> 8U);
    key[2] = static_cast<std::uint8_t>(n >> 16U);
    return AgentId{key};
}

inline Instant at_ms(std::int64_t ms) {
    return Instant{} + Duration::from_ms(ms);
}

}  // namespace creto::mesh_testing
