// Ordering: Simplex over cuts of lanes; votes in, one finalised chain of blocks out.
//
// Why      Consensus never moves data: it agrees how far each lane has come, in three message
//          delays, with one message flow and no view change protocol.
// Source   Simplex (Chan and Pass 2023); cuts after Autobahn (SOSP 2024). The rules, with their
//          tags, are in docs/spec/ordering.md.
// Holds    [ORD-L8.1] take_finalized() gives every height once, in order, the same on every correct
//          node. No vote leaves, or counts here, before its record is durable [ORD-W1.1]. A seat
//          never signs two votes that conflict(), across any restart with an intact vote log
//          [ORD-W2.1].
// Use      restore(), then start(), then on_*() for every event. After each call: take_finalized()
//          until empty, take_wanted(), take_evidence(); arm next_wake(). on_executed() reports what
//          executing each finalised block gave, in order.
// Errors   Peers cause drops and counters, never errors. restore(): corrupt, with the key.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/time.hpp"
#include "model/effect.hpp"
#include "model/event.hpp"
#include "model/leader.hpp"
#include "model/rosters.hpp"
#include "order/cut_source.hpp"
#include "order/keys.hpp"
#include "store/store.hpp"

namespace creto {

struct OrderingOptions {
    Duration delta = Duration::from_ms(100);   ///< First guess of one message delay with slack.
    Duration delta_max = Duration::from_s(1);  ///< Cap of the back-off.
    Duration heartbeat = Duration::from_s(2);  ///< An empty block after this long without work.
    Duration view_interval;  ///< Smallest time between proposals; 0 for small rosters.
    /// A block that carries nothing but a root waits so long for something else to carry.
    Duration root_patience = Duration::from_ms(10);
    std::uint64_t skip_views = 10;  ///< A leader not heard for so many views gets no patience.
    /// A leader says whose votes for a block it got, so long after the first of them, so often.
    Duration turnout_after = Duration::from_s(1);
    Duration turnout_every = Duration::from_s(1);
    /// With more seats than these votes go through groups, [ORD-V1.1] and wait so long for others.
    std::size_t direct_seats_max = limits::direct_seats_max;
    Duration collect_for = Duration::from_ms(2);
    Duration collect_gathered_for = Duration::from_us(500);  ///< For those that had to wait before.
    /// A seat with an empty vote log asks the others for votes with its key before its first vote.
    bool ask_first = false;
    /// So long a seat whose log was lost looks on, in case another process votes with its key.
    Duration watch_for;
};

/// Votes on one content that are better checked together with others on it.
struct Gatherable {
    VoteContent content;
    Bytes signers;         ///< Bitmap over the roster.
    bool is_late = false;  ///< Nothing waits for it any more. [ORD-V1.8]
};

/// A block that became final, with the cut before and after it. Its vertices may still be on their
/// way: whoever executes it fetches what is missing first.
struct FinalizedBlock {
    Block block;
    BlockId id;
    std::shared_ptr<const Cut> cut_after;
    std::shared_ptr<const Cut> parent_cut;
    /// Its own, when it has one: most blocks are final through a descendant.
    std::optional<Certificate> finalization = std::nullopt;
};

/// A final block to go on from without those below it, and what executing up to it gave.
struct Anchor {
    Block block;
    std::shared_ptr<const Cut> cut;  ///< After it.
    ExecutedMark mark;
};

/// Vertices that the proposal of the current view covers and the CutSource lacks.
struct WantedData {
    LaneRange range;
    AgentId first_to_ask;  ///< The proposal's leader: it must hold everything that it proposes.
};

/// Counts since the start; all of them only rise.
struct OrderingCounters {
    std::uint64_t proposals_made = 0;
    std::uint64_t proposals_refused = 0;  ///< Structurally invalid: the view was nullified at once.
    std::uint64_t votes_counted = 0;
    std::uint64_t votes_ignored = 0;  ///< Outside the window, duplicate, or of a settled view.
    std::uint64_t views_entered = 0;
    std::uint64_t views_nullified = 0;  ///< Entered by a nullification.
    std::uint64_t leaders_skipped = 0;
    std::uint64_t nullify_votes = 0;
    std::uint64_t retransmissions = 0;
    std::uint64_t requests_sent = 0;
    std::uint64_t requests_served = 0;
    std::uint64_t requests_refused = 0;  ///< Over a peer's quota, or nothing to serve.
    std::uint64_t blocks_finalized = 0;
    std::uint64_t chain_blocks_synced = 0;  ///< Finalised through a ChainAnswer.
    std::uint64_t equivocations_seen = 0;
    std::uint64_t blocks_evicted = 0;  ///< Over limits::pending_blocks_max.
};

/// How much is held now, by kind: each of these is bounded, or shrinks with every finalisation.
struct OrderingHeld {
    std::size_t views = 0;         ///< With a proposal or certificate.
    std::size_t voted_views = 0;   ///< With votes that were counted.
    std::size_t own_views = 0;     ///< With votes of our own.
    std::size_t blocks = 0;        ///< Above the final one.
    std::size_t marks = 0;         ///< Executed heights, own and claimed.
    std::size_t wants = 0;         ///< Asked for, not here.
    std::size_t final_blocks = 0;  ///< Final, kept to answer stragglers or not yet taken.
    std::size_t proofs = 0;        ///< Not yet taken.
};

/// Takes the blocks of a restored chain, some at a time, in height order; an error ends the restart.
using RestoredBlocks = std::function<Result<void>(std::vector<FinalizedBlock>)>;

class OrderingCore;
namespace simplex::testing {
struct CoreProbe;  ///< Reads and copies everything, for the searches of tests/model/.
}

class Ordering {
public:
    /// `self` none: follow without voting, until a roster has a seat for the signer's key. `rosters`
    /// where epochs end: whoever executes blocks adds to them, before on_executed() of the block that
    /// decides one. References outlive the object.
    Ordering(
        const Roster& roster,
        std::optional<Seat> self,
        const Signer& signer,
        CutSource& source,
        OrderingOptions options,
        Log& log,
        const Rosters* rosters = nullptr
    );
    ~Ordering();
    Ordering(const Ordering&) = delete;
    Ordering& operator=(const Ordering&) = delete;

    /// Reads blocks, certificates and own votes back. The finalised chain comes again from height 1:
    /// to `take`, while it is read, so that its length is no matter of memory [ORD-R6.1]; without it
    /// through take_finalized(). `take` may call on_executed() and nothing else. With a vote log
    /// that is not intact this seat votes again only
    /// above every view in which an earlier vote of its own could count. [ORD-R5.1]
    /// With an anchor the chain comes from the height after it. [ORD-R7.1]
    /// Errors: corrupt, with the key and what to do.
    [[nodiscard]] Result<void> restore(
        const StoreView& store,
        const VoteLogContents& votes,
        const RestoredBlocks& take = {},
        const std::optional<Anchor>& anchor = std::nullopt
    );
    void start(Instant now, Effects& effects);

    /// Goes on from a final block whose predecessors are not here and will not come; `proof`
    /// begins with it.
    /// Requires: above finalized_height(), check_items() of the offer hold, the state there is this
    /// node's now, and take_finalized() is empty. [ORD-L11.4]
    void adopt(
        const Anchor& anchor,
        const Checked<const ChainAnswer&>& proof,
        const AgentId& from,
        Instant now,
        Effects& effects
    );
    /// Headers from the mark's height on, with one that names it and, last, one with its
    /// finalisation. `stored`: what the store has from that height on, for what is not in memory. The
    /// store has one finalisation in a span of heights, and memory that of the tip. [ORD-L11.4]
    [[nodiscard]] std::optional<ChainAnswer> prove(
        const ExecutedMark& mark, const std::vector<simplex::StoredBlock>& stored = {}
    ) const;
    /// Writes what is final here and not written yet: before a checkpoint, which must not stand in the
    /// store without what proves it to others.
    void write_chain(Effects& effects);
    /// Blocks below this height are not served any more; the height never falls.
    void keep_from(Height height);
    /// Who asked for such blocks since the last call.
    [[nodiscard]] std::vector<AgentId> take_unserved();

    // What peers say. `from` is the connected peer, not necessarily the signer.
    /// `came`: when it arrived, before its check.
    void on_proposal(
        const AgentId& from,
        const Checked<const Proposal&>& m,
        Instant came,
        Instant now,
        Effects& effects
    );
    void on_vote(const AgentId& from, const Checked<const Vote&>& m, Instant now, Effects& effects);
    void on_certificate(
        const AgentId& from, const Checked<const Certificate&>& m, Instant now, Effects& effects
    );
    void on_partial(
        const AgentId& from,
        const Checked<const PartialCertificate&>& m,
        Instant now,
        Effects& effects
    );
    void on_chain_answer(
        const AgentId& from, const Checked<const ChainAnswer&>& m, Instant now, Effects& effects
    );
    void on_status(const AgentId& from, const OrderStatus& m, Instant now, Effects& effects);
    void on_certificate_request(
        const AgentId& from, const CertificateRequest& m, Instant now, Effects& effects
    );
    void on_block_request(
        const AgentId& from, const BlockRequest& m, Instant now, Effects& effects
    );
    void on_chain_request(
        const AgentId& from, const ChainRequest& m, Instant now, Effects& effects
    );
    void on_peer_up(const AgentId& peer, Instant now, Effects& effects);
    void on_peer_down(const AgentId& peer, Instant now, Effects& effects);

    /// Something came from this peer, worth checking or not: it is alive. on_*() say so themselves;
    /// call it for messages that worth_checking() turned away, or slow seats count as silent.
    void hear(const AgentId& from, Instant now);

    /// A vote came over this peer's own link, worth checking or not: for the report on who votes.
    /// [STAND-REPORT.1]
    void saw(const AgentId& from, const Message& message, Instant now);

    /// Something of an epoch that is not epoch() came from this peer: one of the two is behind.
    void on_other_epoch(const AgentId& from, Epoch epoch, Instant now, Effects& effects);

    /// The CutSource can see more than before.
    void on_data(Instant now, Effects& effects);
    /// Tickets of others are ignored.
    void on_persisted(Ticket ticket, Instant now, Effects& effects);
    void on_loaded(const Loaded& loaded, Instant now, Effects& effects);
    void on_time(Instant now, Effects& effects);
    /// When on_time() is due; Instant::max() for never.
    [[nodiscard]] Instant next_wake() const;

    /// What executing a finalised height gave, in height order. Height 0 (the genesis state) may be
    /// reported before start(); it is all zero otherwise.
    void on_executed(const ExecutedMark& mark, Instant now, Effects& effects);
    /// At most limits::blocks_per_message_max at once, in height order, each height exactly once:
    /// call until empty. [ORD-L8.1]
    [[nodiscard]] std::vector<FinalizedBlock> take_finalized();
    [[nodiscard]] std::vector<WantedData> take_wanted();
    /// Proofs of another roster, for each boundary passed since the last call where it changed.
    [[nodiscard]] std::vector<RosterLink> take_links();
    /// Proofs seen since the last call, each once.
    [[nodiscard]] std::vector<Evidence> take_evidence();

    /// Cheap admission before signatures are checked: false for what could change nothing (outside
    /// the window, already known, already decided). (rule A1) (rule A2)
    [[nodiscard]] bool worth_checking(const Message& message) const;
    /// Hands on what came from its maker to the own group, before it is checked here. Requires:
    /// worth_checking(). [ORD-V1.6]
    void hand_on(
        const AgentId& from, const std::shared_ptr<const Message>& message, Effects& effects
    );
    /// Whether a wrong signature in this is not its sender's fault, who had to hand it on unseen.
    [[nodiscard]] bool forgives(const AgentId& from, const Message& message);
    /// What is said, and by whom, where it is better checked together with what others say of it;
    /// else none. Requires: worth_checking(). [ORD-V1.9]
    [[nodiscard]] std::optional<Gatherable> gatherable(const Message& message) const;
    /// With the votes of these, a quorum has said this, or all of the group that this seat collects.
    /// Requires: it is gatherable().
    [[nodiscard]] bool enough(const VoteContent& content, const Bytes& signers) const;

    [[nodiscard]] Epoch epoch() const;
    /// Of this epoch: what its messages are checked against.
    [[nodiscard]] const Roster& roster() const;
    [[nodiscard]] View view() const;
    [[nodiscard]] Seat leader_of(View view) const;
    /// False where votes go through groups: then most seats are heard through certificates only.
    [[nodiscard]] bool votes_are_direct() const;
    [[nodiscard]] Height finalized_height() const;
    [[nodiscard]] View finalized_view() const;
    [[nodiscard]] BlockId finalized_id() const;
    [[nodiscard]] const Cut& finalized_cut() const;
    /// True while a finalised height that others hold is missing here.
    [[nodiscard]] bool behind() const;
    /// Why this node no longer votes; none while it may.
    [[nodiscard]] const std::optional<std::string>& halted() const;
    [[nodiscard]] OrderStatus status() const;
    [[nodiscard]] const OrderingCounters& counters() const;
    [[nodiscard]] OrderingHeld held() const;
    /// Records of the vote log for views below this one are no longer needed.
    [[nodiscard]] View votes_needed_from() const;

private:
    friend struct simplex::testing::CoreProbe;
    explicit Ordering(std::unique_ptr<OrderingCore> core);
    /// Into the next epoch, when this one is over.
    void turn(Instant now, Effects& effects);

    std::unique_ptr<OrderingCore> core_;
};

/// The epoch that an ordering message speaks of; none when it does not depend on one.
[[nodiscard]] std::optional<Epoch> epoch_of(const Message& message);

/// The signatures that must hold for a proposal, vote, certificate or chain answer; empty for other
/// messages. None: malformed, or a seat that is not in the roster; no correct peer sends that.
[[nodiscard]] std::optional<std::vector<CheckItem>> check_items(
    const Message& message, const Roster& roster
);
/// The same for a checkpoint: none as well when its headers do not begin with its block, or when
/// none of them names its mark. [ORD-L11.4]
[[nodiscard]] std::optional<std::vector<CheckItem>> check_items(
    const OfferedCheckpoint& offered, const Roster& roster
);

}  // namespace creto
