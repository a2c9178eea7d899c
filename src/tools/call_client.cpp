#include "tools/call_client.hpp"

#include <algorithm>
#include <utility>

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
    Call& started =
        calls_.emplace(call.id, Call{token, provider, deadline, {}, {}, {}}).first->second;
    if (call.credit > 0) started.stream = Stream{.window = call.credit, .granted = call.credit};
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

CallClient::PieceTaken CallClient::on_piece(const AgentId& from, const CallPiece& piece) {
    const auto found = calls_.find(piece.id);
    if (found == calls_.end() || found->second.provider != from) return {};
    if (!found->second.stream) return {PieceFate::over_credit, found->second.token, 0};
    Stream& stream = *found->second.stream;
    const std::size_t cost = cost_of(piece.piece);
    if (cost > stream.granted) return {PieceFate::over_credit, found->second.token, 0};
    if (piece.number <= stream.number) return {};
    stream.granted -= cost;
    stream.missed += piece.number - stream.number - 1;
    stream.number = piece.number;
    return {PieceFate::counts, found->second.token, piece.lost + stream.missed};
}

void CallClient::took(
    const AgentId& provider, std::uint64_t id, std::uint64_t bytes, Effects& effects
) {
    const auto found = calls_.find(id);
    if (found == calls_.end() || found->second.provider != provider) return;
    if (!found->second.stream) return;
    Stream& stream = *found->second.stream;
    stream.taken = std::min(stream.taken + bytes, stream.window - stream.granted);
    if (stream.taken < stream.window / 4) return;
    effects.send(provider, CallCredit{id, static_cast<std::uint32_t>(stream.taken)});
    stream.granted += std::exchange(stream.taken, 0);
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

std::vector<CallClient::Again> CallClient::on_peer_up(
    const AgentId& peer, Instant now, Effects& effects
) {
    std::vector<Again> out;
    if (waiting_.empty()) return out;
    const std::uint64_t end = next_id_;  // Those that are sent again come behind it.
    for (auto it = calls_.begin(); it != calls_.end() && it->first < end;) {
        const auto call = it++;
        if (call->second.provider != peer || !call->second.back_by) continue;
        if (call->second.stream) out.push_back({call->second.token, peer});
        send_again(call, now, effects);
    }
    return out;
}

/// Once: who loses its connections goes on losing them.
void CallClient::send_again(
    std::map<std::uint64_t, Call>::iterator it, Instant now, Effects& effects
) {
    waiting_.erase({*it->second.back_by, it->first});
    it->second.back_by.reset();
    CallStart again = std::move(*it->second.again);
    it->second.again.reset();
    again.timeout_ms = static_cast<std::uint32_t>(
        std::clamp<std::int64_t>((it->second.deadline - now).ms(), 1, 86'400'000)
    );
    Call& call = it->second;
    if (call.stream) {
        // The provider may not know yet that the connection was lost, and still show the first run.
        effects.send(call.provider, CallCancel{it->first});
        deadlines_.erase({call.deadline, it->first});
        again.id = next_id_++;
        deadlines_.emplace(call.deadline, again.id);
        call.stream = Stream{.window = again.credit, .granted = again.credit};
        auto node = calls_.extract(it);
        node.key() = again.id;
        calls_.insert(std::move(node));
    }
    effects.send(calls_.at(again.id).provider, again);
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
    Finished finished{it->second.token, it->second.provider, std::move(answer), lost, 0};
    finished.pieces_lost = finished.answer.pieces_lost;
    if (it->second.stream) finished.pieces_lost += it->second.stream->missed;
    deadlines_.erase({it->second.deadline, it->first});
    if (it->second.back_by) waiting_.erase({*it->second.back_by, it->first});
    calls_.erase(it);
    return finished;
}

}  // namespace creto
