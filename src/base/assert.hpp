// CRETO_ASSERT: stops the process when we ourselves are wrong.
//
// Why      A broken invariant must not go on to sign or persist anything.
// Holds    On in every build. Never used on data of a peer, user, disk or tool: that is a Result.
// Cost     One predictable branch.
#pragma once

namespace creto {

/// Prints the failed condition with its place to stderr and aborts.
[[noreturn]] void assert_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace creto

#define CRETO_ASSERT(condition)             \
    (static_cast<bool>(condition) ? void(0) \
                                  : ::creto::assert_failed(#condition, __FILE__, __LINE__))
