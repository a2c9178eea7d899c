// leader_of(): whose turn a view is.
//
// Why      Everyone must agree without talking: round robin over the members in seat order, from
//          the epoch and the term of the view alone. [ORD-T1.1] A leader that is dead is skipped by short local
//          timers, never by a change of this function: a choice from local knowledge would split the
//          network.
// Source   Rule L14 without reputation; the roster is fixed for the epoch. (rule L14)
#pragma once

#include "order/terms.hpp"

namespace creto {

/// Requires: view > 0.
[[nodiscard]] inline Seat leader_of(const Roster& roster, View view) {
    CRETO_ASSERT(view != View{});
    // Not every epoch begins with the same member: it may be a dead one.
    const std::uint64_t turn = simplex::Terms{roster}.number(view) + roster.epoch().value() - 2;
    return roster.members()[turn % roster.size()].seat;
}

}  // namespace creto
