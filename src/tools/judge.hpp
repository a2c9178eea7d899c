// Judge: what a panel of judges is asked about answers that differ, and what its word makes of them.
//
// Why      Whether two texts say the same is a question for a tool, and a tool may lie: so it is asked of
//          a panel, by a verified call like any other.
// Source   docs/decisions/0032.
// Holds    [CALL-JUDGE.1] The question is made of the answers alone: the distinct values that providers
//          gave as results, ascending. So whoever sees the answers knows what the judges were asked.
//          [CALL-JUDGE.2] A judge's contract is deterministic and compares exactly: nobody judges a
//          judge. Its panel has as many members as the call's own or four, and no lower bar than two
//          thirds of them.
//          [CALL-JUDGE.3] Whoever holds a receipt, its answers in clear and the judgement recomputes the
//          decision from nothing else.
// Cost     O(answers) and one verified call; the question has at most limits::arguments_bytes_max.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "tools/rule_decision.hpp"

namespace creto {

/// What the judges are asked: {"answers": [...]}. invalid: there is nothing to compare; limit: the
/// answers are too long for a question.
[[nodiscard]] Result<std::string> judge_question(std::span<const ShownAnswer> answers);

/// How many distinct results there are.
[[nodiscard]] std::size_t distinct_results(std::span<const ShownAnswer> answers);

/// What results decide when those are the same that `groups`, a judge's answer to their question, puts
/// together. None: too few are. invalid: it is no answer to that question.
[[nodiscard]] Result<std::optional<RuleDecision>> decide_judged(
    std::uint32_t bar, std::span<const ShownAnswer> answers, std::string_view groups
);

/// The most answers that it takes for the same; 0 when it is no answer to their question.
[[nodiscard]] std::uint32_t best_judged(
    std::span<const ShownAnswer> answers, std::string_view groups
);

/// invalid: not the contract that the rule names, or none that may judge.
[[nodiscard]] Result<void> may_judge(const Contract& judge, const MatchJudge& rule);

/// Members that a panel of judges must have for a call whose own has so many.
[[nodiscard]] std::size_t judges_min(std::size_t panel);

/// Checks that the judgement is one of exactly these answers to exactly this call. Its signatures are
/// checked apart. invalid: what does not fit.
[[nodiscard]] Result<void> check_judgement(
    const CallRequest& request,
    const MatchJudge& rule,
    std::span<const ShownAnswer> answers,
    const Judgement& judgement,
    const ChainId& chain
);

}  // namespace creto
