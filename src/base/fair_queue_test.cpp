#include "base/fair_queue.hpp"

#include <algorithm>
#include <deque>
#include <gtest/gtest.h>
#include <map>
#include <optional>
#include <string>

#include "base/prng.hpp"

namespace creto {
namespace {

using Queue = FairQueue<int, std::string>;

std::string drain(Queue& queue) {
    std::string out;
    while (const auto next = queue.pop())
        out += next->item;
    return out;
}

TEST(FairQueue, ServesOneCallerInOrder) {
    Queue queue;
    for (const char* item : {"a", "b", "c"})
        queue.push(1, 1, item);
    EXPECT_EQ(queue.size(), 3U);
    EXPECT_EQ(drain(queue), "abc");
    EXPECT_TRUE(queue.empty());
}

// [FLOOD-FAIR.1]
TEST(FairQueue, WhoComesIntoAFloodWaitsForNoSecondPieceOfTheFlooder) {
    Queue queue;
    for (int i = 0; i < 100'000; ++i)
        queue.push(1, 10, "f");
    for (int i = 0; i < 1'000; ++i)
        ASSERT_EQ(queue.pop()->key, 1);
    queue.push(2, 10, "v");
    queue.push(2, 10, "w");
    EXPECT_EQ(queue.pop()->item, "v");
    EXPECT_EQ(queue.pop()->item, "f");
    EXPECT_EQ(queue.pop()->item, "w");
    EXPECT_EQ(queue.pop()->item, "f");
}

// [FLOOD-FAIR.1]
TEST(FairQueue, SharesAreEqualByCostWhateverEachBrings) {
    FairQueue<int, std::uint64_t> queue;
    Prng prng{7};
    constexpr std::uint64_t cost_max = 50;
    for (int i = 0; i < 30'000; ++i) {
        const std::uint64_t cost = 1 + prng.below(cost_max);
        queue.push(0, cost, cost);
        if (i < 3'000) queue.push(1, cost_max, cost_max);
        if (i < 3'000) queue.push(2, 1, 1);
    }
    std::map<int, std::uint64_t> served;
    while (queue.size_of(0) > 0 && queue.size_of(1) > 0 && queue.size_of(2) > 0) {
        const auto next = queue.pop();
        served[next->key] += next->item;
        for (const int a : {0, 1, 2})
            for (const int b : {0, 1, 2})
                ASSERT_LE(served[a], served[b] + 2 * cost_max);
    }
    EXPECT_GT(served[2], 2'000U);
}

TEST(FairQueue, WhatAPieceReallyCostIsChargedAfterwards) {
    Queue queue;
    for (int i = 0; i < 10; ++i) {
        queue.push(1, 1, "s");  // Said to be cheap,
        queue.push(2, 1, "q");
    }
    std::string order;
    while (const auto next = queue.pop()) {
        order += next->item;
        if (next->key == 1) queue.charge(1, 4);  // and costs five times as much.
    }
    EXPECT_EQ(order.substr(0, 12), "sqqqqqsqqqqq");
}

TEST(FairQueue, WhoHadNothingToDoSavesUpNothing) {
    Queue queue;
    queue.push(2, 1, "x");
    (void)queue.pop();
    for (int i = 0; i < 100; ++i)
        queue.push(1, 1, "f");
    for (int i = 0; i < 50; ++i)
        (void)queue.pop();
    for (int i = 0; i < 5; ++i)
        queue.push(2, 1, "v");
    EXPECT_EQ(drain(queue).substr(0, 10), "vfvfvfvfvf");
}

TEST(FairQueue, PassesOverWhoMayNotBeServedNow) {
    Queue queue;
    queue.push(1, 1, "a");
    queue.push(2, 1, "b");
    const auto not_one = [](int key) { return key != 1; };
    EXPECT_EQ(queue.pop(not_one)->item, "b");
    EXPECT_FALSE(queue.pop(not_one));
    EXPECT_EQ(queue.pop()->item, "a");
}

TEST(FairQueue, GivesBackWhatWaits) {
    Queue queue;
    for (const char* item : {"a", "b", "c", "d"})
        queue.push(1, 2, item);
    queue.push(2, 1, "x");
    EXPECT_EQ(queue.greediest(), 1);
    EXPECT_EQ(queue.cost_of(1), 8U);
    EXPECT_EQ(queue.take_newest(1), "d");
    const auto taken = queue.take_if(1, [](const std::string& item) { return item == "b"; });
    EXPECT_EQ(taken, std::vector<std::string>{"b"});
    EXPECT_EQ(queue.take(1), (std::vector<std::string>{"a", "c"}));
    EXPECT_TRUE(queue.take(1).empty());
    EXPECT_TRUE(queue.take(9).empty());
    EXPECT_EQ(queue.size(), 1U);
    EXPECT_EQ(drain(queue), "x");
}

TEST(FairQueue, CallersThatCameAndWentLeaveNothingBehind) {
    Queue queue;
    for (int key = 0; key < 10'000; ++key) {
        queue.push(key, 1, "x");
        if (key % 3 == 0) (void)queue.pop();
    }
    (void)drain(queue);
    queue.push(1, 1, "x");
    (void)drain(queue);
    EXPECT_LE(queue.callers(), 100U);
}

/// The same rules, said as plainly as can be: every caller is kept, and looked at each time.
class PlainQueue {
public:
    void push(int key, std::uint64_t cost, int item) {
        Lane& lane = lanes_[key];
        if (lane.items.empty()) lane.clock = std::max(lane.clock, now_);
        lane.items.emplace_back(cost, item);
    }
    std::optional<int> pop(int but) {
        auto first = lanes_.end();
        for (auto lane = lanes_.begin(); lane != lanes_.end(); ++lane) {
            if (lane->second.items.empty() || lane->first == but) continue;
            if (first == lanes_.end() || lane->second.clock < first->second.clock) first = lane;
        }
        if (first == lanes_.end()) return std::nullopt;
        Lane& lane = first->second;
        now_ = std::max(now_, lane.clock);
        const auto [cost, item] = lane.items.front();
        lane.items.pop_front();
        lane.clock += cost;
        latest_ = std::max(latest_, lane.clock);
        settle();
        return item;
    }
    void charge(int key, std::int64_t more) {
        Lane& lane = lanes_.try_emplace(key, Lane{now_, {}}).first->second;
        const auto less = static_cast<std::uint64_t>(more < 0 ? -more : 0);
        lane.clock -= std::min(less, lane.clock);
        lane.clock += static_cast<std::uint64_t>(std::max<std::int64_t>(0, more));
        lane.clock = std::max(lane.clock, now_);
        latest_ = std::max(latest_, lane.clock);
        settle();
    }
    std::size_t take(int key) {
        const std::size_t count = lanes_[key].items.size();
        lanes_[key].items.clear();
        if (count > 0) settle();
        return count;
    }

private:
    struct Lane {
        std::uint64_t clock = 0;
        std::deque<std::pair<std::uint64_t, int>> items;
    };
    void settle() {
        for (const auto& [key, lane] : lanes_)
            if (!lane.items.empty()) return;
        now_ = latest_;
    }
    std::map<int, Lane> lanes_;
    std::uint64_t now_ = 0;
    std::uint64_t latest_ = 0;
};

TEST(FairQueue, DoesWhatItsRulesSay) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        Prng random{seed};
        FairQueue<int, int> queue;
        PlainQueue plain;
        const std::uint64_t callers = seed % 2 == 0 ? 5 : 60;
        for (int step = 0; step < 4'000; ++step) {
            const int key = static_cast<int>(random.below(callers));
            const std::uint64_t what = random.below(100);
            if (what < 45) {
                const std::uint64_t cost = random.below(4) * 100;
                queue.push(key, cost, step);
                plain.push(key, cost, step);
            } else if (what < 90) {
                const int but = random.chance(1, 4) ? key : -1;
                const auto next = queue.pop([&](int caller) { return caller != but; });
                ASSERT_EQ(next ? std::optional{next->item} : std::nullopt, plain.pop(but))
                    << "seed " << seed << ", step " << step;
            } else if (what < 98) {
                // Of many, those without work are forgotten, and with them what they had been served.
                if (callers > 16) continue;
                const std::int64_t more = static_cast<std::int64_t>(random.below(400)) - 200;
                queue.charge(key, more);
                plain.charge(key, more);
            } else {
                ASSERT_EQ(queue.take(key).size(), plain.take(key));
            }
        }
    }
}

}  // namespace
}  // namespace creto
