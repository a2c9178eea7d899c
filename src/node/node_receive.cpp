#include "model/vertex_checks.hpp"
#include "node/node_impl.hpp"

namespace creto {

namespace {

/// Signatures of messages that ordering does not know.
struct Items {
    const Roster& roster;

    [[nodiscard]] CheckItem item(
        const PublicKey& key, SignDomain domain, ByteView message, const Signature& signature
    ) const {
        return {key, signed_bytes(domain, roster.chain().value(), message), signature};
    }
    std::optional<std::vector<CheckItem>> operator()(const VertexBatch& batch) const {
        std::vector<CheckItem> all;
        for (const VertexPtr& vertex : batch.vertices) {
            auto items = signatures_of(*vertex, roster);
            if (!items) return std::nullopt;
            std::move(items->begin(), items->end(), std::back_inserter(all));
        }
        return all;
    }
    std::optional<std::vector<CheckItem>> operator()(const RecordBatch& batch) const {
        std::vector<CheckItem> all;
        for (const AgentRecord& record : batch.records) {
            all.push_back(item(
                record.agent, SignDomain::agent_record, signing_bytes(record), record.signature
            ));
        }
        return all;
    }
    std::optional<std::vector<CheckItem>> operator()(const Ping& ping) const {
        return signatures_of(ping.rumours.alive, roster.chain());
    }
    std::optional<std::vector<CheckItem>> operator()(const PingAnswer& answer) const {
        return signatures_of(answer.rumours.alive, roster.chain());
    }
    std::optional<std::vector<CheckItem>> operator()(const PingReport& report) const {
        if (!report.alive) return std::vector<CheckItem>{};
        return signatures_of({*report.alive}, roster.chain());
    }
    std::optional<std::vector<CheckItem>> operator()(const EvidenceNotice& notice) const {
        if (!contradicts(notice.evidence, roster)) return std::nullopt;
        return signatures_of(notice.evidence, roster);
    }
    std::optional<std::vector<CheckItem>> operator()(const OperationSubmit& submit) const {
        if (!submit.operation.signature) return std::nullopt;
        return signatures_of(submit.operation, roster);
    }
    std::optional<std::vector<CheckItem>> operator()(const OfferedCheckpoint& offered) const {
        return check_items(offered, roster);
    }
    std::optional<std::vector<CheckItem>> operator()(const CallAnswer& answer) const {
        if (!answer.signed_answer) return std::vector<CheckItem>{};
        const Answer& said = *answer.signed_answer;
        return std::vector{
            item(said.provider, SignDomain::call_answer, signing_bytes(said), said.signature)};
    }
    template <class T>
    std::optional<std::vector<CheckItem>> operator()(const T& /*other*/) const {
        return std::vector<CheckItem>{};
    }
};

/// The batch without the items that are known already; null when that is all of them. The message
/// is shared, so that another one is made where any go.
template <class T, class IsKnown>
MessagePtr without(const std::vector<T>& items, const IsKnown& is_known, MessagePtr batch) {
    std::vector<T> news;
    for (const T& item : items)
        if (!is_known(item)) news.push_back(item);
    if (news.size() == items.size()) return news.empty() ? nullptr : batch;
    if (news.empty()) return nullptr;
    if constexpr (std::is_same_v<T, VertexPtr>) {
        return std::make_shared<const Message>(VertexBatch{std::move(news)});
    } else {
        return std::make_shared<const Message>(RecordBatch{std::move(news)});
    }
}

/// Of a message, in questions: everything that answers a peer's question costs the peer. Pings cost
/// many: their senders need few, and each may carry signatures to be checked. So do requests for parts
/// of a checkpoint: a few bytes ask for a MiB. Each range of vertices may have to be read from disk.
struct Price {
    static constexpr std::uint64_t dear = 40;
    std::uint64_t operator()(const Ping& /*m*/) const { return dear; }
    std::uint64_t operator()(const PingAnswer& /*m*/) const { return dear; }
    std::uint64_t operator()(const PingRequest& /*m*/) const { return dear; }
    std::uint64_t operator()(const PingReport& /*m*/) const { return dear; }
    std::uint64_t operator()(const CheckpointRequest& /*m*/) const { return dear; }
    std::uint64_t operator()(const VertexRequest& m) const { return 1 + m.ranges.size() / 4; }
    std::uint64_t operator()(const LaneSummary& /*m*/) const { return 1; }
    std::uint64_t operator()(const RecordSummary& /*m*/) const { return 1; }
    std::uint64_t operator()(const OperationSubmit& /*m*/) const { return 1; }
    std::uint64_t operator()(const Probe& /*m*/) const { return 1; }
    template <class T>
    std::uint64_t operator()(const T& /*other*/) const {
        return 0;
    }
};

}  // namespace

void NodeImpl::drop(const AgentId& peer, const std::string& why) {
    if (peer == self_) return;
    count(Count::peers_dropped);
    log_.debug("dropping " + name_of(peer) + ": " + why);
    effects_.add(Drop{peer, why});
}

void NodeImpl::on(const Received& event) {
    if (const Member* member = voters().find(event.from)) reachability_.heard(member->seat, now_);
    const Result<Message>& message = event.message.decoded();
    if (!message) {
        count(Count::messages_malformed);
        drop(event.from, message.error().message);
        return;
    }
    if (channel_of(*message) != event.channel) {
        drop(event.from, std::string{kind_name(*message)} + " on the wrong stream");
        return;
    }
    count(Count::messages_received);
    // An answer to a ping says it itself, and how long it took.
    if (!std::holds_alternative<PingAnswer>(*message)) liveness_.heard(event.from, now_);
    receive(event.from, event.message.message(), event.message->size());
}

/// What the message costs is within what its sender may cause.
bool NodeImpl::within_budget(const AgentId& from, const Message& message, std::size_t bytes) {
    // What was asked for is no burden. It ends the call, so that there is one answer to each.
    const auto* answer = std::get_if<CallAnswer>(&message);
    if (answer != nullptr && client_.expects(from, answer->id)) return true;
    const bool is_call = channel_of(message) == Channel::call;
    if (const auto refusal = budget_.on_message(from, bytes, is_call, now_)) {
        refuse(from, message, *refusal);
        return false;
    }
    const std::uint64_t cost = std::visit(Price{}, message);
    if (cost == 0) return true;
    const auto refusal = budget_.on_question(from, cost, now_);
    if (!refusal) return true;
    refuse(from, message, *refusal);
    return false;
}

/// A request is told when to come again; anything else is not heard.
void NodeImpl::refuse(
    const AgentId& from, const Message& message, const PeerBudget::Refusal& refusal
) {
    if (const auto* call = std::get_if<CallStart>(&message)) {
        server_.on_refused(from, *call, refusal, effects_);
        return;
    }
    count(Count::requests_rate_limited);
    if (refusal.drop) {
        drop(from, "it kept sending far above its share");
        return;
    }
    if (const auto* submit = std::get_if<OperationSubmit>(&message)) {
        OperationOutcome outcome{.operation = submit->operation.id(roster_.chain())};
        outcome.state = OperationOutcome::State::refused;
        outcome.reason = refusal.text();
        effects_.send(from, outcome);
    }
}

/// Cheap admission, before any signature is checked.
void NodeImpl::receive(const AgentId& from, MessagePtr shared, std::size_t bytes) {
    const Message& message = *shared;
    if (!within_budget(from, message, bytes)) return;
    if (channel_of(message) == Channel::order) {
        ordering_.saw(from, message, now_);
        receive_order(from, std::move(shared), bytes);
        return;
    }
    if (const auto* batch = std::get_if<VertexBatch>(&message)) {
        const auto is_known = [this](const VertexPtr& vertex) {
            return dag_.find(vertex->id()) != nullptr;
        };
        shared = without(batch->vertices, is_known, std::move(shared));
    } else if (const auto* records = std::get_if<RecordBatch>(&message)) {
        discovery_.note_known(from, *records);
        const auto is_known = [this](const AgentRecord& record) {
            const AgentRecord* held = directory_.find(record.agent);
            return record.agent != self_ && held != nullptr && held->version >= record.version;
        };
        shared = without(records->records, is_known, std::move(shared));
    } else if (const auto* answer = std::get_if<CallAnswer>(&message)) {
        if (!client_.expects(from, answer->id)) return;
        if (from != self_) {
            const Hold hold = hold_back(from, *answer);
            if (hold == Hold::waits) return;
            if (hold == Hold::counts_for_nothing) {
                CallAnswer bare = *answer;
                bare.signed_answer.reset();  // So nothing is to be checked.
                shared = std::make_shared<const Message>(std::move(bare));
            }
        }
    } else if (const auto* notice = std::get_if<EvidenceNotice>(&message)) {
        const auto liar = culprit(notice->evidence, seats());
        if (liar && proofs_.knows(*liar, notice->evidence)) return;  // [PROOF-ONCE.1]
    } else if (const auto* call = std::get_if<CallStart>(&message)) {
        if (call->verified && call->verified->request.caller != from) {
            drop(from, "a signed request of another caller");  // [CALL-OWN.1]
            return;
        }
    }
    if (shared == nullptr) return;  // Nothing new in it.
    shared = liveness_.without_stale(std::move(shared));
    if (names_unknown_seat(*shared)) return;
    std::optional<ProvenRoster> proven;
    if (const auto* offered = std::get_if<OfferedCheckpoint>(shared.get())) {
        proven = roster_for(*offered);
        if (!proven) return;
    }
    auto items = std::visit(Items{proven ? proven->roster : seats()}, *shared);
    if (items && proven)
        std::move(proven->items.begin(), proven->items.end(), std::back_inserter(*items));
    if (!items) {
        drop(from, std::string{kind_name(*shared)} + " that no correct agent sends");
        return;
    }
    admit(from, std::move(shared), std::move(*items), bytes);
}

void NodeImpl::receive_order(const AgentId& from, MessagePtr message, std::size_t bytes) {
    if (of_another_epoch(from, message, bytes)) return;
    if (!ordering_.worth_checking(*message)) {
        ordering_.hear(from, now_);
        count(Count::order_messages_ignored);
        changed_ = false;
        return;
    }
    ordering_.hand_on(from, message, effects_);
    if (gather(from, message, bytes)) return;
    check_order(from, std::move(message), bytes);
}

/// Whether it waits, to be checked with others. [ORD-V1.9]
bool NodeImpl::gather(const AgentId& from, const MessagePtr& message, std::size_t bytes) {
    const auto said = ordering_.gatherable(*message);
    if (!said) return false;
    const Instant due_before = gathering_.next_due();
    if (!gathering_.add(said->content, said->signers, {from, message, bytes}, said->is_late, now_))
        return false;
    if (!said->is_late && ordering_.enough(said->content, *gathering_.signers(said->content))) {
        check_gathered(gathering_.take(said->content));
    } else {
        changed_ = gathering_.next_due() != due_before;  // Then the timer is another one.
    }
    return true;
}

void NodeImpl::check_gathered(std::vector<VoteGathering::Held> held) {
    for (VoteGathering::Held& one : held) {
        if (ordering_.worth_checking(*one.message)) {
            check_order(one.from, std::move(one.message), one.bytes);
        } else {
            ordering_.hear(one.from, now_);
            count(Count::order_messages_ignored);
        }
    }
    changed_ = true;
}

void NodeImpl::check_order(const AgentId& from, MessagePtr message, std::size_t bytes) {
    if (twins_.wait(from, message, bytes)) {  // [ORD-A3.1]
        changed_ = false;
        return;
    }
    auto items = check_items(*message, voters());
    if (!items) {
        drop(from, std::string{kind_name(*message)} + " that no seat of the roster sends");
        return;
    }
    admit(from, std::move(message), std::move(*items), bytes);
}

void NodeImpl::admit(
    const AgentId& from, MessagePtr message, std::vector<CheckItem> items, std::size_t bytes
) {
    // What we signed ourselves needs no check; without signatures there is nothing to check.
    if (items.empty() || from == self_) {
        accept(from, *message, CheckPass::own(), now_);
        return;
    }
    changed_ = false;
    const bool asked_for = std::holds_alternative<CallAnswer>(*message);
    if (!asked_for) {
        if (const auto refusal = budget_.on_checks(from, items.size(), now_)) {
            refuse(from, *message, *refusal);
            return;
        }
    }
    if (const auto ticket = gate_.submit(from, message, std::move(items), bytes, now_, effects_)) {
        twins_.began(*ticket, message);
        return;
    }
    count(Count::checks_refused);
    const auto* answer = std::get_if<CallAnswer>(message.get());
    if (answer != nullptr) answer_refused(from, *answer);
}

void NodeImpl::on(const CheckDone& event) {
    auto opened = gate_.on_done(event);
    if (!opened) return on_change_checked(event);
    if (opened->pass) {
        accept(opened->from, *opened->message, *opened->pass, opened->came);
    } else {
        refuse_signature(opened->from, *opened->message);
    }
    const auto waited = twins_.ended(event.ticket);
    for (const CheckTwins::Waiting& next : waited)
        receive_order(next.from, next.message, next.bytes);
    changed_ = true;
}

void NodeImpl::refuse_signature(const AgentId& from, const Message& message) {
    count(Count::signatures_wrong);
    if (ordering_.forgives(from, message)) return;
    if (const auto* answer = std::get_if<CallAnswer>(&message)) answer_refused(from, *answer);
    drop(from, std::string{kind_name(message)} + " with a wrong signature");
}

/// Through the door: every signature holds.
void NodeImpl::accept(
    const AgentId& from, const Message& message, const CheckPass& pass, Instant came
) {
    struct Accept {
        NodeImpl& node;
        const AgentId& from;
        const CheckPass& pass;
        Instant came;

        void operator()(const Proposal& m) const {
            node.ordering_.on_proposal(from, {m, pass}, came, node.now_, node.effects_);
        }
        void operator()(const Vote& m) const {
            node.saw_vote(m);
            node.ordering_.on_vote(from, {m, pass}, node.now_, node.effects_);
        }
        void operator()(const Certificate& m) const {
            node.ordering_.on_certificate(from, {m, pass}, node.now_, node.effects_);
        }
        void operator()(const PartialCertificate& m) const {
            node.ordering_.on_partial(from, {m, pass}, node.now_, node.effects_);
        }
        void operator()(const ChainAnswer& m) const {
            node.ordering_.on_chain_answer(from, {m, pass}, node.now_, node.effects_);
        }
        void operator()(const OrderStatus& m) const {
            node.said_final(from, m.finalized);
            node.ordering_.on_status(from, m, node.now_, node.effects_);
        }
        void operator()(const CertificateRequest& m) const {
            node.ordering_.on_certificate_request(from, m, node.now_, node.effects_);
        }
        void operator()(const BlockRequest& m) const {
            node.ordering_.on_block_request(from, m, node.now_, node.effects_);
        }
        void operator()(const ChainRequest& m) const {
            node.ordering_.on_chain_request(from, m, node.now_, node.effects_);
        }
        void operator()(const VertexBatch& m) const { node.on_vertices(from, m, pass); }
        void operator()(const LaneSummary& m) const { node.on_lane_summary(from, m); }
        void operator()(const VertexRequest& m) const { node.on_vertex_request(from, m); }
        void operator()(const EvidenceNotice& m) const { node.on_evidence(m.evidence, from); }
        void operator()(const RecordSummary& m) const {
            node.discovery_.on_summary(from, m, node.now_, node.effects_);
        }
        void operator()(const RecordBatch& m) const { node.on_records(from, m, pass); }
        void operator()(const Probe& m) const { node.on_probe(from, m); }
        void operator()(const Ping& m) const {
            node.liveness_.on_ping(from, {m, pass}, node.now_, node.effects_);
        }
        void operator()(const PingAnswer& m) const { node.on_ping_answer(from, {m, pass}); }
        void operator()(const PingRequest& m) const {
            node.liveness_.on_request(from, m, node.now_, node.effects_);
        }
        void operator()(const PingReport& m) const {
            node.liveness_.on_report(from, {m, pass}, node.now_);
        }
        void operator()(const OperationSubmit& m) const { node.on_submit_message(from, m); }
        void operator()(const OperationOutcome& m) const { node.on_outcome(from, m); }
        void operator()(const OfferedCheckpoint& m) const { node.on_offer(from, {m, pass}); }
        void operator()(const CheckpointRequest& m) const {
            node.giver_.ask(from, m, node.effects_);
        }
        void operator()(const CheckpointPart& m) const { node.on_part(from, m); }
        void operator()(const CallStart& m) const {
            if (m.verified) {
                node.server_.on_verified_start(from, m, node.now_, node.effects_);
            } else {
                node.server_.on_start(from, m, node.now_, node.effects_);
            }
        }
        void operator()(const CallAnswer& m) const {
            if (auto finished = node.client_.on_answer(from, m)) {
                node.on_finished(std::move(*finished));
            }
        }
        void operator()(const CallCancel& m) const {
            node.server_.on_cancel(from, m, node.effects_);
        }
        void operator()(const CallPiece& m) const { node.on_piece(from, m); }
        void operator()(const CallCredit& m) const {
            node.server_.on_credit(from, m, node.now_, node.effects_);
        }
    };
    std::visit(Accept{*this, from, pass, came}, message);
}

}  // namespace creto
