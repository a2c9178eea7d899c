// execute_again(): reads a node's disk with a node that was never there, and compares the states.
//
// Why      S10: what a node has on its disk, executed again from its checkpoint, gives the state that
//          it had. A node that remembers what its disk does not is found here.
// Errors   A violation, "replay": the disk is not restored, gives much less than the node had, or
//          gives another state.
// Cost     One whole restart.
#pragma once

#include <vector>

#include "sim/cluster.hpp"
#include "sim/life/schedule.hpp"

namespace creto {

/// Of one reliable node that is up, drawn by the schedule's seed; nothing if there is none.
void execute_again(
    const Schedule& schedule, SimCluster& cluster, const std::vector<bool>& unreliable
);

}  // namespace creto
