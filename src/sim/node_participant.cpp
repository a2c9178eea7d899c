#include "sim/node_participant.hpp"

namespace creto {

ParticipantFactory honest_nodes() {
    return [](const ParticipantParts& parts) -> std::unique_ptr<Participant> {
        return std::make_unique<NodeParticipant>(parts);
    };
}

}  // namespace creto
