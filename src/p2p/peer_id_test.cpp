#include "p2p/peer_id.hpp"

#include <gtest/gtest.h>

namespace creto::p2p {
namespace {

// Made by js-libp2p from the seed 07 07 ... 07.
constexpr std::string_view golden_key =
    "08011220ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c";
constexpr std::string_view golden_text = "12D3KooWRawPbxPtP1eZaJpumGnyWX2DcUyd3RQnydr3eAto4Az7";

PublicKey golden() {
    std::array<std::uint8_t, 32> seed{};
    seed.fill(7);
    return ed25519_public_key(KeySeed{seed});
}

TEST(PeerId, HasTheBytesAndTextOfOtherImplementations) {
    EXPECT_EQ(to_hex(to_key_protobuf(golden())), golden_key);
    EXPECT_EQ(to_hex(to_peer_id(golden())), "0024" + std::string{golden_key});
    EXPECT_EQ(to_peer_id_text(golden()), golden_text);
}

TEST(PeerId, ReadsBackEveryForm) {
    EXPECT_EQ(from_key_protobuf(to_key_protobuf(golden())), golden());
    EXPECT_EQ(from_peer_id(to_peer_id(golden())), golden());
    EXPECT_EQ(from_peer_id_text(golden_text), golden());
}

TEST(PeerId, RefusesOtherKeyTypesLengthsAndSpellings) {
    const auto good = to_key_protobuf(golden());
    for (std::size_t i = 0; i < 4; ++i) {  // type, tags and length each have one value
        auto bad = good;
        bad[i] ^= 1U;
        EXPECT_FALSE(from_key_protobuf(bad)) << i;
    }
    for (std::size_t size = 0; size < good.size(); ++size)
        EXPECT_FALSE(from_key_protobuf(ByteView{good}.first(size))) << size;
    Bytes longer(good.begin(), good.end());
    longer.push_back(0);
    EXPECT_FALSE(from_key_protobuf(longer));

    auto sha = to_peer_id(golden());
    sha[0] = 0x12;  // a SHA-256 multihash: the form of long keys such as RSA
    EXPECT_FALSE(from_peer_id(sha));
    EXPECT_FALSE(from_peer_id_text("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N"));
    EXPECT_FALSE(from_peer_id_text("1" + std::string{golden_text}));
    EXPECT_FALSE(
        from_peer_id_text("bafzaajaiaejcb2sknrr6fhcsbk7pkud3cmxml6mvi53k5pv6pojeehxknekenurm")
    );
    EXPECT_FALSE(from_peer_id_text(""));
}

}  // namespace
}  // namespace creto::p2p
