// CausalState: the causal reading: the final state's base with the vertices above the cut over it.
//
// Why      Available in a partition: writes are read back at once, and converge when nodes meet.
// Holds    [CRDT-CONVERGE.1] The reading depends on the set of vertices held, not on the order in
//          which they came, nor on how many of them are final. [CRDT-KIND.1] Kinds at one place never
//          meet; a reading shows each.
// Use      After FinalState::apply() call apply_final(). A lane known to be forked counts only
//          below its fork point: whoever knows calls set_overlay() with the vertices that count.
// Cost     add: O(log slots) for each causal write. read: what lies above the cut for the place; of
//          sets, lists and maps also what is before the range.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "model/causal_reading.hpp"
#include "state/final_state.hpp"
#include "state/slot.hpp"

namespace creto {

class CausalState {
public:
    /// `base` outlives this; it may be assigned anew (then call set_overlay()).
    explicit CausalState(const FinalState& base);

    /// A vertex above the cut. Not counted: known already, or at or below the cut.
    void add(const VertexPtr& vertex);
    /// Forgets the overlay and takes these vertices instead.
    void set_overlay(const std::vector<VertexPtr>& overlay);
    /// The base has executed these: they, and whatever else the cut has passed, leave the overlay.
    void apply_final(const std::vector<VertexPtr>& ordered);

    // --- reading (causal_read.cpp) ---

    [[nodiscard]] CausalReading read(const Place& place, const ReadRange& range = {}) const;
    [[nodiscard]] CausalReading read(const std::string& key) const { return read(Place{key, {}}); }
    /// Equal exactly for equal readings of all places, however much of them is final.
    [[nodiscard]] Digest summary();

    // --- writing (causal_write.cpp) ---

    /// Names what the writes of the lane's next vertex replace, and the lane's shares of counters.
    void prepare(std::vector<Operation>& operations, const LaneId& lane) const;
    /// Why the write should not be made: its place, or one above it, holds another kind.
    [[nodiscard]] std::optional<std::string> other_kind(const CrdtOperation& write) const;
    /// The writes that take away all that is read at and below a place; lists stay.
    /// Errors: not_found; invalid: only lists; limit: more than limits::remove_values_max.
    [[nodiscard]] Result<std::vector<CrdtOperation>> removal(const Place& place) const;

    // --- watching ---

    /// From now on remembers which places below these prefixes are read otherwise than before.
    void watch(std::vector<std::string> prefixes);
    [[nodiscard]] bool is_watched(const std::string& key) const;
    /// Those since the last call; a few more than really changed.
    [[nodiscard]] std::set<Place> take_changes() { return std::exchange(changes_, {}); }

    [[nodiscard]] std::size_t overlay_vertices() const { return vertices_.size(); }

private:
    using At = std::tuple<LaneId, Sequence, VertexId>;
    struct Written {
        const CrdtOperation* write = nullptr;  ///< In vertices_.
        Bytes share;                           ///< Of a counter, after this write.
        std::uint64_t depth = 0;

        [[nodiscard]] ByteView value() const;
    };
    /// What the overlay holds for one slot.
    struct Overlay {
        /// What each lane wrote; only its latest write counts.
        std::map<LaneId, std::map<Dot, Written>> lanes;
        std::map<Dot, std::uint32_t> replaced;  ///< By how many writes.
    };
    using Overlays = std::map<std::string, Overlay>;
    struct Live {
        Dot dot;
        std::uint64_t depth = 0;
        ByteView value;
    };
    class Walk;
    enum class Way : std::uint8_t { in, out };

    /// Lays the vertex's writes over their slots, or takes them away.
    void lay(const SealedVertex& vertex, Way way);
    void lay_write(const CrdtOperation& write, const Dot& dot, std::uint64_t depth, Way way);
    /// The vertex is new in the reading, or no longer part of it.
    void note_changes(const SealedVertex& vertex);
    void note_new(const SealedVertex& vertex);
    /// The slot's live values, by lane.
    [[nodiscard]] std::vector<Live> live(const std::string& slot) const;
    [[nodiscard]] bool holds(const Place& place, CrdtKind kind) const;
    [[nodiscard]] bool has_fields(const Place& place) const;

    const FinalState* base_;
    std::map<At, VertexPtr> vertices_;
    Overlays overlays_;              ///< By slot.
    std::set<std::string> changed_;  ///< Slots, since the last summary().
    MerkleMap readings_;             ///< As of the last summary().
    bool all_changed_ = true;        ///< The base was replaced.
    std::vector<std::string> watched_;
    std::set<Place> changes_;
};

}  // namespace creto
