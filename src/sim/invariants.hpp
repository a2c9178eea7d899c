// Invariants: watches what nodes say and finalise, and names the first broken promise.
//
// Why      A simulation proves nothing by not crashing. This sees public outputs only (messages,
//          finalised blocks, disks) and restates the rules in its own words and arithmetic.
// Holds    Checked while the run goes on; after the first violation nothing is looked at any more:
//          agreement     One block, order digest and state root at a height, on all honest nodes.
//          prefix        A node finalises heights in order without gaps, each on its parent; after
//                        a restart it may repeat what it had, not skip. It may take a state over at
//                        a checkpoint, which is the agreed one there, and go on above.
//          single-vote   An honest seat signs one content for each (epoch, view, kind), for the
//                        life of its key, restarts included; never Finalize and Nullify of a view.
//          durable-vote  A vote is in the durable part of the vote log before it is sent.
//          certificate   What an honest node hands on as a certificate has a quorum of distinct
//                        signers of the roster, and their signatures hold.
//          one-outcome   No view has certificates for two blocks, nor a finalisation and a
//                        nullification.
//          justification Who notarizes on a parent below view v - 1 can prove the views between
//                        dead: so many honest seats nullified each that with the liars they are a
//                        quorum. So a seat leaves what it voted to finalize only for a reason.
//          epoch         A block is of the epoch of its height; without epochs all is of the first.
//          roster        Honest nodes that are in an epoch agree on who votes in it.
//          monotonic     In one life a node's view and final height, as it tells them, never fall.
//          evidence      A proof that an honest node hands on is about a liar.
//          proof         It convinces a third party that has the genesis only (third_party.hpp).
//          With expect_split(), for runs with more liars than the quorum tolerates, honest nodes
//          may come to differ: agreement, prefix, one-outcome and justification are then noted in
//          split() and end nothing.
// Cost     O(1) for a finalised block; for a message that was seen, nothing; for a new vote about
//          1 us.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "crypto/signature.hpp"
#include "link/node_pair.hpp"
#include "model/message.hpp"
#include "model/notice.hpp"
#include "sim/disk.hpp"

namespace creto {

struct Violation {
    std::string checker;
    std::string text;
    NodeIndex node;
    Instant at;
};

/// What was checked, so that a run in which nothing happened is not mistaken for a good one.
struct InvariantCounts {
    std::uint64_t finalizations = 0;  ///< Over all honest nodes.
    std::uint64_t heights = 0;
    std::uint64_t votes = 0;
    std::uint64_t certificates = 0;
    std::uint64_t nullified_views = 0;
    friend bool operator==(const InvariantCounts&, const InvariantCounts&) = default;
};

class Invariants {
public:
    /// `scheme` outlives it. `seats` says which seat a node holds, by index.
    Invariants(
        const Genesis& genesis,
        const SignatureScheme& scheme,
        std::vector<std::optional<Seat>> seats
    );

    /// More seats lie than the quorum tolerates: that nodes come to differ ends nothing.
    void expect_split() { expects_split_ = true; }
    /// The first sign that honest nodes differ, in a run that expects it.
    [[nodiscard]] const std::optional<Violation>& split() const { return split_; }
    /// Whom honest nodes accused with proofs that a third party accepts.
    [[nodiscard]] const std::set<AgentId>& proven() const { return proven_; }

    /// The node may lie from now on: nothing that it says is held against the protocol.
    void set_byzantine(NodeIndex node);
    /// Its tools lie while the node keeps to the rules: a proof of two answers names it rightly.
    void set_lying_provider(NodeIndex node) { is_lying_provider_.at(node.value()) = true; }
    [[nodiscard]] bool is_byzantine(NodeIndex node) const { return is_byzantine_[node.value()]; }

    /// The node starts again, with whatever its disk kept.
    void on_restart(NodeIndex node);
    void on_finalized(NodeIndex node, const Finalized& finalized, Instant now);
    void on_adopted(NodeIndex node, const Adopted& adopted, Instant now);
    void on_epoch(NodeIndex node, const EpochBegun& begun, Instant now);
    /// The node hands a message to the network now; called once for each time it leaves.
    void on_sent(NodeIndex node, const WireMessage& message, const SimDisk& disk, Instant now);
    /// For promises that the host itself checks.
    void violate(std::string checker, std::string text, NodeIndex node, Instant now);

    [[nodiscard]] const std::optional<Violation>& violation() const { return violation_; }
    [[nodiscard]] const InvariantCounts& counts() const { return counts_; }
    /// The state root after the height, as honest nodes agree on it; none if nobody was there.
    [[nodiscard]] std::optional<Digest> state_root(Height height) const {
        if (height == Height{} || height.value() > canon_.size()) return std::nullopt;
        return canon_[static_cast<std::size_t>(height.value() - 1)].state_root;
    }
    /// The greatest height that the node finalised in its present life.
    [[nodiscard]] Height finalized(NodeIndex node) const { return tips_[node.value()].height; }

private:
    /// Views below the newest by so many are forgotten, to bound the memory of long runs.
    static constexpr std::uint64_t views_kept = 100'000;
    static constexpr std::size_t blocks_kept = 64;
    static constexpr std::size_t kinds = 3;

    struct Canon {
        BlockId id;
        Digest order_digest;
        Digest state_root;
    };
    struct Tip {
        Height height;      ///< In this life.
        Height height_max;  ///< Over all lives.
        bool is_fresh = true;
    };
    /// What one seat signed in one view, by kind.
    struct SignedVotes {
        std::array<std::optional<VoteContent>, kinds> said;
    };
    struct ViewOutcome {
        std::optional<BlockId> notarized;
        std::optional<BlockId> finalized;
        bool is_nullified = false;
    };
    using ViewKey = std::pair<Epoch, View>;

    [[nodiscard]] bool names_its_block(const Finalized& finalized, std::size_t index) const;
    void on_own_vote(NodeIndex node, const Vote& vote, const SimDisk& disk, Instant now);
    void on_certificate(NodeIndex node, const Certificate& certificate, Instant now);
    [[nodiscard]] bool signatures_hold(const Certificate& certificate) const;
    [[nodiscard]] bool is_enough(const Certificate& certificate, std::size_t signers) const;
    [[nodiscard]] const std::vector<Member>& voters_in(Epoch epoch) const;
    [[nodiscard]] std::uint32_t dormant_in(Epoch epoch) const;
    [[nodiscard]] std::uint64_t term_in(Epoch epoch) const;
    [[nodiscard]] bool is_quorum(std::uint32_t count, Epoch epoch) const;
    [[nodiscard]] bool is_given_up(const ViewKey& key) const;
    [[nodiscard]] bool is_justified(const VoteContent& content) const;
    [[nodiscard]] bool is_buried_rightly(const VoteContent& content) const;
    void on_status(NodeIndex node, const OrderStatus& status, Instant now);
    void on_evidence(NodeIndex node, const Evidence& evidence, Instant now);
    /// What a run with too many liars may show.
    void differ(std::string checker, std::string text, NodeIndex node, Instant now);
    void forget_old_views();

    Genesis genesis_;
    Roster roster_;
    const SignatureScheme& scheme_;
    std::vector<std::optional<Seat>> seats_;  ///< A node has one seat at most, for ever.
    struct Voters {
        std::vector<Member> members;
        std::uint32_t dormant = 0;
        Parameters parameters;
        friend bool operator==(const Voters&, const Voters&) = default;
    };
    std::map<Epoch, Voters> voters_;  ///< As the first honest node in it said.
    std::vector<bool> is_byzantine_;
    std::vector<bool> is_lying_provider_;
    std::vector<Tip> tips_;
    std::vector<WireMessage> last_sent_;  ///< Sent to many: looked at once.
    std::vector<OrderStatus> last_told_;  ///< In this life.
    std::vector<Canon> canon_;            ///< By height, from 1.
    std::deque<Block> recent_;            ///< The blocks of the last heights of canon_.
    std::map<ViewKey, std::vector<SignedVotes>> votes_;  ///< By the seat's place among the voters.
    std::map<ViewKey, ViewOutcome> outcomes_;
    std::set<AgentId> proven_;
    std::optional<Violation> violation_;
    std::optional<Violation> split_;
    bool expects_split_ = false;
    InvariantCounts counts_;
};

}  // namespace creto
