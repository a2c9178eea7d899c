#include "tools/peer_budget.hpp"

#include <gtest/gtest.h>

#include "tools/test_support.hpp"

namespace creto {
namespace {

using call_testing::agent;
using call_testing::at_ms;

const AgentId self = agent(0xFFFF'FFFF);

PeerLimits few() {
    PeerLimits limits;
    limits.calls = {.rate_per_s = 10, .burst = 10};
    limits.questions = {.rate_per_s = 10, .burst = 10};
    limits.messages = {.rate_per_s = 100, .burst = 100};
    limits.bytes = {.rate_per_s = 1'000, .burst = 1'000};
    limits.checks = {.rate_per_s = 10, .burst = 10};
    limits.tool_us = {.rate_per_s = 1'000'000, .burst = 1'000'000};
    limits.held_bytes = 1'000;
    limits.group_peers = 4;
    limits.patience = {.rate_per_s = 1, .burst = 5};
    return limits;
}

void up(PeerBudget& budget, const AgentId& peer, const std::string& group = {}) {
    ASSERT_TRUE(budget.on_peer_up(peer, group, at_ms(0)));
}

// [FLOOD-BUDGET.1] One over, of each kind of work.
TEST(PeerBudget, OneMoreCallThanTheQuotaIsRefusedWithTheTimeToWait) {
    PeerBudget budget{self, few()};
    for (int i = 0; i < 10; ++i)
        EXPECT_FALSE(budget.on_call(agent(1), 10, at_ms(0)));
    const auto refusal = budget.on_call(agent(1), 10, at_ms(0));
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->what, Work::calls);
    EXPECT_EQ(refusal->text(), "rate limited, retry after 101 ms");
    EXPECT_FALSE(budget.on_call(agent(2), 10, at_ms(0))) << "another has his own";
    EXPECT_FALSE(budget.on_call(agent(1), 10, at_ms(101)));
    EXPECT_EQ(budget.refused(Work::calls), 1U);
}

TEST(PeerBudget, WithoutAQuotaOnlyWhatCallsCostCounts) {
    PeerLimits limits = few();
    limits.calls.rate_per_s = 0;
    PeerBudget budget{self, limits};
    for (int i = 0; i < 100'000; ++i)
        ASSERT_FALSE(budget.on_call(agent(1), 0, at_ms(0)));
}

TEST(PeerBudget, OneMoreMessageOrByteIsRefused) {
    PeerBudget budget{self, few()};
    for (int i = 0; i < 100; ++i)
        ASSERT_FALSE(budget.on_message(agent(1), 1, false, at_ms(0)));
    EXPECT_EQ(budget.on_message(agent(1), 1, false, at_ms(0))->what, Work::messages);
    EXPECT_FALSE(budget.on_message(agent(2), 1'000, false, at_ms(0)));
    EXPECT_EQ(budget.on_message(agent(2), 1, false, at_ms(0))->what, Work::bytes);
    EXPECT_FALSE(budget.on_message(agent(3), 5'000, false, at_ms(0))) << "a full bucket takes any";
}

TEST(PeerBudget, LargeAnswersAreOwedAsBytes) {
    PeerBudget budget{self, few()};
    budget.set_seats({agent(2)});
    for (const std::uint32_t i : {1U, 2U}) {
        up(budget, agent(i));
        budget.on_sent(agent(i), 3'000, at_ms(0));
    }
    EXPECT_EQ(budget.on_message(agent(1), 1, false, at_ms(1'999))->what, Work::bytes);
    EXPECT_FALSE(budget.on_message(agent(1), 1, false, at_ms(2'001)));
    EXPECT_FALSE(budget.on_message(agent(2), 1, true, at_ms(0))) << "seats owe nothing for data";
}

TEST(PeerBudget, OneMoreSignatureIsRefused) {
    PeerBudget budget{self, few()};
    EXPECT_FALSE(budget.on_checks(agent(1), 10, at_ms(0)));
    EXPECT_EQ(budget.on_checks(agent(1), 1, at_ms(0))->what, Work::checks);
    EXPECT_FALSE(budget.on_checks(agent(1), 1, at_ms(100)));
}

TEST(PeerBudget, OneMoreQuestionIsRefusedAndNeverCostsTheLink) {
    PeerBudget budget{self, few()};
    EXPECT_FALSE(budget.on_question(agent(1), 10, at_ms(0)));
    for (int i = 0; i < 1'000; ++i) {
        const auto refusal = budget.on_question(agent(1), 1, at_ms(0));
        ASSERT_TRUE(refusal);
        ASSERT_FALSE(refusal->drop);
    }
}

TEST(PeerBudget, ToolTimeIsOwedAndPaidByTime) {
    PeerBudget budget{self, few()};
    EXPECT_FALSE(budget.on_call(agent(1), 0, at_ms(0)));
    budget.on_tool_time(agent(1), Duration::from_s(1), at_ms(0));
    EXPECT_FALSE(budget.on_call(agent(1), 0, at_ms(0))) << "all is spent, nothing is owed";
    budget.on_tool_time(agent(1), Duration::from_us(1), at_ms(0));
    EXPECT_EQ(budget.on_call(agent(1), 0, at_ms(0))->what, Work::tool_time);
    budget.on_tool_time(agent(1), Duration::from_s(2), at_ms(0));
    EXPECT_TRUE(budget.on_call(agent(1), 0, at_ms(2'000)));
    EXPECT_FALSE(budget.on_call(agent(1), 0, at_ms(2'001)));
}

TEST(PeerBudget, OneMoreByteHeldIsRefusedUntilSomeIsLetGo) {
    PeerBudget budget{self, few()};
    EXPECT_FALSE(budget.on_call(agent(1), 1'000, at_ms(0)));
    EXPECT_EQ(budget.on_call(agent(1), 1, at_ms(0))->what, Work::held);
    budget.let_go(agent(1), 1);
    EXPECT_FALSE(budget.on_call(agent(1), 1, at_ms(0)));
    EXPECT_EQ(budget.held(agent(1)), 1'000U);
}

// [FLOOD-GROUP.1]
TEST(PeerBudget, AThousandIdentitiesOfOneHostGetTheShareOfTheirGroup) {
    PeerBudget budget{self, few()};
    constexpr std::uint32_t identities = 1'000;
    for (std::uint32_t i = 0; i < identities; ++i)
        up(budget, agent(i), "203.0.113.0/24");
    up(budget, agent(5'000), "198.51.100.0/24");
    std::uint64_t calls = 0;
    std::uint64_t checks = 0;
    std::uint64_t messages = 0;
    for (std::int64_t ms = 0; ms < 2'000; ms += 10) {
        for (std::uint32_t i = 0; i < identities; ++i) {
            calls += budget.on_call(agent(i), 0, at_ms(ms)) ? 0 : 1;
            checks += budget.on_checks(agent(i), 1, at_ms(ms)) ? 0 : 1;
            messages += budget.on_message(agent(i), 1, false, at_ms(ms)) ? 0 : 1;
        }
    }
    // Four shares: each a burst, and its rate for two seconds.
    EXPECT_LE(calls, 4U * (10 + 20));
    EXPECT_GE(calls, 4U * (10 + 19));
    EXPECT_LE(checks, 4U * (10 + 20));
    EXPECT_LE(messages, 4U * (100 + 200));
    EXPECT_FALSE(budget.on_call(agent(5'000), 0, at_ms(2'000))) << "another host is served";
}

// [FLOOD-GROUP.1]
TEST(PeerBudget, AGroupHoldsAndOwesTogether) {
    PeerBudget budget{self, few()};
    for (std::uint32_t i = 0; i < 6; ++i)
        up(budget, agent(i), "g");
    for (std::uint32_t i = 0; i < 4; ++i)
        ASSERT_FALSE(budget.on_call(agent(i), 1'000, at_ms(0)));
    EXPECT_EQ(budget.on_call(agent(4), 1, at_ms(0))->what, Work::held);
    budget.let_go(agent(0), 1'000);
    EXPECT_FALSE(budget.on_call(agent(4), 1'000, at_ms(0)));
    for (std::uint32_t i = 0; i < 5; ++i)
        budget.on_tool_time(agent(i), Duration::from_s(1), at_ms(0));
    EXPECT_EQ(budget.on_call(agent(5), 0, at_ms(0))->what, Work::tool_time) << "it owes nothing";
    // Whoever goes elsewhere takes along what it holds.
    ASSERT_TRUE(budget.on_peer_up(agent(4), "elsewhere", at_ms(10'000)));
    EXPECT_FALSE(budget.on_call(agent(5), 1'000, at_ms(10'000)));
    // A seat belongs to no group; what it holds is no longer its group's.
    budget.set_seats({agent(1)});
    EXPECT_FALSE(budget.on_call(agent(0), 1'000, at_ms(10'000)));
    EXPECT_EQ(budget.on_call(agent(5), 1, at_ms(10'000))->what, Work::held);
}

// [FLOOD-SEATS.1]
TEST(PeerBudget, ASeatIsHeardAboutTheOrderHoweverMuchItCalls) {
    PeerBudget budget{self, few()};
    budget.set_seats({agent(1)});
    up(budget, agent(1), "g");
    bool was_mute = false;
    for (int i = 0; i < 1'000; ++i) {
        const auto refusal = budget.on_call(agent(1), 0, at_ms(0));
        if (i < 10) continue;
        ASSERT_TRUE(refusal);
        ASSERT_FALSE(refusal->drop) << "its votes come by the same link";
        was_mute = was_mute || refusal->mute;
    }
    EXPECT_TRUE(was_mute) << "but nobody answers it without end";
    for (int i = 0; i < 1'000; ++i) {
        ASSERT_FALSE(budget.on_message(agent(1), 1'000, false, at_ms(0)));
        ASSERT_FALSE(budget.on_checks(agent(1), 100, at_ms(0)));
    }
    EXPECT_FALSE(budget.on_message(agent(1), 1'000, true, at_ms(0)));
    EXPECT_TRUE(budget.on_message(agent(1), 1, true, at_ms(0))) << "calls are calls";
    EXPECT_TRUE(budget.on_peer_up(agent(1), "g", at_ms(0)));
}

TEST(PeerBudget, WhoIsRefusedOnceTooOftenIsDroppedAndUnwelcomeForAWhile) {
    PeerBudget budget{self, few()};
    up(budget, agent(1));
    ASSERT_FALSE(budget.on_checks(agent(1), 10, at_ms(0)));
    for (int i = 0; i < 5; ++i)
        ASSERT_FALSE(budget.on_checks(agent(1), 1, at_ms(0))->drop);
    EXPECT_TRUE(budget.on_checks(agent(1), 1, at_ms(0))->drop);
    EXPECT_TRUE(budget.on_checks(agent(1), 1, at_ms(0))->drop) << "until it is gone";
    EXPECT_EQ(budget.dropped(), 1U);
    budget.on_peer_down(agent(1), at_ms(1));
    EXPECT_FALSE(budget.on_peer_up(agent(1), {}, at_ms(9'999)));
    EXPECT_EQ(budget.turned_away(), 1U);
    budget.on_peer_down(agent(1), at_ms(9'999));
    EXPECT_TRUE(budget.on_peer_up(agent(1), {}, at_ms(10'000)));
}

TEST(PeerBudget, ThisNodePaysForNothing) {
    PeerBudget budget{self, few()};
    for (int i = 0; i < 1'000; ++i) {
        ASSERT_FALSE(budget.on_call(self, 1'000'000, at_ms(0)));
        ASSERT_FALSE(budget.on_message(self, 1'000'000, true, at_ms(0)));
        ASSERT_FALSE(budget.on_checks(self, 1'000, at_ms(0)));
        ASSERT_FALSE(budget.on_question(self, 1'000, at_ms(0)));
    }
}

TEST(PeerBudget, ComingBackRefillsNothingAndAccountsAreBounded) {
    PeerBudget budget{self, few()};
    up(budget, agent(0));
    ASSERT_FALSE(budget.on_checks(agent(0), 10, at_ms(0)));
    budget.on_peer_down(agent(0), at_ms(0));
    up(budget, agent(0));
    EXPECT_TRUE(budget.on_checks(agent(0), 1, at_ms(0)));
    for (std::uint32_t i = 1; i <= limits::agents_max; ++i) {
        up(budget, agent(i));
        budget.on_peer_down(agent(i), at_ms(0));
    }
    EXPECT_EQ(budget.accounts(), limits::agents_max);
    EXPECT_TRUE(budget.on_checks(agent(0), 1, at_ms(0))) << "who is here is not forgotten";
}

}  // namespace
}  // namespace creto
