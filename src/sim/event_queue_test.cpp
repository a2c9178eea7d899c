#include "sim/event_queue.hpp"

#include <gtest/gtest.h>
#include <queue>

#include "base/prng.hpp"

namespace creto {
namespace {

/// The plain statement of the order: instant first, then number of the push.
struct Expected {
    std::int64_t at = 0;
    std::uint64_t number = 0;

    friend bool operator<(const Expected& a, const Expected& b) {
        return a.at != b.at ? a.at > b.at : a.number > b.number;
    }
};

void compare_with_priority_queue(std::uint64_t seed, std::uint64_t span_ns, int steps) {
    Prng prng{seed};
    EventQueue queue;
    std::priority_queue<Expected> expected;
    std::uint64_t number = 0;
    for (int i = 0; i < steps; ++i) {
        const bool grows = i < steps / 2;
        if (expected.empty() || prng.chance(grows ? 2 : 1, 3)) {
            const auto at = queue.now().ns() + static_cast<std::int64_t>(prng.below(span_ns));
            queue.push(Instant::from_ns(at), number);
            expected.push({at, number++});
        } else {
            ASSERT_EQ(queue.next_at().ns(), expected.top().at);
            const SimEvent event = queue.pop();
            ASSERT_EQ(event.at.ns(), expected.top().at);
            ASSERT_EQ(event.payload, expected.top().number);
            ASSERT_EQ(queue.now(), event.at);
            expected.pop();
        }
        ASSERT_EQ(queue.size(), expected.size());
    }
    for (; !expected.empty(); expected.pop())
        ASSERT_EQ(queue.pop().payload, expected.top().number);
    EXPECT_TRUE(queue.empty());
}

TEST(EventQueue, PopsInTheOrderOfAPriorityQueue) {
    for (std::uint64_t seed = 0; seed < 20; ++seed)
        compare_with_priority_queue(seed, 1'000'000, 20'000);
}

TEST(EventQueue, KeepsTheOrderOfPushForEqualInstants) {
    // Spans this small make most instants equal, at pushes far apart.
    for (const std::uint64_t span : {1U, 2U, 3U, 10U, 100U})
        compare_with_priority_queue(span, span, 20'000);
}

TEST(EventQueue, HoldsTheWholeRangeOfInstants) {
    compare_with_priority_queue(7, std::uint64_t{1} << 50U, 5'000);
    EventQueue queue;
    queue.push(Instant::max(), 2);
    queue.push(Instant::from_ns(0), 1);
    EXPECT_EQ(queue.pop(), (SimEvent{Instant::from_ns(0), 1}));
    EXPECT_EQ(queue.next_at(), Instant::max());
    EXPECT_EQ(queue.pop(), (SimEvent{Instant::max(), 2}));
}

TEST(EventQueueDeathTest, RefusesThePast) {
    EventQueue queue;
    queue.push(Instant::from_ns(5), 0);
    (void)queue.pop();
    EXPECT_DEATH(queue.push(Instant::from_ns(4), 0), "at >= now");
    EXPECT_DEATH((void)queue.pop(), "size_ > 0");
}

}  // namespace
}  // namespace creto
