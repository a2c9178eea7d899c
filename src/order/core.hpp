// OrderingCore: drives the parts of Simplex: what is known decides what is said.
//
// Why      Every event first changes what is known; then settle() looks at all of it and does what
//          the rules ask for now. Nothing hangs on a flag that somebody must remember to reset, so
//          waking from idle, late certificates and restarts take the same path as the usual case.
// Source   docs/spec/ordering.md, rule by rule; the tags are beside the code.
// Parts    voter (the gate), tally (counting), view_log (certificates), block_tree (branches),
//          burials (stretches of dead views), executed (state roots), pacemaker and heard
//          (patience), repair (asking), final_chain (the output), turnout and root_book (who votes),
//          vote_paths and vote_collector (who collects whose votes). This class only connects them.
// Files    core.cpp (events, settle), core_certificates.cpp (what certificates do),
//          core_propose.cpp (leading and judging), core_epochs.cpp (from one epoch to the next),
//          core_sync.cpp (serving, catch-up), core_restore.cpp, core_lost.cpp (a lost vote log),
//          core_admission.cpp (what is worth a signature check), core_groups.cpp (votes through groups).
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/key_cells.hpp"
#include "base/token_bucket.hpp"
#include "model/rosters.hpp"
#include "order/block_tree.hpp"
#include "order/burials.hpp"
#include "order/executed.hpp"
#include "order/final_chain.hpp"
#include "order/heard.hpp"
#include "order/ordering.hpp"
#include "order/pacemaker.hpp"
#include "order/repair.hpp"
#include "order/root_book.hpp"
#include "order/tally.hpp"
#include "order/turnout.hpp"
#include "order/view_log.hpp"
#include "order/vote_collector.hpp"
#include "order/vote_paths.hpp"
#include "order/voter.hpp"

namespace creto {

namespace simplex {
/// The branch that ends at an anchor.
[[nodiscard]] BranchTip tip_at(const Anchor& anchor);
}  // namespace simplex

class OrderingCore {
public:
    OrderingCore(
        const Roster& roster,
        std::optional<Seat> self,
        const Signer& signer,
        CutSource& source,
        OrderingOptions options,
        Log& log,
        const Rosters* rosters = nullptr
    );

    /// The final chain, as far as the rosters are known; then, in the epoch that comes after it, the
    /// rest. [ORD-R8.1]
    [[nodiscard]] Result<void> restore_chain(
        const StoreView& store, const RestoredBlocks& take, const std::optional<Anchor>& anchor
    );
    [[nodiscard]] Result<void> restore_rest(const StoreView& store, const VoteLogContents& votes);
    void adopt(
        const Anchor& anchor,
        const ChainAnswer& proof,
        const AgentId& from,
        Instant now,
        Effects& effects
    );
    [[nodiscard]] std::optional<ChainAnswer> prove(
        const ExecutedMark& mark, const std::vector<simplex::StoredBlock>& stored
    ) const;
    void write_chain(Effects& effects) {
        if (!writes_.empty())
            static_cast<void>(effects.persist(std::exchange(writes_, {}), {}, Durable::no));
        flush_at_.reset();
    }
    void keep_from(Height height) { kept_from_ = std::max(kept_from_, height); }
    [[nodiscard]] std::vector<AgentId> take_unserved() { return std::exchange(unserved_, {}); }
    void start(Instant now, Effects& effects);

    [[nodiscard]] Epoch epoch() const { return epoch_; }
    [[nodiscard]] const Roster& roster() const { return roster_; }
    /// The boundary is final: nothing is decided in this epoch any more. [ORD-L12.5]
    [[nodiscard]] bool ended() const { return tree_.root().boundary.has_value(); }
    /// The epoch that comes after the final chain, once its roster is known; not this one.
    [[nodiscard]] const Roster* next_roster() const;
    /// Its core, which takes over what outlives an epoch. Requires: next_roster().
    [[nodiscard]] std::unique_ptr<OrderingCore> succeed();
    /// The core that begins at a block of another epoch. Requires: the roster there is known.
    [[nodiscard]] std::unique_ptr<OrderingCore> succeed_at(const Anchor& anchor);
    void on_other_epoch(const AgentId& from, Epoch epoch, Instant now, Effects& effects);
    [[nodiscard]] std::vector<RosterLink> take_links() { return std::exchange(links_, {}); }

    void on_proposal(
        const AgentId& from, const Proposal& proposal, Instant came, Instant now, Effects& effects
    );
    void on_vote(const AgentId& from, const Vote& vote, Instant now, Effects& effects);
    void on_certificate(
        const AgentId& from, const Certificate& certificate, Instant now, Effects& effects
    );
    void on_partial(
        const AgentId& from, const PartialCertificate& partial, Instant now, Effects& effects
    );
    void on_chain_answer(
        const AgentId& from, const ChainAnswer& answer, Instant now, Effects& effects
    );
    void on_status(const AgentId& from, const OrderStatus& status, Instant now, Effects& effects);
    void on_certificate_request(
        const AgentId& from, const CertificateRequest& request, Instant now, Effects& effects
    );
    void on_block_request(
        const AgentId& from, const BlockRequest& request, Instant now, Effects& effects
    );
    void on_chain_request(
        const AgentId& from, const ChainRequest& request, Instant now, Effects& effects
    );
    void on_peer_up(const AgentId& peer, Instant now, Effects& effects);
    void on_peer_down(const AgentId& peer, Instant now, Effects& effects);
    void hear(const AgentId& from, Instant now);
    void saw(const AgentId& from, const Vote& vote, Instant now);
    void on_data(Instant now, Effects& effects);
    void on_persisted(Ticket ticket, Instant now, Effects& effects);
    void on_loaded(const Loaded& loaded, Instant now, Effects& effects);
    void on_time(Instant now, Effects& effects) { settle(now, effects); }
    void on_executed(const ExecutedMark& mark, Instant now, Effects& effects);

    [[nodiscard]] Instant next_wake() const { return wake_; }
    [[nodiscard]] std::vector<FinalizedBlock> take_finalized() { return chain_.take(); }
    [[nodiscard]] std::vector<WantedData> take_wanted() { return std::exchange(wanted_, {}); }
    [[nodiscard]] std::vector<Evidence> take_evidence() { return std::exchange(evidence_, {}); }

    [[nodiscard]] bool worth_checking(const Message& message) const;
    void hand_on(
        const AgentId& from, const std::shared_ptr<const Message>& message, Effects& effects
    );
    [[nodiscard]] bool forgives(const AgentId& from, const Message& message);
    [[nodiscard]] std::optional<Gatherable> gatherable(const Message& message) const;
    [[nodiscard]] bool enough(const VoteContent& content, const Bytes& signers) const;
    [[nodiscard]] View view() const { return current_; }
    [[nodiscard]] Seat leader(View view) const { return leader_of(roster_, view); }
    [[nodiscard]] const simplex::BranchTip& finalized() const { return tree_.root(); }
    [[nodiscard]] bool votes_are_direct() const { return paths_.direct(); }
    [[nodiscard]] bool behind() const { return lacks_final() || later_.has_value(); }
    [[nodiscard]] const std::optional<std::string>& halted() const { return halted_; }
    [[nodiscard]] OrderStatus status() const;
    [[nodiscard]] const OrderingCounters& counters() const;
    [[nodiscard]] OrderingHeld held() const;
    [[nodiscard]] View votes_needed_from() const { return views_.final().view.next(); }

private:
    friend struct simplex::testing::CoreProbe;
    struct Peer {
        std::optional<std::uint32_t> member;
        Instant helped_at = Instant::from_ns(0);  ///< Last unasked certificates.
        Instant told_at = Instant::from_ns(0);    ///< Last unasked status.
        bool helped = false;
        bool told = false;
        TokenBucket requests;
        bool loading = false;  ///< A chain answer for it waits for the store.
    };
    /// What the current view's proposal lacks, as far as judged.
    struct Judgement {
        enum class Verdict : std::uint8_t { valid, waits, invalid };
        Verdict verdict = Verdict::waits;
        std::vector<simplex::CertificateKey> certificates;
        std::optional<BlockId> block;
        std::vector<LaneRange> ranges;
        std::string why;
    };
    struct ChainLoad {
        AgentId to;
        Height from;
        std::uint32_t count = 0;
        BlockId anchor;            ///< Zero: an answer with a finalisation.
        bool stretch_end = false;  ///< Not what was asked for, but where its finalisation is.
    };
    /// The end of a stretch of final blocks without a finalisation of their own, which is longer
    /// than a message; it grows downwards until it meets our chain. [ORD-L11.2]
    struct Stretch {
        Certificate finalization;
        std::deque<Block> blocks;
        [[nodiscard]] Height lowest() const { return blocks.front().height; }
    };
    /// Somebody says that this epoch is over. A claim: a reason to ask for its boundary, for a while.
    struct Later {
        Epoch epoch;
        AgentId agent;
        Instant ask_at;  ///< At a boundary everyone hears of the next epoch a moment too early.
        Instant until;
    };
    /// Someone spoke of a view that we have not entered.
    struct Ahead {
        View view;
        AgentId agent;
        Instant at;
    };

    // settle(): one look at everything that is known. core.cpp
    void settle(Instant now, Effects& effects);
    void watch(Instant now, Effects& effects);
    [[nodiscard]] bool is_silent(Seat seat) const;
    [[nodiscard]] bool is_excluded(Seat seat) const;
    [[nodiscard]] bool has_work(Instant now);
    [[nodiscard]] bool overdue(Instant now);
    void give_up(Instant now);
    void repeat(Instant now, Effects& effects);
    void catch_up(Instant now, Effects& effects);
    void flush(Instant now, Effects& effects);
    void wake_at(Instant at) { wake_ = std::min(wake_, at); }
    /// A block of this epoch is final, as certified, and not here.
    [[nodiscard]] bool lacks_final() const {
        return !ended() && views_.final().view > tree_.root().view;
    }
    /// The term, as a number that rises by one with each: silence is counted in turns, or a term
    /// that was given up would make everyone look silent.
    [[nodiscard]] View turn() const { return View{terms_.number(current_)}; }
    /// Below its floor a seat no longer knows what it said: it follows, and votes again above.
    [[nodiscard]] bool may_vote() const {
        return voter_ && !asking_ && !ended() && !voter_->stopped() && !voter_->has_left() &&
               current_ > voter_->floor();
    }

    // Leading and judging. core_propose.cpp
    void consider(Instant now);
    [[nodiscard]] Judgement judge(View view, const BlockId& id);
    [[nodiscard]] Judgement judge_body(const Block& block, const simplex::BranchTip& parent);
    void lead(Instant now);
    [[nodiscard]] bool may_lead_empty(const simplex::BranchTip& parent, Instant now);
    void propose(const simplex::BranchTip& parent, std::vector<LaneRange> delta, Instant now);
    [[nodiscard]] Height next_mark(const simplex::BranchTip& parent, bool empty = false) const;
    [[nodiscard]] ExecutedMark mark_on(const simplex::BranchTip& parent, bool empty) const;
    void accept_block(const BlockId& id, const Proposal& proposal, Instant came);

    // Votes, certificates and what they do. core_certificates.cpp
    void count(const Vote& vote, Instant now, Effects& effects);
    void accept(
        const Certificate& certificate,
        const std::optional<AgentId>& from,
        Instant now,
        Effects& effects
    );
    void accept_notarization(const Certificate& certificate, Instant now);
    void accept_finalization(const Certificate& certificate, Instant now);
    void bury(View dead, Instant now, Effects& effects);
    void forget_below(View view, Instant now);
    [[nodiscard]] const Certificate* entry_certificate() const;
    void move_on(const VoteContent& content, Instant now);
    void enter(View view, simplex::Pacemaker::Entered how, Instant now);
    [[nodiscard]] View end_of(const VoteContent& certified) const;
    void tell_seatless(const Certificate& certificate, Effects& effects) const;
    void watch_term(Instant now);
    [[nodiscard]] bool stalled(Instant now) const;
    void finish();
    void finalize_through(
        const BlockId& id, const Certificate& finalization, const Block* echo = nullptr
    );
    void finalize_run(std::span<const Block> blocks, const Certificate& finalization);
    void check_own(const VoteContent& content);
    void seek_second(const VoteContent& said, const AgentId& whom, Effects& effects);
    void accuse(const VoteConflict& proof);
    void accuse_signers(const Certificate& certificate);
    void accuse_clash(const Certificate& a, const Certificate& b);
    void halt(std::string reason);

    // Where votes are not direct. core_groups.cpp
    [[nodiscard]] std::vector<AgentId> keys_of(std::span<const std::uint32_t> members) const;
    [[nodiscard]] std::uint32_t own_group() const { return paths_.group_of(*self_); }
    [[nodiscard]] std::uint32_t collectors_now() const;
    void watch_group(const Vote& vote);
    [[nodiscard]] std::vector<AgentId> collectors_for(const VoteContent& content) const;
    [[nodiscard]] std::vector<AgentId> roots_for(const VoteContent& content) const;
    [[nodiscard]] std::vector<AgentId> own_group_and_relays(const VoteContent& content) const;
    [[nodiscard]] std::vector<AgentId> some_seats(View view) const;
    void collect(const Vote& vote, Instant now);
    [[nodiscard]] bool collects_late(const Vote& vote) const;
    [[nodiscard]] std::vector<AgentId> reporters_on(View view) const;
    void count(const PartialCertificate& partial, Instant now, Effects& effects);
    void pass_on(Instant now, Effects& effects);
    void hear_signers(const Certificate& certificate, Instant now);
    void repeat_votes(View from, Effects& effects);
    /// Who collects in a group for a view: with three, one in forty groups has none alive when three in
    /// ten seats are dead; with five one in four hundred.
    static constexpr std::uint32_t collectors_usual = 3;
    static constexpr std::uint32_t collectors_many = 5;

    // Handing on. core_relay.cpp
    /// The view, and the kind of a certificate; none: the proposal.
    using Handed = std::pair<View, std::optional<VoteKind>>;
    [[nodiscard]] static Handed handed_as(const VoteContent& content, bool is_proposal);
    [[nodiscard]] std::optional<std::uint32_t> elsewhere(const AgentId& agent) const;
    [[nodiscard]] bool is_near(View view) const;
    [[nodiscard]] bool makes(std::uint32_t member, const VoteContent& content, bool is_proposal)
        const;
    [[nodiscard]] bool collects(std::uint32_t member, const VoteContent& content) const;
    void forget_handed(View through);
    void relay(
        const Certificate& certificate, const std::optional<AgentId>& from, Effects& effects
    );
    void relay(const AgentId& from, const Proposal& proposal, Effects& effects);

    // Serving, catch-up, peers. core_sync.cpp
    [[nodiscard]] bool admit(const AgentId& from, Instant now);
    void help(
        const AgentId& to,
        Peer& peer,
        View their_view,
        View their_final,
        Instant now,
        Effects& effects
    );
    void tell(const AgentId& to, Instant now, Effects& effects);
    [[nodiscard]] std::vector<Vote> own_votes(View from) const;
    void send_own_votes(const std::vector<AgentId>& to, View from, Effects& effects);
    void send_vote(
        const std::vector<AgentId>& to, const Vote& vote, Ticket after, Effects& effects
    );
    void serve_chain(const ChainLoad& wanted, Effects& effects);
    void answer_chain(
        const ChainLoad& wanted, std::vector<simplex::StoredBlock> run, Effects& effects
    );
    void note_unserved(const AgentId& from);
    [[nodiscard]] bool is_stretch_end(Height first, Height last) const;
    void extend_stretch(const ChainAnswer& answer);
    void finish_stretch();
    void list_peers();

    // A seat that does not know what it said. core_lost.cpp
    void begin_asking(bool lost);
    void ask(Instant now, Effects& effects);
    void hear_claim(const AgentId& from, const OrderStatus& their);
    void trust_again(Instant now);
    void return_votes(const AgentId& to, const Peer& peer, Effects& effects);

    // core_admission.cpp
    [[nodiscard]] bool in_window(View view) const;
    [[nodiscard]] bool worth(const Vote& vote) const;
    [[nodiscard]] bool worth(const Proposal& proposal) const;
    [[nodiscard]] bool worth(const Certificate& certificate) const;
    [[nodiscard]] bool worth(const PartialCertificate& partial) const;
    [[nodiscard]] bool worth(const ChainAnswer& answer) const;

    // core_epochs.cpp
    [[nodiscard]] std::unique_ptr<OrderingCore> succeed(
        const Roster& roster, simplex::BranchTip root
    );
    void take_over(OrderingCore& before);
    void note_later(const AgentId& from, Epoch epoch, Instant now);
    /// How long a claim that this epoch is over is believed, unless it helps.
    [[nodiscard]] Duration later_patience() const { return pace_.retry() * 8; }

    // core_restore.cpp
    [[nodiscard]] Result<void> hand_over(const RestoredBlocks& take);
    void restore_certificates(const std::vector<Certificate>& certificates);
    [[nodiscard]] Result<void> restore_pending(const StoreView& store);
    void restore_votes(const VoteLogContents& votes, const std::vector<Certificate>& certificates);

    const Roster& roster_;
    const Rosters* rosters_;  ///< None: one epoch without end.
    Epoch epoch_;
    Terms terms_;
    std::optional<std::uint32_t> self_;  ///< Our place in the roster.
    const Signer& signer_;
    AgentId agent_;
    CutSource& source_;
    OrderingOptions options_;
    Log& log_;

    simplex::VotePaths paths_;
    std::optional<simplex::VoteCollector> collector_;  ///< With a seat, where votes are not direct.
    std::uint32_t attempt_ = 0;                        ///< Repeats in this view.

    simplex::ViewLog views_;
    simplex::BlockTree tree_;
    simplex::Tally tally_;
    simplex::Burials burials_;
    std::optional<simplex::Voter> voter_;
    simplex::ExecutedMarks marks_;
    simplex::Pacemaker pace_;
    simplex::SeatsHeard heard_;
    simplex::Repair repair_;
    simplex::FinalChain chain_;
    simplex::TurnoutBook turnout_;  ///< Where votes are direct,
    simplex::RootBook roots_;       ///< and where they are not.

    bool started_ = false;
    std::optional<std::string> halted_;
    bool agreement_lost_ = false;  ///< Certificates clash: nothing more is finalised here.
    View current_{1};
    bool judge_again_ = true;
    Judgement judged_;
    Instant ranges_at_;            ///< When judged_.ranges were last asked for.
    bool leader_gave_up_ = false;  ///< Its Nullify for the current view was seen.
    bool skipped_ = false;         ///< We gave the current view up without waiting.
    Instant retry_at_;
    Instant finality_retry_at_;
    std::optional<Instant> unfinal_since_;  ///< A notarized view waits for its finalisation.
    /// A view of this term was passed and is not final: when patience with the term ends. The leader
    /// cannot move it by taking longer for each view. [ORD-T5.1]
    std::optional<Instant> stalls_at_;
    Instant proposal_seen_at_ = Instant::from_ns(0);
    bool any_proposal_ = false;
    std::optional<Ahead> ahead_;
    std::optional<Later> later_;
    std::map<Handed, std::shared_ptr<const Message>> handed_;  ///< Above the final view.
    std::set<std::pair<Handed, std::uint32_t>> forgiven_;      ///< By whom; above the final view.
    std::set<View> sought_;  ///< Views above the final one whose second proposal we asked for.
    Height kept_from_{1};    ///< Below, nothing is served any more.
    std::vector<AgentId> unserved_;        ///< Who asked for what lies there; each once.
    std::optional<AgentId> final_source_;  ///< Who knows the finalisation we are missing blocks of.
    Instant status_at_ = Instant::from_ns(0);
    bool asking_ = false;  ///< Our log may lack votes of ours: no vote until the others answered.
    bool lost_ = false;    ///< It certainly does, or did when this life began.
    std::optional<Instant> watch_until_;    ///< Until then another process with our key would show.
    std::optional<View> watch_above_;       ///< By a vote above this view.
    bool began_empty_ = false;              ///< This life began with an empty log, and asked.
    Duration ask_after_;                    ///< Doubles with every question up to the heartbeat.
    std::map<std::uint32_t, View> claims_;  ///< Where members said they stand, while asking.
    std::optional<View> too_few_in_;  ///< The view in which too few of these claims were proven.

    KeyMap<AgentId, Peer> peers_;
    std::vector<AgentId> seats_;  ///< Connected members, ascending.
    std::vector<AgentId> all_;    ///< Everyone connected.
    std::map<Ticket, ChainLoad> loads_;
    std::optional<Stretch> stretch_;
    std::vector<KeyWrite> writes_;
    std::optional<Instant> flush_at_;
    Instant wake_ = Instant::max();

    std::vector<WantedData> wanted_;
    std::vector<Evidence> evidence_;
    std::vector<RosterLink> links_;  ///< Of boundaries where the roster changed.
    /// What the vote log holds while this seat has no vote: for the epoch in which it has one.
    std::optional<VoteLogContents> unread_;
    mutable OrderingCounters counters_;
    std::uint64_t evicted_before_ = 0;  ///< Blocks that earlier epochs evicted.
};

}  // namespace creto
