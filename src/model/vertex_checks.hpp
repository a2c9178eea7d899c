// Which signatures a vertex rests on: its author's, its clients', and those inside its proofs.
//
// Why      Verify at the door: whoever stores a vertex has checked everything that is signed in it,
//          so that executing it later needs no signature check.
// Holds    The same answer at every node that has the same roster. An operation without a signature
//          is its lane owner's own; any other makes the whole vertex invalid.
#pragma once

#include <optional>
#include <vector>

#include "model/checks.hpp"
#include "model/genesis.hpp"
#include "model/vertex.hpp"

namespace creto {

/// The signatures that must hold for the vertex to be valid. None when it is invalid whatever they
/// are: its lane is not in the roster, or a receipt or proof inside it is wrong in form.
[[nodiscard]] std::optional<std::vector<CheckItem>> signatures_of(
    const SealedVertex& vertex, const Roster& roster
);

/// The same of one operation, before a seat puts it into its lane: one whose signatures do not hold
/// would make the vertex invalid.
[[nodiscard]] std::optional<std::vector<CheckItem>> signatures_of(
    const Operation& operation, const Roster& roster
);

}  // namespace creto
