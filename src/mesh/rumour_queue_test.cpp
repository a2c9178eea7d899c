#include "mesh/rumour_queue.hpp"

#include <gtest/gtest.h>

#include "mesh/test_support.hpp"

namespace creto {
namespace {

using mesh_testing::agent_of;

TEST(RumourQueue, TellsTheLeastToldAndEachSoOften) {
    RumourQueue queue;
    for (std::uint8_t n = 1; n <= 12; ++n)
        queue.tell(Suspicion{agent_of(n), 1});
    const Rumours first = queue.take(1'000);
    const Rumours second = queue.take(1'000);
    ASSERT_EQ(first.suspicions.size(), limits::rumours_per_message_max);
    EXPECT_NE(first.suspicions[0].agent, second.suspicions[0].agent);
    std::size_t told = first.suspicions.size() + second.suspicions.size();
    while (queue.size() > 0)
        told += queue.take(1'000).suspicions.size();
    EXPECT_EQ(told, 12U * 30U);
}

TEST(RumourQueue, HoldsOneAboutAnAgentAndTheNewest) {
    RumourQueue queue;
    queue.tell(Suspicion{agent_of(1), 5});
    queue.tell(Alive{agent_of(1), 5, {}});
    EXPECT_TRUE(queue.take(10).alive.empty()) << "no newer than what is suspected";
    queue.tell(Alive{agent_of(1), 6, {}});
    const Rumours said = queue.take(10);
    EXPECT_EQ(said.alive.size(), 1U);
    EXPECT_TRUE(said.suspicions.empty());
    queue.tell(Suspicion{agent_of(2), 5});
    queue.forget_suspicion(agent_of(2));
    queue.forget_suspicion(agent_of(1));
    EXPECT_EQ(queue.size(), 1U);
}

TEST(RumourQueue, IsBounded) {
    RumourQueue queue;
    for (std::size_t n = 0; n < 2 * RumourQueue::held_max; ++n) {
        std::array<std::uint8_t, 32> key{};
        key[0] = static_cast<std::uint8_t>(n);
        key[1] = static_cast<std::uint8_t>(n >> 8U);
        queue.tell(Alive{AgentId{key}, n, {}});
    }
    EXPECT_EQ(queue.size(), RumourQueue::held_max);
}

}  // namespace
}  // namespace creto
