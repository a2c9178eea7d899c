#include "node/vote_gathering.hpp"

#include <gtest/gtest.h>

#include "node/gate_test_support.hpp"

namespace creto {
namespace {

using gate_testing::agent;

VoteContent content(std::uint64_t view) {
    return {.kind = VoteKind::notarize, .epoch = Epoch{1}, .view = View{view}};
}

VoteGathering::Held held(std::uint8_t from, std::size_t bytes = 10) {
    return {agent(from), std::make_shared<const Message>(Probe{from, false}), bytes};
}

Instant at_ms(std::int64_t ms) {
    return Instant{} + Duration::from_ms(ms);
}

// [ORD-V1.9]
TEST(VoteGathering, GathersByContentUntilItIsTakenOrDue) {
    VoteGathering gathering;
    EXPECT_EQ(gathering.signers(content(1)), nullptr);
    EXPECT_TRUE(gathering.add(content(1), {0x01, 0x00}, held(1), false, at_ms(0)));
    EXPECT_TRUE(gathering.add(content(2), {0x04, 0x00}, held(2), false, at_ms(1)));
    EXPECT_TRUE(gathering.add(content(1), {0x02, 0x80}, held(3), false, at_ms(3)));
    EXPECT_EQ(*gathering.signers(content(1)), (Bytes{0x03, 0x80}));
    EXPECT_EQ(gathering.next_due(), at_ms(4)) << "the first of all";

    const auto taken = gathering.take(content(1));
    ASSERT_EQ(taken.size(), 2U);
    EXPECT_EQ(taken[0].from, agent(1));
    EXPECT_EQ(taken[1].from, agent(3));
    EXPECT_TRUE(gathering.take(content(1)).empty());
    EXPECT_EQ(gathering.next_due(), at_ms(5));
    EXPECT_TRUE(gathering.due(at_ms(4)).empty());
    ASSERT_EQ(gathering.due(at_ms(5)).size(), 1U);
    EXPECT_EQ(gathering.next_due(), Instant::max());
    EXPECT_EQ(gathering.contents(), 0U);
}

TEST(VoteGathering, WhatIsLateWaitsLonger) {
    VoteGathering gathering;
    EXPECT_TRUE(gathering.add(content(1), {0x01}, held(1), true, at_ms(0)));
    EXPECT_EQ(gathering.next_due(), at_ms(200));
    EXPECT_TRUE(gathering.add(content(1), {0x02}, held(2), false, at_ms(10)));
    EXPECT_EQ(gathering.next_due(), at_ms(14)) << "unless somebody waits for it now";
    EXPECT_EQ(gathering.due(at_ms(14)).size(), 2U);
}

TEST(VoteGathering, IsBounded) {
    VoteGathering gathering;
    for (std::uint64_t i = 1; i <= VoteGathering::contents_max; ++i)
        EXPECT_TRUE(gathering.add(content(i), {0x01}, held(1, 0), false, at_ms(0)));
    const std::uint64_t beyond = VoteGathering::contents_max + 1;
    EXPECT_FALSE(gathering.add(content(beyond), {0x01}, held(1, 0), false, at_ms(0)));
    EXPECT_TRUE(
        gathering.add(content(1), {0x02}, held(2, VoteGathering::bytes_max), false, at_ms(0))
    );
    EXPECT_FALSE(gathering.add(content(1), {0x04}, held(3, 1), false, at_ms(0))) << "a byte more";
    EXPECT_EQ(gathering.take(content(1)).size(), 2U);
    EXPECT_TRUE(gathering.add(content(beyond), {0x01}, held(1, 1), false, at_ms(0)));
}

}  // namespace
}  // namespace creto
