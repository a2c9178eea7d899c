// Flooder: a participant that, when it is told to, calls another without waiting for answers.
//
// Why      A node that keeps to the rules waits for answers and hears refusals; a peer need not.
// Use      A command that calls the tool `flood_word` of an agent; its arguments say how many calls.
#pragma once

#include <memory>

#include "sim/participant.hpp"

namespace creto {

class Flooder final : public Participant {
public:
    static constexpr const char* flood_word = "flood";

    explicit Flooder(std::unique_ptr<Participant> inner) : inner_{std::move(inner)} {}
    [[nodiscard]] Result<void> restore(const StoreView& store, const VoteLogContents& votes)
        override {
        return inner_->restore(store, votes);
    }
    [[nodiscard]] std::vector<Effect> on_event(const Event& event, Instant now) override;
    void reuse(std::vector<Effect> spent) override { inner_->reuse(std::move(spent)); }
    [[nodiscard]] const Node* node() const override { return inner_->node(); }
    [[nodiscard]] std::size_t held_bytes() const override { return inner_->held_bytes(); }

private:
    std::unique_ptr<Participant> inner_;
    std::uint64_t id_ = 1ULL << 40U;
};

}  // namespace creto
