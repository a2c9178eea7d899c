// CheckpointGiver: offers this node's newest checkpoint, and hands out the parts of its state.
//
// Why      Whoever asks for blocks or vertices that are not kept any more cannot be served otherwise.
// Holds    An offer proves itself: headers from the checkpoint's block on, one of them naming its
//          mark, up to one with its finalisation; from memory, or else from the store. Offers and
//          parts are read from the store, a bounded number at once, and each peer gets an offer a
//          second at most.
#pragma once

#include <map>

#include "base/time.hpp"
#include "node/checkpoint/shelf.hpp"

namespace creto {

class CheckpointGiver {
public:
    /// `links`: of the whole chain, by epoch. All outlive this.
    CheckpointGiver(
        const CheckpointShelf& shelf, const Ordering& ordering, const std::vector<RosterLink>& links
    )
        : shelf_{shelf}, ordering_{ordering}, links_{links} {}

    void offer(const AgentId& to, Instant now, Effects& effects);
    void ask(const AgentId& from, const CheckpointRequest& request, Effects& effects);
    void on_peer_down(const AgentId& peer) { offered_.erase(peer); }
    /// True when the answer was to a question of ours.
    [[nodiscard]] bool on_loaded(const Loaded& loaded, Effects& effects);
    [[nodiscard]] std::uint64_t offers() const { return offers_; }

private:
    struct Reading {
        AgentId to;
        Height height;
        std::optional<std::uint32_t> first;  ///< Of the parts; none: headers for an offer.
    };
    void send(const AgentId& to, const Checkpoint& checkpoint, ChainAnswer proof, Effects& effects);
    void read_headers(const AgentId& to, const Checkpoint& checkpoint, Effects& effects);
    void answer_offer(const Reading& reading, const Loaded& loaded, Effects& effects);

    const CheckpointShelf& shelf_;
    const Ordering& ordering_;
    const std::vector<RosterLink>& links_;
    std::map<AgentId, Instant> offered_;  ///< One for each connected peer at most.
    std::map<Ticket, Reading> readings_;
    std::uint64_t offers_ = 0;
};

}  // namespace creto
