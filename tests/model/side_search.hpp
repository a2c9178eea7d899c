// SideSearch: searches what the sides of a partition can say of each other's seats, epoch after epoch.
//
// Why      RosterSearch lets anybody be said to be dead. Here somebody has to say it: leaders report whose
//          votes they miss, t liars report what they like, and the cut is another one whenever it helps.
// Source   Explicit-state search; who is dead is the real Attendance's, who votes the real SeatBook's.
// Model    Honest seats are cut into sides; liars are in all of them. The side that is a quorum of the
//          epoch's roster, if there is one, decides; whatever else there is, in one side or in several, has
//          no block. Its leaders report those that vote and are on no side of theirs, its liars anybody.
//          Whoever is there may show itself, or not; a dormant seat that is there may ask for its vote. The
//          epoch may end after any of this, and the cut is another one for each step. Who was not on the
//          side that ended an epoch still believes what it believed.
// Order    States are finite, since epochs count from the one that is decided and misses up to where they
//          make no difference: a search that ends has seen all of them.
// Checks   With arithmetic of its own, at each end of an epoch. Two sides: those that have not seen it, all of
//          them together and with the liars, are no quorum of any epoch that ended two epochs back or less.
//          Enough: no fewer vote than must agree, nor than the mode takes; two quorums share more than may
//          lie. Set aside: only whom enough of those that vote have missed as long as it takes, an honest
//          one among them, and only if fewer must agree by that. From one state in `heal_every`: once there
//          is no cut, every honest seat votes again a few epochs later, whatever the liars do, and goes on.
// Cost     Some microseconds for each step.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/prng.hpp"
#include "state/attendance.hpp"
#include "state/seat_book.hpp"

namespace creto::model_check {

struct SideSearchOptions {
    QuorumMode mode = QuorumMode::byzantine;
    std::uint32_t seats = 7;
    std::uint32_t liars = 2;
    /// Divided by those that vote: reports in a row, of each of them, that make a seat dead.
    std::uint32_t reports = limits::dead_after_reports_min;
    std::uint64_t heal_every = 16;
    std::size_t states_max = 300'000;
    std::function<bool()> time_left = [] { return true; };
};

struct SideSearchResult {
    std::size_t states = 0;
    std::uint64_t steps = 0;
    std::uint64_t ends = 0;       ///< Ends of epochs among them.
    std::uint64_t set_aside = 0;  ///< Of these, with a seat that was set aside.
    std::uint64_t heals = 0;
    std::uint64_t walks = 0;
    std::uint32_t depth = 0;
    std::uint32_t fewest = 0;  ///< That voted in any epoch.
    bool exhausted = false;
    std::string violation;           ///< Empty: none.
    std::vector<std::string> trace;  ///< How it came about.
};

class SideSearch {
public:
    explicit SideSearch(const SideSearchOptions& options);
    /// Breadth first.
    [[nodiscard]] SideSearchResult run();
    /// At random, with cuts that last a while, each way to its end: deeper than breadth first comes.
    [[nodiscard]] SideSearchResult walk(std::uint64_t seed);

private:
    static constexpr std::uint32_t seats_max = 8;
    static constexpr std::uint32_t epochs_back = 2;
    using Mask = std::uint32_t;
    /// For each of those that report, of how many of its last reports in a row a seat was missing.
    using Misses = std::array<std::array<std::uint8_t, seats_max>, seats_max>;

    struct Step {
        enum class Kind : std::uint8_t { begin, report, show, back, end };
        Kind kind = Kind::begin;
        Mask side = 0;  ///< Honest seats that hear each other, and decide.
        std::uint32_t who = 0;
        Mask absent = 0;  ///< Reported, or set aside.
    };
    struct Node {
        Epoch epoch{1};
        std::shared_ptr<const SeatBook> book;
        Attendance attendance;
        Misses misses{};
        std::array<std::uint8_t, seats_max> lags{};  ///< Ends of epochs that a seat has not seen.
        /// Who votes, or voted: two epochs before this one, one, in this one, in the next.
        std::array<Mask, epochs_back + 2> voting{};
        Step step;
        std::uint32_t from = 0;
    };

    [[nodiscard]] bool lies(std::uint32_t seat) const { return (liars_ >> seat & 1U) != 0; }
    [[nodiscard]] Mask voters(const Node& node, std::uint32_t back = 0) const {
        return node.voting[epochs_back - back];
    }
    /// So many vote, whoever is dead.
    [[nodiscard]] std::uint32_t least() const {
        return std::min(options_.mode == QuorumMode::crash ? 3U : 4U, options_.seats);
    }
    /// How many must agree where these vote, and how many may lie.
    [[nodiscard]] std::uint32_t quorum(Mask voting) const;
    [[nodiscard]] std::uint32_t may_lie(Mask voting) const;
    [[nodiscard]] std::uint32_t share(Mask voting) const;
    [[nodiscard]] Mask dormant_later(const Node& node) const;
    [[nodiscard]] std::shared_ptr<const Roster> roster(const Node& node);
    [[nodiscard]] std::string key(const Node& node) const;

    [[nodiscard]] bool decides(const Node& node, Mask side) const;
    [[nodiscard]] Node first() const;
    void step_at_random(Prng& prng, Mask side);
    void expand(std::uint32_t at);
    void reports(std::uint32_t at, Mask side);
    void report(Node& node, std::uint32_t by, Mask absent) const;
    void show(Node& node, std::uint32_t seat) const;
    void come_back(Node& node, std::uint32_t seat);
    void end(Node& node, Mask side);
    void check_end(const Node& before, const Node& after, Mask aside);
    void check(const Node& node);
    void heal(Node node);
    void add(Node node, std::uint32_t from, const Step& step);
    void blame(std::string what);
    void explain(std::uint32_t at, const Step& last);
    [[nodiscard]] std::string text(const Step& step) const;

    SideSearchOptions options_;
    Roster genesis_;
    Mask all_ = 0;
    Mask liars_ = 0;
    std::uint32_t share_max_ = 1;
    std::vector<Node> nodes_;
    std::unordered_map<std::string, std::uint32_t> seen_;
    std::map<Mask, std::shared_ptr<const Roster>> rosters_;
    SideSearchResult result_;
};

}  // namespace creto::model_check
