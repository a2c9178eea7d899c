// Operation: one thing that a client wants agreed or spread.
//
// Why      Everything agreed is a state machine over operations in the final order; everything
//          available in a partition is a CRDT over the same operations in causal order.
// Holds    id = H(chain, client, counter, expiry, body): submitting twice is one operation. The
//          state keeps ids until their expiry height, so each is executed at most once. Operations
//          of the lane's own key are covered by the vertex's signature; all others carry their own.
// Units    expiry is a height, at most limits::expiry_blocks_max above the block that covers it.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "base/boxed.hpp"
#include "model/call.hpp"
#include "model/evidence.hpp"
#include "model/ids.hpp"
#include "model/parameters.hpp"

namespace creto {

/// Opaque bytes in the final log.
struct DataOperation {
    Bytes payload;
    friend bool operator==(const DataOperation&, const DataOperation&) = default;
};

/// A write of one key under `final/`, applied in the final order.
struct KeyOperation {
    enum class Action : std::uint8_t { set, add, remove };
    Action action = Action::set;
    std::string key;
    Bytes value;              ///< For set.
    std::int64_t amount = 0;  ///< For add: the key holds a decimal number; saturates.
    friend bool operator==(const KeyOperation&, const KeyOperation&) = default;
};

/// One operation of a lane, named from outside: where a CRDT value came from.
struct Dot {
    LaneId lane;
    Sequence sequence;
    std::uint32_t index = 0;   ///< Place of the operation in its vertex.
    std::uint64_t vertex = 0;  ///< First 8 bytes of the vertex id: tells forks apart.
    friend bool operator==(const Dot&, const Dot&) = default;
    friend auto operator<=>(const Dot&, const Dot&) = default;
};

/// What a place of the causal data holds. Kinds live side by side (docs/decisions/0022).
enum class CrdtKind : std::uint8_t {
    counter,
    values,  ///< A register that keeps concurrent values.
    last,    ///< A register of which the last write is read.
    set,
    list,
};

/// A write of one place of the causal data: a key under `causal/`, or a field of the map below it.
struct CrdtOperation {
    enum class Action : std::uint8_t {
        counter_add,
        register_set,
        register_clear,
        counter_clear,
        last_set,
        last_clear,
        set_add,
        set_remove,
        list_append,
    };
    Action action = Action::counter_add;
    std::string key;
    std::int64_t amount = 0;    ///< For counter_add; sums wrap modulo 2^64, the same everywhere.
    Bytes value;                ///< What is set or appended; the element of a set.
    std::vector<Dot> observed;  ///< By lane: the other lanes' values that this write replaces.
    std::vector<std::string> path;  ///< The fields from the key to the place; none: the key itself.
    std::uint64_t share = 0;        ///< For counter_add: what this lane's adds came to before it.
    friend bool operator==(const CrdtOperation&, const CrdtOperation&) = default;
};

[[nodiscard]] CrdtKind kind_of(CrdtOperation::Action action);
/// "counter", "values", "last", "set", "list".
[[nodiscard]] const char* to_string(CrdtKind kind);
/// It takes away what was observed, and puts nothing there.
[[nodiscard]] bool removes(CrdtOperation::Action action);

/// The contracts that the lane's seat offers from now on; replaces its earlier list.
struct OfferOperation {
    std::vector<ContractSummary> contracts;
    friend bool operator==(const OfferOperation&, const OfferOperation&) = default;
};

/// What a dispute reveals, so that every seat that offers the contract can answer again.
struct DisputeOpening {
    std::string tool;
    ContractSummary contract;
    Salt salt{};
    std::string arguments;  ///< Canonical JSON.
    friend bool operator==(const DisputeOpening&, const DisputeOpening&) = default;
};

/// A verified call for the record. With an opening it asks the seats to decide a dissent.
struct CallRecordOperation {
    Boxed<QuorumReceipt> receipt;
    std::optional<Boxed<DisputeOpening>> opening;
    friend bool operator==(const CallRecordOperation&, const CallRecordOperation&) = default;
};

/// A seat's own answer in an open dispute, signed by being in its lane.
struct DisputeAnswerOperation {
    CallId call;
    AnswerKind kind = AnswerKind::result;
    Digest result;  ///< Salted with the dispute's salt.
    friend bool operator==(const DisputeAnswerOperation&, const DisputeAnswerOperation&) = default;
};

/// Proof that a key signed two statements that no correct agent signs together.
struct EvidenceOperation {
    Boxed<Evidence> evidence;
    friend bool operator==(const EvidenceOperation&, const EvidenceOperation&) = default;
};

/// An operator of the genesis wants a change of the roster, or of a parameter.
struct Approval {
    std::uint8_t who = 0;  ///< Its place among the genesis' operators.
    Signature signature;   ///< Over approval_bytes().
    friend bool operator==(const Approval&, const Approval&) = default;
};

/// A change of the roster, or of a parameter that comes with it. It takes effect once a quorum of the
/// seats has asked for the same, when the seat that it is about asks for it itself, or at once where
/// enough operators of the genesis have signed it; in force from the epoch after the next on.
struct RosterOperation {
    enum class Action : std::uint8_t {
        add,      ///< `key` gets a seat, under `name`.
        remove,   ///< `seat` ends.
        replace,  ///< `seat` ends and `key` gets another one.
        set,      ///< A parameter gets another value. [PARAM-AUTHORITY.1]
    };
    Action action = Action::add;
    Seat seat;         ///< For remove and replace.
    PublicKey key{};   ///< For add and replace.
    std::string name;  ///< For add; for replace, empty: the name that the seat had.
    /// For add and replace: `key` signs possession_bytes(), so nobody seats a key that he does not
    /// hold. [SEAT-POSSESSION.1]
    std::optional<Signature> possession;
    std::vector<Approval> approvals;  ///< By `who`, ascending.
    ParameterChange parameter = {};   ///< For set.
    friend bool operator==(const RosterOperation&, const RosterOperation&) = default;
};

/// A seat's node has lost its disk, or runs from an old copy, and must not write its lane any more.
/// Signed by the seat's key it travels in another seat's lane; it closes the lane and opens the next.
struct LaneResetOperation {
    Incarnation opens;  ///< One more than that of the lane that it closes.
    Digest life;        ///< Drawn by the life of the node that asks: it alone writes the new lane.
    friend bool operator==(const LaneResetOperation&, const LaneResetOperation&) = default;
};

/// This seat binds itself to a secret, before anybody's is known. In its own lane only.
struct BeaconCommitOperation {
    Epoch feeds;  ///< Whose beacon: the epoch after the next.
    Digest commitment;
    friend bool operator==(const BeaconCommitOperation&, const BeaconCommitOperation&) = default;
};

/// The secret, when nobody can commit any more. In the seat's own lane only.
struct BeaconRevealOperation {
    Epoch feeds;  ///< The next epoch.
    Digest secret;
    friend bool operator==(const BeaconRevealOperation&, const BeaconRevealOperation&) = default;
};

/// A seat's agent says that it is there. Who goes missing says it in its own lane before it is set aside;
/// a dormant seat's, in another's lane: it votes again from the epoch after the next on.
struct PresenceOperation {
    Epoch dormant_since;  ///< The first epoch of what it ends; 0: the seat is not dormant.
    friend bool operator==(const PresenceOperation&, const PresenceOperation&) = default;
};

using OperationBody = std::variant<
    DataOperation,
    KeyOperation,
    CrdtOperation,
    OfferOperation,
    CallRecordOperation,
    DisputeAnswerOperation,
    EvidenceOperation,
    RosterOperation,
    LaneResetOperation,
    BeaconCommitOperation,
    BeaconRevealOperation,
    PresenceOperation>;

struct Operation {
    AgentId client;
    std::uint64_t counter = 0;  ///< The client's own, never twice.
    Height expiry;
    OperationBody body;
    std::optional<Signature>
        signature;  ///< None: covered by the signature of the client's own lane.

    [[nodiscard]] OperationId id(const ChainId& chain) const;
    friend bool operator==(const Operation&, const Operation&) = default;
};

/// "data", "key", "crdt", …: for logs and JSON.
[[nodiscard]] const char* kind_name(const OperationBody& body);

/// Bounds that hold for every operation whatever the state: sizes, key prefixes, list order, and that
/// causal writes are unsigned, since they name what their own lane had seen. [CRDT-OWN.1]
[[nodiscard]] Result<void> well_formed(const Operation& operation);

/// What the client signs when the operation travels in another's lane; all of it but the signature.
[[nodiscard]] Bytes signing_bytes(const Operation& operation);

/// What a key signs (SignDomain::grant) to have a seat, under this name.
[[nodiscard]] Bytes possession_bytes(const PublicKey& key, const std::string& name);
/// What is wanted, whoever wants it: action, seat, key and name, or the parameter's change. Operators
/// sign it (SignDomain::approval).
[[nodiscard]] Bytes approval_bytes(const RosterOperation& change);

/// What a seat's key commits to for one epoch of one chain. It binds the key, so that nobody commits to
/// another's secret. [BEACON-COMMIT.1]
[[nodiscard]] Digest beacon_commitment(
    const ChainId& chain, Epoch feeds, const PublicKey& key, const Digest& secret
);
/// A commitment or a reveal: nothing that anybody asked for.
[[nodiscard]] bool feeds_beacon(const OperationBody& body);

/// Over the signing bytes: what the id and the vertex's root are made of, so that an operation's
/// bytes are hashed once.
[[nodiscard]] Digest content_digest(ByteView signing_bytes);
[[nodiscard]] OperationId operation_id(const ChainId& chain, const Digest& content);
/// The operation's place in the vertex's root: not even a client's signature can be changed.
[[nodiscard]] Digest operation_leaf(
    const Digest& content, const std::optional<Signature>& signature
);

void encode(Writer& w, const Dot& v);
void decode(Reader& r, Dot& v);
void encode(Writer& w, const Approval& v);
void decode(Reader& r, Approval& v);
void encode(Writer& w, const RosterOperation& v);
void decode(Reader& r, RosterOperation& v);
void encode(Writer& w, const DisputeOpening& v);
void decode(Reader& r, DisputeOpening& v);
void encode(Writer& w, const Operation& v);
void decode(Reader& r, Operation& v);

}  // namespace creto
