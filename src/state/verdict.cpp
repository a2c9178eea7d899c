#include "state/verdict.hpp"

namespace creto {

std::string verdict_key(const CallId& call) {
    return "verdict/" + call.value().hex();
}

VerdictView Verdict::view() const {
    return {
        .call = call,
        .height = height,
        .tool = tool,
        .decided = decided,
        .result = result,
        .agreeing = agreeing,
        .panel = panel,
        .bar = bar,
        .dissenting = dissenting};
}

void encode(Writer& w, const Verdict& v) {
    encode(w, v.call);
    encode(w, v.contract);
    w.u8(static_cast<std::uint8_t>(v.source));
    encode(w, v.height);
    w.text(v.tool);
    w.boolean(v.decided);
    w.u8(static_cast<std::uint8_t>(v.kind));
    encode(w, v.result);
    w.uvarint(v.agreeing);
    w.uvarint(v.bar);
    w.uvarint(v.panel);
    encode_list(w, v.dissenting);
}

namespace {
std::uint32_t count_of_seats(Reader& r) {
    const std::uint64_t count = r.uvarint();
    if (count > limits::panel_max) r.fail(DecodeError::over_limit);
    return static_cast<std::uint32_t>(count);
}
}  // namespace

void decode(Reader& r, Verdict& v) {
    decode(r, v.call);
    decode(r, v.contract);
    v.source = static_cast<Verdict::Source>(r.kind(1));
    decode(r, v.height);
    v.tool = r.text(limits::name_bytes_max);
    v.decided = r.boolean();
    v.kind = static_cast<AnswerKind>(r.kind(1));
    decode(r, v.result);
    v.agreeing = count_of_seats(r);
    v.bar = count_of_seats(r);
    v.panel = count_of_seats(r);
    // Dissent in the receipt and in the dispute's panel may come from different agents.
    decode_list(r, v.dissenting, 2 * limits::panel_max, AgentId::size);
}

}  // namespace creto
