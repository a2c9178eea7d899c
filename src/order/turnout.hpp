// TurnoutBook: which seats' votes for the latest final blocks came here, and what a leader says of it.
//
// Why      Who votes late, against everything or not at all signs nothing that proves it. The seats
//          tell each other in their blocks what they got; what most of them agree on is a suspicion.
// Holds    [STAND-REPORT.1] A vote counts here when it came over its own seat's link, whether its
//          signature was worth a check or not. A report is about the newest final block whose first
//          vote came `after` ago, so that slow is not absent; it is made once in `every`, so that a
//          report weighs the same however fast blocks follow; and not at all by who got fewer votes
//          than the block must have had: it was not listening.
// Units    Heights, views, seats.
// Cost     O(log views) a vote; 8 bytes for each seat and view, limits::turnout_views_max views.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "model/block.hpp"

namespace creto::simplex {

class TurnoutBook {
public:
    struct Options {
        Duration after = Duration::from_s(1);
        Duration every = Duration::from_s(1);
    };
    explicit TurnoutBook(Options options) : options_{options} {}

    /// Votes of this epoch count from now on; those of earlier ones as long as they can be reported.
    void enter(const Roster& roster);
    /// What this agent said as that seat. Of no matter unless it is the seat's own, and a notarize or
    /// finalize vote of a known epoch.
    void note(const AgentId& from, Seat seat, const VoteContent& content, Instant now);
    /// In height order. Blocks of whose votes nothing came are not remembered.
    void on_final(const Block& block, const BlockId& id);
    /// What `self` has to say now, once.
    [[nodiscard]] std::optional<Turnout> report(Seat self, Instant now);

    [[nodiscard]] std::size_t held() const { return views_.size(); }

private:
    using Key = std::pair<Epoch, View>;
    struct Voters {
        std::vector<std::pair<Seat, AgentId>> members;  ///< By seat.
        std::uint32_t quorum = 0;
    };
    struct Votes {
        Instant first;
        /// What each member voted for: the first bytes of a block's id; 0 for nothing yet.
        std::vector<std::uint64_t> said;
    };
    struct Final {
        Height height;
        Key key;
        std::uint64_t block = 0;  ///< The first bytes of its id.
    };

    Options options_;
    std::map<Epoch, Voters> epochs_;
    std::map<Key, Votes> views_;
    std::deque<Final> finals_;
    Instant next_ = Instant::from_ns(0);
};

}  // namespace creto::simplex
