// Dag: the vertices of all lanes that we hold, what is missing, and what a cut covers.
//
// Why      Data spreads and is stored as vertices; consensus names how far each lane has come.
//          Both readings of the graph start here: the final one from check_delta(), order() and
//          finalize(), the causal one from overlay().
// Source   ORDER rules L2, L3, L5, L6, L7, L9 and L10 in docs/spec/ordering.md.
// Holds    A vertex is complete when its own predecessor is complete and each foreign parent is
//          complete or counts as present: at or below the pruned cut; on another branch than the
//          finalised one; at or above the fork point of a lane that is known to be forked; or
//          above the end of a closed lane. What a block may cover (check_delta) depends on the
//          parent's cut, the covered vertices and the closed lanes, never on what else is known
//          here; local knowledge of forks changes only what build_delta() offers.
// Units    Bytes are canonical bytes of vertices.
// Errors   Peers' vertices are answered with a Result; nothing here throws.
// Cost     find() and add() are O(parents) plus one probe of a flat table; order() and overlay()
//          are linear in vertices and edges, times log(ready). No recursion.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "dag/lanes.hpp"
#include "dag/parked.hpp"
#include "dag/vertex_index.hpp"
#include "model/block.hpp"
#include "model/checks.hpp"
#include "model/evidence.hpp"
#include "model/vertex.hpp"

namespace creto {

struct DagOptions {
    std::uint64_t lane_window_vertices = limits::lane_window_vertices;
    std::size_t lane_window_bytes = limits::lane_window_bytes;
    /// Bytes above the final cut in all lanes; over it, lanes above their equal share are refused.
    std::size_t backlog_bytes_max = 256ULL * 1024 * 1024;
    std::size_t parked_per_lane_max = limits::parked_vertices_per_lane_max;
    std::size_t parked_bytes_max = 64ULL * 1024 * 1024;
    /// Spreads ids in the index; any value gives the same behaviour.
    std::uint64_t index_salt = 0;
};

/// Lanes that the final state has closed, each with the last sequence that may still be covered.
using ClosedLanes = std::map<LaneId, Sequence>;

class Dag {
public:
    enum class Added : std::uint8_t {
        complete,
        parked,     ///< Held; waits for parents, which missing() names.
        duplicate,  ///< Held already.
        stale,      ///< Not kept: at or below the final cut, or on a branch that the cut decided
                    ///< against.
    };
    struct Outcome {
        Added added = Added::stale;
        /// Vertices that became complete now, parents first; with the vertex itself if it did.
        std::vector<VertexPtr> completed;
        /// A fork that this vertex proves, once per lane and sequence. The header with the smaller
        /// id comes first.
        std::optional<LaneFork> fork;
        /// The lane's fork point is lower than before: the overlay lost vertices.
        bool overlay_shrunk = false;
    };
    struct DeltaCheck {
        enum class Verdict : std::uint8_t { valid, missing, invalid };
        Verdict verdict = Verdict::valid;
        std::vector<LaneRange> missing;  ///< What to fetch; hand it to want() too.
        std::string why;
    };
    /// What a new vertex of a lane should name as its parents.
    struct Parents {
        std::vector<VertexRef> refs;  ///< Own predecessor first, then foreign tips in lane order.
        std::uint64_t depth = 1;
    };

    explicit Dag(const Roster& roster, DagOptions options = {});

    // --- holding vertices ---

    /// There are more seats: their lanes are accepted from now on.
    void add_seats(const Roster& roster) {
        ++changes_;
        lanes_.add(roster.known());
    }
    /// The final state has opened a seat's next lane. O(vertices held) the first time.
    void open(const LaneId& lane) {
        ++changes_;
        if (const auto place = lanes_.insert(lane)) index_.move_lanes_up(*place);
    }

    /// invalid: unknown lane, or a depth beyond depth_max. limit: too far above the final cut, or
    /// too much held of this lane; it may be offered again later. A depth that does not follow
    /// from the parents is not an error: whoever lacks a parent cannot see it, so it must not
    /// decide what may be covered; build_delta() and next_parents() avoid such vertices.
    [[nodiscard]] Result<Outcome> add(const Checked<VertexPtr>& vertex);

    /// Names ranges that a proposal covers: these are accepted beyond a lane's share, stay although
    /// they wait, and are fetched by missing(). The two latest ranges of a lane count.
    void want(const std::vector<LaneRange>& ranges);

    /// A fork of the lane is known from a proof that came as evidence. Returns what became
    /// complete. Requires: the proof was verified.
    std::vector<VertexPtr> mark_forked(const LaneId& lane, Sequence sequence);

    // --- looking ---

    /// The highest complete vertex of the branch that we prefer; none for an empty lane.
    [[nodiscard]] std::optional<LaneTip> tip(const LaneId& lane) const;
    /// The tips of all lanes that have started, by lane.
    [[nodiscard]] std::vector<VertexRef> tips() const;
    /// Any vertex that is held, complete or parked.
    [[nodiscard]] VertexPtr find(const VertexId& id) const;
    /// The complete vertex of the preferred branch.
    [[nodiscard]] VertexPtr at(const LaneId& lane, Sequence sequence) const;
    [[nodiscard]] bool complete(const VertexId& id) const;
    /// The branch that ends in range.tip, ascending, if all of it is held; else not_found. A tip of
    /// zero means the preferred branch, as far as it is held.
    [[nodiscard]] Result<std::vector<VertexPtr>> range(const LaneRange& range) const;
    /// What to fetch: ranges that end in parents that parked vertices wait for, and wanted ranges.
    /// Fair over the lanes that wait; by lane and sequence. The answer to the last question is
    /// kept until the graph changes: whoever asks at every event pays once. Else O(holes) and
    /// linear in the wanted ranges, whatever waits above a hole.
    [[nodiscard]] const std::vector<LaneRange>& missing(std::size_t max) const;
    /// The lowest sequence at which the lane is known to have two vertices.
    [[nodiscard]] std::optional<Sequence> fork_point(const LaneId& lane) const;
    /// The last vertex of a lane that the causal reading counts: below its fork point, and not above
    /// the end of a closed lane, which not every node has seen and none will ever see final.
    [[nodiscard]] Sequence causal_end(const LaneId& lane) const;
    /// Parents for the next vertex of a lane: tips of other lanes that its tip has not seen, taken
    /// in turn; never of forked lanes, nor, while a fork is open, of what could not be covered now:
    /// so that whoever learns of a fork in time can bring the proof. None when the depth of the
    /// own tip is not known (adopt()).
    [[nodiscard]] std::optional<Parents> next_parents(const LaneId& own) const;

    // --- cuts ---

    /// Whether a block on `parent` may cover `delta` (L2, L3, L5). Every node that holds the
    /// covered vertices gives the same answer.
    [[nodiscard]] DeltaCheck check_delta(
        const Cut& parent, const std::vector<LaneRange>& delta, const ClosedLanes& closed = {}
    ) const;
    /// A leader's choice: complete vertices above the parent's cut, closed under parents, in turns
    /// over lanes. Vertices of forked lanes at or above the fork point only as far as other covered
    /// vertices reference them. Passes check_delta().
    [[nodiscard]] std::vector<LaneRange> build_delta(
        const Cut& parent,
        std::size_t vertices_max = limits::block_vertices_max,
        std::size_t bytes_max = limits::block_bytes_max,
        const ClosedLanes& closed = {}
    ) const;
    /// True exactly when build_delta() with the block limits would cover something.
    [[nodiscard]] bool has_unordered(const Cut& parent, const ClosedLanes& closed = {}) const;
    /// The total order of the covered vertices (L7). Requires: check_delta() is valid.
    [[nodiscard]] std::vector<VertexPtr> order(
        const Cut& parent,
        const std::vector<LaneRange>& delta,
        const BlockId& parent_block,
        View view
    ) const;
    /// The finalised cut moved: decides branches, moves the window, drops what it decided against.
    /// Returns what became complete, parents first. Requires: not below the previous cut, and the
    /// covered vertices are held.
    std::vector<VertexPtr> finalize(const Cut& cut);
    /// Starts from a finalised cut without holding what it covers (restart, checkpoint): as
    /// finalize() and prune() at once. `tips` are headers of the cut itself, where they are known:
    /// without its own tip a lane cannot be continued, as the next depth is unknown. Returns what
    /// became complete. Requires: not below the final cut.
    std::vector<VertexPtr> adopt(const Cut& cut, const std::vector<VertexHeader>& tips = {});
    /// The final state has closed lanes: parents above their end count as present from now on.
    /// Returns what became complete.
    std::vector<VertexPtr> close(const ClosedLanes& closed);
    [[nodiscard]] const Cut& final_cut() const { return final_cut_; }
    /// The causal reading: complete vertices above the final cut, parents first, ties by id, each
    /// lane up to its causal_end().
    [[nodiscard]] std::vector<VertexPtr> overlay() const;
    /// Drops the vertices of these lanes up to the end of each range, which stays as (sequence, id) of
    /// the boundary. Returns how many. Requires: the ends lie on the finalised chain.
    std::size_t prune(const std::vector<LaneRange>& ranges);

    // --- counters ---

    /// Complete vertices of the preferred branch above the final cut.
    [[nodiscard]] std::uint64_t unfinalized(const LaneId& lane) const;
    /// Bytes held of the lane above the final cut, all branches, parked too.
    [[nodiscard]] std::size_t unfinalized_bytes(const LaneId& lane) const;
    /// Bytes that the lane may grow by before a vertex of it is refused: within its window, and within
    /// its share of the backlog or what all lanes together leave free. Needs an open lane.
    [[nodiscard]] std::size_t room(const LaneId& lane) const;
    [[nodiscard]] std::size_t size() const { return index_.size(); }  ///< Complete and parked.
    [[nodiscard]] std::size_t bytes() const { return bytes_; }
    [[nodiscard]] std::size_t parked() const { return parked_.size(); }
    [[nodiscard]] std::uint64_t evicted() const { return evicted_; }  ///< Parked and given up.
    [[nodiscard]] std::uint64_t refused() const { return refused_; }  ///< Over a limit.
    /// How often missing() had no answer ready.
    [[nodiscard]] std::uint64_t looks() const { return looks_; }

    /// No vertex may claim a greater depth, so that depths never overflow.
    static constexpr std::uint64_t depth_max = 1ULL << 62U;
    /// Headers kept per place in a lane; the second proves the fork.
    static constexpr std::size_t headers_max = 2;
    /// ... and in a range that want() named, where one of them may be the one that was agreed.
    static constexpr std::size_t headers_wanted_max = 4;

private:
    /// The vertices of a range, found by following predecessors back from its tip.
    struct Branch {
        std::vector<VertexPtr> vertices;  ///< Ascending; those above `hole` when there is one.
        std::optional<VertexRef> hole;    ///< The highest that is not held.
        bool misnamed = false;            ///< An id belongs to another lane or sequence.
    };

    [[nodiscard]] Result<std::uint32_t> lanes_known(const VertexHeader& header) const;
    /// What else is held at the place of a vertex.
    [[nodiscard]] std::vector<VertexPtr> rivals(const Lane& lane, Sequence sequence) const;
    [[nodiscard]] Result<void> has_room(
        const Lane& lane, const SealedVertex& vertex, std::size_t rivals
    ) const;
    [[nodiscard]] bool wanted(const LaneId& lane, Sequence sequence) const;
    /// True when a foreign parent is complete or counts as present.
    [[nodiscard]] bool present(const VertexRef& parent) const;
    [[nodiscard]] std::vector<VertexRef> absent_parents(
        const Lane& lane, const VertexHeader& header
    ) const;

    void note_dead(Lane& lane, const SealedVertex& vertex, std::vector<VertexPtr>& ready);
    [[nodiscard]] bool park(const VertexPtr& vertex, std::vector<VertexRef> waits_for);
    /// Puts ready vertices into their lanes and appends to the list what this makes ready.
    void complete_all(std::vector<VertexPtr>& ready, std::size_t from = 0);
    void note_parents(Lane& lane, const SealedVertex& vertex);
    /// References to this lane from `first` on wait for nothing any more.
    void excuse_from(const Lane& lane, Sequence first, std::vector<VertexPtr>& ready);
    void insert(Lane& lane, std::uint32_t index, const VertexPtr& vertex);
    void forget(const std::vector<VertexPtr>& vertices);
    /// Takes the vertices of (old final, new final] out of the backlog.
    void settle_backlog(Lane& lane, Sequence last);
    /// Drops parked vertices that the cut decided against. `chain`: the ids that it decided for.
    void bury_parked(
        Lane& lane, const std::vector<VertexPtr>& dropped, const std::vector<VertexId>& chain
    );
    void excuse_split(const Lane& lane, std::vector<VertexPtr>& ready);
    void drop_old_wants();

    [[nodiscard]] bool know_lanes(const Cut& cut) const;
    [[nodiscard]] VertexPtr held(const VertexRef& ref) const;
    [[nodiscard]] std::vector<Sequence> reach() const;
    [[nodiscard]] Branch branch(const LaneRange& range) const;
    [[nodiscard]] LaneRange range_to_fetch(const VertexRef& wanted) const;
    [[nodiscard]] std::set<VertexRef> holes(std::size_t max) const;
    [[nodiscard]] std::vector<LaneRange> look_for_missing(std::size_t max) const;

    DagOptions options_;
    Lanes lanes_;
    VertexIndex index_;
    Parked parked_;
    Cut final_cut_;
    mutable Cut known_lanes_;  ///< All of its lanes are in lanes_.
    ClosedLanes closed_;
    std::map<LaneId, std::vector<LaneRange>> wants_;  ///< At most two a lane, the latest last.
    bool any_demanded_ = false;                       ///< Some lane may have `demanded` vertices.
    std::size_t bytes_ = 0;
    std::size_t backlog_bytes_ = 0;  ///< Sum over lanes.
    std::uint64_t evicted_ = 0;
    std::uint64_t refused_ = 0;
    std::uint64_t changes_ = 1;  ///< Goes up with whatever may change the answer of missing().

    struct Missing {
        std::uint64_t at_change = 0;
        std::size_t max = 0;
        std::vector<LaneRange> ranges;
    };
    mutable Missing missing_;  ///< The last answer of missing().
    mutable std::uint64_t looks_ = 0;
};

}  // namespace creto
