#include "state/merkle_map.hpp"

#include <gtest/gtest.h>
#include <map>

#include "base/prng.hpp"

namespace creto {
namespace {

using Model = std::map<std::string, Bytes>;

std::string random_key(Prng& prng) {
    return "final/" + std::to_string(prng.below(300));
}
Bytes random_value(Prng& prng) {
    Bytes value(prng.below(80));
    for (auto& byte : value)
        byte = static_cast<std::uint8_t>(prng.next());
    return value;
}

/// The root by the definition, from sorted paths, without any tree that is updated in place.
Digest reference_root(  // NOLINT(misc-no-recursion): the definition is recursive, 256 deep at most
    const std::vector<std::pair<Digest, Digest>>& leaves,
    std::uint32_t from
) {
    if (leaves.empty()) return merkle_empty();
    if (leaves.size() == 1) return merkle_leaf(leaves[0].first, leaves[0].second);
    for (std::uint32_t bit = from; bit < 256; ++bit) {
        std::vector<std::pair<Digest, Digest>> sides[2];
        for (const auto& leaf : leaves)
            sides[(leaf.first.bytes()[bit / 8] >> (7 - bit % 8)) & 1].push_back(leaf);
        if (sides[0].empty() || sides[1].empty()) continue;
        return merkle_node(
            static_cast<std::uint8_t>(bit),
            reference_root(sides[0], bit + 1),
            reference_root(sides[1], bit + 1)
        );
    }
    return {};
}
Digest reference_root(const Model& model) {
    std::vector<std::pair<Digest, Digest>> leaves;
    for (const auto& [key, value] : model)
        leaves.emplace_back(merkle_path(key), merkle_value(value));
    return reference_root(leaves, 0);
}

TEST(MerkleMap, AgreesWithItsDefinitionUnderRandomChanges) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        Prng prng{seed};
        MerkleMap map;
        Model model;
        for (int step = 0; step < 400; ++step) {
            const std::string key = random_key(prng);
            if (prng.chance(1, 3)) {
                EXPECT_EQ(map.erase(key), model.erase(key) == 1);
            } else {
                const Bytes value = random_value(prng);
                map.set(key, value);
                model[key] = value;
            }
            ASSERT_EQ(map.size(), model.size());
            if (prng.chance(1, 10)) {
                ASSERT_EQ(map.root(), reference_root(model)) << "seed " << seed;
            }
        }
        for (int i = 0; i < 300; ++i) {
            const std::string key = "final/" + std::to_string(i);
            const Bytes* found = map.find(key);
            ASSERT_EQ(found != nullptr, model.contains(key));
            if (found != nullptr) {
                EXPECT_EQ(*found, model[key]);
            }
        }
    }
}

// [STATE-ROOT.1]
TEST(MerkleMap, TheRootForgetsTheHistory) {
    MerkleMap a;
    MerkleMap b;
    for (int i = 0; i < 500; ++i)
        a.set("k" + std::to_string(i), {1});
    for (int i = 0; i < 400; ++i)
        EXPECT_TRUE(a.erase("k" + std::to_string(i)));
    static_cast<void>(a.root());
    for (int i = 499; i >= 400; --i)
        b.set("k" + std::to_string(i), {2});
    EXPECT_NE(a.root(), b.root());
    for (int i = 400; i < 500; ++i)
        b.set("k" + std::to_string(i), {1});
    EXPECT_EQ(a.root(), b.root());
    for (int i = 400; i < 500; ++i)
        EXPECT_TRUE(a.erase("k" + std::to_string(i)));
    EXPECT_EQ(a.root(), merkle_empty());
    EXPECT_EQ(a.root(), MerkleMap{}.root());
}

TEST(MerkleMap, VisitsEachEntryOnceInTheSameOrder) {
    MerkleMap a;
    MerkleMap b;
    for (int i = 0; i < 100; ++i)
        a.set("k" + std::to_string(i), {static_cast<std::uint8_t>(i)});
    for (int i = 99; i >= 0; --i)
        b.set("k" + std::to_string(i), {static_cast<std::uint8_t>(i)});
    std::vector<std::string> seen_a;
    std::vector<std::string> seen_b;
    a.visit([&](const std::string& key, const Bytes&) { seen_a.push_back(key); });
    b.visit([&](const std::string& key, const Bytes&) { seen_b.push_back(key); });
    EXPECT_EQ(seen_a.size(), 100U);
    EXPECT_EQ(seen_a, seen_b);
}

TEST(MerkleProof, ShowsPresenceAndAbsenceAndNothingElse) {
    Prng prng{5};
    for (int size : {0, 1, 2, 3, 50, 300}) {
        MerkleMap map;
        Model model;
        for (int i = 0; i < size; ++i) {
            const std::string key = "final/" + std::to_string(i);
            map.set(key, model[key] = random_value(prng));
        }
        const Digest root = map.root();
        for (int i = 0; i < size + 20; ++i) {
            const std::string key = "final/" + std::to_string(i);
            const MerkleProof proof = map.prove(key);
            EXPECT_EQ(decode_exact<MerkleProof>(encode_bytes(proof)).value(), proof);
            const bool present = model.contains(key);
            const Bytes value = present ? model[key] : Bytes{1};
            EXPECT_EQ(verify(root, key, ByteView{value}, proof), present);
            EXPECT_EQ(verify(root, key, std::nullopt, proof), !present);
            EXPECT_FALSE(verify(merkle_path("other"), key, ByteView{value}, proof));
            Bytes other = value;
            other.push_back(7);
            EXPECT_FALSE(verify(root, key, ByteView{other}, proof));
        }
    }
}

TEST(MerkleProof, NoKeyThatIsPresentCanBeShownAbsent) {
    MerkleMap map;
    for (int i = 0; i < 64; ++i)
        map.set(std::to_string(i), {1});
    const Digest root = map.root();
    // Every honest proof of every key, offered as a proof of absence for every key.
    for (int shown = 0; shown < 64; ++shown) {
        const MerkleProof proof = map.prove(std::to_string(shown));
        for (int denied = 0; denied < 64; ++denied) {
            EXPECT_FALSE(verify(root, std::to_string(denied), std::nullopt, proof));
        }
    }
}

TEST(MerkleProof, EveryChangedByteIsNoticed) {
    MerkleMap map;
    for (int i = 0; i < 30; ++i)
        map.set(std::to_string(i), {1, 2, 3});
    const Digest root = map.root();
    const Bytes value{1, 2, 3};
    const Bytes good = encode_bytes(map.prove("7"));
    ASSERT_TRUE(verify(root, "7", ByteView{value}, decode_exact<MerkleProof>(good).value()));
    for (std::size_t i = 0; i < good.size(); ++i) {
        Bytes bad = good;
        bad[i] ^= 1U;
        const auto proof = decode_exact<MerkleProof>(bad);
        if (proof) {
            EXPECT_FALSE(verify(root, "7", ByteView{value}, *proof)) << "byte " << i;
        }
        EXPECT_FALSE(decode_exact<MerkleProof>(ByteView{good}.first(i)).has_value());
    }
}

TEST(MerkleProof, OneStepOverTheLimitIsRefused) {
    Writer w;
    w.boolean(true);
    w.raw(Bytes(64, 1));
    w.uvarint(257);
    w.raw(Bytes(257 * 33, 0));
    EXPECT_EQ(decode_exact<MerkleProof>(w.view()).error(), DecodeError::over_limit);
}

}  // namespace
}  // namespace creto
