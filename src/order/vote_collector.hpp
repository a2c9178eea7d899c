// VoteCollector: votes of a group, until they go on to those who make certificates.
//
// Why      A message for each vote is what groups are there to avoid.
// Source   Rule V1 in docs/spec/ordering.md.
// Holds    [ORD-V1.3] What came goes on when all of the group have voted, and else `patience` after the
//          first vote that has not: whoever waits for all waits for the dead. Each time it is all that is
//          known of the group, so that one message that arrives is enough.
//          [ORD-V1.8] A vote on a block that came after the certificate, or that had not gone on when it
//          came, goes on once, `late` after that. It makes no certificate: it shows that its seat takes
//          part.
// Cost     O(group) for each time it goes on. Held: one window of views, and those of the last `late`.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "model/vote.hpp"

namespace creto::simplex {

class VoteCollector {
public:
    struct Options {
        std::size_t group_size = 0;
        Duration patience;
        Duration late;  ///< Zero: nothing goes on after its certificate.
    };
    VoteCollector(const Roster& roster, Options options) : roster_{roster}, options_{options} {}

    /// Requires: the signature holds, and the member is of the group.
    void add(const Vote& vote, std::uint32_t member, Instant now);
    /// What is due, joined by `joiner` where the roster has votes joined.
    [[nodiscard]] std::vector<PartialCertificate> due(Instant now, const Signer& joiner);

    /// Whether with these signers, and without `self`, all of the group have voted for this.
    [[nodiscard]] bool completes(
        const VoteContent& content,
        const Bytes& signers,
        std::span<const std::uint32_t> group,
        std::optional<std::uint32_t> self
    ) const;

    /// There is a certificate of these votes: nothing is needed for it any more.
    void settle(View view, VoteKind kind, Instant now);
    /// Whether such a vote, of a view that is settled, is one that add_late() takes.
    [[nodiscard]] bool lacks_late(const VoteContent& content, std::uint32_t member) const;
    /// Requires: as add(), and lacks_late().
    void add_late(const Vote& vote, std::uint32_t member, Instant now);
    /// What is due of votes that were late. No vote of these views is late from then on.
    [[nodiscard]] std::vector<PartialCertificate> due_late(Instant now, const Signer& joiner);

    [[nodiscard]] Instant next_due() const { return std::min(next_due_, next_late_); }

    /// A vote of the group on a block came here, where all of the group send theirs; in time or not, worth
    /// a check or not.
    void saw(const VoteContent& content, std::uint32_t member) {
        seen_[{content.view, content.kind}].insert(member);
    }
    /// More than a tenth of the group did not vote lately, as far as seen here.
    [[nodiscard]] bool misses_many() const { return missing_ppm_ > 100'000; }

    /// Settles all of these views.
    void forget_through(View view, Instant now);
    [[nodiscard]] std::size_t views_held() const { return views_.size(); }
    [[nodiscard]] std::size_t late_views_held() const { return late_.size(); }

private:
    struct Said {
        Signature signature;
        bool gone = false;  ///< It went on.
    };
    struct Votes {
        VoteContent content;
        std::map<std::uint32_t, Said> by;  ///< By member.
        std::optional<Instant> due_at;
    };
    using Views = std::map<View, std::vector<Votes>>;

    static Votes& votes_in(Views& views, const VoteContent& content);
    /// Those of these votes that `which` says, in one.
    template <class Which>
    [[nodiscard]] std::optional<PartialCertificate> together(
        Votes& votes, const Signer& joiner, const Which& which
    ) const;
    void keep_late(Votes votes, Instant now);
    void look();

    const Roster& roster_;
    Options options_;
    Views views_;
    Instant next_due_ = Instant::max();
    Views late_;  ///< Settled, and `late` not over.
    Instant next_late_ = Instant::max();
    View late_through_;  ///< Whatever is said of these views now comes too late.
    std::map<std::pair<View, VoteKind>, std::set<std::uint32_t>> seen_;
    std::uint64_t missing_ppm_ = 0;  ///< Of the group, smoothed; a matter of this node alone.
};

}  // namespace creto::simplex
