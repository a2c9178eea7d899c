#include "tools/rule_decision.hpp"

#include <algorithm>
#include <gtest/gtest.h>

#include "base/prng.hpp"
#include "tools/builtins.hpp"
#include "tools/test_support.hpp"

namespace creto {
namespace {

using call_testing::agent;
using call_testing::results;

MatchRule tolerance(const char* distance) {
    return MatchTolerance{.distance = Decimal::parse(distance).value(), .pointer = ""};
}

/// "result +agreeing -dissenting", by the agents' numbers.
std::string drawn(
    const MatchRule& rule, std::uint32_t bar, const std::vector<ShownAnswer>& answers
) {
    const auto decision = decide_by_rule(rule, bar, answers);
    if (!decision) return "none";
    std::string out = decision->result + " +";
    for (const AgentId& a : decision->agreeing)
        out += std::to_string(a.view()[0]);
    out += " -";
    for (const AgentId& a : decision->dissenting)
        out += std::to_string(a.view()[0]);
    return out;
}

// [CALL-RULE.3]
TEST(RuleDecision, ToleranceCountsWhatIsNearTheLowerMedian) {
    const auto rule = tolerance("5");
    EXPECT_EQ(drawn(rule, 5, results({"100", "101", "99", "102", "98"})), "100 +01234 -");
    // Exactly at the distance agrees, one beyond does not.
    EXPECT_EQ(drawn(rule, 5, results({"100", "100", "100", "100", "105"})), "100 +01234 -");
    EXPECT_EQ(drawn(rule, 5, results({"100", "100", "100", "100", "106"})), "none");
    EXPECT_EQ(drawn(rule, 4, results({"100", "100", "100", "100", "106"})), "100 +0123 -4");
    // Two liars of seven at one edge move the result no further than an honest answer.
    EXPECT_EQ(
        drawn(rule, 5, results({"100", "101", "102", "103", "104", "107", "107"})), "103 +0123456 -"
    );
    EXPECT_EQ(
        drawn(rule, 5, results({"100", "101", "102", "103", "104", "109", "109"})), "103 +01234 -56"
    );
    EXPECT_EQ(drawn(rule, 3, results({"\"x\"", "no json", "1", "2", "3"})), "2 +234 -01");
    EXPECT_EQ(drawn(rule, 1, {}), "none");
}

TEST(RuleDecision, ErrorsOfTheToolAgreeByTheirText) {
    std::vector<ShownAnswer> answers = results({"7", "down", "down", "down"});
    for (std::size_t i = 1; i < 4; ++i)
        answers[i].kind = AnswerKind::tool_error;
    EXPECT_EQ(drawn(tolerance("1"), 3, answers), "down +123 -0");
    EXPECT_EQ(decide_by_rule(tolerance("1"), 3, answers)->kind, AnswerKind::tool_error);
}

TEST(RuleDecision, FieldsAndLinesCompareWhatTheyName) {
    const MatchRule fields = MatchFields{.pointers = {"/d"}};
    EXPECT_EQ(
        drawn(
            fields,
            3,
            results({R"({"d":1,"t":9})", R"({"d":1,"t":8})", R"({"d":2})", R"({"d":1,"t":7})"})
        ),
        R"({"d":1,"t":7} +013 -2)"
    );
    EXPECT_EQ(
        drawn(MatchLines{}, 2, results({R"("a\nb")", R"("b\na\n")", R"("a")"})), R"("a\nb" +01 -2)"
    );
}

TEST(RuleDecision, HoldsForAnyHonestMajorityWhateverTheLiarsSay) {
    Prng prng{7};
    for (int round = 0; round < 2'000; ++round) {
        // Five honest answers within 10 of each other, two liars anywhere; a tolerance of 10.
        const auto base = static_cast<std::int64_t>(prng.below(1'000));
        std::vector<ShownAnswer> answers;
        for (std::uint8_t i = 0; i < 5; ++i) {
            answers.push_back(
                {agent(i),
                 AnswerKind::result,
                 std::to_string(base + static_cast<std::int64_t>(prng.below(11)))}
            );
        }
        for (std::uint8_t i = 5; i < 7; ++i) {
            const auto lie = static_cast<std::int64_t>(prng.below(60)) - 30;
            answers.push_back({agent(i), AnswerKind::result, std::to_string(base + lie)});
        }
        const auto decision = decide_by_rule(tolerance("10"), 5, answers);
        ASSERT_TRUE(decision) << "round " << round;
        const std::int64_t result = std::stoll(decision->result);
        EXPECT_TRUE(base <= result && result <= base + 10) << result << " of " << base;
        // No honest agent is named.
        for (const AgentId& named : decision->dissenting)
            EXPECT_GE(named.view()[0], 5);
        for (const ShownAnswer& answer : answers) {
            const ShownAnswer decided{{}, AnswerKind::result, decision->result};
            const bool agreed =
                std::count(decision->agreeing.begin(), decision->agreeing.end(), answer.provider) ==
                1;
            EXPECT_EQ(agrees(tolerance("10"), decided, answer), agreed);
        }
    }
}

/// A receipt of the tool `clock` with these answers, and what is shown beside it.
struct Shown {
    explicit Shown(std::vector<ShownAnswer> given) : answers{std::move(given)} {
        salt[0] = 42;
        receipt.request.contract = contract.id();
        receipt.request.salt_commitment = salt_commitment(salt);
        receipt.request.bar = 3;
        receipt.request.by_rule = true;
        for (const ShownAnswer& answer : answers) {
            receipt.answers.push_back(
                {.provider = answer.provider,
                 .kind = answer.kind,
                 .result = salted_digest(HashDomain::result, salt, as_bytes(answer.text))}
            );
        }
    }
    [[nodiscard]] std::string verdict() const {
        const auto decision = decide_shown(receipt, contract, salt, answers, std::nullopt, {});
        return decision ? decision->result : decision.error().message;
    }

    Contract contract = builtin_registry().snapshot()->find("clock")->contract();
    Salt salt{};
    QuorumReceipt receipt;
    std::vector<ShownAnswer> answers;
};

// [CALL-RULE.2]
TEST(RuleDecision, IsRecomputedFromWhatIsShownAndFailsWhenAnyOfItIsChanged) {
    const Shown good{results({"1000", "2000", "3000", "90000"})};
    EXPECT_EQ(good.verdict(), "2000");
    Shown other = good;
    other.answers[3].text = "3000";
    EXPECT_NE(other.verdict().find("is not the one that it signed"), std::string::npos);
    other = good;
    other.answers[0].provider = agent(9);
    EXPECT_NE(other.verdict().find("is not the one that it signed"), std::string::npos);
    other = good;
    other.answers[0].kind = AnswerKind::tool_error;
    EXPECT_NE(other.verdict().find("is not the one that it signed"), std::string::npos);
    other = good;
    other.answers.pop_back();
    EXPECT_EQ(other.verdict(), "3 answers are shown, 4 were signed");
    other = good;
    other.salt[1] ^= 1U;
    EXPECT_EQ(other.verdict(), "the salt shown is not the one of the request");
    other = good;
    other.contract.match = MatchTolerance{.distance = Decimal{100'000}, .pointer = ""};
    EXPECT_EQ(other.verdict(), "the contract shown is not the one that was asked for");
    other = good;
    other.receipt.request.bar = 4;
    EXPECT_EQ(other.verdict(), "under the contract's rule no answer reached the bar");
}

// [CALL-JUDGE.2]
TEST(RuleDecision, AJudgeIsNamedByItsToolAndItsContract) {
    const std::string clock = builtin_registry().snapshot()->find("clock")->contract().definition();
    const std::string rule = R"({"distance":5000,"kind":"tolerance","pointer":""})";
    const auto with = [&](const std::string& judge) {
        std::string definition = clock;
        definition.replace(definition.find(rule), rule.size(), judge);
        return Contract::parse(definition);
    };
    const std::string id(64, 'a');
    const auto judged = with(R"({"contract":")" + id + R"(","kind":"judge","tool":"same_text"})");
    ASSERT_TRUE(judged) << judged.error().message;
    EXPECT_TRUE(judged->summary().has(ContractSummary::by_rule));
    EXPECT_EQ(std::get<MatchJudge>(judged->match).tool, "same_text");
    EXPECT_EQ(std::get<MatchJudge>(judged->match).contract.value().hex(), id);
    EXPECT_FALSE(with(R"({"kind":"judge","prompt":"?"})"));
    EXPECT_FALSE(with(R"({"kind":"judge","tool":"same_text"})"));
    EXPECT_FALSE(with(R"({"contract":"aa","kind":"judge","tool":"same_text"})"));
    EXPECT_FALSE(with(R"({"contract":")" + id + R"(","kind":"judge","tool":""})"));
    EXPECT_FALSE(with(R"({"contract":")" + id + R"(","kind":"judge","tool":"same text"})"));
    const std::string none(64, '0');
    EXPECT_FALSE(with(R"({"contract":")" + none + R"(","kind":"judge","tool":"same_text"})"));
    EXPECT_FALSE(with(R"({"contract":")" + id + R"(","kind":"judge","more":1,"tool":"same_text"})")
    );
}

}  // namespace
}  // namespace creto
