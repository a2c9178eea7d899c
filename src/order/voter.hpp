// Voter: the only gate that signs votes, and the memory that keeps it from signing two that clash.
//
// Why      Safety of the whole network rests on each seat's word: one notarize vote a view, and
//          never both Finalize(v) and Nullify(v). One gate, nothing else calls sign(). [ORD-W1.2]
// Source   Simplex (Chan and Pass 2023), section 2.1; rules N1, F1, F2, X1 in
// docs/spec/ordering.md. Holds    [ORD-W2.1] refuses, whatever it is asked: a second different vote
// of a view and kind;
//          Notarize or Finalize after Nullify; Nullify after Finalize; Finalize of a block other
//          than the notarized one, or than the one it notarized itself; anything at or below the
//          floor, where it no longer knows what it said.
//          [ORD-T4.1] So it does with Finalize of a view of a term after Nullify of an earlier one that
//          no finalisation has settled since, and with Nullify of a view after Finalize of a later
//          one. Until then the earlier vote is above the floor, so votes and floor say it all.
//          [ORD-W1.1] a new vote comes out only through save(), together with the ticket of the
//          Persist that holds its record, and counts only once on_persisted() has named it.
// Errors   Refusal; restore(): corrupt, after which this seat must observe and not vote.
// Cost     O(log views) and one signature per vote.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <vector>

#include "model/effect.hpp"
#include "model/terms.hpp"
#include "model/vote.hpp"
#include "order/vote_log.hpp"
#include "store/store.hpp"

namespace creto::simplex {

enum class Refusal : std::uint8_t {
    stopped,
    left,  ///< It voted in a later epoch.
    below_floor,
    already_cast,   ///< The same vote: repeat the old one, there is no second.
    other_content,  ///< It voted for something else in this view.
    nullified,      ///< It gave this view up.
    finalized,      ///< It called this view final.
};

class Voter {
public:
    /// Requires: `self` is a member and `signer` holds its key. References outlive the object.
    Voter(const Roster& roster, Seat self, const Signer& signer);

    /// Takes the records of an intact vote log in append order. Those of later epochs wait for
    /// their time: a store may have lost what the log has not. With one of them this seat has left
    /// the epoch: it repeats what it said there, and says nothing new. Errors: corrupt, when they cannot be
    /// what this seat wrote.
    [[nodiscard]] Result<void> restore(const std::vector<Bytes>& records);
    /// Goes on in the log of the epoch before. Requires: it is that of the same seat, and nothing of
    /// it is unsaved that anyone needs. [ORD-L12.5]
    [[nodiscard]] Result<void> succeed(const Voter& before);

    /// What it read of later epochs, for whoever reads on when it has no seat in the next; none: nothing.
    [[nodiscard]] std::optional<VoteLogContents> unread() const;

    [[nodiscard]] Result<void, Refusal> notarize(const VoteContent& content);
    [[nodiscard]] Result<void, Refusal> nullify(Epoch epoch, View view);
    /// Requires: a notarization that was checked or formed here.
    [[nodiscard]] Result<void, Refusal> finalize(const Certificate& notarization);
    /// Says of a stretch of views that each is nullified. It needs no record: it stays true, and to
    /// say it twice is to say it once. None once stopped. Requires: the proof is held. [ORD-B1.1]
    [[nodiscard]] std::optional<Vote> bury(Epoch epoch, View base, View last) const;
    /// Signs nothing from now on.
    void stop() { stopped_ = true; }
    [[nodiscard]] bool stopped() const { return stopped_; }
    /// It voted in a later epoch already. [ORD-L12.5]
    [[nodiscard]] bool has_left() const { return !later_.empty(); }

    /// Cast, but not handed to storage yet.
    [[nodiscard]] const std::vector<Vote>& unsaved() const { return unsaved_; }
    struct Saved {
        Ticket ticket;
        std::vector<Vote> votes;  ///< May be sent after `ticket`.
    };
    /// Puts the records of unsaved() and `writes` into one durable Persist. When compacting(), what
    /// is below the floor leaves the log with it. Requires: unsaved().
    /// What comes out is valid until the next save() or on_persisted().
    [[nodiscard]] const Saved& save(std::vector<KeyWrite> writes, Effects& effects);
    /// True when the next save() replaces the log: `writes` must then hold what the floor rests on,
    /// or a restarted network would find views that nobody may vote in. [ORD-W4.1]
    [[nodiscard]] bool compacting() const { return records_ >= compact_records; }
    /// The votes that are durable now and may be counted. Empty for tickets of others.
    [[nodiscard]] std::vector<Vote> on_persisted(Ticket ticket);

    /// What this seat said, durable or on its way.
    [[nodiscard]] const Vote* cast(View view, VoteKind kind) const;
    [[nodiscard]] bool cast_any(View view) const { return slots_.contains(view); }
    /// True when it called this view, or a later one of its term, final: it cannot give it up.
    [[nodiscard]] bool finalized_from(View view) const;
    /// True when it gave this view up, or an earlier one of its term: it cannot call it final.
    [[nodiscard]] bool given_up(View view) const;
    /// True when this seat signed exactly this.
    [[nodiscard]] bool knows(const VoteContent& content) const;
    [[nodiscard]] bool is_durable(View view, VoteKind kind) const;
    /// Durable votes of views in [from, to], in order of view and kind.
    [[nodiscard]] std::vector<Vote> durable(View from, View to) const;

    /// Forgets views up to `floor` and refuses to vote there from now on. Requires: the floor is
    /// final, or the last view of a term; of half a term it would forget what binds it in the rest.
    void forget_through(View floor);
    /// The same when the log is lost: the next save() begins a new log with this floor. [ORD-R5.1]
    void begin_above(View floor) {
        forget_through(floor);
        records_ = compact_records;
    }
    [[nodiscard]] View floor() const { return floor_; }
    /// In the log, as far as this life knows.
    [[nodiscard]] std::size_t records() const { return records_; }
    [[nodiscard]] std::size_t views_held() const { return slots_.size(); }

private:
    /// Records in the log, about 150 bytes each, that make it worth rewriting.
    static constexpr std::size_t compact_records = 16'384;

    struct Slot {
        Vote vote;
        bool durable = false;
    };
    using Slots = std::array<std::optional<Slot>, 3>;

    /// By what it said of the same view, and of the others of the term.
    [[nodiscard]] std::optional<Refusal> refusal_in_view(const VoteContent& content) const;
    [[nodiscard]] std::optional<Refusal> refusal(const VoteContent& content) const;
    [[nodiscard]] Result<void, Refusal> sign(const VoteContent& content);
    [[nodiscard]] Result<void> take(const VoteRecord& record);
    [[nodiscard]] Signature signature_of(const VoteContent& content) const;
    [[nodiscard]] std::vector<Bytes> kept_records() const;

    ChainId chain_;
    Epoch epoch_;
    Terms terms_;
    Seat self_;
    const Signer& signer_;
    bool stopped_ = false;
    View floor_;
    std::map<View, Slots> slots_;
    std::size_t records_ = 0;        ///< In the log, as far as handed to storage.
    std::vector<VoteRecord> later_;  ///< Of later epochs, in append order.
    std::vector<Vote> unsaved_;
    std::vector<Saved> saving_;  ///< On their way to the log, by ticket.
};

}  // namespace creto::simplex
