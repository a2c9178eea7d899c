#include "p2p/peer_id.hpp"

#include <algorithm>

#include "codec/base58.hpp"

namespace creto::p2p {

namespace {

// Field 1, varint: key type 1, Ed25519. Field 2, 32 bytes: the key.
constexpr std::array<std::uint8_t, 4> key_prefix{0x08, 0x01, 0x12, 0x20};
// Multihash function 0, identity, and the length of what follows.
constexpr std::array<std::uint8_t, 2> identity_prefix{0x00, key_protobuf_bytes};

bool starts_with(ByteView bytes, ByteView prefix) {
    return bytes.size() >= prefix.size() && equal(bytes.first(prefix.size()), prefix);
}

}  // namespace

std::array<std::uint8_t, key_protobuf_bytes> to_key_protobuf(const PublicKey& key) {
    std::array<std::uint8_t, key_protobuf_bytes> out{};
    const auto tail = std::copy(key_prefix.begin(), key_prefix.end(), out.begin());
    std::copy(key.bytes().begin(), key.bytes().end(), tail);
    return out;
}

Result<PublicKey> from_key_protobuf(ByteView bytes) {
    if (bytes.size() != key_protobuf_bytes || !starts_with(bytes, key_prefix)) {
        return fail(ErrorCode::invalid, "peer key: not an Ed25519 key in its one protobuf form");
    }
    std::array<std::uint8_t, PublicKey::size> key{};
    std::copy(bytes.begin() + key_prefix.size(), bytes.end(), key.begin());
    return PublicKey{key};
}

std::array<std::uint8_t, peer_id_bytes> to_peer_id(const PublicKey& key) {
    std::array<std::uint8_t, peer_id_bytes> out{};
    const auto tail = std::copy(identity_prefix.begin(), identity_prefix.end(), out.begin());
    const auto protobuf = to_key_protobuf(key);
    std::copy(protobuf.begin(), protobuf.end(), tail);
    return out;
}

Result<PublicKey> from_peer_id(ByteView bytes) {
    if (bytes.size() != peer_id_bytes || !starts_with(bytes, identity_prefix)) {
        return fail(ErrorCode::invalid, "peer id: not the identity multihash of an Ed25519 key");
    }
    return from_key_protobuf(bytes.subspan(identity_prefix.size()));
}

std::string to_peer_id_text(const PublicKey& key) {
    return to_base58(to_peer_id(key));
}

Result<PublicKey> from_peer_id_text(std::string_view text) {
    const auto bytes = from_base58(text);
    if (!bytes) return fail(ErrorCode::invalid, "peer id: not base58 text");
    return from_peer_id(*bytes);
}

}  // namespace creto::p2p
