// LaneBook: which lane each seat writes, and which lives of its node opened those after the first.
//
// Why      A node that lost its disk, or runs from an old copy of it, no longer knows what it wrote: a
//          second vertex at one place would be proof against it. So it leaves its lane and begins the
//          next one, by the final order, and only the life of the node that asked may write that.
// Source   docs/decisions/0029-lane-resets.md; ORDER decision 5; sui#18009.
// Holds    [LANE-RESET.1] The lanes of a seat are opened one after the other, each at the height whose
//          execution opened it; the one before is closed at the same height. A seat has at most
//          limits::lane_resets_max after its first.
// Errors   The reason why an operation is void.
// Leaves   lane/N of seats that have more than one.
// Cost     O(log seats).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/genesis.hpp"
#include "model/operation.hpp"
#include "state/merkle_map.hpp"

namespace creto {

class LaneBook {
public:
    struct Opened {
        Height at;  ///< Whose execution opened it: blocks with this mark, or a later one, cover it.
        Digest life;  ///< Who may write it.
        friend bool operator==(const Opened&, const Opened&) = default;
    };
    using Resets = std::map<Seat, std::vector<Opened>>;  ///< Incarnation k at place k - 1.

    /// The lane that a seat writes now.
    [[nodiscard]] LaneId of(Seat seat) const;
    /// Whose lane it is; none for a first lane, which its key's holder writes.
    [[nodiscard]] const Digest* life(const LaneId& lane) const;
    /// Seats that have more than their first lane.
    [[nodiscard]] const Resets& resets() const { return resets_; }

    /// Opens the seat's next lane. The lane that ends with it, and must be closed.
    [[nodiscard]] tl::expected<LaneId, std::string> reset(
        Seat seat, const LaneResetOperation& wanted, Height height, MerkleMap& map
    );
    /// Reads the leaves back. Errors: corrupt.
    [[nodiscard]] Result<void> restore(const MerkleMap& map);

private:
    Resets resets_;
};

}  // namespace creto
