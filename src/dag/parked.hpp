// Parked: vertices that are held but wait for parents.
//
// Why      Vertices arrive in any order; a hole in one lane must cost its own lane at most.
// Holds    A vertex is here while it waits for at least one parent. Bounded by the caller, who asks
//          for the one that is furthest ahead (furthest()) and removes it. A parent counts as
//          awaited whether it is parked itself or not held at all.
// Cost     O(log parked) for each parent waited for, and for each lane that waits for a vertex which
//          comes or goes. Empty while nothing is lost on the way.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "model/vertex.hpp"

namespace creto {

class Parked {
public:
    struct Load {
        std::size_t vertices = 0;
        std::size_t bytes = 0;
    };
    struct Entry {
        VertexPtr vertex;
        std::vector<VertexRef> waits_for;  ///< In the order of the vertex's parents; not empty.
    };
    using Entries = std::map<VertexRef, Entry>;

    /// Requires: not parked already; waits_for is not empty.
    void park(const VertexPtr& vertex, std::vector<VertexRef> waits_for);
    /// The parent is there now. Returns the vertices that waited for nothing else, by lane.
    std::vector<VertexPtr> arrived(const VertexRef& parent);
    /// Parents on `lane` from `first` to `last` for which `decided` holds count as present for
    /// vertices of other lanes. Returns the vertices that waited for nothing else.
    std::vector<VertexPtr> excuse(
        const LaneId& lane,
        Sequence first,
        Sequence last,
        const std::function<bool(const VertexRef&)>& decided
    );
    /// Every parent of other lanes counts as present for this vertex. Returns it if it waited for
    /// nothing else.
    VertexPtr excuse_foreign(const VertexRef& vertex);
    /// Takes a vertex out, whatever it waits for. Requires: it is parked.
    VertexPtr remove(const VertexRef& vertex);

    [[nodiscard]] bool empty() const { return entries_.empty(); }
    [[nodiscard]] std::size_t size() const { return entries_.size(); }
    [[nodiscard]] VertexPtr find(const VertexRef& vertex) const;
    /// The parked vertices at one place of a lane.
    [[nodiscard]] std::vector<VertexPtr> at(const LaneId& lane, Sequence sequence) const;
    /// The parked vertices of a lane from a sequence on, ascending.
    [[nodiscard]] std::vector<VertexRef> of(const LaneId& lane, Sequence from = Sequence{}) const;
    /// The vertices of `lane` itself that wait for this predecessor.
    [[nodiscard]] std::vector<VertexRef> successors(const VertexRef& predecessor) const;
    [[nodiscard]] Load load(const LaneId& lane) const;
    [[nodiscard]] std::size_t bytes() const { return bytes_; }
    /// The lane with the most bytes. Requires: not empty.
    [[nodiscard]] LaneId greediest() const;
    /// The parked vertex of the lane with the greatest sequence for which `spare` holds.
    [[nodiscard]] std::optional<VertexRef> furthest(
        const LaneId& lane, const std::function<bool(const VertexRef&)>& spare
    ) const;
    [[nodiscard]] const Entries& entries() const { return entries_; }
    /// What is waited for and not parked itself, each with the lowest vertex of the lane that waits for
    /// it, and in that order.
    using Holes = std::set<std::pair<Sequence, VertexRef>>;
    /// By the lane that waits. As many as there are holes, however much waits above each.
    [[nodiscard]] const std::map<LaneId, Holes>& holes() const { return holes_; }

private:
    VertexPtr take(Entries::iterator at);
    /// The vertex if it waited for nothing else; takes it out then.
    VertexPtr excuse_one(const VertexRef& waiter, const VertexRef& parent);
    struct Awaited {
        std::set<VertexRef> waiters;
        std::map<LaneId, Sequence> lowest;  ///< In holes_, by lane; empty while it is parked.
    };
    using Waiters = std::map<VertexRef, Awaited>;

    void start_waiting(const VertexRef& waiter, const VertexRef& parent);
    /// The vertex waits for this parent no longer. What nobody waits for is forgotten.
    void stop_waiting(const VertexRef& waiter, Waiters::iterator parent);
    /// It is a hole from now on, or it is none any more.
    void list_hole(const VertexRef& parent, Awaited& awaited);
    void unlist_hole(const VertexRef& parent, Awaited& awaited);
    void list(const VertexRef& parent, Awaited& awaited, const LaneId& lane);
    void unlist(const VertexRef& parent, Awaited& awaited, const LaneId& lane);

    Entries entries_;
    Waiters waiters_;  ///< By the parent waited for.
    std::map<LaneId, Holes> holes_;
    std::map<LaneId, Load> loads_;
    std::size_t bytes_ = 0;
};

}  // namespace creto
