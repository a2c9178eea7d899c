#include "state/dispute.hpp"

#include <algorithm>

namespace creto {

std::string dispute_key(const CallId& call) {
    return "dispute/" + call.value().hex();
}

bool Dispute::asks(const AgentId& agent) const {
    return std::binary_search(panel.begin(), panel.end(), agent) ||
           std::binary_search(probation.begin(), probation.end(), agent);
}

bool Dispute::add(const Given& given) {
    const auto place = std::lower_bound(
        answers.begin(),
        answers.end(),
        given.agent,
        [](const Given& g, const AgentId& agent) { return g.agent < agent; }
    );
    if (place != answers.end() && place->agent == given.agent) return false;
    answers.insert(place, given);
    return true;
}

namespace {

void encode(Writer& w, const Dispute::Given& v) {
    creto::encode(w, v.agent);
    w.u8(static_cast<std::uint8_t>(v.kind));
    creto::encode(w, v.result);
}
void decode(Reader& r, Dispute::Given& v) {
    creto::decode(r, v.agent);
    v.kind = static_cast<AnswerKind>(r.kind(1));
    creto::decode(r, v.result);
}
void encode_all(Writer& w, const std::vector<Dispute::Given>& list) {
    w.uvarint(list.size());
    for (const Dispute::Given& given : list)
        encode(w, given);
}
void decode_all(Reader& r, std::vector<Dispute::Given>& list) {
    list.resize(r.count(limits::panel_max, 65));
    for (Dispute::Given& given : list)
        decode(r, given);
}

}  // namespace

void encode(Writer& w, const Dispute& v) {
    encode(w, v.call);
    encode(w, v.caller);
    encode(w, v.opening);
    encode(w, v.opened);
    w.uvarint(v.bar);
    encode_list(w, v.panel);
    encode_list(w, v.probation);
    encode_all(w, v.receipt);
    encode_all(w, v.answers);
}

void decode(Reader& r, Dispute& v) {
    decode(r, v.call);
    decode(r, v.caller);
    decode(r, v.opening);
    decode(r, v.opened);
    const std::uint64_t bar = r.uvarint();
    if (bar > limits::panel_max) r.fail(DecodeError::over_limit);
    v.bar = static_cast<std::uint32_t>(bar);
    decode_list(r, v.panel, limits::panel_max, AgentId::size);
    decode_list(r, v.probation, limits::panel_max, AgentId::size);
    decode_all(r, v.receipt);
    decode_all(r, v.answers);
}

}  // namespace creto
