// GuestBook: how much of an epoch agents without a seat have used up.
//
// Why      Identities are free. What a seat carries for others it budgets itself, but seats can lie, and
//          whoever is refused by one asks the next; what takes effect the state alone can bound.
// Source   docs/decisions/0035-agreed-parameters.md; docs/spec/floods.md says what a seat does.
// Holds    Where guest_operations is not 0: [PARAM-QUOTA.1] of each such agent so many operations of an
//          epoch take effect, whoever brings them. [PARAM-SHARE.1] Each seat brings an equal part of
//          guests_total, so no number of agents and no seat uses up what comes through another seat. One
//          over that is not void: another seat may bring it. [PARAM-SAME.1] What is counted is part of
//          the state, at most guests_total agents, and goes where the epoch ends.
// Leaves   guests/HEIGHT, of the blocks of this epoch that brought any.
// Cost     O(log agents) an operation; one leaf a block; nothing where nothing is counted.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/genesis.hpp"
#include "state/merkle_map.hpp"

namespace creto {

class GuestBook {
public:
    /// An epoch begins. `seated`: who has a seat in it, or a lane that is open still, in any order.
    void enter(const Roster& voters, std::vector<AgentId> seated);

    struct Ruling {
        std::string reason;      ///< Why it is not executed; empty: it is.
        bool elsewhere = false;  ///< It is not void: another seat may bring it.
    };
    /// An operation that was not seen before, in the lane of this seat. What is allowed is counted.
    [[nodiscard]] Ruling take(const AgentId& client, Seat by);

    /// Ends the block: what it brought is a leaf.
    void seal(Height height, MerkleMap& map);
    void end_epoch(MerkleMap& map);
    /// Reads the leaves back. Requires: enter(). Errors: corrupt.
    [[nodiscard]] Result<void> restore(const MerkleMap& map);

    struct Counts {
        std::map<AgentId, std::uint32_t> executed;
        std::map<Seat, std::uint32_t> brought;  ///< Executed or void.
        friend bool operator==(const Counts&, const Counts&) = default;
    };
    /// Of this epoch, up to now.
    [[nodiscard]] const Counts& counts() const { return epoch_; }

private:
    std::uint32_t quota_ = 0;  ///< 0: nothing is counted.
    std::uint32_t share_ = 0;
    std::vector<AgentId> seated_;  ///< Ascending.
    Counts epoch_;
    Counts block_;
    std::vector<Height> leaves_;
};

void encode(Writer& w, const GuestBook::Counts& v);
void decode(Reader& r, GuestBook::Counts& v);

}  // namespace creto
