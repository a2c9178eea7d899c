#include "sim/invariants.hpp"

#include "sim/testing/numbers.hpp"
#include "sim/testing/signers.hpp"

namespace creto {
namespace {

using sim_testing::first;
using sim_testing::second;

constexpr Instant now;
/// Four seats with their disks, and words for what they say.
class InvariantsTest : public SignersTest {
protected:
    void SetUp() override { make(QuorumMode::byzantine, 4); }

    void make(QuorumMode mode, std::uint32_t seats) {
        make_seats(seats, mode);
        std::vector<std::optional<Seat>> seat_of;
        for (const Member& member : genesis_.members)
            seat_of.emplace_back(member.seat);
        invariants_.emplace(genesis_, scheme_, std::move(seat_of));
    }

    /// Writes the vote, waits for the disk, and sends.
    void persist(const Vote& what) {
        ASSERT_TRUE(disk_.write({}, {encode_bytes(what)}, Durable::yes, now).has_value());
    }
    void send(NodeIndex node, const Message& message, Duration later = Duration::from_s(1)) {
        invariants_->on_sent(node, encode_message(message), disk_, now + later);
    }
    void persist_and_send(NodeIndex node, const Vote& what) {
        persist(what);
        send(node, what);
    }
    void finalize(NodeIndex node, const Block& block, std::uint8_t state = 0) {
        std::array<std::uint8_t, 32> root{};
        root[0] = state;
        invariants_->on_finalized(node, {block, block.id(), {}, Digest{root}, 0}, now);
    }
    static Block block(std::uint64_t height, const Block* parent = nullptr) {
        Block made;
        made.epoch = Epoch{1};
        made.height = Height{height};
        made.view = View{height};
        if (parent != nullptr) made.parent = parent->id();
        return made;
    }
    std::string broken() const {
        const auto& violation = invariants_->violation();
        return violation ? violation->checker : "none";
    }

    std::optional<Invariants> invariants_;
    SimDisk disk_{{}};
};

TEST_F(InvariantsTest, AcceptsARunThatKeepsItsPromises) {
    const Block one = block(1);
    const Block two = block(2, &one);
    for (const NodeIndex node : {first, second}) {
        finalize(node, one);
        finalize(node, two);
    }
    persist_and_send(first, vote(0, content(VoteKind::notarize, 3, 1)));
    persist_and_send(first, vote(0, content(VoteKind::nullify, 3, 0)));
    persist_and_send(first, vote(0, content(VoteKind::notarize, 4, 2)));
    persist_and_send(first, vote(0, content(VoteKind::finalize, 4, 2)));
    persist_and_send(second, vote(1, content(VoteKind::notarize, 3, 1)));
    send(first, certificate(content(VoteKind::notarize, 3, 1), {0, 1, 2}));
    send(first, certificate(content(VoteKind::nullify, 3, 0), {0, 1, 3}));
    EXPECT_EQ(broken(), "none");
    const InvariantCounts expected{4, 2, 5, 2, 1};
    EXPECT_EQ(invariants_->counts(), expected);
    EXPECT_EQ(invariants_->finalized(first), Height{2});
}

TEST_F(InvariantsTest, CatchesTwoBlocksAtOneHeight) {
    const Block one = block(1);
    Block other = block(1);
    other.view = View{9};
    finalize(first, one);
    finalize(second, other);
    EXPECT_EQ(broken(), "agreement");
}

TEST_F(InvariantsTest, CatchesTwoStatesAtOneHeight) {
    finalize(first, block(1), 1);
    finalize(second, block(1), 2);
    EXPECT_EQ(broken(), "agreement");
    EXPECT_NE(invariants_->violation()->text.find("state root"), std::string::npos);
}

TEST_F(InvariantsTest, CatchesAGapARepeatAndAWrongParent) {
    const Block one = block(1);
    const Block two = block(2, &one);
    finalize(first, one);
    finalize(first, one);
    EXPECT_EQ(broken(), "prefix") << "a repeat";
    SetUp();
    finalize(first, one);
    finalize(first, two);
    finalize(second, two);
    EXPECT_EQ(broken(), "prefix") << "a gap";
    SetUp();
    finalize(first, one);
    finalize(first, block(2));
    EXPECT_EQ(broken(), "prefix") << "a parent that is not the block below";
    SetUp();
    Block changed = one;
    changed.view = View{7};
    invariants_->on_finalized(first, {changed, one.id(), {}, {}, 0}, now);
    EXPECT_EQ(broken(), "prefix") << "an id of another block";
}

TEST_F(InvariantsTest, LetsARestartedNodeRepeatButNotSkip) {
    const Block one = block(1);
    const Block two = block(2, &one);
    const Block three = block(3, &two);
    const Block four = block(4, &three);
    for (const Block* each : {&one, &two, &three, &four})
        finalize(first, *each);
    finalize(second, one);
    finalize(second, two);
    invariants_->on_restart(second);
    finalize(second, two);
    finalize(second, three);
    EXPECT_EQ(broken(), "none");
    invariants_->on_restart(second);
    finalize(second, block(5, &four));
    EXPECT_EQ(broken(), "prefix");
}

TEST_F(InvariantsTest, CatchesASecondVoteAlsoAfterARestart) {
    persist_and_send(first, vote(0, content(VoteKind::notarize, 3, 1)));
    send(first, vote(0, content(VoteKind::notarize, 3, 1)));
    EXPECT_EQ(broken(), "none") << "the same again is no second vote";
    invariants_->on_restart(first);
    persist_and_send(first, vote(0, content(VoteKind::notarize, 3, 2)));
    EXPECT_EQ(broken(), "single-vote");
}

TEST_F(InvariantsTest, CatchesAProposalAgainstAVote) {
    Proposal proposal;
    proposal.block = block(3);
    proposal.block.parent_view = View{2};
    proposal.block.proposer = Seat{0};
    persist(proposal.leader_vote());
    send(first, proposal);
    EXPECT_EQ(broken(), "none");
    EXPECT_EQ(invariants_->counts().votes, 1U);
    persist_and_send(first, vote(0, content(VoteKind::notarize, 3, 2)));
    EXPECT_EQ(broken(), "single-vote");
}

TEST_F(InvariantsTest, CatchesFinalizeAndNullifyOfOneViewInEitherOrder) {
    persist_and_send(first, vote(0, content(VoteKind::finalize, 3, 1)));
    persist_and_send(first, vote(0, content(VoteKind::nullify, 3, 0)));
    EXPECT_EQ(broken(), "single-vote");
    SetUp();
    persist_and_send(first, vote(0, content(VoteKind::nullify, 3, 0)));
    persist_and_send(first, vote(0, content(VoteKind::finalize, 3, 1)));
    EXPECT_EQ(broken(), "single-vote");
}

TEST_F(InvariantsTest, CatchesAVoteThatIsNotDurable) {
    persist(vote(0, content(VoteKind::notarize, 3, 2)));
    send(first, vote(0, content(VoteKind::notarize, 3, 1)));
    EXPECT_EQ(broken(), "durable-vote") << "another vote is durable";
    SetUp();
    persist(vote(0, content(VoteKind::notarize, 3, 1)));
    send(first, vote(0, content(VoteKind::notarize, 3, 1)), Duration{});
    EXPECT_EQ(broken(), "durable-vote") << "the sync has not ended";
}

TEST_F(InvariantsTest, CatchesCertificatesThatProveNothing) {
    const VoteContent what = content(VoteKind::notarize, 3, 1);
    send(first, certificate(what, {0, 1}));
    EXPECT_EQ(broken(), "certificate") << "two of four";
    SetUp();
    Certificate forged = certificate(what, {0, 1, 2});
    forged.content.block = content(VoteKind::notarize, 3, 9).block;
    send(first, forged);
    EXPECT_EQ(broken(), "certificate") << "signatures of another content";
    SetUp();
    Certificate repeated = certificate(what, {0, 1, 2});
    repeated.signatures[2] = repeated.signatures[1];
    send(first, repeated);
    EXPECT_EQ(broken(), "certificate") << "one signer twice";
}

TEST_F(InvariantsTest, CountsQuorumsOfTheCrashMode) {
    make(QuorumMode::crash, 5);
    const VoteContent what = content(VoteKind::notarize, 3, 1);
    send(first, certificate(what, {0, 1, 2}));
    EXPECT_EQ(broken(), "none");
    send(first, certificate(what, {0, 1}));
    EXPECT_EQ(broken(), "certificate");
}

TEST_F(InvariantsTest, CatchesTwoOutcomesOfOneView) {
    send(first, certificate(content(VoteKind::notarize, 3, 1), {0, 1, 2}));
    send(second, certificate(content(VoteKind::notarize, 3, 2), {1, 2, 3}));
    EXPECT_EQ(broken(), "one-outcome") << "two notarized blocks";
    SetUp();
    send(first, certificate(content(VoteKind::finalize, 3, 1), {0, 1, 2}));
    send(second, certificate(content(VoteKind::nullify, 3, 0), {1, 2, 3}));
    EXPECT_EQ(broken(), "one-outcome") << "finalised and nullified";
    SetUp();
    send(first, certificate(content(VoteKind::notarize, 3, 1), {0, 1, 2}));
    send(second, certificate(content(VoteKind::finalize, 3, 2), {1, 2, 3}));
    EXPECT_EQ(broken(), "one-outcome") << "another block finalised than notarized";
}

TEST_F(InvariantsTest, CatchesAVoteThatSkipsAViewWithoutAReason) {
    VoteContent skipping = content(VoteKind::notarize, 5, 1);
    skipping.parent_view = View{3};
    persist_and_send(first, vote(0, content(VoteKind::finalize, 4, 2)));
    persist_and_send(first, vote(0, skipping));
    EXPECT_EQ(broken(), "justification") << "it left its lock";
    SetUp();
    persist_and_send(first, vote(0, content(VoteKind::finalize, 4, 2)));
    for (std::uint32_t seat = 1; seat < 4; ++seat)
        persist_and_send(NodeIndex{seat}, vote(seat, content(VoteKind::nullify, 4, 0)));
    persist_and_send(first, vote(0, skipping));
    EXPECT_EQ(broken(), "none") << "three nullified view 4";
    SetUp();
    invariants_->set_byzantine(NodeIndex{3});
    for (std::uint32_t seat = 1; seat < 3; ++seat)
        persist_and_send(NodeIndex{seat}, vote(seat, content(VoteKind::nullify, 4, 0)));
    persist_and_send(first, vote(0, skipping));
    EXPECT_EQ(broken(), "none") << "two did, and the liar may have";
}

TEST_F(InvariantsTest, CatchesAnotherEpoch) {
    VoteContent other = content(VoteKind::notarize, 1, 1);
    other.epoch = Epoch{2};
    persist_and_send(first, vote(0, other));
    EXPECT_EQ(broken(), "epoch");
}

TEST_F(InvariantsTest, CatchesAStatusThatFalls) {
    send(first, OrderStatus{Epoch{1}, View{7}, View{5}, Height{5}});
    send(second, OrderStatus{Epoch{1}, View{3}, View{2}, Height{2}});
    EXPECT_EQ(broken(), "none");
    send(first, OrderStatus{Epoch{1}, View{6}, View{5}, Height{5}});
    EXPECT_EQ(broken(), "monotonic");
    SetUp();
    send(first, OrderStatus{Epoch{1}, View{7}, View{5}, Height{5}});
    invariants_->on_restart(first);
    send(first, OrderStatus{Epoch{1}, View{6}, View{4}, Height{4}});
    EXPECT_EQ(broken(), "none") << "what was not synced may be lost";
}

TEST_F(InvariantsTest, CatchesAProofAboutAnHonestSeat) {
    const VoteConflict proof{
        vote(2, content(VoteKind::notarize, 3, 1)), vote(2, content(VoteKind::notarize, 3, 2))};
    invariants_->set_byzantine(NodeIndex{2});
    send(first, EvidenceNotice{proof});
    EXPECT_EQ(broken(), "none");
    SetUp();
    send(first, EvidenceNotice{proof});
    EXPECT_EQ(broken(), "evidence");
}

TEST_F(InvariantsTest, HoldsNothingAgainstAByzantineNode) {
    invariants_->set_byzantine(first);
    send(first, vote(0, content(VoteKind::notarize, 3, 1)));
    send(first, vote(0, content(VoteKind::notarize, 3, 2)));
    finalize(first, block(7));
    EXPECT_EQ(broken(), "none");
    EXPECT_EQ(invariants_->counts(), InvariantCounts{});
}

TEST_F(InvariantsTest, KeepsTheFirstViolation) {
    finalize(first, block(1), 1);
    finalize(second, block(1), 2);
    finalize(first, block(9));
    EXPECT_EQ(broken(), "agreement");
    EXPECT_EQ(invariants_->violation()->node, second);
}

}  // namespace
}  // namespace creto
