// leader_of(): whose turn a view is.
//
// Why      Everyone must agree without talking: round robin over the leaders of the roster, from the
//          epoch and the term of the view alone. [ORD-T1.1] A leader that is dead is skipped by short
//          local timers, never by a change of this function: a choice from local knowledge would split
//          the network. A seat that the agreed state suspects has no turns, from the epoch after the
//          next on. [STAND-REST.1] The order is another one in each epoch, drawn from the beacon of
//          the epoch before. [BEACON-TURNS.1]
// Source   Rule L14 in docs/spec/ordering.md.
#pragma once

#include "model/terms.hpp"

namespace creto {

/// Requires: view > 0.
[[nodiscard]] inline Seat leader_of(const Roster& roster, View view) {
    CRETO_ASSERT(view != View{});
    // Not every epoch begins with the same member: it may be a dead one.
    const std::uint64_t turn = Terms{roster}.number(view) + roster.epoch().value() - 2;
    return roster.leaders()[turn % roster.leaders().size()];
}

}  // namespace creto
