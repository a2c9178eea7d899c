// Topological order of a set of vertices, by Kahn's algorithm with a total order of the ready ones.
//
// Why      The final order and the overlay must come out the same on every node.
// Source   ORDER rule L7: the key of a ready vertex favours no lane.
// Holds    Each vertex comes after those of its parents that are in the set; among the ready ones
//          the smallest key comes first. A parent that names another vertex than the set has at
//          that place is no edge. The result depends on the set and the keys only.
// Cost     Linear in vertices and edges, times log(ready).
#pragma once

#include <vector>

#include "crypto/digest.hpp"
#include "model/vertex.hpp"

namespace creto {

/// The vertices to sort: for each lane one run without gaps, by lane and sequence.
struct VertexRuns {
    struct Run {
        LaneId lane;
        Sequence first;
        std::uint32_t begin = 0;  ///< Index of the run's first vertex.
        std::uint32_t count = 0;
    };

    std::vector<Run> runs;
    std::vector<VertexPtr> vertices;

    /// Requires: lanes ascend; the run is a chain.
    void append(std::vector<VertexPtr> run);
    /// The index of the vertex that a parent reference names; npos if it is not in the set.
    [[nodiscard]] std::uint32_t index_of(const VertexRef& parent) const;
    static constexpr std::uint32_t npos = ~std::uint32_t{0};
};

/// `keys[i]` belongs to `set.vertices[i]`; keys are distinct.
[[nodiscard]] std::vector<VertexPtr> topological_order(
    const VertexRuns& set, const std::vector<Digest>& keys
);

}  // namespace creto
