// The page's style and scripts, as they stand beside this file; CMake puts them into the binary
// (cmake/Embed.cmake).
#pragma once

#include <string_view>

namespace creto::embedded {

[[nodiscard]] std::string_view page_css();
[[nodiscard]] std::string_view charts_js();
[[nodiscard]] std::string_view page_js();
/// The last errors of the simulator against real processes; written by `make calibrate`.
[[nodiscard]] std::string_view calibration_json();
/// docs/result.schema.json.
[[nodiscard]] std::string_view result_schema_json();

}  // namespace creto::embedded
