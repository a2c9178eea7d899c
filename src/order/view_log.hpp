// ViewLog: the certificates of every view above the final one, and what they allow as a parent.
//
// Why      A block may stand on a notarized view only with proof that every view between was given
//          up: that is a safety rule, not an optimisation (ava-labs/Simplex#281).
// Source   Simplex (Chan and Pass 2023), section 2.1; rules P1, N3, C3, G3 in
// docs/spec/ordering.md. Holds    [ORD-C3.1] a view keeps its notarization and its nullification
// side by side: the next
//          leader may build on either. [ORD-F3.1] a finalisation replaces everything at or below
//          its view. Nothing is kept for views that no certificate or proposal names. [ORD-B2.1] a
//          burial replaces the nullifications of its views and the burials in it: with them all
//          dead, what is kept does not grow with the views, but with their logarithm. [ORD-T2.1]
//          Inside a term the parent is the view before. [ORD-T3.1] A nullification is about its view
//          and the rest of the term.
// Cost     O(log views) for a look-up and for a parent, however many dead views lie between.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "model/terms.hpp"
#include "model/vote.hpp"
#include "order/view_runs.hpp"

namespace creto::simplex {

/// A certificate, named by what it answers: a view can have a notarization and a nullification, and
/// they answer opposite questions. [ORD-G1.1]
struct CertificateKey {
    View view;
    VoteKind kind = VoteKind::notarize;
    friend bool operator==(const CertificateKey&, const CertificateKey&) = default;
    friend auto operator<=>(const CertificateKey&, const CertificateKey&) = default;
};

/// The views after `base` up to `last`.
struct ViewSpan {
    View base;
    View last;
    friend bool operator==(const ViewSpan&, const ViewSpan&) = default;
};

/// The block at the end of a branch.
struct Head {
    View view;
    BlockId block;
    friend bool operator==(const Head&, const Head&) = default;
};

/// May a block of one view stand on a parent of another? Missing: not known yet, never a fault.
struct Ancestry {
    enum class Verdict : std::uint8_t { proven, missing, invalid };
    Verdict verdict = Verdict::proven;
    std::vector<CertificateKey> missing;
    std::string why;
};

class ViewLog {
public:
    explicit ViewLog(const BlockId& genesis, Terms terms = {})
        : terms_{terms}, final_{View{}, genesis} {}

    /// Starts from a finalised block of our own store, with its certificate if there is one.
    void restart_from(const Head& final, std::optional<Certificate> finalization);

    enum class Put : std::uint8_t {
        added,
        known,     ///< Held, or settled by a finalisation.
        clashing,  ///< Two certificates that more than t liars must have signed.
    };
    /// Requires: the certificate is well formed and its signatures hold.
    Put put(const Certificate& certificate);
    /// The nullification of a view may be of an earlier one of its term; of a view whose
    /// nullification was replaced, it is the burial that did it.
    [[nodiscard]] const Certificate* find(View view, VoteKind kind) const;
    /// True when the view has a nullification, or had one.
    [[nodiscard]] bool dead(View view) const { return dead_.contains(view); }
    /// True when a burial covers all views after `base` up to `last`.
    [[nodiscard]] bool buried(View base, View last) const;
    /// The stretches that end with `view` or have it in them, all dead and not buried yet, and the
    /// `more` stretches before each of these for which the same holds.
    [[nodiscard]] std::vector<ViewSpan> to_bury(View view, std::uint64_t more) const;
    /// The certificate that clashes with this one, if one is held.
    [[nodiscard]] const Certificate* clash(const Certificate& certificate) const;

    /// The highest finalised view, certified; its block may still be on its way. Genesis at first.
    [[nodiscard]] const Head& final() const { return final_; }
    [[nodiscard]] const std::optional<Certificate>& finalization() const { return finalization_; }
    /// The highest view that is notarized or final, with its block.
    [[nodiscard]] Head notarized() const;
    /// The highest view that has any certificate.
    [[nodiscard]] View certified() const;

    /// The parent for a block of `view`: inside a term the view before [ORD-T2.1], else
    /// parent_below(). What is missing to say so, if anything is.
    [[nodiscard]] std::variant<Head, std::vector<CertificateKey>> parent_for(View view) const;
    /// The highest certified view below `view`, with every view between nullified. [ORD-P1.1]
    [[nodiscard]] std::variant<Head, std::vector<CertificateKey>> parent_below(View view) const;
    /// [ORD-N3.1]
    [[nodiscard]] Ancestry check_parent(View view, View parent_view, const BlockId& parent) const;

    // The first proposal of a view that its leader signed, and whether there was a second.
    void propose(View view, const BlockId& block);
    void mark_equivocated(View view);
    /// The first proposal can never be voted for.
    void refuse(View view);
    [[nodiscard]] bool refused(View view) const;
    [[nodiscard]] std::optional<BlockId> proposal(View view) const;
    [[nodiscard]] bool equivocated(View view) const;

    /// Of all that is held.
    [[nodiscard]] std::vector<CertificateKey> keys() const;
    [[nodiscard]] std::size_t views_held() const { return views_.size() + burials_.size(); }
    /// Keys of certificates that finalisations made needless since the last call.
    [[nodiscard]] std::vector<CertificateKey> take_dropped() { return std::exchange(dropped_, {}); }

private:
    struct Record {
        std::optional<Certificate> notarization;
        std::optional<Certificate> nullification;
        std::optional<BlockId> proposal;
        bool equivocated = false;
        bool refused = false;
    };

    [[nodiscard]] const Record* record(View view) const;
    /// The highest view below `view` that is notarized or final, with its block.
    [[nodiscard]] Head head_below(View view) const;
    void settle(const Certificate& finalization);
    [[nodiscard]] Put bury(const Certificate& certificate);
    [[nodiscard]] const Certificate* burial_of(View view) const;
    [[nodiscard]] const Certificate* death_of(View view) const;

    Terms terms_;
    Head final_;
    std::optional<Certificate> finalization_;
    std::map<View, Record> views_;         ///< Above the final view.
    std::set<View> notarized_;             ///< Those of them with a notarization.
    ViewRuns dead_;                        ///< Those that are nullified or buried.
    std::map<View, Certificate> burials_;  ///< By the last view; none lies in another.
    std::vector<CertificateKey> dropped_;
};

}  // namespace creto::simplex
