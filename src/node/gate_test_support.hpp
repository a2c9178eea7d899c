// GateTestSupport: agents by number, for tests of what stands before the core; tests only.
#pragma once

#include "model/ids.hpp"

namespace creto::gate_testing {

inline AgentId agent(std::uint8_t number) {
    std::array<std::uint8_t, AgentId::size> bytes{};
    bytes[0] = number;
    return AgentId{bytes};
}

}  // namespace creto::gate_testing
