#include <sodium.h>

#include <blake3.h>
#include <gtest/gtest.h>

#include "crypto/box.hpp"
#include "crypto/digest.hpp"
#include "crypto/signature.hpp"
#include "crypto/siphash.hpp"

namespace creto {
namespace {

Key32 key32(const char* hex) {
    Key32 key{};
    const auto bytes = from_hex(hex);
    std::copy(bytes->begin(), bytes->end(), key.begin());
    return key;
}

TEST(Digest, IsUpstreamBlake3) {
    // Known answer of the reference implementation for the empty input.
    EXPECT_EQ(blake3({}).hex(), "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
}

TEST(Digest, IsUpstreamBlake3AtEverySizeAndSplit) {
    // One chunk takes our own way through the compression function, more the library's.
    for (std::size_t size = 0; size <= 1'100; ++size) {
        Bytes content(size);
        for (std::size_t i = 0; i < size; ++i)
            content[i] = static_cast<std::uint8_t>(i * 7 + size);
        Bytes named{static_cast<std::uint8_t>(HashDomain::cut)};
        named.insert(named.end(), content.begin(), content.end());
        blake3_hasher upstream;
        blake3_hasher_init(&upstream);
        blake3_hasher_update(&upstream, named.data(), named.size());
        std::array<std::uint8_t, Digest::size> expected{};
        blake3_hasher_finalize(&upstream, expected.data(), expected.size());

        ASSERT_EQ(hash(HashDomain::cut, content), Digest{expected}) << size;
        ASSERT_EQ(blake3(named), Digest{expected}) << size;
        const std::size_t half = size / 2;
        Hasher parts{HashDomain::cut};
        parts.update(ByteView{content}.first(half));
        const Digest before = parts.finish();  // Asking does not disturb what follows.
        parts.update(ByteView{content}.subspan(half));
        ASSERT_EQ(parts.finish(), Digest{expected}) << size;
        ASSERT_EQ(before, hash(HashDomain::cut, ByteView{content}.first(half))) << size;
    }
}

TEST(Digest, DomainsSeparate) {
    const Bytes content = to_bytes("same bytes");
    EXPECT_NE(hash(HashDomain::vertex, content), hash(HashDomain::block, content));
    Hasher hasher{HashDomain::vertex};
    hasher.update(as_bytes("same ")).update(as_bytes("bytes"));
    EXPECT_EQ(hasher.finish(), hash(HashDomain::vertex, content));
}

TEST(Ed25519, KnownAnswerOfRfc8032) {
    Ed25519Scheme scheme;
    const auto signer = scheme.signer(KeySeed{
        key32("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")});
    EXPECT_EQ(
        to_hex(signer->public_key().view()),
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    );
}

template <class Scheme>
void expect_binds_everything() {
    Scheme scheme;
    const auto signer = scheme.signer(KeySeed{
        key32("0101010101010101010101010101010101010101010101010101010101010101")});
    const auto other = scheme.signer(KeySeed{
        key32("0202020202020202020202020202020202020202020202020202020202020202")});
    const Digest chain = blake3(as_bytes("chain"));
    const Digest fork = blake3(as_bytes("fork"));
    const Bytes message = to_bytes("message");
    const Signature signature = signer->sign(SignDomain::vote, chain, message);
    const auto ok = [&](const Signer& who, SignDomain domain, const Digest& on, ByteView what) {
        return scheme.verify(who.public_key(), signed_bytes(domain, on, what), signature);
    };
    EXPECT_TRUE(ok(*signer, SignDomain::vote, chain, message));
    EXPECT_FALSE(ok(*other, SignDomain::vote, chain, message));
    EXPECT_FALSE(ok(*signer, SignDomain::vertex, chain, message));
    EXPECT_FALSE(ok(*signer, SignDomain::vote, fork, message));
    EXPECT_FALSE(ok(*signer, SignDomain::vote, chain, as_bytes("massage")));
}

TEST(Ed25519, BindsKeyDomainChainAndMessage) {
    expect_binds_everything<Ed25519Scheme>();
}
TEST(TagScheme, BindsKeyDomainChainAndMessage) {
    expect_binds_everything<TagScheme>();
}

TEST(SipHash, IsTheLibrarysWithThePapersRounds) {
    const Bytes key = to_bytes("sixteen byte key");
    for (std::size_t size = 0; size < 200; ++size) {
        Bytes text(size);
        for (std::size_t i = 0; i < size; ++i)
            text[i] = static_cast<std::uint8_t>(i * 13 + size);
        std::array<std::uint8_t, 16> expected{};
        crypto_shorthash_siphashx24(expected.data(), text.data(), text.size(), key.data());
        EXPECT_EQ((SipHash<2, 4>::of(key, text)), expected) << size;
    }
}

TEST(Ed25519, RawSignaturesCoverTheBytesAlone) {
    // Made by js-libp2p from the same seed: a signature over a Noise static key.
    const KeySeed seed{key32("0707070707070707070707070707070707070707070707070707070707070707")};
    Bytes message = to_bytes("noise-libp2p-static-key:");
    message.insert(message.end(), 32, 9);
    const Signature signature = ed25519_sign_raw(seed, message);
    EXPECT_EQ(
        to_hex(signature.view()),
        "3ab0ad7ac4839b11d27ae89f0da1cb98478fac5bfd369054f8c988a715950157"
        "b4a2ddf5ca77fa29e3c97921a352ee7121913ede198056bb36fbd840435c830f"
    );
    const PublicKey key = ed25519_public_key(seed);
    EXPECT_TRUE(ed25519_verify_raw(key, message, signature));
    message.back() ^= 1U;
    EXPECT_FALSE(ed25519_verify_raw(key, message, signature));
}

TEST(Box, WipesASecret) {
    Key32 secret = sha256(as_bytes("secret"));
    wipe(secret);
    EXPECT_EQ(secret, Key32{});
}

TEST(Box, AgreesAndRefusesADegenerateKey) {
    const auto a =
        exchange_keys(key32("77076d0a7318a57d3c16c17251b26645df4c2f92ebc6a8a9d8e5b4c6d4c1b4e1"));
    const auto b =
        exchange_keys(key32("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"));
    EXPECT_EQ(agree(a.secret, b.shared), agree(b.secret, a.shared));
    EXPECT_EQ(agree(a.secret, Key32{}), std::nullopt);
}

TEST(Box, OpensOnlyWhatWasSealed) {
    const Key32 key = sha256(as_bytes("key"));
    const Bytes plain = to_bytes("hello");
    Bytes sealed(plain.size() + seal_tag_bytes);
    seal(key, 5, as_bytes("ad"), plain, sealed.data());
    Bytes out(plain.size());
    EXPECT_TRUE(open(key, 5, as_bytes("ad"), sealed, out.data()));
    EXPECT_EQ(out, plain);
    EXPECT_FALSE(open(key, 6, as_bytes("ad"), sealed, out.data()));
    EXPECT_FALSE(open(key, 5, as_bytes("da"), sealed, out.data()));
    sealed[0] ^= 1U;
    EXPECT_FALSE(open(key, 5, as_bytes("ad"), sealed, out.data()));
    EXPECT_FALSE(open(key, 5, {}, Bytes(15), out.data()));
}

TEST(Box, Sha256KnownAnswer) {
    EXPECT_EQ(
        to_hex(sha256(as_bytes("abc"))),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}

}  // namespace
}  // namespace creto
