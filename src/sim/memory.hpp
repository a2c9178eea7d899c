// held_bytes(): what a simulated node holds in memory, by the count of the node and its host.
//
// Why      A process that holds too much is killed, and just then it has the most to lose. Measured
//          sizes would differ between machines and builds; counted ones are the same everywhere.
// Holds    Counted: the bytes of the graph, of operations that wait for their vertex, and of the
//          messages that wait for their turn or for a sync. A paused process does not read: what
//          waits for it is not in its memory.
// Cost     Grows in what waits.
#pragma once

#include "sim/host.hpp"

namespace creto {

/// 0 while the node is down.
[[nodiscard]] std::size_t held_bytes(const SimHost& host);

}  // namespace creto
