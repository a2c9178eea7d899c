// Upper and lower case of one code point.
//
// Holds    The simple mappings of Unicode for the Latin (to U+017F), Greek and Cyrillic letters (to
//          U+04BF); every other code point stays as it is. Fixed for ever: a table that grew with
//          each edition of Unicode would make two versions of a tool disagree.
#pragma once

namespace creto {

[[nodiscard]] char32_t to_upper(char32_t code);
[[nodiscard]] char32_t to_lower(char32_t code);

}  // namespace creto
