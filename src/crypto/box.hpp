// The primitives of encrypted links: X25519, ChaCha20-Poly1305, SHA-256, HMAC and HKDF.
//
// Why      Noise needs exactly these; the foreign library has one home.
// Source   RFC 7748, RFC 8439, FIPS 180-4, RFC 2104, RFC 5869, from libsodium.
// Errors   open() and agree() say by an empty optional that the input was forged or degenerate.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "base/bytes.hpp"

namespace creto {

using Key32 = std::array<std::uint8_t, 32>;

struct ExchangeKeys {
    Key32 secret{};
    Key32 shared{};  ///< The public half.
};

/// The X25519 key pair of 32 secret bytes.
[[nodiscard]] ExchangeKeys exchange_keys(const Key32& secret);
/// The shared secret; none when the peer's key is degenerate (an all-zero result).
[[nodiscard]] std::optional<Key32> agree(const Key32& secret, const Key32& peer);

/// Overwrites a secret that is no longer needed, in a way that the compiler keeps.
void wipe(Key32& secret);

inline constexpr std::size_t seal_tag_bytes = 16;
/// Ciphertext and tag. The nonce is 4 zero bytes and `counter` little-endian, as Noise has it.
/// Writes plain.size() + 16 bytes to `out`; `out` may start where `plain` starts.
void seal(
    const Key32& key, std::uint64_t counter, ByteView associated, ByteView plain, std::uint8_t* out
);
/// False when the tag does not fit. Writes sealed.size() - 16 bytes to `out`.
[[nodiscard]] bool open(
    const Key32& key, std::uint64_t counter, ByteView associated, ByteView sealed, std::uint8_t* out
);

[[nodiscard]] Key32 sha256(ByteView content);
[[nodiscard]] Key32 hmac_sha256(ByteView key, ByteView content);
/// Noise's HKDF with two outputs.
[[nodiscard]] std::pair<Key32, Key32> hkdf2(const Key32& chaining_key, ByteView input);

}  // namespace creto
