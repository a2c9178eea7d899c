// Rosters: the validator set of each epoch, as far as this node knows them.
//
// Why      What is signed in an epoch is checked against that epoch's roster, and never against the
//          newest one that a node happens to know.
// Source   Rules L12 and L13 in docs/spec/ordering.md.
// Holds    [ORD-L12.2] The roster of epoch e+2 is a function of the agreed state at the end of epoch
//          e, so it is known a whole epoch before it is in force, and its members had that time to
//          find each other. Epochs 1 and 2 have the genesis roster. What was known once stays, at the
//          same address, until forget_below().
// Cost     O(log epochs) a look-up; memory for each epoch held is that of its members.
#pragma once

#include <map>

#include "model/genesis.hpp"

namespace creto {

class Rosters {
public:
    /// Requires: validate(genesis).
    explicit Rosters(const Genesis& genesis) {
        Roster first{genesis};
        const bool more = first.epochs().have_end();
        if (more) by_epoch_.emplace(Epoch{2}, first.in_epoch(Epoch{2}));
        by_epoch_.emplace(Epoch{1}, std::move(first));
    }

    /// None: not known yet, or no longer. With one epoch without end it is that one's.
    [[nodiscard]] const Roster* of(Epoch epoch) const {
        const auto found = by_epoch_.find(epoch);
        return found == by_epoch_.end() ? nullptr : &found->second;
    }
    /// The highest epoch whose roster is known.
    [[nodiscard]] Epoch highest() const { return by_epoch_.rbegin()->first; }
    [[nodiscard]] const Epochs& epochs() const { return by_epoch_.begin()->second.epochs(); }

    /// The newest that is known: what seats there are.
    [[nodiscard]] const Roster& newest() const { return by_epoch_.rbegin()->second; }

    /// Says who votes in an epoch; what is known already stays. Requires: as for a Roster.
    void add(Epoch epoch, Seating seating) {
        if (by_epoch_.contains(epoch)) return;
        by_epoch_.emplace(epoch, Roster{by_epoch_.begin()->second, epoch, std::move(seating)});
    }
    /// Requires: nobody holds one of these. The highest stays in any case.
    void forget_below(Epoch epoch) {
        by_epoch_.erase(by_epoch_.begin(), by_epoch_.lower_bound(std::min(epoch, highest())));
    }

private:
    std::map<Epoch, Roster> by_epoch_;
};

}  // namespace creto
