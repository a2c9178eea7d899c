#include "model/operation.hpp"

#include <algorithm>

namespace creto {

namespace {

/// Committed to in the first epoch, revealed in the second.
constexpr Epoch first_fed_epoch{3};

constexpr auto crdt_action_last = static_cast<std::uint8_t>(CrdtOperation::Action::list_append);

void encode(Writer& w, const DataOperation& v) {
    w.bytes(v.payload);
}
void decode(Reader& r, DataOperation& v) {
    const ByteView payload = r.bytes(limits::operation_bytes_max);
    v.payload.assign(payload.begin(), payload.end());
}

void encode(Writer& w, const KeyOperation& v) {
    w.u8(static_cast<std::uint8_t>(v.action));
    w.text(v.key);
    w.bytes(v.value);
    encode_signed(w, v.amount);
}
void decode(Reader& r, KeyOperation& v) {
    v.action = static_cast<KeyOperation::Action>(r.kind(2));
    v.key = r.text(limits::key_bytes_max);
    const ByteView value = r.bytes(limits::operation_bytes_max);
    v.value.assign(value.begin(), value.end());
    v.amount = decode_signed(r);
}

void encode(Writer& w, const CrdtOperation& v) {
    w.u8(static_cast<std::uint8_t>(v.action));
    w.text(v.key);
    encode_signed(w, v.amount);
    w.bytes(v.value);
    encode_list(w, v.observed);
    w.uvarint(v.path.size());
    for (const std::string& field : v.path)
        w.text(field);
    w.uvarint(v.share);
}
void decode(Reader& r, CrdtOperation& v) {
    v.action = static_cast<CrdtOperation::Action>(r.kind(crdt_action_last));
    v.key = r.text(limits::key_bytes_max);
    v.amount = decode_signed(r);
    const ByteView value = r.bytes(limits::operation_bytes_max);
    v.value.assign(value.begin(), value.end());
    decode_list(r, v.observed, limits::dots_max, 12);
    v.path.resize(r.count(limits::path_fields_max, 2));
    for (std::string& field : v.path)
        field = r.text(limits::field_bytes_max);
    v.share = r.uvarint();
}

void encode(Writer& w, const OfferOperation& v) {
    encode_list(w, v.contracts);
}
void decode(Reader& r, OfferOperation& v) {
    decode_list(r, v.contracts, limits::contracts_per_agent_max, 33);
}

void encode(Writer& w, const CallRecordOperation& v) {
    encode(w, *v.receipt);
    w.boolean(v.opening.has_value());
    if (v.opening) encode(w, **v.opening);
}
void decode(Reader& r, CallRecordOperation& v) {
    decode(r, *v.receipt);
    if (r.boolean()) decode(r, *v.opening.emplace());
}

void encode(Writer& w, const DisputeAnswerOperation& v) {
    encode(w, v.call);
    w.u8(static_cast<std::uint8_t>(v.kind));
    encode(w, v.result);
}
void decode(Reader& r, DisputeAnswerOperation& v) {
    decode(r, v.call);
    v.kind = static_cast<AnswerKind>(r.kind(1));
    decode(r, v.result);
}

void encode(Writer& w, const EvidenceOperation& v) {
    encode(w, *v.evidence);
}
void decode(Reader& r, EvidenceOperation& v) {
    decode(r, *v.evidence);
}

void encode(Writer& w, const LaneResetOperation& v) {
    encode(w, v.opens);
    encode(w, v.life);
}
void decode(Reader& r, LaneResetOperation& v) {
    decode(r, v.opens);
    decode(r, v.life);
}

void encode(Writer& w, const BeaconCommitOperation& v) {
    encode(w, v.feeds);
    encode(w, v.commitment);
}
void decode(Reader& r, BeaconCommitOperation& v) {
    decode(r, v.feeds);
    decode(r, v.commitment);
}

void encode(Writer& w, const BeaconRevealOperation& v) {
    encode(w, v.feeds);
    encode(w, v.secret);
}
void decode(Reader& r, BeaconRevealOperation& v) {
    decode(r, v.feeds);
    decode(r, v.secret);
}

void encode(Writer& w, const PresenceOperation& v) {
    encode(w, v.dormant_since);
}
void decode(Reader& r, PresenceOperation& v) {
    decode(r, v.dormant_since);
}

void encode_change(Writer& w, const RosterOperation& v) {
    w.u8(static_cast<std::uint8_t>(v.action));
    encode(w, v.seat);
    encode(w, v.key);
    w.text(v.name);
    if (v.action == RosterOperation::Action::set) encode(w, v.parameter);
}

template <std::size_t I = 0>
void decode_body(Reader& r, OperationBody& body, std::size_t kind) {
    if constexpr (I < std::variant_size_v<OperationBody>) {
        if (kind == I) {
            decode(r, body.emplace<I>());
        } else {
            decode_body<I + 1>(r, body, kind);
        }
    }
}

void encode_unsigned(Writer& w, const Operation& v) {
    encode(w, v.client);
    w.uvarint(v.counter);
    encode(w, v.expiry);
    w.u8(static_cast<std::uint8_t>(v.body.index()));
    std::visit([&w](const auto& body) { encode(w, body); }, v.body);
}

Result<void> well_formed_key(const std::string& key, std::string_view prefix) {
    if (key.size() <= prefix.size() || key.compare(0, prefix.size(), prefix) != 0) {
        return fail(
            ErrorCode::invalid,
            "key \"" + key + "\" must start with " + std::string{prefix} + " and name something"
        );
    }
    return {};
}

Result<void> well_formed_place(const CrdtOperation& v) {
    constexpr char end_of_field = '\0';  // state/slot.hpp joins keys and fields with it.
    if (v.key.find(end_of_field) != std::string::npos)
        return fail(ErrorCode::invalid, "crdt: a key holds a zero byte");
    if (v.path.size() > limits::path_fields_max) {
        return fail(
            ErrorCode::invalid,
            "crdt: a path has at most " + std::to_string(limits::path_fields_max) + " fields"
        );
    }
    for (const std::string& field : v.path) {
        if (field.empty() || field.size() > limits::field_bytes_max ||
            field.find(end_of_field) != std::string::npos) {
            return fail(
                ErrorCode::invalid,
                "crdt: a field has 1 to " + std::to_string(limits::field_bytes_max) +
                    " bytes, none of them zero"
            );
        }
    }
    if (kind_of(v.action) == CrdtKind::list && !v.path.empty())
        return fail(ErrorCode::invalid, "crdt: a list is a key of its own, not a field");
    return well_formed_key(v.key, "causal/");
}

/// What an action does not use is empty, so that each write has one form.
Result<void> well_formed_parts(const CrdtOperation& v) {
    const CrdtKind kind = kind_of(v.action);
    const bool adds = v.action == CrdtOperation::Action::counter_add;
    if (!adds && (v.amount != 0 || v.share != 0))
        return fail(ErrorCode::invalid, "crdt: an amount belongs to adding to a counter");
    if (!v.value.empty() && (adds || (removes(v.action) && kind != CrdtKind::set)))
        return fail(ErrorCode::invalid, "crdt: this action takes no value");
    if (kind == CrdtKind::set && (v.value.empty() || v.value.size() > limits::element_bytes_max)) {
        return fail(
            ErrorCode::invalid,
            "crdt: an element of a set has 1 to " + std::to_string(limits::element_bytes_max) +
                " bytes"
        );
    }
    if (!v.observed.empty() && (adds || kind == CrdtKind::list))
        return fail(ErrorCode::invalid, "crdt: this action replaces no other lane's values");
    if (v.observed.size() > limits::dots_max)
        return fail(ErrorCode::invalid, "crdt: too many values are observed");
    for (std::size_t i = 1; i < v.observed.size(); ++i) {
        if (!(v.observed[i - 1].lane < v.observed[i].lane))
            return fail(ErrorCode::invalid, "crdt: observed values are not in order, one a lane");
    }
    return {};
}

Result<void> well_formed_fed(Epoch feeds) {
    if (feeds < first_fed_epoch) {
        return fail(
            ErrorCode::invalid,
            "beacon: epoch " + std::to_string(feeds.value()) +
                " has the beacon of the genesis; seats feed that of epoch " +
                std::to_string(first_fed_epoch.value()) + " and later ones"
        );
    }
    return {};
}

Result<void> well_formed_approvals(const std::vector<Approval>& approvals) {
    for (std::size_t i = 0; i < approvals.size(); ++i) {
        const bool ascends = i == 0 || approvals[i - 1].who < approvals[i].who;
        if (!ascends || approvals[i].who >= limits::operators_max)
            return fail(ErrorCode::invalid, "roster: approvals are not in order, one a key");
    }
    return {};
}

/// [PARAM-BOUND.1]
Result<void> well_formed_set(const RosterOperation& v) {
    const bool is_bare =
        v.seat == Seat{} && v.key == PublicKey{} && v.name.empty() && !v.possession;
    if (!is_bare) return fail(ErrorCode::invalid, "roster: what an action does not use is empty");
    const ParameterChange& change = v.parameter;
    if (change.number == 0)
        return fail(ErrorCode::invalid, "roster: changes of a parameter are numbered from 1 on");
    if (auto why = refusal(change.parameter, change.value))
        return fail(ErrorCode::invalid, std::string{to_string(change.parameter)} + ": " + *why);
    return {};
}

struct WellFormed {
    Result<void> operator()(const DataOperation& /*v*/) const { return {}; }
    Result<void> operator()(const KeyOperation& v) const {
        return well_formed_key(v.key, "final/");
    }
    Result<void> operator()(const CrdtOperation& v) const {
        if (auto place = well_formed_place(v); !place) return place;
        return well_formed_parts(v);
    }
    Result<void> operator()(const OfferOperation& /*v*/) const { return {}; }
    Result<void> operator()(const CallRecordOperation& /*v*/) const { return {}; }
    Result<void> operator()(const DisputeAnswerOperation& /*v*/) const { return {}; }
    Result<void> operator()(const EvidenceOperation& /*v*/) const { return {}; }
    Result<void> operator()(const RosterOperation& v) const {
        if (auto form = well_formed_approvals(v.approvals); !form) return form;
        if (v.action == RosterOperation::Action::set) return well_formed_set(v);
        const bool adds = v.action == RosterOperation::Action::add;
        const bool removes = v.action == RosterOperation::Action::remove;
        if (adds ? v.name.empty() : removes && !v.name.empty())
            return fail(ErrorCode::invalid, "roster: a name belongs to giving a seat");
        if ((adds && v.seat != Seat{}) || (removes && v.key != PublicKey{}) ||
            v.parameter != ParameterChange{})
            return fail(ErrorCode::invalid, "roster: what an action does not use is empty");
        if (!removes && v.key == PublicKey{})
            return fail(ErrorCode::invalid, "roster: a key is missing");
        if (v.possession.has_value() == removes) {
            return fail(
                ErrorCode::invalid,
                removes ? "roster: what an action does not use is empty"
                        : "roster: the key that is to have a seat has not signed for it"
            );
        }
        return {};
    }
    Result<void> operator()(const LaneResetOperation& v) const {
        if (v.opens == Incarnation{})
            return fail(ErrorCode::invalid, "lane reset: the first lane of a seat needs none");
        return {};
    }
    Result<void> operator()(const BeaconCommitOperation& v) const {
        return well_formed_fed(v.feeds);
    }
    Result<void> operator()(const BeaconRevealOperation& v) const {
        return well_formed_fed(v.feeds);
    }
    Result<void> operator()(const PresenceOperation& /*v*/) const { return {}; }
};

}  // namespace

const char* kind_name(const OperationBody& body) {
    constexpr std::array<const char*, std::variant_size_v<OperationBody>> names{
        "data",
        "key",
        "crdt",
        "offer",
        "call_record",
        "dispute_answer",
        "evidence",
        "roster",
        "lane_reset",
        "beacon_commit",
        "beacon_reveal",
        "presence"};
    return names[body.index()];
}

CrdtKind kind_of(CrdtOperation::Action action) {
    using Action = CrdtOperation::Action;
    switch (action) {
        case Action::register_set:
        case Action::register_clear:
            return CrdtKind::values;
        case Action::last_set:
        case Action::last_clear:
            return CrdtKind::last;
        case Action::set_add:
        case Action::set_remove:
            return CrdtKind::set;
        case Action::list_append:
            return CrdtKind::list;
        default:
            return CrdtKind::counter;
    }
}

const char* to_string(CrdtKind kind) {
    constexpr std::array<const char*, 5> names{"counter", "values", "last", "set", "list"};
    return names[static_cast<std::size_t>(kind)];
}

bool removes(CrdtOperation::Action action) {
    using Action = CrdtOperation::Action;
    return action == Action::register_clear || action == Action::counter_clear ||
           action == Action::last_clear || action == Action::set_remove;
}

Result<void> well_formed(const Operation& operation) {
    if (operation.signature && std::holds_alternative<CrdtOperation>(operation.body)) {
        return fail(
            ErrorCode::invalid,
            "crdt: a causal write is its lane owner's own and not signed by itself"
        );
    }
    return std::visit(WellFormed{}, operation.body);
}

OperationId Operation::id(const ChainId& chain) const {
    return operation_id(chain, content_digest(signing_bytes(*this)));
}

Digest content_digest(ByteView signing_bytes) {
    return hash(HashDomain::operation_content, signing_bytes);
}

OperationId operation_id(const ChainId& chain, const Digest& content) {
    return OperationId{
        Hasher{HashDomain::operation_id}.update(chain.value()).update(content).finish()};
}

Digest operation_leaf(const Digest& content, const std::optional<Signature>& signature) {
    if (!signature) return content;
    return Hasher{HashDomain::operation_leaf}.update(content).update(signature->view()).finish();
}

Bytes signing_bytes(const Operation& operation) {
    Writer w;
    encode_unsigned(w, operation);
    return w.take();
}

void encode(Writer& w, const Operation& v) {
    encode_unsigned(w, v);
    w.boolean(v.signature.has_value());
    if (v.signature) encode(w, *v.signature);
}

void decode(Reader& r, Operation& v) {
    const std::size_t before = r.left();
    decode(r, v.client);
    v.counter = r.uvarint();
    decode(r, v.expiry);
    const std::uint8_t kind =
        r.kind(static_cast<std::uint8_t>(std::variant_size_v<OperationBody> - 1));
    if (!r.ok()) return;
    decode_body(r, v.body, kind);
    if (r.boolean()) decode(r, v.signature.emplace());
    if (before - r.left() > limits::operation_bytes_max) r.fail(DecodeError::over_limit);
}

Digest beacon_commitment(
    const ChainId& chain, Epoch feeds, const PublicKey& key, const Digest& secret
) {
    return Hasher{HashDomain::beacon_commitment}
        .update(chain.value())
        .update_u64(feeds.value())
        .update(key.view())
        .update(secret)
        .finish();
}

bool feeds_beacon(const OperationBody& body) {
    return std::holds_alternative<BeaconCommitOperation>(body) ||
           std::holds_alternative<BeaconRevealOperation>(body);
}

Bytes possession_bytes(const PublicKey& key, const std::string& name) {
    Writer w;
    encode(w, key);
    w.text(name);
    return w.take();
}

Bytes approval_bytes(const RosterOperation& change) {
    Writer w;
    encode_change(w, change);
    return w.take();
}

void encode(Writer& w, const Approval& v) {
    w.u8(v.who);
    encode(w, v.signature);
}
void decode(Reader& r, Approval& v) {
    v.who = r.kind(limits::operators_max - 1);
    decode(r, v.signature);
}

void encode(Writer& w, const RosterOperation& v) {
    encode_change(w, v);
    w.boolean(v.possession.has_value());
    if (v.possession) encode(w, *v.possession);
    encode_list(w, v.approvals);
}
void decode(Reader& r, RosterOperation& v) {
    v.action = static_cast<RosterOperation::Action>(
        r.kind(static_cast<std::uint8_t>(RosterOperation::Action::set))
    );
    decode(r, v.seat);
    decode(r, v.key);
    v.name = r.text(limits::name_bytes_max);
    v.parameter = {};
    if (v.action == RosterOperation::Action::set) decode(r, v.parameter);
    v.possession.reset();
    if (r.boolean()) decode(r, v.possession.emplace());
    decode_list(r, v.approvals, limits::operators_max, 1 + Signature::size);
}

void encode(Writer& w, const Dot& v) {
    encode(w, v.lane);
    encode(w, v.sequence);
    w.uvarint(v.index);
    w.u64(v.vertex);
}
void decode(Reader& r, Dot& v) {
    decode(r, v.lane);
    decode(r, v.sequence);
    const std::uint64_t index = r.uvarint();
    if (index >= limits::vertex_operations_max) r.fail(DecodeError::over_limit);
    v.index = static_cast<std::uint32_t>(index);
    v.vertex = r.u64();
}

void encode(Writer& w, const DisputeOpening& v) {
    w.text(v.tool);
    encode(w, v.contract);
    w.raw(v.salt);
    w.text(v.arguments);
}
void decode(Reader& r, DisputeOpening& v) {
    v.tool = r.text(limits::name_bytes_max);
    decode(r, v.contract);
    const ByteView salt = r.raw(v.salt.size());
    std::copy(salt.begin(), salt.end(), v.salt.begin());
    v.arguments = r.text(limits::operation_bytes_max);
}

}  // namespace creto
