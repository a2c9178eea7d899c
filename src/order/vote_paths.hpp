// VotePaths: who collects whose votes where there are too many seats for votes to all.
//
// Why      Votes of all to all are n * n messages for each kind and view: 2 million a block with a thousand
//          seats. Through groups they are some tens for each seat, and two more steps.
// Source   One level of aggregation as in Handel (Begassat et al. 2019) and Kauri (Neiheiser et al. 2021),
//          with several collectors for each group instead of timed levels or a tree: with a third of all
//          silent a level more loses as many votes again. docs/decisions/0036.
// Holds    [ORD-V1.1] Seats are in about sqrt(n) groups of about sqrt(n) each. Who is with whom is drawn
//          from the roster, the epoch and the order of its leaders, which the beacon draws; it is the same
//          for everybody and for the whole epoch. Who collects in a group goes round from view to view.
//          [ORD-V1.2] Certificates are made by roots: for votes on a block its leader, the leader after
//          it, and one that is drawn; for nullifications the next two leaders and three that are drawn, so
//          that nobody depends on the leader that is accused: liars may follow each other.
// Units    Members are places in the roster.
// Cost     O(n log n) for each epoch; O(answer) for each question.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/leader.hpp"

namespace creto::simplex {

class VotePaths {
public:
    /// Up to `direct_max` seats there are no groups: everybody says everything to all.
    VotePaths(const Roster& roster, std::size_t direct_max);

    [[nodiscard]] bool direct() const { return starts_.empty(); }

    // What follows requires groups.

    [[nodiscard]] std::uint32_t groups() const {
        return static_cast<std::uint32_t>(starts_.size()) - 1;
    }
    [[nodiscard]] std::span<const std::uint32_t> group(std::uint32_t group) const;
    [[nodiscard]] std::uint32_t group_of(std::uint32_t member) const { return group_of_[member]; }
    /// The first `count` of those who collect in a group for a view; all of it when it is that small.
    [[nodiscard]] std::vector<std::uint32_t> collectors(
        const VoteContent& content, std::uint32_t group, std::uint32_t count
    ) const;
    /// Who makes certificates of votes with this content, each once. Each attempt has other ones as
    /// well. Without burials: those go to all.
    [[nodiscard]] std::vector<std::uint32_t> roots(
        const VoteContent& content, std::uint32_t attempt
    ) const;

private:
    const Roster& roster_;
    Terms terms_;
    std::vector<std::uint32_t> order_;   ///< Members, group by group.
    std::vector<std::uint32_t> starts_;  ///< Of each group in `order_`, and the end.
    std::vector<std::uint32_t> group_of_;
};

}  // namespace creto::simplex
