#include "crypto/signature.hpp"

#include <sodium.h>

#include <algorithm>
#include <cstring>

#include "base/assert.hpp"
#include "crypto/siphash.hpp"

namespace creto {

namespace {

class Ed25519Signer final : public Signer {
public:
    explicit Ed25519Signer(const KeySeed& seed) {
        std::array<std::uint8_t, PublicKey::size> key{};
        crypto_sign_ed25519_seed_keypair(key.data(), secret_.data(), seed.view().data());
        key_ = PublicKey{key};
    }
    ~Ed25519Signer() override { sodium_memzero(secret_.data(), secret_.size()); }
    Ed25519Signer(const Ed25519Signer&) = delete;
    Ed25519Signer& operator=(const Ed25519Signer&) = delete;

    [[nodiscard]] const PublicKey& public_key() const override { return key_; }
    [[nodiscard]] Signature sign(SignDomain domain, const Digest& chain, ByteView message)
        const override {
        const Bytes bytes = signed_bytes(domain, chain, message);
        std::array<std::uint8_t, Signature::size> out{};
        crypto_sign_ed25519_detached(
            out.data(), nullptr, bytes.data(), bytes.size(), secret_.data()
        );
        return Signature{out};
    }

private:
    std::array<std::uint8_t, crypto_sign_ed25519_SECRETKEYBYTES> secret_{};
    PublicKey key_;
};

/// Whoever lacks the seed cannot make it up, and a simulated network checks millions.
Signature tag_of(const KeySeed& seed, ByteView bytes) {
    const auto tag = SipHash<1, 3>::of(seed.view().first(16), bytes);
    std::array<std::uint8_t, Signature::size> out{};
    std::copy(tag.begin(), tag.end(), out.begin());
    return Signature{out};
}

/// Eight sums of eight bytes each, so that the same part twice is not nothing.
void add_tag(std::array<std::uint8_t, Signature::size>& sum, const Signature& part) {
    for (std::size_t at = 0; at < Signature::size; at += sizeof(std::uint64_t)) {
        std::uint64_t a = 0;
        std::uint64_t b = 0;
        std::memcpy(&a, sum.data() + at, sizeof a);
        std::memcpy(&b, part.bytes().data() + at, sizeof b);
        a += b;
        std::memcpy(sum.data() + at, &a, sizeof a);
    }
}

class TagSigner final : public Signer {
public:
    TagSigner(const KeySeed& seed, const PublicKey& key, TagScheme::Keys keys)
        : seed_{seed}, key_{key}, keys_{keys} {}
    [[nodiscard]] const PublicKey& public_key() const override { return key_; }
    [[nodiscard]] Signature sign(SignDomain domain, const Digest& chain, ByteView message)
        const override {
        const Bytes bytes = signed_bytes(domain, chain, message);
        // Secrets decide who leads: with other ones two runs would differ in all that follows.
        if (keys_ == TagScheme::Keys::ed25519 && domain == SignDomain::beacon)
            return ed25519_sign_raw(seed_, bytes);
        return tag_of(seed_, bytes);
    }
    [[nodiscard]] std::optional<Signature> join(std::span<const Signature> parts) const override {
        std::array<std::uint8_t, Signature::size> sum{};
        for (const Signature& part : parts)
            add_tag(sum, part);
        return Signature{sum};
    }

private:
    KeySeed seed_;
    PublicKey key_;
    TagScheme::Keys keys_;
};

}  // namespace

Bytes signed_bytes(SignDomain domain, const Digest& chain, ByteView message) {
    Bytes bytes;
    bytes.reserve(1 + Digest::size + message.size());
    bytes.push_back(static_cast<std::uint8_t>(domain));
    bytes.insert(bytes.end(), chain.view().begin(), chain.view().end());
    bytes.insert(bytes.end(), message.begin(), message.end());
    return bytes;
}

Ed25519Scheme::Ed25519Scheme() {
    CRETO_ASSERT(sodium_init() >= 0);
}

bool Ed25519Scheme::verify(const PublicKey& key, ByteView bytes, const Signature& signature) const {
    return ed25519_verify_raw(key, bytes, signature);
}

std::unique_ptr<Signer> Ed25519Scheme::signer(const KeySeed& seed) {
    return std::make_unique<Ed25519Signer>(seed);
}

Signature ed25519_sign_raw(const KeySeed& seed, ByteView bytes) {
    std::array<std::uint8_t, PublicKey::size> key{};
    std::array<std::uint8_t, crypto_sign_ed25519_SECRETKEYBYTES> secret{};
    crypto_sign_ed25519_seed_keypair(key.data(), secret.data(), seed.view().data());
    std::array<std::uint8_t, Signature::size> out{};
    crypto_sign_ed25519_detached(out.data(), nullptr, bytes.data(), bytes.size(), secret.data());
    sodium_memzero(secret.data(), secret.size());
    return Signature{out};
}

bool ed25519_verify_raw(const PublicKey& key, ByteView bytes, const Signature& signature) {
    return crypto_sign_ed25519_verify_detached(
               signature.view().data(), bytes.data(), bytes.size(), key.view().data()
           ) == 0;
}

PublicKey ed25519_public_key(const KeySeed& seed) {
    std::array<std::uint8_t, PublicKey::size> key{};
    std::array<std::uint8_t, crypto_sign_ed25519_SECRETKEYBYTES> secret{};
    crypto_sign_ed25519_seed_keypair(key.data(), secret.data(), seed.view().data());
    sodium_memzero(secret.data(), secret.size());
    return PublicKey{key};
}

bool TagScheme::verify(const PublicKey& key, ByteView bytes, const Signature& signature) const {
    const auto found = keys_.find(key);
    return found != keys_.end() && tag_of(found->second, bytes) == signature;
}

bool TagScheme::verify_joined(
    const KeyList& list, ByteView signers, ByteView bytes, const Signature& signature
) const {
    auto held = std::find_if(expected_.rbegin(), expected_.rend(), [&](const Expected& one) {
        return one.list == list.id &&
               std::equal(one.bytes.begin(), one.bytes.end(), bytes.begin(), bytes.end());
    });
    if (held == expected_.rend()) {
        Expected made{list.id, Bytes(bytes.begin(), bytes.end()), {}};
        made.tags.reserve(list.keys.size());
        for (const PublicKey& key : list.keys) {
            const auto seed = keys_.find(key);
            if (seed == keys_.end()) return false;
            made.tags.push_back(tag_of(seed->second, bytes));
        }
        if (expected_.size() == expected_max) expected_.pop_front();
        expected_.push_back(std::move(made));
        held = expected_.rbegin();
    }
    if (signers.size() != (list.keys.size() + 7) / 8) return false;
    std::array<std::uint8_t, Signature::size> sum{};
    bool any = false;
    for (std::size_t i = 0; i < signers.size() * 8; ++i) {
        if ((signers[i / 8] >> (i % 8) & 1U) == 0) continue;
        if (i >= held->tags.size()) return false;
        add_tag(sum, held->tags[i]);
        any = true;
    }
    return any && Signature{sum} == signature;
}

std::unique_ptr<Signer> TagScheme::signer(const KeySeed& seed) {
    Bytes named = to_bytes("creto tag key");
    named.insert(named.end(), seed.view().begin(), seed.view().end());
    const PublicKey key =
        public_keys_ == Keys::ed25519 ? ed25519_public_key(seed) : PublicKey{blake3(named).bytes()};
    keys_.emplace(key, seed);
    return std::make_unique<TagSigner>(seed, key, public_keys_);
}

void fill_random(std::span<std::uint8_t> out) {
    CRETO_ASSERT(sodium_init() >= 0);
    randombytes_buf(out.data(), out.size());  // tidy: allow hosts draw their keys here
}

}  // namespace creto
