// Parked: vertices that are held but wait for parents.
//
// Why      Vertices arrive in any order; a hole in one lane must cost its own lane at most.
// Holds    A vertex is here while it waits for at least one parent. Bounded by the caller, who asks
//          for the one that is furthest ahead (furthest()) and removes it. A parent counts as
//          awaited whether it is parked itself or not held at all.
// Cost     O(log parked) for each parent waited for. Empty while nothing is lost on the way.
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
        std::size_t not_held = 0;          ///< How many of them are not parked here.
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
    [[nodiscard]] const std::map<LaneId, Load>& loads() const { return loads_; }
    /// The parked vertices that wait for a parent which is not parked itself: where the holes are.
    /// A lane that waits behind one hole has one of them, however long it is.
    [[nodiscard]] const std::set<VertexRef>& fronts() const { return fronts_; }

private:
    VertexPtr take(Entries::iterator at);
    /// The vertex if it waited for nothing else; takes it out then.
    VertexPtr excuse_one(const VertexRef& waiter, const VertexRef& parent);
    /// Whoever waits for this vertex waits from now on for one that is parked, or is not.
    void set_held(const VertexRef& vertex, bool held);
    /// The entry waits for `parent` no longer.
    void stop_waiting(Entries::iterator at, const VertexRef& parent);

    Entries entries_;
    std::map<VertexRef, std::set<VertexRef>> waiters_;  ///< By the parent waited for.
    std::set<VertexRef> fronts_;                        ///< Entries with not_held > 0.
    std::map<LaneId, Load> loads_;
    std::size_t bytes_ = 0;
};

}  // namespace creto
