// Accountability: lies that honest nodes were told, and whether each was answered with a proof.
//
// Why      Whoever tells one honest node two stories must be found out, everywhere, and nobody may
//          have to take that node's word for it.
// Holds    A2  One honest node is handed two votes of one seat that no correct seat signs together,
//              while by its own account it has not left their view. If it lives on, every reliable
//              node has excluded that seat when the life is over.
//              Two stories told to two nodes, one each, are no promise: votes are not passed on.
//              They are counted, and so is how many of those seats were proven.
// Cost     O(log) for a vote that a liar sent; nothing for others. A status for each pair.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "link/node_pair.hpp"
#include "model/message.hpp"

namespace creto {

/// A lie that must be proven.
struct SeenLie {
    NodeIndex witness;
    std::uint32_t boot = 0;  ///< The witness's life in which it saw both.
    Seat liar;
    View view;
};
/// Where a vote, or a node, stands.
using EpochView = std::pair<Epoch, View>;

class Accountability {
public:
    /// An honest node handles a message that a liar sent. `view_of` asks the node where it is; only
    /// called for a lie.
    void on_heard(
        NodeIndex node,
        std::uint32_t boot,
        const Message& message,
        const std::function<EpochView()>& view_of
    );

    /// The first of each witness and liar.
    [[nodiscard]] const std::vector<SeenLie>& seen() const { return seen_; }
    /// Seats that told two honest nodes, or one, two stories.
    [[nodiscard]] const std::set<Seat>& two_faced() const { return two_faced_; }

private:
    static constexpr std::size_t views_kept = 256;
    static constexpr std::size_t kinds = 3;
    using Said = std::array<std::optional<VoteContent>, kinds>;
    struct Heard {
        std::uint32_t boot = 0;
        std::map<EpochView, Said> by_view;
    };

    void on_vote(
        NodeIndex node,
        std::uint32_t boot,
        const Vote& vote,
        const std::function<EpochView()>& view_of
    );

    std::map<std::pair<NodeIndex, Seat>, Heard> heard_;
    std::map<Seat, std::map<EpochView, Said>> told_;
    std::vector<SeenLie> seen_;
    std::set<std::pair<NodeIndex, Seat>> noted_;
    std::set<Seat> two_faced_;
};

}  // namespace creto
