#include "dag/topological.hpp"

#include <algorithm>
#include <iterator>

#include "base/assert.hpp"
#include "dag/lane.hpp"

namespace creto {

void VertexRuns::append(std::vector<VertexPtr> run) {
    if (run.empty()) return;
    const VertexHeader& first = run.front()->header();
    CRETO_ASSERT(runs.empty() || runs.back().lane < first.lane);
    runs.push_back(
        {first.lane,
         first.sequence,
         static_cast<std::uint32_t>(vertices.size()),
         static_cast<std::uint32_t>(run.size())}
    );
    vertices.insert(
        vertices.end(), std::make_move_iterator(run.begin()), std::make_move_iterator(run.end())
    );
}

std::uint32_t VertexRuns::index_of(const VertexRef& parent) const {
    // Seats are usually numbered without gaps, so the run of a lane is near the seat's number.
    auto run = runs.begin();
    const std::size_t guess = parent.lane.seat.value();
    if (guess < runs.size() && runs[guess].lane == parent.lane) {
        run += static_cast<std::ptrdiff_t>(guess);
    } else {
        run = std::lower_bound(
            runs.begin(),
            runs.end(),
            parent.lane,
            [](const Run& r, const LaneId& lane) { return r.lane < lane; }
        );
        if (run == runs.end() || run->lane != parent.lane) return npos;
    }
    const std::uint64_t offset = parent.sequence.value() - run->first.value();
    if (offset >= run->count) return npos;
    const std::uint32_t index = run->begin + static_cast<std::uint32_t>(offset);
    return vertices[index]->id() == parent.id ? index : npos;
}

std::vector<VertexPtr> topological_order(const VertexRuns& set, const std::vector<Digest>& keys) {
    const std::size_t n = set.vertices.size();
    CRETO_ASSERT(keys.size() == n);
    // Edges as one flat list: for each vertex its parents in the set, counted by child and by
    // parent, then turned around by a counting sort.
    struct Edge {
        std::uint32_t parent;
        std::uint32_t child;
    };
    std::vector<Edge> edges;
    edges.reserve(n * 3);
    std::vector<std::uint32_t> waits(n);
    std::vector<std::uint32_t> begin(n + 1);
    for (const VertexRuns::Run& run : set.runs) {
        for (std::uint32_t i = run.begin; i < run.begin + run.count; ++i) {
            const auto link = [&](std::uint32_t parent) {
                edges.push_back({parent, i});
                ++waits[i];
                ++begin[parent + 1];
            };
            if (i > run.begin) link(i - 1);
            for (const VertexRef& parent : foreign_parents(set.vertices[i]->header())) {
                const std::uint32_t index = set.index_of(parent);
                if (index != VertexRuns::npos) link(index);
            }
        }
    }
    for (std::size_t i = 0; i < n; ++i)
        begin[i + 1] += begin[i];
    std::vector<std::uint32_t> children(edges.size());
    std::vector<std::uint32_t> next(begin.begin(), begin.end() - 1);
    for (const Edge& edge : edges)
        children[next[edge.parent]++] = edge.child;

    const auto later = [&keys](std::uint32_t a, std::uint32_t b) { return keys[b] < keys[a]; };
    std::vector<std::uint32_t> ready;  // A heap, the smallest key on top.
    for (std::uint32_t i = 0; i < n; ++i) {
        if (waits[i] == 0) ready.push_back(i);
    }
    std::make_heap(ready.begin(), ready.end(), later);
    std::vector<VertexPtr> sorted;
    sorted.reserve(n);
    while (!ready.empty()) {
        std::pop_heap(ready.begin(), ready.end(), later);
        const std::uint32_t i = ready.back();
        ready.pop_back();
        sorted.push_back(set.vertices[i]);
        for (std::uint32_t edge = begin[i]; edge < begin[i + 1]; ++edge) {
            if (--waits[children[edge]] > 0) continue;
            ready.push_back(children[edge]);
            std::push_heap(ready.begin(), ready.end(), later);
        }
    }
    CRETO_ASSERT(sorted.size() == n);  // Parents are named by hash, so there is no cycle.
    return sorted;
}

}  // namespace creto
