// Noise: the handshake that proves who the peer is, and the encrypted frames that follow.
//
// Why      Nothing a peer says counts before its identity has signed the key of this very session.
// Source   Noise_XX_25519_ChaChaPoly_SHA256 (Perrin 2018) with libp2p's payload (specs, noise).
// Holds    [P2P-IDENTITY.1] on_bytes() says done only when the peer's signature over its static key
//          was verified and its key is the expected one. All-zero agreements are refused. Each
//          frame is opened at most once and in order: a nonce never repeats.
//          All randomness is handed in: the same secrets give the same bytes.
// Errors   invalid (malformed or forged), denied (another peer than expected). All are final.
// Cost     A handshake takes each side 4 curve operations, 1 signature, 1 verification: about
//          0.24 ms. Frames cost one pass of ChaCha20-Poly1305.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "crypto/box.hpp"
#include "crypto/signature.hpp"
#include "p2p/noise_payload.hpp"
#include "p2p/role.hpp"

namespace creto::p2p {

/// Ed25519 over exactly the given bytes.
using IdentitySigner = std::function<Signature(ByteView)>;
using IdentityVerifier = std::function<bool(const PublicKey&, ByteView, const Signature&)>;

namespace limits {
inline constexpr std::size_t noise_frame_bytes_max = 65'535;
inline constexpr std::size_t noise_plain_bytes_max = noise_frame_bytes_max - seal_tag_bytes;
/// A handshake message; ours have at most 240 bytes.
inline constexpr std::size_t handshake_frame_bytes_max = 4'096;
}  // namespace limits

/// Where an opened frame is put; on the stack, so that an idle connection holds none.
using NoiseScratch = std::array<std::uint8_t, limits::noise_plain_bytes_max>;

/// Cuts frames, each behind its two-byte big-endian length, out of bytes in any segmentation.
class NoiseFrames {
public:
    NoiseFrames(std::size_t bytes_min, std::size_t bytes_max)
        : bytes_min_{bytes_min}, bytes_max_{bytes_max} {}

    /// Takes bytes from the front of `input` up to the end of one frame; none when it is not whole
    /// yet. The view is good until the next call, and no longer than the input.
    [[nodiscard]] Result<std::optional<ByteView>> next(ByteView& input);
    [[nodiscard]] std::size_t held_bytes() const { return held_.size(); }

private:
    std::size_t bytes_min_;
    std::size_t bytes_max_;
    Bytes held_;  ///< Length and body of a frame that is not whole.
    bool whole_ = false;
};

/// An established session: seals what we send, opens what we receive.
class NoiseSession {
public:
    NoiseSession(const Key32& send, const Key32& receive) : send_{send}, receive_{receive} {}
    NoiseSession(const NoiseSession&) = delete;
    NoiseSession& operator=(const NoiseSession&) = delete;
    ~NoiseSession();

    /// Appends `plain` to `out` in as few frames as it fits.
    void seal(ByteView plain, Bytes& out);
    /// Opens the next frame in `input`; none when it is not whole yet. The view is in `scratch`.
    [[nodiscard]] Result<std::optional<ByteView>> next(ByteView& input, NoiseScratch& scratch);
    [[nodiscard]] std::size_t held_bytes() const { return frames_.held_bytes(); }

private:
    Key32 send_;
    Key32 receive_;
    std::uint64_t sent_ = 0;
    std::uint64_t received_ = 0;
    NoiseFrames frames_{seal_tag_bytes, limits::noise_frame_bytes_max};
};

/// The hash and the key of a handshake under way (Noise, section 5.2).
class NoiseSymmetric {
public:
    NoiseSymmetric();
    ~NoiseSymmetric();
    NoiseSymmetric(const NoiseSymmetric&) = delete;
    NoiseSymmetric& operator=(const NoiseSymmetric&) = delete;

    void mix_hash(ByteView bytes);
    void mix_key(const Key32& secret);
    /// Appends the sealed bytes, or the bytes themselves before there is a key.
    void seal_and_hash(ByteView plain, Bytes& out);
    [[nodiscard]] std::optional<Bytes> open_and_hash(ByteView sealed);
    /// The keys of the session: from the initiator, and to it.
    [[nodiscard]] std::pair<Key32, Key32> split() const;

private:
    Key32 hash_;
    Key32 chaining_;
    std::optional<Key32> key_;
    std::uint64_t counter_ = 0;
};

class NoiseHandshake {
public:
    struct Options {
        Role role = Role::initiator;
        PublicKey self;
        IdentitySigner sign;
        IdentityVerifier verify;
        Key32 static_secret{};     ///< Fresh per process or connection.
        Key32 ephemeral_secret{};  ///< Fresh per connection.
        std::optional<PublicKey> expected_peer;
        std::vector<std::string> muxers;  ///< What our payload lists.
    };
    enum class Progress : std::uint8_t { running, done };

    explicit NoiseHandshake(Options options);
    NoiseHandshake(const NoiseHandshake&) = delete;
    NoiseHandshake& operator=(const NoiseHandshake&) = delete;
    ~NoiseHandshake();

    /// The initiator's first message; nothing for a responder.
    void start(Bytes& out);
    /// Takes the peer's messages from the front of `input`, appends ours to `out`. What is left of
    /// the input belongs to the session.
    [[nodiscard]] Result<Progress> on_bytes(ByteView& input, Bytes& out);

    /// What the peer said of itself. Requires: done.
    [[nodiscard]] const NoisePayload& peer() const;
    /// Requires: done.
    [[nodiscard]] std::unique_ptr<NoiseSession> session() const;

private:
    enum class Step : std::uint8_t { message_1, message_2, message_3, done };

    [[nodiscard]] Result<void> on_message(ByteView message, Bytes& out);
    [[nodiscard]] Result<void> read_message_1(ByteView message);
    [[nodiscard]] Result<void> read_message_2(ByteView message);
    [[nodiscard]] Result<void> read_message_3(ByteView message);
    void write_message_1(Bytes& out);
    [[nodiscard]] Result<void> write_message_2(Bytes& out);
    [[nodiscard]] Result<void> write_message_3(Bytes& out);

    [[nodiscard]] Result<void> mix_agreement(const Key32& secret, const Key32& peer);
    [[nodiscard]] Result<void> read_static(ByteView sealed);
    [[nodiscard]] Result<void> read_payload(ByteView sealed);
    void write_payload(Bytes& message);

    Options options_;
    ExchangeKeys static_;
    ExchangeKeys ephemeral_;
    Key32 peer_static_{};
    Key32 peer_ephemeral_{};
    NoiseSymmetric symmetric_;
    NoiseFrames frames_;
    Step step_ = Step::message_1;
    std::optional<NoisePayload> peer_;
};

}  // namespace creto::p2p
