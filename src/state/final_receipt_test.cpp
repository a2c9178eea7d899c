#include "state/final_receipt.hpp"

#include <gtest/gtest.h>

#include "state/receipt_desk.hpp"
#include "state/state_fixture.hpp"

namespace creto {
namespace {

using namespace state_test;  // NOLINT(google-build-using-namespace): the bench of this layer

/// A recorded call with everything that shows it offline.
struct Recorded {
    explicit Recorded(Network& network) : net{network}, state{network.roster} {
        for (const std::uint32_t seat : {0U, 1U, 2U, 3U, 4U})
            call.answered(net, seat, "300");
        call.answered(net, 5, "3000").answered(net, 6, "3000");
        const VertexPtr vertex = net.vertex(0, {net.operation(0, call.record())});
        finalise(state, {vertex, net.vertex(1, {net.operation(1, set_key("final/a", "1"))})});
        receipt.receipt = call.receipt;
        receipt.verdict = *state.get(verdict_key(call.id));
        receipt.proof = state.prove(verdict_key(call.id));
        receipt.block = next_block(state);
        receipt.finalization = certificate(receipt.block.content(VoteKind::finalize));
    }
    [[nodiscard]] Certificate certificate(const VoteContent& content) const {
        std::vector<Vote> votes;
        for (const std::uint32_t seat : {0U, 2U, 3U, 5U, 6U})
            votes.push_back(net.vote(seat, content));
        return make_certificate(votes, net.roster);
    }
    [[nodiscard]] std::string refused(const FinalReceipt& changed) const {
        const auto result = verify(changed, net.roster, net.scheme);
        return result ? "accepted" : result.error().message;
    }

    Network& net;
    FinalState state;
    Call call{net, *net.signers[0], {0, 1, 2, 3, 4, 5, 6}, 5};
    FinalReceipt receipt;
};

// [RECEIPT-OFFLINE.1]
TEST(FinalReceipt, ShowsTheDecisionToWhoeverHasTheGenesis) {
    Network net{7};
    const Recorded recorded{net};
    const Bytes bytes = encode_bytes(recorded.receipt);
    const auto read = decode_exact<FinalReceipt>(bytes);
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(*read, recorded.receipt);
    const auto shown = verify(*read, net.roster, net.scheme);
    ASSERT_TRUE(shown.has_value()) << shown.error().message;
    EXPECT_TRUE(shown->verdict.decided);
    EXPECT_EQ(shown->verdict.result, recorded.call.digest("300"));
    EXPECT_EQ(shown->verdict.agreeing, 5U);
    EXPECT_EQ(shown->verdict.dissenting.size(), 2U);
    EXPECT_EQ(shown->anchored, Height{1});
    EXPECT_EQ(shown->seats, 5U);
}

// [RECEIPT-OFFLINE.1]
TEST(FinalReceipt, NamesTheLinkThatDoesNotHold) {
    Network net{7};
    const Recorded good{net};
    {
        FinalReceipt bad = good.receipt;
        bad.receipt.request.signature = {};
        EXPECT_EQ(good.refused(bad), "receipt: the caller did not sign the request");
    }
    {
        FinalReceipt bad = good.receipt;
        bad.receipt.answers[2].signature = {};
        EXPECT_NE(good.refused(bad).find("is not signed by it"), std::string::npos);
    }
    {
        FinalReceipt bad = good.receipt;
        bad.receipt.answers.erase(bad.receipt.answers.begin(), bad.receipt.answers.begin() + 3);
        EXPECT_EQ(good.refused(bad), "receipt: the answers shown do not carry the verdict");
    }
    {
        // Another result in the leaf is another leaf.
        FinalReceipt bad = good.receipt;
        auto verdict = decode_exact<Verdict>(bad.verdict).value();
        verdict.height = Height{7};
        bad.verdict = encode_bytes(verdict);
        EXPECT_EQ(
            good.refused(bad), "receipt: the state that the block names does not hold the verdict"
        );
    }
    {
        FinalReceipt bad = good.receipt;
        bad.block.executed.state_root = digest_of("another state");
        bad.finalization = good.certificate(bad.block.content(VoteKind::finalize));
        EXPECT_EQ(
            good.refused(bad), "receipt: the state that the block names does not hold the verdict"
        );
    }
    {
        FinalReceipt bad = good.receipt;
        bad.block.view = bad.block.view.next();
        EXPECT_EQ(good.refused(bad), "receipt: the certificate does not finalise the block");
    }
    {
        FinalReceipt bad = good.receipt;
        bad.finalization = good.certificate(bad.block.content(VoteKind::notarize));
        EXPECT_EQ(good.refused(bad), "receipt: the certificate does not finalise the block");
    }
    {
        FinalReceipt bad = good.receipt;
        bad.finalization.signatures[1] = bad.finalization.signatures[0];
        EXPECT_EQ(good.refused(bad), "receipt: a signature of the certificate does not hold");
    }
    {
        FinalReceipt bad = good.receipt;
        bad.finalization.signers[0] &= static_cast<std::uint8_t>(~1U);
        bad.finalization.signatures.erase(bad.finalization.signatures.begin());
        EXPECT_EQ(good.refused(bad), "certificate: 4 signers, it takes 5");
    }
    Network other{5};
    EXPECT_FALSE(verify(good.receipt, other.roster, net.scheme).has_value()) << "another chain";
}

// [RECEIPT-OFFLINE.1]
TEST(FinalReceipt, EveryChangedByteIsNoticed) {
    Network net{7};
    const Recorded recorded{net};
    const Bytes good = encode_bytes(recorded.receipt);
    for (std::size_t i = 0; i < good.size(); ++i) {
        Bytes bad = good;
        bad[i] ^= 0x10U;
        const auto read = decode_exact<FinalReceipt>(bad);
        if (read) {
            EXPECT_FALSE(verify(*read, net.roster, net.scheme).has_value()) << i;
        }
        EXPECT_FALSE(decode_exact<FinalReceipt>(ByteView{good}.first(i)).has_value());
    }
}

TEST(FinalReceipt, ADisputesVerdictIsShownToo) {
    Network net{4};
    FinalState state{net.roster};
    Call call{net, *net.signers[0], {0, 1, 2, 3}, 3};
    call.answered(net, 0, "1").answered(net, 1, "2").answered(net, 2, "2").answered(net, 3, "2");
    std::vector<VertexPtr> offers;
    for (std::uint32_t seat = 0; seat < 4; ++seat)
        offers.push_back(net.vertex(seat, {net.operation(seat, OfferOperation{{call.contract}})}));
    finalise(state, offers);
    finalise(state, {net.vertex(0, {net.operation(0, call.record_and_open())})});
    std::vector<VertexPtr> answers;
    for (std::uint32_t seat = 0; seat < 4; ++seat)
        answers.push_back(net.vertex(seat, {net.operation(seat, call.answer_again("1"))}));
    finalise(state, answers);

    FinalReceipt receipt;
    receipt.receipt = call.receipt;
    receipt.verdict = *state.get(verdict_key(call.id));
    receipt.proof = state.prove(verdict_key(call.id));
    receipt.block = next_block(state);
    std::vector<Vote> votes;
    for (const std::uint32_t seat : {0U, 1U, 3U})
        votes.push_back(net.vote(seat, receipt.block.content(VoteKind::finalize)));
    receipt.finalization = make_certificate(votes, net.roster);
    const auto shown = verify(receipt, net.roster, net.scheme);
    ASSERT_TRUE(shown.has_value()) << shown.error().message;
    EXPECT_EQ(shown->verdict.source, Verdict::Source::dispute);
    EXPECT_EQ(shown->verdict.result, call.digest("1"));
    EXPECT_EQ(shown->verdict.dissenting.size(), 3U);
}

TEST(ReceiptDesk, WaitsForABlockThatNamesAProvenState) {
    Network net{7};
    FinalState state{net.roster};
    ReceiptDesk desk;
    Call call{net, *net.signers[0], {0, 1, 2, 3}, 3};
    call.answered(net, 1, "300").answered(net, 2, "300").answered(net, 3, "300");
    desk.watch(call.id, call.receipt);
    desk.executed(state);
    const auto certificate = [&](const Block& block) {
        std::vector<Vote> votes;
        for (std::uint32_t seat = 0; seat < 5; ++seat)
            votes.push_back(net.vote(seat, block.content(VoteKind::finalize)));
        return make_certificate(votes, net.roster);
    };
    const Block early = next_block(state);  // It names height 0: nothing was recorded yet.
    finalise(state, {net.vertex(0, {net.operation(0, call.record())})});
    desk.executed(state);
    EXPECT_TRUE(desk.finalised(early, certificate(early)).empty());
    const Block fits = next_block(state);
    for (int i = 0; i < 3; ++i) {
        finalise(state, {});
        desk.executed(state);
    }
    const auto ready = desk.finalised(fits, certificate(fits));
    ASSERT_EQ(ready.size(), 1U);
    EXPECT_EQ(desk.waiting(), 0U);
    const auto shown = verify(ready[0], net.roster, net.scheme);
    ASSERT_TRUE(shown.has_value()) << shown.error().message;
    EXPECT_EQ(shown->anchored, Height{1});
    EXPECT_TRUE(desk.finalised(fits, certificate(fits)).empty());
}

TEST(ReceiptDesk, HoldsTheLatestOnly) {
    Network net{4};
    ReceiptDesk desk;
    for (std::size_t i = 0; i <= limits::receipts_waiting_max; ++i)
        desk.watch(CallId{digest_of(std::to_string(i))}, {});
    EXPECT_EQ(desk.waiting(), limits::receipts_waiting_max);
    // A proof that no block names within the heights that are kept is made anew.
    FinalState state{net.roster};
    Call call{net, *net.signers[0], {0, 1, 2, 3}, 3};
    desk.watch(call.id, call.receipt);
    finalise(state, {net.vertex(0, {net.operation(0, call.record())})});
    desk.executed(state);
    const Block old = next_block(state);
    for (std::size_t i = 0; i < limits::receipt_proofs_kept; ++i) {
        finalise(state, {});
        desk.executed(state);
    }
    EXPECT_TRUE(desk.finalised(old, {}).empty());
    EXPECT_EQ(desk.finalised(next_block(state), {}).size(), 1U);
}

}  // namespace
}  // namespace creto
