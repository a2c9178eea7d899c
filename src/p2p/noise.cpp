#include "p2p/noise.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"

namespace creto::p2p {

namespace {

// Exactly 32 bytes, so the name itself is the first hash.
constexpr std::string_view protocol_name = "Noise_XX_25519_ChaChaPoly_SHA256";
static_assert(protocol_name.size() == 32);

constexpr std::size_t key_bytes = 32;
constexpr std::size_t sealed_key_bytes = key_bytes + seal_tag_bytes;
constexpr std::size_t length_bytes = 2;

Key32 key_of(ByteView bytes) {
    CRETO_ASSERT(bytes.size() == key_bytes);
    Key32 key{};
    std::copy(bytes.begin(), bytes.end(), key.begin());
    return key;
}

void append(Bytes& out, ByteView bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_length(Bytes& out, std::size_t length) {
    out.push_back(static_cast<std::uint8_t>(length >> 8U));
    out.push_back(static_cast<std::uint8_t>(length));
}

void append_message(Bytes& out, ByteView message) {
    append_length(out, message.size());
    append(out, message);
}

auto forged() {
    return fail(ErrorCode::invalid, "noise: a handshake message does not authenticate");
}

}  // namespace

Result<std::optional<ByteView>> NoiseFrames::next(ByteView& input) {
    if (std::exchange(whole_, false)) Bytes{}.swap(held_);  // an idle connection holds nothing
    const auto take = [&](std::size_t wanted) {
        const ByteView part = input.first(std::min(wanted, input.size()));
        input = input.subspan(part.size());
        append(held_, part);
        return part.size() == wanted;
    };
    const bool direct = held_.empty() && input.size() >= length_bytes;
    if (!direct && held_.size() < length_bytes && !take(length_bytes - held_.size())) {
        return std::nullopt;
    }
    const ByteView head = direct ? input : ByteView{held_};
    const std::size_t length = static_cast<std::size_t>(head[0]) << 8U | head[1];
    if (length < bytes_min_ || length > bytes_max_) {
        return fail(ErrorCode::invalid, "noise: a frame has an impossible length");
    }
    if (direct && input.size() >= length_bytes + length) {
        const ByteView body = input.subspan(length_bytes, length);
        input = input.subspan(length_bytes + length);
        return body;
    }
    held_.reserve(length_bytes + length);
    if (!take(length_bytes + length - held_.size())) return std::nullopt;
    whole_ = true;
    return ByteView{held_}.subspan(length_bytes);
}

NoiseSession::~NoiseSession() {
    wipe(send_);
    wipe(receive_);
}

void NoiseSession::seal(ByteView plain, Bytes& out) {
    constexpr std::size_t frame_overhead = length_bytes + seal_tag_bytes;
    const std::size_t frames = plain.size() / limits::noise_plain_bytes_max + 1;
    out.reserve(out.size() + plain.size() + frames * frame_overhead);
    while (!plain.empty()) {
        const ByteView part = plain.first(std::min(plain.size(), limits::noise_plain_bytes_max));
        plain = plain.subspan(part.size());
        append_length(out, part.size() + seal_tag_bytes);
        const std::size_t at = out.size();
        out.resize(at + part.size() + seal_tag_bytes);
        creto::seal(send_, sent_++, {}, part, out.data() + at);
    }
}

Result<std::optional<ByteView>> NoiseSession::next(ByteView& input, NoiseScratch& scratch) {
    auto frame = frames_.next(input);
    if (!frame || !*frame) return frame;
    if (!creto::open(receive_, received_++, {}, **frame, scratch.data())) {
        return fail(ErrorCode::invalid, "noise: a frame does not authenticate");
    }
    return ByteView{scratch}.first((*frame)->size() - seal_tag_bytes);
}

NoiseSymmetric::NoiseSymmetric() : hash_{key_of(as_bytes(protocol_name))}, chaining_{hash_} {
    mix_hash({});  // the empty prologue
}

NoiseSymmetric::~NoiseSymmetric() {
    wipe(chaining_);
    if (key_) wipe(*key_);
}

void NoiseSymmetric::mix_hash(ByteView bytes) {
    Bytes all(hash_.begin(), hash_.end());
    append(all, bytes);
    hash_ = sha256(all);
}

void NoiseSymmetric::mix_key(const Key32& secret) {
    const auto [chaining, key] = hkdf2(chaining_, secret);
    chaining_ = chaining;
    key_ = key;
    counter_ = 0;
}

void NoiseSymmetric::seal_and_hash(ByteView plain, Bytes& out) {
    const std::size_t at = out.size();
    if (key_) {
        out.resize(at + plain.size() + seal_tag_bytes);
        seal(*key_, counter_++, hash_, plain, out.data() + at);
    } else {
        append(out, plain);
    }
    mix_hash(ByteView{out}.subspan(at));
}

std::optional<Bytes> NoiseSymmetric::open_and_hash(ByteView sealed) {
    if (!key_ || sealed.size() < seal_tag_bytes) return std::nullopt;
    Bytes plain(sealed.size() - seal_tag_bytes);
    if (!open(*key_, counter_++, hash_, sealed, plain.data())) return std::nullopt;
    mix_hash(sealed);
    return plain;
}

std::pair<Key32, Key32> NoiseSymmetric::split() const {
    return hkdf2(chaining_, {});
}

NoiseHandshake::NoiseHandshake(Options options)
    : options_{std::move(options)},
      static_{exchange_keys(options_.static_secret)},
      ephemeral_{exchange_keys(options_.ephemeral_secret)},
      frames_{key_bytes, limits::handshake_frame_bytes_max} {
    CRETO_ASSERT(options_.sign && options_.verify);
    wipe(options_.static_secret);
    wipe(options_.ephemeral_secret);
}

NoiseHandshake::~NoiseHandshake() {
    wipe(static_.secret);
    wipe(ephemeral_.secret);
}

void NoiseHandshake::start(Bytes& out) {
    CRETO_ASSERT(step_ == Step::message_1);
    if (options_.role == Role::initiator) write_message_1(out);
}

Result<NoiseHandshake::Progress> NoiseHandshake::on_bytes(ByteView& input, Bytes& out) {
    while (step_ != Step::done) {
        const auto message = frames_.next(input);
        if (!message) return tl::unexpected<Error>(message.error());
        if (!*message) return Progress::running;
        if (auto read = on_message(**message, out); !read) {
            return tl::unexpected<Error>(std::move(read.error()));
        }
    }
    return Progress::done;
}

Result<void> NoiseHandshake::on_message(ByteView message, Bytes& out) {
    switch (step_) {
        case Step::message_1:
            return read_message_1(message).and_then([&] { return write_message_2(out); });
        case Step::message_2:
            return read_message_2(message).and_then([&] { return write_message_3(out); });
        default:
            return read_message_3(message);
    }
}

// -> e
void NoiseHandshake::write_message_1(Bytes& out) {
    symmetric_.mix_hash(ephemeral_.shared);
    symmetric_.mix_hash({});  // the empty payload
    append_message(out, ephemeral_.shared);
    step_ = Step::message_2;
}

Result<void> NoiseHandshake::read_message_1(ByteView message) {
    if (message.size() != key_bytes) {
        return fail(ErrorCode::invalid, "noise: the first message is not a bare key");
    }
    peer_ephemeral_ = key_of(message);
    symmetric_.mix_hash(peer_ephemeral_);
    symmetric_.mix_hash({});
    return {};
}

// <- e, ee, s, es
Result<void> NoiseHandshake::write_message_2(Bytes& out) {
    Bytes message(ephemeral_.shared.begin(), ephemeral_.shared.end());
    symmetric_.mix_hash(ephemeral_.shared);
    auto mixed = mix_agreement(ephemeral_.secret, peer_ephemeral_);
    if (!mixed) return mixed;
    symmetric_.seal_and_hash(static_.shared, message);
    mixed = mix_agreement(static_.secret, peer_ephemeral_);
    if (!mixed) return mixed;
    write_payload(message);
    append_message(out, message);
    step_ = Step::message_3;
    return {};
}

Result<void> NoiseHandshake::read_message_2(ByteView message) {
    if (message.size() < key_bytes + sealed_key_bytes + seal_tag_bytes) return forged();
    peer_ephemeral_ = key_of(message.first(key_bytes));
    symmetric_.mix_hash(peer_ephemeral_);
    return mix_agreement(ephemeral_.secret, peer_ephemeral_)
        .and_then([&] { return read_static(message.subspan(key_bytes, sealed_key_bytes)); })
        .and_then([&] { return mix_agreement(ephemeral_.secret, peer_static_); })
        .and_then([&] { return read_payload(message.subspan(key_bytes + sealed_key_bytes)); });
}

// -> s, se
Result<void> NoiseHandshake::write_message_3(Bytes& out) {
    Bytes message;
    symmetric_.seal_and_hash(static_.shared, message);
    auto mixed = mix_agreement(static_.secret, peer_ephemeral_);
    if (!mixed) return mixed;
    write_payload(message);
    append_message(out, message);
    step_ = Step::done;
    return {};
}

Result<void> NoiseHandshake::read_message_3(ByteView message) {
    if (message.size() < sealed_key_bytes + seal_tag_bytes) return forged();
    return read_static(message.first(sealed_key_bytes))
        .and_then([&] { return mix_agreement(ephemeral_.secret, peer_static_); })
        .and_then([&] { return read_payload(message.subspan(sealed_key_bytes)); })
        .map([&] { step_ = Step::done; });
}

Result<void> NoiseHandshake::mix_agreement(const Key32& secret, const Key32& peer) {
    auto shared = agree(secret, peer);
    if (!shared) return fail(ErrorCode::invalid, "noise: the peer's key is degenerate");
    symmetric_.mix_key(*shared);
    wipe(*shared);
    return {};
}

Result<void> NoiseHandshake::read_static(ByteView sealed) {
    const auto key = symmetric_.open_and_hash(sealed);
    if (!key) return forged();
    peer_static_ = key_of(*key);
    return {};
}

Result<void> NoiseHandshake::read_payload(ByteView sealed) {
    const auto plain = symmetric_.open_and_hash(sealed);
    if (!plain) return forged();
    auto payload = decode_noise_payload(*plain);
    if (!payload) return tl::unexpected<Error>(std::move(payload.error()));
    // The cheap refusal first: a stranger costs us no signature check.
    if (options_.expected_peer && payload->identity != *options_.expected_peer) {
        return fail(
            ErrorCode::denied, "noise: another peer answered than the one that was dialled"
        );
    }
    const Bytes statement = static_key_statement(peer_static_);
    if (!options_.verify(payload->identity, statement, payload->signature)) {
        return fail(ErrorCode::invalid, "noise: the identity did not sign this session's key");
    }
    peer_ = std::move(*payload);
    return {};
}

void NoiseHandshake::write_payload(Bytes& message) {
    const NoisePayload payload{
        .identity = options_.self,
        .signature = options_.sign(static_key_statement(static_.shared)),
        .muxers = options_.muxers};
    symmetric_.seal_and_hash(encode_noise_payload(payload), message);
}

const NoisePayload& NoiseHandshake::peer() const {
    CRETO_ASSERT(step_ == Step::done && peer_);
    return *peer_;
}

std::unique_ptr<NoiseSession> NoiseHandshake::session() const {
    CRETO_ASSERT(step_ == Step::done);
    const auto [from_initiator, to_initiator] = symmetric_.split();
    const bool initiator = options_.role == Role::initiator;
    return initiator ? std::make_unique<NoiseSession>(from_initiator, to_initiator)
                     : std::make_unique<NoiseSession>(to_initiator, from_initiator);
}

}  // namespace creto::p2p
