#include "tools/rule_decision.hpp"

#include <algorithm>
#include <map>

#include "tools/json_parse.hpp"
#include "tools/judge.hpp"

namespace creto {

namespace {

AnswerGroup best_of_results(const MatchRule& rule, std::span<const ShownAnswer> answers) {
    std::vector<Json> values;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < answers.size(); ++i) {
        if (answers[i].kind != AnswerKind::result) continue;
        // What is no JSON is like nothing else.
        auto value = parse_json(answers[i].text);
        if (!value) continue;
        values.push_back(std::move(*value));
        places.push_back(i);
    }
    if (values.empty()) return {};
    const AnswerGroup best = group_answers(rule, values).front();
    AnswerGroup out{.members = {}, .representative = places[best.representative]};
    for (const std::size_t member : best.members)
        out.members.push_back(places[member]);
    return out;
}

AnswerGroup best_of_errors(std::span<const ShownAnswer> answers) {
    std::map<std::string_view, std::vector<std::size_t>> by_text;
    for (std::size_t i = 0; i < answers.size(); ++i) {
        if (answers[i].kind == AnswerKind::tool_error) by_text[answers[i].text].push_back(i);
    }
    AnswerGroup out;
    for (const auto& [text, members] : by_text) {
        if (members.size() > out.members.size()) out = {members, members.front()};
    }
    return out;
}

AnswerGroup best_of(const MatchRule& rule, std::span<const ShownAnswer> answers) {
    AnswerGroup results = best_of_results(rule, answers);
    AnswerGroup errors = best_of_errors(answers);
    return errors.members.size() > results.members.size() ? errors : results;
}

}  // namespace

std::optional<RuleDecision> decide_by_rule(
    const MatchRule& rule, std::uint32_t bar, std::span<const ShownAnswer> answers
) {
    const AnswerGroup best = best_of(rule, answers);
    if (best.members.empty() || best.members.size() < bar) return std::nullopt;
    const ShownAnswer& representative = answers[best.representative];
    RuleDecision out{.kind = representative.kind, .result = representative.text};
    for (std::size_t i = 0; i < answers.size(); ++i) {
        const bool agreed = std::binary_search(best.members.begin(), best.members.end(), i);
        (agreed ? out.agreeing : out.dissenting).push_back(answers[i].provider);
    }
    return out;
}

std::uint32_t best_agreement(const MatchRule& rule, std::span<const ShownAnswer> answers) {
    return static_cast<std::uint32_t>(best_of(rule, answers).members.size());
}

bool agrees(const MatchRule& rule, const ShownAnswer& decided, const ShownAnswer& other) {
    const std::array<ShownAnswer, 2> both{decided, other};
    return best_agreement(rule, both) == 2;
}

Result<RuleDecision> decide_shown(
    const QuorumReceipt& receipt,
    const Contract& contract,
    const Salt& salt,
    std::span<const ShownAnswer> answers,
    const std::optional<Judgement>& judgement,
    const ChainId& chain
) {
    const CallRequest& request = receipt.request;
    if (contract.id() != request.contract) {
        return fail(ErrorCode::invalid, "the contract shown is not the one that was asked for");
    }
    if (salt_commitment(salt) != request.salt_commitment) {
        return fail(ErrorCode::invalid, "the salt shown is not the one of the request");
    }
    if (answers.size() != receipt.answers.size()) {
        return fail(
            ErrorCode::invalid,
            std::to_string(answers.size()) + " answers are shown, " +
                std::to_string(receipt.answers.size()) + " were signed"
        );
    }
    for (std::size_t i = 0; i < answers.size(); ++i) {
        const Answer& said = receipt.answers[i];
        if (answers[i].provider != said.provider || answers[i].kind != said.kind ||
            salted_digest(HashDomain::result, salt, as_bytes(answers[i].text)) != said.result) {
            return fail(
                ErrorCode::invalid,
                "the answer shown for " + agent_text(said.provider) +
                    " is not the one that it signed"
            );
        }
    }
    auto decision = decide_by_rule(contract.match, request.bar, answers);
    const auto* judge = std::get_if<MatchJudge>(&contract.match);
    if (judgement && (decision || judge == nullptr))
        return fail(ErrorCode::invalid, "a judgement is shown where nobody had to judge");
    if (!decision && judgement) {
        if (auto fits = check_judgement(request, *judge, answers, *judgement, chain); !fits)
            return tl::unexpected<Error>(fits.error());
        auto judged = decide_judged(request.bar, answers, judgement->result);
        if (!judged) return tl::unexpected<Error>(judged.error());
        decision = std::move(*judged);
    } else if (!decision && judge != nullptr) {
        return fail(
            ErrorCode::invalid,
            "the answers differ, and what \"" + judge->tool + "\" says of them is missing"
        );
    }
    if (!decision) {
        return fail(ErrorCode::invalid, "under the contract's rule no answer reached the bar");
    }
    return std::move(*decision);
}

}  // namespace creto
