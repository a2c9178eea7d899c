// CheckpointFetch: takes a checkpoint over from a peer, part by part.
//
// Why      What lies below the peers' checkpoints cannot be executed any more: the state is taken over.
// Holds    One at a time, from the peer that offered it. The offer was proven before it comes here;
//          each part must have the length and the digest that the offer says. Whether the parts are
//          the agreed state shows when all are here: refuse() then makes the next offer come from
//          somebody else. A peer that stays silent for `patience` is left. So each lying peer costs
//          one download at most.
// Cost     Memory: the state, limits::checkpoint_parts_max parts at most.
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "base/time.hpp"
#include "model/effect.hpp"

namespace creto {

class CheckpointFetch {
public:
    struct Arrived {
        AgentId from;
        OfferedCheckpoint offered;
        Bytes state;
    };

    /// `executed`: what this node has executed; an offer that is not above it, or comes from a peer
    /// that was left, is not taken.
    void on_offer(
        const AgentId& from,
        const Checked<const OfferedCheckpoint&>& offered,
        Height executed,
        Instant now,
        Effects& effects
    );
    /// The whole, with the last part.
    [[nodiscard]] std::optional<Arrived> on_part(
        const AgentId& from, const CheckpointPart& part, Instant now, Effects& effects
    );
    void on_peer_down(const AgentId& peer);
    void on_time(Instant now);
    [[nodiscard]] Instant next_wake() const {
        return under_way_ ? under_way_->deadline : Instant::max();
    }
    /// What came from this peer was not what it had offered.
    void refuse(const AgentId& peer) { left_.insert(peer); }

    [[nodiscard]] bool is_under_way() const { return under_way_.has_value(); }

private:
    struct UnderWay {
        AgentId from;
        OfferedCheckpoint offered;
        std::vector<Bytes> parts;
        std::uint32_t arrived = 0;
        std::uint32_t asked = 0;  ///< Parts below were asked for.
        Instant deadline;
    };
    void ask_more(Effects& effects);
    void leave();

    std::optional<UnderWay> under_way_;
    std::set<AgentId> left_;  ///< Until one of the others has served, or nobody else is there.
};

}  // namespace creto
