#include "model/message.hpp"

#include <algorithm>

namespace creto {

namespace {

void encode(Writer& w, const OrderStatus& v) {
    creto::encode(w, v.epoch);
    creto::encode(w, v.view);
    creto::encode(w, v.finalized_view);
    creto::encode(w, v.finalized);
}
void decode(Reader& r, OrderStatus& v) {
    creto::decode(r, v.epoch);
    creto::decode(r, v.view);
    creto::decode(r, v.finalized_view);
    creto::decode(r, v.finalized);
}
void encode(Writer& w, const CertificateRequest& v) {
    creto::encode(w, v.epoch);
    creto::encode(w, v.view);
    w.u8(static_cast<std::uint8_t>(v.kind));
}
void decode(Reader& r, CertificateRequest& v) {
    creto::decode(r, v.epoch);
    creto::decode(r, v.view);
    v.kind = static_cast<VoteKind>(r.kind(2));
}
void encode(Writer& w, const BlockRequest& v) {
    creto::encode(w, v.block);
}
void decode(Reader& r, BlockRequest& v) {
    creto::decode(r, v.block);
}
void encode(Writer& w, const ChainRequest& v) {
    creto::encode(w, v.from);
    w.uvarint(v.count);
    creto::encode(w, v.anchor);
}
void decode(Reader& r, ChainRequest& v) {
    creto::decode(r, v.from);
    const std::uint64_t count = r.uvarint();
    if (count > limits::blocks_per_message_max) r.fail(DecodeError::over_limit);
    v.count = static_cast<std::uint32_t>(count);
    creto::decode(r, v.anchor);
}
void encode(Writer& w, const ChainAnswer& v) {
    encode_list(w, v.blocks);
    w.boolean(v.finalization.has_value());
    if (v.finalization) creto::encode(w, *v.finalization);
}
void decode(Reader& r, ChainAnswer& v) {
    decode_list(r, v.blocks, limits::blocks_per_message_max, 100);
    if (r.boolean()) creto::decode(r, v.finalization.emplace());
}

void encode(Writer& w, const VertexBatch& v) {
    w.uvarint(v.vertices.size());
    for (const VertexPtr& vertex : v.vertices)
        w.bytes(vertex->bytes());
}
void decode(Reader& r, VertexBatch& v) {
    const std::size_t count = r.count(limits::vertices_per_message_max, 100);
    v.vertices.reserve(count);
    for (std::size_t i = 0; i < count && r.ok(); ++i) {
        auto vertex = SealedVertex::decode(r.bytes(limits::vertex_bytes_max));
        if (!vertex) {
            r.fail(DecodeError::bad_value);
            return;
        }
        v.vertices.push_back(std::move(*vertex));
    }
}
void encode(Writer& w, const LaneSummary& v) {
    creto::encode(w, v.finalized);
    encode_list(w, v.tips);
    w.boolean(v.answer);
}
void decode(Reader& r, LaneSummary& v) {
    creto::decode(r, v.finalized);
    decode_list(r, v.tips, limits::lanes_per_message_max, 35);
    const bool ordered =
        std::adjacent_find(
            v.tips.begin(),
            v.tips.end(),
            [](const VertexRef& a, const VertexRef& b) { return !(a.lane < b.lane); }
        ) == v.tips.end();
    if (!ordered) r.fail(DecodeError::bad_value);
    v.answer = r.boolean();
}
void encode(Writer& w, const VertexRequest& v) {
    encode_list(w, v.ranges);
}
void decode(Reader& r, VertexRequest& v) {
    decode_list(r, v.ranges, limits::lanes_per_message_max, 36);
    for (const LaneRange& range : v.ranges) {
        if (range.first == Sequence{} || range.last < range.first) r.fail(DecodeError::bad_value);
    }
}
void encode(Writer& w, const EvidenceNotice& v) {
    creto::encode(w, v.evidence);
}
void decode(Reader& r, EvidenceNotice& v) {
    creto::decode(r, v.evidence);
}

void encode(Writer& w, const RecordSummary& v) {
    w.uvarint(v.versions.size());
    for (const RecordVersion& version : v.versions) {
        creto::encode(w, version.agent);
        w.uvarint(version.version);
    }
    w.boolean(v.answer);
    w.uvarint(v.slice);
    w.uvarint(v.slices);
}
void decode(Reader& r, RecordSummary& v) {
    v.versions.resize(r.count(limits::agents_max, 33));
    for (std::size_t i = 0; i < v.versions.size(); ++i) {
        creto::decode(r, v.versions[i].agent);
        v.versions[i].version = r.uvarint();
        if (i > 0 && !(v.versions[i - 1].agent < v.versions[i].agent))
            r.fail(DecodeError::bad_value);
    }
    v.answer = r.boolean();
    const std::uint64_t slice = r.uvarint();
    const std::uint64_t slices = r.uvarint();
    if (slices > limits::agents_max) r.fail(DecodeError::over_limit);
    if (slice >= slices) r.fail(DecodeError::bad_value);
    v.slice = static_cast<std::uint32_t>(slice);
    v.slices = static_cast<std::uint32_t>(slices);
}
void encode(Writer& w, const RecordBatch& v) {
    w.uvarint(v.records.size());
    for (const AgentRecord& record : v.records)
        creto::encode(w, record);
}
void decode(Reader& r, RecordBatch& v) {
    const std::size_t count = r.count(limits::records_per_message_max, 100);
    v.records.reserve(count);
    for (std::size_t i = 0; i < count && r.ok(); ++i) {
        AgentRecord record;
        creto::decode(r, record);
        if (!well_formed(record)) r.fail(DecodeError::bad_value);
        v.records.emplace_back(std::move(record));
    }
}
void encode(Writer& w, const Probe& v) {
    w.u64(v.nonce);
    w.boolean(v.answer);
    creto::encode(w, v.hearing);
}
void decode(Reader& r, Probe& v) {
    v.nonce = r.u64();
    v.answer = r.boolean();
    creto::decode(r, v.hearing);
}
void encode(Writer& w, const OperationSubmit& v) {
    creto::encode(w, v.operation);
}
void decode(Reader& r, OperationSubmit& v) {
    creto::decode(r, v.operation);
    if (r.ok() && (!well_formed(v.operation) || !v.operation.signature))
        r.fail(DecodeError::bad_value);
}
void encode(Writer& w, const OperationOutcome& v) {
    creto::encode(w, v.operation);
    w.u8(static_cast<std::uint8_t>(v.state));
    creto::encode(w, v.height);
    w.text(v.reason);
}
void decode(Reader& r, OperationOutcome& v) {
    creto::decode(r, v.operation);
    v.state = static_cast<OperationOutcome::State>(r.kind(2));
    creto::decode(r, v.height);
    v.reason = r.text(1024);
}

void encode(Writer& w, const OfferedCheckpoint& v) {
    creto::encode(w, v.checkpoint);
    encode(w, v.proof);
    encode_list(w, v.links);
}
void decode(Reader& r, OfferedCheckpoint& v) {
    creto::decode(r, v.checkpoint);
    decode(r, v.proof);
    decode_list(r, v.links, limits::roster_links_max, 100);
}
void encode(Writer& w, const CheckpointRequest& v) {
    creto::encode(w, v.height);
    w.uvarint(v.first);
    w.uvarint(v.count);
}
void decode(Reader& r, CheckpointRequest& v) {
    creto::decode(r, v.height);
    const std::uint64_t first = r.uvarint();
    const std::uint64_t count = r.uvarint();
    if (first >= limits::checkpoint_parts_max || count == 0 ||
        count > limits::checkpoint_parts_asked)
        r.fail(DecodeError::over_limit);
    v.first = static_cast<std::uint32_t>(first);
    v.count = static_cast<std::uint32_t>(count);
}
void encode(Writer& w, const CheckpointPart& v) {
    creto::encode(w, v.height);
    w.uvarint(v.number);
    w.bytes(v.bytes);
}
void decode(Reader& r, CheckpointPart& v) {
    creto::decode(r, v.height);
    const std::uint64_t number = r.uvarint();
    if (number >= limits::checkpoint_parts_max) r.fail(DecodeError::over_limit);
    v.number = static_cast<std::uint32_t>(number);
    const ByteView bytes = r.bytes(limits::checkpoint_part_bytes);
    v.bytes.assign(bytes.begin(), bytes.end());
}

std::uint32_t decode_credit(Reader& r) {
    const std::uint64_t bytes = r.uvarint();
    if (bytes > limits::stream_credit_max) r.fail(DecodeError::over_limit);
    return static_cast<std::uint32_t>(bytes);
}
void encode(Writer& w, const CallStart& v) {
    w.uvarint(v.id);
    w.text(v.tool);
    creto::encode(w, v.contract);
    w.text(v.arguments);
    w.uvarint(v.timeout_ms);
    w.uvarint(v.credit);
    w.boolean(v.verified.has_value());
    if (!v.verified) return;
    creto::encode(w, v.verified->request);
    w.raw(v.verified->salt);
}
void decode(Reader& r, CallStart& v) {
    v.id = r.uvarint();
    v.tool = r.text(limits::name_bytes_max);
    creto::decode(r, v.contract);
    v.arguments = r.text(limits::arguments_bytes_max);
    const std::uint64_t timeout = r.uvarint();
    if (timeout > 86'400'000) r.fail(DecodeError::over_limit);
    v.timeout_ms = static_cast<std::uint32_t>(timeout);
    v.credit = decode_credit(r);
    if (!r.boolean()) return;
    SignedCall& call = v.verified.emplace();
    creto::decode(r, call.request);
    const ByteView salt = r.raw(call.salt.size());
    std::copy(salt.begin(), salt.end(), call.salt.begin());
}
void encode(Writer& w, const CallAnswer& v) {
    w.uvarint(v.id);
    w.u8(static_cast<std::uint8_t>(v.status));
    w.text(v.text);
    w.uvarint(v.retry_after_ms);
    w.boolean(v.signed_answer.has_value());
    if (v.signed_answer) creto::encode(w, *v.signed_answer);
    w.uvarint(v.pieces_lost);
}
void decode(Reader& r, CallAnswer& v) {
    v.id = r.uvarint();
    v.status = static_cast<CallAnswer::Status>(r.kind(8));
    v.text = r.text(limits::result_bytes_max);
    const std::uint64_t retry = r.uvarint();
    if (retry > 86'400'000) r.fail(DecodeError::over_limit);
    v.retry_after_ms = static_cast<std::uint32_t>(retry);
    if (r.boolean()) creto::decode(r, v.signed_answer.emplace());
    v.pieces_lost = r.uvarint();
}
void encode(Writer& w, const CallCancel& v) {
    w.uvarint(v.id);
}
void decode(Reader& r, CallCancel& v) {
    v.id = r.uvarint();
}
void encode(Writer& w, const CallPiece& v) {
    w.uvarint(v.id);
    w.uvarint(v.number);
    w.uvarint(v.lost);
    creto::encode(w, v.piece);
}
void decode(Reader& r, CallPiece& v) {
    v.id = r.uvarint();
    v.number = r.uvarint();
    v.lost = r.uvarint();
    creto::decode(r, v.piece);
}
void encode(Writer& w, const CallCredit& v) {
    w.uvarint(v.id);
    w.uvarint(v.bytes);
}
void decode(Reader& r, CallCredit& v) {
    v.id = r.uvarint();
    v.bytes = decode_credit(r);
}

constexpr std::size_t kinds = std::variant_size_v<Message>;

template <std::size_t I = 0>
void decode_kind(Reader& r, Message& message, std::size_t kind) {
    if constexpr (I < kinds) {
        if (kind == I) {
            decode(r, message.emplace<I>());
        } else {
            decode_kind<I + 1>(r, message, kind);
        }
    }
}

/// Rules of form that need no context, for kinds whose type has them apart from its decoder.
Result<void> well_formed_blocks(const ChainAnswer& answer) {
    for (const Block& block : answer.blocks) {
        if (auto form = well_formed(block); !form) return form;
    }
    return {};
}
Result<void> well_formed_message(const Message& message) {
    if (const auto* proposal = std::get_if<Proposal>(&message)) return well_formed(proposal->block);
    if (const auto* answer = std::get_if<ChainAnswer>(&message)) return well_formed_blocks(*answer);
    if (const auto* offered = std::get_if<OfferedCheckpoint>(&message)) {
        if (auto form = well_formed(offered->checkpoint); !form) return form;
        for (const RosterLink& link : offered->links) {
            if (auto form = well_formed(link.boundary); !form) return form;
        }
        return well_formed_blocks(offered->proof);
    }
    return {};
}

}  // namespace

std::uint16_t RecordSummary::place_of(const AgentId& agent) {
    const auto& key = agent.bytes();
    return static_cast<std::uint16_t>(key[0] | key[1] << 8U);
}

const char* kind_name(const Message& message) {
    constexpr std::array<const char*, kinds> names{
        "proposal",
        "vote",
        "certificate",
        "order_status",
        "certificate_request",
        "block_request",
        "chain_request",
        "chain_answer",
        "vertex_batch",
        "lane_summary",
        "vertex_request",
        "evidence_notice",
        "record_summary",
        "record_batch",
        "probe",
        "operation_submit",
        "operation_outcome",
        "offered_checkpoint",
        "checkpoint_request",
        "checkpoint_part",
        "ping",
        "ping_answer",
        "ping_request",
        "ping_report",
        "call_start",
        "call_answer",
        "call_cancel",
        "call_piece",
        "call_credit",
        "partial_certificate"};
    return names[message.index()];
}

Channel channel_of(const Message& message) {
    if (message.index() <= 7 || std::holds_alternative<PartialCertificate>(message))
        return Channel::order;
    return message.index() <= 23 ? Channel::data : Channel::call;
}

const char* to_string(CallAnswer::Status status) {
    constexpr std::array<const char*, 9> names{
        "result",
        "tool_error",
        "unknown_tool",
        "bad_arguments",
        "rate_limited",
        "overloaded",
        "timeout",
        "cancelled",
        "internal"};
    return names[static_cast<std::size_t>(status)];
}

WireMessage encode_message(const Message& message) {
    Writer w;
    w.u8(static_cast<std::uint8_t>(message.index()));
    std::visit([&w](const auto& m) { encode(w, m); }, message);
    return WireMessage{w.take()};
}

const Result<Message>& WireMessage::decoded() const {
    if (body_->said == nullptr)
        body_->said = std::make_unique<const Result<Message>>(decode_message(*body_->bytes));
    return *body_->said;
}

Result<Message> decode_message(ByteView bytes) {
    Result<Message> decoded;  // Read in its place: a message is too large to be moved for nothing.
    if (bytes.size() > limits::message_bytes_max) {
        decoded = fail(
            ErrorCode::limit,
            "message: over " + std::to_string(limits::message_bytes_max) + " bytes"
        );
        return decoded;
    }
    Reader reader{bytes};
    Message& message = *decoded;
    const std::uint8_t kind = reader.kind(kinds - 1);
    if (reader.ok()) decode_kind(reader, message, kind);
    if (const DecodeError error = reader.finish(); error != DecodeError::none) {
        decoded =
            fail(ErrorCode::invalid, std::string{kind_name(message)} + ": " + to_string(error));
        return decoded;
    }
    if (auto form = well_formed_message(message); !form)
        decoded = tl::unexpected<Error>(form.error());
    return decoded;
}

}  // namespace creto
