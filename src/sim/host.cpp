#include "sim/host.hpp"

namespace creto {

void SimHost::wait(WaitingEvent event) {
    if (const auto* received = std::get_if<Received>(&event.event)) {
        const AgentId from = received->from;
        const Channel channel = received->channel;
        const std::size_t bytes = received->message->size();
        life->inbound.push(from, channel, bytes, std::move(event));
        return;
    }
    if (const auto* down = std::get_if<PeerDown>(&event.event)) {
        const AgentId peer = down->peer;
        if (life->inbound.push_link(peer, event)) return;
    } else if (const auto* up = std::get_if<PeerUp>(&event.event)) {
        const AgentId peer = up->peer;
        if (life->inbound.push_link(peer, event)) return;
    }
    life->inbox.push_back(std::move(event));
}

WaitingEvent SimHost::Life::next_waiting() {
    constexpr std::uint32_t turn = 8;  // As the real host has.
    const bool is_own = inbound.empty() || (!inbox.empty() && inbox_in_a_row < turn);
    if (!is_own) {
        inbox_in_a_row = 0;
        return inbound.pop().item;
    }
    ++inbox_in_a_row;
    WaitingEvent next = std::move(inbox.front());
    inbox.pop_front();
    return next;
}

}  // namespace creto
