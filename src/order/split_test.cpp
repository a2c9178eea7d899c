// Views whose certificates reach some nodes late, or never, or in another order than others.
#include <gtest/gtest.h>

#include "order/keys.hpp"
#include "order/testing/script.hpp"

namespace creto::simplex::testing {
namespace {

/// A node that gave view 1 up because of a vertex that nobody ordered.
void give_up_view_1(Script& s) {
    s.cluster.produce(s.node);
    s.pass(Duration::from_ms(250));
    ASSERT_EQ(s.words(1), "X");
}

// Failure 4: a finalize vote was built anew for a view that had been given up, because the flag was
// asked too late, and later because pruning had deleted it. [ORD-F1.1] [ORD-W2.1]
TEST(Split, ALateNotarizationOfAViewThatWasGivenUpIsNeverFinalisedHere) {
    Script s{3};
    give_up_view_1(s);
    const Block b1 = s.block(s.genesis(), 1);
    const Block b2 = s.block(tip_of(s.genesis(), b1), 2);
    s.tell(0, s.cluster.sign(b1));
    s.tell(0, s.certificate(VoteKind::notarize, b1));
    EXPECT_EQ(s.ordering().view(), View{2});
    EXPECT_EQ(s.words(1), "X");
    s.tell(1, s.cluster.sign(b2));
    s.tell(1, s.certificate(VoteKind::notarize, b2));
    EXPECT_EQ(s.words(2), "NF");
    s.restart();
    s.tell(0, s.certificate(VoteKind::notarize, b1));
    s.tell(0, s.cluster.sign(b1));  // Nothing stored it: there was no vote for it.
    s.pass(Duration::from_s(3));    // Every repeat of an overdue view.
    s.tell(1, s.certificate(VoteKind::finalize, b2));
    EXPECT_EQ(s.ordering().finalized_height(), Height{2});
    s.tell(0, s.certificate(VoteKind::notarize, b1));  // Pruned by now.
    s.restart();
    s.tell(0, s.certificate(VoteKind::notarize, b1));
    s.pass(Duration::from_s(3));
    EXPECT_EQ(s.words(1), "X");
}

// Failure 6: a block on the grandparent was accepted without proof that the view between was given
// up, and that view was final. [ORD-N3.1] [ORD-N4.1]
TEST(Split, ABlockThatSkipsANotarizedViewWaitsAndIsRefusedOnceThatViewIsFinal) {
    Script s{3};
    const Block b1 = s.block(s.genesis(), 1);
    s.tell(0, s.cluster.sign(b1));
    s.tell(0, s.certificate(VoteKind::notarize, b1));
    ASSERT_EQ(s.ordering().view(), View{2});
    s.tell(1, s.cluster.sign(s.block(s.genesis(), 2)));
    s.pass(Duration::from_ms(30));
    EXPECT_EQ(s.words(2), "");
    EXPECT_GT(s.times(CertificateRequest{Epoch{1}, View{1}, VoteKind::nullify}), 0U);
    s.tell(0, s.certificate(VoteKind::finalize, b1));
    EXPECT_EQ(s.words(2), "X");
    EXPECT_EQ(s.ordering().counters().proposals_refused, 1U);
}

// Failure 23: a node that gave a view up refused its late notarization, and so every block on it.
// Whichever of the two certificates the next leader builds on, the node follows. [ORD-C3.1]
TEST(Split, ANodeThatGaveUpFollowsTheNextLeaderOnEitherBranch) {
    for (const bool on_notarized : {true, false}) {
        Script s{3};
        give_up_view_1(s);
        const Block b1 = s.block(s.genesis(), 1);
        const Block b2 = s.block(on_notarized ? tip_of(s.genesis(), b1) : s.genesis(), 2);
        s.tell(1, s.nullification(1));
        ASSERT_EQ(s.ordering().view(), View{2});
        s.tell(1, s.cluster.sign(b2));
        s.tell(2, s.certificate(VoteKind::notarize, b1));
        s.tell(0, s.cluster.sign(b1));
        EXPECT_EQ(s.words(2), "N") << on_notarized;
        s.tell(1, s.certificate(VoteKind::notarize, b2));
        s.tell(1, s.certificate(VoteKind::finalize, b2));
        EXPECT_EQ(s.ordering().finalized_id(), b2.id());
    }
}

/// What a node may know of a view.
enum Knows : Index { notarization = 1, nullification = 2, both = 3 };

/// Four seats that all voted Notarize and then Nullify in views 1 to 3, so that every certificate
/// is possible, and each of which knows only some of the certificates.
class Splits {
public:
    explicit Splits(std::uint64_t seed) : cluster{{.n = 4, .seed = seed}} {
        BranchTip tip = genesis_tip();
        tip.id = genesis_block_id(cluster.roster().chain());
        for (std::uint64_t view = 1; view <= 3; ++view) {
            Block made = block_on(tip, view);
            made.proposer = leader_of(cluster.roster(), View{view});
            tip = tip_of(tip, made);
            blocks_.push_back(made);
        }
        for (Index i = 0; i < 4; ++i)
            remember_votes(i);
    }
    void teach(Index node, std::uint64_t view, Index knows) {
        const Block& made = blocks_[view - 1];
        FakeDisk& disk = cluster.node(node).disk;
        if ((knows & notarization) != 0)
            disk.put(write_certificate(quorum(made.content(VoteKind::notarize), view)));
        if ((knows & nullification) != 0)
            disk.put(write_certificate(quorum(Seats::nullify(view), view + 1)));
    }

    Cluster cluster;

private:
    /// Seat `view` mod 4 did not sign: it has not seen the block either.
    [[nodiscard]] static bool signs(Index i, std::uint64_t view) { return i != view % 4; }
    [[nodiscard]] Certificate quorum(const VoteContent& content, std::uint64_t without) const {
        std::vector<Vote> votes;
        for (Index i = 0; i < 4; ++i) {
            if (signs(i, without)) votes.push_back(cluster.seats().vote(i, content));
        }
        return make_certificate(votes, cluster.roster());
    }
    void remember_votes(Index i) {
        FakeDisk& disk = cluster.node(i).disk;
        for (std::uint64_t view = 1; view <= 3; ++view) {
            const Block& made = blocks_[view - 1];
            const VoteContent content = made.content(VoteKind::notarize);
            if (signs(i, view)) {
                disk.put(write_pending(made.id(), cluster.sign(made)));
                disk.put_vote(encode_vote_record(cluster.seats().vote(i, content)));
            }
            if (signs(i, view + 1)) {
                const VoteContent nullify = Seats::nullify(view);
                disk.put_vote(encode_vote_record(cluster.seats().vote(i, nullify)));
            }
        }
    }

    std::vector<Block> blocks_;
};

// Failure 22: some nodes held the notarization of a view, others its nullification; each refused the
// parents of the others, and a network in which everybody was online stood still. [ORD-C3.1]
TEST(Split, AnySplitOfCertificatesHeals) {
    // Each node knows, of each of three views, one of the two: 4,096 splits, and with both or with
    // nothing at random. Every seventh split keeps the test short.
    for (std::uint64_t split = 0; split < 4'096; split += 7) {
        Splits s{split + 1};
        Prng prng{split};
        for (Index node = 0; node < 4; ++node) {
            for (std::uint64_t view = 1; view <= 3; ++view) {
                const bool nullified = (split >> (3 * node + view - 1) & 1U) != 0;
                Index knows = nullified ? nullification : notarization;
                if (prng.chance(1, 8)) knows = both;
                if (view == 3 && prng.chance(1, 8)) knows = 0;
                s.teach(node, view, knows);
            }
        }
        s.cluster.start_all();
        s.cluster.produce(0);
        ASSERT_TRUE(s.cluster.run_until_ordered(Duration::from_s(5))) << "split " << split;
    }
}

// Failure 31: a node voted on descendants of a block that it had never seen and could verify none of
// them. [ORD-G1.1]
TEST(Split, ANodeThatMissedTheProposalsOfTwentyViewsFollowsAgain) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Cluster c{{.n = 4, .seed = seed}};
        c.pass = [](Index, Index to, const Message& message) {
            const auto* proposal = std::get_if<Proposal>(&message);
            return to != 3 || proposal == nullptr || proposal->block.view > View{20};
        };
        c.start_all();
        c.run_for(Duration::from_ms(50));
        while (c.ordering(0).view() < View{30}) {
            c.produce(0);
            c.run_for(Duration::from_ms(10));
            ASSERT_LT(c.now().ns(), Duration::from_s(60).ns()) << "seed " << seed;
        }
        EXPECT_TRUE(c.run_until_ordered(Duration::from_s(5))) << "seed " << seed;
        std::size_t votes = 0;
        for (std::uint64_t view = 21; view <= 30; ++view)
            votes += c.words(3, view).find('N') != std::string::npos ? 1 : 0;
        EXPECT_GE(votes, 5U) << "seed " << seed;
    }
}

}  // namespace
}  // namespace creto::simplex::testing
