#include "tools/call_server.hpp"

#include <algorithm>

namespace creto {

CallServer::CallServer(
    const ChainId& chain, const AgentId& self, const Signer& signer, CallServerOptions options
)
    : chain_{chain}, self_{self}, signer_{signer}, options_{options} {}

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
    Peer& peer = peer_of(from);
    if (const auto wait = from == self_ ? std::nullopt : peer.quota.take(1, now)) {
        ++counters_.rate_limited;
        if (peer.patience.take(1, now)) {
            effects.add(Drop{from, "it kept calling far above its quota"});
            return;
        }
        const auto retry_ms = static_cast<std::uint32_t>(wait->ms() + 1);
        effects.send(
            from,
            CallAnswer{
                .id = call.id,
                .status = CallAnswer::Status::rate_limited,
                .text = "rate limited, retry after " + std::to_string(retry_ms) + " ms",
                .retry_after_ms = retry_ms}
        );
        return;
    }
    if (peer.running.size() >= limits::calls_per_peer_max) {
        answer(from, call.id, CallAnswer::Status::overloaded, "too many calls under way", effects);
        return;
    }
    if (peer.running.count(call.id) > 0) {
        answer(from, call.id, CallAnswer::Status::bad_arguments, "this call id is in use", effects);
        return;
    }
    const Ticket ticket = effects.new_ticket();
    const Duration timeout = std::min(
        Duration::from_ms(std::max<std::uint32_t>(call.timeout_ms, 1)), options_.timeout_max
    );
    const Instant deadline = now + timeout;
    peer.running.emplace(call.id, ticket);
    running_.emplace(ticket, Running{from, call.id, deadline, std::move(verified)});
    deadlines_.emplace(deadline, ticket);
    ++counters_.admitted;
    effects.add(Execute{ticket, call.tool, call.contract, call.arguments, timeout});
}

void CallServer::on_cancel(const AgentId& from, const CallCancel& cancel, Effects& effects) {
    const auto peer = peers_.find(from);
    if (peer == peers_.end()) return;
    const auto call = peer->second.running.find(cancel.id);
    if (call == peer->second.running.end()) return;
    ++counters_.cancelled;
    effects.add(CancelExecute{call->second});
    erase(running_.find(call->second));
}

bool CallServer::on_executed(const Executed& done, Instant /*now*/, Effects& effects) {
    const auto found = running_.find(done.ticket);
    if (found == running_.end()) return false;
    const Running call = found->second;
    erase(found);
    CallAnswer message{.id = call.id, .status = done.status, .text = done.text};
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
    for (const auto& [id, ticket] : found->second.running)
        tickets.push_back(ticket);
    for (const Ticket ticket : tickets) {
        effects.add(CancelExecute{ticket});
        erase(running_.find(ticket));
    }
    // Its buckets stay: coming back does not refill them. Only the fullest tables are trimmed.
    if (peers_.size() > limits::agents_max) peers_.erase(found);
}

void CallServer::on_time(Instant now, Effects& effects) {
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
        const auto found = running_.find(deadlines_.begin()->second);
        const Running call = found->second;
        ++counters_.timed_out;
        effects.add(CancelExecute{found->first});
        erase(found);
        answer(call.from, call.id, CallAnswer::Status::timeout, "the deadline passed", effects);
    }
}

Instant CallServer::next_wake() const {
    return deadlines_.empty() ? Instant::max() : deadlines_.begin()->first;
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

CallServer::Peer& CallServer::peer_of(const AgentId& agent) {
    const auto found = peers_.find(agent);
    if (found != peers_.end()) return found->second;
    return peers_
        .emplace(agent, Peer{TokenBucket{options_.quota}, TokenBucket{options_.patience}, {}})
        .first->second;
}

void CallServer::erase(std::map<Ticket, Running>::iterator it) {
    deadlines_.erase({it->second.deadline, it->first});
    peers_.at(it->second.from).running.erase(it->second.id);
    running_.erase(it);
}

}  // namespace creto
