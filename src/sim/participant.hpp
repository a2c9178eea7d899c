// Participant: what a simulated host drives: a node, or a node that deviates.
//
// Why      A Byzantine player is a real node with something between it and its host, so that it
//          knows all that a node knows and signs with a real key.
// Holds    The same rules as Node: same events with the same instants, same effects.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/log.hpp"
#include "link/node_pair.hpp"
#include "node/node.hpp"

namespace creto {

/// What a participant is made of, at every start anew.
struct ParticipantParts {
    NodeIndex index;
    std::uint32_t boot = 0;  ///< 0 at the first start.
    NodeOptions options;
    const Signer& signer;  ///< Outlives the participant, like the log.
    Log& log;
    std::vector<AgentId> accomplices;  ///< Who deviates in the same way, for attacks that conspire.
};

class Participant {
public:
    Participant() = default;
    Participant(const Participant&) = delete;
    Participant& operator=(const Participant&) = delete;
    virtual ~Participant() = default;

    [[nodiscard]] virtual Result<void> restore(
        const StoreView& store, const VoteLogContents& votes
    ) = 0;
    [[nodiscard]] virtual std::vector<Effect> on_event(const Event& event, Instant now) = 0;
    /// Takes back the memory of a list that was carried out; whoever has no use for it drops it.
    virtual void reuse(std::vector<Effect> /*spent*/) {}
    /// The node inside, for checkers and tests; null if there is none.
    [[nodiscard]] virtual const Node* node() const { return nullptr; }
    /// What it holds in memory.
    [[nodiscard]] virtual std::size_t held_bytes() const {
        return node() == nullptr ? 0 : node()->held_bytes();
    }
};

using ParticipantFactory = std::function<std::unique_ptr<Participant>(const ParticipantParts&)>;

}  // namespace creto
