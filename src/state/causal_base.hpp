// CausalBase: the merge of all causal writes below the final cut; part of the agreed state.
//
// Why      The causal reading is this base with the vertices above the cut laid over it.
// Holds    Executing vertices in the final order gives what merging them in any order gives.
//          [CRDT-GONE.1] A removal that is executed before its value is kept until the cut has passed
//          the value's place; below the cut there are no tombstones. A dot further above the cut than
//          a lane's window was made up, since nobody can hold it, and is not kept.
// Cost     O(log slots) and what the write replaces, at most one value a lane; one leaf of the state
//          for each slot that changed, for each removal that waits and for each 32 seats of which
//          one wrote.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/flat_map.hpp"
#include "model/genesis.hpp"
#include "state/crdt_entry.hpp"
#include "state/merkle_map.hpp"
#include "state/slot.hpp"
#include "state/state_limits.hpp"

namespace creto {

class CausalBase {
public:
    using Entries = std::map<std::string, CrdtEntry>;

    /// A seat's next lane: dots of it can come from now on.
    void open(const LaneId& lane) { newest_[lane.seat] = lane.incarnation; }
    /// `roster` outlives this, or the next call.
    void set_roster(const Roster& roster) { roster_ = &roster; }
    /// `roster` outlives this.
    CausalBase(const Roster& roster, std::size_t bytes_max)
        : roster_{&roster}, bytes_max_{bytes_max} {}

    /// Merges one write of a vertex of this depth. A reason why not, when the limit is reached; then
    /// nothing changed. Requires: it is well formed.
    [[nodiscard]] std::optional<std::string> apply(
        const CrdtOperation& operation, const Dot& dot, std::uint64_t depth
    );
    /// All operations of the lane's vertex with this sequence were applied.
    void pass(const LaneId& lane, Sequence sequence);
    /// Writes the leaves that changed since the last call.
    void seal(MerkleMap& map);

    /// Null when the slot holds nothing.
    [[nodiscard]] const CrdtEntry* find(const std::string& slot) const;
    [[nodiscard]] const Entries& entries() const { return entries_; }  ///< By slot; none empty.
    /// Some executed write took away this value of the slot, which has not come yet.
    [[nodiscard]] bool expects_gone(const std::string& slot, const Dot& dot) const {
        return removals_.contains({dot, slot});
    }
    [[nodiscard]] std::size_t removals_waiting() const { return removals_.size(); }
    /// How far the lane has come; 0 when nothing of it is final.
    [[nodiscard]] Sequence cut(const LaneId& lane) const;

    /// The values, whose digests the leaves hold, for a snapshot.
    void save(Writer& w) const;
    /// How far the first seats' lanes have come, for the header. [STATE-CUT.1]
    void encode_cut(Writer& w) const { encode_cut(w, 0); }
    /// Rebuilds the entries from the leaves, the values of a snapshot, and what encode_cut() gave.
    [[nodiscard]] Result<void> restore(Reader& r, const MerkleMap& map, ByteView cut);

private:
    using Removal = std::pair<Dot, std::string>;  ///< By dot, so that a lane's are neighbours.

    [[nodiscard]] bool can_come(const Dot& dot) const;
    [[nodiscard]] std::size_t growth(const CrdtOperation& operation, const std::string& slot) const;
    void encode_cut(Writer& w, std::uint32_t leaf) const;
    [[nodiscard]] bool read_cut(ByteView value, std::uint32_t leaf);
    void take_away(const std::string& slot, const Dot& dot);
    void take_away_own(const std::string& slot, const LaneId& lane);
    void put(const std::string& slot, CrdtEntry::Live live);
    void erase(Entries::iterator entry, std::vector<CrdtEntry::Live>::iterator value);

    const Roster* roster_;
    std::size_t bytes_max_;
    Entries entries_;
    std::set<Removal> removals_;  ///< Executed before their values.
    FlatMap<LaneId, Sequence> cut_;
    std::set<std::uint32_t> cut_changed_;  ///< Leaves.
    std::map<Seat, Incarnation> newest_;   ///< Of seats that have more than their first lane.
    std::set<std::string> changed_;
    std::set<Removal> removals_changed_;
    std::size_t bytes_ = 0;  ///< Of slots, values and what is kept with them, roughly.
};

}  // namespace creto
