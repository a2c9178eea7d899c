// CausalBase: the merge of all causal writes below the final cut; part of the agreed state.
//
// Why      The causal reading is this base with the vertices above the cut laid over it.
// Holds    Executing vertices in the final order gives what merging them in any order gives.
// Cost     O(log keys) for each write, and one leaf of the state for each key that changed.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "model/genesis.hpp"
#include "state/crdt_entry.hpp"
#include "state/merkle_map.hpp"
#include "state/state_limits.hpp"

namespace creto {

class CausalBase {
public:
    /// `roster` outlives this.
    explicit CausalBase(const Roster& roster) : roster_{&roster} {}

    /// False when the causal data would grow over its limit; then nothing changed.
    [[nodiscard]] bool apply(const CrdtOperation& operation, const Dot& dot);
    /// All operations of the lane's vertex with this sequence were applied.
    void pass(const LaneId& lane, Sequence sequence);
    /// Writes the leaves of the keys that changed since the last call.
    void seal(MerkleMap& map);

    /// Null when the key holds nothing.
    [[nodiscard]] const CrdtEntry* find(const std::string& key) const;
    [[nodiscard]] const std::map<std::string, CrdtEntry>& entries() const { return entries_; }
    /// How far the lane has come; 0 when nothing of it is final.
    [[nodiscard]] Sequence cut(const LaneId& lane) const;
    [[nodiscard]] const std::map<LaneId, Sequence>& cut() const { return cut_; }

    /// Rebuilds the entries from the leaves of a snapshot, for this cut.
    [[nodiscard]] Result<void> restore(const MerkleMap& map, std::map<LaneId, Sequence> cut);

private:
    void replace(CrdtEntry& entry, const CrdtOperation& operation, const Dot& dot);
    void expect(const std::string& key, CrdtEntry& entry, const Dot& dot);

    const Roster* roster_;
    std::map<std::string, CrdtEntry> entries_;
    std::map<LaneId, Sequence> cut_;
    /// Which keys wait for which dots: lane, sequence, key.
    std::set<std::tuple<LaneId, Sequence, std::string>> waiting_;
    std::set<std::string> changed_;
    std::size_t bytes_ = 0;
};

}  // namespace creto
