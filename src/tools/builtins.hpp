// The tools that every agent has: arithmetic, texts, digests, the time.
//
// Why      A new network must have something to call, and verified calls something to agree on; one of
//          them, `primes`, works for up to seconds and shows what it has so far.
// Holds    All but `timestamp` are deterministic and pinned: their contracts name this implementation,
//          so two different answers of one agent are proof. A change of what a tool answers needs a
//          new version.
// Errors   Numbers over Decimal's limits, division by zero, texts that would grow beyond the
//          context's result_bytes_max.
#pragma once

#include <vector>

#include "tools/registry.hpp"

namespace creto {

[[nodiscard]] std::vector<Tool> builtin_tools();

/// Whether a built-in tool answers in microseconds, so that it may run on the protocol thread.
[[nodiscard]] bool is_quick(std::string_view builtin);

/// A registry with all of them.
[[nodiscard]] Registry builtin_registry();

/// "2024-02-29T12:00:00.123Z"; years from 0000 to 9999.
[[nodiscard]] Result<std::string> iso_time(std::int64_t unix_ms);

}  // namespace creto
