// Peer ids: how libp2p names the holder of a key, as bytes and as text.
//
// Why      Addresses and peers of other implementations name us by this, not by the bare key.
// Source   libp2p specs, peer-ids: an Ed25519 key in its protobuf is short enough to be its own
//          identity multihash, so that the id and the key are two forms of one value.
// Holds    Each key has one form; parsing refuses every other key type and every other spelling.
// Errors   ErrorCode::invalid.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "crypto/signature.hpp"

namespace creto::p2p {

inline constexpr std::size_t key_protobuf_bytes = 36;
inline constexpr std::size_t peer_id_bytes = 38;

/// The key as libp2p hashes and sends it: `08 01 12 20` and the 32 bytes.
[[nodiscard]] std::array<std::uint8_t, key_protobuf_bytes> to_key_protobuf(const PublicKey& key);
[[nodiscard]] Result<PublicKey> from_key_protobuf(ByteView bytes);

/// The identity multihash of the key's protobuf.
[[nodiscard]] std::array<std::uint8_t, peer_id_bytes> to_peer_id(const PublicKey& key);
[[nodiscard]] Result<PublicKey> from_peer_id(ByteView bytes);

/// Base58 of the multihash: `12D3KooW...`.
[[nodiscard]] std::string to_peer_id_text(const PublicKey& key);
[[nodiscard]] Result<PublicKey> from_peer_id_text(std::string_view text);

}  // namespace creto::p2p
