// MerkleProof: shows that a key has a value under a state root, or that it has none.
//
// Source   Compressed binary trees (Morrison 1968, PATRICIA) with hashed keys; a key's search ends
//          at exactly one leaf, so that leaf alone answers for presence and for absence.
// Holds    path = H(key). Each inner node commits to the bit it branches on and to both sides:
//          node = H(bit, left, right), leaf = H(path, H(value)). A proof has one byte form.
//          Absence: the leaf where the search for the key ends belongs to another key.
// Cost     One hash for each step: about log2(n) of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "codec/reader.hpp"
#include "codec/writer.hpp"
#include "crypto/digest.hpp"

namespace creto {

/// Where a key is in the tree.
[[nodiscard]] Digest merkle_path(std::string_view key);
[[nodiscard]] Digest merkle_value(ByteView value);
[[nodiscard]] Digest merkle_leaf(const Digest& path, const Digest& value);
[[nodiscard]] Digest merkle_node(std::uint8_t bit, const Digest& left, const Digest& right);
/// The root of the map that holds nothing.
[[nodiscard]] Digest merkle_empty();

/// Bit 0 is the most significant of the first byte.
[[nodiscard]] inline bool merkle_bit(const Digest& path, std::uint8_t bit) {
    return (path.bytes()[bit / 8U] >> (7U - bit % 8U) & 1U) != 0;
}

struct MerkleProof {
    struct Step {
        std::uint8_t bit = 0;
        Digest sibling;
        friend bool operator==(const Step&, const Step&) = default;
    };
    struct Leaf {
        Digest path;
        Digest value;
        friend bool operator==(const Leaf&, const Leaf&) = default;
    };

    std::optional<Leaf> leaf;  ///< Where the search ends; none in an empty map.
    std::vector<Step> steps;   ///< From the root down; bits strictly increase.

    friend bool operator==(const MerkleProof&, const MerkleProof&) = default;
};

/// True when the proof shows that under `root` the key has this value, or, without a value, none.
[[nodiscard]] bool verify(
    const Digest& root,
    std::string_view key,
    const std::optional<ByteView>& value,
    const MerkleProof& proof
);

void encode(Writer& w, const MerkleProof& v);
void decode(Reader& r, MerkleProof& v);

}  // namespace creto
