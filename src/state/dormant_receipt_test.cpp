// A final receipt of an epoch in which seats are dormant is checked with the quorum of that epoch.
#include <gtest/gtest.h>

#include "state/final_receipt.hpp"
#include "state/receipt_desk.hpp"
#include "state/state_fixture.hpp"

namespace creto::state_test {
namespace {

constexpr std::uint32_t long_span = 8;

/// Seven seats, of which three fall silent; two are set aside, and the other four make a verified call.
struct Quiet {
    Quiet() {
        while (voters(state.height()).dormant() == 0)
            finish({});
        Call call{net, *net.signers[2], {0, 1, 2, 3}, 3};
        for (const std::uint32_t seat : {0U, 1U, 2U, 3U})
            call.answered(net, seat, "300");
        desk.watch(call.id, call.receipt);
        finish({net.vertex(2, {net.operation(2, call.record())})});
        const Block block = next();
        auto made = desk.finalised(block, finalization(block, 4), links);
        CRETO_ASSERT(made.size() == 1);
        receipt = std::move(made.front());
    }
    /// Of the epoch of the block after this height.
    [[nodiscard]] Roster voters(Height after) const {
        const Epoch epoch = net.roster.epochs().after(after);
        return {net.roster, epoch, state.seats().seating(epoch)};
    }
    [[nodiscard]] Block next() const {
        Block block = next_block(state);
        block.proposer = Seat{static_cast<std::uint32_t>(block.height.value() % 4)};
        if (block.height > Height{1} && !voters(state.height()).dormant())
            block.turnout = Turnout{state.height(), {Seat{5}, Seat{6}}};
        return block;
    }
    [[nodiscard]] Certificate finalization(const Block& block, std::uint32_t signers) const {
        const Roster roster = voters(block.height.prev());
        std::vector<Vote> votes;
        for (std::uint32_t seat = 0; seat < signers; ++seat)
            votes.push_back(net.vote(seat, block.content(VoteKind::finalize)));
        return make_certificate(votes, roster);
    }
    void finish(const std::vector<VertexPtr>& ordered) {
        Block block = next();
        if (net.roster.epochs().is_boundary(block.height)) {
            const Roster later = voters(block.height);
            block.next_roster = later.digest();
            if (later.digest() != voters(block.height.prev()).digest()) {
                links.push_back(
                    {block, std::nullopt, finalization(block, 5), later.members(), later.dormant()}
                );
            }
        }
        const auto done = state.apply(block, block.id(), ordered);
        for (const auto& operation : done.operations)
            EXPECT_TRUE(operation.applied) << operation.reason;
        desk.executed(state);
    }
    [[nodiscard]] std::string refused(const FinalReceipt& changed) const {
        const auto result = verify(changed, net.roster, net.scheme);
        return result ? "accepted" : result.error().message;
    }

    Network net{7, QuorumMode::byzantine, long_span, 35};
    FinalState state{net.roster};
    ReceiptDesk desk;
    std::vector<RosterLink> links;
    FinalReceipt receipt;
};

// [SEAT-DORMANT.4] [RECEIPT-OFFLINE.1]
TEST(DormantReceipt, FourOfFiveFinaliseItAsTheLinkShowsAndThreeDoNot) {
    const Quiet made;
    ASSERT_EQ(made.receipt.links.size(), 1U);
    EXPECT_EQ(made.receipt.links[0].dormant, 2U);
    const auto read = decode_exact<FinalReceipt>(encode_bytes(made.receipt));
    ASSERT_TRUE(read.has_value());
    const auto shown = verify(*read, made.net.roster, made.net.scheme);
    ASSERT_TRUE(shown.has_value()) << shown.error().message;
    EXPECT_EQ(shown->seats, 4U);
    EXPECT_EQ(shown->voters, 5U);

    FinalReceipt awake = made.receipt;
    awake.links[0].dormant = 0;
    EXPECT_NE(made.refused(awake).find("another roster than it shows"), std::string::npos)
        << made.refused(awake);
    FinalReceipt thin = made.receipt;
    ASSERT_FALSE(thin.finalization.signatures.empty());
    thin.finalization.signatures.pop_back();
    thin.finalization.signers[0] = 0b111;
    EXPECT_NE(made.refused(thin), "accepted");
    FinalReceipt unlinked = made.receipt;
    unlinked.links.clear();
    EXPECT_NE(made.refused(unlinked), "accepted") << "of seven four are no quorum";
}

}  // namespace
}  // namespace creto::state_test
