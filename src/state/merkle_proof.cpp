#include "state/merkle_proof.hpp"

#include "state/state_limits.hpp"

namespace creto {

Digest merkle_path(std::string_view key) {
    return hash(HashDomain::state_key, as_bytes(key));
}

Digest merkle_value(ByteView value) {
    return hash(HashDomain::state_value, value);
}

Digest merkle_leaf(const Digest& path, const Digest& value) {
    return Hasher{HashDomain::state_leaf}.update(path).update(value).finish();
}

Digest merkle_node(std::uint8_t bit, const Digest& left, const Digest& right) {
    return Hasher{HashDomain::state_node}.update({&bit, 1}).update(left).update(right).finish();
}

Digest merkle_empty() {
    return hash(HashDomain::state_node, {});
}

namespace {

/// The root that the proof leads to.
Digest fold(const MerkleProof& proof) {
    if (!proof.leaf) return merkle_empty();
    Digest digest = merkle_leaf(proof.leaf->path, proof.leaf->value);
    for (auto step = proof.steps.rbegin(); step != proof.steps.rend(); ++step) {
        digest = merkle_bit(proof.leaf->path, step->bit)
                     ? merkle_node(step->bit, step->sibling, digest)
                     : merkle_node(step->bit, digest, step->sibling);
    }
    return digest;
}

bool well_formed(const MerkleProof& proof) {
    if (!proof.leaf && !proof.steps.empty()) return false;
    for (std::size_t i = 1; i < proof.steps.size(); ++i) {
        if (proof.steps[i - 1].bit >= proof.steps[i].bit) return false;
    }
    return true;
}

}  // namespace

bool verify(
    const Digest& root,
    std::string_view key,
    const std::optional<ByteView>& value,
    const MerkleProof& proof
) {
    if (!well_formed(proof) || fold(proof) != root) return false;
    if (!proof.leaf) return !value;
    const Digest path = merkle_path(key);
    if (value) return proof.leaf->path == path && proof.leaf->value == merkle_value(*value);
    if (proof.leaf->path == path) return false;
    // The nodes on the way commit to the bits they branch on, so a search for the key goes this
    // way too, and ends at a leaf that is not the key's.
    for (const MerkleProof::Step& step : proof.steps) {
        if (merkle_bit(path, step.bit) != merkle_bit(proof.leaf->path, step.bit)) return false;
    }
    return true;
}

void encode(Writer& w, const MerkleProof& v) {
    w.boolean(v.leaf.has_value());
    if (!v.leaf) return;
    w.raw(v.leaf->path.view());
    w.raw(v.leaf->value.view());
    w.uvarint(v.steps.size());
    for (const MerkleProof::Step& step : v.steps) {
        w.u8(step.bit);
        w.raw(step.sibling.view());
    }
}

namespace {
Digest read_digest(Reader& r) {
    std::array<std::uint8_t, Digest::size> out{};
    const ByteView in = r.raw(out.size());
    std::copy(in.begin(), in.end(), out.begin());
    return Digest{out};
}
}  // namespace

void decode(Reader& r, MerkleProof& v) {
    v = {};
    if (!r.boolean()) return;
    v.leaf.emplace();
    v.leaf->path = read_digest(r);
    v.leaf->value = read_digest(r);
    v.steps.resize(r.count(limits::merkle_steps_max, 1 + Digest::size));
    for (MerkleProof::Step& step : v.steps) {
        step.bit = r.u8();
        step.sibling = read_digest(r);
    }
    if (r.ok() && !well_formed(v)) r.fail(DecodeError::bad_value);
}

}  // namespace creto
