// Probes: places that few lives reach, and which of them none did.
//
// Why      A storm that never fills a queue or never asks for a chain says nothing about either. What
//          was not reached is printed beside what passed.
// Holds    The names are listed here, so that one that no life reaches is missed; a test compares
//          the list with the sources of node/.
//          node.*  what a node counts: its own calls, and its ordering core's
//          host.*  what the simulated host did to it: held a Send back for a sync, gave events to
//                  nobody, refused a write
//          disk.*  what a crash or a fault left: torn tails, logs replaced, reads that failed
//          net.*   what links did: lost, queued over, sent to nobody
//          told.*  what nodes told their watchers: epochs, rosters, seats set aside, partitions
#pragma once

#include <span>
#include <string_view>

namespace creto {

/// Every place that a life can report, sorted.
[[nodiscard]] std::span<const std::string_view> known_probes();

}  // namespace creto
