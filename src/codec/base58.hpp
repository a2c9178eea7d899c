// Base58 (the Bitcoin alphabet): how agent ids are written for people.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace creto {

[[nodiscard]] std::string to_base58(ByteView bytes);
/// None when a character is outside the alphabet or the text is longer than 128 characters.
[[nodiscard]] std::optional<Bytes> from_base58(std::string_view text);

}  // namespace creto
