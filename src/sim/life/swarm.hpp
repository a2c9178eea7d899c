// Swarm: a schedule of faults from a seed.
//
// Why      A generator that always does a little of everything never does much of one thing. Each
//          seed first draws which classes of faults it has at all, then how many and how hard.
// Source   Swarm testing (Groce and others, ISSTA 2012).
// Holds    Every draw has a name: seed, stream, number. Faults are drawn apart from each other, so
//          that a shrunk schedule is a part of the one that failed.
//          Nodes that lie or lose synced data are at most liars_max() together. Everything else may
//          happen to any node at any time, to all at once too: that costs progress, never safety.
#pragma once

#include "sim/life/schedule.hpp"

namespace creto {

[[nodiscard]] Schedule make_schedule(std::uint64_t seed);

}  // namespace creto
