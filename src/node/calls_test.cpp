// Plain calls of a node: asked elsewhere when one refuses or is slow, where calling twice is harmless.
#include <gtest/gtest.h>

#include "node/test_support.hpp"

namespace creto {
namespace {

using calls_testing::Caller;

// [CALL-AGAIN.1]
TEST_F(Caller, WhoIsRefusedAsksAnotherThatOffersTheSame) {
    offer(0, {safe_});
    offer(1, {safe_});
    call("add");
    ASSERT_EQ(asked_.size(), 1U);
    answer(0, CallAnswer::Status::rate_limited, "rate limited, retry after 5 ms");
    ASSERT_EQ(asked_.size(), 2U);
    EXPECT_NE(asked_[0].first, asked_[1].first);
    EXPECT_EQ(asked_[1].second.contract, safe_.contract.id());
    EXPECT_EQ(said(), "nothing");
    answer(1, CallAnswer::Status::result);
    EXPECT_EQ(said(), "3");
    EXPECT_EQ(counter("calls_retried"), 1U);
    call("add");
    answer(0, CallAnswer::Status::overloaded, "busy");
    answer(1, CallAnswer::Status::rate_limited, "rate limited, retry after 5 ms");
    EXPECT_EQ(asked_.size(), 2U);
    EXPECT_NE(said().find("retry after 5 ms"), std::string::npos) << "nobody is left";
    call("add");
    happen(PeerDown{id(asked_[0].first)});
    EXPECT_EQ(asked_.size(), 2U) << "who was lost is replaced as well";
}

// [CALL-AGAIN.1]
TEST_F(Caller, NobodyElseIsAskedWhatMayNotRunTwiceNorIsAnotherTool) {
    offer(0, {once_});
    offer(1, {once_});
    call("once");
    answer(0, CallAnswer::Status::overloaded, "busy");
    EXPECT_EQ(asked_.size(), 1U);
    EXPECT_NE(said().find("busy"), std::string::npos);
    offer(2, {safe_});
    offer(3, {safe_});
    call("add", id(2));
    answer(0, CallAnswer::Status::overloaded, "busy");
    EXPECT_EQ(asked_.size(), 1U) << "it was to be this agent";
    call("add");
    answer(0, CallAnswer::Status::tool_error, "no such number");
    EXPECT_EQ(asked_.size(), 1U) << "that is an answer";
    happen(PeerDown{id(3)});
    offer(0, {other_});
    for (int i = 0; i < 10; ++i) {
        call("add");
        const std::size_t first = asked_[0].first;
        answer(0, CallAnswer::Status::overloaded, "busy");
        EXPECT_EQ(asked_.size(), 1U) << "agent " << first << " offers another tool of this name";
    }
}

// [CALL-HEDGE.1]
TEST_F(Caller, WhoIsSlowerThanUsualIsHelpedAndTheLoserCancelled) {
    offer(0, {safe_});
    offer(1, {safe_});
    learn(100);
    EXPECT_EQ(counter("calls_hedged"), 0U);
    call("add");
    pass(Duration::from_ms(10));
    EXPECT_EQ(asked_.size(), 1U);
    pass(Duration::from_ms(1));
    ASSERT_EQ(asked_.size(), 2U);
    EXPECT_NE(asked_[0].first, asked_[1].first);
    EXPECT_EQ(asked_[1].second.contract, safe_.contract.id());
    answer(1, CallAnswer::Status::result, "4");
    EXPECT_EQ(said(), "4");
    ASSERT_EQ(cancelled_.size(), 1U);
    EXPECT_EQ(cancelled_[0].first, asked_[0].first);
    EXPECT_EQ(cancelled_[0].second, asked_[0].second.id);
    EXPECT_EQ(counter("calls_hedged"), 1U);
    answer(0, CallAnswer::Status::result, "5");
    EXPECT_EQ(replies_.size(), 1U) << "too late";
    // The first may win as well, and a refusal of one waits for the other.
    call("add");
    pass(Duration::from_ms(11));
    ASSERT_EQ(asked_.size(), 2U);
    answer(1, CallAnswer::Status::overloaded, "busy");
    EXPECT_EQ(said(), "nothing");
    answer(0, CallAnswer::Status::result, "6");
    EXPECT_EQ(said(), "6");
    EXPECT_TRUE(cancelled_.empty());
}

// [CALL-HEDGE.1]
TEST_F(Caller, WhereAllAreSlowNoMoreThanOneCallInTenIsMadeTwice) {
    offer(0, {safe_});
    offer(1, {safe_});
    learn(100);
    std::size_t twice = 0;
    for (int i = 0; i < 200; ++i) {
        call("add");
        pass(Duration::from_ms(11));
        twice += asked_.size() - 1;
        pass(Duration::from_s(3));
        ASSERT_NE(said(), "nothing");
    }
    EXPECT_LE(twice, 10U + 20U);
    EXPECT_GE(twice, 20U);
    EXPECT_EQ(counter("calls_hedged"), twice);
}

// [CALL-HEDGE.1]
TEST_F(Caller, NoSecondOneIsAskedForANamedAgentOrWhatMayNotRunTwice) {
    offer(0, {safe_, once_});
    offer(1, {safe_, once_});
    learn(100);
    call("add", id(0));
    pass(Duration::from_ms(500));
    EXPECT_EQ(asked_.size(), 1U);
    answer(0, CallAnswer::Status::result);
    for (int i = 0; i < 100; ++i) {
        call("once");
        answer(0, CallAnswer::Status::result);
    }
    call("once");
    pass(Duration::from_ms(500));
    EXPECT_EQ(asked_.size(), 1U);
    happen(Command{Ticket{999}, Cancel{Ticket{command_}}});
    EXPECT_EQ(cancelled_.size(), 1U);
}

}  // namespace
}  // namespace creto
