// Deviation: what attacks have in common: a node inside, and a hand on what it sends.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "sim/participant.hpp"

namespace creto {

class Deviation : public Participant {
public:
    Deviation(std::unique_ptr<Participant> inner, const ParticipantParts& parts);

    [[nodiscard]] Result<void> restore(const StoreView& store, const VoteLogContents& votes)
        override {
        return inner_->restore(store, votes);
    }
    [[nodiscard]] std::vector<Effect> on_event(const Event& event, Instant now) override;
    [[nodiscard]] const Node* node() const override { return inner_->node(); }

protected:
    /// Sees a message that arrived, before the node does; may say something of its own.
    virtual void on_received(const Message& message, std::vector<Effect>& out);
    /// Puts what shall leave in place of what the node wanted to send; nothing to keep it back.
    virtual void on_sending(Send send, const Message& message, std::vector<Effect>& out) = 0;

    [[nodiscard]] std::optional<Seat> seat() const { return seat_; }
    [[nodiscard]] const Roster& roster() const { return roster_; }
    /// A vote of the own seat with a good signature. Requires: seat().
    [[nodiscard]] Vote sign(const VoteContent& content) const;
    [[nodiscard]] Proposal sign(const Block& block) const;
    /// Halves that stay the same for the whole run: seats with an odd place in the roster.
    [[nodiscard]] bool is_in_second_half(const AgentId& agent) const;
    /// The own vote in a message: a vote, or a proposal's; none if it holds another's.
    [[nodiscard]] std::optional<VoteContent> own_vote(const Message& message) const;
    [[nodiscard]] static Send replace(Send send, const Message& message);
    [[nodiscard]] static VoteContent nullify(const VoteContent& instead);
    [[nodiscard]] std::uint64_t seed() const { return seed_; }
    [[nodiscard]] const Signer& signer() const { return signer_; }

private:
    std::unique_ptr<Participant> inner_;
    const Signer& signer_;
    Roster roster_;
    std::optional<Seat> seat_;
    std::uint64_t seed_;
};

}  // namespace creto
