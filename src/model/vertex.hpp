// Vertex: one signed batch of operations in a seat's own lane, linked to what its author had seen.
//
// Why      Data spreads and is stored as vertices; consensus only names how far each lane has come.
// Source   Lanes and cuts after Autobahn (SOSP 2024); parents across lanes as in DAG-Rider's
//          graphs.
// Holds    id = BLAKE3 of the header; the header commits to the operations by their root.
//          parents[0] is the own predecessor (none at sequence 1), then at most 8 tips of other
//          lanes in lane order. depth = 1 + the greatest depth of a parent. A SealedVertex never
//          changes.
#pragma once

#include <memory>
#include <vector>

#include "model/operation.hpp"
#include "model/vertex_header.hpp"

namespace creto {

struct Vertex {
    SignedHeader top;
    std::vector<Operation> operations;

    friend bool operator==(const Vertex&, const Vertex&) = default;
};

/// A vertex with its id and its bytes, made once and shared by everything that holds it.
class SealedVertex {
public:
    /// Reads a vertex from its canonical bytes and checks its form (not its signature): root,
    /// counts, own predecessor, parents in order, operations well formed.
    [[nodiscard]] static Result<std::shared_ptr<const SealedVertex>> decode(ByteView bytes);
    /// Signs and seals a new vertex. The header's root, count and bytes are filled in here.
    [[nodiscard]] static std::shared_ptr<const SealedVertex> make(
        VertexHeader header,
        std::vector<Operation> operations,
        const ChainId& chain,
        const Signer& signer
    );

    [[nodiscard]] const VertexId& id() const { return id_; }
    [[nodiscard]] const VertexHeader& header() const { return vertex_.top.header; }
    [[nodiscard]] const SignedHeader& top() const { return vertex_.top; }
    [[nodiscard]] const std::vector<Operation>& operations() const { return vertex_.operations; }
    /// content_digest() of each operation.
    [[nodiscard]] const std::vector<Digest>& contents() const { return contents_; }
    [[nodiscard]] const Bytes& bytes() const { return bytes_; }
    [[nodiscard]] VertexRef ref() const { return {header().lane, header().sequence, id_}; }

    SealedVertex(Vertex vertex, std::vector<Digest> contents, VertexId id, Bytes bytes)
        : vertex_{std::move(vertex)},
          contents_{std::move(contents)},
          id_{id},
          bytes_{std::move(bytes)} {}

private:
    Vertex vertex_;
    std::vector<Digest> contents_;
    VertexId id_;
    Bytes bytes_;
};

using VertexPtr = std::shared_ptr<const SealedVertex>;

}  // namespace creto
