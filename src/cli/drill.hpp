// Drill: a tool that lies on purpose, for exercises.
//
// Why      Detection is shown on real processes whose tools really answer wrongly; nothing tells the
//          others which they are.
// Kinds    times:K     numbers K-fold          constant:TEXT  always the same JSON
//          half:K      every second answer K-fold
//          hang        never answers           throw          throws
//          garbage     breaks its own output schema
//          reword      texts louder: no lie to a judge
#pragma once

#include <string>

#include "tools/registry.hpp"

namespace creto {

/// The tool as it is for an empty kind; else one with the same contract that deviates.
[[nodiscard]] Result<Tool> drill(Tool tool, const std::string& kind);

}  // namespace creto
