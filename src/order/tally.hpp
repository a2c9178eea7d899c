// Tally: counts votes by view, kind and content, and says, once, that a quorum has formed.
//
// Why      A certificate is announced exactly once; peers pay for every repeat.
// Source   Simplex (Chan and Pass 2023), section 2.1.
// Holds    [ORD-C0.1] a certificate is made by the one vote that completes the quorum of its
//          content, from distinct seats. [ORD-A1.2] one slot per (view, kind, seat); the first vote
//          stays, a later one never replaces it. A vote that no correct seat signs beside an
//          earlier one of the same view is answered with the proof, once per view and seat.
//          [ORD-V1.4] Votes that came joined are counted once however often they come: of joined votes
//          that overlap those count that say more, and what a certificate is made of never overlaps.
//          They are evidence together only, so that they prove nothing against one of them.
// Units    Counts of distinct seats, compared with Quorum::q.
// Cost     O(1) in the seats per vote, O(log views) to find the view; a certificate is O(n).
#pragma once

#include <array>
#include <map>
#include <optional>
#include <vector>

#include "model/evidence.hpp"
#include "model/vote.hpp"

namespace creto::simplex {

class Tally {
public:
    /// `joiner` where the roster has votes joined.
    explicit Tally(const Roster& roster, const Signer* joiner = nullptr)
        : roster_{roster}, joiner_{joiner} {}

    struct Added {
        bool counted = false;
        std::optional<Certificate> certificate;
        std::optional<VoteConflict> proof;
    };
    /// Requires: the signature holds and the seat is a member.
    Added add(const Vote& vote);
    struct AddedPartial {
        std::uint32_t counted = 0;  ///< Votes.
        std::optional<Certificate> certificate;
        std::vector<VoteConflict> proofs;
    };
    /// Requires: the signatures hold, and it is well formed.
    AddedPartial add(const PartialCertificate& partial);
    /// Whether a vote is in it that is not counted.
    [[nodiscard]] bool lacks(const PartialCertificate& partial) const;

    /// The proof that this signed vote makes with what its seat said before; it is not counted.
    /// Requires: as add().
    [[nodiscard]] std::optional<VoteConflict> against(const Vote& vote);
    /// Whether against() could prove anything: somebody said what contradicts this content.
    [[nodiscard]] bool contradicted(const VoteContent& content) const;
    /// How many said this, with these signers.
    [[nodiscard]] std::uint32_t count_with(const VoteContent& content, const Bytes& signers) const;
    /// Whether somebody said something else of this kind in this view.
    [[nodiscard]] bool differs(const VoteContent& content) const;
    /// What this member said; none if nothing was counted.
    [[nodiscard]] const VoteContent* content(View view, VoteKind kind, std::uint32_t member) const;
    /// All that this member said and that is held, at most one window of views.
    [[nodiscard]] std::vector<Vote> votes_of(std::uint32_t member) const;
    /// Distinct seats that gave this view up.
    [[nodiscard]] std::uint32_t nullify_count(View view) const;
    /// True when a proof against this member in this view was handed out.
    [[nodiscard]] bool accused(View view, std::uint32_t member) const;

    void forget_through(View view);
    [[nodiscard]] std::size_t views_held() const { return views_.size(); }

private:
    /// Votes of one content; `none` marks a free slot.
    struct Group {
        VoteContent content;
        std::uint32_t count = 0;
        std::vector<Certificate> joined = {};  ///< None has a vote of another.
    };
    static constexpr std::uint16_t none = 0xFFFF;
    struct KindVotes {
        std::vector<std::uint16_t> group_of;  ///< By member; empty until the first vote.
        std::vector<Signature> signatures;    ///< By member.
        std::vector<bool> came_joined;        ///< By member: it has no signature of its own here.
        std::vector<Group> groups;            ///< At most one per member.

        [[nodiscard]] bool single(std::uint32_t member) const {
            return came_joined.empty() || !came_joined[member];
        }
    };
    struct ViewVotes {
        std::array<KindVotes, 3> kinds;
        std::vector<bool> accused;
    };

    [[nodiscard]] const KindVotes* find(View view, VoteKind kind) const;
    [[nodiscard]] std::optional<VoteConflict> proof(
        ViewVotes& view, const Vote& vote, std::uint32_t member
    ) const;
    [[nodiscard]] Certificate certificate(const KindVotes& votes, std::uint16_t group) const;

    [[nodiscard]] ViewVotes& votes_in(View view);
    [[nodiscard]] KindVotes& votes_in(ViewVotes& view, VoteKind kind) const;
    [[nodiscard]] static std::uint16_t group_in(KindVotes& votes, const VoteContent& content);
    /// Takes joined votes into a group, unless what is there says more.
    void take(KindVotes& votes, std::uint16_t group, const Certificate& joined) const;

    /// Views come and go with every block: the memory of so many serves again.
    static constexpr std::size_t spare_max = 4;

    const Roster& roster_;
    const Signer* joiner_;
    std::map<View, ViewVotes> views_;
    std::vector<ViewVotes> spare_;  ///< Without votes.
};

}  // namespace creto::simplex
