#include "tools/call_client.hpp"

namespace creto {

Result<void> CallClient::start(
    Token token, const AgentId& provider, CallStart call, Instant deadline, Effects& effects
) {
    if (calls_.size() >= limits::calls_pending_max) {
        return fail(
            ErrorCode::limit,
            "too many calls under way: " + std::to_string(limits::calls_pending_max) +
                "; wait for some to finish"
        );
    }
    call.id = next_id_++;
    calls_.emplace(call.id, Call{token, provider, deadline});
    deadlines_.emplace(deadline, call.id);
    effects.send(provider, call);
    return {};
}

std::optional<CallClient::Token> CallClient::token_of(const AgentId& from, std::uint64_t id) const {
    const auto found = calls_.find(id);
    if (found == calls_.end() || found->second.provider != from) return std::nullopt;
    return found->second.token;
}

std::optional<CallClient::Finished> CallClient::on_answer(const AgentId& from, CallAnswer answer) {
    const auto found = calls_.find(answer.id);
    if (found == calls_.end() || found->second.provider != from) return std::nullopt;
    return finish(found, std::move(answer), false);
}

std::vector<CallClient::Finished> CallClient::on_peer_down(const AgentId& peer) {
    std::vector<Finished> out;
    for (auto it = calls_.begin(); it != calls_.end();) {
        const auto call = it++;
        if (call->second.provider != peer) continue;
        CallAnswer answer{
            .id = call->first,
            .status = CallAnswer::Status::internal,
            .text = "the agent was lost in mid-call"};
        out.push_back(finish(call, std::move(answer), true));
    }
    return out;
}

std::vector<CallClient::Finished> CallClient::on_time(Instant now, Effects& effects) {
    std::vector<Finished> out;
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
        const auto call = calls_.find(deadlines_.begin()->second);
        effects.send(call->second.provider, CallCancel{call->first});
        CallAnswer answer{
            .id = call->first,
            .status = CallAnswer::Status::timeout,
            .text = "no answer within the deadline"};
        out.push_back(finish(call, std::move(answer), false));
    }
    return out;
}

void CallClient::cancel(Token token, Effects& effects) {
    for (auto it = calls_.begin(); it != calls_.end();) {
        const auto call = it++;
        if (call->second.token != token) continue;
        effects.send(call->second.provider, CallCancel{call->first});
        finish(call, {}, false);
    }
}

Instant CallClient::next_wake() const {
    return deadlines_.empty() ? Instant::max() : deadlines_.begin()->first;
}

CallClient::Finished CallClient::finish(
    std::map<std::uint64_t, Call>::iterator it, CallAnswer answer, bool lost
) {
    Finished finished{it->second.token, it->second.provider, std::move(answer), lost};
    deadlines_.erase({it->second.deadline, it->first});
    calls_.erase(it);
    return finished;
}

}  // namespace creto
