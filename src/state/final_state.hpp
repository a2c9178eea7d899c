// FinalState: everything agreed, as a state machine over the final order.
//
// Why      Same blocks, same state, at every node: keys, causal base, offers, verdicts, reputation,
//          exclusions, and which operations were executed.
// Holds    [STATE-ONCE.1] An operation is executed at most once. [STATE-ROOT.1] The root depends on
//          the content only. apply() never fails: an operation that may not be is void, with a
//          reason. Signatures were checked when the vertices were stored (model/vertex_checks.hpp).
// Leaves   seat/N, seats/asked/DIGEST, parameter/NAME, guests/HEIGHT, standing/..., lane/N, beacon/..., final/K, causal/SLOT,
//          removed/DOT-SLOT, offer/SEAT, verdict/CALL, dispute/CALL, reputation/AGENT,
//          excluded/AGENT, closed/LANE, executed/HEIGHT, header.
// Cost     About 1 us for an operation of 256 bytes, most of it the hash of its id.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/block.hpp"
#include "model/notice.hpp"
#include "model/vertex.hpp"
#include "state/beacon.hpp"
#include "state/causal_base.hpp"
#include "state/court.hpp"
#include "state/guest_book.hpp"
#include "state/lane_book.hpp"
#include "state/merkle_map.hpp"
#include "state/operation_ids.hpp"
#include "state/seat_book.hpp"
#include "state/standing.hpp"

namespace creto {

class FinalState {
public:
    /// The state at genesis, height 0. `roster` outlives this.
    explicit FinalState(const Roster& roster, const StateLimits& most = {});

    struct OperationResult {
        OperationId id;
        AgentId client;
        bool applied = false;
        /// False for a copy that says nothing about the operation: one that is already final, one
        /// that its client did not authorise here, one outside its expiry, one that another seat may
        /// bring.
        bool counted = true;
        std::string reason;      ///< Why it is void; empty when applied.
        bool elsewhere = false;  ///< It may still take effect, brought by another seat.
    };
    struct Applied {
        ExecutedMark mark;
        std::vector<OperationResult> operations;  ///< In the final order.
        std::vector<Notice> notices;              ///< VerdictReached, Excluded, Suspended.
        std::vector<OpenDispute> opened;          ///< Answer them if you are on the panel.
    };
    struct Counts {
        std::uint64_t vertices = 0;
        std::uint64_t applied = 0;
        std::uint64_t void_operations = 0;
        std::uint64_t data = 0;        ///< Applied data operations.
        std::uint64_t data_bytes = 0;  ///< Their payloads.
        friend bool operator==(const Counts&, const Counts&) = default;
    };

    /// Executes one finalised block. Requires: the block's height follows mark().height; `ordered`
    /// are the vertices that it covers newly, in the final order.
    Applied apply(const Block& block, const BlockId& id, const std::vector<VertexPtr>& ordered);

    /// Of the genesis: the chain and its failure model.
    [[nodiscard]] const Roster& roster() const { return *roster_; }
    /// Of the epoch of the latest block; with all the seats that there were when it began.
    [[nodiscard]] const Roster& voters() const { return *voters_; }
    [[nodiscard]] const SeatBook& seats() const { return seats_; }
    [[nodiscard]] const Standing& standing() const { return standing_; }
    [[nodiscard]] const LaneBook& lanes() const { return lanes_; }
    [[nodiscard]] const Beacon& beacon() const { return beacon_; }
    [[nodiscard]] const GuestBook& guests() const { return guests_; }
    /// Who votes and who leads in an epoch whose roster is known, and in which order.
    [[nodiscard]] Seating seating(Epoch epoch) const;
    [[nodiscard]] Height height() const { return marks_.back().height; }
    /// Of the latest height.
    [[nodiscard]] const ExecutedMark& mark() const { return marks_.back(); }
    /// None when the height is in the future or more than limits::marks_kept below.
    [[nodiscard]] std::optional<ExecutedMark> mark_at(Height height) const;
    [[nodiscard]] const Counts& counts() const { return counts_; }

    /// The value of a leaf, such as "final/answer".
    [[nodiscard]] std::optional<Bytes> get(std::string_view key) const;
    /// That the key has its value, or none, under mark().state_root.
    [[nodiscard]] MerkleProof prove(std::string_view key) const;

    /// Where the operation became final. None: not final, or forgotten after its expiry.
    [[nodiscard]] std::optional<OperationState> operation(const OperationId& id) const;
    [[nodiscard]] std::optional<Height> final_at(const OperationId& id) const;

    [[nodiscard]] const Court& court() const { return court_; }
    [[nodiscard]] const CausalBase& causal_base() const { return causal_; }
    [[nodiscard]] const Reputation& reputation(const AgentId& agent) const {
        return court_.reputation(agent);
    }
    [[nodiscard]] bool excluded(const AgentId& agent) const { return court_.excluded(agent); }
    /// Left out of panels and tools until its reputation recovers.
    [[nodiscard]] bool suspended(const AgentId& agent) const {
        return court_.reputation(agent).suspended();
    }
    /// For people: score, counts and reasons of one agent.
    [[nodiscard]] ReputationView reputation_view(const AgentId& agent) const;
    /// The latest `count` verdicts, oldest first.
    [[nodiscard]] std::vector<VerdictView> verdicts(std::size_t count) const;
    /// Seats that offer the contract and are neither excluded nor suspended.
    [[nodiscard]] std::vector<Seat> offers(const ContractId& contract) const {
        return court_.offers(contract);
    }
    [[nodiscard]] std::vector<OpenDispute> open_disputes() const { return court_.open_disputes(); }

    /// Everything, as bytes that restore() turns into an equal state.
    [[nodiscard]] Bytes snapshot() const;
    /// Errors: the bytes are malformed, or do not give the root that `mark` names.
    [[nodiscard]] static Result<FinalState> restore(
        ByteView snapshot,
        const ExecutedMark& mark,
        const Roster& roster,
        const StateLimits& most = {}
    );

private:
    struct Place {
        const Member* owner = nullptr;
        Dot dot;
        std::uint64_t depth = 0;
    };
    struct Outcome {
        bool counted = true;
        std::string reason;  ///< Empty: applied.
        bool elsewhere = false;
    };

    void apply(
        const SealedVertex& vertex, Court::Session& session, std::vector<OperationResult>& results
    );
    [[nodiscard]] Outcome execute(
        const Operation& operation,
        const OperationId& id,
        const Place& place,
        Court::Session& session
    );
    /// Whether the expiry allows an operation that was not seen before.
    [[nodiscard]] Outcome may_be_new(const Operation& operation, Height height) const;
    [[nodiscard]] Result<void, Void> perform(
        const Operation& operation,
        const OperationId& id,
        const Place& place,
        Court::Session& session
    );
    [[nodiscard]] Result<void, Void> write_key(const KeyOperation& operation);
    [[nodiscard]] Result<void, Void> change_roster(
        const RosterOperation& change, const AgentId& client, Court::Session& session
    );
    [[nodiscard]] Result<void, Void> reset_lane(
        const LaneResetOperation& wanted, const AgentId& client, Court::Session& session
    );
    template <class Fed>
    [[nodiscard]] Result<void, Void> feed_beacon(
        const Fed& fed, const AgentId& client, const Place& place
    );
    [[nodiscard]] Result<void, Void> show_presence(
        const PresenceOperation& said, const AgentId& client, Court::Session& session
    );
    void end_seat(const Evidence& evidence, Court::Session& session);
    /// What an agent without a seat may have executed; empty: this. [PARAM-QUOTA.1] [PARAM-SHARE.1]
    [[nodiscard]] GuestBook::Ruling budget(const Operation& operation, const Place& place);
    void enter_epoch(Epoch epoch);
    void end_epoch(const Block& block, std::vector<Notice>& notices);
    void write_header(Height height);
    [[nodiscard]] Result<void> restore_parts(Reader& reader, const ExecutedMark& mark);

    const Roster* roster_;
    std::shared_ptr<const Roster> voters_;  ///< Shared by copies; never changed.
    StateLimits most_;
    MerkleMap map_;
    OperationIds ids_;
    SeatBook seats_;
    Standing standing_;
    LaneBook lanes_;
    Beacon beacon_;
    GuestBook guests_;
    Court court_;
    CausalBase causal_;
    Counts counts_;
    std::size_t final_keys_ = 0;
    std::size_t final_bytes_ = 0;
    std::deque<ExecutedMark> marks_;  ///< Consecutive heights; the latest last.
};

}  // namespace creto
