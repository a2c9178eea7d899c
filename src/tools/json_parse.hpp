// parse_json(): reads JSON text of strangers.
//
// Holds    Accepts what RFC 8259 allows and nothing else, less: repeated keys, lone surrogates,
// bytes
//          that are not UTF-8, a byte order mark, and whatever is over a limit.
// Errors   ErrorCode::limit for a limit, else ErrorCode::invalid; the message names the byte.
// Cost     One pass; memory is at most about 300 bytes for each value plus the text.
#pragma once

#include <string_view>

#include "tools/json.hpp"

namespace creto {

struct JsonLimits {
    std::size_t bytes_max = 1024 * 1024;
    std::size_t depth_max = 64;  ///< Arrays and objects inside each other.
    std::size_t values_max = 65'536;
};

[[nodiscard]] Result<Json> parse_json(std::string_view text, const JsonLimits& limits = {});

}  // namespace creto
