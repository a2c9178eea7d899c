// Uri: resolves the references between the parts of one schema document.
//
// Source   RFC 3986, sections 3 and 5.2. Nothing is ever fetched.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace creto::uri {

struct Split {
    std::string_view address;   ///< All before the first '#'.
    std::string_view fragment;  ///< All behind it; empty when there is none.
};
[[nodiscard]] Split split(std::string_view reference);

/// The address that `reference` (without fragment) means where `base` is the address.
[[nodiscard]] std::string resolve(std::string_view base, std::string_view reference);

/// %XX read back; none when a % is not followed by two hexadecimal digits.
[[nodiscard]] std::optional<std::string> percent_decoded(std::string_view text);

}  // namespace creto::uri
