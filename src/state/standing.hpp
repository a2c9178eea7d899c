// Standing: who takes part in ordering, as far as the seats' reports about each other agree.
//
// Why      A seat that votes against everything, at random, late or not at all signs nothing that
//          proves it, and costs the others their time. What most seats say of it is a suspicion: it
//          costs turns as leader, never the seat, and whoever decides about the roster is told.
// Source   Rule L14 in docs/spec/ordering.md; docs/decisions/0024.
// Holds    [STAND-SAME.1] A function of the final chain alone, in integers: the same at every node.
//          [STAND-MEDIAN.1] What is believed of a seat is the lower median of what the others' reports
//          say of it, so t liars can accuse nobody of what no honest seat saw, and it is compared
//          with the roster's own median, so that a bad network accuses nobody.
//          [STAND-MEDIAN.2] Where votes go through groups a report names whom its author misses often. Who is
//          named by most of those that report, and by an eighth of them more than the t that may lie, is
//          suspected: t liars can neither name enough nor hide anybody whom the others name.
//          [STAND-TURNS.1] A turn of a leader that passed without a block in the final chain counts
//          against it: certificates prove it. [STAND-REST.1] Who is suspected when an epoch ends has
//          no turns in the epoch after the next; at most n - q seats rest, the worst first. Who let
//          turns pass rests 1, 2, 4, ... 32 epochs and then gets turns again.
// Leaves   standing/votes/SEAT, standing/often/SEAT, standing/turns, standing/suspect/SEAT,
//          standing/rest/EPOCH.
// Units    Shares in millionths. A reporter makes one report a second, so the window of a share is 32
//          to 64 seconds of each reporter.
// Cost     O(n) for a block with a report, O(n^2) every `judge_blocks` heights; n^2 pairs of bytes. Through
//          groups O(named) for a block, and O(n + all named) for a look; a number for each that is named.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/flat_map.hpp"
#include "model/block.hpp"
#include "model/notice.hpp"
#include "state/attendance.hpp"
#include "state/merkle_map.hpp"

namespace creto {

class Standing {
public:
    /// How often something was asked for, and missed. Halved when it is full, so that it forgets.
    struct Cell {
        std::uint8_t asked = 0;
        std::uint8_t missed = 0;
        void add(bool miss, std::uint8_t most);
        [[nodiscard]] std::uint32_t missed_ppm() const {
            return asked == 0 ? 0 : missed * 1'000'000U / asked;
        }
        friend bool operator==(const Cell&, const Cell&) = default;
    };
    struct Suspicion {
        bool votes = false;  ///< Its votes are missing.
        /// By the word of those to whom votes go through groups: `votes_ppm` is the share of them.
        bool through_groups = false;
        bool turns = false;  ///< It let turns as leader pass.
        std::uint32_t votes_ppm = 0;
        std::uint32_t turns_ppm = 0;
        Height since;
        std::uint8_t strikes = 0;  ///< Suspicions for turns, in a row.
        Epoch rests_through;       ///< For turns; 0: not.
        [[nodiscard]] bool holds() const { return votes || turns; }
        /// For people: what it is suspected of.
        [[nodiscard]] std::string reason() const;
        friend bool operator==(const Suspicion&, const Suspicion&) = default;
    };

    /// Heights between two looks at everybody.
    static constexpr std::uint64_t judge_blocks = 64;
    static constexpr std::uint8_t reports_window = 64;
    static constexpr std::uint8_t reports_least = 8;
    static constexpr std::uint8_t turns_window = 32;
    static constexpr std::uint8_t turns_least = 8;
    /// Above the roster's median by so much: suspected; by less than the half of it: no more.
    static constexpr std::uint32_t votes_suspected_ppm = 250'000;
    static constexpr std::uint32_t turns_suspected_ppm = 500'000;
    static constexpr std::uint8_t strikes_max = 6;

    /// Takes what one final block says of the seats that vote in its epoch; the notices are for
    /// watchers.
    [[nodiscard]] std::vector<Notice> on_block(
        const Block& block, const Roster& voters, MerkleMap& map
    );
    /// This epoch is over: who rests in the epoch after the next, of those that vote in it, whose
    /// seating is `later`. Seats that do not are forgotten.
    void end_epoch(Epoch epoch, QuorumMode mode, const Seating& later, MerkleMap& map);
    /// The seat's agent said that it is there.
    void show(Seat seat, MerkleMap& map) { attendance_.seen(seat, map); }
    [[nodiscard]] const Attendance& attendance() const { return attendance_; }
    /// Decided by end_epoch(); ascending.
    [[nodiscard]] const std::vector<Seat>& resting(Epoch epoch) const;
    /// Who is suspected, or is on probation (holds() is false), by seat.
    [[nodiscard]] const std::map<Seat, Suspicion>& suspicions() const { return suspicions_; }
    /// Null when nothing is held against it.
    [[nodiscard]] const Suspicion* suspicion(Seat seat) const;

    /// Reads the leaves back. Errors: corrupt.
    [[nodiscard]] Result<void> restore(const MerkleMap& map);

    /// Of `reports` about a seat so many that miss it often are enough. [STAND-MEDIAN.2]
    [[nodiscard]] static std::size_t most_of(std::size_t reports, const Quorum& quorum);

    /// Whom one seat misses often, by its last report.
    struct Often {
        Height last;
        std::vector<Seat> missed;  ///< Ascending.
        friend bool operator==(const Often&, const Often&) = default;
    };
    /// What one seat reported of the others.
    struct Row {
        Height last;
        std::map<Seat, Cell> cells;
        friend bool operator==(const Row&, const Row&) = default;
    };

private:
    void count_turns(const Block& block, const Roster& voters, MerkleMap& map);
    void count_votes(const Block& block, const Roster& voters, MerkleMap& map);
    void count_often(const Block& block, const Roster& voters, MerkleMap& map);
    struct Named {
        std::uint32_t by = 0;       ///< Reports.
        std::uint32_t reports = 0;  ///< That say something about it.
    };
    [[nodiscard]] std::map<Seat, Named> often_missed(const Roster& voters) const;
    [[nodiscard]] std::map<Seat, std::uint32_t> votes_missed(const Roster& voters) const;
    [[nodiscard]] std::map<Seat, std::uint32_t> turns_missed(const Roster& voters) const;
    void judge(const Block& block, const Roster& voters, MerkleMap& map, std::vector<Notice>& out);
    void write(Seat seat, MerkleMap& map) const;
    void write_turns(const std::set<std::uint32_t>& leaves, MerkleMap& map) const;

    std::map<Seat, Row> rows_;     ///< By reporter.
    std::map<Seat, Often> often_;  ///< By reporter; nobody is in both.
    Attendance attendance_;
    FlatMap<Seat, Cell> turns_;
    std::map<Seat, Suspicion> suspicions_;
    std::map<Epoch, std::vector<Seat>> resting_;
};

void encode(Writer& w, const Standing::Often& v);
void decode(Reader& r, Standing::Often& v);
void encode(Writer& w, const Standing::Row& v);
void decode(Reader& r, Standing::Row& v);
void encode(Writer& w, const Standing::Suspicion& v);
void decode(Reader& r, Standing::Suspicion& v);

}  // namespace creto
