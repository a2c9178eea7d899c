// RumourQueue: what this node has to tell of others' lives, for the pings that it sends anyway.
//
// Why      News cost no message of their own, so that they cannot be made to cost many.
// Source   SWIM (Das, Gupta, Motivala 2002), section 4.1: news ride on pings, the least told first,
//          and are dropped after some multiple of log n.
// Holds    One rumour about an agent, the newest. At most `held_max`; the most told goes first.
// Cost     O(rumours) a message; usually there are none.
#pragma once

#include <cstdint>
#include <vector>

#include "model/ping.hpp"

namespace creto {

class RumourQueue {
public:
    static constexpr std::size_t held_max = 256;

    /// In place of what was to be told about the same agent, unless that is as new.
    void tell(const Suspicion& suspicion);
    void tell(const Alive& alive);
    /// The agent is not suspected any more.
    void forget_suspicion(const AgentId& agent);

    /// What goes with one message in a network of so many agents.
    [[nodiscard]] Rumours take(std::size_t agents);
    [[nodiscard]] std::size_t size() const { return held_.size(); }

private:
    enum class Kind : std::uint8_t { suspicion, alive };
    struct Held {
        Kind kind = Kind::suspicion;
        Alive said;  ///< Without a signature when it is a suspicion.
        std::uint32_t told = 0;
    };
    void put(Held rumour);

    std::vector<Held> held_;  ///< The least told first.
};

}  // namespace creto
