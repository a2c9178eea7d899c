// More than anyone should say: what is held and what is done stays within its bounds.
#include <gtest/gtest.h>

#include "order/testing/liars.hpp"
#include "order/testing/script.hpp"

namespace creto::simplex::testing {
namespace {

/// The node under test hears lies from seat 0.
struct Flood : Script {
    Flood() : Script{3} { cluster.node(0).liar = std::make_unique<DoubleVoter>(cluster, 0); }
};

// Failure 39: a leader that signs many proposals filled the queues, and genuine ones were dropped in
// silence; other nodes' claims by-passed the window. [ORD-A1.2] (rule A1)
TEST(Flood, AThousandProposalsOfOneLeaderFillNothingAndHinderNobody) {
    Flood s;
    const Block first = s.block(s.genesis(), 1);
    s.tell(0, s.cluster.sign(first));
    ASSERT_EQ(s.words(1), "N");
    for (std::uint64_t k = 1; k <= 1'000; ++k) {
        Block more = first;
        more.cut_root = Digest{blake3(as_bytes(std::to_string(k)))};
        s.cluster.deliver(0, 3, s.cluster.sign(more));
    }
    s.cluster.settle(3);
    EXPECT_EQ(s.cluster.node(3).evidence.size(), 1U);
    EXPECT_LE(s.ordering().held().blocks, 2U);
    // Beyond the window nothing is kept, whoever leads there.
    const auto held = s.ordering().held();
    for (std::uint64_t view = limits::view_window + 2; view < 1'000; view += 4) {
        const Index leader = s.leader(view);
        s.cluster.deliver(leader, 3, s.cluster.sign(s.block(s.genesis(), view)));
    }
    s.cluster.settle(3);
    EXPECT_EQ(s.ordering().held().views, held.views);
    EXPECT_EQ(s.ordering().held().blocks, held.blocks);
    // The genuine next proposal is judged at once.
    const Block b2 = s.block(s.genesis(), 2);
    s.tell(1, s.nullification(1));
    s.tell(1, s.cluster.sign(b2));
    EXPECT_EQ(s.words(2), "N");
}

// Failure 40: one certificate answered many requests, and serving was unbounded. What one peer is
// served is its quota, whatever it asks. (rule G4)
TEST(Flood, APeerIsServedItsQuotaAndNoMore) {
    Flood s;
    BranchTip tip = s.genesis();
    for (std::uint64_t view = 1; view <= 3; ++view) {
        const Block made = s.block(tip, view);
        s.tell(1, s.cluster.sign(made));
        s.tell(1, s.certificate(VoteKind::notarize, made));
        if (view == 3) s.tell(1, s.certificate(VoteKind::finalize, made));
        tip = tip_of(tip, made);
    }
    ASSERT_EQ(s.ordering().finalized_height(), Height{3});
    s.said.clear();
    const Instant from = s.cluster.now();
    for (int k = 0; k < 3'000; ++k) {
        s.cluster.deliver(0, 3, CertificateRequest{Epoch{1}, View{1}, VoteKind::nullify});
        s.cluster.deliver(0, 3, ChainRequest{Height{1}, 256});
        s.cluster.deliver(0, 3, BlockRequest{tip.id});
    }
    s.cluster.settle(3);
    EXPECT_EQ(s.cluster.now(), from);
    EXPECT_LE(s.said.size(), 400U);
    EXPECT_GE(s.ordering().counters().requests_refused, 8'600U);
    // The others are served as before.
    s.said.clear();
    s.cluster.deliver(1, 3, ChainRequest{Height{1}, 256});
    s.cluster.settle(3);
    ASSERT_EQ(s.said.size(), 1U);
    EXPECT_EQ(std::get<ChainAnswer>(s.said[0].second).blocks.size(), 3U);
}

// Failure 41: votes of future views by anyone filled the memory, and trackers were never pruned.
// Twenty thousand views, each with votes by everyone for views all over the place. (rule A1)
TEST(Flood, TwentyThousandViewsLeaveMemoryAsItWas) {
    Flood s;
    Prng prng{1};
    BranchTip tip = s.genesis();
    OrderingHeld most;
    for (std::uint64_t view = 1; view <= 20'000; ++view) {
        const std::uint64_t far = view + prng.below(1'000'000);
        s.cluster.deliver(0, 3, s.cluster.seats().vote(0, Seats::nullify(far)));
        s.cluster.deliver(0, 3, s.cluster.seats().vote(0, Seats::nullify(view + prng.below(80))));
        if (view % 4 == 3) {
            s.cluster.deliver(1, 3, s.nullification(view));
        } else {
            Block made = s.block(tip, view);
            made.executed = s.cluster.node(3).executed;
            s.cluster.deliver(s.leader(view), 3, s.cluster.sign(made));
            s.cluster.deliver(1, 3, s.certificate(VoteKind::finalize, made));
            tip = tip_of(tip, made);
        }
        s.cluster.settle(3);
        s.said.clear();
        static_cast<void>(s.cluster.node(3).ordering->take_evidence());
        const OrderingHeld held = s.ordering().held();
        most.views = std::max(most.views, held.views);
        most.voted_views = std::max(most.voted_views, held.voted_views);
        most.own_views = std::max(most.own_views, held.own_views);
        most.blocks = std::max(most.blocks, held.blocks);
        most.marks = std::max(most.marks, held.marks);
        most.wants = std::max(most.wants, held.wants);
        most.final_blocks = std::max(most.final_blocks, held.final_blocks);
        if (view % 8 == 0) s.pass(Duration::from_ms(1));
    }
    EXPECT_EQ(s.ordering().finalized_view(), View{20'000});
    EXPECT_LE(most.views, 4U);
    EXPECT_LE(most.voted_views, limits::view_window + 2);
    EXPECT_LE(most.own_views, 16U);
    EXPECT_LE(most.blocks, 4U);
    EXPECT_LE(most.marks, 16U);
    EXPECT_LE(most.wants, 4U);
    EXPECT_LE(most.final_blocks, limits::view_retention);
}

// Failure 35: signers were counted twice or without a seat, the number was not compared with the
// quorum, and an unchecked vote replaced a checked one. [ORD-C0.1] [ORD-A1.2]
TEST(Flood, ACertificateCountsDistinctMembersOrNothing) {
    const Seats seats{7};
    const VoteContent content = Seats::content(VoteKind::notarize, 3, 2, block_id("a"));
    const Certificate good = seats.certificate(content, 0, 4);
    const auto passes = [&](const Certificate& c) {
        const auto items = check_items(Message{c}, seats.roster);
        return items && CheckPass::verify(seats.scheme, *items).has_value();
    };
    EXPECT_TRUE(passes(good));
    const auto changed = [&](auto&& change) {
        Certificate bad = good;
        change(bad);
        return bad;
    };
    const std::vector<Certificate> bad{
        changed([](auto& c) { c.signatures[1] = c.signatures[0]; }),  // One seat twice.
        changed([](auto& c) {                                         // One too few.
            c.signatures.pop_back();
            c.signers[0] = 0x0F;
        }),
        changed([](auto& c) { c.signers[0] = 0x0F; }),      // A bit too few for the signatures.
        changed([](auto& c) { c.signatures.pop_back(); }),  // A signature too few for the bits.
        changed([](auto& c) {                               // A bit that names no member.
            c.signers[0] = 0x8F;
        }),
        changed([](auto& c) { c.signers.push_back(0); }),  // Longer than the roster.
        changed([](auto& c) { c.signers.clear(); }),       // Shorter.
        changed([](auto& c) { c.signers[0] = 0x2F; }),     // Another signer than who signed.
        changed([](auto& c) { c.content.epoch = Epoch{2}; }),
        changed([](auto& c) { c.content.view = View{4}; }),
        changed([](auto& c) { c.content.parent_view = View{1}; }),
        changed([](auto& c) { c.content.kind = VoteKind::finalize; }),
        changed([](auto& c) { std::swap(c.signatures[0], c.signatures[1]); })};
    for (std::size_t i = 0; i < bad.size(); ++i)
        EXPECT_FALSE(passes(bad[i])) << i;
    // Agents of another network with the same seats.
    const Seats others{6};
    EXPECT_FALSE(passes(others.certificate(content, 0, 4)));
}

}  // namespace
}  // namespace creto::simplex::testing
