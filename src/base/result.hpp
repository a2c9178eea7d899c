// Result: a value, or the reason why there is none.
//
// Why      Whatever a peer, user, disk or tool can cause is an answer, never a crash.
// Source   tl::expected (libexpected-dev), the library form of C++23 std::expected.
// Holds    Functions that return a Result are [[nodiscard]]; an Error's text says what, where
//          and what to do.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace creto {

/// What kind of failure it was; a caller that must act differently looks here.
enum class ErrorCode : unsigned char {
    invalid,      ///< The input is wrong; the same input will always be refused.
    not_found,    ///< There is no such thing.
    unavailable,  ///< Not now: no quorum, no connection, closing. Trying later may help.
    timeout,      ///< No answer within the deadline; the outcome is unknown.
    limit,        ///< A named limit would be passed.
    denied,       ///< The caller may not do this.
    corrupt,      ///< Stored data does not match its checksum or hash.
    io,           ///< The operating system refused (disk, socket, process).
    conflict,     ///< The current state does not allow it (already exists, in use).
    cancelled,    ///< The caller took the request back.
};

struct Error {
    ErrorCode code = ErrorCode::invalid;
    std::string message;

    friend bool operator==(const Error&, const Error&) = default;
};

template <class T, class E = Error>
using Result = tl::expected<T, E>;

/// A failed Result of any value type.
[[nodiscard]] inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
    return tl::unexpected<Error>(Error{code, std::move(message)});
}
template <class E>
[[nodiscard]] tl::unexpected<E> fail(E error) {
    return tl::unexpected<E>(std::move(error));
}

/// The word for a code in messages and JSON.
[[nodiscard]] const char* to_string(ErrorCode code);

}  // namespace creto
