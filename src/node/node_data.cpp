#include <algorithm>

#include "model/vertex_checks.hpp"
#include "node/node_impl.hpp"
#include "store/keys.hpp"

namespace creto {

namespace {

/// How often a summary goes to one of the peers, in turn.
constexpr Duration summary_interval = Duration::from_ms(500);
/// Vertices that one lane summary may cause to be sent at once.
constexpr std::size_t push_max = 512;
/// What one VertexBatch may weigh, with room for its frame.
constexpr std::size_t batch_bytes = limits::message_bytes_max - limits::vertex_bytes_max - 4'096;

}  // namespace

// --- own vertices ---

void NodeImpl::produce() {
    if (!producer_ || !started_ || store_failed_ || lane_lost_) return;
    if (producer_->waiting() == 0) return;  // Nearly always.
    const LaneId lane = producer_->lane();
    if (!producer_->ready(now_, lane_room())) return;
    std::optional<Dag::Parents> parents = dag_.next_parents(lane);
    if (!parents) return;
    // The graph may still lack what the newest own vertices name; it must not hold more than them.
    const LaneTip& tip = producer_->tip();
    const bool has_own = !parents->refs.empty() && parents->refs.front().lane == lane;
    const LaneTip here =
        has_own ? LaneTip{parents->refs.front().sequence, parents->refs.front().id} : LaneTip{};
    if (here.sequence < tip.sequence) return;
    const bool continues = here == tip;
    if (!continues) {
        lose_lane(
            "this lane holds vertices that this process did not write: another process uses the "
            "same key, or the store was rolled back"
        );
        return;
    }
    std::vector<Operation> batch = producer_->next_batch();
    causal_.prepare(batch, lane);
    // The id of a causal operation changes with what it observed; whoever waits follows it.
    const std::int64_t unix_ms = unix_ms_at_start_ + (now_ - started_at_).ms();
    VertexHeader header = producer_->header(std::move(*parents), unix_ms);
    VertexPtr vertex =
        SealedVertex::make(std::move(header), std::move(batch), roster_.chain(), signer_);
    const Ticket ticket = effects_.persist(keys::put_vertex(vertex), {}, Durable::yes);
    producer_->made(*vertex, ticket, now_);
    own_in_flight_ = vertex;
    wrote_ = true;
    count(Count::vertices_made);
    // Before what this seat may propose of it in the same sync: nobody has to ask for it then.
    effects_.send_all(dialer_.peers(), VertexBatch{{vertex}}, ticket);
    add_vertex({vertex, CheckPass::own()}, false);
}

LaneRoom NodeImpl::lane_room() const {
    return {dag_.unfinalized(producer_->lane()), dag_.room(producer_->lane())};
}

/// Acknowledged survives a crash: only now may clients hear of the vertex.
void NodeImpl::on_own_vertex_durable() {
    const VertexPtr vertex = std::exchange(own_in_flight_, nullptr);
    for (const Operation& operation : vertex->operations()) {
        if (operation.client != self_) continue;
        const auto waiting = causal_commands_.find(operation.counter);
        if (waiting == causal_commands_.end()) continue;
        causal_deadlines_.erase({waiting->second.deadline, operation.counter});
        reply(
            waiting->second.command,
            SubmitReply{
                .operation = operation.id(roster_.chain()),
                .session = {final_.height(), vertex->ref()}}
        );
        causal_commands_.erase(waiting);
    }
}

// --- received vertices ---

void NodeImpl::add_vertex(const Checked<VertexPtr>& vertex, bool store) {
    const VertexPtr& body = *vertex;
    auto added = dag_.add(vertex);
    if (!added) {
        count(Count::vertices_refused);
        log_.debug("vertex refused: " + added.error().message);
        return;
    }
    // Even a vertex that is not kept may prove a fork or let others become complete.
    forks_known_ = forks_known_ || added->fork.has_value() || added->overlay_shrunk;
    if (added->fork) on_evidence(Evidence{*added->fork}, std::nullopt);
    if (added->overlay_shrunk) causal_.set_overlay(dag_.overlay());
    if (added->added == Dag::Added::duplicate || added->added == Dag::Added::stale) {
        count(Count::vertices_repeated);
        completed(added->completed);
        return;
    }
    // A vote that covers it rests on it: synced no later than the vote, which is written after it.
    if (store) effects_.persist(keys::put_vertex(body), {}, Durable::yes);
    fetcher_.arrived(body->header().lane, body->header().sequence);
    completed(added->completed);
}

void NodeImpl::completed(const std::vector<VertexPtr>& vertices) {
    for (const VertexPtr& vertex : vertices) {
        count(Count::vertices_complete);
        const VertexHeader& header = vertex->header();
        if (header.sequence <= dag_.causal_end(header.lane)) causal_.add(vertex);
    }
    if (!vertices.empty() && started_) ordering_.on_data(now_, effects_);
}

void NodeImpl::on_vertices(
    const AgentId& /*from*/, const VertexBatch& batch, const CheckPass& pass
) {
    for (const VertexPtr& vertex : batch.vertices) {
        if (producer_ && vertex->header().lane == producer_->lane()) {
            const VertexHeader& header = vertex->header();
            if (const auto why = producer_->proven({header.sequence, vertex->id()})) {
                see_another_life(header);
                lose_lane(*why);
            }
        }
        add_vertex({vertex, pass}, true);
    }
}

// --- anti-entropy ---

LaneSummary NodeImpl::lane_summary(bool answer) const {
    return {.finalized = final_.height(), .tips = dag_.tips(), .answer = answer};
}

void NodeImpl::on_lane_summary(const AgentId& from, const LaneSummary& summary) {
    said_final(from, summary.finalized);
    const Member* member = voters().find(from);
    std::vector<VertexPtr> lacking;
    std::map<LaneId, VertexRef> theirs;
    LaneTip own_known;
    for (const VertexRef& tip : summary.tips) {
        theirs.emplace(tip.lane, tip);
        const auto ours = dag_.tip(tip.lane);
        if (producer_ && tip.lane == producer_->lane()) own_known = {tip.sequence, tip.id};
        const Sequence have = ours ? ours->sequence : Sequence{};
        const bool below_cut = tip.sequence <= final_cut_.tip(tip.lane).sequence;
        if (tip.sequence > have && !below_cut) {
            fetcher_.want({tip.lane, have.next(), tip.sequence, tip.id}, from, now_);
        } else if (tip.sequence == have && ours->id != tip.id) {
            // Two tips at one place: each shows the other its branch, and both hold the proof.
            if (VertexPtr vertex = dag_.at(tip.lane, tip.sequence)) lacking.push_back(vertex);
        }
    }
    if (producer_) {
        const std::uint32_t needed =
            std::min(voters().quorum().t + 1, std::max(voters().size(), 2U) - 1);
        if (member != nullptr) {
            if (const auto why = producer_->confirm(from, own_known, needed, now_)) {
                lose_lane(*why);
            }
        }
    }
    for (const VertexRef& tip : dag_.tips()) {
        const auto their_tip = theirs.find(tip.lane);
        const Sequence have = their_tip == theirs.end() ? Sequence{} : their_tip->second.sequence;
        for (Sequence s = have.next(); s <= tip.sequence && lacking.size() < push_max; ++s) {
            if (VertexPtr vertex = dag_.at(tip.lane, s)) lacking.push_back(vertex);
        }
    }
    // What is not durable yet must not leave.
    std::erase_if(lacking, [this](const VertexPtr& vertex) { return vertex == own_in_flight_; });
    send_vertices(from, lacking);
    if (!summary.answer) effects_.send(from, lane_summary(true));
    if (member != nullptr) reachability_.summary_met(member->seat);
}

void NodeImpl::send_vertices(const AgentId& to, const std::vector<VertexPtr>& vertices) {
    VertexBatch batch;
    std::size_t bytes = 0;
    for (const VertexPtr& vertex : vertices) {
        if (!batch.vertices.empty() &&
            (bytes + vertex->bytes().size() > batch_bytes ||
             batch.vertices.size() == limits::vertices_per_message_max)) {
            effects_.send(to, batch);
            batch.vertices.clear();
            bytes = 0;
        }
        bytes += vertex->bytes().size();
        batch.vertices.push_back(vertex);
    }
    if (!batch.vertices.empty()) effects_.send(to, batch);
}

void NodeImpl::on_vertex_request(const AgentId& from, const VertexRequest& request) {
    std::vector<VertexPtr> found;
    std::size_t bytes = 0;
    for (const LaneRange& range : request.ranges) {
        if (bytes > batch_bytes) break;
        auto held = dag_.range(range);
        if (!held) held = dag_.range({range.lane, range.first, range.last, VertexId{}});
        if (held && !held->empty() && held->front()->header().sequence <= range.first) {
            for (const VertexPtr& vertex : *held) {
                if (vertex == own_in_flight_ || bytes > batch_bytes) continue;
                bytes += vertex->bytes().size();
                found.push_back(vertex);
            }
            continue;
        }
        // Pruned from memory: the lane index on disk names it.
        if (final_cut_.find(range.lane) == nullptr || loads_.size() >= 64) continue;
        const keys::Range span = keys::lane(range.lane, range.first, range.last);
        const Ticket ticket = effects_.new_ticket();
        loads_.emplace(ticket, VertexLoad{from, VertexLoad::Step::index});
        effects_.add(Scan{ticket, Column::lanes, span.from, span.to, 256});
    }
    send_vertices(from, found);
}

void NodeImpl::on(const Loaded& event) {
    const auto found = loads_.find(event.ticket);
    if (found == loads_.end()) {
        if (receipts_.on_loaded(event, effects_) || giver_.on_loaded(event, effects_) ||
            pruner_.on_loaded(event, effects_))
            return;
        ordering_.on_loaded(event, now_, effects_);
        return;
    }
    const VertexLoad load = found->second;
    loads_.erase(found);
    if (load.step == VertexLoad::Step::index) {
        Load bodies{.ticket = effects_.new_ticket(), .column = Column::vertices};
        for (const auto& id : event.values) {
            if (id) bodies.keys.push_back(*id);
        }
        // It is final here: what is not found was dropped.
        if (bodies.keys.empty()) return giver_.offer(load.peer, now_, effects_);
        loads_.emplace(bodies.ticket, VertexLoad{load.peer, VertexLoad::Step::bodies});
        effects_.add(std::move(bodies));
        return;
    }
    std::vector<VertexPtr> vertices;
    for (const auto& bytes : event.values) {
        if (!bytes) continue;
        auto vertex = SealedVertex::decode(*bytes);
        // A store shows what it was given before that is durable.
        const bool too_early = vertex && own_in_flight_ && (*vertex)->id() == own_in_flight_->id();
        if (vertex && !too_early) vertices.push_back(std::move(*vertex));
    }
    send_vertices(load.peer, vertices);
}

// --- evidence ---

void NodeImpl::on_evidence(const Evidence& evidence, const std::optional<AgentId>& from) {
    if (!contradicts(evidence, seats())) return;
    const AgentId liar = *culprit(evidence, seats());
    const bool has_seat =
        !std::holds_alternative<AnswerConflict>(evidence) || seats().find(liar) != nullptr;
    if (!proofs_.add(liar, has_seat, evidence, now_)) return;
    log_.warn("proof against " + name_of(liar));
    count(Count::evidence);
    if (const auto* fork = std::get_if<LaneFork>(&evidence)) {
        forks_known_ = true;
        completed(dag_.mark_forked(fork->a.header.lane, fork->a.header.sequence));
        causal_.set_overlay(dag_.overlay());
    }
    effects_.send_all(Proofs::to_tell(dialer_.peers(), from, prng_), EvidenceNotice{evidence});
    bring_proofs();
}

/// Hands proofs to the final order until they are part of it: a partition, or an own lane that the
/// very fork holds up, must not be what saves a liar.
void NodeImpl::bring_proofs() {
    std::erase_if(proofs_.open(), [this](const Proofs::Open& proof) {
        // A lane may be closed for another reason than that it forked.
        const auto* fork = std::get_if<LaneFork>(&proof.evidence);
        const bool open =
            fork != nullptr && !final_.court().closed_lanes().contains(fork->a.header.lane);
        return !open && final_.excluded(proof.liar);
    });
    for (Proofs::Open& proof : proofs_.open()) {
        if (!Proofs::is_due(proof, voters().members().size(), now_)) continue;
        if (!may_submit(Reading::final)) continue;
        proof.brought_at = now_;
        submit_own(EvidenceOperation{proof.evidence});
    }
}

// --- agent records ---

void NodeImpl::publish_record(bool leaving) {
    record_version_ = std::max(record_version_, liveness_.version()) + 1;
    liveness_.set_version(record_version_);
    const Duration lifetime = overlay_.record_lifetime(options_.record_lifetime);
    AgentRecord record{
        .agent = self_,
        .version = record_version_,
        .name = options_.name,
        .software = "creto 0.1.0",
        .seat = seat_,
        .addresses = options_.addresses,
        .tools = tools_,
        .lifetime_ms = static_cast<std::uint32_t>(lifetime.ms()),
        .leaving = leaving};
    record.signature =
        signer_.sign(SignDomain::agent_record, roster_.chain().value(), signing_bytes(record));
    discovery_.publish(std::move(record), now_, effects_);
    record_renewal_ = now_ + lifetime / 3;
}

void NodeImpl::on_records(const AgentId& from, const RecordBatch& batch, const CheckPass& pass) {
    const Discovery::News news = discovery_.on_records(from, batch, pass, now_, effects_);
    if (news.own_version && *news.own_version >= record_version_ && !draining_) {
        // An older life of this agent counted further: go beyond it.
        record_version_ = *news.own_version;
        record_renewal_ = now_;
        count_own_record();
    }
    for (const Discovery::Seen& seen : news.seen) {
        const AgentId& agent = seen.record->agent;
        if (seen.change == Directory::Change::left) {
            acquaintances_.erase(agent);
            effects_.publish(AgentLeft{agent, seen.record->name});
        } else if (seen.change == Directory::Change::found) {
            acquaintances_[agent].since = now_;
            effects_.publish(AgentFound{agent, seen.record->name});
        }
    }
}

void NodeImpl::spread_summaries() {
    if (now_ < next_summary_) return;
    next_summary_ = now_ + summary_interval;
    const auto peer = discovery_.next_partner();
    if (!peer) return;
    effects_.send(*peer, lane_summary(false));
    discovery_.send_summary(*peer, effects_);
}

}  // namespace creto
