#include "tools/judge.hpp"

#include <gtest/gtest.h>

#include "tools/builtins.hpp"
#include "tools/json_parse.hpp"
#include "tools/test_support.hpp"

namespace creto {
namespace {

using call_testing::agent;
using call_testing::Agents;
using call_testing::results;

/// "result +agreeing -dissenting", by the agents' numbers.
std::string drawn(
    std::uint32_t bar, const std::vector<ShownAnswer>& answers, const std::string& groups
) {
    const auto decision = decide_judged(bar, answers, groups);
    if (!decision) return "error";
    if (!*decision) return "none";
    std::string out = (*decision)->result + " +";
    for (const AgentId& a : (*decision)->agreeing)
        out += std::to_string(a.view()[0]);
    out += " -";
    for (const AgentId& a : (*decision)->dissenting)
        out += std::to_string(a.view()[0]);
    return out;
}

// [CALL-JUDGE.1]
TEST(Judge, IsAskedAboutTheDistinctResultsInOneOrder) {
    auto answers = results({R"("b")", R"("a")", R"("b")", "no json", "[1]"});
    answers.push_back({agent(9), AnswerKind::tool_error, "no"});
    EXPECT_EQ(judge_question(answers).value(), R"({"answers":["a","b",[1]]})");
    EXPECT_EQ(distinct_results(answers), 3U);
    std::reverse(answers.begin(), answers.end());
    EXPECT_EQ(judge_question(answers).value(), R"({"answers":["a","b",[1]]})");
    EXPECT_EQ(judge_question(results({"1", "1"})).error().code, ErrorCode::invalid);
    // One byte more than a question may have.
    const std::string frame = R"({"answers":["","x"]})";
    const auto with = [&](std::size_t bytes) {
        const std::string text = "\"" + std::string(bytes - frame.size(), 'l') + "\"";
        return judge_question(results({text.c_str(), R"("x")"}));
    };
    EXPECT_EQ(with(limits::arguments_bytes_max)->size(), limits::arguments_bytes_max);
    EXPECT_EQ(with(limits::arguments_bytes_max + 1).error().code, ErrorCode::limit);
}

TEST(Judge, WhatItPutsTogetherCountsTogether) {
    // The values are "a", "b", "c".
    const auto answers = results({R"("b")", R"("a")", R"("b")", R"("c")"});
    EXPECT_EQ(drawn(3, answers, R"({"groups":[[0,1],[2]]})"), R"("a" +012 -3)");
    EXPECT_EQ(drawn(3, answers, R"({"groups":[[2],[1,0]]})"), R"("a" +012 -3)");
    EXPECT_EQ(drawn(3, answers, R"({"groups":[[2,1],[0],[]]})"), R"("b" +023 -1)");
    EXPECT_EQ(drawn(3, answers, R"({"groups":[[0],[1],[2]]})"), "none");
    EXPECT_EQ(drawn(4, answers, R"({"groups":[[0,1],[2]]})"), "none");
    EXPECT_EQ(best_judged(answers, R"({"groups":[[0,1],[2]]})"), 3U);
    // Of groups of one size that with the least value, however they are named.
    EXPECT_EQ(drawn(1, results({"2", "1"}), R"({"groups":[[1],[0]]})"), "1 +1 -0");
    for (const char* bad :
         {R"({"groups":[[0,1]]})",
          R"({"groups":[[0,1],[1,2]]})",
          R"({"groups":[[0,1],[3]]})",
          R"({"groups":[[0,1],[2,-1]]})",
          R"({"groups":[[0,1],[2.5]]})",
          R"({"groups":[[0,1],2]})",
          R"({"groups":{}})",
          R"([[0,1],[2]])",
          "",
          "{"}) {
        EXPECT_EQ(drawn(1, answers, bad), "error") << bad;
        EXPECT_EQ(best_judged(answers, bad), 0U);
    }
}

// [CALL-JUDGE.2]
TEST(Judge, IsDeterministicComparesExactlyAndIsTheOneThatIsNamed) {
    const Registry registry = builtin_registry();
    const Contract& judge = registry.snapshot()->find("same_text")->contract();
    const MatchJudge rule{.tool = "same_text", .contract = judge.id()};
    EXPECT_TRUE(may_judge(judge, rule));
    EXPECT_FALSE(may_judge(judge, {.tool = "other", .contract = judge.id()}));
    EXPECT_FALSE(may_judge(registry.snapshot()->find("add")->contract(), rule));
    Contract random = judge;
    random.deterministic = false;
    EXPECT_FALSE(may_judge(random, {.tool = "same_text", .contract = random.id()}));
    // Nobody judges a judge.
    Contract judged = judge;
    judged.match = rule;
    EXPECT_FALSE(may_judge(judged, {.tool = "same_text", .contract = judged.id()}));
    EXPECT_EQ(judges_min(3), 3U);
    EXPECT_EQ(judges_min(4), 4U);
    EXPECT_EQ(judges_min(100), 4U);
}

/// Five agents that greet, and judge greetings.
class Greetings : public ::testing::Test {
protected:
    Greetings() {
        const Registry registry = builtin_registry();
        judge_ = registry.snapshot()->find("same_text")->contract();
        greet_ = registry.snapshot()->find("greet")->contract();
        rule_ = std::get<MatchJudge>(greet_.match);
        use(greet_);
        call_.emplace(ask(greet_, R"({"name":"Ann"})", 1));
    }
    /// What the agents offer and sign from now on.
    void use(const Contract& contract) {
        agents_.contract = contract.summary();
        agents_.match = contract.match;
    }
    VerifiedCall ask(const Contract& contract, const std::string& arguments, std::uint64_t nonce) {
        PanelCall call{
            .command = {.tool = contract.name, .arguments = arguments},
            .contract = contract.summary(),
            .definition = contract.definition(),
            .match = contract.match,
            .arguments = arguments,
            .nonce = nonce};
        call.salt[0] = static_cast<std::uint8_t>(nonce);
        for (std::size_t i = 0; i < panel_; ++i)
            call.panel.push_back(agents_.id(i));
        call.command.bar = panel_bar(static_cast<std::uint32_t>(panel_));
        return VerifiedCall::make(call, agents_.chain, agents_.id(0), *agents_.signers[0]).value();
    }
    void greet(std::size_t i, const std::string& text) {
        use(greet_);
        const std::string json = canonical(Json{text});
        ASSERT_TRUE(call_->on_finished(agents_.id(i), agents_.answer(i, *call_, json)));
    }
    void fail(std::size_t i) {
        const CallAnswer lost{.status = CallAnswer::Status::internal, .text = "lost"};
        EXPECT_FALSE(call_->on_finished(agents_.id(i), lost));
    }
    /// What the judges say of these answers; `answers` is a question.
    Judgement judged(const std::string& question, std::uint64_t nonce = 2) {
        use(judge_);
        VerifiedCall judges = ask(judge_, question, nonce);
        const Registry registry = builtin_registry();
        const std::string said = registry.snapshot()->find("same_text")->call(question, {}).value();
        for (std::size_t i = 0; i < panel_ && !judges.decided(); ++i)
            EXPECT_TRUE(judges.on_finished(agents_.id(i), agents_.answer(i, judges, said)));
        const VerifiedReply& reply = *judges.decided();
        return {reply.receipt, reply.salt, reply.definition, reply.result};
    }
    void let_judges_decide() {
        ASSERT_TRUE(call_->wants_judge());
        call_->on_judged(judged(call_->ask_judge().value()));
    }
    [[nodiscard]] Result<RuleDecision> check(const VerifiedReply& reply) const {
        return decide_shown(
            reply.receipt, greet_, reply.salt, reply.shown, reply.judgement, agents_.chain
        );
    }

    std::size_t panel_ = 5;
    Agents agents_{5};
    Contract judge_;
    Contract greet_;
    MatchJudge rule_;
    std::optional<VerifiedCall> call_;
};

// [CALL-JUDGE.4]
TEST_F(Greetings, EqualOnesNeedNoJudge) {
    for (std::size_t i = 0; i < 4; ++i)
        greet(i, "Hello, Ann");
    ASSERT_TRUE(call_->decided());
    EXPECT_FALSE(call_->wants_judge());
    EXPECT_FALSE(call_->decided()->judgement);
    EXPECT_TRUE(check(*call_->decided()));
    greet(4, "HELLO ANN!");
    EXPECT_TRUE(call_->decided()->dissenting.empty()) << "nobody has judged it";
}

// [CALL-JUDGE.3] [CALL-JUDGE.4]
TEST_F(Greetings, DifferentOnesAreTheSameWhenTheJudgesSaySo) {
    greet(0, "Hello, Ann");
    greet(1, "HELLO, ANN!");
    greet(2, "Go away");
    EXPECT_FALSE(call_->wants_judge()) << "three of five decide nothing";
    greet(3, "hello   ann");
    ASSERT_TRUE(call_->wants_judge());
    EXPECT_FALSE(call_->hopeless());
    const std::string question = call_->ask_judge().value();
    EXPECT_EQ(question, R"({"answers":["Go away","HELLO, ANN!","Hello, Ann","hello   ann"]})");
    EXPECT_TRUE(call_->judging());
    EXPECT_FALSE(call_->wants_judge()) << "one question at a time";
    call_->on_judged(judged(question));
    EXPECT_FALSE(call_->decided()) << "three are the same, four are needed";
    EXPECT_FALSE(call_->hopeless()) << "one may still come";
    EXPECT_FALSE(call_->wants_judge()) << "nothing new to judge";
    greet(4, "hello, ann.");
    let_judges_decide();
    ASSERT_TRUE(call_->decided());
    const VerifiedReply& reply = *call_->decided();
    EXPECT_EQ(reply.result, R"("HELLO, ANN!")") << "the least of them";
    EXPECT_EQ(reply.dissenting, std::vector{agents_.id(2)});
    ASSERT_TRUE(reply.judgement);
    const auto checked = check(reply);
    ASSERT_TRUE(checked) << checked.error().message;
    EXPECT_EQ(checked->result, reply.result);
    EXPECT_EQ(checked->agreeing.size(), 4U);
}

// [CALL-JUDGE.4]
TEST_F(Greetings, WithoutAJudgeNothingIsDecidedAndTheReasonIsSaid) {
    for (std::size_t i = 0; i < 4; ++i)
        greet(i, "Hello" + std::string(i, '!'));
    ASSERT_TRUE(call_->ask_judge());
    EXPECT_EQ(call_->failure(), "undecided: the judge same_text did not answer in time");
    call_->on_judge_failed("quorum not reached: 1 equal answers of 5 asked, 4 needed");
    EXPECT_FALSE(call_->hopeless());
    fail(4);
    EXPECT_FALSE(call_->wants_judge()) << "no more answers than it was asked about";
    EXPECT_TRUE(call_->hopeless());
    EXPECT_EQ(
        call_->failure(),
        "undecided: the judge same_text: quorum not reached: 1 equal answers of 5 asked, 4 needed"
    );
}

TEST_F(Greetings, EqualOnesThatComeWhileTheJudgesThinkDecide) {
    greet(0, "Hello, Ann");
    greet(1, "Hello, Ann");
    greet(2, "Hello, Ann");
    greet(3, "Hi, Ann");
    const std::string question = call_->ask_judge().value();
    greet(4, "Hello, Ann");
    ASSERT_TRUE(call_->decided());
    call_->on_judged(judged(question));
    EXPECT_FALSE(call_->decided()->judgement);
    EXPECT_TRUE(check(*call_->decided()));
}

TEST_F(Greetings, AJudgeWhoseAnswerGroupsNothingFails) {
    for (std::size_t i = 0; i < 4; ++i)
        greet(i, "Hello" + std::string(i, '!'));
    Judgement judgement = judged(call_->ask_judge().value());
    judgement.result = R"({"groups":[[0]]})";
    call_->on_judged(judgement);
    EXPECT_FALSE(call_->decided());
    EXPECT_NE(call_->failure().find("does not group the answers"), std::string::npos);
}

// [CALL-JUDGE.3]
TEST_F(Greetings, AReceiptWithAnotherJudgementHoldsNothing) {
    greet(0, "Hello, Ann");
    greet(1, "HELLO, ANN!");
    greet(2, "hello ann");
    greet(3, "hello, ann.");
    let_judges_decide();
    const VerifiedReply good = *call_->decided();
    ASSERT_TRUE(check(good));
    const auto refused = [&](const VerifiedReply& reply, const std::string& why) {
        const auto checked = check(reply);
        ASSERT_FALSE(checked) << why;
        EXPECT_NE(checked.error().message.find(why), std::string::npos) << checked.error().message;
    };
    VerifiedReply forged = good;
    forged.judgement.reset();
    refused(forged, "is missing");
    forged = good;
    forged.judgement->result = R"({"groups":[[0,1],[2,3]]})";
    refused(forged, "not what the judges signed");
    forged = good;
    forged.judgement->salt[5] ^= 1U;
    refused(forged, "asked about other answers");
    forged = good;  // Another question, well answered.
    forged.judgement = judged(R"({"answers":["Bye","Hello, Ann","HELLO, ANN!","hello ann"]})", 3);
    refused(forged, "asked about other answers");
    forged = good;
    forged.judgement->receipt.answers.resize(3);
    refused(forged, "reached no quorum");
    forged = good;
    forged.judgement->receipt.request.bar = 3;
    for (Answer& answer : forged.judgement->receipt.answers)
        answer.call = forged.judgement->receipt.request.id(agents_.chain);
    refused(forged, "a bar of 3 among 5 judges is too low");
    forged = good;
    forged.judgement->receipt.request.caller = agents_.id(3);
    for (Answer& answer : forged.judgement->receipt.answers)
        answer.call = forged.judgement->receipt.request.id(agents_.chain);
    refused(forged, "another caller asked");
    forged = good;
    forged.judgement->definition = greet_.definition();
    refused(forged, "not the one that the contract names");
    forged = good;
    forged.judgement->definition = "{}";
    refused(forged, "judgement: contract");
    forged = good;
    forged.judgement->receipt.answers[0].call = {};
    refused(forged, "for another call");
    // Fewer judges than the call itself asked, or four.
    panel_ = 3;
    forged = good;
    forged.judgement = judged(judge_question(good.shown).value(), 4);
    refused(forged, "a bar of 3 among 3 judges is too low");
    // Where equal answers decide, none is shown.
    panel_ = 5;
    call_.emplace(ask(greet_, R"({"name":"Ann"})", 5));
    for (std::size_t i = 0; i < 4; ++i)
        greet(i, "Hello, Ann");
    forged = *call_->decided();
    forged.judgement = good.judgement;
    refused(forged, "where nobody had to judge");
}

TEST(SameText, TakesForTheSameWhatDiffersInCaseSpaceAndPunctuation) {
    const Registry registry = builtin_registry();
    const auto groups = [&](const char* answers) {
        const std::string question = std::string{R"({"answers":)"} + answers + "}";
        const auto said = registry.snapshot()->find("same_text")->call(question, {});
        return said ? *said : said.error().message;
    };
    EXPECT_EQ(groups("[]"), R"({"groups":[]})");
    EXPECT_EQ(
        groups(R"(["Hello, Ann","hello ann!","  HELLO\n\tANN","Hello, Anna","helloann"])"),
        R"({"groups":[[0,1,2],[3],[4]]})"
    );
    EXPECT_EQ(groups(R"(["","?!",0,"0"])"), R"({"groups":[[0,1],[2],[3]]})");
    EXPECT_EQ(
        groups(R"([{"a":"X."},{"a":"x"},{"A":"x"},["x"],["X"]])"), R"({"groups":[[0,1],[2],[3,4]]})"
    );
    EXPECT_EQ(groups("[\"\xC3\x84\",\"\xC3\xA4\"]"), R"({"groups":[[0],[1]]})") << "ASCII only";
}

}  // namespace
}  // namespace creto
