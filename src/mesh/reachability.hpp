// Reachability: which seats this node reaches, and what it concludes: quorum, partition, healing.
//
// Why      Nobody tells a node that it is cut off; it must notice, refuse final writes at once, and
//          notice again when the others are back.
// Source   docs/spec/mesh.md, who is reachable. Nodes gossip whom they hear, as in Rapid (Suresh et
//          al. 2018) many observe one, but each decides for itself and nobody is removed.
// Holds    [CUT-BOTH.1] A seat is reached when this node hears it and it hears this node. It is heard by
//          frames on its own link only: what others pass on of it proves nothing about the way to it.
//          [CUT-SIDES.1] A partition is told, with both sets, when seats that were reached have not
//          been for lost_after and sure_after more, and they are so many that no quorum is left, or
//          a tenth of all, or others hear them. It is told anew when the sets change.
//          [CUT-CALM.1] A silence shorter than that says nothing, and neither does a link that its
//          other end closed, unless that happens to two at once. A node that was woken late gives
//          the others the time that it overslept.
//          [CUT-HEAL.1] Healed is told when every seat of the other side is reached again, or so few
//          are missing that it would not be a partition, and each that came back has compared
//          summaries with this node; among very many, meets_max of them. [CUT-HEAL.2]
//          A silent seat is probed: by the seat before it in the roster after probe_after, by the
//          one behind it, who heard those probes, after twice that.
// Cost     O(n) a tick, O(n^2) bits while seats are missing and it is not a partition yet; a tick
//          when a seat may have become silent, at most every probe_after / 2.
#pragma once

#include <optional>
#include <vector>

#include "base/time.hpp"
#include "model/limits.hpp"
#include "model/message.hpp"
#include "model/notice.hpp"

namespace creto {

struct ReachabilityOptions {
    Duration probe_after = Duration::from_ms(250);
    /// Silence, or four round trips where these are longer.
    Duration lost_after = Duration::from_s(1);
    /// More: a node may stand still for a second, after a pause, and a frame that is lost on top.
    Duration sure_after = Duration::from_ms(750);
    /// From the end of a link until the seat is not reached, unless there is another link.
    Duration link_grace = Duration::from_ms(250);
    /// Seats that were never heard are missing from then on.
    Duration start_patience = Duration::from_s(10);
    /// Woken so much later than it asked, this node was not listening.
    Duration late = Duration::from_ms(200);
    /// With more seats than these, so many of those who came back compare summaries with this node.
    std::size_t meet_all_max = limits::direct_seats_max;
    std::size_t meets_max = 8;
};

class Reachability {
public:
    Reachability(const Roster& roster, std::optional<Seat> self, ReachabilityOptions options);

    /// Another epoch has begun: these are the seats now. What is known of those that stay is kept.
    void set_roster(const Roster& roster, std::optional<Seat> self, Instant now);

    /// A frame of this seat arrived over its own link.
    void heard(Seat seat, Instant now);
    /// This seat says whom it hears.
    void said(Seat seat, const Hearing& hearing, Instant now);
    /// There is a link to this seat; there is none any more.
    void link_up(Seat seat, Instant now);
    void link_down(Seat seat, Instant now);
    /// Others look after this seat as well, and find it alive: it counts as heard while it has a link,
    /// whether it has anything to say to this node or not. [CUT-GROUPS.1]
    void set_alive(Seat seat, bool is_alive, Instant now);
    /// This seat answered a probe that was sent at `sent`.
    void round_trip(Seat seat, Instant sent, Instant now);
    /// This seat's lane summary was compared with ours.
    void summary_met(Seat seat);

    struct Tick {
        std::vector<Seat> probe;      ///< Ask them, and tell them hearing().
        std::vector<Seat> summarise;  ///< They came back: compare summaries with them.
        std::optional<Partitioned> partitioned;
        std::optional<Healed> healed;
    };
    /// Looks at the clock. Call at next_tick().
    [[nodiscard]] Tick on_time(Instant now);
    [[nodiscard]] Instant next_tick() const { return next_tick_; }

    /// What this node tells others.
    [[nodiscard]] const Hearing& hearing(Instant now);

    [[nodiscard]] bool is_reachable(Seat seat) const;
    /// False when the seat said so itself, or when nothing is known of it.
    [[nodiscard]] bool hears_us(Seat seat) const;
    /// Seats reached, this node's own included.
    [[nodiscard]] std::uint32_t reachable() const { return reachable_; }
    [[nodiscard]] bool has_quorum() const { return reachable_ >= roster_->quorum().q; }
    [[nodiscard]] bool partitioned() const { return partitioned_; }
    /// Both sets as they are now.
    [[nodiscard]] Partitioned sides() const;
    /// "no quorum: 2 of 5 validators reachable, 3 needed"
    [[nodiscard]] std::string no_quorum_message() const;

private:
    enum class Loss : std::uint8_t {
        none,    ///< Reached, or never was.
        silent,  ///< Nothing more came, or it says that it does not hear us.
        closed,  ///< Its end of the link said goodbye, as that of a process that ends.
    };
    struct Peer {
        Instant heard;
        Instant probed;
        Instant since;                ///< Of `reachable`, or when it got its seat.
        Duration round_trip;          ///< Smoothed; 0 until measured.
        std::optional<Instant> down;  ///< Since when there is no link, after there was one.
        std::optional<Instant> said_at;
        std::optional<Instant> asked_summary;
        bool ever = false;
        bool alive = false;    ///< As set_alive() said.
        bool hears = false;    ///< We hear it.
        bool hears_us = true;  ///< Unless it says otherwise.
        bool reachable = false;
        bool goodbye = false;  ///< Its link ended while it was heard.
        bool vouched = false;  ///< Others heard it after we did not; until it is back.
        bool unmet = false;    ///< Lost before, reached again, summary not met yet.
        bool tell = false;     ///< It does not know yet whether we hear it.
        Loss loss = Loss::none;
    };
    [[nodiscard]] bool is_self(std::uint32_t index) const { return self_ && *self_ == index; }
    [[nodiscard]] Duration window(const Peer& peer) const;
    [[nodiscard]] bool missing(const Peer& peer, Instant now) const;
    [[nodiscard]] bool is_apart(Instant now) const;
    [[nodiscard]] bool is_settled(Instant now) const;
    [[nodiscard]] bool is_complete(Instant now) const;
    /// What it said last is about now.
    [[nodiscard]] bool is_fresh(const Peer& peer, Instant now) const;
    [[nodiscard]] Instant vouched_from(const Peer& lost) const;
    void count_vouchers(const SeatSet& lost, Instant earliest, Instant now);
    void hear(Peer& peer, Instant now);
    /// When what is new now is looked at.
    [[nodiscard]] Instant soon(Instant now) const;
    void sees(Peer& peer, Instant now);
    /// Among very many seats hearing() follows what changes between two looks at all.
    void follow(const Peer& peer, bool is_heard);
    void oversleep(Instant now);
    /// Enough of those who came back have met this node.
    [[nodiscard]] bool has_met_enough() const {
        return peers_.size() > options_.meet_all_max && met_ >= options_.meets_max;
    }
    void meet(Instant now, Tick& tick);
    void look(Peer& peer, Instant now);
    [[nodiscard]] bool look_for_vouchers(Instant now);
    void conclude(Instant now, Tick& tick);
    void ask(std::uint32_t index, Instant now, bool curious, Tick& tick);
    [[nodiscard]] Duration pause(const Peer& peer, Instant now) const;
    [[nodiscard]] Instant next_change(const Peer& peer, Instant now) const;

    const Roster* roster_;
    std::optional<std::uint32_t> self_;
    ReachabilityOptions options_;
    std::vector<Peer> peers_;              ///< By roster index.
    std::vector<SeatSet> lately_;          ///< Whom each heard lately, as it said; by roster index.
    std::vector<std::uint32_t> vouchers_;  ///< Of each that is lost, at the last look.
    std::uint32_t reachable_ = 0;
    std::size_t met_ = 0;  ///< Of those who came back, since none was left to be met.
    bool partitioned_ = false;
    SeatSet told_;  ///< The lost ones, as told last.
    Hearing hearing_;
    std::optional<Instant> hearing_at_;  ///< When all were looked at for it.
    std::optional<Instant> started_;
    Instant next_tick_;
    Instant due_;  ///< As on_time() left it; others only hurry.
};

}  // namespace creto
