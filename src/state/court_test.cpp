#include "state/court.hpp"

#include <gtest/gtest.h>

#include "state/state_fixture.hpp"

namespace creto {
namespace {

using namespace state_test;  // NOLINT(google-build-using-namespace): the bench of this layer

constexpr std::array<std::uint32_t, 7> seven{0, 1, 2, 3, 4, 5, 6};

std::vector<std::uint32_t> all_seven() {
    return {seven.begin(), seven.end()};
}

/// Every seat offers the contract that Call asks for.
void offer_everywhere(Network& net, FinalState& state, std::uint32_t seats) {
    const auto signer = net.outsider(200);
    const Call any{net, *signer, {0}, 1};
    std::vector<VertexPtr> ordered;
    for (std::uint32_t seat = 0; seat < seats; ++seat)
        ordered.push_back(net.vertex(seat, {net.operation(seat, OfferOperation{{any.contract}})}));
    finalise(state, ordered);
}

template <class T>
std::vector<T> notices_of(const FinalState::Applied& applied) {
    std::vector<T> found;
    for (const Notice& notice : applied.notices) {
        if (const T* one = std::get_if<T>(&notice)) found.push_back(*one);
    }
    return found;
}

/// Each seat's answer in an open dispute, in one block.
FinalState::Applied answer_again(
    Network& net,
    FinalState& state,
    const Call& call,
    const std::vector<std::pair<std::uint32_t, std::string>>& answers
) {
    std::vector<VertexPtr> ordered;
    for (const auto& [seat, result] : answers)
        ordered.push_back(net.vertex(seat, {net.operation(seat, call.answer_again(result))}));
    return finalise(state, ordered);
}

/// One dispute about the caller's nonce-th call, in which these seats lie, there and in the panel.
void dispute_once(
    Network& net, FinalState& state, std::uint64_t nonce, const std::vector<std::uint32_t>& liars
) {
    Call call{net, *net.signers[0], all_seven(), 5, nonce};
    std::vector<std::pair<std::uint32_t, std::string>> answers;
    for (const std::uint32_t seat : seven) {
        const bool lies = std::find(liars.begin(), liars.end(), seat) != liars.end();
        answers.emplace_back(seat, lies ? "3000" : "300");
        call.answered(net, seat, answers.back().second);
    }
    const auto opened =
        finalise(state, {net.vertex(0, {net.operation(0, call.record_and_open(), Height{9'000})})});
    ASSERT_EQ(opened.opened.size(), 1U);
    answer_again(net, state, call, answers);
}

TEST(Court, RecordsAnAgreedCallAndChangesNoReputation) {
    Network net{7};
    FinalState state{net.roster};
    offer_everywhere(net, state, 7);
    Call call{net, *net.signers[0], all_seven(), 5};
    for (const std::uint32_t seat : seven)
        call.answered(net, seat, "300");
    const auto done = finalise(state, {net.vertex(0, {net.operation(0, call.record_and_open())})});
    ASSERT_TRUE(done.operations[0].applied) << done.operations[0].reason;
    EXPECT_TRUE(done.opened.empty());
    const Verdict* verdict = state.court().verdict(call.id);
    ASSERT_NE(verdict, nullptr);
    EXPECT_TRUE(verdict->decided);
    EXPECT_EQ(verdict->result, call.digest("300"));
    EXPECT_EQ(verdict->agreeing, 7U);
    EXPECT_EQ(verdict->height, Height{2});
    EXPECT_EQ(state.get(verdict_key(call.id)), encode_bytes(*verdict));
    EXPECT_EQ(state.reputation(net.agent(3)), Reputation{});
    ASSERT_EQ(state.verdicts(10).size(), 1U);
    EXPECT_EQ(state.verdicts(10)[0].tool, "add");
}

// S2.2: two of seven vote 3000 against 300.
TEST(Court, ADisputeNamesWhoLiedAndOnlyThem) {
    Network net{7};
    FinalState state{net.roster};
    offer_everywhere(net, state, 7);
    Call call{net, *net.signers[0], all_seven(), 5};
    for (const std::uint32_t seat : seven)
        call.answered(net, seat, seat >= 5 ? "3000" : "300");
    const auto opened =
        finalise(state, {net.vertex(0, {net.operation(0, call.record_and_open())})});
    ASSERT_EQ(opened.opened.size(), 1U);
    EXPECT_EQ(opened.opened[0].panel.size(), 7U);
    EXPECT_EQ(opened.opened[0].opening.arguments, call.arguments);
    EXPECT_EQ(state.open_disputes().size(), 1U);
    EXPECT_EQ(state.court().verdict(call.id)->dissenting.size(), 2U);
    EXPECT_EQ(state.reputation(net.agent(5)).dissented, 0U) << "a receipt alone costs nobody";

    const auto early = answer_again(
        net, state, call, {{0, "300"}, {1, "300"}, {2, "300"}, {3, "300"}, {6, "3000"}}
    );
    EXPECT_TRUE(early.notices.empty()) << "four of seven decide nothing";
    const auto done = answer_again(net, state, call, {{4, "300"}, {5, "300"}});
    const auto verdicts = notices_of<VerdictReached>(done);
    ASSERT_EQ(verdicts.size(), 1U);
    EXPECT_TRUE(verdicts[0].verdict.decided);
    EXPECT_EQ(verdicts[0].verdict.result, call.digest("300"));
    EXPECT_EQ(verdicts[0].verdict.agreeing, 6U);
    std::vector<AgentId> liars{net.agent(5), net.agent(6)};
    std::sort(liars.begin(), liars.end());
    EXPECT_EQ(verdicts[0].verdict.dissenting, liars);
    for (const std::uint32_t seat : seven) {
        const Reputation& reputation = state.reputation(net.agent(seat));
        EXPECT_EQ(reputation.dissented, seat >= 5 ? 1U : 0U) << seat;
        EXPECT_EQ(reputation.agreed, seat >= 5 ? 0U : 1U) << seat;
    }
    EXPECT_TRUE(state.open_disputes().empty());
    EXPECT_EQ(state.court().verdict(call.id)->source, Verdict::Source::dispute);
    const auto late = answer_again(net, state, call, {{6, "300"}});
    EXPECT_EQ(late.operations[0].reason, "no dispute about this call is open");
}

// [COURT-FRAME.1]
TEST(Court, ACallerWhoPicksItsPanelFramesNobody) {
    Network net{7};
    FinalState state{net.roster};
    offer_everywhere(net, state, 7);
    // The caller (5) and its friend (6) are two of a panel of three; seat 1 is honest.
    Call call{net, *net.signers[5], {1, 5, 6}, 2};
    call.answered(net, 1, "300").answered(net, 5, "3000").answered(net, 6, "3000");
    finalise(state, {net.vertex(5, {net.operation(5, call.record())})});
    EXPECT_EQ(state.court().verdict(call.id)->dissenting, (std::vector<AgentId>{net.agent(1)}))
        << "the receipt says so";
    EXPECT_EQ(state.reputation(net.agent(1)), Reputation{}) << "and costs nothing";

    // With an opening everyone who offers the contract decides, and the framers pay.
    Call again{net, *net.signers[5], {1, 5, 6}, 2, 2};
    again.answered(net, 1, "300").answered(net, 5, "3000").answered(net, 6, "3000");
    finalise(state, {net.vertex(5, {net.operation(5, again.record_and_open())})});
    answer_again(
        net,
        state,
        again,
        {{0, "300"}, {1, "300"}, {2, "300"}, {3, "300"}, {4, "300"}, {5, "3000"}, {6, "3000"}}
    );
    EXPECT_EQ(state.reputation(net.agent(1)).dissented, 0U);
    EXPECT_EQ(state.reputation(net.agent(5)).dissented, 1U);
    EXPECT_EQ(state.reputation(net.agent(6)).dissented, 1U);
    EXPECT_EQ(state.court().verdict(again.id)->result, again.digest("300"));
}

// [COURT-FRAME.1] [DISPUTE-BAR.1]
TEST(Court, FewSeatsThatOfferTheirOwnContractDecideNothing) {
    Network net{16};  // t = 5: six equal answers contain an honest one.
    FinalState state{net.roster};
    offer_everywhere(net, state, 5);
    Call call{net, *net.signers[0], {0, 1, 2, 3, 4}, 4};
    for (const std::uint32_t seat : {0U, 1U, 2U, 3U})
        call.answered(net, seat, "3000");
    call.answered(net, 4, "300");
    const auto done = finalise(state, {net.vertex(0, {net.operation(0, call.record_and_open())})});
    EXPECT_TRUE(done.operations[0].applied);
    EXPECT_TRUE(done.opened.empty());
    EXPECT_EQ(state.reputation(net.agent(4)), Reputation{});
}

TEST(Court, NeedsFourSeatsForADispute) {
    for (const std::uint32_t offering : {3U, 4U}) {
        Network net{4};
        FinalState state{net.roster};
        offer_everywhere(net, state, offering);
        Call call{net, *net.signers[0], {0, 1, 2}, 2};
        call.answered(net, 0, "1").answered(net, 1, "2");
        const auto done =
            finalise(state, {net.vertex(0, {net.operation(0, call.record_and_open())})});
        EXPECT_EQ(done.opened.size(), offering == 4 ? 1U : 0U);
    }
}

TEST(Court, OnlyTheCallerRecordsItsCallAndOnlyOnce) {
    Network net{4};
    FinalState state{net.roster};
    Call call{net, *net.signers[0], {0, 1, 2, 3}, 3};
    call.answered(net, 1, "1");
    const auto stolen = finalise(state, {net.vertex(1, {net.operation(1, call.record())})});
    EXPECT_EQ(stolen.operations[0].reason, "only its caller may record a call");
    const auto poor = finalise(state, {net.vertex(0, {net.operation(0, call.record())})});
    EXPECT_TRUE(poor.operations[0].applied);
    EXPECT_FALSE(state.court().verdict(call.id)->decided);
    call.answered(net, 2, "1").answered(net, 3, "1");
    const auto twice = finalise(state, {net.vertex(0, {net.operation(0, call.record())})});
    EXPECT_EQ(twice.operations[0].reason, "the call is on record since height 2");
    EXPECT_TRUE(twice.operations[0].counted);
}

TEST(Court, AnswersOfAgentsWithoutASeatDoNotCount) {
    Network net{4};
    FinalState state{net.roster};
    const auto stranger = net.outsider(77);
    const auto caller = net.outsider(78);
    Call call{net, *caller, {0, 1}, 2};
    call.receipt.request.panel.push_back(stranger->public_key());
    std::sort(call.receipt.request.panel.begin(), call.receipt.request.panel.end());
    call.receipt.request.signature = caller->sign(
        SignDomain::call_request, net.roster.chain().value(), signing_bytes(call.receipt.request)
    );
    call.id = call.receipt.request.id(net.roster.chain());
    call.answered(net, 0, "300").answered(net, *stranger, "300");
    finalise(state, {net.vertex(3, {net.signed_by(*caller, call.record())})});
    ASSERT_NE(state.court().verdict(call.id), nullptr);
    EXPECT_FALSE(state.court().verdict(call.id)->decided);
}

TEST(Court, AnOpeningMustFitTheCall) {
    Network net{4};
    FinalState state{net.roster};
    offer_everywhere(net, state, 4);
    Call call{net, *net.signers[0], {0, 1, 2, 3}, 3};
    call.answered(net, 0, "1").answered(net, 1, "2");
    const auto reason_of = [&](auto change) {
        auto body = std::get<CallRecordOperation>(call.record_and_open());
        change(**body.opening);
        return finalise(state, {net.vertex(0, {net.operation(0, body)})}).operations[0].reason;
    };
    EXPECT_EQ(
        reason_of([](auto& opening) { opening.arguments = "{}"; }),
        "the opening does not fit the digests of the call"
    );
    EXPECT_EQ(
        reason_of([](auto& opening) { opening.salt[0] ^= 1U; }),
        "the opening does not fit the digests of the call"
    );
    EXPECT_EQ(
        reason_of([](auto& opening) { opening.contract.flags = 15; }),
        "the opening names another contract than the call"
    );
    EXPECT_EQ(reason_of([](auto&) {}), "");

    Call closed{net, *net.signers[0], {0, 1, 2, 3}, 3, 2};
    closed.contract.flags = ContractSummary::deterministic;
    closed.receipt.request.contract = closed.contract.id();
    EXPECT_EQ(
        finalise(state, {net.vertex(0, {net.operation(0, closed.record_and_open())})})
            .operations[0]
            .reason,
        "the contract does not allow that a dispute reveals arguments"
    );
}

TEST(Court, OnlyThePanelAnswersAndOnlyOnce) {
    Network net{5};
    FinalState state{net.roster};
    offer_everywhere(net, state, 4);
    Call call{net, *net.signers[0], {0, 1, 2, 3}, 3};
    call.answered(net, 0, "1").answered(net, 1, "2");
    finalise(state, {net.vertex(0, {net.operation(0, call.record_and_open())})});
    const auto done = answer_again(net, state, call, {{4, "1"}, {0, "1"}, {0, "2"}});
    EXPECT_EQ(done.operations[0].reason, "its agent is not on the panel");
    EXPECT_TRUE(done.operations[1].applied);
    EXPECT_EQ(done.operations[2].reason, "its agent has answered already");
}

TEST(Court, ADisputeWithoutAnswersEndsUndecided) {
    Network net{4};
    FinalState state{net.roster};
    offer_everywhere(net, state, 4);
    Call call{net, *net.signers[0], {0, 1, 2, 3}, 3};
    call.answered(net, 0, "1").answered(net, 1, "2");
    finalise(state, {net.vertex(0, {net.operation(0, call.record_and_open(), Height{9'000})})});
    const std::uint64_t opened = state.height().value();
    answer_again(net, state, call, {{0, "1"}, {1, "2"}});
    advance(state, opened + limits::dispute_blocks - 1);
    EXPECT_EQ(state.open_disputes().size(), 1U);
    const auto over = finalise(state, {});
    EXPECT_TRUE(state.open_disputes().empty());
    EXPECT_EQ(state.get(dispute_key(call.id)), std::nullopt);
    const auto verdicts = notices_of<VerdictReached>(over);
    ASSERT_EQ(verdicts.size(), 1U);
    EXPECT_FALSE(verdicts[0].verdict.decided);
    EXPECT_EQ(state.reputation(net.agent(1)), Reputation{});
}

TEST(Court, DisputesOfOneCallerAreLimited) {
    Network net{4};
    FinalState state{net.roster};
    offer_everywhere(net, state, 4);
    for (std::uint64_t nonce = 1; nonce <= StateLimits{}.disputes_per_caller + 1; ++nonce) {
        Call call{net, *net.signers[0], {0, 1, 2, 3}, 3, nonce};
        call.answered(net, 0, "1").answered(net, 1, "2");
        finalise(state, {net.vertex(0, {net.operation(0, call.record_and_open(), Height{9'000})})});
    }
    EXPECT_EQ(state.open_disputes().size(), StateLimits{}.disputes_per_caller);
    EXPECT_EQ(state.verdicts(100).size(), StateLimits{}.disputes_per_caller + 1);
}

TEST(Court, OpenDisputesAreLimited) {
    Network net{4};
    FinalState state{net.roster, {.disputes = 2}};
    offer_everywhere(net, state, 4);
    for (std::uint32_t seat = 0; seat < 3; ++seat) {
        Call call{net, *net.signers[seat], {0, 1, 2, 3}, 3};
        call.answered(net, 0, "1").answered(net, 1, "2");
        finalise(state, {net.vertex(seat, {net.operation(seat, call.record_and_open())})});
    }
    EXPECT_EQ(state.open_disputes().size(), 2U);
    EXPECT_EQ(state.verdicts(10).size(), 3U);
}

TEST(Court, TheOldestVerdictMakesRoom) {
    Network net{4};
    FinalState state{net.roster, {.verdicts = 3}};
    offer_everywhere(net, state, 4);
    std::vector<Call> calls;
    for (std::uint64_t nonce = 1; nonce <= 4; ++nonce) {
        calls.emplace_back(net, *net.signers[0], std::vector<std::uint32_t>{0, 1, 2, 3}, 3, nonce);
        calls.back().answered(net, 0, "1").answered(net, 1, "2");
        finalise(state, {net.vertex(0, {net.operation(0, calls.back().record_and_open())})});
    }
    EXPECT_EQ(state.verdicts(10).size(), 3U);
    EXPECT_EQ(state.verdicts(2).front().call, calls[2].id);
    EXPECT_EQ(state.get(verdict_key(calls[0].id)), std::nullopt);
    EXPECT_EQ(state.open_disputes().size(), 3U) << "its dispute goes with it";
    EXPECT_TRUE(state.get(verdict_key(calls[1].id)).has_value());
}

TEST(Court, OfTheExcludedWithoutASeatTheLatestAreRemembered) {
    Network net{4};
    FinalState state{net.roster, {.exclusions = 2}};
    std::vector<AgentId> liars;
    for (std::uint8_t n = 0; n < 3; ++n) {
        const auto liar = net.outsider(static_cast<std::uint8_t>(50 + n));
        liars.push_back(liar->public_key());
        AnswerConflict conflict;
        std::vector<Call> calls;
        for (std::uint64_t nonce = 1; nonce <= 2; ++nonce) {
            Call& call = calls.emplace_back(
                net, *net.signers[0], std::vector<std::uint32_t>{1}, 1, 10 * n + nonce
            );
            call.answered(net, *liar, std::to_string(nonce));
        }
        conflict.contract = calls[0].contract;
        conflict.arguments = calls[0].arguments;
        conflict.a = {calls[0].receipt.request, calls[0].receipt.answers[0], calls[0].salt, "1"};
        conflict.b = {calls[1].receipt.request, calls[1].receipt.answers[0], calls[1].salt, "2"};
        const auto done =
            finalise(state, {net.vertex(0, {net.operation(0, EvidenceOperation{conflict})})});
        EXPECT_TRUE(done.operations[0].applied) << done.operations[0].reason;
    }
    EXPECT_FALSE(state.excluded(liars[0]));
    EXPECT_TRUE(state.excluded(liars[1]) && state.excluded(liars[2]));
    EXPECT_FALSE(state.court().exclusion(liars[1])->evidence.has_value());
}

// [REPUTATION.1]
TEST(Reputation, SuspendsARepeatedLiarAndRedeemsItByAgreement) {
    Network net{7};
    FinalState state{net.roster};
    offer_everywhere(net, state, 7);
    std::uint64_t nonce = 0;
    for (int i = 0; i < 2; ++i)
        dispute_once(net, state, ++nonce, {6});
    EXPECT_FALSE(state.suspended(net.agent(6))) << "two decisions are too few";
    dispute_once(net, state, ++nonce, {6});
    EXPECT_TRUE(state.suspended(net.agent(6)));
    EXPECT_EQ(state.offers(Call{net, *net.signers[0], {0}, 1}.contract.id()).size(), 6U);
    const ReputationView view = state.reputation_view(net.agent(6));
    EXPECT_LT(view.score_ppm, 300'000U);
    EXPECT_EQ(view.reasons.size(), 3U);
    EXPECT_EQ(view.name, "agent-6");
    EXPECT_GT(state.reputation(net.agent(0)).score_ppm(), 700'000U);

    // On probation: its answers are compared, but decide nothing.
    for (int i = 0; i < 20 && state.suspended(net.agent(6)); ++i)
        dispute_once(net, state, ++nonce, {5});
    EXPECT_FALSE(state.suspended(net.agent(6)));
    EXPECT_TRUE(state.suspended(net.agent(5)));
}

TEST(Reputation, ProbationDoesNotDecide) {
    Network net{5};
    FinalState state{net.roster};
    offer_everywhere(net, state, 5);
    for (std::uint64_t nonce = 1; nonce <= 3; ++nonce) {
        Call call{net, *net.signers[0], {0, 1, 2, 3, 4}, 4, nonce};
        for (const std::uint32_t seat : {0U, 1U, 2U, 3U, 4U})
            call.answered(net, seat, seat == 4 ? "2" : "1");
        finalise(state, {net.vertex(0, {net.operation(0, call.record_and_open())})});
        answer_again(net, state, call, {{0, "1"}, {1, "1"}, {2, "1"}, {3, "1"}});
    }
    ASSERT_TRUE(state.suspended(net.agent(4)));
    // The panel is 0 to 3 now; three of them decide, two and the suspended one do not.
    Call call{net, *net.signers[0], {0, 1, 2, 3}, 3, 9};
    call.answered(net, 0, "1").answered(net, 1, "2");
    const auto opened =
        finalise(state, {net.vertex(0, {net.operation(0, call.record_and_open())})});
    ASSERT_EQ(opened.opened.size(), 1U);
    EXPECT_EQ(opened.opened[0].panel.size(), 5U);
    EXPECT_TRUE(answer_again(net, state, call, {{0, "1"}, {1, "1"}, {4, "1"}}).notices.empty());
    EXPECT_EQ(answer_again(net, state, call, {{2, "1"}}).notices.size(), 1U);
    EXPECT_EQ(state.reputation(net.agent(4)).agreed, 1U);
}

// [REPUTATION.1]
TEST(Reputation, FadesAndStaysInRange) {
    Reputation good;
    Reputation bad;
    for (int i = 0; i < 1'000; ++i) {
        good.on_agreement();
        bad.on_dissent(CallId{}, Height{1});
    }
    EXPECT_GT(good.score_ppm(), 930'000U);
    EXPECT_LT(bad.score_ppm(), 30'000U);
    EXPECT_EQ(bad.dissents.size(), limits::dissents_kept_max);
    EXPECT_EQ(decode_exact<Reputation>(encode_bytes(bad)).value(), bad);
    good.on_dissent(CallId{}, Height{1});
    EXPECT_FALSE(good.suspended()) << "one mistake of a good agent does not suspend it";
    Reputation half;
    for (int i = 0; i < 20; ++i) {
        half.on_agreement();
        half.on_dissent(CallId{}, Height{1});
    }
    EXPECT_TRUE(half.suspended()) << "half right is not good enough where results are promised";
}

// [COURT-PROOF.1]
TEST(Court, AProofExcludesAtOnceAndOnce) {
    Network net{7};
    FinalState state{net.roster};
    offer_everywhere(net, state, 7);
    VoteContent a{VoteKind::notarize, Epoch{1}, View{3}, View{2}, BlockId{digest_of("a")}};
    VoteContent b = a;
    b.block = BlockId{digest_of("b")};
    const EvidenceOperation lie{VoteConflict{net.vote(6, a), net.vote(6, b)}};
    const auto done = finalise(
        state, {net.vertex(1, {net.operation(1, lie)}), net.vertex(2, {net.operation(2, lie)})}
    );
    ASSERT_TRUE(done.operations[0].applied) << done.operations[0].reason;
    EXPECT_EQ(done.operations[1].reason, "its agent is excluded since height 2");
    const auto excluded = notices_of<Excluded>(done);
    ASSERT_EQ(excluded.size(), 1U);
    EXPECT_EQ(excluded[0].agent, net.agent(6));
    EXPECT_EQ(excluded[0].name, "agent-6");
    EXPECT_EQ(
        excluded[0].reason,
        "signed two votes for view 3 that no correct seat signs together: notarize " +
            digest_of("a").brief() + " and notarize " + digest_of("b").brief()
    );
    EXPECT_TRUE(state.excluded(net.agent(6)));
    EXPECT_EQ(state.court().exclusion(net.agent(6))->evidence, lie.evidence);
    EXPECT_EQ(state.offers(Call{net, *net.signers[0], {0}, 1}.contract.id()).size(), 6U);

    // Its answers no longer count, neither in receipts nor in disputes.
    Call call{net, *net.signers[0], all_seven(), 5};
    for (const std::uint32_t seat : {0U, 1U, 2U, 3U, 6U})
        call.answered(net, seat, "300");
    finalise(state, {net.vertex(0, {net.operation(0, call.record_and_open())})});
    EXPECT_FALSE(state.court().verdict(call.id)->decided);
    EXPECT_EQ(
        answer_again(net, state, call, {{6, "300"}}).operations[0].reason,
        "its agent is not on the panel"
    );
    EXPECT_EQ(
        finalise(state, {net.vertex(6, {net.operation(6, OfferOperation{})})}).operations[0].reason,
        "its agent is excluded"
    );
}

// [COURT-PROOF.1]
TEST(Court, WhatIsNoContradictionExcludesNobody) {
    Network net{4};
    FinalState state{net.roster};
    const VoteContent a{VoteKind::notarize, Epoch{1}, View{3}, View{2}, BlockId{digest_of("a")}};
    const VoteContent nullify{VoteKind::nullify, Epoch{1}, View{3}, View{}, BlockId{}};
    const auto done = finalise(
        state,
        {net.vertex(
            0,
            {net.operation(0, EvidenceOperation{VoteConflict{net.vote(1, a), net.vote(1, a)}}),
             net.operation(
                 0, EvidenceOperation{VoteConflict{net.vote(1, a), net.vote(1, nullify)}}
             ),
             net.operation(0, EvidenceOperation{VoteConflict{net.vote(1, a), net.vote(2, a)}})}
        )}
    );
    for (const auto& operation : done.operations)
        EXPECT_FALSE(operation.applied);
    EXPECT_TRUE(state.court().exclusions().empty());
}

// S2.4: an agent that answers the same question differently is excluded by its own signatures.
TEST(Court, TwoAnswersToOneQuestionExclude) {
    Network net{4};
    FinalState state{net.roster};
    std::vector<Call> calls;
    for (std::uint64_t nonce = 1; nonce <= 2; ++nonce) {
        calls.emplace_back(net, *net.signers[0], std::vector<std::uint32_t>{1, 2, 3}, 2, nonce);
        calls.back().answered(net, 1, nonce == 1 ? "300" : "600");
    }
    AnswerConflict conflict;
    conflict.contract = calls[0].contract;
    conflict.arguments = calls[0].arguments;
    conflict.a = {calls[0].receipt.request, calls[0].receipt.answers[0], calls[0].salt, "300"};
    conflict.b = {calls[1].receipt.request, calls[1].receipt.answers[0], calls[1].salt, "600"};
    const VertexPtr vertex = net.vertex(0, {net.operation(0, EvidenceOperation{conflict})});
    ASSERT_TRUE(
        CheckPass::verify(net.scheme, signatures_of(*vertex, net.roster).value()).has_value()
    );
    const auto done = finalise(state, {vertex});
    const auto excluded = notices_of<Excluded>(done);
    ASSERT_EQ(excluded.size(), 1U);
    EXPECT_EQ(
        excluded[0].reason,
        R"(answered 300 and 600 for the same arguments {"a":100,"b":200} of a deterministic contract)"
    );
    EXPECT_EQ(state.reputation_view(net.agent(1)).reasons.size(), 1U);
}

TEST(Court, ALaterOfferReplacesTheEarlier) {
    Network net{4};
    FinalState state{net.roster};
    const ContractSummary add{1, digest_of("add")};
    const ContractSummary hash_tool{1, digest_of("hash")};
    finalise(state, {net.vertex(0, {net.operation(0, OfferOperation{{add, hash_tool, add}})})});
    EXPECT_EQ(state.offers(add.id()), (std::vector<Seat>{Seat{0}}));
    finalise(state, {net.vertex(0, {net.operation(0, OfferOperation{{hash_tool}})})});
    EXPECT_TRUE(state.offers(add.id()).empty());
    EXPECT_EQ(state.offers(hash_tool.id()), (std::vector<Seat>{Seat{0}}));
    finalise(state, {net.vertex(0, {net.operation(0, OfferOperation{})})});
    EXPECT_TRUE(state.offers(hash_tool.id()).empty());
    EXPECT_EQ(state.get("offer/0"), std::nullopt);
    const auto client = net.outsider(90);
    const auto done =
        finalise(state, {net.vertex(0, {net.signed_by(*client, OfferOperation{{add}})})});
    EXPECT_EQ(done.operations[0].reason, "a seat offers tools in its own lane only");
}

TEST(Court, ASnapshotKeepsDisputesReputationAndExclusions) {
    Network net{7};
    FinalState state{net.roster};
    offer_everywhere(net, state, 7);
    dispute_once(net, state, 1, {6});
    VoteContent a{VoteKind::notarize, Epoch{1}, View{3}, View{2}, BlockId{digest_of("a")}};
    VoteContent b = a;
    b.block = BlockId{digest_of("b")};
    const EvidenceOperation lie{VoteConflict{net.vote(5, a), net.vote(5, b)}};
    finalise(state, {net.vertex(1, {net.operation(1, lie)})});
    Call call{net, *net.signers[0], all_seven(), 5, 2};
    call.answered(net, 0, "1").answered(net, 1, "2");
    finalise(state, {net.vertex(0, {net.operation(0, call.record_and_open())})});
    answer_again(net, state, call, {{0, "1"}, {2, "1"}});

    auto restored = FinalState::restore(state.snapshot(), state.mark(), net.roster);
    ASSERT_TRUE(restored.has_value()) << restored.error().message;
    EXPECT_EQ(restored->reputation(net.agent(6)), state.reputation(net.agent(6)));
    EXPECT_TRUE(restored->excluded(net.agent(5)));
    EXPECT_EQ(restored->open_disputes().size(), 1U);
    const std::vector<VertexPtr> rest{
        net.vertex(1, {net.operation(1, call.answer_again("1"))}),
        net.vertex(3, {net.operation(3, call.answer_again("1"))}),
        net.vertex(4, {net.operation(4, call.answer_again("1"))})};
    const auto original = finalise(state, rest);
    const auto again = finalise(*restored, rest);
    EXPECT_EQ(original.mark, again.mark);
    EXPECT_EQ(notices_of<VerdictReached>(again).size(), 1U);
    EXPECT_EQ(restored->reputation(net.agent(1)).dissented, 1U) << "its receipt said 2";
}

}  // namespace
}  // namespace creto
