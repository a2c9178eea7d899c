// `creto demo`: the system scenarios on real processes.
#pragma once

#include <string>
#include <vector>

#include "cli/output.hpp"

namespace creto {

int command_demo(const std::vector<std::string>& names, bool list, const Output& output);

}  // namespace creto
