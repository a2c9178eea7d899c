// CausalBase: the merge of all causal writes below the final cut; part of the agreed state.
//
// Why      The causal reading is this base with the vertices above the cut laid over it.
// Holds    Executing vertices in the final order gives what merging them in any order gives.
// Cost     O(log keys) and what the write replaces; one leaf of the state for each key that changed.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "model/genesis.hpp"
#include "state/crdt_entry.hpp"
#include "state/merkle_map.hpp"
#include "state/state_limits.hpp"

namespace creto {

class CausalBase {
public:
    /// `roster` outlives this.
    CausalBase(const Roster& roster, std::size_t bytes_max)
        : roster_{&roster}, bytes_max_{bytes_max} {}

    /// Merges one write. A reason why not, when a limit is reached; then nothing changed.
    [[nodiscard]] std::optional<std::string> apply(
        const CrdtOperation& operation, const AgentId& author, const Dot& dot
    );
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

    /// The values, whose digests the leaves hold, for a snapshot.
    void save(Writer& w) const;
    /// Rebuilds the entries from the leaves and the values of a snapshot, for this cut.
    [[nodiscard]] Result<void> restore(
        Reader& r, const MerkleMap& map, std::map<LaneId, Sequence> cut
    );

private:
    using Values = std::vector<CrdtEntry::Live>;

    [[nodiscard]] std::optional<std::string> refuse(
        const CrdtOperation& operation, const AgentId& author, const Dot& dot
    ) const;
    void replace(CrdtEntry& entry, const CrdtOperation& operation);
    void set(
        CrdtEntry& entry, const CrdtOperation& operation, const AgentId& author, const Dot& dot
    );
    void expect(const std::string& key, CrdtEntry& entry, const Dot& dot);
    void drop_if_empty(std::map<std::string, CrdtEntry>::iterator entry);
    Values::iterator erase(Values& values, Values::iterator at);

    const Roster* roster_;
    std::size_t bytes_max_;
    std::map<std::string, CrdtEntry> entries_;
    std::map<LaneId, Sequence> cut_;
    /// Which keys wait for which dots: lane, sequence, key.
    std::set<std::tuple<LaneId, Sequence, std::string>> waiting_;
    std::set<std::string> changed_;
    std::size_t bytes_ = 0;  ///< Of keys, values and what is kept with them, roughly.
};

}  // namespace creto
