// CutBuilder: which vertices a leader covers next.
//
// Why      A block must be closed: whatever a covered vertex names as a parent is covered too. The
//          builder takes vertices in turns over lanes, each with everything that it needs.
// Source   ORDER rules L2, L5 and L6: what leaders know of forks changes only what they offer.
// Holds    What it returns passes Dag::check_delta() on every node. Lanes of doubt (forked, or with
//          a depth that does not follow) are raised only as far as others need them. Where to start
//          the turns depends on the parent's cut, so that limits hit every lane alike.
// Cost     Linear in covered vertices and their parents; a lane that does not fit costs its own
//          closure once.
#pragma once

#include <map>
#include <vector>

#include "dag/lanes.hpp"
#include "model/block.hpp"

namespace creto {

class CutBuilder {
public:
    struct Limits {
        std::size_t vertices_max = 0;
        std::size_t bytes_max = 0;
    };

    CutBuilder(
        const Lanes& lanes,
        const Cut& parent,
        const std::map<LaneId, Sequence>& closed,
        const Limits& limits
    );

    /// Call once. The ranges, by lane.
    [[nodiscard]] std::vector<LaneRange> build();
    /// Call once, instead of build(): whether it would cover anything.
    [[nodiscard]] bool any();

private:
    struct Cursor {
        const Lane* lane = nullptr;
        LaneTip start;                        ///< Of the parent's cut.
        Sequence at;                          ///< Covered up to here.
        std::optional<Sequence> end_of_lane;  ///< Of a closed lane.
        bool prepared = false;
        bool on_main = false;           ///< The preferred branch is followed.
        std::vector<VertexPtr> branch;  ///< Else this one, from start on.
    };

    void prepare(Cursor& cursor) const;
    [[nodiscard]] Sequence available(Cursor& cursor) const;
    [[nodiscard]] const SealedVertex& vertex(const Cursor& cursor, Sequence sequence) const;
    [[nodiscard]] bool may_advance(Cursor& cursor) const;
    [[nodiscard]] bool take_next(std::uint32_t index);
    [[nodiscard]] bool raise(std::uint32_t index, Sequence target);
    [[nodiscard]] std::uint32_t lane_of_turn(std::uint32_t turn) const;

    const Lanes& lanes_;
    Limits limits_;
    std::vector<Cursor> cursors_;
    std::uint32_t first_ = 0;  ///< The lane of the first turn.
    std::size_t vertices_ = 0;
    std::size_t bytes_ = 0;
    struct Need {
        std::uint32_t lane;
        Sequence sequence;
    };
    std::vector<Need> needs_;    ///< Work of take_next().
    std::vector<Need> journal_;  ///< Where cursors stood before it.
};

}  // namespace creto
