// NodeImpl: how the layers below are put together. Private to node/.
//
// Layout   node.cpp           life: restore, start, the loop after each event, timers
//          node_receive.cpp   what peers say, up to the door of each layer
//          node_lanes.cpp     the own lane, when it is lost, and how it is had again
//          node_beacon.cpp    the own part in the random beacon
//          node_handing.cpp   operations that another seat has to carry
//          node_data.cpp      vertices: own, received, asked for; anti-entropy; agent records
//          node_finality.cpp  finalised blocks: execution, replies, disputes
//          node_checkpoints.cpp  checkpoints: made, entered at a restart, taken over from peers
//          node_commands.cpp  what local users ask
//          node_reads.cpp     keys: reading, sessions, watching
//          node_calls.cpp     calls and verified calls
//          node_judges.cpp    answers whose likeness others judge
//          node_streams.cpp   what tools show while they work
//          node_peers.cpp     what is known of other agents, for users and watchers
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>

#include "base/key_cells.hpp"
#include "base/prng.hpp"
#include "base/ring.hpp"
#include "dag/dag.hpp"
#include "mesh/dialer.hpp"
#include "mesh/directory.hpp"
#include "mesh/discovery.hpp"
#include "mesh/fetcher.hpp"
#include "mesh/liveness.hpp"
#include "mesh/overlay.hpp"
#include "mesh/reachability.hpp"
#include "model/light.hpp"
#include "node/check_gate.hpp"
#include "node/check_twins.hpp"
#include "node/checkpoint/fetch.hpp"
#include "node/checkpoint/giver.hpp"
#include "node/checkpoint/pruner.hpp"
#include "node/checkpoint/shelf.hpp"
#include "node/counts.hpp"
#include "node/node.hpp"
#include "node/producer.hpp"
#include "node/proofs.hpp"
#include "node/receipts.hpp"
#include "node/vote_gathering.hpp"
#include "order/ordering.hpp"
#include "state/causal_state.hpp"
#include "state/final_state.hpp"
#include "tools/call_client.hpp"
#include "tools/call_server.hpp"
#include "tools/call_times.hpp"
#include "tools/verified_call.hpp"

namespace creto {

/// Lets ordering see the graph, and which lanes the state has closed, without knowing them.
class DagCutSource final : public CutSource {
public:
    DagCutSource(Dag& dag, const FinalState& final) : dag_{dag}, final_{final} {}
    [[nodiscard]] Check check(
        const Cut& parent, const std::vector<LaneRange>& delta, Height executed
    ) override;
    [[nodiscard]] std::vector<LaneRange> build(const Cut& parent, Height executed) override;
    [[nodiscard]] bool has_unordered(const Cut& cut, Height executed) const override;
    void enter(Epoch epoch) override { epoch_ = epoch; }
    [[nodiscard]] bool awaits_epoch() const override {
        return final_.seats().changes_after(epoch_);
    }
    [[nodiscard]] bool is_excluded(const PublicKey& key) const override {
        return final_.excluded(key);
    }
    /// The lanes that are closed for a block of this epoch on this cut whose mark names this height:
    /// each stays where the cut has it. Those of seats that vote only later have not begun.
    /// Requires: `executed` was executed here. [ORD-L6.1]
    [[nodiscard]] ClosedLanes closed_for(const Cut& parent, Height executed, Epoch epoch) const;
    /// Of these, those that stay closed.
    [[nodiscard]] ClosedLanes ended_for(const Cut& parent, Height executed) const;

private:
    Epoch epoch_{1};
    Dag& dag_;
    const FinalState& final_;
};

class NodeImpl {
public:
    NodeImpl(NodeOptions options, const Signer& signer, Log& log);

    [[nodiscard]] Result<void> restore(const StoreView& store, const VoteLogContents& votes);
    [[nodiscard]] std::vector<Effect> on_event(const Event& event, Instant now);
    void reuse(std::vector<Effect> spent) { effects_.reuse(std::move(spent)); }

    [[nodiscard]] const AgentId& agent() const { return self_; }
    [[nodiscard]] std::optional<Seat> seat() const { return seat_; }
    [[nodiscard]] const Roster& roster() const { return voters(); }
    [[nodiscard]] View view() const { return ordering_.view(); }
    [[nodiscard]] StatusReply status() const;
    [[nodiscard]] StatusReply gauges() const;
    [[nodiscard]] std::size_t held_bytes() const {
        return dag_.bytes() + (producer_ ? producer_->waiting_bytes() : 0);
    }

private:
    struct Submission;
    /// No block has so many operations: an own counter that is lost goes on above all that were used.
    static constexpr std::uint64_t counters_a_block = 1ULL << 20U;

    // Life (node.cpp)
    [[nodiscard]] Result<void> restore_blocks(
        const StoreView& store, std::vector<FinalizedBlock> blocks
    );
    [[nodiscard]] Result<void> restore_lane(
        const StoreView& store, const LaneId& lane, Sequence first, Sequence last
    );
    void restore_submissions(const LaneId& lane, Sequence first);
    void on(const Start& event);
    void on(const Received& event);
    void on(const PeerUp& event);
    void on(const PeerDown& event);
    void on(const Woke& event);
    void on(const Persisted& event);
    void on(const Loaded& event);
    void on(const CheckDone& event);
    void on(const Executed& event);
    void on(const Command& event);
    void on(const StoreFailed& event);
    void on_time();
    void settle();
    void deliver_to_self();
    void arm();
    [[nodiscard]] std::string name_of(const AgentId& agent) const;
    void count(Count what) { counts_.add(what); }
    void drop(const AgentId& peer, const std::string& why);

    // Epochs (node_epochs.cpp)
    /// Who votes now.
    [[nodiscard]] const Roster& voters() const { return ordering_.roster(); }
    /// All seats that there are, were and will be, as far as is agreed.
    [[nodiscard]] const Roster& seats() const { return rosters_.newest(); }
    void decide_rosters(Epoch first, Epoch last);
    void follow_epoch();
    /// The lane of a seat that this node has, had, or will have.
    [[nodiscard]] bool is_own(const LaneId& lane) const;
    [[nodiscard]] bool of_another_epoch(
        const AgentId& from, const MessagePtr& message, std::size_t bytes
    );
    [[nodiscard]] bool names_unknown_seat(const Message& message) const;
    /// Who must have finalised what proves it, and the signatures that prove that; none: links are
    /// missing, or do not hold.
    [[nodiscard]] std::optional<ProvenRoster> roster_for(const OfferedCheckpoint& offered) const;
    void keep_links(const std::vector<RosterLink>& links);
    void store_links();
    void keep_offered_links(const OfferedCheckpoint& offered, Epoch known);
    [[nodiscard]] Result<void> restore_links(const StoreView& store);

    // The own lane (node_lanes.cpp)
    void open_lanes();
    [[nodiscard]] Result<void> restore_life(const StoreView& store);
    void follow_own_lane();
    void lose_lane(const std::string& why);
    void give_lane_up(const std::string& why);
    void see_another_life(const VertexHeader& own);
    void count_own_record();
    void meet_another_life();
    [[nodiscard]] Instant lane_next_wake() const;
    void ask_for_lane();

    // The random beacon (node_beacon.cpp)
    [[nodiscard]] Digest beacon_secret(Epoch feeds) const;
    void note_own_beacon(const OperationBody& body);
    void note_work(const Block& block, const std::vector<VertexPtr>& ordered);
    void feed_beacon();

    // That it is there (node_presence.cpp)
    void show_presence();
    [[nodiscard]] std::string no_seat() const;

    // What peers say (node_receive.cpp)
    void receive(const AgentId& from, MessagePtr message, std::size_t bytes);
    void receive_order(const AgentId& from, MessagePtr message, std::size_t bytes);
    [[nodiscard]] bool gather(const AgentId& from, const MessagePtr& message, std::size_t bytes);
    void check_gathered(std::vector<VoteGathering::Held> held);
    void check_order(const AgentId& from, MessagePtr message, std::size_t bytes);
    void refuse_signature(const AgentId& from, const Message& message);
    void admit(
        const AgentId& from, MessagePtr message, std::vector<CheckItem> items, std::size_t bytes
    );
    /// `came`: when it arrived, before its check.
    void accept(const AgentId& from, const Message& message, const CheckPass& pass, Instant came);
    [[nodiscard]] bool within_budget(
        const AgentId& from, const Message& message, std::size_t bytes
    );
    void refuse(const AgentId& from, const Message& message, const PeerBudget::Refusal& refusal);
    void tell_of_seats();
    void draw_overlay();

    // Vertices and records (node_data.cpp)
    void produce();
    void on_own_vertex_durable();
    void add_vertex(const Checked<VertexPtr>& vertex, bool store);
    void completed(const std::vector<VertexPtr>& vertices);
    void on_vertices(const AgentId& from, const VertexBatch& batch, const CheckPass& pass);
    void on_lane_summary(const AgentId& from, const LaneSummary& summary);
    void on_vertex_request(const AgentId& from, const VertexRequest& request);
    void on_evidence(const Evidence& evidence, const std::optional<AgentId>& from);
    void bring_proofs();
    [[nodiscard]] LaneSummary lane_summary(bool answer) const;
    void publish_record(bool leaving);
    void on_records(const AgentId& from, const RecordBatch& batch, const CheckPass& pass);
    void spread_summaries();
    void send_vertices(const AgentId& to, const std::vector<VertexPtr>& vertices);

    // Other agents (node_peers.cpp)
    void look_around();
    void note_alive(const AgentId& agent);
    void on_probe(const AgentId& from, const Probe& probe);
    void on_ping_answer(const AgentId& from, const Checked<const PingAnswer&>& answer);
    void said_final(const AgentId& agent, Height height);
    void saw_vote(const Vote& vote);
    void show_lives();
    [[nodiscard]] PeerView view_of(const AgentRecord& record) const;

    // The final order (node_finality.cpp)
    void execute_finalized();
    bool execute(const FinalizedBlock& finalized);
    void after_execution(
        const FinalizedBlock& finalized, const FinalState::Applied& applied, std::size_t bytes
    );
    void settle_submissions(const FinalState::Applied& applied);
    void expire_submissions();
    void answer_pending();

    // Operations for other seats to carry (node_handing.cpp)
    struct Handed {
        /// Where else it is: a client's is in no lane before it is handed over.
        enum class From : std::uint8_t { client, lane };
        Operation operation;
        Instant again;
        std::set<AgentId> asked;
        std::set<AgentId> refused;  ///< Of these.
        std::set<AgentId> passed;   ///< Had their turn in this round.
        From from = From::client;
    };
    void hand_over(Operation operation, Handed::From from);
    [[nodiscard]] std::optional<AgentId> draw_carrier(const std::set<AgentId>& but = {});
    bool send_handed(Handed& handed);
    void repeat_handed();
    [[nodiscard]] bool is_refused(const OperationId& id, const AgentId& by);
    void leave_seat();
    void let_go(const OperationId& id, Submission& submission);
    void give_back(const OperationId& id, const Submission& submission, const std::string& why);
    void lapse(Height height);
    void run_dispute(const OpenDispute& dispute);
    void offer_contracts();
    OperationId submit_own(OperationBody body);

    // Checkpoints (node_checkpoints.cpp)
    [[nodiscard]] Result<std::optional<Anchor>> restore_checkpoint(const StoreView& store);
    [[nodiscard]] Result<void> restore_recent_blocks(const StoreView& store, Height last);
    void enter(const Checkpoint& checkpoint, FinalState state);
    void note_tips(const FinalizedBlock& finalized);
    void keep_checkpoint(const FinalizedBlock& finalized, std::size_t bytes);
    [[nodiscard]] bool needs_checkpoint() const;
    void on_offer(const AgentId& from, const Checked<const OfferedCheckpoint&>& offered);
    void on_part(const AgentId& from, const CheckpointPart& part);
    void adopt(CheckpointFetch::Arrived arrived);
    [[nodiscard]] bool skip_to(const Checkpoint& checkpoint);
    void settle_skipped();

    // Local users (node_commands.cpp)
    void reply(Ticket command, ReplyBody body);
    void reply_error(Ticket command, Error error) { reply(command, std::move(error)); }
    void command(Ticket ticket, const Submit& submit);
    void command(Ticket ticket, const SubmitMany& many);
    void count_in(Ticket batch, const ReplyBody& body);
    void command(Ticket ticket, const RemoveCausal& remove);
    void command(Ticket ticket, const AskOperation& ask);
    void command(Ticket ticket, const CallTool& call);
    void command(Ticket ticket, const CallVerified& call);
    void command(Ticket ticket, const Cancel& cancel);
    void command(Ticket ticket, const Connect& connect);
    void command(Ticket ticket, const ToolsChanged& changed);
    void command(Ticket ticket, const Drain& drain);
    void command(Ticket ticket, const AskStatus& ask);
    void command(Ticket ticket, const AskPeers& ask);
    void command(Ticket ticket, const AskReputation& ask);
    void command(Ticket ticket, const AskVerdicts& ask);
    void command(Ticket ticket, const AskRoster& ask);
    void command(Ticket ticket, const AskLog& ask);
    void command(Ticket ticket, const AskReceipt& ask) {
        receipts_.ask(ticket, ask, now_, effects_);
    }
    void on_submit_message(const AgentId& from, const OperationSubmit& submit);
    void on_outcome(const AgentId& from, const OperationOutcome& outcome);
    [[nodiscard]] Operation make_operation(OperationBody body);
    [[nodiscard]] Result<void> may_submit(Reading reading) const;
    [[nodiscard]] Result<void> queue(Operation operation);
    [[nodiscard]] Result<void> carry(Operation operation, CarriedQueue::Client client);
    [[nodiscard]] Result<void> or_backlog_full(Result<void> pushed) const;
    [[nodiscard]] LaneRoom lane_room() const;
    void take_in(Ticket ticket, const Submit& submit);
    void check_change(Ticket ticket, const Submit& submit, const RosterOperation& change);
    void on_change_checked(const CheckDone& done);

    // Keys (node_reads.cpp)
    void command(Ticket ticket, const ReadKey& read);
    void command(Ticket ticket, const WatchKeys& watch);
    [[nodiscard]] KeyReply read_now(const ReadKey& read) const;
    [[nodiscard]] Result<bool> has_reached(const SessionToken& session) const;
    void serve_waiting_reads();
    void fail_waiting_reads(const Error& error);
    [[nodiscard]] Instant reads_next_wake() const;
    void note_final_changes(
        const std::vector<VertexPtr>& ordered, const FinalState::Applied& applied
    );
    void publish_changes();

    // Calls (node_calls.cpp)
    struct PlainCall {
        Ticket command;
        CallTool call;
        Instant deadline;
        std::set<AgentId> tried;
        struct Asked {
            Instant at;
            std::uint32_t attempt = 1;
            std::uint64_t unseen = 0;  ///< Pieces that came while another one's were shown.
        };
        std::map<AgentId, Asked> under_way;
        std::uint32_t attempts = 0;
        /// Of the first that was asked, if it is idempotent: others must offer the same.
        std::optional<ContractId> again;
        std::optional<Instant> hedge_at;  ///< When a second one is asked.
        bool hedged = false;
        /// Whose pieces its watcher sees, and the call that they belong to.
        struct Shown {
            AgentId provider;
            std::uint32_t attempt = 1;
            std::uint64_t id = 0;
            bool over = false;  ///< That attempt came to nothing: what follows begins anew.
        };
        std::optional<Shown> shown;
    };
    /// Asks one provider more. not_found, unavailable or limit: nobody was asked.
    [[nodiscard]] Result<void> ask_provider(CallClient::Token token);
    [[nodiscard]] Result<void> ask(CallClient::Token token, const AgentId& provider);
    void visit(CallClient::Token token, const AgentId& provider);
    void on_visited(const AgentId& provider);
    void repeat_visits();
    void plan_hedge(CallClient::Token token, const AgentId& provider);
    void hedge(CallClient::Token token);
    void end_plain(CallClient::Token token);
    /// Who waits for a verified call: a command, or another one whose answers are to be judged.
    struct PanelOwner {
        Ticket command;
        std::optional<CallClient::Token> asks_for;
    };
    struct PanelCallEntry {
        PanelOwner owner;
        VerifiedCall call;
        Instant deadline;
        Instant linger;  ///< When the record is made although some have not answered.
        bool replied = false;
        std::optional<CallClient::Token> judges{};  ///< The call that judges its answers.
        std::map<AgentId, Digest> checking{};  ///< Whose answers are under check, and their result.
        struct Held {
            AgentId from;
            CallAnswer answer;
        };
        std::vector<Held> held{};  ///< Enough others that say the same are being checked.
        [[nodiscard]] bool surplus(const CallAnswer& answer) const;
    };
    [[nodiscard]] std::optional<AgentId> choose_provider(const PlainCall& call);
    void on_finished(CallClient::Finished finished);
    void finish_plain(CallClient::Token token, const CallClient::Finished& finished);
    void finish_member(CallClient::Token token, const CallClient::Finished& finished);
    [[nodiscard]] PanelCallEntry* panel_of(const AgentId& from, const CallAnswer& answer);
    enum class Hold : std::uint8_t { no, waits, counts_for_nothing };
    [[nodiscard]] Hold hold_back(const AgentId& from, const CallAnswer& answer);
    void answer_refused(const AgentId& from, const CallAnswer& answer);
    void release(CallClient::Token token);
    [[nodiscard]] Result<PanelCall> panel_for(
        const CallVerified& call, const std::optional<ContractId>& only
    );
    [[nodiscard]] Result<void> start_panel(PanelCall panel, PanelOwner owner);
    void settle_panel(CallClient::Token token);
    void close_panel(CallClient::Token token);
    void calls_on_time();

    // Judges (node_judges.cpp)
    void ask_judge(CallClient::Token token);
    [[nodiscard]] Result<void> start_judges(CallClient::Token token);
    void hear_judges(CallClient::Token token, const VerifiedReply& said);
    void miss_judges(CallClient::Token token, const std::string& why);
    void dismiss_judges(PanelCallEntry& entry);

    // Pieces (node_streams.cpp)
    void on(const Emitted& event);
    void on_piece(const AgentId& from, const CallPiece& piece);
    void show(
        Ticket command, const PlainCall::Shown& shown, const CallPiece* piece, std::uint64_t lost
    );
    void sent_again(const CallClient::Again& again);
    void command(Ticket ticket, const PiecesTaken& taken);
    [[nodiscard]] Instant calls_next_wake() const;
    [[nodiscard]] Salt draw_salt();

    NodeOptions options_;
    Roster roster_;  ///< Of the genesis: the chain, and what never changes.
    Rosters rosters_;
    const Signer& signer_;
    Log& log_;
    AgentId self_;
    std::optional<Seat> seat_;
    Prng prng_;
    Proofs proofs_;
    Instant now_;
    std::int64_t unix_ms_at_start_ = 0;
    Instant started_at_;
    bool started_ = false;
    bool restoring_ = false;
    std::optional<std::string> store_failed_;
    Effects effects_;
    /// False when an event only put a message to the check of its signatures, or aside.
    bool changed_ = true;
    Counts counts_;
    Instant armed_ = Instant::max();

    Dag dag_;
    FinalState final_;
    DagCutSource cuts_;
    Ordering ordering_;
    CausalState causal_;
    std::optional<Producer> producer_;
    CheckGate gate_;
    CheckTwins twins_;
    VoteGathering gathering_;
    Directory directory_;
    Reachability reachability_;
    Dialer dialer_;
    Overlay overlay_;
    Liveness liveness_;
    Discovery discovery_;
    Fetcher fetcher_;
    PeerBudget budget_;
    CallServer server_;
    CallClient client_;
    CallTimes times_;
    AnswerMemory memory_;
    FinalReceipts receipts_;
    CheckpointShelf shelf_;
    CheckpointGiver giver_;
    CheckpointFetch fetch_;
    Pruner pruner_;

    // Execution of the final order
    Ring<FinalizedBlock> to_execute_;
    Cut final_cut_;
    Instant executed_at_;                        ///< The last block, or the start.
    std::map<LaneId, VertexHeader> final_tips_;  ///< Of final_cut_.
    std::map<Ticket, OpenDispute> dispute_runs_;
    /// A finalised block whose vertices are in memory, oldest first.
    struct PruneMark {
        Height height;  ///< In recent_blocks_, which hold more.
        std::size_t bytes = 0;
    };
    Ring<PruneMark> prune_marks_;
    std::size_t finalized_bytes_ = 0;  ///< Sum over prune_marks_.
    Ring<Block> recent_blocks_;        ///< The newest that were executed, height by height.
    std::uint64_t operations_final_ = 0;
    bool forks_known_ = false;  ///< Then a decided cut may change what the overlay holds.

    // Own submissions
    struct Submission {
        Ticket command;                    ///< 0: nobody waits for the answer.
        std::optional<AgentId> submitter;  ///< An agent without a seat, to be told.
        Instant deadline;
        Height expiry;
    };
    std::map<OperationId, Submission> submissions_;
    std::map<OperationId, Handed> handed_;  ///< Of submissions_: others have to carry these.
    Instant hand_at_ = Instant::max();
    std::size_t carried_ = 0;  ///< How many of submissions_ have a submitter.
    struct ChangeCheck {
        Ticket command;
        Submit submit;
        std::size_t items = 0;
    };
    std::map<Ticket, ChangeCheck> change_checks_;
    struct Batch {
        std::size_t open = 0;  ///< Operations whose fate is not known yet.
        SubmitManyReply reply;
    };
    std::map<Ticket, Batch> batches_;  ///< Each SubmitMany that is not answered yet.
    std::set<std::pair<Instant, OperationId>> submission_deadlines_;
    /// Submissions for which nobody waits any more, by their expiry: in a lane, and not final yet.
    std::set<std::pair<Height, OperationId>> unawaited_;
    std::deque<OperationId> lapsed_;  ///< The newest that expired; none of them will be final.
    struct CausalCommand {
        Ticket command;
        Instant deadline;
    };
    /// Who waits for a causal operation, by its counter: its id changes with what it observes.
    std::map<std::uint64_t, CausalCommand> causal_commands_;
    std::set<std::pair<Instant, std::uint64_t>> causal_deadlines_;
    std::uint64_t next_counter_ = 1;
    struct WaitingRead {
        Ticket command;
        ReadKey read;  ///< With a session.
        Instant deadline;
    };
    std::vector<WaitingRead> waiting_reads_;
    std::vector<std::string> watched_;     ///< Prefixes.
    std::set<std::string> final_changes_;  ///< Watched keys, in this event.
    /// The highest own vertices that the store held, or that were written while there was the seat.
    std::map<LaneId, LaneTip> own_stored_;
    VertexPtr own_in_flight_;  ///< Not durable yet: must not leave.
    // The own lane
    std::optional<std::string> lane_lost_;  ///< Why it must not be written any more.
    Instant lane_lost_at_;
    bool lane_asks_ = false;  ///< The node asks for the next one.
    bool wrote_ = false;      ///< In this life, in whichever lane.
    bool another_lives_ = false;
    int own_records_seen_ = 0;  ///< Newer than this life's.
    std::optional<LaneId> lane_judged_;
    std::optional<Digest> lane_life_;  ///< Of the latest lane that this folder asked for.
    std::optional<Instant> reset_asked_at_;
    // The random beacon: the newest value that this node has committed and revealed for, or has not
    // and will not.
    Epoch beacon_committed_;
    Epoch beacon_revealed_;
    Epoch work_in_;        ///< The latest whose blocks brought what somebody wanted.
    Instant presence_at_;  ///< When to look whether it must show itself.

    // Records and anti-entropy
    std::vector<ToolOffer> tools_;
    std::uint64_t record_version_ = 0;
    Instant record_renewal_;
    Instant next_summary_;
    std::map<std::uint64_t, Instant> probes_;
    std::uint64_t next_probe_ = 1;
    /// Vertices that are read from disk for a peer: first their ids, then their bytes.
    struct VertexLoad {
        enum class Step : std::uint8_t { index, bodies };
        AgentId peer;
        Step step = Step::index;
    };
    std::map<Ticket, VertexLoad> loads_;
    /// What is shown of an agent that the directory holds. It decides nothing.
    struct Acquaintance {
        Instant since;        ///< Of its life.
        Duration round_trip;  ///< 0: not measured.
        std::optional<Height> finalized;
    };
    KeyMap<AgentId, Acquaintance> acquaintances_;
    std::vector<View> voted_;  ///< By the roster's index: of the newest vote seen.
    bool offered_ = false;
    bool draining_ = false;
    Epoch epoch_{1};                 ///< Whose beginning was followed.
    std::vector<RosterLink> links_;  ///< By epoch: of each change of the roster.
    std::size_t links_stored_ = 0;   ///< Of them, from the first on.
    /// Said in the next epoch already, while this node still waits for the end of its own.
    struct Early {
        AgentId from;
        MessagePtr message;
        std::size_t bytes = 0;
    };
    std::vector<Early> early_;
    std::size_t early_bytes_ = 0;

    // Calls
    CallClient::Token next_token_ = 1;
    std::map<CallClient::Token, PlainCall> plain_;
    std::set<std::pair<Instant, CallClient::Token>> hedges_;  ///< By hedge_at.
    std::uint64_t hedge_credit_ = 0;
    /// Calls that wait for a link to this provider.
    struct Visit {
        CallClient::Token token = 0;
        Instant until;
        Instant dial_at;  ///< Again: whoever just closed a link takes none for a moment.
    };
    std::multimap<AgentId, Visit> visits_;
    std::map<CallClient::Token, PanelCallEntry> panels_;
    std::map<Ticket, CallClient::Token> call_commands_;
    std::uint64_t next_nonce_ = 1;
    std::optional<Signature> salt_secret_;  ///< Never leaves this node.
};

}  // namespace creto
