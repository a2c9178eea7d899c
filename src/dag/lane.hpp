// Lane: the complete vertices of one lane: the branch that we prefer, and what else was signed.
//
// Why      Forks are rare and never stop anybody: the preferred branch is a flat deque, other
//          branches live in a small map beside it until the cut decides (rule L6).
// Holds    main_ is a hash chain without gaps from the boundary (what was pruned) to the tip.
//          Everything on another branch is in side_, at or above the fork point. boundary <= final;
//          once a cut has named a branch, main_ is that branch.
// Cost     Look-up by sequence: one index. side_ is empty in every lane of an honest seat.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "model/block.hpp"
#include "model/vertex.hpp"

namespace creto {

/// A complete vertex, with what look-ups need beside it.
struct LaneSlot {
    VertexPtr vertex;
    VertexId id;
    std::uint64_t depth = 0;
};

class Lane {
public:
    explicit Lane(LaneId id) : id_{id} {}

    [[nodiscard]] const LaneId& id() const { return id_; }
    /// The last pruned vertex; sequence 0 when nothing was.
    [[nodiscard]] const LaneTip& boundary() const { return boundary_; }
    [[nodiscard]] const LaneTip& final_tip() const { return final_; }
    /// The highest complete vertex of the preferred branch; sequence 0 when there is none.
    [[nodiscard]] LaneTip tip() const {
        if (main_.empty()) return boundary_;
        return {boundary_.sequence.plus(main_.size()), main_.back().id};
    }
    [[nodiscard]] std::size_t size() const { return main_.size() + side_.size(); }

    /// The vertex of the preferred branch; nullptr when it is pruned or not complete.
    [[nodiscard]] const LaneSlot* slot(Sequence sequence) const {
        // One comparison for both ends: at or below the boundary the difference wraps around.
        const std::uint64_t offset = sequence.value() - boundary_.sequence.value() - 1;
        return offset < main_.size() ? &main_[offset] : nullptr;
    }
    /// The depth of the boundary vertex; 0 when it is not known.
    [[nodiscard]] std::uint64_t boundary_depth() const { return boundary_depth_; }
    void set_boundary_depth(std::uint64_t depth) { boundary_depth_ = depth; }
    /// The depth of a complete vertex or of the boundary; none when it is not known.
    [[nodiscard]] std::optional<std::uint64_t> depth_of(const LaneTip& tip) const;
    /// True for the boundary and for complete vertices of the preferred branch.
    [[nodiscard]] bool on_main(const LaneTip& tip) const {
        if (tip.sequence == boundary_.sequence) return tip.id == boundary_.id;
        const LaneSlot* held = slot(tip.sequence);
        return held != nullptr && held->id == tip.id;
    }
    /// A complete vertex of any branch.
    [[nodiscard]] VertexPtr find(Sequence sequence, const VertexId& id) const;
    /// The complete vertices at this place: one, or more in a fork.
    [[nodiscard]] std::vector<VertexPtr> at(Sequence sequence) const;
    /// True when the own predecessor of a vertex with this header is complete or the boundary.
    [[nodiscard]] bool continues(const VertexHeader& header) const;

    /// Adds a complete vertex: at the tip of the preferred branch when it continues it, else beside
    /// it. Requires: continues(header).
    void add(const VertexPtr& vertex, const VertexId& id);

    /// The longest chain of complete vertices above `from`, which need not be on the preferred
    /// branch; of equally long ones the preferred branch, then the one with the smallest tip.
    [[nodiscard]] std::vector<VertexPtr> longest_from(const LaneTip& from) const;
    [[nodiscard]] bool has_side() const { return !side_.empty(); }
    /// Complete vertices beside the preferred branch, above `from` and up to `last`.
    [[nodiscard]] std::vector<VertexPtr> beside(Sequence from, Sequence last) const;

    /// Makes `tip` final. Returns what the decision leaves without a future: complete vertices of
    /// other branches. Requires: tip is complete, or on its way: `chain` holds the ids of the
    /// branch above final_tip(), ascending, when it is not the preferred one.
    std::vector<VertexPtr> decide(const LaneTip& tip, const std::vector<VertexId>& chain);
    /// Forgets everything at or below `tip`, which is final, held or not. Returns what was dropped.
    std::vector<VertexPtr> jump(const LaneTip& tip);
    /// Drops the bodies at or below `sequence`. Requires: sequence <= final.
    std::vector<VertexPtr> prune(Sequence sequence);

    // --- what is known of forks ---

    /// The lowest place with a proof: two signed headers.
    [[nodiscard]] std::optional<Sequence> fork_point() const { return fork_point_; }
    /// Returns true when the fork point is lower than before.
    bool note_fork(Sequence sequence);
    /// From here on several branches were signed, as far as we know: proven, or seen as a child of
    /// a vertex that is not the final one, which two headers need not prove.
    [[nodiscard]] bool split_at(Sequence sequence) const { return split_ && *split_ <= sequence; }
    /// Returns true when the split is lower than before.
    bool note_split(Sequence sequence);
    /// True once for each place: a proof about it has not been handed out yet.
    bool first_proof(Sequence sequence) { return proven_.insert(sequence).second; }
    /// The depth of the vertex here does not follow from its parents.
    void note_wrong_depth(Sequence sequence);
    /// The first vertex that honest leaders cover only when others need it.
    [[nodiscard]] std::optional<Sequence> doubtful_from() const;

    /// Bytes held above the final cut, in all branches, parked too.
    std::size_t backlog_bytes = 0;
    /// For a forked lane: by the lane that names it, the latest parent that is not held here.
    /// Leaders may have to cover up to it.
    std::map<LaneId, VertexRef> demanded;

private:
    using Place = std::pair<Sequence, VertexId>;

    void extend_from_side();
    void drop_dead_side(std::vector<VertexPtr>& dropped);

    LaneId id_;
    LaneTip boundary_;
    std::uint64_t boundary_depth_ = 0;
    LaneTip final_;
    std::deque<LaneSlot> main_;
    std::map<Place, VertexPtr> side_;
    std::optional<Sequence> fork_point_;
    std::optional<Sequence> split_;  ///< At most fork_point_.
    std::optional<Sequence> wrong_depth_;
    std::set<Sequence> proven_;
};

/// The lane's own predecessor that a header names; sequence 0 for the first vertex.
[[nodiscard]] inline LaneTip predecessor(const VertexHeader& header) {
    if (header.sequence == Sequence{1}) return {};
    return {header.parents[0].sequence, header.parents[0].id};
}
/// The parents of other lanes.
[[nodiscard]] inline std::span<const VertexRef> foreign_parents(const VertexHeader& header) {
    const std::span<const VertexRef> all{header.parents};
    return header.sequence == Sequence{1} ? all : all.subspan(1);
}

}  // namespace creto
