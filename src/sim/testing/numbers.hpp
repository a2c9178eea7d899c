// Numbers: nodes by number, in tests of simulated clusters; tests only.
#pragma once

#include <initializer_list>
#include <vector>

#include "sim/participant.hpp"

namespace creto::sim_testing {

inline constexpr NodeIndex first{0};
inline constexpr NodeIndex second{1};

inline std::vector<NodeIndex> nodes(std::initializer_list<std::uint32_t> numbers) {
    std::vector<NodeIndex> list;
    for (const std::uint32_t number : numbers)
        list.emplace_back(number);
    return list;
}

}  // namespace creto::sim_testing
