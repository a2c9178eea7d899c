// RuleDecision: what a panel's answers decide under the contract's match rule.
//
// Why      Where equal values decide, equal digests do, and nobody needs to see an answer. A tolerance,
//          chosen fields or a set of lines can be checked on the answers in clear only. So a receipt of
//          such a call is shown with its answers, the salt and the contract; digests stay what is signed.
// Source   docs/decisions/0012.
// Holds    [CALL-RULE.2] Whoever holds the receipt, the salt, the answers and the contract's definition
//          recomputes the decision from nothing else: the definition hashes to the signed contract id,
//          each answer opens the digest that its provider signed, and the rule does the rest. With one
//          of them changed, or an answer left out, there is no decision.
//          [CALL-RULE.3] Under a tolerance `bar` answers lie within the distance of the lower median of
//          all numbers answered. As the bar is a majority, the median lies between honest answers as
//          long as the liars among those who answered are fewer than the honest.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tools/contract.hpp"

namespace creto {

struct RuleDecision {
    AnswerKind kind = AnswerKind::result;
    std::string result;             ///< The answer that stands for those that agree.
    std::vector<AgentId> agreeing;  ///< In the order of the answers.
    std::vector<AgentId> dissenting;
};

/// What `bar` answers that the rule takes for the same decide. Errors of the tool are the same when
/// their texts are equal.
[[nodiscard]] std::optional<RuleDecision> decide_by_rule(
    const MatchRule& rule, std::uint32_t bar, std::span<const ShownAnswer> answers
);

/// The most answers that the rule takes for the same, whatever the bar.
[[nodiscard]] std::uint32_t best_agreement(
    const MatchRule& rule, std::span<const ShownAnswer> answers
);

/// Whether the rule takes `other` for the same as an answer that was decided.
[[nodiscard]] bool agrees(
    const MatchRule& rule, const ShownAnswer& decided, const ShownAnswer& other
);

/// Checks what is shown against what was signed, then decides. Signatures are checked apart, those of the
/// judgement too. invalid: what does not fit, or that nothing is decided.
[[nodiscard]] Result<RuleDecision> decide_shown(
    const QuorumReceipt& receipt,
    const Contract& contract,
    const Salt& salt,
    std::span<const ShownAnswer> answers,
    const std::optional<Judgement>& judgement,
    const ChainId& chain
);

}  // namespace creto
