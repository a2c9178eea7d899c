#include "state/merkle_map.hpp"

#include <bit>

#include "base/assert.hpp"

namespace creto {

namespace {

/// The first bit in which two different paths differ.
std::uint8_t first_difference(const Digest& a, const Digest& b) {
    for (std::uint32_t i = 0; i < Digest::size; ++i) {
        const auto difference = static_cast<std::uint8_t>(a.bytes()[i] ^ b.bytes()[i]);
        if (difference != 0) {
            return static_cast<std::uint8_t>(
                i * 8U + static_cast<std::uint32_t>(std::countl_zero(difference))
            );
        }
    }
    CRETO_ASSERT(false);
    return 0;
}

}  // namespace

void MerkleMap::search(const Digest& path, Trail& trail) const {
    trail.nodes.clear();
    std::uint32_t at = root_;
    while (!is_leaf(at)) {
        trail.nodes.push_back(at);
        const Node& here = node(at);
        at = here.child[merkle_bit(path, here.bit) ? 1 : 0];
    }
    trail.leaf = at;
}

const Bytes* MerkleMap::find(std::string_view key) const {
    if (root_ == none) return nullptr;
    const Digest path = merkle_path(key);
    std::uint32_t at = root_;
    while (!is_leaf(at)) {
        const Node& here = node(at);
        at = here.child[merkle_bit(path, here.bit) ? 1 : 0];
    }
    const Leaf& found = leaf(at);
    return found.path == path ? &found.value : nullptr;
}

void MerkleMap::set(std::string_view key, Bytes value) {
    const Digest path = merkle_path(key);
    if (root_ == none) {
        root_ = new_leaf(path, key, std::move(value));
        return;
    }
    search(path, trail_);
    Leaf& found = leaf(trail_.leaf);
    if (found.path != path) {
        insert(path, key, std::move(value), trail_);
        return;
    }
    if (found.value == value) return;
    found.value = std::move(value);
    found.dirty = true;
    for (const std::uint32_t at : trail_.nodes)
        node(at).dirty = true;
}

void MerkleMap::insert(const Digest& path, std::string_view key, Bytes value, const Trail& trail) {
    const std::uint8_t bit = first_difference(path, leaf(trail.leaf).path);
    std::size_t depth = 0;
    while (depth < trail.nodes.size() && node(trail.nodes[depth]).bit < bit) {
        node(trail.nodes[depth++]).dirty = true;
    }
    const std::uint32_t below = depth < trail.nodes.size() ? trail.nodes[depth] : trail.leaf;
    const std::uint32_t added = new_leaf(path, key, std::move(value));
    const std::uint32_t branch = new_node();
    const bool right = merkle_bit(path, bit);
    node(branch) = {
        .child = {right ? below : added, right ? added : below},
        .bit = bit,
        .dirty = true,
        .hash = {}};
    replace_at(trail, depth, path, branch);
}

void MerkleMap::replace_at(
    const Trail& trail, std::size_t depth, const Digest& path, std::uint32_t to
) {
    if (depth == 0) {
        root_ = to;
        return;
    }
    Node& parent = node(trail.nodes[depth - 1]);
    parent.child[merkle_bit(path, parent.bit) ? 1 : 0] = to;
}

bool MerkleMap::erase(std::string_view key) {
    if (root_ == none) return false;
    const Digest path = merkle_path(key);
    search(path, trail_);
    if (leaf(trail_.leaf).path != path) return false;
    if (trail_.nodes.empty()) {
        root_ = none;
    } else {
        for (const std::uint32_t at : trail_.nodes)
            node(at).dirty = true;
        const std::uint32_t parent = trail_.nodes.back();
        const std::uint32_t kept = node(parent).child[merkle_bit(path, node(parent).bit) ? 0 : 1];
        replace_at(trail_, trail_.nodes.size() - 1, path, kept);
        free_nodes_.push_back(parent);
    }
    leaf(trail_.leaf) = {};
    free_leaves_.push_back(trail_.leaf);
    return true;
}

std::uint32_t MerkleMap::new_leaf(const Digest& path, std::string_view key, Bytes value) {
    std::uint32_t at = static_cast<std::uint32_t>(leaves_.size()) | leaf_flag;
    if (free_leaves_.empty()) {
        CRETO_ASSERT(leaves_.size() < leaf_flag - 1);
        leaves_.emplace_back();
    } else {
        at = free_leaves_.back();
        free_leaves_.pop_back();
    }
    leaf(at) = {
        .path = path,
        .hash = {},
        .dirty = true,
        .key = std::string{key},
        .value = std::move(value)};
    return at;
}

std::uint32_t MerkleMap::new_node() {
    if (free_nodes_.empty()) {
        nodes_.emplace_back();
        return static_cast<std::uint32_t>(nodes_.size() - 1);
    }
    const std::uint32_t at = free_nodes_.back();
    free_nodes_.pop_back();
    return at;
}

void MerkleMap::rehash(std::uint32_t at) {
    if (is_leaf(at)) {
        Leaf& here = leaf(at);
        here.hash = merkle_leaf(here.path, merkle_value(here.value));
        here.dirty = false;
    } else {
        Node& here = node(at);
        here.hash = merkle_node(here.bit, hash_of(here.child[0]), hash_of(here.child[1]));
        here.dirty = false;
    }
}

Digest MerkleMap::root() {
    if (root_ == none) return merkle_empty();
    if (dirty(root_)) stack_.push_back(root_);
    // Children before their parent. A dirty child has a dirty parent, so nothing is missed.
    while (!stack_.empty()) {
        const std::uint32_t at = stack_.back();
        if (!is_leaf(at) && dirty(node(at).child[0])) {
            stack_.push_back(node(at).child[0]);
        } else if (!is_leaf(at) && dirty(node(at).child[1])) {
            stack_.push_back(node(at).child[1]);
        } else {
            rehash(at);
            stack_.pop_back();
        }
    }
    return hash_of(root_);
}

MerkleProof MerkleMap::prove(std::string_view key) const {
    MerkleProof proof;
    if (root_ == none) return proof;
    CRETO_ASSERT(!dirty(root_));
    const Digest path = merkle_path(key);
    Trail trail;
    search(path, trail);
    for (const std::uint32_t at : trail.nodes) {
        const Node& here = node(at);
        const std::size_t other = merkle_bit(path, here.bit) ? 0 : 1;
        proof.steps.push_back({here.bit, hash_of(here.child[other])});
    }
    const Leaf& end = leaf(trail.leaf);
    proof.leaf = {end.path, merkle_value(end.value)};
    return proof;
}

}  // namespace creto
