#include "crypto/box.hpp"

#include <sodium.h>

#include "base/assert.hpp"

namespace creto {

namespace {

std::array<std::uint8_t, 12> nonce_of(std::uint64_t counter) {
    std::array<std::uint8_t, 12> nonce{};
    for (std::size_t i = 0; i < 8; ++i)
        nonce[4 + i] = static_cast<std::uint8_t>(counter >> (8U * i));
    return nonce;
}

}  // namespace

ExchangeKeys exchange_keys(const Key32& secret) {
    // Every link starts here; without it libsodium keeps its portable, four times slower cipher.
    CRETO_ASSERT(sodium_init() >= 0);
    ExchangeKeys keys{.secret = secret};
    crypto_scalarmult_curve25519_base(keys.shared.data(), secret.data());
    return keys;
}

std::optional<Key32> agree(const Key32& secret, const Key32& peer) {
    Key32 out{};
    if (crypto_scalarmult_curve25519(out.data(), secret.data(), peer.data()) != 0)
        return std::nullopt;
    return out;
}

void wipe(Key32& secret) {
    sodium_memzero(secret.data(), secret.size());
}

void seal(
    const Key32& key, std::uint64_t counter, ByteView associated, ByteView plain, std::uint8_t* out
) {
    const auto nonce = nonce_of(counter);
    crypto_aead_chacha20poly1305_ietf_encrypt(
        out,
        nullptr,
        plain.data(),
        plain.size(),
        associated.data(),
        associated.size(),
        nullptr,
        nonce.data(),
        key.data()
    );
}

bool open(
    const Key32& key, std::uint64_t counter, ByteView associated, ByteView sealed, std::uint8_t* out
) {
    if (sealed.size() < seal_tag_bytes) return false;
    const auto nonce = nonce_of(counter);
    return crypto_aead_chacha20poly1305_ietf_decrypt(
               out,
               nullptr,
               nullptr,
               sealed.data(),
               sealed.size(),
               associated.data(),
               associated.size(),
               nonce.data(),
               key.data()
           ) == 0;
}

Key32 sha256(ByteView content) {
    Key32 out{};
    crypto_hash_sha256(out.data(), content.data(), content.size());
    return out;
}

Key32 hmac_sha256(ByteView key, ByteView content) {
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key.data(), key.size());
    crypto_auth_hmacsha256_update(&state, content.data(), content.size());
    Key32 out{};
    crypto_auth_hmacsha256_final(&state, out.data());
    return out;
}

std::pair<Key32, Key32> hkdf2(const Key32& chaining_key, ByteView input) {
    const Key32 temporary = hmac_sha256(chaining_key, input);
    const std::uint8_t one = 1;
    const Key32 first = hmac_sha256(temporary, {&one, 1});
    Bytes second_input(first.begin(), first.end());
    second_input.push_back(2);
    return {first, hmac_sha256(temporary, second_input)};
}

}  // namespace creto
