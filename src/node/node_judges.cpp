// Answers whose likeness a panel of judges decides: a verified call for another one.
#include "node/node_impl.hpp"
#include "tools/judge.hpp"

namespace creto {

/// Asks the judges that the contract names about the answers that are there. [CALL-JUDGE.4]
void NodeImpl::ask_judge(CallClient::Token token) {
    if (const auto asked = start_judges(token); !asked) miss_judges(token, asked.error().message);
}

Result<void> NodeImpl::start_judges(CallClient::Token token) {
    PanelCallEntry& entry = panels_.at(token);
    const PanelCall& call = entry.call.call();
    const MatchJudge rule = std::get<MatchJudge>(call.match);
    auto question = entry.call.ask_judge();
    if (!question) return tl::unexpected<Error>(question.error());
    CallVerified ask{
        .tool = rule.tool,
        .arguments = *question,
        .any_agent = call.command.any_agent,
        .record = call.command.record,
        .timeout = entry.deadline - now_};
    auto judges = panel_for(ask, rule.contract);
    if (!judges) return tl::unexpected<Error>(judges.error());
    const std::size_t needed = judges_min(call.panel.size());
    if (judges->panel.size() < needed) {
        return fail(
            ErrorCode::unavailable,
            std::to_string(judges->panel.size()) + " agents offer it as the contract names it, " +
                std::to_string(needed) + " are needed"
        );
    }
    const auto contract = Contract::parse(judges->definition);
    if (!contract) return tl::unexpected<Error>(contract.error());
    if (auto may = may_judge(*contract, rule); !may) return may;
    // Whoever lowered the bar of the call did not lower that of its judges. [CALL-JUDGE.2]
    const std::size_t asked = std::min(judges->panel.size(), limits::panel_max);
    judges->command.bar = panel_bar(static_cast<std::uint32_t>(asked));
    judges->arguments = std::move(*question);
    return start_panel(std::move(*judges), {{}, token});
}

/// The judges of this call have decided.
void NodeImpl::hear_judges(CallClient::Token token, const VerifiedReply& said) {
    const auto found = panels_.find(token);
    if (found == panels_.end() || !found->second.call.judging()) return;
    found->second.judges.reset();
    if (said.kind != AnswerKind::result) {
        found->second.call.on_judge_failed("it says: " + said.result);
    } else {
        found->second.call.on_judged({said.receipt, said.salt, said.definition, said.result});
    }
    settle_panel(token);
}

void NodeImpl::miss_judges(CallClient::Token token, const std::string& why) {
    const auto found = panels_.find(token);
    if (found == panels_.end() || !found->second.call.judging()) return;
    found->second.judges.reset();
    found->second.call.on_judge_failed(why);
    settle_panel(token);
}

/// Nobody waits for them any more. Those that have decided go on to their record.
void NodeImpl::dismiss_judges(PanelCallEntry& entry) {
    if (!entry.judges) return;
    const CallClient::Token judges = *entry.judges;
    entry.judges.reset();
    const auto found = panels_.find(judges);
    if (found == panels_.end() || found->second.replied) return;
    client_.cancel(judges, effects_);
    panels_.erase(found);
}

}  // namespace creto
