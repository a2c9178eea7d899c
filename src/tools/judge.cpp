#include "tools/judge.hpp"

#include <algorithm>
#include <map>

#include "tools/json_parse.hpp"

namespace creto {

namespace {

/// The distinct results, ascending, each with the places of those who gave it.
using Values = std::map<Json, std::vector<std::size_t>>;

Values values_of(std::span<const ShownAnswer> answers) {
    Values out;
    for (std::size_t i = 0; i < answers.size(); ++i) {
        if (answers[i].kind != AnswerKind::result) continue;
        auto value = parse_json(answers[i].text);  // What is no JSON is like nothing else.
        if (value) out[std::move(*value)].push_back(i);
    }
    return out;
}

/// The judge's answer as groups of places in the question: each place in exactly one.
std::optional<std::vector<std::vector<std::size_t>>> groups_of(
    std::string_view text, std::size_t values
) {
    const auto answer = parse_json(text);
    const Json* said = answer ? answer->find("groups") : nullptr;
    if (said == nullptr || said->array() == nullptr) return std::nullopt;
    std::vector<bool> seen(values);
    std::vector<std::vector<std::size_t>> out;
    for (const Json& group : *said->array()) {
        if (group.array() == nullptr) return std::nullopt;
        auto& members = out.emplace_back();
        for (const Json& item : *group.array()) {
            const Decimal* number = item.number();
            const auto place = number == nullptr ? std::nullopt : number->to_int64();
            if (!place || *place < 0 || static_cast<std::size_t>(*place) >= values)
                return std::nullopt;
            const auto at = static_cast<std::size_t>(*place);
            if (seen[at]) return std::nullopt;
            seen[at] = true;
            members.push_back(at);
        }
    }
    if (std::find(seen.begin(), seen.end(), false) != seen.end()) return std::nullopt;
    return out;
}

/// Of groups of one size the one with the least value wins, so that the order in which a judge names them
/// does not matter. None: no answer to the question.
std::optional<AnswerGroup> best_of(std::span<const ShownAnswer> answers, std::string_view text) {
    const Values values = values_of(answers);
    const auto groups = groups_of(text, values.size());
    if (!groups) return std::nullopt;
    std::vector<const std::vector<std::size_t>*> places;
    for (const auto& [value, said_by] : values)
        places.push_back(&said_by);
    AnswerGroup best;
    std::size_t best_value = 0;
    for (std::vector<std::size_t> group : *groups) {
        if (group.empty()) continue;
        std::sort(group.begin(), group.end());
        AnswerGroup agreement{.members = {}, .representative = places[group.front()]->front()};
        for (const std::size_t value : group) {
            agreement.members.insert(
                agreement.members.end(), places[value]->begin(), places[value]->end()
            );
        }
        const bool is_better =
            agreement.members.size() > best.members.size() ||
            (agreement.members.size() == best.members.size() && group.front() < best_value);
        if (!is_better) continue;
        std::sort(agreement.members.begin(), agreement.members.end());
        best = std::move(agreement);
        best_value = group.front();
    }
    return best;
}

}  // namespace

Result<std::string> judge_question(std::span<const ShownAnswer> answers) {
    JsonArray values;
    for (const auto& [value, said_by] : values_of(answers))
        values.push_back(value);
    if (values.size() < 2) return fail(ErrorCode::invalid, "there is nothing to compare");
    std::string question = canonical(Json{JsonObject{{"answers", Json{std::move(values)}}}});
    if (question.size() > limits::arguments_bytes_max) {
        return fail(
            ErrorCode::limit,
            "the answers are " + std::to_string(question.size()) + " bytes together, and at most " +
                std::to_string(limits::arguments_bytes_max) + " can be judged"
        );
    }
    return question;
}

std::size_t distinct_results(std::span<const ShownAnswer> answers) {
    return values_of(answers).size();
}

Result<std::optional<RuleDecision>> decide_judged(
    std::uint32_t bar, std::span<const ShownAnswer> answers, std::string_view groups
) {
    const auto best = best_of(answers, groups);
    if (!best) return fail(ErrorCode::invalid, "the judge's answer does not group the answers");
    if (best->members.empty() || best->members.size() < bar) return std::nullopt;
    const ShownAnswer& representative = answers[best->representative];
    RuleDecision out{.kind = representative.kind, .result = representative.text};
    for (std::size_t i = 0; i < answers.size(); ++i) {
        const bool agreed = std::binary_search(best->members.begin(), best->members.end(), i);
        (agreed ? out.agreeing : out.dissenting).push_back(answers[i].provider);
    }
    return out;
}

std::uint32_t best_judged(std::span<const ShownAnswer> answers, std::string_view groups) {
    const auto best = best_of(answers, groups);
    return best ? static_cast<std::uint32_t>(best->members.size()) : 0;
}

Result<void> may_judge(const Contract& judge, const MatchJudge& rule) {
    if (judge.id() != rule.contract || judge.name != rule.tool) {
        return fail(
            ErrorCode::invalid, "the judge's contract is not the one that the contract names"
        );
    }
    if (!judge.deterministic || !std::holds_alternative<MatchExact>(judge.match)) {
        return fail(
            ErrorCode::invalid,
            "\"" + judge.name + "\" cannot judge: it must be deterministic and compare exactly"
        );
    }
    return {};
}

std::size_t judges_min(std::size_t panel) {
    constexpr std::size_t enough = 4;  // As for any verified call.
    return std::min(enough, panel);
}

Result<void> check_judgement(
    const CallRequest& request,
    const MatchJudge& rule,
    std::span<const ShownAnswer> answers,
    const Judgement& judgement,
    const ChainId& chain
) {
    const auto refuse = [](const std::string& what) {
        return fail(ErrorCode::invalid, "judgement: " + what);
    };
    const auto judge = Contract::parse(judgement.definition);
    if (!judge) return refuse(judge.error().message);
    if (auto may = may_judge(*judge, rule); !may) return refuse(may.error().message);
    const CallRequest& asked = judgement.receipt.request;
    if (auto form = well_formed(judgement.receipt, chain); !form)
        return refuse(form.error().message);
    if (asked.contract != rule.contract || asked.by_rule)
        return refuse("the judges were asked under another contract");
    if (asked.caller != request.caller) return refuse("another caller asked the judges");
    const std::size_t panel = asked.panel.size();
    if (panel < judges_min(request.panel.size()) ||
        asked.bar < panel_bar(static_cast<std::uint32_t>(panel))) {
        return refuse(
            "a bar of " + std::to_string(asked.bar) + " among " + std::to_string(panel) +
            " judges is too low"
        );
    }
    const auto question = judge_question(answers);
    if (!question) return refuse(question.error().message);
    if (salt_commitment(judgement.salt) != asked.salt_commitment ||
        salted_digest(HashDomain::arguments, judgement.salt, as_bytes(*question)) !=
            asked.arguments) {
        return refuse("the judges were asked about other answers");
    }
    const auto decision = decide(judgement.receipt);
    if (!decision) return refuse("the judges reached no quorum");
    if (decision->kind != AnswerKind::result ||
        salted_digest(HashDomain::result, judgement.salt, as_bytes(judgement.result)) !=
            decision->result) {
        return refuse("what is shown is not what the judges signed");
    }
    return {};
}

}  // namespace creto
