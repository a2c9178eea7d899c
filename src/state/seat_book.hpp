// SeatBook: who has a seat, from when to when, and what is asked for but not granted yet.
//
// Why      Seats are what votes, so they change through the final order only, by those that vote. So do
//          the parameters of the network, which are asked for and decided in the same way.
// Source   Rules L12.2 and L13 in docs/spec/ordering.md; docs/decisions/0023-roster-changes.md.
// Holds    [SEAT-QUORUM.1] A change takes effect when a quorum of those that vote in the epoch of the
//          block has asked for the same one, or its own seat for its end or another key.
//          [SEAT-OPERATORS.1] Or at once, with the signatures of as many operators of the genesis as it
//          says, whoever brings it. What a change needs to be possible it needs in any case.
//          [SEAT-LATER.1] What epoch e decides is in force from e+2 on, so roster(e+1) is fixed when e
//          begins. [PARAM-AUTHORITY.1] A parameter's value changes on the same consent, and on nobody's
//          alone. [SEAT-ONCE.1] A seat has one number and one key for ever; neither comes again.
//          [SEAT-ENOUGH.1] No change leaves fewer seats than the failure model needs, or fewer that vote
//          than must agree.
//          [SEAT-DORMANT.1] Seats that are dead where an epoch ends are set aside from the epoch after the
//          next on, if the quorum becomes smaller by that, and no more than it takes.
//          [SEAT-DORMANT.5] A dormant seat votes again from the epoch after the next on when its key says
//          that it is there. Until then it counts for what may lie. It ends like any seat.
// Errors   The reason why an operation is void.
// Leaves   seat/N where it differs from the genesis, seats/asked/DIGEST, parameter/NAME.
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
#include "state/parameter_book.hpp"

namespace creto {

/// A seat, the epochs in which there is it, and its latest dormancy.
struct SeatEntry {
    Member member;
    Epoch first{1};
    Epoch last;           ///< 0: no end is decided.
    Epoch dormant_from;   ///< 0: it never was.
    Epoch dormant_until;  ///< The first epoch in which it votes again; 0: not decided.
    [[nodiscard]] bool is_held_in(Epoch epoch) const {
        return first <= epoch && (last == Epoch{} || epoch <= last);
    }
    [[nodiscard]] bool is_dormant_in(Epoch epoch) const {
        return is_held_in(epoch) && dormant_from != Epoch{} && dormant_from <= epoch &&
               (dormant_until == Epoch{} || epoch < dormant_until);
    }
    [[nodiscard]] bool votes_in(Epoch epoch) const {
        return is_held_in(epoch) && !is_dormant_in(epoch);
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

    /// Of these seats, the deadest first, as many are set aside as make the quorum as small as it can
    /// become; nobody if it stays as it is. Who is set aside, ascending. Called where an epoch ends.
    std::vector<Seat> set_aside(const std::vector<Seat>& dead, Epoch epoch, MerkleMap& map);
    /// A dormant seat's agent is there again: the epoch from which on it votes.
    [[nodiscard]] tl::expected<Epoch, std::string> come_back(
        const AgentId& agent, Epoch dormant_since, Epoch epoch, MerkleMap& map
    );

    /// Who votes, who is known, how many are dormant, which parameters; nobody rests. Requires: the epoch's predecessor
    /// but one is over, or has begun without changes.
    [[nodiscard]] Seating seating(Epoch epoch) const;
    [[nodiscard]] Quorum quorum(Epoch epoch) const;
    [[nodiscard]] std::vector<Member> voters(Epoch epoch) const;
    /// The agent's seat, if it has one in this epoch, dormant or not.
    [[nodiscard]] const SeatEntry* held_by(const AgentId& agent, Epoch epoch) const;
    [[nodiscard]] std::vector<Member> known() const;
    /// Whose seat there is in this epoch, dormant or not, or whose lane is open still.
    [[nodiscard]] std::vector<AgentId> lane_holders(Epoch epoch) const;
    [[nodiscard]] const ParameterBook& parameters() const { return parameters_; }
    /// A change is decided that is not in force in this epoch yet.
    [[nodiscard]] bool changes_after(Epoch epoch) const { return epoch < settled_; }
    [[nodiscard]] const std::map<Seat, SeatEntry>& seats() const { return seats_; }
    [[nodiscard]] const std::map<Digest, Asked>& asked() const { return asked_; }

    /// Reads the leaves back. Errors: corrupt.
    [[nodiscard]] Result<void> restore(const MerkleMap& map);

private:
    using Refused = tl::unexpected<std::string>;
    [[nodiscard]] SeatEntry* holder(const AgentId& agent, Epoch epoch);
    [[nodiscard]] std::uint32_t dormant(Epoch epoch) const;
    /// One that votes less would still be enough.
    [[nodiscard]] bool may_lose_one(Epoch epoch) const;
    [[nodiscard]] std::optional<std::string> refusal(const RosterOperation& change, Epoch epoch)
        const;
    std::string carry_out(const RosterOperation& change, Epoch epoch, MerkleMap& map);
    std::string set(const ParameterChange& change, Epoch first, MerkleMap& map);
    Seat give(const AgentId& key, const std::string& name, Epoch first, MerkleMap& map);
    void write(const SeatEntry& entry, MerkleMap& map);
    void note(const SeatEntry& entry);

    const Roster* genesis_;
    std::map<Seat, SeatEntry> seats_;
    std::map<Digest, Asked> asked_;
    ParameterBook parameters_;
    Epoch settled_;  ///< From which on nothing changes any more, as far as is decided.
};

void encode(Writer& w, const SeatEntry& v);
void decode(Reader& r, SeatEntry& v);
void encode(Writer& w, const SeatBook::Asked& v);
void decode(Reader& r, SeatBook::Asked& v);

}  // namespace creto
