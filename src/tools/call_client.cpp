#include "tools/call_client.hpp"

#include <algorithm>

namespace creto {

namespace {

/// A connection that another replaces is back at once; a process that died is not.
constexpr Duration back_patience = Duration::from_ms(500);
/// Larger calls are not kept for a second time.
constexpr std::size_t repeated_bytes_max = 64ULL * 1024;

}  // namespace

Result<void> CallClient::start(
    Token token,
    const AgentId& provider,
    CallStart call,
    Instant deadline,
    Effects& effects,
    Repeat repeat
) {
    if (calls_.size() >= limits::calls_pending_max) {
        return fail(
            ErrorCode::limit,
            "too many calls under way: " + std::to_string(limits::calls_pending_max) +
                "; wait for some to finish"
        );
    }
    call.id = next_id_++;
    Call& started = calls_.emplace(call.id, Call{token, provider, deadline, {}, {}}).first->second;
    if (repeat == Repeat::yes && call.arguments.size() <= repeated_bytes_max) started.again = call;
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

std::vector<CallClient::Finished> CallClient::on_peer_down(const AgentId& peer, Instant now) {
    std::vector<Finished> out;
    for (auto it = calls_.begin(); it != calls_.end();) {
        const auto call = it++;
        if (call->second.provider != peer || call->second.back_by) continue;
        if (call->second.again) {
            call->second.back_by = now + back_patience;
            waiting_.emplace(*call->second.back_by, call->first);
            continue;
        }
        CallAnswer answer{
            .id = call->first,
            .status = CallAnswer::Status::internal,
            .text = "the agent was lost in mid-call; the call may have run"};
        out.push_back(finish(call, std::move(answer), true));
    }
    return out;
}

void CallClient::on_peer_up(const AgentId& peer, Instant now, Effects& effects) {
    if (waiting_.empty()) return;
    for (auto& [id, call] : calls_) {
        if (call.provider != peer || !call.back_by) continue;
        waiting_.erase({*call.back_by, id});
        call.back_by.reset();
        CallStart again = std::move(*call.again);
        call.again.reset();  // Once: who loses its connections goes on losing them.
        again.timeout_ms = static_cast<std::uint32_t>(
            std::clamp<std::int64_t>((call.deadline - now).ms(), 1, 86'400'000)
        );
        effects.send(peer, again);
    }
}

std::vector<CallClient::Finished> CallClient::on_time(Instant now, Effects& effects) {
    std::vector<Finished> out;
    while (!waiting_.empty() && waiting_.begin()->first <= now) {
        const auto call = calls_.find(waiting_.begin()->second);
        CallAnswer answer{
            .id = call->first,
            .status = CallAnswer::Status::internal,
            .text = "the agent was lost in mid-call and did not come back"};
        out.push_back(finish(call, std::move(answer), true));
    }
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
    const Instant due = deadlines_.empty() ? Instant::max() : deadlines_.begin()->first;
    return waiting_.empty() ? due : std::min(due, waiting_.begin()->first);
}

CallClient::Finished CallClient::finish(
    std::map<std::uint64_t, Call>::iterator it, CallAnswer answer, bool lost
) {
    Finished finished{it->second.token, it->second.provider, std::move(answer), lost};
    deadlines_.erase({it->second.deadline, it->first});
    if (it->second.back_by) waiting_.erase({*it->second.back_by, it->first});
    calls_.erase(it);
    return finished;
}

}  // namespace creto
