#include "node/check_twins.hpp"

#include <gtest/gtest.h>

#include "node/gate_test_support.hpp"

namespace creto {
namespace {

using gate_testing::agent;

MessagePtr pointer(Message message) {
    return std::make_shared<const Message>(std::move(message));
}

Certificate certificate(std::uint64_t view, Bytes signers = {0x07}) {
    Certificate made;
    made.content = {.kind = VoteKind::notarize, .epoch = Epoch{1}, .view = View{view}};
    made.signers = std::move(signers);
    return made;
}

MessagePtr part(std::uint64_t view, Bytes signers) {
    return pointer(PartialCertificate{certificate(view, std::move(signers))});
}

MessagePtr proposal(std::uint64_t view, std::uint64_t height) {
    Proposal made;
    made.block.view = View{view};
    made.block.height = Height{height};
    return pointer(std::move(made));
}

// [ORD-A3.1]
TEST(CheckTwins, WaitForOneThatIsBeingCheckedAndNoLonger) {
    CheckTwins twins;
    const MessagePtr first = pointer(certificate(5));
    const MessagePtr second = pointer(certificate(5, {0x0B}));
    EXPECT_FALSE(twins.wait(agent(1), first, 10)) << "nothing is being checked";
    twins.began(Ticket{1}, first);
    EXPECT_TRUE(twins.wait(agent(2), second, 20)) << "whoever signed it";
    EXPECT_TRUE(twins.wait(agent(3), first, 10));
    EXPECT_FALSE(twins.wait(agent(2), pointer(certificate(6)), 10)) << "another view";
    EXPECT_EQ(twins.waiting(), 2U);

    EXPECT_TRUE(twins.ended(Ticket{9}).empty());
    const auto waited = twins.ended(Ticket{1});
    ASSERT_EQ(waited.size(), 2U);
    EXPECT_EQ(waited[0].from, agent(2));
    EXPECT_EQ(waited[0].message, second);
    EXPECT_EQ(waited[0].bytes, 20U);
    EXPECT_EQ(waited[1].from, agent(3));
    EXPECT_EQ(twins.waiting(), 0U);
    EXPECT_FALSE(twins.wait(agent(3), first, 10)) << "its check has ended";
}

TEST(CheckTwins, APartWaitsWhenItNamesNobodyMore) {
    CheckTwins twins;
    twins.began(Ticket{1}, part(5, {0x07, 0x00}));
    EXPECT_TRUE(twins.wait(agent(1), part(5, {0x07, 0x00}), 1));
    EXPECT_TRUE(twins.wait(agent(1), part(5, {0x05, 0x00}), 1));
    EXPECT_FALSE(twins.wait(agent(1), part(5, {0x0F, 0x00}), 1));
    EXPECT_FALSE(twins.wait(agent(1), part(5, {0x07, 0x01}), 1));
    EXPECT_FALSE(twins.wait(agent(1), part(5, {0x07}), 1)) << "not of this roster";
    EXPECT_FALSE(twins.wait(agent(1), pointer(certificate(5, {0x07, 0x00})), 1)) << "another kind";
}

TEST(CheckTwins, ABlockWaitsForItselfAlone) {
    CheckTwins twins;
    twins.began(Ticket{1}, proposal(5, 3));
    EXPECT_TRUE(twins.wait(agent(1), proposal(5, 3), 1));
    EXPECT_FALSE(twins.wait(agent(1), proposal(5, 4), 1)) << "a second one is evidence";
}

TEST(CheckTwins, OtherMessagesHaveNone) {
    CheckTwins twins;
    const MessagePtr probe = pointer(Probe{1, false});
    twins.began(Ticket{1}, probe);
    EXPECT_FALSE(twins.wait(agent(1), probe, 1));
    EXPECT_TRUE(twins.ended(Ticket{1}).empty());
}

TEST(CheckTwins, WhatWaitsIsBounded) {
    CheckTwins twins;
    for (std::uint64_t i = 0; i <= CheckTwins::checks_max; ++i)
        twins.began(Ticket{i + 1}, pointer(certificate(i + 1)));
    for (std::size_t i = 0; i < CheckTwins::waiting_max; ++i)
        EXPECT_TRUE(twins.wait(agent(1), pointer(certificate(1)), 1));
    EXPECT_FALSE(twins.wait(agent(1), pointer(certificate(1)), 1)) << "one more behind one check";
    const std::size_t room = CheckTwins::bytes_max - CheckTwins::waiting_max;
    EXPECT_FALSE(twins.wait(agent(1), pointer(certificate(2)), room + 1));
    EXPECT_TRUE(twins.wait(agent(1), pointer(certificate(2)), room));
    EXPECT_FALSE(twins.wait(agent(1), pointer(certificate(3)), 1)) << "a byte more";
    EXPECT_EQ(twins.ended(Ticket{2}).size(), 1U);
    EXPECT_TRUE(twins.wait(agent(1), pointer(certificate(3)), 1)) << "there is room again";
    const auto beyond = pointer(certificate(CheckTwins::checks_max + 1));
    EXPECT_FALSE(twins.wait(agent(1), beyond, 1)) << "one check more than is known";
}

}  // namespace
}  // namespace creto
