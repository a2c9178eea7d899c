// use_large_pages(): the memory of this process comes from the system in pages of 2 MiB.
//
// Why      A simulation walks through the memory of all its nodes, and its memory grows all the
//          time. In small pages each 4 KiB cost a fault, and nearly each look at a node a walk
//          through the page tables: four nodes ran at two thirds of their speed.
// Holds    Asks for nothing else: what a program computes does not depend on it. Where the system
//          has no such pages, or another allocator is linked, everything stays as it was.
//          Not for a node: at rest it would hold more than it needs.
// Units    Of the heap's addresses as many are set aside as the machine has memory, less an eighth; only what
//          is touched is memory.
// Cost     Once, some microseconds. What the process holds is rounded up to 2 MiB, and what it
//          freed it keeps.
#pragma once

#include <cstddef>

namespace creto {

/// Call before anything large is allocated; later calls change nothing. Returns how many bytes of the
/// heap may lie in large pages: 0 when the system refused.
std::size_t use_large_pages();

}  // namespace creto
