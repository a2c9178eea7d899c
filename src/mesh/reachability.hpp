// Reachability: which seats this node hears, and what it concludes: quorum, partition, healing.
//
// Why      Nobody tells a node that it is cut off; it must notice, refuse final writes at once, and
//          notice again when the others are back.
// Source   docs/ARCHITECTURE.md, reachability: a bitmap of the seats heard within max(lost_after, 4 round
//          trips).
// Holds    A seat is heard by a direct frame or a valid signature. A partition is the loss of at
//          least max(2, n/10) seats within one window. It is over when fewer than that are missing
//          and the returned seats have exchanged summaries with this node.
//          A silent seat is probed: by the seat before it in the roster after probe_after, by the
//          one behind it, who heard those probes, after twice that.
// Cost     O(n) a tick; a tick when a seat may have become silent, at most every probe_after / 2.
#pragma once

#include <optional>
#include <vector>

#include "base/time.hpp"
#include "model/message.hpp"
#include "model/notice.hpp"

namespace creto {

struct ReachabilityOptions {
    Duration probe_after = Duration::from_ms(250);
    Duration lost_after = Duration::from_s(1);
};

class Reachability {
public:
    Reachability(const Roster& roster, std::optional<Seat> self, ReachabilityOptions options);

    /// Another epoch has begun: these are the seats now. What is known of those that stay is kept.
    void set_roster(const Roster& roster, std::optional<Seat> self);

    /// A frame or valid signature of this seat arrived.
    void heard(Seat seat, Instant now);
    /// This seat answered a probe that was sent at `sent`.
    void round_trip(Seat seat, Instant sent, Instant now);
    /// This seat's lane summary was compared with ours.
    void summary_met(Seat seat);

    struct Tick {
        std::vector<Seat> probe;  ///< Silent for probe_after: ask them.
        std::optional<Partitioned> partitioned;
        std::optional<Healed> healed;
    };
    /// Looks at the clock. Call at next_tick().
    [[nodiscard]] Tick on_time(Instant now);
    [[nodiscard]] Instant next_tick() const { return next_tick_; }

    [[nodiscard]] bool is_reachable(Seat seat) const;
    /// Seats heard in the window, this node's own included.
    [[nodiscard]] std::uint32_t reachable() const { return reachable_; }
    [[nodiscard]] bool has_quorum() const { return reachable_ >= roster_->quorum().q; }
    [[nodiscard]] bool partitioned() const { return partitioned_; }
    /// "no quorum: 2 of 5 validators reachable, 3 needed"
    [[nodiscard]] std::string no_quorum_message() const;

private:
    struct Peer {
        Instant heard;
        Instant probed;
        Duration round_trip;  ///< Smoothed; 0 until measured.
        bool ever = false;
        bool reachable = false;
        bool lost = false;      ///< Was reachable, is not.
        bool returned = false;  ///< Lost before, heard again, summary not met yet.
        Instant lost_at;
    };
    [[nodiscard]] bool is_self(std::uint32_t index) const;
    [[nodiscard]] std::uint32_t partition_threshold() const;
    [[nodiscard]] Duration window(const Peer& peer) const;
    void recount();

    const Roster* roster_;
    std::optional<std::uint32_t> self_;
    ReachabilityOptions options_;
    std::vector<Peer> peers_;  ///< By roster index.
    std::uint32_t reachable_ = 0;
    bool partitioned_ = false;
    Instant next_tick_;
};

}  // namespace creto
