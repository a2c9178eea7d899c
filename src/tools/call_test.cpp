#include <gtest/gtest.h>

#include "tools/call_client.hpp"
#include "tools/test_support.hpp"

namespace creto {
namespace {

using call_testing::Agents;
using call_testing::at_ms;

std::vector<CallAnswer> answers_in(const std::vector<Effect>& effects) {
    std::vector<CallAnswer> out;
    for (const Effect& effect : effects) {
        if (const auto* send = std::get_if<Send>(&effect)) {
            out.push_back(std::get<CallAnswer>(*decode_message(*send->message)));
        }
    }
    return out;
}

TEST(CallServer, AFloodIsRateLimitedAndOthersAreServed) {
    Agents agents{3};
    CallServer server{agents.chain, agents.id(0), *agents.signers[0], agents.budget_of(0)};
    Effects effects;
    for (std::uint64_t i = 1; i <= 1000; ++i) {
        server.on_start(
            agents.id(1), {.id = i, .tool = "add", .timeout_ms = 1000}, at_ms(0), effects
        );
    }
    EXPECT_EQ(server.counters().admitted, 500U);
    EXPECT_EQ(server.counters().rate_limited, 500U);
    const auto refused = answers_in(effects.take());
    ASSERT_EQ(refused.size(), 500U);
    EXPECT_EQ(refused[0].status, CallAnswer::Status::rate_limited);
    EXPECT_GT(refused[0].retry_after_ms, 0U);
    server.on_start(agents.id(2), {.id = 1, .tool = "add", .timeout_ms = 1000}, at_ms(0), effects);
    EXPECT_EQ(server.counters().admitted, 501U);
}

TEST(CallServer, AFlooderThatGoesOnIsDropped) {
    Agents agents{2};
    CallServer server{agents.chain, agents.id(0), *agents.signers[0], agents.budget_of(0)};
    Effects effects;
    bool dropped = false;
    for (std::uint64_t i = 1; i <= 100'000 && !dropped; ++i) {
        server.on_start(agents.id(1), {.id = i, .tool = "add", .timeout_ms = 1}, at_ms(0), effects);
        for (const Effect& effect : effects.take())
            dropped = dropped || std::holds_alternative<Drop>(effect);
    }
    EXPECT_TRUE(dropped);
    // Coming back does not refill the bucket.
    server.on_peer_down(agents.id(1), effects);
    effects.take();
    server.on_start(agents.id(1), {.id = 1, .tool = "add", .timeout_ms = 1}, at_ms(0), effects);
    EXPECT_TRUE(std::holds_alternative<Drop>(effects.take().at(0)));
}

TEST(CallServer, OneCallMoreThanThePeerMayHaveUnderWayIsRefused) {
    Agents agents{2};
    PeerBudget budget{agents.id(0), {}};
    CallServer server{agents.chain, agents.id(0), *agents.signers[0], budget};
    Effects effects;
    for (std::uint64_t i = 1; i <= limits::calls_per_peer_max; ++i) {
        server.on_start(
            agents.id(1), {.id = i, .tool = "add", .timeout_ms = 1000}, at_ms(0), effects
        );
    }
    EXPECT_EQ(server.under_way(), limits::calls_per_peer_max);
    effects.take();
    server.on_start(
        agents.id(1), {.id = 9999, .tool = "add", .timeout_ms = 1000}, at_ms(0), effects
    );
    EXPECT_EQ(answers_in(effects.take()).at(0).status, CallAnswer::Status::overloaded);
    // Refusals without end are a flood as well.
    bool dropped = false;
    for (std::uint64_t id = 10'000; id < 20'000 && !dropped; ++id) {
        server.on_start(agents.id(1), {.id = id, .tool = "add"}, at_ms(0), effects);
        dropped = std::holds_alternative<Drop>(effects.take().at(0));
    }
    EXPECT_TRUE(dropped);
}

TEST(CallServer, TimesOutCancelsAndForgetsLostCallers) {
    Agents agents{2};
    CallServer server{agents.chain, agents.id(0), *agents.signers[0], agents.budget_of(0)};
    Effects effects;
    for (std::uint64_t i = 1; i <= 3; ++i) {
        server.on_start(
            agents.id(1), {.id = i, .tool = "slow", .timeout_ms = 100}, at_ms(0), effects
        );
    }
    effects.take();
    server.on_cancel(agents.id(1), {1}, effects);
    EXPECT_TRUE(std::holds_alternative<CancelExecute>(effects.take().at(0)));
    EXPECT_EQ(server.next_wake(), at_ms(100));
    server.on_time(at_ms(100), effects);
    const auto late = answers_in(effects.take());
    ASSERT_EQ(late.size(), 2U);
    EXPECT_EQ(late[0].status, CallAnswer::Status::timeout);
    server.on_start(
        agents.id(1), {.id = 4, .tool = "slow", .timeout_ms = 100}, at_ms(200), effects
    );
    const Ticket ticket = std::get<Execute>(effects.take().at(0)).ticket;
    server.on_peer_down(agents.id(1), effects);
    EXPECT_EQ(server.under_way(), 0U);
    EXPECT_TRUE(server.on_executed({ticket, CallAnswer::Status::result, "1"}, at_ms(201), effects));
    EXPECT_FALSE(server.on_executed({ticket, CallAnswer::Status::result, "1"}, at_ms(201), effects)
    );
    EXPECT_TRUE(answers_in(effects.take()).empty()) << "nobody waits for it";
}

// [FLOOD-BUDGET.1] To call and take back at once is no way to run tools for nothing.
TEST(CallServer, ARunThatWasTakenBackIsChargedAllTheSame) {
    Agents agents{2};
    PeerLimits limits;
    limits.tool_us = {.rate_per_s = 1'000'000, .burst = 1'000'000};
    PeerBudget budget{agents.id(0), limits};
    CallServer server{agents.chain, agents.id(0), *agents.signers[0], budget};
    Effects effects;
    server.on_start(agents.id(1), {.id = 1, .tool = "slow"}, at_ms(0), effects);
    const Ticket ticket = std::get<Execute>(effects.take().at(0)).ticket;
    server.on_cancel(agents.id(1), {1}, effects);
    effects.take();
    const Executed ended{ticket, CallAnswer::Status::cancelled, {}, Duration::from_s(3)};
    EXPECT_TRUE(server.on_executed(ended, at_ms(0), effects));
    server.on_start(agents.id(1), {.id = 2, .tool = "slow"}, at_ms(0), effects);
    const auto refused = answers_in(effects.take());
    ASSERT_EQ(refused.size(), 1U);
    EXPECT_EQ(refused[0].status, CallAnswer::Status::rate_limited);
    EXPECT_EQ(refused[0].retry_after_ms, 2'001U);
    EXPECT_EQ(refused[0].text, "rate limited, retry after 2001 ms");
}

// [CALL-STREAM.5]
TEST(CallServer, AVerifiedCallShowsNothingWhateverItsCallerGrants) {
    Agents agents{5};
    CallServer server{agents.chain, agents.id(1), *agents.signers[1], agents.budget_of(1)};
    Effects effects;
    CallStart message = agents.ask().message(Duration::from_s(1));
    message.id = 1;
    message.credit = limits::stream_window_bytes;
    server.on_verified_start(agents.id(0), message, at_ms(0), effects);
    const Execute run = std::get<Execute>(effects.take().at(0));
    EXPECT_FALSE(run.shows);
    server.on_emitted({run.ticket, {text_piece("my opinion")}}, at_ms(1), effects);
    server.on_credit(agents.id(0), {1, 1'000}, at_ms(1), effects);
    EXPECT_TRUE(effects.take().empty());
}

TEST(CallServer, SignsOnlyForAPanelItIsOnAndArgumentsThatFit) {
    Agents agents{5};
    const VerifiedCall call = agents.ask();
    CallStart other = call.message(Duration::from_s(1));
    other.arguments = R"({"a":4})";
    CallServer server{agents.chain, agents.id(1), *agents.signers[1], agents.budget_of(1)};
    Effects effects;
    server.on_verified_start(agents.id(0), other, at_ms(0), effects);
    EXPECT_EQ(answers_in(effects.take()).at(0).status, CallAnswer::Status::bad_arguments);
    Agents stranger{6};
    CallServer outside{agents.chain, stranger.id(5), *stranger.signers[5], stranger.budget_of(5)};
    outside.on_verified_start(agents.id(0), call.message(Duration::from_s(1)), at_ms(0), effects);
    EXPECT_EQ(answers_in(effects.take()).at(0).status, CallAnswer::Status::bad_arguments);
}

// [CALL-OWN.1] A signature on a request is not looked at, so nobody may send another's.
TEST(CallServer, SignsOnlyForTheRequestsOwnCaller) {
    const Agents agents{5};
    const VerifiedCall call = agents.ask();
    CallServer server{agents.chain, agents.id(1), *agents.signers[1], agents.budget_of(1)};
    Effects effects;
    server.on_verified_start(agents.id(2), call.message(Duration::from_s(1)), at_ms(0), effects);
    EXPECT_EQ(answers_in(effects.take()).at(0).status, CallAnswer::Status::bad_arguments);
    server.on_verified_start(agents.id(0), call.message(Duration::from_s(1)), at_ms(0), effects);
    const auto started = effects.take();
    ASSERT_EQ(started.size(), 1U);
    EXPECT_TRUE(std::holds_alternative<Execute>(started[0]));
}

TEST(CallClient, EveryCallFinishesOnce) {
    Agents agents{3};
    CallClient client;
    Effects effects;
    for (CallClient::Token token = 1; token <= 4; ++token) {
        ASSERT_TRUE(
            client.start(token, agents.id(token == 3 ? 2 : 1), {.tool = "add"}, at_ms(100), effects)
                .has_value()
        );
    }
    effects.take();
    EXPECT_FALSE(client.on_answer(agents.id(2), {.id = 1}).has_value()) << "not whom we asked";
    EXPECT_EQ(client.on_answer(agents.id(1), {.id = 1})->token, 1U);
    EXPECT_FALSE(client.on_answer(agents.id(1), {.id = 1}).has_value());
    const auto lost = client.on_peer_down(agents.id(2), at_ms(50));
    ASSERT_EQ(lost.size(), 1U);
    EXPECT_TRUE(lost[0].lost && lost[0].token == 3);
    client.cancel(4, effects);
    EXPECT_EQ(effects.take().size(), 1U);
    const auto late = client.on_time(at_ms(100), effects);
    ASSERT_EQ(late.size(), 1U);
    EXPECT_EQ(late[0].answer.status, CallAnswer::Status::timeout);
    EXPECT_EQ(client.under_way(), 0U);
}

/// The calls among the effects.
std::vector<CallStart> calls_in(const std::vector<Effect>& effects) {
    std::vector<CallStart> out;
    for (const Effect& effect : effects) {
        const auto* send = std::get_if<Send>(&effect);
        if (send == nullptr) continue;
        if (auto message = decode_message(*send->message)) {
            if (auto* call = std::get_if<CallStart>(&*message)) out.push_back(*call);
        }
    }
    return out;
}

// When both ends dial at once, one connection replaces the other: a call on it was lost with it.
TEST(CallClient, SendsACallAgainWhenTheConnectionIsReplaced) {
    Agents agents{3};
    CallClient client;
    Effects effects;
    const CallStart call{.tool = "add", .arguments = "{}", .timeout_ms = 1'000};
    ASSERT_TRUE(client.start(7, agents.id(1), call, at_ms(1'000), effects, CallClient::Repeat::yes)
    );
    const auto first = calls_in(effects.take()).at(0);
    EXPECT_TRUE(client.on_peer_down(agents.id(1), at_ms(400)).empty()) << "it may come back";
    client.on_peer_up(agents.id(2), at_ms(401), effects);
    EXPECT_TRUE(calls_in(effects.take()).empty()) << "another agent";
    client.on_peer_up(agents.id(1), at_ms(410), effects);
    const auto again = calls_in(effects.take());
    ASSERT_EQ(again.size(), 1U);
    EXPECT_EQ(again[0].id, first.id);
    EXPECT_EQ(again[0].timeout_ms, 590U) << "the deadline stays";
    EXPECT_EQ(client.next_wake(), at_ms(1'000));
    const auto answered = client.on_answer(agents.id(1), {.id = first.id, .text = "3"});
    ASSERT_TRUE(answered.has_value());
    EXPECT_EQ(answered->answer.text, "3");
    EXPECT_EQ(client.under_way(), 0U);
}

TEST(CallClient, SaysWhatIsKnownOfACallWhoseAgentIsGone) {
    Agents agents{2};
    CallClient client;
    Effects effects;
    const CallStart call{.tool = "add", .arguments = "{}", .timeout_ms = 10'000};
    // Not to be repeated: its caller hears at once that it may have run.
    ASSERT_TRUE(client.start(1, agents.id(1), call, at_ms(10'000), effects));
    const auto unsure = client.on_peer_down(agents.id(1), at_ms(10));
    ASSERT_EQ(unsure.size(), 1U);
    EXPECT_TRUE(unsure[0].lost);
    EXPECT_EQ(unsure[0].answer.text, "the agent was lost in mid-call; the call may have run");
    // To be repeated, but it does not come back; and it is sent again once only.
    for (const bool comes_back : {false, true}) {
        ASSERT_TRUE(
            client.start(2, agents.id(1), call, at_ms(10'000), effects, CallClient::Repeat::yes)
        );
        EXPECT_TRUE(client.on_peer_down(agents.id(1), at_ms(100)).empty());
        if (comes_back) {
            client.on_peer_up(agents.id(1), at_ms(200), effects);
            EXPECT_EQ(client.on_peer_down(agents.id(1), at_ms(300)).size(), 1U);
        } else {
            EXPECT_EQ(client.next_wake(), at_ms(600));
            EXPECT_TRUE(client.on_time(at_ms(599), effects).empty());
            EXPECT_EQ(client.on_time(at_ms(600), effects).size(), 1U);
        }
        EXPECT_EQ(client.under_way(), 0U);
        EXPECT_EQ(client.next_wake(), Instant::max());
        effects.take();
    }
}

TEST(VerifiedCall, FiveOfSevenDecideAgainstTwoLiars) {
    Agents agents{7};
    VerifiedCall call = agents.ask();
    for (std::size_t i = 0; i < 2; ++i) {
        ASSERT_TRUE(call.on_finished(agents.id(i), agents.answer(i, call, "3000")).has_value());
    }
    for (std::size_t i = 2; i < 6; ++i) {
        ASSERT_TRUE(call.on_finished(agents.id(i), agents.answer(i, call, "300")).has_value());
        EXPECT_FALSE(call.decided().has_value());
    }
    ASSERT_TRUE(call.on_finished(agents.id(6), agents.answer(6, call, "300")).has_value());
    ASSERT_TRUE(call.decided().has_value());
    EXPECT_EQ(call.decided()->result, "300");
    std::vector<AgentId> liars{agents.id(0), agents.id(1)};
    std::sort(liars.begin(), liars.end());
    EXPECT_EQ(call.decided()->dissenting, liars);
    EXPECT_TRUE(call.disputed() && call.complete());
    EXPECT_TRUE(well_formed(call.receipt(), agents.chain).has_value());
}

TEST(VerifiedCall, ARuleDecidesWhereNoTwoAnswersAreEqual) {
    Agents agents{7};
    agents.compare_by(MatchTolerance{.distance = Decimal{5}, .pointer = ""});
    VerifiedCall call = agents.ask();
    const auto hear = [&](std::size_t i, const char* text) {
        ASSERT_TRUE(call.on_finished(agents.id(i), agents.answer(i, call, text)).has_value());
    };
    for (const std::size_t i : {0U, 1U, 2U, 3U}) {
        hear(i, std::array{"100", "101", "102", "900"}[i]);
        EXPECT_FALSE(call.decided() || call.hopeless());
    }
    hear(4, "103");
    EXPECT_FALSE(call.decided());
    hear(5, "106");
    ASSERT_TRUE(call.decided()) << "the lower median is 102, five are within 5 of it";
    EXPECT_EQ(call.decided()->result, "102");
    EXPECT_EQ(call.decided()->dissenting, std::vector<AgentId>{agents.id(3)});
    EXPECT_EQ(call.decided()->shown.size(), 6U);
    // What came late is measured by what was decided, however it moves the median.
    hear(6, "108");
    EXPECT_EQ(call.decided()->dissenting.back(), agents.id(6));
    EXPECT_TRUE(call.disputed());
    // [CALL-RULE.1] Digests alone decide nothing here and name nobody.
    EXPECT_FALSE(decide(call.receipt()));
    EXPECT_TRUE(AnswerMemory{}.learn(call).empty());
}

// [CALL-RULE.1]
TEST(VerifiedCall, EqualDigestsUnderARuleNameNobody) {
    Agents agents{4};
    agents.compare_by(MatchLines{});
    VerifiedCall call = agents.ask();
    for (std::size_t i = 0; i < 4; ++i) {
        const char* text = i == 3 ? R"("b\na")" : R"("a\nb")";
        ASSERT_TRUE(call.on_finished(agents.id(i), agents.answer(i, call, text)).has_value());
    }
    ASSERT_TRUE(call.decided());
    EXPECT_TRUE(call.decided()->dissenting.empty());
    const auto by_digest = decide(call.receipt());
    ASSERT_TRUE(by_digest);
    EXPECT_EQ(by_digest->agreeing, 3U);
    EXPECT_TRUE(by_digest->dissenting.empty());
}

TEST(CallServer, RefusesARequestThatComparesOtherwiseThanTheContract) {
    Agents agents{4};
    CallServer server{agents.chain, agents.id(1), *agents.signers[1], agents.budget_of(1)};
    Effects effects;
    const auto refused = [&](const VerifiedCall& call) {
        server.on_verified_start(
            agents.id(0), call.message(Duration::from_s(1)), at_ms(0), effects
        );
        const auto answers = answers_in(effects.take());
        return answers.size() == 1 &&
               answers[0].text == "the request compares answers otherwise than the contract";
    };
    EXPECT_FALSE(refused(agents.ask(1)));
    agents.compare_by(MatchLines{});
    EXPECT_TRUE(refused(agents.ask(2))) << "its own contract compares exactly";
    server.set_by_rule({agents.contract.id()});
    EXPECT_FALSE(refused(agents.ask(3)));
}

TEST(VerifiedCall, SilenceIsNotDissentAndAnUnsignedAnswerDoesNotCount) {
    Agents agents{7};
    VerifiedCall call = agents.ask();
    EXPECT_FALSE(call.on_finished(agents.id(0), {.status = CallAnswer::Status::timeout}).has_value()
    );
    CallAnswer swapped = agents.answer(1, call, "300");
    swapped.text = "301";
    EXPECT_FALSE(call.on_finished(agents.id(1), swapped).has_value());
    for (std::size_t i = 2; i < 7; ++i) {
        ASSERT_TRUE(call.on_finished(agents.id(i), agents.answer(i, call, "300")).has_value());
    }
    EXPECT_TRUE(call.decided().has_value());
    EXPECT_FALSE(call.disputed());
}

TEST(VerifiedCall, SaysWhenNothingCanReachTheBar) {
    Agents agents{4};
    VerifiedCall call = agents.ask();
    ASSERT_TRUE(call.on_finished(agents.id(0), agents.answer(0, call, "1")).has_value());
    ASSERT_TRUE(call.on_finished(agents.id(1), agents.answer(1, call, "2")).has_value());
    EXPECT_FALSE(call.hopeless());
    ASSERT_TRUE(call.on_finished(agents.id(2), agents.answer(2, call, "3")).has_value());
    EXPECT_TRUE(call.hopeless());
    EXPECT_EQ(call.failure(), "quorum not reached: 1 equal answers of 4 asked, 3 needed");
}

TEST(VerifiedCall, TooFewAgentsOrABarThatDecidesNothingIsRefused) {
    Agents agents{3};
    PanelCall call{.command = {.tool = "add"}, .contract = agents.contract};
    for (const auto& signer : agents.signers)
        call.panel.push_back(signer->public_key());
    EXPECT_FALSE(
        VerifiedCall::make(call, agents.chain, agents.id(0), *agents.signers[0]).has_value()
    );
    call.command.bar = 2;
    EXPECT_TRUE(VerifiedCall::make(call, agents.chain, agents.id(0), *agents.signers[0]).has_value()
    );
    call.command.bar = 1;
    EXPECT_FALSE(
        VerifiedCall::make(call, agents.chain, agents.id(0), *agents.signers[0]).has_value()
    );
}

TEST(AnswerMemory, FindsTwoAnswersOfOneProviderThatContradict) {
    Agents agents{4};
    AnswerMemory memory;
    const auto ask = [&](std::uint64_t nonce, const std::string& from_two) {
        VerifiedCall call = agents.ask(nonce);
        for (std::size_t i = 0; i < 4; ++i) {
            EXPECT_TRUE(
                call.on_finished(agents.id(i), agents.answer(i, call, i == 2 ? from_two : "30"))
                    .has_value()
            );
        }
        return memory.learn(call);
    };
    EXPECT_TRUE(ask(1, "30").empty());
    EXPECT_TRUE(ask(2, "30").empty());
    const auto conflicts = ask(3, "60");
    ASSERT_EQ(conflicts.size(), 1U);

    Genesis genesis{
        .network = "x", .mode = QuorumMode::crash, .members = {{Seat{0}, agents.id(0), "a"}}};
    AnswerConflict lie = conflicts[0];
    AnswerConflict by_rule = lie;
    by_rule.contract.flags |= ContractSummary::by_rule;
    const auto no_proof = contradicts(by_rule, Roster{genesis});
    ASSERT_FALSE(no_proof.has_value());
    EXPECT_NE(no_proof.error().message.find("may take different results"), std::string::npos);
    // The chain of these answers is not the genesis' one: a proof from another network proves
    // nothing.
    EXPECT_FALSE(contradicts(lie, Roster{genesis}).has_value());
}

}  // namespace
}  // namespace creto
