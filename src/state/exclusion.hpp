// Exclusion: an agent that was proven to have lied, with the reason in words and the proof.
//
// Holds    The reason is a function of the proof, so all nodes name the agent in the same words.
#pragma once

#include <optional>
#include <string>

#include "model/operation.hpp"

namespace creto {

struct Exclusion {
    AgentId agent;
    Height height;
    OperationId operation;             ///< That brought the proof.
    std::string reason;                ///< For people.
    std::optional<Evidence> evidence;  ///< Kept for members of the roster.

    friend bool operator==(const Exclusion&, const Exclusion&) = default;
};

/// What the proof shows, in one sentence: "signed two notarize votes for view 3 ...".
[[nodiscard]] std::string describe(const Evidence& evidence);

void encode(Writer& w, const Exclusion& v);
void decode(Reader& r, Exclusion& v);

}  // namespace creto
