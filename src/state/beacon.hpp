// Beacon: a random value for each epoch that no seat knows, or chooses, before everybody is bound.
//
// Why      The order of leaders and the panels of disputes must be drawn by nobody.
// Source   Commit and reveal; docs/decisions/0031-beacon.md.
// Holds    [BEACON-COMMIT.1] The beacon of epoch e is fed by secrets that seats committed to in blocks of
//          e-2 and revealed in blocks of e-1, each seat one, in its own lane: who commits knows no
//          secret of another that feeds the same value, and who reveals can reveal one thing only.
//          [BEACON-CHAIN.1] value(e) = H(value(e-1), e, the revealed secrets with their seats, by seat).
//          It is defined if nobody reveals; those of epochs 1 and 2 follow from the chain's id.
//          [BEACON-BIAS.1] Who withholds its secret chooses between two values, so k seats together
//          among 2^k, and is told of: it is counted against the seat for as long as it votes, and
//          costs nothing. [BEACON-SAME.1] A function of the final chain alone, and part of the state.
//          Without ends of epochs the value stays that of epoch 1.
// Errors   The reason why an operation is void.
// Leaves   beacon/seat/EPOCH/SEAT of the values to come, beacon/value/EPOCH of the latest three,
//          beacon/withheld. At most two entries a seat.
// Cost     O(log seats) for an operation, O(seats) at the end of an epoch.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/genesis.hpp"
#include "model/operation.hpp"
#include "state/merkle_map.hpp"

namespace creto {

class Beacon {
public:
    /// The present value, the one before, from which its leaders are drawn, and the next.
    static constexpr std::uint64_t kept = 3;
    struct Entry {
        Digest commitment;
        std::optional<Digest> secret;
        friend bool operator==(const Entry&, const Entry&) = default;
    };
    struct Value {
        Digest value;
        std::vector<Seat> fed_by;    ///< Ascending: who revealed.
        std::vector<Seat> withheld;  ///< Ascending: who had committed, and did not.
        friend bool operator==(const Value&, const Value&) = default;
    };
    using Withheld = std::map<Seat, std::uint32_t>;

    /// The values that follow from the genesis.
    explicit Beacon(const Roster& genesis);

    /// `seat` votes, or has voted, and the operation is in its lane, in a block of the voters' epoch.
    [[nodiscard]] tl::expected<void, std::string> commit(
        const BeaconCommitOperation& wanted,
        const Member& seat,
        const Roster& voters,
        MerkleMap& map
    );
    [[nodiscard]] tl::expected<void, std::string> reveal(
        const BeaconRevealOperation& shown, const Member& seat, const Roster& voters, MerkleMap& map
    );
    /// The next epoch's value is made. Seats that are not among `later` are forgotten.
    void end_epoch(Epoch epoch, const std::vector<Member>& later, MerkleMap& map);

    /// The value of an epoch. Requires: it is the present one, or one of the two before, or, at the end
    /// of an epoch, the next.
    [[nodiscard]] const Value& of(Epoch epoch) const;
    /// What the turns of this epoch's leaders are drawn from: the value of the epoch before, which was
    /// known when the roster was fixed. None for the first two. [BEACON-TURNS.1]
    [[nodiscard]] std::optional<Digest> for_turns(Epoch epoch) const;
    /// What a seat has said for the value of a later epoch; null: nothing.
    [[nodiscard]] const Entry* said(Epoch feeds, Seat seat) const;
    /// How often a seat that votes has withheld.
    [[nodiscard]] std::uint32_t withheld(Seat seat) const;

    /// Reads the leaves back, of a state after which a block of this epoch comes. Errors: corrupt.
    [[nodiscard]] Result<void> restore(const MerkleMap& map, Epoch next_block);

private:
    const Roster* genesis_;
    std::map<std::pair<Epoch, Seat>, Entry> entries_;
    std::map<Epoch, Value> values_;
    Withheld withheld_;
};

void encode(Writer& w, const Beacon::Entry& v);
void decode(Reader& r, Beacon::Entry& v);
void encode(Writer& w, const Beacon::Value& v);
void decode(Reader& r, Beacon::Value& v);

}  // namespace creto
