// Mistaken: a node with one planted bug between it and its host. Private to life/.
#pragma once

#include <memory>

#include "sim/life/planted.hpp"

namespace creto {

/// `thrown` outlives single lives: what a function of events must not look at.
[[nodiscard]] std::unique_ptr<Participant> mistaken(
    PlantedBug bug, const ParticipantParts& parts, std::shared_ptr<std::uint64_t> thrown
);

}  // namespace creto
