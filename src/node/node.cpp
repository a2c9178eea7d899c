#include "node/node.hpp"

#include <algorithm>

#include "node/node_impl.hpp"
#include "store/keys.hpp"

namespace creto {

namespace {

/// Rounds that one event may cause within the node before it returns to the host.
constexpr int settle_rounds_max = 10'000;
/// With so many peers a node among very many has heard which lanes there are.
constexpr std::size_t lane_summaries_at_start = 3;
/// From this size on what is sent counts for its receiver.
constexpr std::size_t large_bytes = 16ULL * 1024;

Bytes record_version_key() {
    return to_bytes("record_version");
}

}  // namespace

NodeImpl::NodeImpl(NodeOptions options, const Signer& signer, Log& log)
    : options_{std::move(options)},
      roster_{options_.genesis},
      rosters_{options_.genesis},
      signer_{signer},
      log_{log},
      self_{signer.public_key()},
      prng_{options_.seed},
      proofs_{self_},
      dag_{roster_, {.index_salt = options_.seed}},
      final_{roster_},
      cuts_{dag_, final_},
      ordering_{
          *rosters_.of(Epoch{1}),
          roster_.find(self_) == nullptr ? std::nullopt : std::optional{roster_.find(self_)->seat},
          signer,
          cuts_,
          {.delta = options_.delta,
           .delta_max = options_.delta_max,
           .heartbeat = options_.heartbeat,
           .view_interval = Duration::from_ms(options_.genesis.view_interval_ms),
           .direct_seats_max = options_.direct_seats_max,
           .ask_first = true,
           .watch_for = Duration::from_s(3)},
          log,
          &rosters_},
      causal_{final_},
      directory_{self_},
      reachability_{
          roster_,
          roster_.find(self_) == nullptr ? std::nullopt : std::optional{roster_.find(self_)->seat},
          {.probe_after = options_.probe_after,
           .lost_after = options_.lost_after,
           .meet_all_max = options_.direct_seats_max}},
      dialer_{self_, {}},
      overlay_{self_, directory_, dialer_, {}, draw(options_.seed, 5)},
      liveness_{
          {self_, signer, roster_.chain()},
          directory_,
          dialer_,
          {.interval = options_.ping_interval},
          draw(options_.seed, 2)},
      discovery_{self_, directory_, dialer_, liveness_, overlay_, draw(options_.seed, 3)},
      fetcher_{{}, draw(options_.seed, 1)},
      budget_{self_, options_.limits},
      server_{roster_.chain(), self_, signer, budget_},
      shelf_{
          roster_, {.keep_blocks = options_.keep_blocks, .state_share = options_.checkpoint_share}},
      giver_{shelf_, ordering_, links_} {
    tell_of_seats();
    overlay_.set_seed(roster_.chain().value());
    if (const Member* member = roster_.find(self_)) {
        seat_ = member->seat;
        producer_.emplace(LaneId{*seat_, Incarnation{}}, ProducerOptions{.seats = roster_.size()});
        if (roster_.size() == 1) producer_->allow();
    }
}

// --- restart ---

Result<void> NodeImpl::restore(const StoreView& store, const VoteLogContents& votes) {
    restoring_ = true;
    if (auto links = restore_links(store); !links) return links;
    auto anchor = restore_checkpoint(store);
    if (!anchor) return tl::unexpected<Error>(anchor.error());
    // The finalised chain from there, block by block, with the vertices that each block covers.
    const auto take = [&](std::vector<FinalizedBlock> blocks) {
        return restore_blocks(store, std::move(blocks));
    };
    if (auto restored = ordering_.restore(store, votes, take, *anchor); !restored) return restored;
    follow_epoch();
    if (auto life = restore_life(store); !life) return life;
    if (producer_) producer_->reopen(final_.lanes().of(*seat_));
    ordering_.keep_from(shelf_.kept_from());
    auto version = store.get(Column::meta, record_version_key());
    if (!version) return tl::unexpected<Error>(version.error());
    if (*version) record_version_ = keys::parse_number(**version).value_or(0);

    // What lies above the final cut.
    for (const Member& member : seats().known()) {
        const LaneId lane = final_.lanes().of(member.seat);
        const Sequence first = final_cut_.tip(lane).sequence.next();
        const Sequence last = first.plus(2 * limits::lane_window_vertices);
        if (auto loaded = restore_lane(store, lane, first, last); !loaded) return loaded;
        if (producer_ && lane == producer_->lane()) restore_submissions(lane, first);
    }
    // By what was written, not by what is complete: an own vertex may name one that is not here yet
    // (a fork's other branch), and whoever writes its place again has forked the own lane.
    const auto own = producer_ ? own_stored_.find(producer_->lane()) : own_stored_.end();
    if (own != own_stored_.end()) {
        producer_->restore(
            own->second, votes.intact ? Producer::Disk::whole : Producer::Disk::damaged
        );
    }
    restoring_ = false;
    effects_.take();
    return {};
}

Result<void> NodeImpl::restore_blocks(const StoreView& store, std::vector<FinalizedBlock> blocks) {
    for (FinalizedBlock& finalized : blocks) {
        for (const LaneRange& range : finalized.block.delta) {
            if (auto loaded = restore_lane(store, range.lane, range.first, range.last); !loaded) {
                return loaded;
            }
        }
        if (to_execute_.empty() && execute(finalized)) continue;
        to_execute_.push_back(std::move(finalized));
    }
    return {};
}

Result<void> NodeImpl::restore_lane(
    const StoreView& store, const LaneId& lane, Sequence first, Sequence last
) {
    std::vector<Bytes> ids;
    const keys::Range span = keys::lane(lane, first, last);
    auto scanned =
        store.scan(Column::lanes, span.from, span.to, [&](ByteView /*key*/, ByteView id) {
            ids.emplace_back(id.begin(), id.end());
            return true;
        });
    if (!scanned) return scanned;
    for (const Bytes& id : ids) {
        auto bytes = store.get(Column::vertices, id);
        if (!bytes) return tl::unexpected<Error>(bytes.error());
        if (!*bytes) continue;
        auto vertex = SealedVertex::decode(**bytes);
        if (!vertex || !equal((*vertex)->id().value().view(), id)) {
            return fail(
                ErrorCode::corrupt,
                "vertex " + to_hex(id) + " is damaged; run `creto fsck` on the data folder"
            );
        }
        if (is_own(lane)) {
            LaneTip& highest = own_stored_[lane];
            if ((*vertex)->header().sequence > highest.sequence)
                highest = {(*vertex)->header().sequence, (*vertex)->id()};
            for (const Operation& operation : (*vertex)->operations()) {
                if (operation.client != self_) continue;
                next_counter_ = std::max(next_counter_, operation.counter + 1);
                note_own_beacon(operation.body);
            }
        }
        add_vertex({*vertex, CheckPass::own()}, false);
    }
    return {};
}

/// What this node's lane holds and no final block does is pending, for who asks by its id; what it carries there
/// for others, it has not refused. [SEAT-HANDED.1] Nobody asks for what feeds the beacon, and it has no other
/// place: in a lane that closes it would be pending for ever.
void NodeImpl::restore_submissions(const LaneId& lane, Sequence first) {
    for (Sequence at = first; const VertexPtr vertex = dag_.at(lane, at); at = at.next()) {
        for (const Operation& operation : vertex->operations()) {
            const bool causal = std::holds_alternative<CrdtOperation>(operation.body);
            if (causal || feeds_beacon(operation.body)) continue;
            const OperationId id = operation.id(roster_.chain());
            Submission submission{Ticket{}, std::nullopt, Instant::max(), operation.expiry};
            if (operation.client != self_) submission.submitter = operation.client;
            if (!submissions_.emplace(id, submission).second) continue;
            unawaited_.emplace(operation.expiry, id);
            carried_ += submission.submitter ? 1U : 0U;
        }
    }
}

// --- events ---

std::vector<Effect> NodeImpl::on_event(const Event& event, Instant now) {
    now_ = std::max(now_, now);
    changed_ = true;
    std::visit([this](const auto& e) { on(e); }, event);
    show_lives();
    liveness_.set_sparse(overlay_.is_sparse());
    discovery_.on_time(now_, effects_);
    if (changed_) {
        settle();
        if (!waiting_reads_.empty()) serve_waiting_reads();
        if (!watched_.empty()) publish_changes();
        arm();
    }
    for (const Effect& effect : effects_.list()) {
        const auto* send = std::get_if<Send>(&effect);
        if (send != nullptr && send->message->size() >= large_bytes)
            budget_.on_sent(send->to, send->message->size(), now_);
    }
    return effects_.take();
}

void NodeImpl::on(const Start& event) {
    unix_ms_at_start_ = event.unix_ms;
    started_at_ = now_;
    executed_at_ = now_;
    started_ = true;
    store_links();
    // Without a lane nothing here remembers which counters were used: they go on from the clock.
    if (!seat_ && event.unix_ms > 0) {
        next_counter_ =
            std::max(next_counter_, static_cast<std::uint64_t>(event.unix_ms) * counters_a_block);
    }
    record_version_ = std::max<std::uint64_t>(
        record_version_, static_cast<std::uint64_t>(std::max<std::int64_t>(event.unix_ms, 0))
    );
    if (producer_) producer_->begin(now_, voters().size() > 1);
    follow_own_lane();
    for (const std::string& address : options_.bootstrap)
        dialer_.add_bootstrap(address, now_);
    liveness_.start(now_);
    publish_record(false);
    ordering_.start(now_, effects_);
    if (ordering_.halted()) effects_.publish(Halted{*ordering_.halted()});
    on_time();
}

void NodeImpl::on(const PeerUp& event) {
    if (!budget_.on_peer_up(event.peer, event.group, now_)) {
        drop(event.peer, "it was dropped for a flood a moment ago");
        return;
    }
    if (!overlay_.on_peer_up(event, now_, effects_)) return;
    dialer_.on_peer_up(event.peer, event.address);
    if (const Member* member = voters().find(event.peer)) reachability_.link_up(member->seat, now_);
    liveness_.heard(event.peer, now_);
    note_alive(event.peer);
    discovery_.on_peer_up(event.peer, effects_);
    // Among very many the first few tell what there is, and those that are asked in turn; but t+1 must
    // know of our own lane before we write on.
    const bool is_asking = producer_ && !producer_->confirmed();
    if (is_asking || ordering_.votes_are_direct() ||
        dialer_.peers().size() <= lane_summaries_at_start)
        effects_.send(event.peer, lane_summary(false));
    ordering_.on_peer_up(event.peer, now_, effects_);
    for (const CallClient::Again& again : client_.on_peer_up(event.peer, now_, effects_))
        sent_again(again);
    on_visited(event.peer);
}

void NodeImpl::on(const PeerDown& event) {
    dialer_.on_peer_down(event.peer, now_);
    discovery_.on_peer_down(event.peer);
    if (const Member* member = voters().find(event.peer)) {
        reachability_.link_down(member->seat, now_);
        note_alive(event.peer);
    }
    giver_.on_peer_down(event.peer);
    fetch_.on_peer_down(event.peer);
    if (overlay_.on_peer_down(event.peer, now_)) liveness_.on_link_lost(event.peer, now_, effects_);
    ordering_.on_peer_down(event.peer, now_, effects_);
    server_.on_peer_down(event.peer, effects_);
    budget_.on_peer_down(event.peer, now_);
    for (CallClient::Finished& finished : client_.on_peer_down(event.peer, now_)) {
        on_finished(std::move(finished));
    }
}

void NodeImpl::on(const Woke& /*event*/) {
    armed_ = Instant::max();
    on_time();
}

void NodeImpl::on(const Persisted& event) {
    if (producer_ && producer_->on_persisted(event.ticket)) on_own_vertex_durable();
    ordering_.on_persisted(event.ticket, now_, effects_);
}

void NodeImpl::on(const Command& event) {
    std::visit([&](const auto& body) { command(event.ticket, body); }, event.body);
}

void NodeImpl::on(const StoreFailed& event) {
    store_failed_ = "storage failed: " + event.reason;
    log_.error(*store_failed_);
    effects_.publish(Halted{*store_failed_});
    for (const auto& [id, submission] : submissions_) {
        reply_error(submission.command, {ErrorCode::io, *store_failed_});
    }
    for (const auto& [counter, waiting] : causal_commands_) {
        reply_error(waiting.command, {ErrorCode::io, *store_failed_});
    }
    fail_waiting_reads({ErrorCode::io, *store_failed_});
    submissions_.clear();
    unawaited_.clear();
    carried_ = 0;
    submission_deadlines_.clear();
    causal_commands_.clear();
    causal_deadlines_.clear();
}

void NodeImpl::on_time() {
    check_gathered(gathering_.due(now_));
    calls_on_time();
    expire_submissions();
    ordering_.on_time(now_, effects_);
    if (now_ >= reachability_.next_tick()) look_around();
    for (const AgentRecord& record : discovery_.expire(now_)) {
        acquaintances_.erase(record.agent);
        effects_.publish(AgentLeft{record.agent, record.name});
    }
    liveness_.on_time(now_, effects_);
    if (now_ >= record_renewal_ && !draining_) {
        publish_record(false);
        effects_.persist(
            {{Column::meta, record_version_key(), share(keys::number(record_version_))}},
            {},
            Durable::no
        );
    }
    spread_summaries();
    bring_proofs();
    ask_for_lane();
    repeat_handed();
    fetch_.on_time(now_);
    overlay_.on_time(now_, effects_);
    dialer_.on_time(now_, effects_);
}

/// Lets every layer see what the others did, until nothing moves any more.
void NodeImpl::settle() {
    for (int round = 0; round < settle_rounds_max; ++round) {
        const std::size_t before = effects_.list().size();
        const std::size_t queued = to_execute_.size();
        execute_finalized();
        follow_epoch();
        show_presence();
        for (WantedData& wanted : ordering_.take_wanted()) {
            fetcher_.want(wanted.range, wanted.first_to_ask, now_);
        }
        for (const Evidence& evidence : ordering_.take_evidence()) {
            on_evidence(evidence, std::nullopt);
        }
        for (const AgentId& agent : ordering_.take_unserved())
            giver_.offer(agent, now_, effects_);
        for (const LaneRange& range : dag_.missing(256)) {
            fetcher_.want(range, std::nullopt, now_);
        }
        offer_contracts();
        feed_beacon();
        produce();
        fetcher_.on_time(now_, dialer_.peers(), effects_);
        deliver_to_self();
        if (effects_.list().size() == before && to_execute_.size() == queued) return;
    }
}

/// What this node says to itself does not cross the network.
void NodeImpl::deliver_to_self() {
    const auto to_self = [this](const Effect& effect) {
        const auto* send = std::get_if<Send>(&effect);
        return send != nullptr && send->to == self_;
    };
    if (std::none_of(effects_.list().begin(), effects_.list().end(), to_self)) return;
    std::vector<WireMessage> own;
    std::vector<Effect> list = effects_.take();
    for (Effect& effect : list) {
        if (to_self(effect)) {
            own.push_back(std::move(std::get<Send>(effect).message));
        } else {
            effects_.put(std::move(effect));
        }
    }
    for (const WireMessage& said : own)
        if (said.decoded()) receive(self_, said.message(), said->size());
}

void NodeImpl::arm() {
    Instant next = std::min(
        {ordering_.next_wake(),
         calls_next_wake(),
         gathering_.next_due(),
         reachability_.next_tick(),
         record_renewal_,
         lane_next_wake(),
         hand_at_,
         next_summary_,
         fetch_.next_wake(),
         directory_.next_expiry(),
         liveness_.next_wake(),
         overlay_.next_wake(),
         discovery_.next_wake(),
         dialer_.next_wake()}
    );
    // These two did what they could in settle(): what is still due waits for a peer, or for room in
    // the window, and not for time.
    if (const Instant wake = fetcher_.next_wake(); wake > now_) next = std::min(next, wake);
    if (producer_) {
        if (const Instant wake = producer_->next_wake(); wake > now_) next = std::min(next, wake);
    }
    if (!submission_deadlines_.empty()) {
        next = std::min(next, submission_deadlines_.begin()->first);
    }
    if (!waiting_reads_.empty()) next = std::min(next, reads_next_wake());
    if (!causal_deadlines_.empty()) next = std::min(next, causal_deadlines_.begin()->first);
    if (!started_ || next == armed_) return;
    armed_ = next;
    effects_.add(WakeAt{std::max(next, now_)});
}

std::string NodeImpl::name_of(const AgentId& agent) const {
    if (const AgentRecord* record = directory_.find(agent)) return record->name;
    if (const Member* member = voters().find(agent)) return member->name;
    return agent_text(agent);
}

StatusReply NodeImpl::gauges() const {
    StatusReply out;
    out.agent = self_;
    out.name = options_.name;
    out.seat = seat_;
    out.chain = roster_.chain();
    out.mode = roster_.mode();
    out.quorum = voters().quorum();
    out.epoch = ordering_.epoch();
    out.view = ordering_.view();
    out.finalized = final_.height();
    out.state_root = final_.mark().state_root;
    out.order_digest = final_.mark().order_digest;
    out.reachable_seats = reachability_.reachable();
    out.partitioned = reachability_.partitioned();
    out.lost_seats = reachability_.sides().lost;
    out.halted = store_failed_ ? store_failed_ : (lane_lost_ ? lane_lost_ : ordering_.halted());
    out.vertices = dag_.size();
    out.operations_final = operations_final_;
    out.pending_operations = submissions_.size() + (producer_ ? producer_->waiting() : 0);
    out.pending_calls = client_.under_way() + server_.under_way();
    for (const VertexRef& tip : dag_.tips())
        out.causal_backlog += dag_.unfinalized(tip.lane);
    out.graph_bytes = dag_.bytes();
    out.agents_known = directory_.size();
    out.checkpoint = shelf_.newest() == nullptr ? Height{} : shelf_.newest()->height();
    out.kept_from = shelf_.kept_from();
    return out;
}

StatusReply NodeImpl::status() const {
    StatusReply out = gauges();
    out.counters = counts_.by_name();
    const CallServer::Counters& calls = server_.counters();
    out.counters["calls_served"] = calls.answered;
    out.counters["calls_admitted"] = calls.admitted;
    out.counters["calls_rate_limited"] = calls.rate_limited;
    out.counters["calls_timed_out"] = calls.timed_out;
    out.counters["calls_cancelled"] = calls.cancelled;
    out.counters["calls_overloaded"] = calls.overloaded;
    out.counters["pieces_sent"] = calls.pieces_sent;
    out.counters["pieces_lost"] = calls.pieces_lost;
    for (std::size_t i = 0; i < work_count; ++i) {
        const auto work = static_cast<Work>(i);
        out.counters[std::string{"refused_"} + to_string(work)] = budget_.refused(work);
    }
    out.counters["peers_flooding"] = budget_.dropped();
    out.counters["peers_turned_away"] = budget_.turned_away();
    const OrderingCounters& order = ordering_.counters();
    out.counters["views_entered"] = order.views_entered;
    out.counters["views_nullified"] = order.views_nullified;
    out.counters["blocks_finalized"] = order.blocks_finalized;
    out.counters["proposals_made"] = order.proposals_made;
    out.counters["votes_counted"] = order.votes_counted;
    out.counters["proposals_refused"] = order.proposals_refused;
    out.counters["votes_ignored"] = order.votes_ignored;
    out.counters["leaders_skipped"] = order.leaders_skipped;
    out.counters["nullify_votes"] = order.nullify_votes;
    out.counters["retransmissions"] = order.retransmissions;
    out.counters["requests_sent"] = order.requests_sent;
    out.counters["requests_served"] = order.requests_served;
    out.counters["requests_refused"] = order.requests_refused;
    out.counters["chain_blocks_synced"] = order.chain_blocks_synced;
    out.counters["equivocations_seen"] = order.equivocations_seen;
    out.counters["blocks_evicted"] = order.blocks_evicted;
    out.counters["ranges_asked"] = fetcher_.asked();
    out.counters["checkpoints_offered"] = giver_.offers();
    out.counters["history_dropped"] = pruner_.dropped();
    out.counters["dag_bytes"] = out.graph_bytes;
    out.counters["agents_known"] = out.agents_known;
    const LivenessCounters& lives = liveness_.counters();
    out.counters["agents_looked_at"] = lives.looks;
    out.counters["agents_suspected"] = lives.suspected;
    out.counters["agents_refuted"] = lives.refuted;
    out.counters["agents_died"] = lives.died;
    out.counters["agents_revived"] = lives.revived;
    out.counters["suspicions_unheeded"] = lives.unheeded;
    return out;
}

// --- facade ---

Node::Node(NodeOptions options, const Signer& signer, Log& log)
    : impl_{std::make_unique<NodeImpl>(std::move(options), signer, log)} {}
Node::~Node() = default;
Result<void> Node::restore(const StoreView& store, const VoteLogContents& votes) {
    return impl_->restore(store, votes);
}
std::vector<Effect> Node::on_event(const Event& event, Instant now) {
    return impl_->on_event(event, now);
}
void Node::reuse(std::vector<Effect> spent) {
    impl_->reuse(std::move(spent));
}
const AgentId& Node::agent() const {
    return impl_->agent();
}
std::optional<Seat> Node::seat() const {
    return impl_->seat();
}
const Roster& Node::roster() const {
    return impl_->roster();
}
std::size_t Node::held_bytes() const {
    return impl_->held_bytes();
}
View Node::view() const {
    return impl_->view();
}
StatusReply Node::status() const {
    return impl_->status();
}
StatusReply Node::gauges() const {
    return impl_->gauges();
}

}  // namespace creto
