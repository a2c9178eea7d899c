// RootBook: who takes part in the views of which this seat makes certificates, and what it says of that.
//
// Why      Through groups nobody gets all votes. But two leaders get them for each view, and in a round of
//          leaders everybody is one of these twice: what each of them misses often is enough to know who
//          obstructs, if most of them miss the same.
// Source   TurnoutBook, for votes of all to all; docs/decisions/0037-who-votes-through-groups.md.
// Holds    [STAND-REPORT.2] A seat looks at views that it leads, or after which it leads the next term; in
//          a term at one view of eight, the first among them. It took part who voted for the final block: the
//          vote is signed, or came over the seat's own link. What counts is what came within `after` of the
//          vote that made t+1; and a view counts not at all with fewer votes than the block must have had.
//          Reports are about the last 8 to 16 such views: who misses a quarter more of them than the
//          median of all is named, until it is less than an eighth more; at most n - q, the worst first; and
//          who has missed each of the last four is called absent.
// Units    Members are places in the roster; shares in millionths.
// Cost     O(1) a vote; O(n) for each view looked at and each report. Held: 8 bytes for each seat, and for
//          each seat and view that is open, of which there are `open_max`.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/time.hpp"
#include "model/block.hpp"
#include "model/leader.hpp"

namespace creto::simplex {

class RootBook {
public:
    struct Options {
        Duration after;
        Duration every;
    };
    static constexpr std::uint32_t views_window = 16;
    static constexpr std::uint32_t views_least = 8;
    static constexpr std::uint32_t views_absent = 4;
    static constexpr std::uint32_t often_ppm = 250'000;
    static constexpr std::uint64_t views_apart = 8;  ///< In a term.
    static constexpr std::size_t open_max = 64;

    explicit RootBook(Options options) : options_{options} {}

    /// Views of this epoch count from now on, those that are open no more; what was seen of its seats
    /// stays. Without a seat, and where votes are direct, this one looks at nothing.
    void enter(const Roster& roster, std::optional<Seat> self);
    /// This seat looks at the votes of this view.
    [[nodiscard]] bool covers(View view) const;
    /// What this member said. Requires: a vote of this epoch that is signed, or came from the member.
    void note(const VoteContent& content, std::uint32_t member, Instant now);
    void note(const PartialCertificate& partial, Instant now);
    /// Whether a vote of a member is in it of whom nothing is known, in a view that counts.
    [[nodiscard]] bool lacks(const PartialCertificate& partial) const;
    /// In height order.
    void on_final(const Block& block, const BlockId& id);
    /// Closes views whose time is over. O(1) when there is none.
    void look(Instant now);
    /// What this seat has to say now, once.
    [[nodiscard]] std::optional<Turnout> report(Instant now);

    [[nodiscard]] std::size_t held() const { return open_.size(); }

private:
    struct Member {
        Seat seat;
        std::uint16_t missed = 0;  ///< A bit for each of the last views, the latest lowest.
        std::uint8_t views = 0;    ///< How many of them count, up to views_window.
        bool named = false;        ///< In the last report.
        [[nodiscard]] std::uint32_t missed_ppm() const;
    };
    struct Final {
        Height height;
        std::uint64_t block = 0;  ///< The first bytes of its id.
    };
    struct Open {
        Instant since;  ///< At the latest an honest seat had voted.
        std::uint32_t votes = 0;
        /// What each member voted for: the first bytes of a block's id; 0 for nothing yet.
        std::vector<std::uint64_t> said;
        std::optional<Final> final;
    };
    [[nodiscard]] bool counts(const VoteContent& content) const;
    [[nodiscard]] Instant next_look() const;
    void close(const Open& view);

    Options options_;
    const Roster* roster_ = nullptr;
    Terms terms_;
    std::optional<std::uint32_t> self_;
    std::vector<Member> members_;  ///< As in the roster.
    std::map<View, Open> open_;
    View closed_through_;
    View final_view_;
    Height latest_;          ///< Of the views that were looked at.
    bool has_news_ = false;  ///< One that no report is about.
    Instant next_ = Instant::from_ns(0);
};

}  // namespace creto::simplex
