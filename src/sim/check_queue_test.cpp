#include "sim/check_queue.hpp"

#include <gtest/gtest.h>

namespace creto {
namespace {

CheckQueue::Asked asked(std::uint64_t ticket, bool good = true) {
    return {
        .done = {Ticket{ticket}, good ? 1U : 0U},
        .good = good,
        .alone = Duration::from_us(2'000),
        .added = Duration::from_us(40)};
}

TEST(CheckQueue, WhatWaitsOnOneContentIsCheckedAtOnce) {
    CheckQueue queue;
    EXPECT_FALSE(queue.may_start());
    queue.add({1}, asked(1));
    const auto first = queue.start();
    EXPECT_EQ(first.cost(), Duration::from_us(2'000));
    EXPECT_FALSE(queue.may_start()) << "one thread";

    queue.add({1}, asked(2));  // The sum that is being checked does not change any more.
    queue.add({2}, asked(3));
    queue.add({}, asked(4));
    queue.add({1}, asked(5));
    queue.add({}, asked(6));
    EXPECT_EQ(queue.waiting(), 4U);
    queue.ended();
    const auto second = queue.start();
    ASSERT_EQ(second.checks.size(), 2U);
    EXPECT_EQ(second.checks[0].done.ticket, Ticket{2});
    EXPECT_EQ(second.checks[1].done.ticket, Ticket{5});
    EXPECT_EQ(second.cost(), Duration::from_us(2'040));
    for (const std::uint64_t ticket : {3U, 4U, 6U}) {
        queue.ended();
        const auto next = queue.start();
        ASSERT_EQ(next.checks.size(), 1U);
        EXPECT_EQ(next.checks[0].done.ticket, Ticket{ticket});
    }
    EXPECT_FALSE(queue.may_start());
}

TEST(CheckQueue, ASumThatDoesNotHoldIsTakenApart) {
    CheckQueue queue;
    for (std::uint64_t i = 1; i <= 3; ++i)
        queue.add({1}, asked(i, i != 2));
    EXPECT_EQ(queue.start().cost(), Duration::from_us(2'000 + 2 * 40 + 3 * 2'000));
    queue.ended();
    queue.add({1}, asked(4, false));
    EXPECT_EQ(queue.start().cost(), Duration::from_us(2'000)) << "alone it was checked already";
}

}  // namespace
}  // namespace creto
