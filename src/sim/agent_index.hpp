// AgentIndex: which node of the simulation an agent is.
//
// Why      Every message names its receiver by 32 bytes.
// Holds    Looked up, never listed: nothing depends on the order of the slots.
// Cost     O(1): keys are as good as random already, so their first bytes place them.
#pragma once

#include <bit>
#include <optional>
#include <vector>

#include "base/assert.hpp"
#include "link/node_pair.hpp"
#include "model/ids.hpp"

namespace creto {

class AgentIndex {
public:
    /// Requires: the agents are distinct. The place in the list is the node's index.
    explicit AgentIndex(const std::vector<AgentId>& agents)
        : slots_(std::bit_ceil(2 * agents.size() + 1)) {
        for (std::uint32_t i = 0; i < agents.size(); ++i) {
            Slot& slot = slots_[place_of(agents[i])];
            CRETO_ASSERT(!slot.is_taken);
            slot = {agents[i], NodeIndex{i}, true};
        }
    }

    [[nodiscard]] std::optional<NodeIndex> find(const AgentId& agent) const {
        const Slot& slot = slots_[place_of(agent)];
        return slot.is_taken ? std::optional{slot.node} : std::nullopt;
    }

private:
    struct Slot {
        AgentId agent;
        NodeIndex node;
        bool is_taken = false;
    };
    /// Where the agent is, or would be.
    [[nodiscard]] std::size_t place_of(const AgentId& agent) const {
        std::size_t at = 0;
        for (std::size_t i = 0; i < 8; ++i)
            at = at << 8U | agent.bytes()[i];
        at &= slots_.size() - 1;
        while (slots_[at].is_taken && slots_[at].agent != agent)
            at = (at + 1) & (slots_.size() - 1);
        return at;
    }

    std::vector<Slot> slots_;
};

}  // namespace creto
