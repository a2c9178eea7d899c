// Schedules as JSON: what a failing life leaves behind, and what tests/corpus/sim/ holds.
//
// Errors   invalid: not JSON, over limits::schedule_bytes_max, a key that is unknown or of another
//          type, or what check() refuses. What is absent has its default.
#pragma once

#include <string>
#include <string_view>

#include "sim/life/schedule.hpp"

namespace creto {

/// One fault a line, so that two schedules can be compared.
[[nodiscard]] std::string to_json(const Schedule& schedule);
[[nodiscard]] Result<Schedule> parse_schedule(std::string_view text);

}  // namespace creto
