#include "tools/verified_call.hpp"

#include <algorithm>

#include "tools/judge.hpp"

namespace creto {

namespace {

/// Fewer agree by chance; fewer than 4 cannot outvote one liar.
constexpr std::size_t panel_min = 4;

}  // namespace

Result<VerifiedCall> VerifiedCall::make(
    PanelCall call, const ChainId& chain, const AgentId& self, const Signer& signer
) {
    std::sort(call.panel.begin(), call.panel.end());
    const std::size_t m = call.panel.size();
    if (m > limits::panel_max) call.panel.resize(limits::panel_max);
    if (m < panel_min && !call.command.bar) {
        return fail(
            ErrorCode::unavailable,
            "only " + std::to_string(m) + " agents offer \"" + call.command.tool +
                "\" for a verified call; " + std::to_string(panel_min - m) +
                " more are needed (or lower the bar with --quorum)"
        );
    }
    const std::uint32_t bar = call.command.bar.value_or(panel_bar(static_cast<std::uint32_t>(m)));
    if (bar > m || bar * 2 <= m) {
        return fail(
            ErrorCode::invalid,
            "a bar of " + std::to_string(bar) + " among " + std::to_string(m) +
                " agents decides nothing: it must be a majority"
        );
    }
    VerifiedCall out;
    CallRequest request{
        .caller = self,
        .nonce = call.nonce,
        .contract = call.contract.id(),
        .arguments = salted_digest(HashDomain::arguments, call.salt, as_bytes(call.arguments)),
        .salt_commitment = salt_commitment(call.salt),
        .deadline_unix_ms = call.deadline_unix_ms,
        .panel = call.panel,
        .bar = bar,
        .by_rule = call.contract.has(ContractSummary::by_rule)};
    request.signature =
        signer.sign(SignDomain::call_request, chain.value(), signing_bytes(request));
    out.id_ = request.id(chain);
    out.open_ = call.panel.size();
    out.receipt_.request = std::move(request);
    out.call_ = std::move(call);
    return out;
}

CallStart VerifiedCall::message(Duration timeout) const {
    return {
        .tool = call_.command.tool,
        .contract = receipt_.request.contract,
        .arguments = call_.arguments,
        .timeout_ms =
            static_cast<std::uint32_t>(std::clamp<std::int64_t>(timeout.ms(), 1, 86'400'000)),
        .verified = SignedCall{receipt_.request, call_.salt}};
}

Result<void> VerifiedCall::on_finished(const AgentId& provider, const CallAnswer& answer) {
    CRETO_ASSERT(open_ > 0);
    --open_;
    if (!answer.signed_answer) {
        return fail(
            ErrorCode::unavailable, std::string{to_string(answer.status)} + ": " + answer.text
        );
    }
    const Answer& said = *answer.signed_answer;
    const AnswerKind kind =
        answer.status == CallAnswer::Status::result ? AnswerKind::result : AnswerKind::tool_error;
    if (said.call != id_ || said.provider != provider || said.kind != kind ||
        said.result != salted_digest(HashDomain::result, call_.salt, as_bytes(answer.text))) {
        return fail(ErrorCode::invalid, "the signature is not for the answer it came with");
    }
    const auto place = std::lower_bound(
        receipt_.answers.begin(),
        receipt_.answers.end(),
        provider,
        [](const Answer& a, const AgentId& p) { return a.provider < p; }
    );
    receipt_.answers.insert(place, said);
    texts_[provider] = answer.text;
    if (reply_) {
        on_late(said, answer.text);
    } else {
        try_to_decide();
    }
    return {};
}

std::vector<ShownAnswer> VerifiedCall::shown() const {
    std::vector<ShownAnswer> out;
    for (const Answer& a : receipt_.answers)
        out.push_back({a.provider, a.kind, texts_.at(a.provider)});
    return out;
}

/// What was decided stays: a late answer agrees with it, or dissents.
void VerifiedCall::on_late(const Answer& said, const std::string& text) {
    if (judge() != nullptr) return;  // Nobody has judged it.
    const ShownAnswer decided{said.provider, reply_->kind, reply_->result};
    const bool same = by_rule() ? agrees(call_.match, decided, {said.provider, said.kind, text})
                                : said.kind == reply_->kind && text == reply_->result;
    if (!same) reply_->dissenting.push_back(said.provider);
}

VerifiedReply VerifiedCall::reply_so_far() const {
    VerifiedReply reply{
        .receipt = receipt_,
        .salt = call_.salt,
        .arguments = call_.arguments,
        .call = id_,
        .definition = call_.definition};
    if (by_rule()) reply.shown = shown();
    return reply;
}

void VerifiedCall::try_to_decide() {
    VerifiedReply reply = reply_so_far();
    if (by_rule()) {
        auto decision = decide_by_rule(call_.match, receipt_.request.bar, reply.shown);
        if (!decision) return;
        reply.kind = decision->kind;
        reply.result = std::move(decision->result);
        reply.dissenting = std::move(decision->dissenting);
    } else {
        auto decision = decide(receipt_);
        if (!decision) return;
        reply.kind = decision->kind;
        reply.dissenting = std::move(decision->dissenting);
        for (const Answer& a : receipt_.answers) {
            if (a.kind != decision->kind || a.result != decision->result) continue;
            reply.result = texts_.at(a.provider);
            break;
        }
    }
    reply_ = std::move(reply);
}

bool VerifiedCall::wants_judge() const {
    if (judge() == nullptr || reply_ || question_) return false;
    const std::size_t there = receipt_.answers.size();
    return there >= receipt_.request.bar && there > judged_ && distinct_results(shown()) > 1;
}

Result<std::string> VerifiedCall::ask_judge() {
    CRETO_ASSERT(wants_judge());
    question_ = reply_so_far();
    judged_ = question_->shown.size();
    return judge_question(question_->shown);
}

void VerifiedCall::on_judged(Judgement judgement) {
    CRETO_ASSERT(question_.has_value());
    VerifiedReply reply = std::move(*question_);
    question_.reset();
    if (reply_) return;  // Equal values have decided meanwhile.
    auto decision = decide_judged(receipt_.request.bar, reply.shown, judgement.result);
    if (!decision) return on_judge_failed(decision.error().message);
    judge_failure_.clear();
    judged_best_ = best_judged(reply.shown, judgement.result);
    if (!*decision) return;
    reply.kind = (*decision)->kind;
    reply.result = std::move((*decision)->result);
    reply.dissenting = std::move((*decision)->dissenting);
    reply.judgement = std::move(judgement);
    reply_ = std::move(reply);
}

void VerifiedCall::on_judge_failed(const std::string& why) {
    question_.reset();
    judge_failure_ = why;
}

bool VerifiedCall::hopeless() const {
    if (reply_) return false;
    if (judge() != nullptr) {
        if (question_ || wants_judge()) return false;
        return open_ == 0 || receipt_.answers.size() + open_ < receipt_.request.bar;
    }
    // An answer to come may move the median, so that more agree than it alone.
    const bool may_shift =
        open_ > 0 && by_rule() && std::holds_alternative<MatchTolerance>(call_.match);
    const std::size_t best = may_shift ? receipt_.answers.size() : best_count();
    return best + open_ < receipt_.request.bar;
}

bool VerifiedCall::disputed() const {
    if (!reply_) return !receipt_.answers.empty();
    return !reply_->dissenting.empty();
}

std::uint32_t VerifiedCall::agreeing(const Digest& result) const {
    const auto same = [&](const Answer& a) { return a.result == result; };
    return static_cast<std::uint32_t>(
        std::count_if(receipt_.answers.begin(), receipt_.answers.end(), same)
    );
}

std::string VerifiedCall::failure() const {
    if (judge() != nullptr && question_)
        return "undecided: the judge " + judge()->tool + " did not answer in time";
    if (judge() != nullptr && !judge_failure_.empty())
        return "undecided: the judge " + judge()->tool + ": " + judge_failure_;
    return "quorum not reached: " + std::to_string(best_count()) +
           (by_rule() ? " agreeing" : " equal") + " answers of " +
           std::to_string(call_.panel.size()) + " asked, " + std::to_string(receipt_.request.bar) +
           " needed";
}

std::uint32_t VerifiedCall::best_count() const {
    if (judge() != nullptr) return std::max(judged_best_, best_agreement(call_.match, shown()));
    if (by_rule()) return best_agreement(call_.match, shown());
    std::map<std::pair<AnswerKind, Digest>, std::uint32_t> counts;
    std::uint32_t best = 0;
    for (const Answer& a : receipt_.answers)
        best = std::max(best, ++counts[{a.kind, a.result}]);
    return best;
}

std::vector<AnswerConflict> AnswerMemory::learn(const VerifiedCall& call) {
    std::vector<AnswerConflict> found;
    const ContractSummary& contract = call.call().contract;
    if (!contract.has(ContractSummary::deterministic | ContractSummary::pinned)) return found;
    if (contract.has(ContractSummary::by_rule)) return found;
    const Digest arguments = hash(HashDomain::arguments, as_bytes(call.call().arguments));
    for (const Answer& said : call.receipt().answers) {
        const Key key{said.provider, contract.id(), arguments};
        RevealedAnswer revealed{
            call.receipt().request, said, call.call().salt, call.texts().at(said.provider)};
        const auto earlier = entries_.find(key);
        if (earlier != entries_.end()) {
            if (earlier->second.result != revealed.result ||
                earlier->second.answer.kind != revealed.answer.kind) {
                found.push_back({contract, call.call().arguments, earlier->second, revealed});
            }
            continue;
        }
        if (order_.size() < entries_max_) {
            order_.push_back(key);
        } else {
            entries_.erase(order_[oldest_]);
            order_[oldest_] = key;
            oldest_ = (oldest_ + 1) % entries_max_;
        }
        entries_.emplace(key, std::move(revealed));
    }
    return found;
}

}  // namespace creto
