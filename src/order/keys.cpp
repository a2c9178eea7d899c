#include "order/keys.hpp"

namespace creto::simplex {

namespace {

void append(Bytes& key, std::uint64_t number) {
    for (int shift = 56; shift >= 0; shift -= 8)
        key.push_back(static_cast<std::uint8_t>(number >> static_cast<unsigned>(shift)));
}

}  // namespace

void encode(Writer& w, const StoredBlock& v) {
    encode(w, v.block);
    w.boolean(v.finalization.has_value());
    if (v.finalization) encode(w, *v.finalization);
    encode(w, v.final_by);
    w.boolean(v.echo.has_value());
    if (v.echo) encode(w, *v.echo);
}

void decode(Reader& r, StoredBlock& v) {
    decode(r, v.block);
    if (r.boolean()) decode(r, v.finalization.emplace());
    decode(r, v.final_by);
    if (r.boolean()) decode(r, v.echo.emplace());
}

Bytes final_block_key(Height height) {
    Bytes key;
    key.reserve(1 + sizeof height);
    key.push_back(final_prefix);
    append(key, height.value());
    return key;
}

Bytes pending_block_key(const BlockId& block) {
    const ByteView id = block.value().view();
    Bytes key;
    key.reserve(1 + id.size());
    key.push_back(pending_prefix);
    key.insert(key.end(), id.begin(), id.end());
    return key;
}

Bytes certificate_key(Epoch epoch, View view, VoteKind kind) {
    Bytes key;
    key.reserve(1 + sizeof epoch + sizeof view + 1);
    key.push_back(certificate_prefix);
    append(key, epoch.value());
    append(key, view.value());
    key.push_back(static_cast<std::uint8_t>(kind));
    return key;
}

KeyWrite write_link(const RosterLink& link) {
    Bytes key{link_prefix};
    append(key, link.epoch().value());
    return {Column::blocks, std::move(key), share(encode_bytes(link))};
}

KeyWrite write_final(const StoredBlock& stored) {
    return {Column::blocks, final_block_key(stored.block.height), share(encode_bytes(stored))};
}

KeyWrite write_pending(const BlockId& id, const Proposal& proposal) {
    return {Column::blocks, pending_block_key(id), share(encode_bytes(proposal))};
}

KeyWrite erase_pending(const BlockId& id) {
    return {Column::blocks, pending_block_key(id), std::nullopt};
}

KeyWrite write_certificate(const Certificate& certificate) {
    const VoteContent& content = certificate.content;
    return {
        Column::certificates,
        certificate_key(content.epoch, content.view, content.kind),
        share(encode_bytes(certificate))};
}

KeyWrite erase_certificate(Epoch epoch, View view, VoteKind kind) {
    return {Column::certificates, certificate_key(epoch, view, kind), std::nullopt};
}

}  // namespace creto::simplex
