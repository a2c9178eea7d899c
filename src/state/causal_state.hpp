// CausalState: the causal reading: the final state's base with the vertices above the cut over it.
//
// Why      Available in a partition: writes are read back at once, and converge when nodes meet.
// Holds    [CRDT-CONVERGE.1] The reading depends on the set of vertices held, not on the order in
//          which they came, nor on how many of them are final.
// Use      After FinalState::apply() call apply_final(). A lane known to be forked counts only
//          below its fork point: whoever knows calls set_overlay() with the vertices that count.
// Cost     add: O(log keys) for each causal write. read: what lies above the cut for that key.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "state/final_state.hpp"

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

    struct Value {
        bool found = false;
        std::vector<Bytes> values;            ///< Concurrent ones, distinct, ascending.
        std::optional<std::int64_t> counter;  ///< When the key was counted.
        friend bool operator==(const Value&, const Value&) = default;
    };
    [[nodiscard]] Value read(const std::string& key) const;
    /// What a new write of the key replaces: at most limits::dots_max dots, ascending.
    [[nodiscard]] std::vector<Dot> observed(const std::string& key) const;
    /// Equal exactly for equal readings of all keys, however much of them is final.
    [[nodiscard]] Digest summary();

    [[nodiscard]] std::size_t overlay_vertices() const { return vertices_.size(); }

private:
    using Place = std::tuple<LaneId, Sequence, VertexId>;
    /// A counter update that another lane may carry too: counted once, while it can become final.
    struct Carried {
        Height expiry;
        std::int64_t amount = 0;
        std::uint32_t copies = 0;
    };
    using Author = std::pair<LaneId, AgentId>;
    /// What the overlay holds for one key.
    struct Overlay {
        std::uint64_t own_adds = 0;  ///< Sum of the lane owners' own updates.
        std::uint32_t own_add_count = 0;
        std::map<OperationId, Carried> carried;
        /// What each author set; only its latest value is live. The values are in vertices_.
        std::map<Author, std::map<Dot, const Bytes*>> sets;
        std::map<Dot, std::uint32_t> replaced;  ///< By how many writes.
        std::uint32_t writes = 0;

        [[nodiscard]] bool empty() const {
            return own_add_count == 0 && carried.empty() && writes == 0;
        }
    };
    enum class Way : std::uint8_t { in, out };

    /// Lays the vertex's writes over the keys, or takes them away.
    void lay(const SealedVertex& vertex, Way way);
    void lay(const Operation& operation, const Dot& dot, const AgentId& owner, Way way);
    static void lay_write(Overlay& overlay, const Operation& operation, const Dot& dot, Way way);
    [[nodiscard]] std::map<Dot, const Bytes*> live(const std::string& key) const;
    [[nodiscard]] std::optional<std::int64_t> counter(const std::string& key) const;

    const FinalState* base_;
    std::map<Place, VertexPtr> vertices_;
    std::map<std::string, Overlay> keys_;
    std::set<std::string> changed_;  ///< Since the last summary().
    MerkleMap readings_;             ///< As of the last summary().
    bool all_changed_ = true;        ///< The base was replaced.
};

}  // namespace creto
