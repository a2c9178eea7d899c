#include "node/carried.hpp"

#include <gtest/gtest.h>

#include "node/producer.hpp"

namespace creto {
namespace {

AgentId carried_agent(std::uint32_t n) {
    std::array<std::uint8_t, 32> key{};
    key[0] = static_cast<std::uint8_t>(n);
    key[1] = static_cast<std::uint8_t>(n >> 8U);
    key[2] = 1;
    return AgentId{key};
}

Operation operation(std::uint32_t client, std::uint64_t counter, std::size_t bytes = 100) {
    return {carried_agent(client), counter, Height{100}, DataOperation{Bytes(bytes)}, Signature{}};
}

constexpr auto without_seat = CarriedQueue::Client::without_seat;
constexpr auto with_seat = CarriedQueue::Client::with_seat;

std::map<AgentId, std::size_t> counted(const std::vector<Operation>& taken) {
    std::map<AgentId, std::size_t> out;
    for (const Operation& one : taken)
        ++out[one.client];
    return out;
}

// [CARRY-SHARE.1]
TEST(CarriedQueue, ClientsHaveTheSameShareHoweverMuchTheyWant) {
    CarriedQueue queue;
    for (std::uint64_t i = 0; i < 200; ++i)
        ASSERT_TRUE(queue.push(operation(1, i), 1'000, without_seat));
    for (std::uint64_t i = 0; i < 20; ++i) {
        ASSERT_TRUE(queue.push(operation(2, i), 1'000, without_seat));
        ASSERT_TRUE(queue.push(operation(3, i), 1'000, without_seat));
    }
    auto shares = counted(queue.take(1'000, 48'000));
    EXPECT_EQ(shares[carried_agent(1)], 16U);
    EXPECT_EQ(shares[carried_agent(2)], 16U);
    EXPECT_EQ(shares[carried_agent(3)], 16U);
    shares = counted(queue.take(1'000, 48'000));
    EXPECT_EQ(shares[carried_agent(1)], 40U) << "what the others do not want";
    EXPECT_EQ(queue.size(), 240U - 96U);
    while (!queue.take(64, 10'000).empty()) {
    }
    EXPECT_EQ(queue.size(), 0U);
    EXPECT_EQ(queue.bytes(), 0U);
}

// The same bytes, not the same number: large operations are no advantage.
// [CARRY-SHARE.1]
TEST(CarriedQueue, LargeOperationsWaitTheirTurn) {
    CarriedQueue queue;
    for (std::uint64_t i = 0; i < 10; ++i)
        ASSERT_TRUE(queue.push(operation(1, i), 20'000, without_seat));
    for (std::uint64_t i = 0; i < 200; ++i)
        ASSERT_TRUE(queue.push(operation(2, i), 1'000, without_seat));
    std::size_t large = 0;
    std::size_t small = 0;
    for (int vertex = 0; vertex < 3; ++vertex) {
        for (const Operation& one : queue.take(1'000, 50'000)) {
            large += one.client == carried_agent(1) ? 20'000 : 0;
            small += one.client == carried_agent(2) ? 1'000 : 0;
        }
    }
    EXPECT_GE(small + 20'000, large);
    EXPECT_GE(large + 20'000, small);
    EXPECT_GT(large, 0U);
}

TEST(CarriedQueue, OneTooLargeForTheShareTravelsAlone) {
    CarriedQueue queue;
    ASSERT_TRUE(queue.push(operation(1, 1), 200'000, without_seat));
    ASSERT_TRUE(queue.push(operation(2, 1), 200'000, without_seat));
    EXPECT_EQ(queue.take(10, 100'000).size(), 1U);
    EXPECT_EQ(queue.take(10, 100'000).size(), 1U);
    EXPECT_TRUE(queue.take(10, 100'000).empty());
}

// [CARRY-SHARE.1]
TEST(CarriedQueue, OneMoreOfAClientIsRefused) {
    CarriedQueue queue;
    for (std::uint64_t i = 0; i < limits::carried_operations_per_client_max; ++i)
        ASSERT_TRUE(queue.push(operation(1, i), 10, without_seat));
    const auto more = queue.push(operation(1, 999), 10, without_seat);
    ASSERT_FALSE(more);
    EXPECT_EQ(more.error().code, ErrorCode::limit);
    EXPECT_NE(more.error().message.find("of this agent"), std::string::npos);
    EXPECT_TRUE(queue.push(operation(2, 1), 10, without_seat)) << "the others are not refused";

    CarriedQueue bytes;
    ASSERT_TRUE(bytes.push(operation(1, 1), limits::carried_bytes_per_client_max, without_seat));
    EXPECT_FALSE(bytes.push(operation(1, 2), 1, without_seat));
}

// A thousand names of one liar, and more: a seat's own operation finds its place all the same.
// [CARRY-SHARE.1]
TEST(CarriedQueue, OneMoreOfAllTogetherIsRefusedButASeatIsNot) {
    CarriedQueue queue;
    std::uint32_t client = 0;
    for (std::size_t i = 0; i < limits::carried_operations_max; ++i)
        ASSERT_TRUE(queue.push(operation(++client, 1), 10, without_seat));
    const auto more = queue.push(operation(++client, 1), 10, without_seat);
    ASSERT_FALSE(more);
    EXPECT_NE(more.error().message.find("without a seat"), std::string::npos);
    EXPECT_TRUE(queue.push(operation(9'000, 1), 10, with_seat));
    static_cast<void>(queue.take(1, 100));
    EXPECT_TRUE(queue.push(operation(++client, 2), 10, without_seat));

    CarriedQueue bytes;
    client = 0;
    for (std::size_t sum = 0; sum < limits::carried_bytes_max; sum += 1024 * 1024)
        ASSERT_TRUE(bytes.push(operation(++client, 1), 1024 * 1024, without_seat));
    EXPECT_FALSE(bytes.push(operation(++client, 1), 1, without_seat));
}

// However many names ask, three quarters of a vertex are the seat's own.
// [CARRY-SHARE.1]
TEST(CarriedQueue, AThousandClientsGetAQuarterOfAVertexTogether) {
    Producer producer{LaneId{Seat{0}, Incarnation{}}, ProducerOptions{.vertex_bytes = 64'000}};
    producer.allow();
    const LaneRoom room{.vertices = 0, .bytes = limits::lane_window_bytes};
    for (std::uint32_t client = 0; client < 1'000; ++client)
        ASSERT_TRUE(producer.carry(operation(client, 1, 1'000), without_seat, room));
    for (std::uint64_t i = 0; i < 200; ++i)
        ASSERT_TRUE(producer.push(operation(5'000, i, 1'000), room));
    for (int vertex = 0; vertex < 3; ++vertex) {
        ASSERT_TRUE(producer.ready(Instant::from_ns(0), room));
        std::size_t own = 0;
        std::size_t carried = 0;
        for (const Operation& one : producer.next_batch())
            ++(one.client == carried_agent(5'000) ? own : carried);
        EXPECT_GE(own, 3 * carried);
        EXPECT_GT(carried, 8U);
    }
    LaneRoom half = room;
    half.vertices = limits::lane_window_vertices / 2;
    EXPECT_FALSE(producer.carry(operation(1, 2), without_seat, half)) << "half of the window";
}

}  // namespace
}  // namespace creto
