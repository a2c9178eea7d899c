#include "tools/call_server.hpp"

#include <algorithm>

namespace creto {

CallServer::CallServer(
    const ChainId& chain,
    const AgentId& self,
    const Signer& signer,
    PeerBudget& budget,
    CallServerOptions options
)
    : chain_{chain}, self_{self}, signer_{signer}, budget_{budget}, options_{options} {}

void CallServer::on_start(
    const AgentId& from, const CallStart& call, Instant now, Effects& effects
) {
    admit(from, call, std::nullopt, now, effects);
}

void CallServer::on_verified_start(
    const AgentId& from, const CallStart& call, Instant now, Effects& effects
) {
    if (const auto reason = refuse_verified(from, call)) {
        answer(from, call.id, CallAnswer::Status::bad_arguments, *reason, effects);
        return;
    }
    admit(from, call, call.verified, now, effects);
}

std::optional<std::string> CallServer::refuse_verified(const AgentId& from, const CallStart& call)
    const {
    if (!call.verified) return "the call carries no signed request";
    const CallRequest& request = call.verified->request;
    if (request.caller != from) return "the request is another caller's";  // [CALL-OWN.1]
    if (!std::binary_search(request.panel.begin(), request.panel.end(), self_)) {
        return "this agent is not on the panel of the request";
    }
    if (request.contract != call.contract) return "the request names another contract";
    if (request.by_rule != (by_rule_.count(request.contract) > 0)) {
        return "the request compares answers otherwise than the contract";
    }
    if (salt_commitment(call.verified->salt) != request.salt_commitment ||
        salted_digest(HashDomain::arguments, call.verified->salt, as_bytes(call.arguments)) !=
            request.arguments) {
        return "the arguments are not those of the request";
    }
    return std::nullopt;
}

void CallServer::admit(
    const AgentId& from,
    const CallStart& call,
    std::optional<SignedCall> verified,
    Instant now,
    Effects& effects
) {
    const auto known = peers_.find(from);
    if (known != peers_.end() && known->second.size() >= limits::calls_per_peer_max) {
        ++counters_.overloaded;
        const PeerBudget::Refusal refusal = budget_.on_call_refused(from, now);
        if (refusal.drop || refusal.mute) return on_refused(from, call, refusal, effects);
        answer(from, call.id, CallAnswer::Status::overloaded, "too many calls under way", effects);
        return;
    }
    if (known != peers_.end() && known->second.count(call.id) > 0) {
        answer(from, call.id, CallAnswer::Status::bad_arguments, "this call id is in use", effects);
        return;
    }
    const bool shows = call.credit > 0 && !verified;  // [CALL-STREAM.5]
    const std::size_t held = call.arguments.size() + (shows ? limits::stream_held_bytes : 0);
    if (const auto refusal = budget_.on_call(from, held, now)) {
        on_refused(from, call, *refusal, effects);
        return;
    }
    const Ticket ticket = effects.new_ticket();
    const Duration timeout = std::min(
        Duration::from_ms(std::max<std::uint32_t>(call.timeout_ms, 1)), options_.timeout_max
    );
    const Instant deadline = now + timeout;
    peers_[from].emplace(call.id, ticket);
    Running& run =
        running_.emplace(
                    ticket, Running{from, call.id, deadline, std::move(verified), held, {}}
        ).first->second;
    if (shows) run.stream.emplace(call.credit);
    deadlines_.emplace(deadline, ticket);
    ++counters_.admitted;
    effects.add(Execute{ticket, call.tool, call.contract, call.arguments, timeout, from, shows});
}

void CallServer::on_emitted(const Emitted& emitted, Instant now, Effects& effects) {
    const auto found = running_.find(emitted.ticket);
    if (found == running_.end() || !found->second.stream) return;
    Running& call = found->second;
    for (const Piece& piece : emitted.pieces) {
        call.stream->queue.push(piece);
        send_pieces(found->first, call, Pace::kept, now, effects);
    }
    call.stream->queue.lose(emitted.lost);
}

void CallServer::on_credit(
    const AgentId& from, const CallCredit& credit, Instant now, Effects& effects
) {
    const auto peer = peers_.find(from);
    if (peer == peers_.end()) return;
    const auto call = peer->second.find(credit.id);
    if (call == peer->second.end()) return;  // It was answered meanwhile.
    Running& run = running_.at(call->second);
    if (!run.stream) return;
    const std::uint64_t granted = run.stream->credit + credit.bytes;
    run.stream->credit = std::min<std::uint64_t>(granted, limits::stream_credit_max);
    send_pieces(call->second, run, Pace::kept, now, effects);
}

/// What credit and pace allow; what it leaves waits for more of either.
void CallServer::send_pieces(
    Ticket ticket, Running& call, Pace pace, Instant now, Effects& effects
) {
    Stream& stream = *call.stream;
    if (stream.next) paced_.erase({*stream.next, ticket});
    stream.next.reset();
    while (const Piece* piece = stream.queue.front()) {
        const std::size_t cost = cost_of(*piece);
        if (stream.credit < cost) return;
        if (pace == Pace::kept) {
            if (const auto wait = stream.pace.take(1, now)) {
                stream.next = now + std::max(*wait, Duration::from_us(1));
                paced_.emplace(*stream.next, ticket);
                return;
            }
        }
        stream.credit -= cost;
        PieceQueue::Waiting waiting = stream.queue.pop();
        ++counters_.pieces_sent;
        effects.send(
            call.from, CallPiece{call.id, ++stream.sent, waiting.lost, std::move(waiting.piece)}
        );
    }
}

void CallServer::on_refused(
    const AgentId& from, const CallStart& call, const PeerBudget::Refusal& refusal, Effects& effects
) {
    ++counters_.rate_limited;
    if (refusal.drop) {
        effects.add(Drop{from, "it kept calling far above its quota"});
        return;
    }
    if (refusal.mute) return;
    effects.send(
        from,
        CallAnswer{
            .id = call.id,
            .status = CallAnswer::Status::rate_limited,
            .text = refusal.text(),
            .retry_after_ms = refusal.retry_after_ms()}
    );
}

void CallServer::on_cancel(const AgentId& from, const CallCancel& cancel, Effects& effects) {
    const auto peer = peers_.find(from);
    if (peer == peers_.end()) return;
    const auto call = peer->second.find(cancel.id);
    if (call == peer->second.end()) return;
    ++counters_.cancelled;
    abandon(running_.find(call->second), effects);
}

bool CallServer::on_executed(const Executed& done, Instant now, Effects& effects) {
    if (const auto late = abandoned_.find(done.ticket); late != abandoned_.end()) {
        budget_.on_tool_time(late->second, done.took, now);
        abandoned_.erase(late);
        return true;
    }
    const auto found = running_.find(done.ticket);
    if (found == running_.end()) return false;
    std::uint64_t pieces_lost = 0;
    if (found->second.stream) {
        send_pieces(found->first, found->second, Pace::ignored, now, effects);
        const PieceQueue& left = found->second.stream->queue;
        pieces_lost = left.lost() + left.size();
        counters_.pieces_lost += pieces_lost;
    }
    const Running call = found->second;
    budget_.on_tool_time(call.from, done.took, now);
    erase(found);
    CallAnswer message{
        .id = call.id, .status = done.status, .text = done.text, .pieces_lost = pieces_lost};
    const bool sayable =
        done.status == CallAnswer::Status::result || done.status == CallAnswer::Status::tool_error;
    if (call.verified && sayable) {
        Answer signed_answer{
            .call = call.verified->request.id(chain_),
            .provider = self_,
            .kind = done.status == CallAnswer::Status::result ? AnswerKind::result
                                                              : AnswerKind::tool_error,
            .result = salted_digest(HashDomain::result, call.verified->salt, as_bytes(done.text))};
        signed_answer.signature =
            signer_.sign(SignDomain::call_answer, chain_.value(), signing_bytes(signed_answer));
        message.signed_answer = signed_answer;
    }
    ++counters_.answered;
    effects.send(call.from, message);
    return true;
}

void CallServer::on_peer_down(const AgentId& peer, Effects& effects) {
    const auto found = peers_.find(peer);
    if (found == peers_.end()) return;
    std::vector<Ticket> tickets;
    for (const auto& [id, ticket] : found->second)
        tickets.push_back(ticket);
    for (const Ticket ticket : tickets)
        abandon(running_.find(ticket), effects);
}

void CallServer::on_time(Instant now, Effects& effects) {
    while (!paced_.empty() && paced_.begin()->first <= now) {
        const Ticket ticket = paced_.begin()->second;
        send_pieces(ticket, running_.at(ticket), Pace::kept, now, effects);
    }
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
        const auto found = running_.find(deadlines_.begin()->second);
        const Running call = found->second;
        ++counters_.timed_out;
        abandon(found, effects);
        answer(call.from, call.id, CallAnswer::Status::timeout, "the deadline passed", effects);
    }
}

Instant CallServer::next_wake() const {
    const Instant due = deadlines_.empty() ? Instant::max() : deadlines_.begin()->first;
    return paced_.empty() ? due : std::min(due, paced_.begin()->first);
}

void CallServer::answer(
    const AgentId& to,
    std::uint64_t id,
    CallAnswer::Status status,
    std::string text,
    Effects& effects
) {
    effects.send(to, CallAnswer{.id = id, .status = status, .text = std::move(text)});
}

/// Nobody waits for it any more; what it takes until it ends is its caller's all the same.
void CallServer::abandon(std::map<Ticket, Running>::iterator it, Effects& effects) {
    effects.add(CancelExecute{it->first});
    abandoned_.emplace(it->first, it->second.from);
    if (abandoned_.size() > abandoned_max) abandoned_.erase(abandoned_.begin());
    erase(it);
}

void CallServer::erase(std::map<Ticket, Running>::iterator it) {
    const Running& call = it->second;
    deadlines_.erase({call.deadline, it->first});
    if (call.stream && call.stream->next) paced_.erase({*call.stream->next, it->first});
    budget_.let_go(call.from, call.held_bytes);
    const auto peer = peers_.find(call.from);
    peer->second.erase(call.id);
    if (peer->second.empty()) peers_.erase(peer);
    running_.erase(it);
}

}  // namespace creto
