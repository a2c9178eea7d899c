// The header of a vertex: what is hashed and signed, and what a proof of a fork consists of.
//
// Why      Proofs stay small: two headers show a fork, whatever the vertices carried.
// Holds    id = BLAKE3 of the header's canonical bytes; the signature is over the id.
#pragma once

#include <vector>

#include "model/ids.hpp"
#include "model/limits.hpp"

namespace creto {

/// A vertex, named from outside.
struct VertexRef {
    LaneId lane;
    Sequence sequence;
    VertexId id;

    friend bool operator==(const VertexRef&, const VertexRef&) = default;
    friend auto operator<=>(const VertexRef&, const VertexRef&) = default;
};

struct VertexHeader {
    LaneId lane;
    Sequence sequence;
    std::vector<VertexRef> parents;
    std::uint64_t depth = 1;
    Digest operations_root;
    std::uint32_t operation_count = 0;
    std::uint32_t operation_bytes = 0;
    std::int64_t author_unix_ms = 0;  ///< Informational only; decides nothing.

    [[nodiscard]] VertexId id() const;
    friend bool operator==(const VertexHeader&, const VertexHeader&) = default;
};

/// A header with its author's signature: all that a proof of a fork needs.
struct SignedHeader {
    VertexHeader header;
    Signature signature;

    friend bool operator==(const SignedHeader&, const SignedHeader&) = default;
};

/// Bounds that hold for every header: sequence, own predecessor first, foreign parents in lane
/// order, depth 1 without parents.
[[nodiscard]] Result<void> well_formed(const VertexHeader& header);

[[nodiscard]] Bytes signing_bytes(const VertexHeader& header);

void encode(Writer& w, const VertexRef& v);
void decode(Reader& r, VertexRef& v);
void encode(Writer& w, const VertexHeader& v);
void decode(Reader& r, VertexHeader& v);
void encode(Writer& w, const SignedHeader& v);
void decode(Reader& r, SignedHeader& v);

}  // namespace creto
