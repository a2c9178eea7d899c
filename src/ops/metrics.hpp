// Metrics: what a node counts, in Prometheus' text format.
//
// Why      Operators look at counters that rise with load, with the tools that they have.
// Holds    Names follow Prometheus: creto_ in front, _total behind what only rises, base units.
#pragma once

#include <memory>
#include <string>

#include "model/command.hpp"
#include "runtime/node_host.hpp"

namespace creto {

/// The whole page. Call on the protocol thread.
[[nodiscard]] std::string metrics_text(const NodeHost& host);

}  // namespace creto
