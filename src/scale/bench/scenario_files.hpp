// The scenario files and the schema of results, as they are in the tree; CMake puts them into the
// binary (cmake/Embed.cmake).
#pragma once

#include <span>
#include <string_view>

namespace creto::embedded {

struct TextFile {
    std::string_view name;
    std::string_view text;
};

/// Everything of scenarios/.
[[nodiscard]] std::span<const TextFile> scenario_files();

}  // namespace creto::embedded
