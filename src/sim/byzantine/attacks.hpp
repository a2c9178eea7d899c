// The attacks that do more than change a vote, each made by its own function. Private to byzantine/.
#pragma once

#include <memory>

#include "sim/participant.hpp"

namespace creto::attacks {

using Inner = std::unique_ptr<Participant>;

// liars.cpp
[[nodiscard]] Inner forked_lane(Inner inner, const ParticipantParts& parts);
[[nodiscard]] Inner collusion(Inner inner, const ParticipantParts& parts);
// spammers.cpp
[[nodiscard]] Inner stale_replay(Inner inner, const ParticipantParts& parts);
[[nodiscard]] Inner future_spam(Inner inner, const ParticipantParts& parts);
[[nodiscard]] Inner forged_evidence(Inner inner, const ParticipantParts& parts);
[[nodiscard]] Inner sybil(Inner inner, const ParticipantParts& parts);
// delayers.cpp
[[nodiscard]] Inner slow_walk(Inner inner, const ParticipantParts& parts);
[[nodiscard]] Inner selective_delay(Inner inner, const ParticipantParts& parts);

}  // namespace creto::attacks
