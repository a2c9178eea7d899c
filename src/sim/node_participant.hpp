// NodeParticipant: a node that keeps to the rules.
#pragma once

#include <memory>

#include "sim/participant.hpp"

namespace creto {

class NodeParticipant final : public Participant {
public:
    explicit NodeParticipant(const ParticipantParts& parts)
        : node_{parts.options, parts.signer, parts.log} {}

    [[nodiscard]] Result<void> restore(const StoreView& store, const VoteLogContents& votes)
        override {
        return node_.restore(store, votes);
    }
    [[nodiscard]] std::vector<Effect> on_event(const Event& event, Instant now) override {
        return node_.on_event(event, now);
    }
    void reuse(std::vector<Effect> spent) override { node_.reuse(std::move(spent)); }
    [[nodiscard]] const Node* node() const override { return &node_; }

private:
    Node node_;
};

/// Every participant is a node that keeps to the rules.
[[nodiscard]] ParticipantFactory honest_nodes();

}  // namespace creto
