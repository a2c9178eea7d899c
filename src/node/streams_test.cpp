// What the watcher of a call sees of its pieces, whoever answers in the end.
#include <gtest/gtest.h>

#include "node/test_support.hpp"
#include "tools/piece_queue.hpp"

namespace creto {
namespace {

class StreamReader : public calls_testing::Caller {
protected:
    void call_and_watch(std::optional<AgentId> agent = {}) { call("add", agent, Shows::yes); }
};

// [CALL-STREAM.1]
TEST_F(StreamReader, SeesPiecesBeforeTheAnswerAndWhoeverDidNotAskSeesNone) {
    offer(0, {safe_});
    call_and_watch();
    ASSERT_EQ(asked_.size(), 1U);
    EXPECT_EQ(asked_[0].second.credit, limits::stream_window_bytes);
    show(0, 1, "1");
    show(0, 2, "+2");
    EXPECT_EQ(shown(), "1+2");
    EXPECT_EQ(said(), "nothing");
    EXPECT_EQ(shown_[1].number, 2U);
    EXPECT_EQ(shown_[1].provider, id(0));
    answer(0, CallAnswer::Status::result);
    EXPECT_EQ(said(), "3");
    show(0, 3, "late");
    EXPECT_EQ(shown(), "1+2");
    EXPECT_EQ(counter("pieces_shown"), 2U);
    EXPECT_EQ(counter("pieces_ignored"), 1U);
    call("add");
    EXPECT_EQ(asked_[0].second.credit, 0U);
    EXPECT_TRUE(dropped_.empty());
    show(0, 1, "unasked");
    EXPECT_EQ(shown(), "");
    EXPECT_EQ(dropped_.size(), 1U) << "no correct provider shows what was not asked for";
}

// [CALL-STREAM.2]
TEST_F(StreamReader, GrantsMoreAsItReadsAndDropsWhoTakesMore) {
    offer(0, {safe_});
    call_and_watch();
    const std::string piece(limits::piece_bytes_max, 'x');
    constexpr std::size_t fit =
        limits::stream_window_bytes / (limits::piece_bytes_max + limits::piece_overhead_bytes);
    for (std::size_t i = 1; i <= fit; ++i)
        show(0, i, piece);
    EXPECT_EQ(shown_.size(), fit);
    EXPECT_TRUE(credits_.empty()) << "nothing was read yet";
    const std::uint64_t read = 2 * (limits::piece_bytes_max + limits::piece_overhead_bytes);
    happen(Command{Ticket{900}, PiecesTaken{Ticket{command_}, 2, read}});
    EXPECT_TRUE(credits_.empty()) << "of an attempt that is not shown";
    happen(Command{Ticket{901}, PiecesTaken{Ticket{command_}, 1, read}});
    ASSERT_EQ(credits_.size(), 1U);
    EXPECT_EQ(credits_[0].bytes, read);
    EXPECT_EQ(replies_.size(), 2U) << "each command has its answer";
    show(0, fit + 1, piece);
    show(0, fit + 2, piece);
    EXPECT_EQ(shown_.size(), fit + 2);
    EXPECT_TRUE(dropped_.empty());
    show(0, fit + 3, piece);
    EXPECT_EQ(shown_.size(), fit + 2);
    EXPECT_EQ(dropped_, std::vector{id(0)});
}

// [CALL-STREAM.4]
TEST_F(StreamReader, IsToldThatTheCallBeganAnewWhenItsProviderIsLost) {
    offer(0, {safe_});
    offer(1, {safe_});
    call_and_watch();
    show(0, 1, "half of ");
    happen(PeerDown{id(asked_[0].first)});
    ASSERT_EQ(asked_.size(), 2U);
    EXPECT_EQ(asked_[1].second.credit, limits::stream_window_bytes);
    EXPECT_EQ(shown(), "half of ") << "nothing new yet";
    show(1, 1, "all");
    EXPECT_EQ(shown(), "half of |all");
    EXPECT_EQ(shown_[1].attempt, 2U);
    EXPECT_EQ(shown_[2].attempt, 2U);
    EXPECT_EQ(shown_[2].provider, id(asked_[1].first));
    show(0, 2, "the first one's");
    EXPECT_EQ(shown(), "half of |all");
    answer(1, CallAnswer::Status::result);
    EXPECT_EQ(said(), "3");
    EXPECT_EQ(std::get<CallReply>(replies_[0]).attempt, 2U);
    // Also when the second one shows nothing.
    offer(0, {safe_});
    offer(1, {safe_});
    call_and_watch();
    show(0, 1, "half");
    answer(0, CallAnswer::Status::overloaded, "busy");
    answer(1, CallAnswer::Status::result);
    EXPECT_EQ(shown(), "half|");
    EXPECT_EQ(said(), "3");
}

// [CALL-STREAM.4]
TEST_F(StreamReader, SeesOneOfTwoThatAreAskedAtOnceWhoeverWins) {
    offer(0, {safe_});
    offer(1, {safe_});
    learn(100);
    call_and_watch();
    pass(Duration::from_ms(11));
    ASSERT_EQ(asked_.size(), 2U);
    show(1, 1, "second ");
    show(0, 1, "first ");
    show(1, 2, "goes on");
    EXPECT_EQ(shown(), "second goes on") << "whoever showed something first";
    answer(1, CallAnswer::Status::result, "4");
    EXPECT_EQ(shown(), "second goes on");
    EXPECT_EQ(std::get<CallReply>(replies_.at(0)).pieces_lost, 0U);
    // The other one wins: what was seen is not of its run.
    call_and_watch();
    pass(Duration::from_ms(11));
    ASSERT_EQ(asked_.size(), 2U);
    show(1, 1, "second");
    show(0, 1, "first");
    answer(0, CallAnswer::Status::result, "5");
    EXPECT_EQ(shown(), "second|");
    const auto& reply = std::get<CallReply>(replies_.at(0));
    EXPECT_EQ(reply.provider, id(asked_[0].first));
    EXPECT_EQ(reply.pieces_lost, 1U) << "the winner's that was not shown";
    // The one that is shown fails, the other one goes on.
    call_and_watch();
    pass(Duration::from_ms(11));
    ASSERT_EQ(asked_.size(), 2U);
    show(0, 1, "first");
    show(1, 1, "unseen");
    answer(0, CallAnswer::Status::overloaded, "busy");
    show(1, 2, "second");
    EXPECT_EQ(shown(), "first|second");
    EXPECT_EQ(shown_.back().lost, 1U);
    EXPECT_TRUE(dropped_.empty());
}

TEST_F(StreamReader, SeesNothingAfterItCancelled) {
    offer(0, {safe_});
    call_and_watch();
    show(0, 1, "a");
    happen(Command{Ticket{999}, Cancel{Ticket{command_}}});
    EXPECT_EQ(cancelled_.size(), 1U);
    show(0, 2, "b");
    EXPECT_EQ(shown(), "a");
    EXPECT_TRUE(dropped_.empty()) << "it could not know";
}

TEST_F(StreamReader, WhatNobodyCanReadCostsItsSenderTheLink) {
    offer(0, {safe_});
    for (const Piece& bad :
         {Piece{Piece::Kind::text, "\xFF"}, Piece{Piece::Kind::json, "{\"a\":"}}) {
        call_and_watch();
        say(0, CallPiece{asked_.at(0).second.id, 1, 0, bad});
        EXPECT_EQ(shown(), "");
        EXPECT_EQ(dropped_.size(), 1U);
        dropped_.clear();
        answer(0, CallAnswer::Status::result);
    }
}

// [CALL-STREAM.5]
TEST_F(StreamReader, AVerifiedCallGrantsNothing) {
    for (std::size_t i = 0; i < 4; ++i)
        offer(i, {safe_});
    asked_.clear();
    happen(Command{
        Ticket{++command_},
        CallVerified{.tool = "add", .arguments = "{}", .timeout = Duration::from_s(2)}});
    ASSERT_EQ(asked_.size(), 4U);
    for (const auto& [who, call] : asked_)
        EXPECT_EQ(call.credit, 0U);
    show(0, 1, "my opinion");
    EXPECT_TRUE(shown_.empty());
    EXPECT_EQ(dropped_.size(), 1U);
}

}  // namespace
}  // namespace creto
