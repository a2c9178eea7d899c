// MerkleMap: a map from keys to values whose content has one digest, with proofs.
//
// Why      Nodes compare one root a block; whoever holds a root can check any single value.
// Source   A PATRICIA tree over H(key); see merkle_proof.hpp for what is hashed.
// Holds    [STATE-ROOT.1] The root depends on the content only, not on how it came about.
// Cost     set and erase: two hashes and a walk of about log2(n) nodes. Inner hashes are computed
//          once by root(), for the nodes that changed since the last root().
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "state/merkle_proof.hpp"

namespace creto {

class MerkleMap {
public:
    void set(std::string_view key, Bytes value);
    /// False when there is no such key.
    bool erase(std::string_view key);
    /// Null when there is no such key. Valid until the next change.
    [[nodiscard]] const Bytes* find(std::string_view key) const;
    [[nodiscard]] std::size_t size() const { return leaves_.size() - free_leaves_.size(); }

    [[nodiscard]] Digest root();
    /// Of the presence or absence of the key. Requires: root() was called after the last change.
    [[nodiscard]] MerkleProof prove(std::string_view key) const;

    /// Calls visit(key, value) for every entry, by path: the same order at every node.
    template <class Visit>
    void visit(Visit&& visit) const {
        std::vector<std::uint32_t> open;
        if (root_ != none) open.push_back(root_);
        while (!open.empty()) {
            const std::uint32_t at = open.back();
            open.pop_back();
            if (is_leaf(at)) {
                const Leaf& found = leaf(at);
                visit(found.key, found.value);
            } else {
                open.push_back(node(at).child[1]);
                open.push_back(node(at).child[0]);
            }
        }
    }

private:
    struct Node {
        std::uint32_t child[2] = {none, none};
        std::uint8_t bit = 0;
        bool dirty = true;
        Digest hash;
    };
    struct Leaf {
        Digest path;
        Digest hash;
        bool dirty = true;
        std::string key;
        Bytes value;
    };
    /// The way from the root to the leaf where a search ends.
    struct Trail {
        std::vector<std::uint32_t> nodes;
        std::uint32_t leaf = none;
    };
    static constexpr std::uint32_t none = 0xFFFF'FFFF;
    static constexpr std::uint32_t leaf_flag = 0x8000'0000;

    [[nodiscard]] static bool is_leaf(std::uint32_t at) { return (at & leaf_flag) != 0; }
    [[nodiscard]] Node& node(std::uint32_t at) { return nodes_[at]; }
    [[nodiscard]] const Node& node(std::uint32_t at) const { return nodes_[at]; }
    [[nodiscard]] Leaf& leaf(std::uint32_t at) { return leaves_[at & ~leaf_flag]; }
    [[nodiscard]] const Leaf& leaf(std::uint32_t at) const { return leaves_[at & ~leaf_flag]; }
    [[nodiscard]] bool dirty(std::uint32_t at) const {
        return is_leaf(at) ? leaf(at).dirty : node(at).dirty;
    }
    [[nodiscard]] const Digest& hash_of(std::uint32_t at) const {
        return is_leaf(at) ? leaf(at).hash : node(at).hash;
    }

    void search(const Digest& path, Trail& trail) const;
    /// Puts `to` where `from`, the trail's place at `depth`, hung.
    void replace_at(const Trail& trail, std::size_t depth, const Digest& path, std::uint32_t to);
    void insert(const Digest& path, std::string_view key, Bytes value, const Trail& trail);
    [[nodiscard]] std::uint32_t new_leaf(const Digest& path, std::string_view key, Bytes value);
    [[nodiscard]] std::uint32_t new_node();
    void rehash(std::uint32_t at);

    std::vector<Node> nodes_;
    std::vector<Leaf> leaves_;
    std::vector<std::uint32_t> free_nodes_;
    std::vector<std::uint32_t> free_leaves_;
    std::uint32_t root_ = none;
    Trail trail_;                       ///< Reused, so that set() does not allocate for its walk.
    std::vector<std::uint32_t> stack_;  ///< Reused by root().
};

}  // namespace creto
