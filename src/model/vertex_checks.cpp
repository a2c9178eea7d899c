#include "model/vertex_checks.hpp"

namespace creto {

namespace {

/// Collects the signatures of one vertex; add() is false for what no signature can make valid.
class Collector {
public:
    Collector(const Roster& roster, const AgentId& owner) : roster_{roster}, owner_{owner} {}

    void add(
        SignDomain domain, const PublicKey& key, ByteView message, const Signature& signature
    ) {
        items_.push_back({key, signed_bytes(domain, roster_.chain().value(), message), signature});
    }
    [[nodiscard]] bool add(const Operation& operation) {
        if (!operation.signature && operation.client != owner_) return false;
        if (operation.signature) {
            add(SignDomain::operation,
                operation.client,
                signing_bytes(operation),
                *operation.signature);
        }
        if (const auto* record = std::get_if<CallRecordOperation>(&operation.body)) {
            return add(*record->receipt);
        }
        if (const auto* proof = std::get_if<EvidenceOperation>(&operation.body)) {
            return add(*proof->evidence);
        }
        if (const auto* change = std::get_if<RosterOperation>(&operation.body)) {
            return add(*change);
        }
        return true;
    }
    [[nodiscard]] std::vector<CheckItem> take() { return std::move(items_); }

private:
    [[nodiscard]] bool add(const QuorumReceipt& receipt) {
        if (!well_formed(receipt, roster_.chain())) return false;
        const CallRequest& request = receipt.request;
        add(SignDomain::call_request, request.caller, signing_bytes(request), request.signature);
        for (const Answer& answer : receipt.answers) {
            add(SignDomain::call_answer, answer.provider, signing_bytes(answer), answer.signature);
        }
        return true;
    }
    /// [SEAT-POSSESSION.1] [SEAT-OPERATORS.1]
    [[nodiscard]] bool add(const RosterOperation& change) {
        if (!well_formed(Operation{.body = change})) return false;
        if (change.possession) {
            add(SignDomain::grant,
                change.key,
                possession_bytes(change.key, change.name),
                *change.possession);
        }
        for (const Approval& approval : change.approvals) {
            if (approval.who >= roster_.operators().size()) return false;
            add(SignDomain::approval,
                roster_.operators()[approval.who],
                approval_bytes(change),
                approval.signature);
        }
        return true;
    }
    [[nodiscard]] bool add(const Evidence& evidence) {
        if (!contradicts(evidence, roster_)) return false;
        for (CheckItem& item : signatures_of(evidence, roster_))
            items_.push_back(std::move(item));
        return true;
    }

    const Roster& roster_;
    const AgentId& owner_;
    std::vector<CheckItem> items_;
};

}  // namespace

std::optional<std::vector<CheckItem>> signatures_of(
    const SealedVertex& vertex, const Roster& roster
) {
    const LaneId& lane = vertex.header().lane;
    const Member* owner = roster.known(lane.seat);
    if (owner == nullptr) return std::nullopt;
    Collector collector{roster, owner->key};
    collector.add(
        SignDomain::vertex, owner->key, vertex.id().value().view(), vertex.top().signature
    );
    for (const Operation& operation : vertex.operations()) {
        if (!collector.add(operation)) return std::nullopt;
    }
    return collector.take();
}

std::optional<std::vector<CheckItem>> signatures_of(
    const Operation& operation, const Roster& roster
) {
    Collector collector{roster, operation.client};
    if (!collector.add(operation)) return std::nullopt;
    return collector.take();
}

}  // namespace creto
