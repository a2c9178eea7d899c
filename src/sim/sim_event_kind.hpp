// SimEventKind: what an event of the queue is about, packed beside its number.
#pragma once

#include <cstdint>

namespace creto {

enum class SimEventKind : std::uint8_t {
    deliver,   ///< A message reaches its receiver.
    downlink,  ///< A message reaches its receiver's downlink queue.
    link,      ///< A connection is made, found broken or closed.
    local,     ///< Something of the host's own reaches its node.
    durable,   ///< A sync has ended.
    wake,      ///< A node's timer.
    checked,   ///< A batch of signatures is checked.
    finish,    ///< A node's processor is done with an event.
    action,    ///< Whoever drives the run does something.
};

struct SimEventTag {
    SimEventKind kind = SimEventKind::deliver;
    std::uint32_t place = 0;  ///< In the slab of its kind.

    [[nodiscard]] constexpr std::uint64_t packed() const {
        return (static_cast<std::uint64_t>(kind) << 32U) | place;
    }
    [[nodiscard]] static constexpr SimEventTag unpack(std::uint64_t payload) {
        return {
            static_cast<SimEventKind>(payload >> 32U),
            static_cast<std::uint32_t>(payload & 0xFFFFFFFFU)};
    }
};

}  // namespace creto
