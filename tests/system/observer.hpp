// Observer: stands outside, keeps every signed vote and vertex that it saw, and says what contradicts.
//
// Why      A node's own log cannot testify about what was signed before the crash that lost it.
// How      A RawPeer with a seat of its own: every node sends it every vote directly, over Noise. It
//          never votes, so its views time out and Nullify votes are part of every run.
// Oracle   Its own arithmetic over what was said, with nothing of order/: by seat, view and kind one
//          content; never Finalize and Nullify; one vertex at a place of a lane; one block for a view
//          that a quorum's Finalize votes name.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "model/message.hpp"
#include "system/raw_peer.hpp"

namespace creto::system_test {

class Observer {
public:
    /// Nothing is checked before use_roster().
    explicit Observer(const KeySeed& key);

    [[nodiscard]] const AgentId& agent() const { return peer_.agent(); }
    void use_roster(const Genesis& genesis);
    [[nodiscard]] RawPeer& peer() { return peer_; }

    struct Report {
        std::uint64_t messages = 0;
        std::uint64_t votes = 0;     ///< Distinct, with a signature that holds.
        std::uint64_t vertices = 0;  ///< Distinct places in lanes.
        std::map<View, BlockId> final_views;
        std::vector<std::string> contradictions;
    };
    [[nodiscard]] Report report();

private:
    void on_message(const AgentId& from, ByteView bytes);
    void see(const Vote& vote);
    void see(const Certificate& certificate);
    void see(const VertexPtr& vertex);
    void contradiction(std::string what);

    std::mutex mutex_;
    Ed25519Scheme scheme_;
    std::optional<Roster> roster_;
    struct Place {
        Seat seat;
        View view;
        VoteKind kind = VoteKind::notarize;
        friend auto operator<=>(const Place&, const Place&) = default;
    };
    std::map<Place, VoteContent> said_;
    std::map<std::pair<LaneId, Sequence>, VertexId> lanes_;
    Report report_;
    RawPeer peer_;  ///< Last: its thread uses everything above.
};

}  // namespace creto::system_test
