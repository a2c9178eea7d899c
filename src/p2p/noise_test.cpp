#include "p2p/noise.hpp"

#include <gtest/gtest.h>

#include "base/prng.hpp"
#include "p2p/connection_pair.hpp"
#include "p2p/multistream.hpp"

namespace creto::p2p {
namespace {

NoiseHandshake::Options side(Role role, std::uint64_t number) {
    const TestIdentity identity{number};
    NoiseHandshake::Options options;
    options.role = role;
    options.self = identity.key;
    options.sign = identity.signer();
    options.verify = ed25519_verify_raw;
    options.static_secret = TestIdentity::bytes_of(number * 10 + 1);
    options.ephemeral_secret = TestIdentity::bytes_of(number * 10 + 2);
    return options;
}

struct Pair {
    explicit Pair(NoiseHandshake::Options dialer, NoiseHandshake::Options listener)
        : a{std::move(dialer)}, b{std::move(listener)} {}
    Pair() : Pair{side(Role::initiator, 1), side(Role::responder, 2)} {}

    /// Runs the three messages; the first failure of either side.
    Result<void> run() {
        a.start(one);
        ByteView input{one};
        if (auto r = b.on_bytes(input, two); !r) return tl::unexpected<Error>(r.error());
        input = two;
        if (auto r = a.on_bytes(input, three); !r) return tl::unexpected<Error>(r.error());
        input = three;
        Bytes none;
        if (auto r = b.on_bytes(input, none); !r) return tl::unexpected<Error>(r.error());
        EXPECT_TRUE(none.empty());
        return {};
    }

    NoiseHandshake a;
    NoiseHandshake b;
    Bytes one, two, three;
};

TEST(NoiseHandshake, ItsMessagesHaveTheSizesOfOtherImplementations) {
    Pair pair;
    ASSERT_TRUE(pair.run());
    EXPECT_EQ(pair.one.size(), 2U + 32);
    EXPECT_EQ(pair.two.size(), 2U + 200);
    EXPECT_EQ(pair.three.size(), 2U + 168);
    EXPECT_EQ(to_hex(ByteView{pair.one}.first(2)), "0020");
    EXPECT_EQ(pair.a.peer().identity, TestIdentity{2}.key);
    EXPECT_EQ(pair.b.peer().identity, TestIdentity{1}.key);
}

TEST(NoiseHandshake, CarriesTheMuxers) {
    auto dialer = side(Role::initiator, 1);
    dialer.muxers = {"/yamux/1.0.0"};
    Pair pair{std::move(dialer), side(Role::responder, 2)};
    ASSERT_TRUE(pair.run());
    EXPECT_EQ(pair.b.peer().muxers, std::vector<std::string>{"/yamux/1.0.0"});
    EXPECT_TRUE(pair.a.peer().muxers.empty());
    EXPECT_EQ(pair.three.size(), 2U + 168 + 16);
}

// [P2P-IDENTITY.1]
TEST(NoiseHandshake, RefusesAnIdentityThatDidNotSignThisKey) {
    const TestIdentity victim{9};
    // Claims another's key, signed by itself.
    auto liar = side(Role::responder, 2);
    liar.self = victim.key;
    EXPECT_EQ(
        (Pair{side(Role::initiator, 1), std::move(liar)}.run().error().code), ErrorCode::invalid
    );
    // Replays the victim's true signature, which is over another static key.
    auto replay = side(Role::responder, 2);
    replay.self = victim.key;
    replay.sign = [&](ByteView) {
        const Key32 other = exchange_keys(TestIdentity::bytes_of(77)).shared;
        return ed25519_sign_raw(victim.seed, static_key_statement(other));
    };
    EXPECT_EQ(
        (Pair{side(Role::initiator, 1), std::move(replay)}.run().error().code), ErrorCode::invalid
    );
    // Signs nothing, as the dialer too.
    auto unsigned_side = side(Role::initiator, 1);
    unsigned_side.sign = [](ByteView) { return Signature{}; };
    EXPECT_EQ(
        (Pair{std::move(unsigned_side), side(Role::responder, 2)}.run().error().code),
        ErrorCode::invalid
    );
    // Signs without the domain.
    auto bare = side(Role::initiator, 1);
    bare.sign = [](ByteView statement) {
        return ed25519_sign_raw(TestIdentity{1}.seed, statement.subspan(24));
    };
    EXPECT_EQ(
        (Pair{std::move(bare), side(Role::responder, 2)}.run().error().code), ErrorCode::invalid
    );
}

TEST(NoiseHandshake, RefusesAnotherPeerThanExpectedOnEitherSide) {
    for (const Role role : {Role::initiator, Role::responder}) {
        auto dialer = side(Role::initiator, 1);
        auto listener = side(Role::responder, 2);
        (role == Role::initiator ? dialer : listener).expected_peer = TestIdentity{3}.key;
        EXPECT_EQ(
            (Pair{std::move(dialer), std::move(listener)}.run().error().code), ErrorCode::denied
        );
    }
}

TEST(NoiseHandshake, RefusesDegenerateKeys) {
    NoiseHandshake listener{side(Role::responder, 2)};
    Bytes message{0, 32};
    message.resize(34);  // the all-zero point
    ByteView input{message};
    Bytes out;
    EXPECT_EQ(listener.on_bytes(input, out).error().code, ErrorCode::invalid);
    EXPECT_TRUE(out.empty());
}

TEST(NoiseHandshake, RefusesEveryTruncationAndEveryChangedByte) {
    Pair good;
    ASSERT_TRUE(good.run());
    const auto dialer_takes = [&](ByteView message) {
        NoiseHandshake dialer{side(Role::initiator, 1)};
        Bytes out;
        dialer.start(out);
        const auto progress = dialer.on_bytes(message, out);
        return progress && *progress == NoiseHandshake::Progress::done;
    };
    ASSERT_TRUE(dialer_takes(good.two));
    for (std::size_t i = 0; i < good.two.size(); ++i) {
        EXPECT_FALSE(dialer_takes(ByteView{good.two}.first(i))) << i;
        Bytes shorter(good.two.begin(), good.two.begin() + static_cast<std::ptrdiff_t>(i));
        if (i >= 2) shorter[1] = static_cast<std::uint8_t>(i - 2);  // whole frames, too short
        EXPECT_FALSE(dialer_takes(shorter)) << i;
        Bytes changed = good.two;
        changed[i] ^= 1U;
        EXPECT_FALSE(dialer_takes(changed)) << i;
    }
}

TEST(NoiseHandshake, RefusesLengthsBeforeItReadsTheBody) {
    for (const Bytes& head : {Bytes{0, 0}, Bytes{0, 31}, Bytes{0x10, 0x01}, Bytes{0xFF, 0xFF}}) {
        NoiseHandshake listener{side(Role::responder, 2)};
        ByteView input{head};
        Bytes out;
        EXPECT_FALSE(listener.on_bytes(input, out)) << to_hex(head);
    }
}

struct Sessions {
    Sessions() {
        EXPECT_TRUE(pair.run());
        a = pair.a.session();
        b = pair.b.session();
    }
    Pair pair;
    std::unique_ptr<NoiseSession> a, b;
};

Bytes open_all(NoiseSession& session, ByteView input, Prng& cut) {
    auto scratch = std::make_unique<NoiseScratch>();
    Bytes all;
    while (!input.empty()) {
        ByteView part = input.first(cut.between(1, input.size()));
        input = input.subspan(part.size());
        while (true) {
            const auto plain = session.next(part, *scratch);
            EXPECT_TRUE(plain.has_value());
            if (!plain || !*plain) break;
            all.insert(all.end(), (*plain)->begin(), (*plain)->end());
        }
        EXPECT_TRUE(part.empty());
    }
    return all;
}

TEST(NoiseSession, CarriesAnySizeInAnySegmentationBothWays) {
    Sessions sessions;
    Prng prng{5};
    for (const std::size_t size : {0U, 1U, 65'518U, 65'519U, 65'520U, 200'000U}) {
        Bytes plain(size);
        for (auto& byte : plain)
            byte = static_cast<std::uint8_t>(prng.next());
        Bytes sealed;
        sessions.a->seal(plain, sealed);
        const std::size_t frames = (size + 65'518) / 65'519;
        EXPECT_EQ(sealed.size(), size + frames * 18);
        EXPECT_EQ(open_all(*sessions.b, sealed, prng), plain);
        sealed.clear();
        sessions.b->seal(plain, sealed);
        EXPECT_EQ(open_all(*sessions.a, sealed, prng), plain);
        EXPECT_EQ(sessions.a->held_bytes(), 0U);
    }
}

TEST(NoiseSession, AnEmptyFrameIsAFrame) {
    Sessions sessions;
    // What a peer sends for an empty payload: a tag alone.
    const auto [key, other] = std::pair{Key32{}, Key32{}};
    NoiseSession receiver{other, key};
    Bytes wire{0, 16};
    wire.resize(18);
    seal(key, 0, {}, {}, wire.data() + 2);
    ByteView input{wire};
    auto scratch = std::make_unique<NoiseScratch>();
    const auto plain = receiver.next(input, *scratch);
    ASSERT_TRUE(plain.has_value() && plain->has_value());
    EXPECT_TRUE((*plain)->empty());
    EXPECT_FALSE(*receiver.next(input, *scratch));
}

TEST(NoiseSession, RefusesForgedReplayedAndReorderedFrames) {
    auto scratch = std::make_unique<NoiseScratch>();
    const auto takes = [&](NoiseSession& session, ByteView wire) {
        return session.next(wire, *scratch).has_value();
    };
    Sessions sessions;
    Bytes first;
    Bytes second;
    sessions.a->seal(as_bytes("first"), first);
    sessions.a->seal(as_bytes("second"), second);
    Bytes forged = first;
    ASSERT_EQ(forged.size(), 2U + 5 + 16);
    forged[22] ^= 1U;
    EXPECT_FALSE(takes(*Sessions{}.b, forged));
    EXPECT_FALSE(takes(*Sessions{}.b, second)) << "out of order";
    EXPECT_TRUE(takes(*sessions.b, first));
    EXPECT_FALSE(takes(*sessions.b, first)) << "replayed";
    for (const Bytes& head : {Bytes{0, 0}, Bytes{0, 15}})
        EXPECT_FALSE(takes(*Sessions{}.b, head)) << "shorter than a tag";
}

TEST(NoisePayload, SkipsUnknownFieldsAndRefusesEveryTruncation) {
    const TestIdentity identity{4};
    const NoisePayload payload{
        .identity = identity.key,
        .signature = identity.signer()(as_bytes("x")),
        .muxers = {"/yamux/1.0.0", "/other/2"}};
    const Bytes wire = encode_noise_payload(payload);
    EXPECT_EQ(decode_noise_payload(wire), payload);
    // Field 3, dead, as varint; field 9 as 64 bits; field 10 as 32 bits; field 11 as text.
    Bytes more{0x18, 0x05, 0x49, 1, 2, 3, 4, 5, 6, 7, 8, 0x55, 1, 2, 3, 4, 0x5A, 2, 'h', 'i'};
    more.insert(more.end(), wire.begin(), wire.end());
    EXPECT_EQ(decode_noise_payload(more), payload);
    const NoisePayload plain{payload.identity, payload.signature, {}};
    const std::size_t mandatory = encode_noise_payload(plain).size();
    EXPECT_EQ(mandatory, 104U);
    for (std::size_t i = 0; i < wire.size(); ++i) {
        const bool whole = i == mandatory;  // only the extensions are missing
        EXPECT_EQ(decode_noise_payload(ByteView{wire}.first(i)).has_value(), whole) << i;
    }
}

TEST(NoisePayload, RefusesOtherKeysMissingFieldsAndTooManyMuxers) {
    const TestIdentity identity{4};
    NoisePayload payload{identity.key, identity.signer()(as_bytes("x")), {}};
    const Bytes wire = encode_noise_payload(payload);
    Bytes rsa = wire;
    rsa[3] = 0;  // key type 0
    EXPECT_FALSE(decode_noise_payload(rsa));
    EXPECT_FALSE(decode_noise_payload(ByteView{wire}.first(38))) << "no signature";
    EXPECT_FALSE(decode_noise_payload(ByteView{wire}.subspan(38))) << "no identity";
    payload.muxers.assign(limits::muxers_max, "/m");
    EXPECT_TRUE(decode_noise_payload(encode_noise_payload(payload)));
    payload.muxers.emplace_back("/m");
    EXPECT_FALSE(decode_noise_payload(encode_noise_payload(payload)));
    payload.muxers.assign(1, std::string(limits::protocol_bytes_max + 1, 'm'));
    EXPECT_FALSE(decode_noise_payload(encode_noise_payload(payload)));
}

}  // namespace
}  // namespace creto::p2p
