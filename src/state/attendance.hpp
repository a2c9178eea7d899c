// Attendance: which seats nobody has seen for so long that they count as dead.
//
// Why      A dead seat counts in the quorum, so each one brings the network nearer to its halt. What is
//          dead must be the same at every node, so no clock can say it.
// Source   Reports of leaders (model/block.hpp, Turnout); docs/decisions/0030-dormant-seats.md.
// Holds    [SEAT-DORMANT.1] A seat is dead when t+1 of the seats that vote, and more than half of a quorum,
//          have missed it in each of their last `share` reports, and it has neither written in its lane,
//          nor led a final block, nor said that it is there, in that time. `share` is dead_after_reports
//          of the epoch divided by the seats that vote. So t liars make nobody dead; and whoever is
//          there and reached by an honest leader shows it with a vertex, whatever is reported of him.
//          [SEAT-DORMANT.2] Half of the way there a seat is going missing: then its node writes one.
// Leaves   standing/unseen/SEAT, of seats that somebody misses.
// Units    Reports in a row; a leader makes one a second at most.
// Cost     O(absent + missed) a report, O(lanes) a block; nothing where nobody is missed.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "model/genesis.hpp"
#include "state/merkle_map.hpp"

namespace creto {

class Attendance {
public:
    /// In how many of its reports in a row each reporter has missed the seat, up to now.
    using Misses = std::map<Seat, std::uint32_t>;

    /// A report that counts, made by a seat that votes. `absent` ascends.
    void on_report(Seat by, const std::vector<Seat>& absent, MerkleMap& map);
    /// The seat has shown itself in the final order.
    void seen(Seat seat, MerkleMap& map);
    /// Only these are of interest from now on, as missed and as those that miss.
    void keep(const std::set<Seat>& seats, MerkleMap& map);

    /// Of the seats that vote, those that are dead; the longest missed first.
    [[nodiscard]] std::vector<Seat> dead(const Roster& voters) const;
    /// A dead seat before its time: it should show itself.
    [[nodiscard]] bool going_missing(Seat seat, const Roster& voters) const;

    static constexpr std::string_view prefix = "standing/unseen/";
    /// One leaf. False: it is malformed.
    [[nodiscard]] bool restore(const std::string& key, ByteView value);

private:
    /// Enough of those that vote have missed it in so many reports; 0: it is not missed.
    [[nodiscard]] std::uint32_t missed(Seat seat, const Roster& voters) const;
    void write(Seat seat, MerkleMap& map) const;

    std::map<Seat, Misses> unseen_;
};

}  // namespace creto
