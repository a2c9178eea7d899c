#include "node/inbound.hpp"

#include <gtest/gtest.h>
#include <string>

namespace creto {
namespace {

AgentId sender(std::uint8_t n) {
    std::array<std::uint8_t, AgentId::size> bytes{};
    bytes.fill(n);
    return AgentId{bytes};
}

using Queue = Inbound<std::string>;

std::string drain(Queue& queue, std::size_t most = 1'000'000) {
    std::string out;
    while (!queue.empty() && most-- > 0)
        out += queue.pop().item;
    return out;
}

// [FLOOD-FAIR.1]
TEST(Inbound, ACallWaitsForOneMessageOfAFlooderAtMost) {
    Queue queue;
    for (int i = 0; i < 1'000; ++i)
        queue.push(sender(1), Channel::call, 100, "f");
    (void)drain(queue, 10);
    queue.push(sender(2), Channel::call, 100, "v");
    EXPECT_NE(drain(queue, 2).find('v'), std::string::npos);
}

TEST(Inbound, WhatIsAboutTheOrderComesFirstAndTheRestIsNotForgotten) {
    Queue queue;
    for (int i = 0; i < 100; ++i)
        queue.push(sender(1), Channel::call, 100, "c");
    for (int i = 0; i < 100; ++i)
        queue.push(sender(2), Channel::order, 100, "o");
    EXPECT_EQ(
        drain(queue, 16),
        "oooooooc"
        "oooooooc"
    );
    // A flood about the order from one peer does not hold up another's vote.
    queue.push(sender(3), Channel::order, 100, "V");
    EXPECT_NE(drain(queue, 3).find('V'), std::string::npos);
}

TEST(Inbound, LargeMessagesCostTheirSenderMore) {
    Queue queue;
    for (int i = 0; i < 100; ++i) {
        queue.push(sender(1), Channel::data, 1'000'000, "B");
        queue.push(sender(2), Channel::call, 100, "s");
    }
    const std::string order = drain(queue, 50);
    EXPECT_LE(std::count(order.begin(), order.end(), 'B'), 2);
}

// [FLOOD-INBOUND.1]
TEST(Inbound, APeerIsCrowdedWithOneMessageOrByteTooMany) {
    Queue queue;
    for (std::size_t i = 0; i < Queue::waiting_max; ++i)
        queue.push(sender(1), i % 2 == 0 ? Channel::order : Channel::call, 10, "x");
    EXPECT_FALSE(queue.is_crowded(sender(1)));
    queue.push(sender(1), Channel::data, 10, "x");
    EXPECT_TRUE(queue.is_crowded(sender(1)));
    EXPECT_FALSE(queue.is_crowded(sender(2)));
    (void)drain(queue, Queue::waiting_max / 2);
    EXPECT_FALSE(queue.has_room(sender(1)));
    (void)drain(queue, 1);
    EXPECT_TRUE(queue.has_room(sender(1)));
    queue.push(sender(2), Channel::data, Queue::waiting_bytes_max, "x");
    EXPECT_FALSE(queue.is_crowded(sender(2)));
    queue.push(sender(2), Channel::data, 1, "x");
    EXPECT_TRUE(queue.is_crowded(sender(2)));
}

TEST(Inbound, WhatWasSaidBeforeALinkEndedIsHeardBeforeItsEnd) {
    Queue queue;
    std::string down = "D";
    EXPECT_FALSE(queue.push_link(sender(1), down)) << "nothing waits: at once";
    EXPECT_EQ(down, "D");
    queue.push(sender(1), Channel::call, 10, "c");
    queue.push(sender(1), Channel::order, 10, "o");
    EXPECT_TRUE(queue.push_link(sender(1), down));
    std::string up = "U";
    EXPECT_TRUE(queue.push_link(sender(1), up));
    queue.push(sender(1), Channel::order, 10, "n");
    const std::string order = drain(queue);
    EXPECT_EQ(order.substr(order.find('D')), "DUn");
    EXPECT_EQ(order.size(), 5U);
    queue.push(sender(1), Channel::call, 10, "c");
    queue.push(sender(1), Channel::order, 10, "o");
    EXPECT_EQ(drain(queue), "oc") << "as before";
}

TEST(Inbound, WhatIsLeftOfAPeerCanBeTaken) {
    Queue queue;
    queue.push(sender(1), Channel::call, 10, "c");
    queue.push(sender(1), Channel::order, 10, "o");
    queue.push(sender(2), Channel::call, 10, "x");
    EXPECT_EQ(queue.take(sender(1)), (std::vector<std::string>{"o", "c"}));
    EXPECT_EQ(drain(queue), "x");
}

}  // namespace
}  // namespace creto
