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
    std::optional<std::vector<CheckItem>> operator()(const EvidenceNotice& notice) const {
        if (!contradicts(notice.evidence, roster)) return std::nullopt;
        return signatures_of(notice.evidence, roster);
    }
    std::optional<std::vector<CheckItem>> operator()(const OperationSubmit& submit) const {
        const Operation& operation = submit.operation;
        return std::vector{item(
            operation.client, SignDomain::operation, signing_bytes(operation), *operation.signature
        )};
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

}  // namespace

void NodeImpl::drop(const AgentId& peer, const std::string& why) {
    if (peer == self_) return;
    count("peers_dropped");
    log_.debug("dropping " + name_of(peer) + ": " + why);
    effects_.add(Drop{peer, why});
}

void NodeImpl::on(const Received& event) {
    if (const Member* member = roster_.find(event.from)) reachability_.heard(member->seat, now_);
    auto message = decode_message(*event.message);
    if (!message) {
        count("messages_malformed");
        drop(event.from, message.error().message);
        return;
    }
    if (channel_of(*message) != event.channel) {
        drop(event.from, std::string{kind_name(*message)} + " on the wrong stream");
        return;
    }
    count("messages_received");
    receive(event.from, std::move(*message), event.message->size());
}

/// Everything that answers a peer's question costs the peer a token.
bool NodeImpl::within_quota(const AgentId& from, const Message& message) {
    const bool question = std::holds_alternative<VertexRequest>(message) ||
                          std::holds_alternative<LaneSummary>(message) ||
                          std::holds_alternative<RecordSummary>(message) ||
                          std::holds_alternative<OperationSubmit>(message) ||
                          std::holds_alternative<Probe>(message);
    if (!question) return true;
    auto bucket = request_quota_.find(from);
    if (bucket == request_quota_.end()) {
        if (request_quota_.size() >= limits::agents_max) request_quota_.clear();
        bucket =
            request_quota_.emplace(from, TokenBucket{{.rate_per_s = 2'000, .burst = 4'000}}).first;
    }
    if (!bucket->second.take(1, now_)) return true;
    count("requests_rate_limited");
    return false;
}

/// Cheap admission, before any signature is checked.
void NodeImpl::receive(const AgentId& from, Message message, std::size_t bytes) {
    if (!within_quota(from, message)) return;
    if (message.index() <= 7) {
        if (!ordering_.worth_checking(message)) {
            ordering_.hear(from, now_);
            count("order_messages_ignored");
            return;
        }
        auto items = check_items(message, roster_);
        if (!items) {
            drop(from, std::string{kind_name(message)} + " that no seat of the roster sends");
            return;
        }
        admit(from, std::move(message), std::move(*items), bytes);
        return;
    }
    if (auto* batch = std::get_if<VertexBatch>(&message)) {
        std::erase_if(batch->vertices, [this](const VertexPtr& vertex) {
            return dag_.find(vertex->id()) != nullptr;
        });
        if (batch->vertices.empty()) return;
    } else if (auto* records = std::get_if<RecordBatch>(&message)) {
        std::erase_if(records->records, [this](const AgentRecord& record) {
            const AgentRecord* held = directory_.find(record.agent);
            return record.agent != self_ && held != nullptr && held->version >= record.version;
        });
        if (records->records.empty()) return;
    } else if (auto* answer = std::get_if<CallAnswer>(&message)) {
        if (!client_.expects(from, answer->id)) return;
        if (from != self_ && hold_back(from, *answer)) return;
    } else if (const auto* call = std::get_if<CallStart>(&message)) {
        if (call->verified && call->verified->request.caller != from) {
            drop(from, "a signed request of another caller");  // [CALL-OWN.1]
            return;
        }
    }
    auto items = std::visit(Items{roster_}, message);
    if (!items) {
        drop(from, std::string{kind_name(message)} + " that no correct agent sends");
        return;
    }
    admit(from, std::move(message), std::move(*items), bytes);
}

void NodeImpl::admit(
    const AgentId& from, Message message, std::vector<CheckItem> items, std::size_t bytes
) {
    // What we signed ourselves needs no check; without signatures there is nothing to check.
    if (items.empty() || from == self_) {
        accept(from, std::move(message), CheckPass::own());
        return;
    }
    if (gate_.submit(from, message, std::move(items), bytes, effects_)) return;
    count("checks_refused");
    if (const auto* answer = std::get_if<CallAnswer>(&message)) answer_refused(from, *answer);
}

void NodeImpl::on(const CheckDone& event) {
    auto opened = gate_.on_done(event);
    if (!opened) return;
    if (!opened->pass) {
        count("signatures_wrong");
        if (const auto* answer = std::get_if<CallAnswer>(&opened->message))
            answer_refused(opened->from, *answer);
        drop(opened->from, std::string{kind_name(opened->message)} + " with a wrong signature");
        return;
    }
    accept(opened->from, std::move(opened->message), *opened->pass);
}

/// Through the door: every signature holds.
void NodeImpl::accept(const AgentId& from, Message message, const CheckPass& pass) {
    struct Accept {
        NodeImpl& node;
        const AgentId& from;
        const CheckPass& pass;

        void operator()(Proposal& m) const {
            node.ordering_.on_proposal(from, {std::move(m), pass}, node.now_, node.effects_);
        }
        void operator()(Vote& m) const {
            node.reachability_.heard(m.seat, node.now_);
            node.ordering_.on_vote(from, {m, pass}, node.now_, node.effects_);
        }
        void operator()(Certificate& m) const {
            node.ordering_.on_certificate(from, {std::move(m), pass}, node.now_, node.effects_);
        }
        void operator()(ChainAnswer& m) const {
            node.ordering_.on_chain_answer(from, {std::move(m), pass}, node.now_, node.effects_);
        }
        void operator()(OrderStatus& m) const {
            node.ordering_.on_status(from, m, node.now_, node.effects_);
        }
        void operator()(CertificateRequest& m) const {
            node.ordering_.on_certificate_request(from, m, node.now_, node.effects_);
        }
        void operator()(BlockRequest& m) const {
            node.ordering_.on_block_request(from, m, node.now_, node.effects_);
        }
        void operator()(ChainRequest& m) const {
            node.ordering_.on_chain_request(from, m, node.now_, node.effects_);
        }
        void operator()(VertexBatch& m) const { node.on_vertices(from, m, pass); }
        void operator()(LaneSummary& m) const { node.on_lane_summary(from, m); }
        void operator()(VertexRequest& m) const { node.on_vertex_request(from, m); }
        void operator()(EvidenceNotice& m) const { node.on_evidence(m.evidence, from); }
        void operator()(RecordSummary& m) const { node.on_record_summary(from, m); }
        void operator()(RecordBatch& m) const { node.on_records(from, m, pass); }
        void operator()(Probe& m) const { node.on_probe(from, m); }
        void operator()(OperationSubmit& m) const { node.on_submit_message(from, m); }
        void operator()(OperationOutcome& m) const { node.on_outcome(from, m); }
        void operator()(CallStart& m) const {
            if (m.verified) {
                node.server_.on_verified_start(from, m, node.now_, node.effects_);
            } else {
                node.server_.on_start(from, m, node.now_, node.effects_);
            }
        }
        void operator()(CallAnswer& m) const {
            if (auto finished = node.client_.on_answer(from, std::move(m))) {
                node.on_finished(std::move(*finished));
            }
        }
        void operator()(CallCancel& m) const { node.server_.on_cancel(from, m, node.effects_); }
    };
    std::visit(Accept{*this, from, pass}, message);
}

void NodeImpl::on_probe(const AgentId& from, const Probe& probe) {
    if (!probe.answer) {
        effects_.send(from, Probe{probe.nonce, true});
        return;
    }
    const auto sent = probes_.find(probe.nonce);
    if (sent == probes_.end()) return;
    if (const Member* member = roster_.find(from)) {
        reachability_.round_trip(member->seat, sent->second, now_);
    }
}

}  // namespace creto
