#include "system/words.hpp"

#include "model/leader.hpp"

namespace creto::system_test {

namespace {

Digest digest_of(std::string_view text) {
    return blake3(as_bytes(text));
}

Signature spoiled(const Signature& signature) {
    auto bytes = signature.bytes();
    bytes[7] ^= 1U;
    return Signature{bytes};
}

}  // namespace

Words::Words(const Genesis& genesis, const KeySeed& key, Seat seat)
    : roster_{genesis}, signer_{scheme_.signer(key)}, seat_{seat} {}

VoteContent Words::content(VoteKind kind, View view, const char* block) const {
    if (kind == VoteKind::nullify) return {kind, Epoch{1}, view, View{}, BlockId{}};
    return {kind, Epoch{1}, view, View{}, BlockId{digest_of(block)}};
}

Vote Words::vote(VoteKind kind, View view, const char* block) const {
    const VoteContent said = content(kind, view, block);
    return {said, seat_, sign(SignDomain::vote, signing_bytes(said))};
}

Proposal Words::proposal(View view) const {
    Block block;
    block.epoch = Epoch{1};
    block.view = view;
    block.height = Height{1};
    block.parent = genesis_block_id(roster_.chain());
    block.proposer = leader_of(roster_, view);
    block.cut_root = Cut{}.root();
    return {block, sign(SignDomain::vote, signing_bytes(block.content(VoteKind::notarize)))};
}

Certificate Words::certificate(VoteKind kind, View view) const {
    Certificate out{content(kind, view), Bytes((roster_.size() + 7) / 8, 0), {}};
    for (std::uint32_t i = 0; i < roster_.quorum().q; ++i) {
        out.signers[i / 8] |= static_cast<std::uint8_t>(1U << (i % 8));
        out.signatures.push_back(sign(SignDomain::vote, signing_bytes(out.content)));
    }
    return out;
}

ChainAnswer Words::chain_answer(View view) const {
    ChainAnswer out{{proposal(view).block}, certificate(VoteKind::finalize, view)};
    out.finalization->content.block = out.blocks[0].id();
    return out;
}

VertexPtr Words::vertex(Sequence sequence, std::int64_t salt) const {
    VertexHeader header;
    header.lane = {seat_, Incarnation{}};
    header.sequence = sequence;
    header.author_unix_ms = salt;
    if (sequence > Sequence{1}) {
        header.parents.push_back({header.lane, sequence.prev(), VertexId{digest_of("before")}});
        header.depth = 2;
    }
    // In a lane of another's, an operation carries its client's signature.
    Operation own = operation(1, DataOperation{to_bytes("data")});
    if (roster_.find(seat_)->key == own.client) own.signature.reset();
    return SealedVertex::make(std::move(header), {std::move(own)}, roster_.chain(), *signer_);
}

AgentRecord Words::record(std::uint64_t version, const std::string& name) const {
    AgentRecord out{.agent = signer_->public_key(), .version = version, .name = name};
    out.software = "a test";
    out.addresses = {"/ip4/127.0.0.1/tcp/9"};
    out.lifetime_ms = 60'000;
    out.signature = sign(SignDomain::agent_record, signing_bytes(out));
    return out;
}

Alive Words::alive(std::uint64_t version) const {
    Alive out{signer_->public_key(), version, {}};
    out.signature = sign(SignDomain::alive, signing_bytes(out));
    return out;
}

Operation Words::operation(std::uint64_t counter, OperationBody body) const {
    Operation out{.client = signer_->public_key(), .counter = counter, .expiry = Height{5'000}};
    out.body = std::move(body);
    out.signature = sign(SignDomain::operation, signing_bytes(out));
    return out;
}

Evidence Words::evidence() const {
    return VoteConflict{
        vote(VoteKind::notarize, View{1}, "one"), vote(VoteKind::notarize, View{1}, "other")};
}

CallStart Words::call(std::uint64_t id, bool verified) const {
    CallStart out{.id = id, .tool = "add", .arguments = R"({"a":1,"b":2})", .timeout_ms = 1'000};
    if (!verified) return out;
    SignedCall said;
    said.request.caller = signer_->public_key();
    said.request.nonce = id;
    said.request.arguments =
        salted_digest(HashDomain::arguments, said.salt, as_bytes(out.arguments));
    said.request.salt_commitment = salt_commitment(said.salt);
    for (const Member& member : roster_.members())
        said.request.panel.push_back(member.key);
    std::sort(said.request.panel.begin(), said.request.panel.end());
    said.request.bar = panel_bar(roster_.size());
    said.request.signature = sign(SignDomain::call_request, signing_bytes(said.request));
    out.verified = said;
    return out;
}

std::vector<Words::Named> Words::all(View view) const {
    const LaneId lane{seat_, Incarnation{}};
    const VertexRef tip{lane, Sequence{1}, VertexId{digest_of("tip")}};
    std::vector<Message> messages{
        proposal(view),
        vote(VoteKind::notarize, view),
        certificate(VoteKind::finalize, view),
        OrderStatus{Epoch{1}, view, View{}, Height{}},
        CertificateRequest{Epoch{1}, View{1}, VoteKind::finalize},
        BlockRequest{BlockId{digest_of("block")}},
        ChainRequest{Height{1}, 10},
        chain_answer(view),
        VertexBatch{{vertex(Sequence{1})}},
        LaneSummary{Height{}, {tip}, true},
        VertexRequest{{{lane, Sequence{1}, Sequence{1}, VertexId{}}}},
        EvidenceNotice{evidence()},
        RecordSummary{{{signer_->public_key(), 1}}, true},
        RecordBatch{{record(1, "words")}},
        Probe{1, false},
        OperationSubmit{operation(1, DataOperation{to_bytes("payload")})},
        OperationOutcome{
            OperationId{digest_of("operation")},
            OperationOutcome::State::final,
            Height{1},
            "said so"},
        call(1, false),
        CallAnswer{.id = 1, .text = "3"},
        CallCancel{1},
        Ping{1, 2, {{{signer_->public_key(), 3}}, {alive(4)}}},
        PingAnswer{1, {{}, {alive(5)}}},
        PingRequest{1, signer_->public_key(), 6},
        PingReport{1, alive(7)}};
    std::vector<Named> out;
    for (Message& message : messages)
        out.push_back({kind_name(message), std::move(message)});
    return out;
}

std::vector<Words::Named> Words::wrongly_signed(View view) const {
    std::vector<Named> out;
    Vote said = vote(VoteKind::notarize, view);
    said.signature = spoiled(said.signature);
    out.push_back({"vote", said});
    Proposal proposed = proposal(view);
    proposed.signature = spoiled(proposed.signature);
    out.push_back({"proposal", proposed});
    // A quorum's worth of signatures by one seat.
    out.push_back({"certificate", certificate(VoteKind::nullify, view)});
    const VertexPtr good = vertex(Sequence{1}, 77);
    Vertex spoiled_vertex{good->top(), good->operations()};
    spoiled_vertex.top.signature = spoiled(spoiled_vertex.top.signature);
    Writer w;
    encode(w, spoiled_vertex.top);
    encode_list(w, spoiled_vertex.operations);
    if (auto vertex = SealedVertex::decode(w.take())) {
        out.push_back({"vertex_batch", VertexBatch{{*vertex}}});
    }
    VoteConflict lie = std::get<VoteConflict>(evidence());
    lie.b.signature = spoiled(lie.b.signature);
    out.push_back({"evidence_notice", EvidenceNotice{lie}});
    AgentRecord told = record(2, "another");
    told.signature = spoiled(told.signature);
    out.push_back({"record_batch", RecordBatch{{told}}});
    OperationSubmit submit{operation(2, DataOperation{to_bytes("x")})};
    submit.operation.signature = spoiled(*submit.operation.signature);
    out.push_back({"operation_submit", submit});
    // Not among them: a call with a wrongly signed request, which costs its caller the receipt only.
    return out;
}

}  // namespace creto::system_test
