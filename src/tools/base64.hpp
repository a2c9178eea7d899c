// Base64 of RFC 4648, section 4: the standard alphabet, with padding, one text per byte string.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace creto {

[[nodiscard]] std::string to_base64(ByteView bytes);
/// None for characters outside the alphabet, missing padding, or bits that no encoder writes.
[[nodiscard]] std::optional<Bytes> from_base64(std::string_view text);

}  // namespace creto
