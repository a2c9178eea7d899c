// Message: everything that nodes say to each other, one variant, one decoder.
//
// Why      One place where a peer's bytes become values; nothing else parses a peer's bytes.
// Holds    The first byte is the kind. decode_message() refuses what is over a limit, malformed or
//          not in its one canonical form; signatures are checked afterwards (model/checks.hpp).
#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "base/shared.hpp"
#include "model/agent_record.hpp"
#include "model/block.hpp"
#include "model/checkpoint.hpp"
#include "model/evidence.hpp"
#include "model/piece.hpp"
#include "model/ping.hpp"
#include "model/roster_link.hpp"
#include "model/seat_set.hpp"
#include "model/vertex.hpp"

namespace creto {

/// Streams between two nodes, one a traffic class, so that bulk data delays no vote and no call.
enum class Channel : std::uint8_t { order, data, call };
inline constexpr std::size_t channel_count = 3;

// --- order ---

/// Where a node stands; sent on connection and when it falls behind (rule E5).
struct OrderStatus {
    Epoch epoch;
    View view;            ///< Current.
    View finalized_view;  ///< Of the highest finalised block.
    Height finalized;
    friend bool operator==(const OrderStatus&, const OrderStatus&) = default;
};
/// Asks for one certificate by what it certifies (rule G1).
struct CertificateRequest {
    Epoch epoch;
    View view;
    VoteKind kind = VoteKind::notarize;
    friend bool operator==(const CertificateRequest&, const CertificateRequest&) = default;
};
/// Asks for a block that a certificate or child names.
struct BlockRequest {
    BlockId block;
    friend bool operator==(const BlockRequest&, const BlockRequest&) = default;
};
/// Asks for finalised blocks from a height on; with an anchor, for those that end with this block,
/// which whoever asks knows to be final.
struct ChainRequest {
    Height from;
    std::uint32_t count = 0;
    BlockId anchor = {};  ///< Zero: none.
    friend bool operator==(const ChainRequest&, const ChainRequest&) = default;
};
/// Finalised blocks, linked by parents, and the finalisation of the last. None: the last is the
/// anchor of the request. It may begin above what was asked for: then no block from there up to its
/// beginning has a finalisation of its own, and the rest is asked for by anchors.
struct ChainAnswer {
    std::vector<Block> blocks;
    std::optional<Certificate> finalization;
    friend bool operator==(const ChainAnswer&, const ChainAnswer&) = default;
};

// --- data ---

struct VertexBatch {
    std::vector<VertexPtr> vertices;
};
/// What I hold: final height, and the tips of lanes above the final cut.
struct LaneSummary {
    Height finalized;
    std::vector<VertexRef> tips;  ///< By lane, ascending.
    bool answer = false;          ///< A reply to a summary is not answered with a summary.
    friend bool operator==(const LaneSummary&, const LaneSummary&) = default;
};
/// Asks for vertices; a tip of zero means the branch that the peer holds.
struct VertexRequest {
    std::vector<LaneRange> ranges;
    friend bool operator==(const VertexRequest&, const VertexRequest&) = default;
};
/// A proof, spread once.
struct EvidenceNotice {
    Evidence evidence;
    friend bool operator==(const EvidenceNotice&, const EvidenceNotice&) = default;
};
struct RecordVersion {
    AgentId agent;
    std::uint64_t version = 0;
    friend bool operator==(const RecordVersion&, const RecordVersion&) = default;
};
/// Which records I hold; the peer sends newer ones and asks for what it lacks by its own summary.
/// Of many records it names one slice: the agents whose key, as a number, is `slice` modulo `slices`.
struct RecordSummary {
    std::vector<RecordVersion> versions;  ///< By agent, ascending.
    bool answer = false;
    std::uint32_t slice = 0;
    std::uint32_t slices = 1;
    /// What decides in which slice an agent is.
    [[nodiscard]] static std::uint16_t place_of(const AgentId& agent);
    [[nodiscard]] bool covers_place(std::uint16_t place) const { return place % slices == slice; }
    [[nodiscard]] bool covers(const AgentId& agent) const { return covers_place(place_of(agent)); }
    friend bool operator==(const RecordSummary&, const RecordSummary&) = default;
};
struct RecordBatch {
    std::vector<Shared<AgentRecord>> records;
    friend bool operator==(const RecordBatch&, const RecordBatch&) = default;
};
/// "Are you there?" to a seat that was silent; `answer` says yes. Both say whom their sender hears.
struct Probe {
    std::uint64_t nonce = 0;
    bool answer = false;
    Hearing hearing{};
    friend bool operator==(const Probe&, const Probe&) = default;
};
/// An agent without a seat hands a signed operation to a seat.
struct OperationSubmit {
    Operation operation;
    friend bool operator==(const OperationSubmit&, const OperationSubmit&) = default;
};
/// How that went: refused before it entered a lane, or carried; later, the height where it is
/// final.
struct OperationOutcome {
    enum class State : std::uint8_t { carried, final, refused };
    OperationId operation;
    State state = State::carried;
    Height height;
    std::string reason;
    friend bool operator==(const OperationOutcome&, const OperationOutcome&) = default;
};

/// The newest checkpoint of whoever cannot serve what was asked for any more, with what proves it:
/// headers from its block on, up to one that is finalised; one of them names its mark.
struct OfferedCheckpoint {
    Checkpoint checkpoint;
    ChainAnswer proof;
    std::vector<RosterLink> links;  ///< Every change of the roster, for whoever knows an early one.
    friend bool operator==(const OfferedCheckpoint&, const OfferedCheckpoint&) = default;
};
/// Asks for parts of the state at a checkpoint that was offered.
struct CheckpointRequest {
    Height height;
    std::uint32_t first = 0;
    std::uint32_t count = 0;  ///< At most limits::checkpoint_parts_asked.
    friend bool operator==(const CheckpointRequest&, const CheckpointRequest&) = default;
};
struct CheckpointPart {
    Height height;
    std::uint32_t number = 0;
    Bytes bytes;
    friend bool operator==(const CheckpointPart&, const CheckpointPart&) = default;
};

// --- call ---

/// The part of a verified call that the provider answers with its signature.
struct SignedCall {
    CallRequest request;
    Salt salt{};
    friend bool operator==(const SignedCall&, const SignedCall&) = default;
};
struct CallStart {
    std::uint64_t id = 0;  ///< The caller's own, for this connection.
    std::string tool;
    ContractId contract;  ///< Zero: whatever the provider offers under this name.
    std::string arguments;
    std::uint32_t timeout_ms = 0;
    std::optional<SignedCall> verified;
    /// Bytes of pieces that the caller takes before it grants more; 0: it wants none. At most
    /// limits::stream_credit_max.
    std::uint32_t credit = 0;
    friend bool operator==(const CallStart&, const CallStart&) = default;
};
struct CallAnswer {
    enum class Status : std::uint8_t {
        result,
        tool_error,  ///< The tool ran and refused or failed.
        unknown_tool,
        bad_arguments,  ///< The schema does not allow them.
        rate_limited,   ///< retry_after_ms says when to come again.
        overloaded,
        timeout,
        cancelled,
        internal,
    };
    std::uint64_t id = 0;
    Status status = Status::result;
    std::string text;  ///< The result as canonical JSON, or what went wrong.
    std::uint32_t retry_after_ms = 0;
    std::optional<Answer> signed_answer;
    std::uint64_t pieces_lost = 0;  ///< That the tool showed and the caller was not sent.
    friend bool operator==(const CallAnswer&, const CallAnswer&) = default;
};
struct CallCancel {
    std::uint64_t id = 0;
    friend bool operator==(const CallCancel&, const CallCancel&) = default;
};
/// What the tool of a call shows while it works. Only within the credit that the caller granted.
struct CallPiece {
    std::uint64_t id = 0;
    std::uint64_t number = 0;  ///< 1, 2, … of this call.
    std::uint64_t lost = 0;    ///< Pieces of the tool that were left out so far.
    Piece piece;
    friend bool operator==(const CallPiece&, const CallPiece&) = default;
};
/// The caller takes so many bytes of pieces more.
struct CallCredit {
    std::uint64_t id = 0;
    std::uint32_t bytes = 0;
    friend bool operator==(const CallCredit&, const CallCredit&) = default;
};

using Message = std::variant<
    Proposal,
    Vote,
    Certificate,
    OrderStatus,
    CertificateRequest,
    BlockRequest,
    ChainRequest,
    ChainAnswer,
    VertexBatch,
    LaneSummary,
    VertexRequest,
    EvidenceNotice,
    RecordSummary,
    RecordBatch,
    Probe,
    OperationSubmit,
    OperationOutcome,
    OfferedCheckpoint,
    CheckpointRequest,
    CheckpointPart,
    Ping,
    PingAnswer,
    PingRequest,
    PingReport,
    CallStart,
    CallAnswer,
    CallCancel,
    CallPiece,
    CallCredit,
    PartialCertificate>;

[[nodiscard]] const char* kind_name(const Message& message);
[[nodiscard]] Channel channel_of(const Message& message);
[[nodiscard]] const char* to_string(CallAnswer::Status status);

/// The bytes of one message, shared by all who send or receive it and read once, by whoever first
/// asks what they say: a message goes to many, waits for its signatures, and is looked at by
/// checkers. What it says is always read from the bytes; it is never the value that a sender in the
/// same process had encoded. One thread at a time may ask.
class WireMessage {
public:
    WireMessage() = default;
    explicit WireMessage(Bytes bytes) : body_{std::make_shared<Body>(std::move(bytes))} {}
    WireMessage(SharedBytes bytes)  // NOLINT(google-explicit-constructor): the same thing
        : body_{std::make_shared<Body>(std::move(bytes))} {}

    [[nodiscard]] const Bytes& operator*() const { return *body_->bytes; }
    [[nodiscard]] const Bytes* operator->() const { return body_->bytes; }
    operator SharedBytes() const {  // NOLINT(google-explicit-constructor): the same thing
        return body_ == nullptr ? nullptr : SharedBytes{body_, body_->bytes};
    }
    /// decode_message() of the bytes.
    [[nodiscard]] const Result<Message>& decoded() const;
    /// The same, to be kept. Requires: decoded() is a message.
    [[nodiscard]] std::shared_ptr<const Message> message() const { return {body_, &**body_->said}; }
    /// True for copies of one object.
    [[nodiscard]] bool same(const WireMessage& other) const { return body_ == other.body_; }

private:
    struct Body {
        explicit Body(Bytes from) : own{std::move(from)}, bytes{&own} {}
        explicit Body(SharedBytes from) : held{std::move(from)}, bytes{held.get()} {}
        Body(const Body&) = delete;
        Body& operator=(const Body&) = delete;
        ~Body() = default;

        Bytes own;
        SharedBytes held;
        const Bytes* bytes;  ///< One of the two.
        std::unique_ptr<const Result<Message>> said;
    };
    std::shared_ptr<Body> body_;
};

[[nodiscard]] WireMessage encode_message(const Message& message);
[[nodiscard]] Result<Message> decode_message(ByteView bytes);

}  // namespace creto
