// Keys, signatures, and the interface behind which the signature scheme can be exchanged.
//
// Why      The runtime signs with Ed25519; the simulator signs with a keyed tag of the same size,
//          so that ten thousand nodes fit one core. Both run the same protocol code.
// Source   Ed25519 (RFC 8032), from libsodium, strict verification.
// Holds    Signed bytes are domain || chain || message: a signature for one purpose or network is
//          never valid for another. Domains are never reused or renumbered.
//          Signatures of the same bytes may be put together into one, where the scheme can do that: a
//          multi-signature, not a threshold signature, so that it still says who signed.
// Cost     Ed25519: sign 20 us, verify 57 us on one core. Tag: under 0.1 us each.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "crypto/digest.hpp"

namespace creto {

template <class Tag, std::size_t N>
class FixedBytes {
public:
    static constexpr std::size_t size = N;
    constexpr FixedBytes() = default;
    constexpr explicit FixedBytes(const std::array<std::uint8_t, N>& bytes) : bytes_{bytes} {}
    [[nodiscard]] ByteView view() const { return bytes_; }
    [[nodiscard]] const std::array<std::uint8_t, N>& bytes() const { return bytes_; }
    /// The first eight bytes as a number, for hash tables.
    [[nodiscard]] std::uint64_t prefix() const { return load_le64(bytes_, 0); }
    friend bool operator==(const FixedBytes&, const FixedBytes&) = default;
    friend constexpr std::strong_ordering operator<=>(const FixedBytes& a, const FixedBytes& b) {
        return order_bytes(a.bytes_, b.bytes_);
    }

private:
    std::array<std::uint8_t, N> bytes_{};
};

using PublicKey = FixedBytes<struct PublicKeyTag, 32>;
using Signature = FixedBytes<struct SignatureTag, 64>;
/// 32 secret bytes from which a key pair is derived.
using KeySeed = FixedBytes<struct KeySeedTag, 32>;

enum class SignDomain : std::uint8_t {
    vote = 1,
    vertex = 2,
    operation = 3,
    agent_record = 4,
    call_request = 5,
    call_answer = 6,
    grant = 7,
    lane_reset = 8,
    recovery = 9,
    alive = 10,
    approval = 11,
    beacon = 12,  ///< Never shown to anybody: a seat draws its secrets from it.
};

/// domain || chain || message: what is really signed.
[[nodiscard]] Bytes signed_bytes(SignDomain domain, const Digest& chain, ByteView message);

/// Keys whose owners sign together.
struct KeyList {
    Digest id;  ///< Binds the keys and their order.
    std::vector<PublicKey> keys;
};

class Signer {
public:
    Signer() = default;
    Signer(const Signer&) = delete;
    Signer& operator=(const Signer&) = delete;
    virtual ~Signer() = default;

    [[nodiscard]] virtual const PublicKey& public_key() const = 0;
    [[nodiscard]] virtual Signature sign(SignDomain domain, const Digest& chain, ByteView message)
        const = 0;
    /// Signatures of the same bytes, each by others, as one. None where the scheme cannot do that.
    /// Requires: not empty.
    [[nodiscard]] virtual std::optional<Signature> join(std::span<const Signature> /*parts*/)
        const {
        return std::nullopt;
    }
};

class SignatureScheme {
public:
    SignatureScheme() = default;
    SignatureScheme(const SignatureScheme&) = delete;
    SignatureScheme& operator=(const SignatureScheme&) = delete;
    virtual ~SignatureScheme() = default;

    [[nodiscard]] virtual const char* name() const = 0;
    /// `bytes` as signed_bytes() makes them. Thread-safe.
    [[nodiscard]] virtual bool verify(
        const PublicKey& key, ByteView bytes, const Signature& signature
    ) const = 0;
    /// Whether `signature` is that of all whose bit is set, put together. `signers`: a bit for each
    /// key, least significant first. False where the scheme cannot join.
    [[nodiscard]] virtual bool verify_joined(
        const KeyList& /*list*/,
        ByteView /*signers*/,
        ByteView /*bytes*/,
        const Signature& /*signature*/
    ) const {
        return false;
    }
    /// Whether its signers join().
    [[nodiscard]] virtual bool joins() const { return false; }
    [[nodiscard]] virtual std::unique_ptr<Signer> signer(const KeySeed& seed) = 0;
};

class Ed25519Scheme final : public SignatureScheme {
public:
    Ed25519Scheme();
    [[nodiscard]] const char* name() const override { return "ed25519"; }
    [[nodiscard]] bool verify(const PublicKey& key, ByteView bytes, const Signature& signature)
        const override;
    [[nodiscard]] std::unique_ptr<Signer> signer(const KeySeed& seed) override;
};

/// Ed25519 over exactly these bytes, with no domain and no chain: for foreign protocols that say
/// themselves what is signed. Their texts must not begin with the byte of a SignDomain.
[[nodiscard]] Signature ed25519_sign_raw(const KeySeed& seed, ByteView bytes);
[[nodiscard]] bool ed25519_verify_raw(
    const PublicKey& key, ByteView bytes, const Signature& signature
);
[[nodiscard]] PublicKey ed25519_public_key(const KeySeed& seed);

/// The simulator's scheme: a signature is a keyed SipHash tag, padded to Ed25519's size. The scheme
/// keeps the keys that it made and is the only one who can check, so whoever does not hold a Signer
/// cannot sign for it. Joined signatures are the sum of their tags: they stand for BLS multi-signatures
/// (Boneh, Drijvers, Neven 2018), with proofs of possession. A model, never used between real processes.
class TagScheme final : public SignatureScheme {
public:
    /// Whose public keys: its own, made in no time, or those that Ed25519 has for the same seeds, so
    /// that two runs differ in their signatures' bytes and in nothing else.
    enum class Keys : std::uint8_t { own, ed25519 };
    explicit TagScheme(Keys public_keys = Keys::own) : public_keys_{public_keys} {}

    [[nodiscard]] const char* name() const override { return "tag"; }
    [[nodiscard]] bool verify(const PublicKey& key, ByteView bytes, const Signature& signature)
        const override;
    [[nodiscard]] bool verify_joined(
        const KeyList& list, ByteView signers, ByteView bytes, const Signature& signature
    ) const override;
    [[nodiscard]] bool joins() const override { return true; }
    [[nodiscard]] std::unique_ptr<Signer> signer(const KeySeed& seed) override;

private:
    /// What each key of a list would sign for the same bytes: a certificate is checked by everybody.
    struct Expected {
        Digest list;
        Bytes bytes;
        std::vector<Signature> tags;
    };
    static constexpr std::size_t expected_max = 64;

    Keys public_keys_;
    std::map<PublicKey, KeySeed> keys_;
    mutable std::deque<Expected> expected_;  ///< The latest last: one thread at a time joins.
};

/// Fresh secret bytes from the operating system. Hosts only: protocol code is handed its seeds.
void fill_random(std::span<std::uint8_t> out);

}  // namespace creto
