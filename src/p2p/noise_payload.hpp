// Noise payload: what each side says about itself inside the encrypted handshake.
//
// Why      Noise proves possession of a throw-away key; this binds that key to the identity.
// Source   libp2p specs, noise: a protobuf with the identity key (1), the identity's signature over
//          `noise-libp2p-static-key:` and the static key (2), and extensions (4), of which we read
//          the list of stream muxers (2).
// Holds    Unknown fields are skipped; every length is checked against the input and a limit
//          before anything is kept. Only Ed25519 identities exist.
// Errors   ErrorCode::invalid.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "crypto/box.hpp"
#include "crypto/signature.hpp"

namespace creto::p2p {

namespace limits {
inline constexpr std::size_t muxers_max = 32;
}

struct NoisePayload {
    PublicKey identity;
    Signature signature;
    /// In the order of preference; empty when the side wants to negotiate later.
    std::vector<std::string> muxers;

    friend bool operator==(const NoisePayload&, const NoisePayload&) = default;
};

/// What the identity signs: the domain text and the Noise static key.
[[nodiscard]] Bytes static_key_statement(const Key32& static_key);

[[nodiscard]] Bytes encode_noise_payload(const NoisePayload& payload);
[[nodiscard]] Result<NoisePayload> decode_noise_payload(ByteView bytes);

}  // namespace creto::p2p
