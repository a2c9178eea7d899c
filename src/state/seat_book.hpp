// SeatBook: who has a seat, from when to when, and what is asked for but not granted yet.
//
// Why      Seats are what votes, so they change through the final order only, by those that vote.
// Source   Rules L12.2 and L13 in docs/spec/ordering.md; docs/decisions/0023-roster-changes.md.
// Holds    [SEAT-QUORUM.1] A change takes effect when a quorum of those that vote in the epoch of the
//          block has asked for the same one, or its own seat for its end or another key.
//          [SEAT-OPERATORS.1] Or at once, with the signatures of as many operators of the genesis as it
//          says, whoever brings it. What a change needs to be possible it needs in any case.
//          [SEAT-LATER.1] What epoch e decides is in force from e+2 on, so roster(e+1) is fixed when e
//          begins. [SEAT-ONCE.1] A seat has one number and one key for ever; neither comes again.
//          [SEAT-ENOUGH.1] No change leaves fewer seats than the failure model needs.
// Errors   The reason why an operation is void.
// Leaves   seat/N where it differs from the genesis, seats/asked/DIGEST.
// Cost     O(seats) for a roster; O(log) for what is asked.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "model/genesis.hpp"
#include "model/operation.hpp"
#include "state/merkle_map.hpp"

namespace creto {

/// A seat and the epochs in which it votes.
struct SeatEntry {
    Member member;
    Epoch first{1};
    Epoch last;  ///< 0: no end is decided.
    [[nodiscard]] bool votes_in(Epoch epoch) const {
        return first <= epoch && (last == Epoch{} || epoch <= last);
    }
    friend bool operator==(const SeatEntry&, const SeatEntry&) = default;
};

class SeatBook {
public:
    /// So long what an ended seat had written may still be covered.
    static constexpr std::uint64_t lane_grace_epochs = 2;

    /// As the genesis has it. `genesis` outlives this.
    explicit SeatBook(const Roster& genesis);

    struct Asked {
        RosterOperation change;
        std::set<Seat> by;
        Epoch since;
        friend bool operator==(const Asked&, const Asked&) = default;
    };
    struct Effect {
        bool changed = false;  ///< Else it was counted, and more are needed.
        std::string what;      ///< For people.
    };
    /// `client` asks for a change in a block of the roster's epoch. Requires: well_formed(), and the
    /// signatures inside were checked.
    [[nodiscard]] tl::expected<Effect, std::string> ask(
        const RosterOperation& change, const AgentId& client, const Roster& voters, MerkleMap& map
    );
    /// A proof against this agent was accepted in this epoch: its seat ends, if enough remain. True
    /// if it does.
    bool exclude(const AgentId& agent, Epoch epoch, MerkleMap& map);
    /// What was asked for long ago is forgotten; the seats whose lanes close now. [SEAT-LANE.1]
    std::vector<Seat> end_epoch(Epoch epoch, MerkleMap& map);

    /// Requires: the epoch's predecessor but one is over, or has begun without changes.
    [[nodiscard]] std::vector<Member> voters(Epoch epoch) const;
    [[nodiscard]] std::vector<Member> known() const;
    /// A change is decided that is not in force in this epoch yet.
    [[nodiscard]] bool changes_after(Epoch epoch) const { return epoch < settled_; }
    [[nodiscard]] const std::map<Seat, SeatEntry>& seats() const { return seats_; }
    [[nodiscard]] const std::map<Digest, Asked>& asked() const { return asked_; }

    /// Reads the leaves back. Errors: corrupt.
    [[nodiscard]] Result<void> restore(const MerkleMap& map);

private:
    using Refused = tl::unexpected<std::string>;
    [[nodiscard]] SeatEntry* holder(const AgentId& agent, Epoch epoch);
    [[nodiscard]] std::optional<std::string> refusal(
        const RosterOperation& change, Epoch epoch, QuorumMode mode
    ) const;
    std::string carry_out(const RosterOperation& change, Epoch epoch, MerkleMap& map);
    Seat give(const AgentId& key, const std::string& name, Epoch first, MerkleMap& map);
    void write(const SeatEntry& entry, MerkleMap& map);
    void note(const SeatEntry& entry);

    const Roster* genesis_;
    std::map<Seat, SeatEntry> seats_;
    std::map<Digest, Asked> asked_;
    Epoch settled_;  ///< From which on nothing changes any more, as far as is decided.
};

void encode(Writer& w, const SeatEntry& v);
void decode(Reader& r, SeatEntry& v);
void encode(Writer& w, const SeatBook::Asked& v);
void decode(Reader& r, SeatBook::Asked& v);

}  // namespace creto
