#include "sim/agent_index.hpp"

#include <gtest/gtest.h>

namespace creto {
namespace {

AgentId agent(std::uint32_t number, std::uint8_t last = 0) {
    std::array<std::uint8_t, AgentId::size> bytes{};
    bytes[6] = static_cast<std::uint8_t>(number >> 8U);
    bytes[7] = static_cast<std::uint8_t>(number);
    bytes[31] = last;
    return AgentId{bytes};
}

TEST(AgentIndex, FindsEachAndNobodyElse) {
    std::vector<AgentId> agents;
    for (std::uint32_t i = 0; i < 1'000; ++i)
        agents.push_back(agent(i * 7));
    const AgentIndex index{agents};
    for (std::uint32_t i = 0; i < agents.size(); ++i)
        EXPECT_EQ(index.find(agents[i]), NodeIndex{i});
    EXPECT_EQ(index.find(agent(1)), std::nullopt);
    EXPECT_EQ(index.find(agent(7, 1)), std::nullopt) << "the same place, another agent";
}

TEST(AgentIndex, TellsApartWhoHasTheSamePlace) {
    const std::vector<AgentId> agents{agent(5, 1), agent(5, 2), agent(5, 3)};
    const AgentIndex index{agents};
    for (std::uint32_t i = 0; i < agents.size(); ++i)
        EXPECT_EQ(index.find(agents[i]), NodeIndex{i});
    EXPECT_EQ(index.find(agent(5, 4)), std::nullopt);
    EXPECT_EQ(AgentIndex{{}}.find(agent(0)), std::nullopt);
}

}  // namespace
}  // namespace creto
