#include "model/ping.hpp"

#include <array>

namespace creto {

namespace {

constexpr std::size_t suspicion_bytes_min = PublicKey::size + 1;
constexpr std::size_t alive_bytes_min = PublicKey::size + 1 + Signature::size;

void encode(Writer& w, const Suspicion& v) {
    creto::encode(w, v.agent);
    w.uvarint(v.version);
}
void decode(Reader& r, Suspicion& v) {
    creto::decode(r, v.agent);
    v.version = r.uvarint();
}
void encode(Writer& w, const Rumours& v) {
    w.uvarint(v.suspicions.size());
    for (const Suspicion& suspicion : v.suspicions)
        encode(w, suspicion);
    creto::encode_list(w, v.alive);
}
void decode(Reader& r, Rumours& v) {
    v.suspicions.resize(r.count(limits::rumours_per_message_max, suspicion_bytes_min));
    for (Suspicion& suspicion : v.suspicions)
        decode(r, suspicion);
    creto::decode_list(r, v.alive, limits::rumours_per_message_max, alive_bytes_min);
}

}  // namespace

const char* to_string(AgentState state) {
    constexpr std::array<const char*, 3> names{"alive", "suspect", "dead"};
    return names[static_cast<std::size_t>(state)];
}

Bytes signing_bytes(const Alive& alive) {
    Writer w;
    encode(w, alive.agent);
    w.uvarint(alive.version);
    return w.take();
}

std::vector<CheckItem> signatures_of(const std::vector<Alive>& said, const ChainId& chain) {
    std::vector<CheckItem> all;
    all.reserve(said.size());
    for (const Alive& alive : said) {
        Bytes bytes = signed_bytes(SignDomain::alive, chain.value(), signing_bytes(alive));
        all.push_back({alive.agent, std::move(bytes), alive.signature});
    }
    return all;
}

void encode(Writer& w, const Alive& v) {
    encode(w, v.agent);
    w.uvarint(v.version);
    encode(w, v.signature);
}
void decode(Reader& r, Alive& v) {
    decode(r, v.agent);
    v.version = r.uvarint();
    decode(r, v.signature);
}
void encode(Writer& w, const Ping& v) {
    w.u64(v.nonce);
    w.boolean(v.prove.has_value());
    if (v.prove) w.uvarint(*v.prove);
    encode(w, v.rumours);
}
void decode(Reader& r, Ping& v) {
    v.nonce = r.u64();
    if (r.boolean()) v.prove = r.uvarint();
    decode(r, v.rumours);
}
void encode(Writer& w, const PingAnswer& v) {
    w.u64(v.nonce);
    encode(w, v.rumours);
}
void decode(Reader& r, PingAnswer& v) {
    v.nonce = r.u64();
    decode(r, v.rumours);
}
void encode(Writer& w, const PingRequest& v) {
    w.u64(v.nonce);
    encode(w, v.agent);
    w.uvarint(v.version);
}
void decode(Reader& r, PingRequest& v) {
    v.nonce = r.u64();
    decode(r, v.agent);
    v.version = r.uvarint();
}
void encode(Writer& w, const PingReport& v) {
    w.u64(v.nonce);
    w.boolean(v.alive.has_value());
    if (v.alive) encode(w, *v.alive);
}
void decode(Reader& r, PingReport& v) {
    v.nonce = r.u64();
    if (r.boolean()) decode(r, v.alive.emplace());
}

}  // namespace creto
