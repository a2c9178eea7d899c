#include "tools/piece_queue.hpp"

#include <gtest/gtest.h>

#include "tools/json_parse.hpp"
#include "tools/utf8.hpp"

namespace creto {
namespace {

constexpr std::size_t whole = limits::piece_bytes_max;

std::string all_of(PieceQueue& queue) {
    std::string out;
    while (!queue.empty())
        out += queue.pop().piece.text;
    return out;
}

// [CALL-STREAM.3]
TEST(PieceQueue, JoinsTextsAndKeepsEverythingElseApart) {
    PieceQueue queue;
    queue.push(text_piece("one "));
    queue.push(text_piece("two"));
    queue.push(json_piece(Json{JsonArray{Json{1}}}));
    queue.push(text_piece("three"));
    ASSERT_EQ(queue.size(), 3U);
    EXPECT_EQ(queue.pop().piece, text_piece("one two"));
    EXPECT_EQ(queue.pop().piece.text, "[1]");
    EXPECT_EQ(queue.pop().piece.text, "three");
    EXPECT_EQ(queue.bytes(), 0U);
    EXPECT_EQ(queue.lost(), 0U);
}

TEST(PieceQueue, ANewProgressTakesThePlaceOfTheOneThatWaits) {
    PieceQueue queue;
    queue.push(progress_piece(1, 9));
    queue.push(text_piece("x"));
    queue.push(progress_piece(2, 9, "half way"));
    ASSERT_EQ(queue.size(), 2U);
    EXPECT_EQ(queue.pop().piece.text, "x");
    EXPECT_EQ(queue.pop().piece, progress_piece(2, 9, "half way"));
    EXPECT_EQ(queue.lost(), 0U) << "the newer one says all that the older did";
    queue.push(progress_piece(3, 9, std::string(10'000, 'p')));
    EXPECT_EQ(queue.pop().piece.text.size(), 256U);
}

// [CALL-STREAM.3]
TEST(PieceQueue, ALongTextBecomesSeveralPiecesBetweenCodePoints) {
    PieceQueue queue{1'000'000};
    std::string text(whole - 1, 'a');
    text += "\xC3\xA4";  // An a with dots would end one byte over.
    text += std::string(whole, 'b');
    queue.push(text_piece(text));
    ASSERT_EQ(queue.size(), 3U);
    EXPECT_EQ(queue.front()->text.size(), whole - 1);
    std::string joined;
    while (!queue.empty()) {
        const Piece piece = queue.pop().piece;
        EXPECT_LE(piece.text.size(), whole);
        EXPECT_TRUE(utf8::valid(piece.text));
        joined += piece.text;
    }
    EXPECT_EQ(joined, text);
    // The second one joins the first up to the limit, and no further.
    queue.push(text_piece(std::string(whole - 1, 'a')));
    queue.push(text_piece("bc"));
    ASSERT_EQ(queue.size(), 2U);
    EXPECT_EQ(queue.pop().piece.text.back(), 'b');
    EXPECT_EQ(queue.pop().piece.text, "c");
}

// [CALL-STREAM.3]
TEST(PieceQueue, OneByteMoreThanItMayHoldIsLeftOutAndCounted) {
    constexpr std::size_t room = 1'000;
    const auto value_of = [](std::size_t bytes) {
        return json_piece(Json{std::string(bytes - 2, 'v')});
    };
    PieceQueue queue{room};
    queue.push(value_of(room - limits::piece_overhead_bytes));
    EXPECT_EQ(queue.bytes(), room);
    EXPECT_EQ(queue.lost(), 0U);
    EXPECT_EQ(queue.pop().lost, 0U);
    queue.push(value_of(room - limits::piece_overhead_bytes + 1));
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(queue.lost(), 1U);
    queue.push(value_of(whole + 1));
    queue.push(text_piece("before"));
    queue.push(value_of(room));  // One that does not fit between two texts keeps them apart.
    queue.push(text_piece("after"));
    ASSERT_EQ(queue.size(), 2U);
    const auto before = queue.pop();
    const auto after = queue.pop();
    EXPECT_EQ(before.piece.text, "before");
    EXPECT_EQ(before.lost, 2U);
    EXPECT_EQ(after.lost, 3U);
    for (int i = 0; i < 1'000; ++i) {
        queue.push(text_piece("more and more"));
        ASSERT_LE(queue.bytes(), room);
    }
    EXPECT_EQ(queue.lost(), 3U + 1'000U - 72U) << "72 of them fit";
    EXPECT_EQ(all_of(queue).substr(0, 26), "more and moremore and more");
}

TEST(PieceQueue, WhatNobodyCouldReadIsLeftOut) {
    PieceQueue queue;
    queue.push(text_piece("\xFF"));
    queue.push({Piece::Kind::json, "{"});
    queue.push({Piece::Kind::progress, "\xC3", 1, 2});
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(queue.lost(), 3U);
}

}  // namespace
}  // namespace creto
