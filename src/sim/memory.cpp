#include "sim/memory.hpp"

namespace creto {

std::size_t held_bytes(const SimHost& host) {
    if (!host.life) return 0;
    const SimHost::Life& life = *host.life;
    std::size_t held = life.participant->held_bytes();
    for (const Send& send : life.held)
        held += send.message->size();
    if (host.is_paused) return held;
    for (std::size_t i = 0; i < life.inbox.size(); ++i)
        if (const auto* received = std::get_if<Received>(&life.inbox[i].event))
            held += received->message->size();
    life.inbound.for_each([&](const WaitingEvent& waiting) {
        if (const auto* received = std::get_if<Received>(&waiting.event))
            held += received->message->size();
    });
    return held;
}

}  // namespace creto
