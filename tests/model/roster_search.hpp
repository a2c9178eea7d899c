// RosterSearch: searches all ways in which seats are set aside and come back for two groups that both decide.
//
// Why      The search over the ordering core knows one epoch and its roster. That no partition can make two
//          networks of one is a matter of which rosters follow on which.
// Source   Explicit-state search; who votes, when and with which quorum is the real SeatBook's.
// Model    An epoch ends when a group that can hear each other, with all the liars, is a quorum of its
//          roster. Which groups hear each other changes with every epoch. At its end anybody may be said
//          to be dead, in any order, whoever is there or not; and any dormant seat may have asked for
//          its vote, a liar whenever it likes, an honest one once it has caught up. Whoever was not in the
//          group still believes what it believed, and may vote in any epoch whose end it did not see.
// Order    Seats of one standing are the same seat. Epochs count from the one that is being decided, so the
//          states are finite although the epochs are not: a search that ends has seen all of them.
// Checks   With arithmetic of its own, at every state: no group of those that did not decide an epoch, with
//          the liars, could decide it, too, up to `epochs_back` before (later it only becomes harder for
//          them, since those that have seen its end become more); who votes in an epoch is the same before
//          and after the end of the one before it; enough vote to agree.
// Cost     About a microsecond for each end of an epoch.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "state/seat_book.hpp"

namespace creto::model_check {

struct RosterSearchOptions {
    QuorumMode mode = QuorumMode::byzantine;
    std::uint32_t seats = 7;
    std::uint32_t liars = 2;
    std::uint32_t epochs_back = 1;  ///< 1 to 4: how long ago what a seat has not seen may be.
    std::size_t states_max = 10'000'000;
    std::function<bool()> time_left = [] { return true; };
};

struct RosterSearchResult {
    std::size_t rosters = 0;      ///< Different standings of all seats.
    std::size_t states = 0;       ///< With what each seat has seen.
    std::uint64_t decisions = 0;  ///< Ends of epochs that were looked at.
    std::uint32_t fewest = 0;     ///< That voted in any.
    std::size_t halting = 0;  ///< States in which the honest alone, all of them there, are too few.
    bool exhausted = false;
    std::string violation;           ///< Empty: none.
    std::vector<std::string> trace;  ///< How it came about.
};

class RosterSearch {
public:
    explicit RosterSearch(const RosterSearchOptions& options);
    [[nodiscard]] RosterSearchResult run();

private:
    using Mask = std::uint32_t;
    using RosterId = std::uint32_t;

    /// What can still matter of a seat, as seen from the epoch that is being decided.
    struct Standing {
        bool lies = false;
        std::uint8_t voted = 0;    ///< Bit k: it votes, or voted, k epochs before the next.
        std::uint8_t dormant = 0;  ///< 0: no; 1: yes; 2: from the next epoch on; 3: until then.
        auto operator<=>(const Standing&) const = default;
    };
    /// One end of an epoch, without who took part in it.
    struct Outcome {
        RosterId next = 0;
        std::vector<std::uint8_t> places;  ///< Of each seat, there.
        Mask back = 0;                     ///< Seats that have asked for their vote.
        Mask aside = 0;
    };
    struct Known {
        std::vector<Standing> seats;  ///< Ascending.
        std::vector<Seat> names;      ///< In the book.
        SeatBook book;
        Epoch epoch;
        bool expanded = false;
        std::vector<Outcome> outcomes;
    };
    /// How many epochs each seat has not seen the end of; seats of one standing in order.
    using Lags = std::vector<std::uint8_t>;
    struct Node {
        RosterId roster = 0;
        Lags lags;
        std::uint32_t from = 0;
        std::uint32_t outcome = 0;
        Mask group = 0;
    };

    [[nodiscard]] Mask voting(const Known& known, std::uint32_t back) const;
    [[nodiscard]] Quorum quorum(const Known& known, std::uint32_t back) const;
    [[nodiscard]] Mask liars(const Known& known) const;
    void expand(RosterId id);
    void decide(RosterId id, const std::vector<std::uint32_t>& dead, Mask back);
    /// The standing after that, where the book stands at the end of the epoch.
    Outcome settle(const Known& before, SeatBook book);
    void step(std::uint32_t at);
    void add(Node node);
    void check(const Node& node);
    void blame(std::string what, std::uint32_t at);
    [[nodiscard]] std::string text(const Node& node) const;

    RosterSearchOptions options_;
    Roster genesis_;
    std::vector<Known> rosters_;
    std::map<std::vector<Standing>, RosterId> index_;
    std::vector<Node> nodes_;
    std::map<std::pair<RosterId, Lags>, std::uint32_t> seen_;
    RosterSearchResult result_;
};

}  // namespace creto::model_check
