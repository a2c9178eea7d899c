// Terms: what one leader's views bind, and what becomes of them when it dies or shows no finality.
#include "model/terms.hpp"

#include <gtest/gtest.h>

#include "order/testing/liars.hpp"
#include "order/testing/script.hpp"
#include "order/voter.hpp"

namespace creto::simplex::testing {
namespace {

// [ORD-T1.1]
TEST(Terms, AreAFunctionOfTheViewAndOfTheGenesis) {
    const Terms of_four{4};
    for (const std::uint64_t view : {5U, 6U, 7U, 8U}) {
        EXPECT_EQ(of_four.number(View{view}), 2U);
        EXPECT_EQ(of_four.first_of(View{view}), View{5});
        EXPECT_EQ(of_four.last_of(View{view}), View{8});
    }
    EXPECT_FALSE(of_four.same(View{4}, View{5}));
    EXPECT_FALSE(of_four.same(View{}, View{1})) << "genesis is nobody's turn";
    EXPECT_EQ(Terms{}.number(View{7}), 7U);

    const Seats seats{4, QuorumMode::byzantine, 0, 0, 4};
    const Seats of_one{4};
    EXPECT_NE(seats.roster.chain(), of_one.roster.chain()) << "nobody may use another length";
    for (std::uint64_t view = 1; view <= 40; ++view) {
        EXPECT_EQ(leader_of(seats.roster, View{view}), seats.seat((view - 1) / 4 % 4));
        EXPECT_EQ(leader_of(of_one.roster, View{view}), of_one.seat((view - 1) % 4));
    }
}

class TermLog : public ::testing::Test {
protected:
    ViewLog::Put put(VoteKind kind, std::uint64_t view) {
        const BlockId block = block_id(std::to_string(view));
        return log.put(seats.certificate(
            kind == VoteKind::nullify ? Seats::nullify(view)
                                      : Seats::content(kind, view, view - 1, block)
        ));
    }
    [[nodiscard]] Ancestry ancestry(std::uint64_t view, std::uint64_t parent) const {
        const std::string name = parent == 0 ? "g" : std::to_string(parent);
        return log.check_parent(View{view}, View{parent}, block_id(name));
    }
    [[nodiscard]] std::uint64_t parent(std::uint64_t view) const {
        return std::get<Head>(log.parent_for(View{view})).view.value();
    }

    Seats seats{4, QuorumMode::byzantine, 0, 0, 4};
    ViewLog log{block_id("g"), Terms{4}};
};

// [ORD-T2.1]
TEST_F(TermLog, InsideATermTheParentIsTheViewBefore) {
    put(VoteKind::notarize, 1);
    EXPECT_EQ(parent(2), 1U);
    EXPECT_EQ(ancestry(2, 1).verdict, Ancestry::Verdict::proven);
    const auto lacking = log.parent_for(View{3});
    EXPECT_EQ(std::get<1>(lacking), (std::vector<CertificateKey>{{View{2}, VoteKind::notarize}}));
    EXPECT_EQ(ancestry(3, 2).verdict, Ancestry::Verdict::missing);
    EXPECT_EQ(ancestry(3, 1).verdict, Ancestry::Verdict::invalid);
    put(VoteKind::nullify, 2);
    EXPECT_EQ(ancestry(3, 1).verdict, Ancestry::Verdict::invalid) << "dead or not";
    EXPECT_EQ(ancestry(5, 1).verdict, Ancestry::Verdict::proven);
    EXPECT_EQ(parent(5), 1U);
}

// [ORD-T3.1]
TEST_F(TermLog, ANullificationCoversTheRestOfItsTerm) {
    put(VoteKind::notarize, 1);
    put(VoteKind::notarize, 2);
    EXPECT_EQ(put(VoteKind::nullify, 3), ViewLog::Put::added);
    EXPECT_EQ(log.certified(), View{4});
    EXPECT_FALSE(log.dead(View{2}) || log.dead(View{5}));
    EXPECT_EQ(log.find(View{4}, VoteKind::nullify)->content, Seats::nullify(3));
    EXPECT_EQ(put(VoteKind::nullify, 4), ViewLog::Put::known);
    EXPECT_EQ(parent(5), 2U);
    EXPECT_EQ(ancestry(5, 1).missing, (std::vector<CertificateKey>{{View{2}, VoteKind::nullify}}));
    EXPECT_EQ(put(VoteKind::nullify, 2), ViewLog::Put::added);
    EXPECT_EQ(log.find(View{4}, VoteKind::nullify)->content, Seats::nullify(2)) << "says more";
    EXPECT_EQ(ancestry(5, 1).verdict, Ancestry::Verdict::proven);
    EXPECT_EQ(ancestry(5, 2).verdict, Ancestry::Verdict::proven) << "either may be built on";
    EXPECT_EQ(ancestry(13, 2).missing.size(), 2U) << "one certificate for each term between";
    EXPECT_EQ(ancestry(13, 2).missing[1], (CertificateKey{View{5}, VoteKind::nullify}));
}

// [ORD-T3.1] [ORD-T4.1] More than t seats broke the rule of the term: nobody may build on either.
TEST_F(TermLog, AFinalViewClashesWithWhatCoversIt) {
    put(VoteKind::notarize, 2);
    put(VoteKind::nullify, 2);
    EXPECT_EQ(put(VoteKind::finalize, 3), ViewLog::Put::clashing);
    EXPECT_EQ(put(VoteKind::finalize, 1), ViewLog::Put::added);
    EXPECT_EQ(put(VoteKind::finalize, 6), ViewLog::Put::added);
    EXPECT_EQ(put(VoteKind::nullify, 5), ViewLog::Put::clashing);
    EXPECT_EQ(put(VoteKind::nullify, 4), ViewLog::Put::known);
    EXPECT_EQ(put(VoteKind::nullify, 7), ViewLog::Put::added);
}

// [ORD-B1.1] A stretch consists of whole terms, so one certificate for each of them is enough.
TEST_F(TermLog, DeadTermsAreBuried) {
    for (std::uint64_t view = 1; view <= 61; view += 4)
        put(VoteKind::nullify, view);
    EXPECT_EQ(log.to_bury(View{61}, 0), (std::vector<ViewSpan>{{View{}, View{64}}}));
    log.put(seats.certificate({VoteKind::bury, Epoch{1}, View{64}, View{}, BlockId{}}));
    EXPECT_EQ(log.views_held(), 1U);
    ViewLog late{block_id("g"), Terms{4}};
    const auto lacking = late.check_parent(View{65}, View{}, block_id("g"));
    ASSERT_EQ(lacking.missing.size(), 1U);
    late.put(*log.find(lacking.missing[0].view, lacking.missing[0].kind));
    EXPECT_TRUE(late.dead(View{1}) && late.dead(View{64}));
    EXPECT_EQ(
        late.check_parent(View{65}, View{}, block_id("g")).verdict, Ancestry::Verdict::proven
    );
    EXPECT_EQ(late.certified(), View{64});
}

class TermVoter : public ::testing::Test {
protected:
    Certificate notarization(std::uint64_t view) {
        return seats.certificate(Seats::content(VoteKind::notarize, view, view - 1, block_id("b")));
    }
    std::vector<Bytes> log_of(Voter& gate) {
        const auto batch = [&] {
            static_cast<void>(gate.save({}, effects));
            return std::get<Persist>(effects.take().front());
        }();
        return batch.votes;
    }

    Seats seats{4, QuorumMode::byzantine, 0, 0, 4};
    Voter voter{seats.roster, seats.seat(1), *seats.signers[1]};
    Effects effects;
};

// [ORD-T4.1]
TEST_F(TermVoter, WhoGaveAViewUpFinalisesNoLaterOneOfItsTerm) {
    ASSERT_TRUE(voter.finalize(notarization(5)));
    ASSERT_TRUE(voter.nullify(Epoch{1}, View{6}));
    EXPECT_EQ(voter.finalize(notarization(7)).error(), Refusal::nullified);
    EXPECT_EQ(voter.finalize(notarization(8)).error(), Refusal::nullified);
    EXPECT_TRUE(voter.finalize(notarization(9))) << "another term";
    EXPECT_TRUE(voter.notarize(Seats::content(VoteKind::notarize, 7, 6, block_id("b"))))
        << "only finality is withheld";
    voter.forget_through(View{6});  // 6 is final after all: its nullification cannot come any more.
    EXPECT_TRUE(voter.finalize(notarization(7)));
}

// [ORD-T4.1]
TEST_F(TermVoter, WhoFinalisedAViewGivesNoEarlierOneOfItsTermUp) {
    ASSERT_TRUE(voter.finalize(notarization(7)));
    EXPECT_EQ(voter.nullify(Epoch{1}, View{5}).error(), Refusal::finalized);
    EXPECT_EQ(voter.nullify(Epoch{1}, View{7}).error(), Refusal::finalized);
    EXPECT_TRUE(voter.nullify(Epoch{1}, View{8}));
    EXPECT_TRUE(voter.nullify(Epoch{1}, View{4}));
}

// [ORD-T4.1] The vote log says it: nothing hangs on what was remembered.
TEST_F(TermVoter, KnowsAfterARestartWhatItGaveUp) {
    ASSERT_TRUE(voter.nullify(Epoch{1}, View{1}));
    const std::vector<Bytes> records = log_of(voter);
    Voter again{seats.roster, seats.seat(1), *seats.signers[1]};
    ASSERT_TRUE(again.restore(records));
    EXPECT_EQ(again.finalize(notarization(3)).error(), Refusal::nullified);
}

// A log with both is no contradiction: there was a finalisation between, which another file holds.
TEST_F(TermVoter, TakesALogInWhichAFinalisationSettledTheTerm) {
    ASSERT_TRUE(voter.nullify(Epoch{1}, View{1}));
    std::vector<Bytes> records = log_of(voter);
    voter.forget_through(View{2});
    ASSERT_TRUE(voter.finalize(notarization(3)));
    for (const Bytes& record : log_of(voter))
        records.push_back(record);
    Voter again{seats.roster, seats.seat(1), *seats.signers[1]};
    ASSERT_TRUE(again.restore(records));
    EXPECT_EQ(again.finalize(notarization(4)).error(), Refusal::nullified) << "for all it knows";
}

/// A node among a term of eight, and a test that speaks for the others.
struct InATerm : Script {
    explicit InATerm(Index under_test) : Script{under_test, {.term_views = 8}} {}
    /// The leader's block of the next view, notarized by the others.
    void notarize_next() {
        const Block made = block(tip, tip.view.value() + 1, tip.view == View{} ? 1 : 0);
        if (tip.view == View{}) cluster.node(node).lanes.held[LaneId{Seat{3}, {}}] = Sequence{1};
        tell(leader(made.view.value()), cluster.sign(made));
        tell(1, certificate(VoteKind::notarize, made));
        tip = tip_of(tip, made);
        last = made;
        all.push_back(made);
    }
    /// What a crash may have taken from the node.
    void remind() {
        for (const Block& made : all) {
            tell(1, certificate(VoteKind::notarize, made));
            tell(leader(made.view.value()), cluster.sign(made));
        }
    }
    BranchTip tip = genesis();
    std::vector<Block> all;
    Block last;
};

// [ORD-T4.1] Across a restart in the middle of the term, and until a finalisation settles it.
TEST(Terms, ASeatThatGaveUpWithholdsFinalizeUntilTheTermIsSettled) {
    InATerm s{3};
    s.cluster.node(3).lanes.held[LaneId{Seat{3}, {}}] = Sequence{1};
    s.pass(Duration::from_s(3));
    ASSERT_EQ(s.words(1), "X");
    s.notarize_next();
    s.notarize_next();
    EXPECT_EQ(s.ordering().view(), View{3}) << "it follows, and votes";
    EXPECT_EQ(s.words(2), "N");
    s.restart();
    s.remind();
    s.notarize_next();
    EXPECT_EQ(s.words(3), "N");
    s.tell(1, s.certificate(VoteKind::finalize, s.last));
    s.notarize_next();
    EXPECT_EQ(s.words(4), "NF");
}

// [ORD-T3.1] Wherever in the term a node stands, and whatever it is that covers the rest.
TEST(Terms, ANullificationEndsTheTermFromAnyViewOfIt) {
    InATerm s{3};
    for (int k = 0; k < 4; ++k)
        s.notarize_next();
    EXPECT_EQ(s.ordering().view(), View{5});
    s.tell(1, s.nullification(5));
    EXPECT_EQ(s.ordering().view(), View{9});
    EXPECT_EQ(s.ordering().leader_of(View{9}), s.cluster.seats().seat(1));
    InATerm behind{3};
    behind.notarize_next();
    behind.tell(1, behind.nullification(6));
    EXPECT_EQ(behind.ordering().view(), View{9});
    EXPECT_EQ(behind.ordering().counters().views_nullified, 1U);
}

// [ORD-T5.1] Each view is notarized in time, and none becomes final.
TEST(Terms, ALeaderWhoseViewsAreNeverFinalLosesItsTerm) {
    InATerm s{3};
    for (int k = 0; k < 4; ++k) {
        s.notarize_next();
        s.pass(Duration::from_ms(150));
    }
    EXPECT_EQ(s.words(4), "NF");
    EXPECT_EQ(s.words(5), "");
    s.pass(Duration::from_ms(350));
    EXPECT_EQ(s.words(5), "X") << "eight deltas after the first view was notarized";
    const Block fifth = s.block(s.tip, 5);
    const Block sixth = s.block(tip_of(s.tip, fifth), 6);
    s.tell(0, s.cluster.sign(fifth));
    s.tell(0, s.cluster.sign(sixth));
    s.tell(1, s.certificate(VoteKind::notarize, fifth));
    EXPECT_EQ(s.words(6), "X") << "it helps no more to prolong the term";

    InATerm good{3};
    for (int k = 0; k < 6; ++k) {
        good.notarize_next();
        good.pass(Duration::from_ms(150));
        if (k == 2) good.tell(1, good.certificate(VoteKind::finalize, good.last));
    }
    EXPECT_EQ(good.words(6), "NF");
    EXPECT_EQ(good.words(7), "") << "the patience began again with the finalisation";
}

/// Keeps its own Finalize back, and what it proves with it. Beside it a seat has given the first view up: two of four are not
/// enough for finality, and three are for notarizations.
class EndlessLeader final : public LiarBase {
public:
    using LiarBase::LiarBase;
    std::vector<Message> lie(const Message& message, Index /*to*/) override {
        const auto* vote = std::get_if<Vote>(&message);
        const auto* certificate = std::get_if<Certificate>(&message);
        const bool final =
            std::holds_alternative<ChainAnswer>(message) ||
            (certificate != nullptr && certificate->content.kind == VoteKind::finalize);
        if (vote != nullptr && own(*vote) && vote->content.kind != VoteKind::notarize) return {};
        if (final) return {};
        return {message};
    }
};

// [ORD-T5.1]
TEST(Terms, AnEndlessLeaderIsReplacedLongBeforeItsTermEnds) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Cluster c{
            {.n = 4,
             .seed = seed,
             .latency_min = Duration::from_ms(25),
             .latency_max = Duration::from_ms(35),
             .term_views = 32}};
        c.node(0).liar = std::make_unique<EndlessLeader>(c, 0);
        c.start_all();
        c.run_for(Duration::from_ms(100));
        c.partition({0, 0, 0, 1});
        c.produce(3);
        for (int k = 0; k < 80; ++k) {
            if (k == 15) c.heal();
            c.produce(static_cast<Index>(1 + k % 3));
            c.run_for(Duration::from_ms(20));
        }
        EXPECT_GT(c.ordering(1).view(), View{32}) << "seed " << seed;
        EXPECT_EQ(c.words(1, 32), "") << "seed " << seed << ": the term was run to its end";
        EXPECT_TRUE(c.run_until_ordered(Duration::from_s(2))) << "seed " << seed;
        if (::testing::Test::HasFailure()) return;
    }
}

// [ORD-T3.1] The rest of the term costs one timeout, not one for each view.
TEST(Terms, ALeaderThatDiesInTheMiddleCostsOneTimeout) {
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
        Cluster c{{.n = 4, .seed = seed, .term_views = 8}};
        c.start_all();
        c.run_for(Duration::from_ms(50));
        while (c.ordering(1).view() < View{4}) {
            c.produce(1);
            c.run_for(Duration::from_ms(5));
        }
        c.crash(0);
        const Instant died = c.now();
        c.produce(2);
        c.produce(3);
        ASSERT_TRUE(c.run_until_ordered(Duration::from_s(1))) << "seed " << seed;
        EXPECT_LT((c.now() - died).ms(), 500) << "seed " << seed;
        EXPECT_EQ(c.ordering(2).counters().views_nullified, 1U) << "seed " << seed;
        EXPECT_GE(c.ordering(2).view(), View{9}) << "seed " << seed;
        EXPECT_EQ(c.ordering(2).counters().leaders_skipped, 0U)
            << "seed " << seed << ": views that nobody entered are no silence";
        // Back again, and its turn comes again.
        c.start(0);
        while (c.ordering(1).view() < View{40}) {
            c.produce(3);
            c.run_for(Duration::from_ms(5));
            ASSERT_LT((c.now() - died).ms(), 20'000) << "seed " << seed;
        }
        EXPECT_EQ(c.ordering(2).counters().views_nullified, 1U) << "seed " << seed;
        if (::testing::Test::HasFailure()) return;
    }
}

// [ORD-L15.1] An idle leader keeps its turn.
TEST(Terms, AnIdleTermIsNotGivenUp) {
    for (const std::uint32_t length : {1U, 2U, 8U, 32U}) {
        for (std::uint64_t seed = 1; seed <= 10; ++seed) {
            Cluster c{{.n = 4, .seed = seed, .term_views = length}};
            c.start_all();
            c.run_for(Duration::from_ms(50));
            c.produce(static_cast<Index>(seed % 4));
            c.run_for(Duration::from_s(60));
            std::uint64_t votes = 0;
            for (Index i = 0; i < 4; ++i) {
                votes += c.ordering(i).counters().nullify_votes;
                EXPECT_EQ(c.ordering(i).counters().views_nullified, 0U) << length << ", " << seed;
            }
            EXPECT_LE(votes, 1U) << length << ", " << seed
                                 << "; a block that comes after its votes is taken for work";
            c.produce(static_cast<Index>(seed % 4));
            EXPECT_TRUE(c.run_until_ordered(Duration::from_ms(500))) << length << ", " << seed;
        }
    }
}

// [ORD-T4.1] [ORD-B3.1] What a seat forgets with time it forgets by whole terms.
TEST(Terms, ALongDeadlockForgetsNoHalfTerm) {
    Cluster c{{.n = 4, .term_views = 8}};
    c.options().ordering.delta_max = Duration::from_ms(100);
    c.start_all();
    c.pass = [](Index, Index, const Message& message) {
        return !std::holds_alternative<Proposal>(message);
    };
    c.produce(0);
    ASSERT_TRUE(c.run_until(c.now() + Duration::from_s(600), [&] {
        return c.ordering(0).view() > View{1'000};
    }));
    EXPECT_LT(c.ordering(0).held().views, 200U);
    EXPECT_LT(c.ordering(0).held().own_views, 64U);
    c.pass = {};
    EXPECT_TRUE(c.run_until_ordered(Duration::from_s(60)));
}

}  // namespace
}  // namespace creto::simplex::testing
