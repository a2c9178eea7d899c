#include "model/call.hpp"

#include <algorithm>
#include <map>

namespace creto {

ContractId ContractSummary::id() const {
    Hasher hasher{HashDomain::contract};
    hasher.update({&flags, 1}).update(body);
    return ContractId{hasher.finish()};
}

CallId CallRequest::id(const ChainId& chain) const {
    Hasher hasher{HashDomain::call};
    hasher.update(chain.value()).update(signing_bytes(*this));
    return CallId{hasher.finish()};
}

Digest salted_digest(HashDomain domain, const Salt& salt, ByteView content) {
    return Hasher{domain}.update(salt).update(content).finish();
}

Digest salt_commitment(const Salt& salt) {
    return Hasher{HashDomain::receipt}.update(salt).finish();
}

std::optional<Decision> decide(const QuorumReceipt& receipt) {
    std::map<std::pair<AnswerKind, Digest>, std::uint32_t> votes;
    for (const Answer& answer : receipt.answers)
        ++votes[{answer.kind, answer.result}];
    for (const auto& [value, count] : votes) {
        if (count < receipt.request.bar) continue;
        Decision decision{
            .kind = value.first, .result = value.second, .agreeing = count, .dissenting = {}};
        if (receipt.request.by_rule) return decision;
        for (const Answer& answer : receipt.answers) {
            if (answer.kind != value.first || answer.result != value.second) {
                decision.dissenting.push_back(answer.provider);
            }
        }
        return decision;
    }
    return std::nullopt;
}

Result<void> well_formed(const QuorumReceipt& receipt, const ChainId& chain) {
    const CallRequest& request = receipt.request;
    const auto strictly_ascending = [](const auto& list, auto key) {
        return std::adjacent_find(list.begin(), list.end(), [&](const auto& a, const auto& b) {
                   return !(key(a) < key(b));
               }) == list.end();
    };
    if (request.panel.empty() ||
        !strictly_ascending(request.panel, [](const AgentId& a) { return a; })) {
        return fail(ErrorCode::invalid, "receipt: the panel is empty or not in order");
    }
    // Two different results must not both reach the bar.
    if (request.bar * 2 <= request.panel.size() || request.bar > request.panel.size()) {
        return fail(
            ErrorCode::invalid,
            "receipt: a bar of " + std::to_string(request.bar) + " decides nothing among " +
                std::to_string(request.panel.size())
        );
    }
    if (!strictly_ascending(receipt.answers, [](const Answer& a) { return a.provider; })) {
        return fail(ErrorCode::invalid, "receipt: answers are not in order");
    }
    const CallId id = request.id(chain);
    for (const Answer& answer : receipt.answers) {
        if (answer.call != id)
            return fail(ErrorCode::invalid, "receipt: an answer is for another call");
        if (!std::binary_search(request.panel.begin(), request.panel.end(), answer.provider)) {
            return fail(ErrorCode::invalid, "receipt: an answer comes from outside the panel");
        }
    }
    return {};
}

namespace {

void encode_unsigned(Writer& w, const CallRequest& v) {
    encode(w, v.caller);
    w.uvarint(v.nonce);
    encode(w, v.contract);
    encode(w, v.arguments);
    encode(w, v.salt_commitment);
    encode_signed(w, v.deadline_unix_ms);
    encode_list(w, v.panel);
    w.uvarint(v.bar);
    w.u8(v.by_rule ? 1 : 0);
}

void encode_unsigned(Writer& w, const Answer& v) {
    encode(w, v.call);
    encode(w, v.provider);
    w.u8(static_cast<std::uint8_t>(v.kind));
    encode(w, v.result);
}

}  // namespace

Bytes signing_bytes(const CallRequest& request) {
    Writer w;
    encode_unsigned(w, request);
    return w.take();
}

Bytes signing_bytes(const Answer& answer) {
    Writer w;
    encode_unsigned(w, answer);
    return w.take();
}

void encode(Writer& w, const ContractSummary& v) {
    w.u8(v.flags);
    encode(w, v.body);
}
void decode(Reader& r, ContractSummary& v) {
    v.flags = r.kind(31);
    decode(r, v.body);
}

void encode(Writer& w, const CallRequest& v) {
    encode_unsigned(w, v);
    encode(w, v.signature);
}
void decode(Reader& r, CallRequest& v) {
    decode(r, v.caller);
    v.nonce = r.uvarint();
    decode(r, v.contract);
    decode(r, v.arguments);
    decode(r, v.salt_commitment);
    v.deadline_unix_ms = decode_signed(r);
    decode_list(r, v.panel, limits::panel_max, AgentId::size);
    const std::uint64_t bar = r.uvarint();
    if (bar > limits::panel_max) r.fail(DecodeError::over_limit);
    v.bar = static_cast<std::uint32_t>(bar);
    v.by_rule = r.kind(1) == 1;
    decode(r, v.signature);
}

void encode(Writer& w, const Answer& v) {
    encode_unsigned(w, v);
    encode(w, v.signature);
}
void decode(Reader& r, Answer& v) {
    decode(r, v.call);
    decode(r, v.provider);
    v.kind = static_cast<AnswerKind>(r.kind(1));
    decode(r, v.result);
    decode(r, v.signature);
}

void encode(Writer& w, const QuorumReceipt& v) {
    encode(w, v.request);
    encode_list(w, v.answers);
}
void decode(Reader& r, QuorumReceipt& v) {
    decode(r, v.request);
    decode_list(r, v.answers, limits::panel_max, 160);
}

}  // namespace creto
