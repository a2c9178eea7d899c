// Court: recorded calls, disputes, reputation and exclusions, as agreed by the final order.
//
// Why      Whoever lies in a verified call is named by everybody in the same words; nobody can be
//          framed by whoever chose the panel.
// Holds    [COURT-FRAME.1] A receipt's own majority changes no reputation; only a decided dispute
//          does. [COURT-PROOF.1] Only evidence that contradicts() excludes, at once and for good.
//          [COURT-CLOSE.1] A proven fork closes its lane, also of an agent that is excluded already.
//          Decisions are taken at the end of a block, so that all answers in it count.
//          [DISPUTE-DRAWN.1] A panel is drawn by the block after the one that opened the dispute.
// Errors   The reason why an operation is void.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "model/genesis.hpp"
#include "model/notice.hpp"
#include "state/dispute.hpp"
#include "state/exclusion.hpp"
#include "state/merkle_map.hpp"
#include "state/reputation.hpp"
#include "state/state_limits.hpp"
#include "state/verdict.hpp"

namespace creto {

/// Why an operation has no effect; for people.
using Void = std::string;

[[nodiscard]] inline tl::unexpected<Void> void_because(std::string reason) {
    return tl::unexpected<Void>(std::move(reason));
}

/// An open dispute, as its panel needs it.
struct OpenDispute {
    CallId call;
    DisputeOpening opening;
    std::vector<AgentId> panel;  ///< Those on probation included; ascending.
    Height opened;
};

class Court {
public:
    /// Whose answers count from now on. `roster` outlives this, or the next call.
    void set_roster(const Roster& roster) { roster_ = &roster; }
    /// `roster` outlives this.
    Court(const Roster& roster, const StateLimits& most) : roster_{&roster}, most_{most} {}

    /// What one block brought, for watchers and for the panel.
    struct Session {
        Height height;
        BlockId block;
        Digest beacon;  ///< Of the block's epoch.
        std::vector<Notice> notices;
        std::vector<OpenDispute> opened;
    };

    [[nodiscard]] Result<void, Void> offer(
        const OfferOperation& operation, const Member& member, MerkleMap& map
    );
    [[nodiscard]] Result<void, Void> record(
        const CallRecordOperation& operation,
        const AgentId& client,
        MerkleMap& map,
        Session& session
    );
    [[nodiscard]] Result<void, Void> answer(
        const DisputeAnswerOperation& operation, const AgentId& client
    );
    [[nodiscard]] Result<void, Void> prove(
        const EvidenceOperation& operation, const OperationId& id, MerkleMap& map, Session& session
    );
    /// The lane of a seat that has ended: as a forked one, without blame. [COURT-CLOSE.1]
    void close_lane(const LaneId& lane, Height height, MerkleMap& map);
    /// Decides what can be decided and ends what took too long.
    void end_block(MerkleMap& map, Session& session);

    [[nodiscard]] const Reputation& reputation(const AgentId& agent) const;
    [[nodiscard]] const Exclusion* exclusion(const AgentId& agent) const;
    [[nodiscard]] bool excluded(const AgentId& agent) const { return exclusion(agent) != nullptr; }
    [[nodiscard]] const std::map<AgentId, Exclusion>& exclusions() const { return exclusions_; }
    /// Lanes that were proven to fork, or whose seat has ended, each with the height whose execution
    /// closed it: from then on no vertex of theirs is covered, and no reference to them holds anybody
    /// up. [COURT-CLOSE.1]
    [[nodiscard]] const std::map<LaneId, Height>& closed_lanes() const { return closed_; }
    [[nodiscard]] const Verdict* verdict(const CallId& call) const;
    /// The latest `count`, oldest first.
    [[nodiscard]] std::vector<const Verdict*> verdicts(std::size_t count) const;
    [[nodiscard]] std::vector<Seat> offers(const ContractId& contract) const;
    [[nodiscard]] std::vector<OpenDispute> open_disputes() const;

    /// Rebuilds everything from the leaves of a snapshot.
    [[nodiscard]] Result<void> restore(const MerkleMap& map);

private:
    struct Decided {
        AnswerKind kind = AnswerKind::result;
        Digest result;
        std::vector<AgentId> agreeing;
    };

    [[nodiscard]] bool counts(const AgentId& agent) const;
    [[nodiscard]] Verdict judge(const QuorumReceipt& receipt, const CallId& call) const;
    [[nodiscard]] Result<void, Void> check_opening(const CallRecordOperation& operation) const;
    void open(
        const CallRecordOperation& operation, const CallId& call, MerkleMap& map, Session& session
    );
    /// Who is asked, as far as that can be said when the dispute is opened. False: no panel could decide
    /// it.
    [[nodiscard]] bool seat_panel(
        Dispute& dispute, const std::map<Seat, Epoch>& offered, Epoch before
    ) const;
    void draw(Dispute& dispute, MerkleMap& map, Session& session);
    [[nodiscard]] std::optional<Decided> decision(const Dispute& dispute) const;
    void close(const Dispute& dispute, const Decided& decided, MerkleMap& map, Session& session);
    void rate(
        const AgentId& agent, bool agreed, const CallId& call, MerkleMap& map, Session& session
    );
    void keep(Verdict verdict, MerkleMap& map);
    void exclude(Exclusion exclusion, MerkleMap& map);

    const Roster* roster_;
    StateLimits most_;
    /// By id, ascending; since which epoch each is offered without a break.
    std::map<Seat, std::map<ContractId, Epoch>> offers_;
    std::map<ContractId, std::map<Seat, Epoch>> offered_by_;
    std::map<AgentId, Reputation> reputations_;  ///< Members of the roster only.
    Reputation start_;                           ///< Of everyone else.
    std::map<AgentId, Exclusion> exclusions_;
    std::map<LaneId, Height> closed_;
    std::map<CallId, Verdict> verdicts_;
    std::set<std::pair<Height, CallId>> recorded_;  ///< The order in which verdicts are dropped.
    std::map<CallId, Dispute> disputes_;
    std::set<CallId> touched_;  ///< Disputes that this block changed.
};

}  // namespace creto
