// Final receipts of a network whose roster has changed since its genesis.
#include <gtest/gtest.h>

#include "state/final_receipt.hpp"
#include "state/receipt_desk.hpp"
#include "state/state_fixture.hpp"

namespace creto {
namespace {

using namespace state_test;  // NOLINT(google-build-using-namespace): the bench of this layer

/// Seats 0 and 1 hand over to seats 4 and 5, an epoch apart; then a call of seat 2 is recorded.
struct Changed {
    Changed() : net{4, QuorumMode::byzantine, span}, state{net.roster} {
        for (std::uint8_t n = 5; n <= 6; ++n)
            net.signers.push_back(net.outsider(n));
        replace(0, 4);            // In epoch 1: seat 4 votes from epoch 3 on.
        go_to(Height{2 * span});  // The boundary of epoch 2 names the roster of epoch 3.
        replace(1, 5);            // In epoch 3: seat 5 votes from epoch 5 on.
        go_to(Height{4 * span});
        Call call{net, *net.signers[2], {2, 3, 4, 5}, 3};
        for (const std::uint32_t seat : {2U, 3U, 4U, 5U})
            call.answered(net, seat, "300");
        id = call.id;
        desk.watch(call.id, call.receipt);
        finish({net.vertex(2, {net.operation(2, call.record())})});
        const Block block = next_block(state);
        auto made = desk.finalised(block, finalization(block), links);
        CRETO_ASSERT(made.size() == 1);
        receipt = std::move(made.front());
    }

    [[nodiscard]] Roster voters(Epoch epoch) const {
        return {net.roster, epoch, state.seats().seating(epoch)};
    }
    [[nodiscard]] Certificate finalization(const Block& block) const {
        const Roster roster = voters(block.epoch);
        std::vector<Vote> votes;
        for (const Member& member : roster.members())
            votes.push_back(net.vote(member.seat.value(), block.content(VoteKind::finalize)));
        return make_certificate(votes, roster);
    }
    void replace(std::uint32_t seat, std::uint32_t by) {
        const RosterOperation change{
            RosterOperation::Action::replace, Seat{seat}, net.agent(by), {}, Signature{}, {}};
        finish({net.vertex(seat, {net.operation(seat, change)})});
    }
    void finish(const std::vector<VertexPtr>& ordered) {
        Block block = next_block(state);
        if (net.roster.epochs().is_boundary(block.height)) {
            const Roster next = voters(block.epoch.next());
            block.next_roster = next.digest();
            if (next.digest() != voters(block.epoch).digest())
                links.push_back({block, std::nullopt, finalization(block), next.members()});
        }
        const auto done = state.apply(block, block.id(), ordered);
        for (const auto& operation : done.operations)
            EXPECT_TRUE(operation.applied) << operation.reason;
        desk.executed(state);
    }
    void go_to(Height height) {
        while (state.height() < height)
            finish({});
    }
    [[nodiscard]] std::string refused(const FinalReceipt& changed) const {
        const auto result = verify(changed, net.roster, net.scheme);
        return result ? "accepted" : result.error().message;
    }

    Network net;
    FinalState state;
    ReceiptDesk desk;
    std::vector<RosterLink> links;
    CallId id;
    FinalReceipt receipt;
};

// [RECEIPT-OFFLINE.1]
TEST(ReceiptLinks, AReceiptOfALaterRosterHoldsFromTheGenesisAlone) {
    const Changed made;
    ASSERT_EQ(made.links.size(), 2U);
    ASSERT_EQ(made.receipt.links, made.links);
    const auto read = decode_exact<FinalReceipt>(encode_bytes(made.receipt));
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(*read, made.receipt);
    const auto shown = verify(*read, made.net.roster, made.net.scheme);
    ASSERT_TRUE(shown.has_value()) << shown.error().message;
    EXPECT_EQ(shown->verdict.call, made.id);
    EXPECT_EQ(shown->verdict.agreeing, 4U) << "of seats 2 to 5, of which the genesis knows two";
    EXPECT_EQ(shown->answers_of_seats, 4U);
    EXPECT_EQ(shown->epoch, Epoch{5});
    EXPECT_EQ(shown->seats, 4U);
    EXPECT_EQ(shown->voters, 4U);
}

// [RECEIPT-OFFLINE.1]
TEST(ReceiptLinks, ALinkThatIsMissingForgedForeignOrOutOfOrderIsNamed) {
    const Changed good;
    const auto has = [&](const FinalReceipt& bad, const std::string& reason) {
        EXPECT_NE(good.refused(bad).find(reason), std::string::npos) << good.refused(bad);
    };
    {
        FinalReceipt bad = good.receipt;
        bad.links.clear();
        has(bad, "receipt: the answers shown do not carry the verdict");
    }
    {
        FinalReceipt bad = good.receipt;
        bad.links.pop_back();
        has(bad, "receipt: the answers shown do not carry the verdict");
    }
    {
        FinalReceipt bad = good.receipt;
        bad.links.erase(bad.links.begin());
        has(bad,
            "the link at the end of epoch 4 is not signed by those who voted then, as the genesis "
            "says; a link may be missing");
    }
    {
        FinalReceipt bad = good.receipt;
        std::swap(bad.links[0], bad.links[1]);
        has(bad, "the link at the end of epoch 4 is not signed");
    }
    {
        FinalReceipt bad = good.receipt;
        bad.links.insert(bad.links.begin() + 1, bad.links[0]);
        has(bad, "the link at the end of epoch 2 is out of order");
    }
    {
        FinalReceipt bad = good.receipt;
        bad.links[0].finalization.signatures[0] = {};
        has(bad, "the link at the end of epoch 2 is not signed by those who voted then");
    }
    {
        FinalReceipt bad = good.receipt;
        bad.links[1].members[0].name = "another";
        has(bad, "the link at the end of epoch 4 names another roster than it shows");
    }
    {
        FinalReceipt bad = good.receipt;
        bad.links[1].boundary.view = bad.links[1].boundary.view.next();
        has(bad, "the link at the end of epoch 4 is finalised by another certificate");
    }
    {
        // A boundary that is none, of an epoch in which nothing changed.
        FinalReceipt bad = good.receipt;
        bad.links[0].boundary.height = bad.links[0].boundary.height.prev();
        has(bad, "the link at the end of epoch 2 is no boundary");
    }
    {
        FinalReceipt bad = good.receipt;
        bad.block.epoch = Epoch{2};
        has(bad, "receipt: the block is of another epoch than its height");
    }
    {
        // The end of the block's own epoch says nothing about the block.
        FinalReceipt bad = good.receipt;
        bad.links[1].boundary.epoch = Epoch{5};
        has(bad, "the link at the end of epoch 5 is later than the block");
    }
    const Network other{5, QuorumMode::byzantine, span};
    EXPECT_FALSE(verify(good.receipt, other.roster, other.scheme).has_value()) << "another chain";
}

// Of a link that is shown although nothing changed the signatures hold, and yet it is refused: a receipt
// has one form.
// [RECEIPT-OFFLINE.1]
TEST(ReceiptLinks, ALinkThatChangesNothingIsOneTooMany) {
    Changed made;
    Block block = next_block(made.state);
    ASSERT_EQ(block.epoch, Epoch{5});
    block.epoch = Epoch{1};
    block.height = Height{span};
    block.next_roster = made.net.roster.digest();
    block.executed.height = Height{1};
    FinalReceipt bad = made.receipt;
    bad.links.insert(
        bad.links.begin(),
        {block, std::nullopt, made.finalization(block), made.net.roster.members()}
    );
    EXPECT_EQ(made.refused(bad), "receipt: the link at the end of epoch 1 changes nothing");
}

// [RECEIPT-OFFLINE.1]
TEST(ReceiptLinks, EveryChangedByteIsNoticed) {
    const Changed made;
    const Bytes good = encode_bytes(made.receipt);
    for (std::size_t i = 0; i < good.size(); i += 3) {
        Bytes bad = good;
        bad[i] ^= 0x10U;
        const auto read = decode_exact<FinalReceipt>(bad);
        if (read) {
            EXPECT_FALSE(verify(*read, made.net.roster, made.net.scheme).has_value()) << i;
        }
        const auto shorter = decode_exact<FinalReceipt>(ByteView{good}.first(i));
        if (shorter) {
            EXPECT_FALSE(verify(*shorter, made.net.roster, made.net.scheme).has_value()) << i;
        }
    }
}

TEST(ReceiptLinks, OneMoreThanThereMayBeIsNotRead) {
    const Changed made;
    FinalReceipt bad = made.receipt;
    bad.links.assign(limits::roster_links_max, made.links[0]);
    EXPECT_TRUE(decode_exact<FinalReceipt>(encode_bytes(bad)).has_value());
    bad.links.push_back(made.links[0]);
    EXPECT_FALSE(decode_exact<FinalReceipt>(encode_bytes(bad)).has_value());
}

}  // namespace
}  // namespace creto
