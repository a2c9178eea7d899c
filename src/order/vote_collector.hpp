// VoteCollector: votes of a group, until they go on to those who make certificates.
//
// Why      A message for each vote is what groups are there to avoid.
// Source   Rule V1 in docs/spec/ordering.md.
// Holds    [ORD-V1.3] What came goes on when all of the group have voted, and else `patience` after the
//          first vote that has not: whoever waits for all waits for the dead. Each time it is all that is
//          known of the group, so that one message that arrives is enough.
// Cost     O(group) for each time it goes on. Held: one window of views.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "model/vote.hpp"

namespace creto::simplex {

class VoteCollector {
public:
    VoteCollector(const Roster& roster, std::size_t group_size, Duration patience)
        : roster_{roster}, group_size_{group_size}, patience_{patience} {}

    /// Requires: the signature holds, and the member is of the group.
    void add(const Vote& vote, std::uint32_t member, Instant now);
    /// What is due, joined by `joiner` where the roster has votes joined.
    [[nodiscard]] std::vector<PartialCertificate> due(Instant now, const Signer& joiner);
    [[nodiscard]] Instant next_due() const { return next_due_; }

    /// A vote of the group on a block came here, where all of the group send theirs; in time or not, worth
    /// a check or not.
    void saw(const VoteContent& content, std::uint32_t member) {
        seen_[{content.view, content.kind}].insert(member);
    }
    /// More than a tenth of the group did not vote lately, as far as seen here.
    [[nodiscard]] bool misses_many() const { return missing_ppm_ > 100'000; }

    void forget_through(View view);
    [[nodiscard]] std::size_t views_held() const { return views_.size(); }

private:
    struct Votes {
        VoteContent content;
        std::map<std::uint32_t, Signature> signatures;  ///< By member.
        std::optional<Instant> due_at;
    };
    void look();

    const Roster& roster_;
    std::size_t group_size_;
    Duration patience_;
    std::map<View, std::vector<Votes>> views_;
    Instant next_due_ = Instant::max();
    std::map<std::pair<View, VoteKind>, std::set<std::uint32_t>> seen_;
    std::uint64_t missing_ppm_ = 0;  ///< Of the group, smoothed; a matter of this node alone.
};

}  // namespace creto::simplex
