#include "order/keys.hpp"

namespace creto::simplex {

namespace {

Bytes prefixed(std::uint8_t prefix, std::uint64_t number) {
    Bytes key;
    key.reserve(1 + sizeof number + 1);  // A kind may follow.
    key.push_back(prefix);
    for (int shift = 56; shift >= 0; shift -= 8)
        key.push_back(static_cast<std::uint8_t>(number >> static_cast<unsigned>(shift)));
    return key;
}

}  // namespace

void encode(Writer& w, const StoredBlock& v) {
    encode(w, v.block);
    w.boolean(v.finalization.has_value());
    if (v.finalization) encode(w, *v.finalization);
    encode(w, v.final_by);
}

void decode(Reader& r, StoredBlock& v) {
    decode(r, v.block);
    if (r.boolean()) decode(r, v.finalization.emplace());
    decode(r, v.final_by);
}

Bytes final_block_key(Height height) {
    return prefixed(final_prefix, height.value());
}

Bytes pending_block_key(const BlockId& block) {
    const ByteView id = block.value().view();
    Bytes key;
    key.reserve(1 + id.size());
    key.push_back(pending_prefix);
    key.insert(key.end(), id.begin(), id.end());
    return key;
}

Bytes certificate_key(View view, VoteKind kind) {
    Bytes key = prefixed(certificate_prefix, view.value());
    key.push_back(static_cast<std::uint8_t>(kind));
    return key;
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
        certificate_key(content.view, content.kind),
        share(encode_bytes(certificate))};
}

KeyWrite erase_certificate(View view, VoteKind kind) {
    return {Column::certificates, certificate_key(view, kind), std::nullopt};
}

}  // namespace creto::simplex
