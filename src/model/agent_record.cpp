#include "model/agent_record.hpp"

#include <algorithm>

namespace creto {

namespace {

void encode(Writer& w, const ToolOffer& v) {
    w.text(v.name);
    creto::encode(w, v.contract);
    w.text(v.description);
    w.text(v.definition);
}
void decode(Reader& r, ToolOffer& v) {
    v.name = r.text(limits::name_bytes_max);
    creto::decode(r, v.contract);
    v.description = r.text(limits::contract_bytes_max);
    v.definition = r.text(limits::contract_bytes_max);
}

void encode_unsigned(Writer& w, const AgentRecord& v) {
    creto::encode(w, v.agent);
    w.uvarint(v.version);
    w.text(v.name);
    w.text(v.software);
    w.boolean(v.seat.has_value());
    if (v.seat) creto::encode(w, *v.seat);
    w.uvarint(v.addresses.size());
    for (const std::string& address : v.addresses)
        w.text(address);
    w.uvarint(v.tools.size());
    for (const ToolOffer& tool : v.tools)
        encode(w, tool);
    w.u32(v.lifetime_ms);
    w.boolean(v.leaving);
}

}  // namespace

Result<void> well_formed(const AgentRecord& record) {
    if (record.name.empty()) return fail(ErrorCode::invalid, "agent record: no name");
    const bool ordered =
        std::adjacent_find(
            record.tools.begin(),
            record.tools.end(),
            [](const ToolOffer& a, const ToolOffer& b) { return !(a.name < b.name); }
        ) == record.tools.end();
    if (!ordered) return fail(ErrorCode::invalid, "agent record: tools are not in order");
    return {};
}

Bytes signing_bytes(const AgentRecord& record) {
    Writer w;
    encode_unsigned(w, record);
    return w.take();
}

void encode(Writer& w, const AgentRecord& v) {
    encode_unsigned(w, v);
    encode(w, v.signature);
}
void decode(Reader& r, AgentRecord& v) {
    const std::size_t before = r.left();
    decode(r, v.agent);
    v.version = r.uvarint();
    v.name = r.text(limits::name_bytes_max);
    v.software = r.text(limits::name_bytes_max);
    if (r.boolean()) decode(r, v.seat.emplace());
    v.addresses.resize(r.count(limits::addresses_max));
    for (std::string& address : v.addresses)
        address = r.text(limits::address_bytes_max);
    v.tools.resize(r.count(limits::contracts_per_agent_max, 36));
    for (ToolOffer& tool : v.tools)
        decode(r, tool);
    v.lifetime_ms = r.u32();
    v.leaving = r.boolean();
    decode(r, v.signature);
    if (before - r.left() > limits::record_bytes_max) r.fail(DecodeError::over_limit);
}

}  // namespace creto
