// Lying seats, up to t of them: agreement, progress, proofs against the guilty and nobody else.
#include "order/testing/liars.hpp"

#include <gtest/gtest.h>

#include "order/testing/script.hpp"

namespace creto::simplex::testing {
namespace {

/// Everybody has met everybody before the first work: a lie that reaches nobody proves nothing.
void meet(Cluster& c) {
    c.start_all();
    c.run_for(Duration::from_ms(50));
}

/// Work for `steps` of 20 ms; the last is ordered everywhere within the limit.
void work(Cluster& c, int steps) {
    for (int k = 0; k < steps; ++k) {
        c.produce(static_cast<Index>(c.prng().below(c.options().n)));
        c.produce(static_cast<Index>(c.prng().below(c.options().n)));
        c.run_for(Duration::from_ms(20));
    }
    EXPECT_TRUE(c.run_until_ordered(Duration::from_s(20))) << "seed " << c.options().seed;
}

bool proved(Cluster& c, Index culprit_index) {
    for (Index i = 0; i < c.total(); ++i) {
        for (const Evidence& evidence : c.node(i).evidence) {
            if (culprit(evidence, c.roster()).value() == c.agent(culprit_index)) return true;
        }
    }
    return false;
}

void expect_no_honest_halted(Cluster& c) {
    for (Index i = 0; i < c.total(); ++i) {
        if (!c.node(i).up() || c.node(i).liar) continue;
        EXPECT_FALSE(c.ordering(i).halted()) << *c.ordering(i).halted();
    }
}

// Failure 1: the digest did not include the cut, so a certificate did not bind it.
TEST(Liars, TwoCutsInOneViewGetAtMostOneCertificateAndTheLeaderIsProven) {
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        Cluster c{{.n = 4, .seed = seed}};
        c.node(0).liar = std::make_unique<TwoFacedLeader>(c, 0);
        std::map<View, BlockId> notarized;
        c.seen = [&](Index, Index, const Message& message) {
            const auto* certificate = std::get_if<Certificate>(&message);
            if (certificate == nullptr || certificate->content.kind != VoteKind::notarize) return;
            const auto [at, fresh] =
                notarized.emplace(certificate->content.view, certificate->content.block);
            EXPECT_EQ(at->second, certificate->content.block);
        };
        meet(c);
        work(c, 20);
        EXPECT_TRUE(proved(c, 0)) << "seed " << seed;
        expect_no_honest_halted(c);
        if (::testing::Test::HasFailure()) return;
    }
}

// [ORD-E2.3] Half voted for one of its blocks, half for the other: there is nothing to wait for.
TEST(Liars, AViewWithTwoBlocksIsGivenUpAsSoonAsBothAreSeen) {
    std::uint64_t at_once = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Cluster c{{.n = 4, .seed = seed}};
        c.node(0).liar = std::make_unique<TwoFacedLeader>(c, 0);
        meet(c);
        work(c, 20);
        for (Index i = 1; i < 4; ++i)
            at_once += c.ordering(i).counters().leaders_skipped;
    }
    EXPECT_GT(at_once, 3U);
}

TEST(Liars, DoubleVotesAreProvenAndDecideNothing) {
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
        Cluster c{{.n = 4, .seed = seed}};
        c.node(2).liar = std::make_unique<DoubleVoter>(c, 2);
        c.start_all();
        work(c, 20);
        EXPECT_TRUE(proved(c, 2)) << "seed " << seed;
        expect_no_honest_halted(c);
        if (::testing::Test::HasFailure()) return;
    }
}

// One seat tells us one thing and signs another for everybody else, and all that we ever see of that is
// a certificate. [ORD-A1.2]
TEST(Liars, ACertificateProvesWhoSignedSomethingElseThanTheyTold) {
    for (const VoteKind kind : {VoteKind::notarize, VoteKind::finalize}) {
        Script s{3};
        s.cluster.node(2).liar = std::make_unique<DoubleVoter>(s.cluster, 2);
        const Block b1 = s.block(s.genesis(), 1);
        const Block other = s.block(s.genesis(), 1, 1);
        s.tell(2, s.cluster.seats().vote(2, other.content(VoteKind::notarize)));
        s.tell(1, s.certificate(kind, b1));
        EXPECT_TRUE(proved(s.cluster, 2)) << to_string(kind);
        EXPECT_EQ(s.cluster.node(3).evidence.size(), 1U);
    }
}

// Failure 27: an invalid proposal stopped everyone until restart. [ORD-N4.1]
TEST(Liars, AnInvalidProposalCostsItsViewAndNothingElse) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        Cluster c{{.n = 4, .seed = seed}};
        c.node(1).liar = std::make_unique<WrongProposer>(c, 1);
        c.start_all();
        work(c, 40);
        EXPECT_GT(c.ordering(0).counters().proposals_refused, 0U);
        // Refused at once: no timer of 200 ms ever ran out.
        EXPECT_LT(c.now().ns(), Duration::from_s(2).ns());
        expect_no_honest_halted(c);
        if (::testing::Test::HasFailure()) return;
    }
}

// Failure 46: the leader withholds its block from the next leader only.
TEST(Liars, ABlockWithheldFromTheNextLeaderIsFetchedByIt) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        Cluster c{{.n = 4, .seed = seed}};
        c.node(0).liar = std::make_unique<Withholder>(c, 0, 1);
        meet(c);
        work(c, 40);
        EXPECT_EQ(c.ordering(2).counters().views_nullified, 0U) << "seed " << seed;
        EXPECT_GT(c.ordering(1).counters().requests_sent, 0U);
        if (::testing::Test::HasFailure()) return;
    }
}

// Whatever a liar does, nobody else is accused.
TEST(Liars, ATolerableNumberOfThemStopsNothingAndFramesNobody) {
    for (const Index n : {4U, 7U}) {
        const std::uint64_t seeds = n == 4 ? 400 : 80;
        for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
            Cluster c{{.n = n, .seed = seed, .loss_percent = seed % 3 == 0 ? 10U : 0U}};
            for (Index liar = 0; liar < c.roster().quorum().t; ++liar) {
                const auto at = static_cast<Index>((seed + 2 * liar) % n);
                c.node(at).liar = std::make_unique<RandomLiar>(c, at, seed * 7 + liar);
            }
            c.start_all();
            work(c, 15);
            expect_no_honest_halted(c);
            if (::testing::Test::HasFailure()) return;
        }
    }
}

// With faults of honest nodes beside the liar there may be no progress, but agreement always.
void fail_beside_a_liar(std::uint64_t seeds, std::uint32_t term_views) {
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        Cluster c{{.n = 4, .seed = seed, .loss_percent = 10, .term_views = term_views}};
        const auto liar = static_cast<Index>(seed % 4);
        c.node(liar).liar = std::make_unique<RandomLiar>(c, liar, seed);
        c.start_all();
        for (int step = 0; step < 12; ++step) {
            const auto i = static_cast<Index>(c.prng().below(4));
            if (i != liar && c.node(i).up() && c.prng().chance(1, 2)) c.crash(i);
            const auto j = static_cast<Index>(c.prng().below(4));
            if (!c.node(j).up()) c.start(j);
            c.produce(static_cast<Index>(c.prng().below(4)));
            c.run_for(Duration::from_ms(static_cast<std::int64_t>(c.prng().below(300))));
        }
        for (Index i = 0; i < 4; ++i) {
            if (!c.node(i).up()) c.start(i);
        }
        c.options().loss_percent = 0;
        EXPECT_TRUE(c.run_until_ordered(Duration::from_s(30))) << "seed " << seed;
        expect_no_honest_halted(c);
        if (::testing::Test::HasFailure()) return;
    }
}
TEST(Liars, NeverBreakAgreementWhateverElseFails) {
    fail_beside_a_liar(300, 1);
}
TEST(Liars, NeverBreakAgreementInTermsWhateverElseFails) {
    fail_beside_a_liar(150, 2);
    fail_beside_a_liar(150, 8);
}

// [ORD-K1.1]
TEST(Liars, CrashModeStopsWithTheProof) {
    Cluster c{{.n = 3, .mode = QuorumMode::crash}};
    c.node(2).liar = std::make_unique<DoubleVoter>(c, 2);
    c.start_all();
    for (int k = 0; k < 20; ++k) {
        c.produce(static_cast<Index>(k % 3));
        c.run_for(Duration::from_ms(20));
    }
    ASSERT_TRUE(c.ordering(0).halted());
    EXPECT_NE(c.ordering(0).halted()->find("seat 7 signed two votes"), std::string::npos);
    EXPECT_TRUE(proved(c, 2));
}

// Failure 25: sync switched on heights that peers claim. Claims move nothing. [ORD-E5.2]
TEST(Liars, ClaimsAboutHeightsMoveNothing) {
    Cluster c{{.n = 4}};
    c.start_all();
    c.node(3).liar = std::make_unique<RandomLiar>(c, 3, 1);
    c.run_for(Duration::from_ms(50));
    for (int k = 0; k < 100; ++k) {
        c.deliver(3, 0, OrderStatus{Epoch{1}, View{~0ULL}, View{~0ULL - 1}, Height{~0ULL}});
        c.settle(0);
        c.run_for(Duration::from_ms(1));
    }
    EXPECT_FALSE(c.ordering(0).behind());
    EXPECT_EQ(c.ordering(0).view(), View{1});
    EXPECT_EQ(c.ordering(0).counters().requests_sent, 0U);
    work(c, 5);
}

}  // namespace
}  // namespace creto::simplex::testing
