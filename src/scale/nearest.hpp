// Nearest: the known word that somebody may have meant.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace creto {

/// The word of the list that is reached with the fewest insertions, removals and changes of a letter;
/// none when that takes more than `most`.
[[nodiscard]] std::optional<std::string> nearest(
    const std::string& word, const std::vector<std::string>& known, std::size_t most
);

}  // namespace creto
