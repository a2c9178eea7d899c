// Utf8: reads and writes code points, and says whether text is UTF-8 at all.
//
// Why      Agreed text has one byte form: overlong forms, surrogates and what lies above U+10FFFF
// are
//          refused at the door, so that everything behind it may rely on well-formed text.
// Source   RFC 3629.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace creto::utf8 {

inline constexpr char32_t bad = 0xFFFFFFFF;

/// The code point at `text[at]` and moves `at` past it; `bad`, with `at` unmoved, when the bytes
/// there are not UTF-8. Requires: at < text.size().
[[nodiscard]] char32_t next(std::string_view text, std::size_t& at);

/// Whether all of the text is UTF-8.
[[nodiscard]] bool valid(std::string_view text);

/// The number of code points. Requires: valid(text).
[[nodiscard]] std::size_t length(std::string_view text);

/// The text, or its beginning and "..." where it is longer than about `bytes_max`. For messages.
/// Requires: valid(text).
[[nodiscard]] std::string clipped(std::string_view text, std::size_t bytes_max);

/// Requires: a code point, not a surrogate.
void append(std::string& out, char32_t code);

}  // namespace creto::utf8
