// Pacemaker: how long a view may take, and when to say it again.
//
// Why      Timers never decide anything: they only make this seat give its view up. Too short, and
//          every view ends in nullifications; too long, and a dead leader costs too much.
// Source   Rules E2, E4, X3, F4 and L15 in docs/spec/ordering.md.
// Holds    [ORD-E4.1] delta doubles from the second nullified view in a row on, up to delta_max, and
//          falls back on a finalisation or when seats return up to a quorum. What views took lately
//          sets a floor, so that a slow network is not timed out again and again: where links
//          differ, so do views, by their leaders. The slowest t of a round of leaders do not count,
//          or a liar could be slower each time; through groups as many of those that are known.
//          [ORD-V1.10] Through groups turns are shorter than the first guess, once so many views have
//          shown what they take: of a third of lying leaders each costs little more than a view.
//          [ORD-L15.1] without work no timer of a view runs, except the heartbeat.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "base/assert.hpp"
#include "base/time.hpp"

namespace creto::simplex {

class Pacemaker {
public:
    struct Options {
        Duration delta;
        Duration delta_max;
        Duration heartbeat;
        Duration view_interval;
        std::uint32_t leaders = 1;  ///< Views that the floor looks back on.
        std::uint32_t liars = 0;    ///< How many of them may have a leader that lies; fewer.
        bool in_terms = false;      ///< A leader has more than one view in a row.
        bool through_groups = false;
    };
    /// Views that were notarized before a turn can be short, and given up in a row before none is.
    static constexpr std::uint32_t views_learned = 24;
    static constexpr std::uint32_t views_unlearned = 10;
    explicit Pacemaker(const Options& options)
        : options_{options}, delta_{options.delta}, took_(options.leaders) {
        CRETO_ASSERT(options.liars < options.leaders);
    }

    /// Goes on with the patience that the epoch before has learned.
    void succeed(const Pacemaker& before);

    enum class Entered : std::uint8_t {
        by_progress,
        by_timeout,  ///< By a nullification that cost patience.
        by_skip,     ///< By the nullification of a leader that was not waited for.
    };
    /// `turn`: of this view's leader, as SeatsHeard::next_turn() has it.
    void enter(Entered how, Instant now, std::uint32_t turn = 0);
    /// There is something to decide in this view: its timers run from now on.
    void work(Instant now);
    /// The current view was notarized: what it took is what views take. True when a short turn would have
    /// done. O(leaders).
    bool notarized(Instant now);
    /// A finalisation: patience starts over.
    void finalized();
    /// A quorum of seats is back: what views took before says nothing any more. Once between two
    /// finalisations: where messages come late, seats seem to go and to come back all the time, and
    /// patience that starts over with each of them never lasts long enough to decide anything.
    void quorum_back();

    /// Of this view; 0, as long as it is not known what views take.
    [[nodiscard]] std::uint32_t turn() const { return knows_views() ? turn_ : 0; }
    [[nodiscard]] bool working() const { return work_at_.has_value(); }
    [[nodiscard]] Duration delta() const { return std::max(delta_, floor_); }
    [[nodiscard]] Instant entered_at() const { return entered_at_; }
    [[nodiscard]] Instant heartbeat_at() const { return entered_at_ + options_.heartbeat; }
    /// When the view is given up without a proposal, and with one. Never, without work.
    [[nodiscard]] Instant leader_deadline() const { return deadline(2, 1); }
    [[nodiscard]] Instant view_deadline() const { return deadline(3, 2); }

    /// Time between repeats of what was said already.
    [[nodiscard]] Duration retry() const { return std::min(delta() * 2, options_.delta_max); }
    /// How long a notarized block may stay unfinalised before its votes are repeated.
    [[nodiscard]] Duration finality_patience() const { return delta() * 4; }
    /// How long the views of a term may pass without one of them becoming final: votes are repeated
    /// twice before. [ORD-T5.1]
    [[nodiscard]] Duration stall_patience() const { return finality_patience() * 2; }

private:
    /// After so many deltas, or after so often what views take.
    [[nodiscard]] Instant deadline(std::int64_t deltas, std::int64_t views) const {
        if (!work_at_) return Instant::max();
        const Duration whole = delta() * deltas + options_.view_interval;
        // What views took has the interval in it.
        if (turn() > 0) return *work_at_ + std::min(known_ * turn_ * views, whole);
        return *work_at_ + whole;
    }

    void start_over();
    [[nodiscard]] bool knows_views() const {
        return options_.through_groups && learned_ >= views_learned;
    }

    Options options_;
    Duration delta_;
    Duration floor_;
    std::vector<Duration> took_;  ///< By the last notarized views with work, a ring.
    std::size_t next_took_ = 0;
    std::size_t filled_ = 0;     ///< Of took_.
    std::uint32_t learned_ = 0;  ///< Notarized views, up to views_learned.
    Duration known_;             ///< What views take, as far as that is known.
    std::uint32_t turn_ = 0;
    std::uint32_t lost_ = 0;      ///< Turns in a row, while it is known what views take.
    std::uint32_t timeouts_ = 0;  ///< Views in a row that ended in a timeout.
    bool may_start_over_ = true;  ///< No quorum came back since the last finalisation.
    Instant entered_at_;
    std::optional<Instant> work_at_;
};

}  // namespace creto::simplex
