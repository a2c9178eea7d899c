// World: what all seats of a search share: keys, lanes, and every block and vote content that exists.
//
// Why      A search copies seats by the thousand; what never changes is kept once and named by a
//          small number.
// Holds    Numbers are given in the order of first use and never change. Lanes never run dry and
//          every seat holds them, so a leader always has something to propose and possession is
//          never what a vote waits for. Who votes in an epoch, its quorum and its leaders are counted
//          here with arithmetic of its own: what the seats do is held against it.
#pragma once

#include <string>

#include "model/rosters.hpp"
#include "order/core.hpp"
#include "order/testing/fake_lanes.hpp"
#include "order/testing/seats.hpp"

namespace creto::model_check {

using simplex::testing::Index;

/// What becomes of the roster from epoch 3 on: the first that the agreed state can decide. [ORD-L12.2]
enum class Change : std::uint8_t { none, added, left, replaced, dormant };
[[nodiscard]] const char* to_string(Change change);

struct WorldOptions {
    Index seats = 4;  ///< In epochs 1 and 2.
    std::uint32_t term_views = 1;
    std::uint32_t epoch_blocks = 0;  ///< 0: one epoch without end.
    Change change = Change::none;
    Index who = 3;  ///< Leaves, is replaced, or is set aside. A new one comes last.
    QuorumMode mode = QuorumMode::byzantine;
};

/// How the liar makes a block; each is another one.
enum class Forgery : std::uint8_t {
    covers,          ///< One more vertex.
    empty,           ///< Nothing; on a boundary, an echo as it should be.
    other_roster,    ///< It ends the epoch and names another roster than the agreed one.
    no_roster,       ///< It ends the epoch and names none.
    covering_echo,   ///< An echo that orders something.
    beyond_the_end,  ///< No echo, but one more height of an epoch that is over.
};

struct KnownBlock {
    Proposal proposal;
    BlockId id;
    simplex::BranchTip tip;  ///< After it; without a cut when it continues no known branch.
    std::uint32_t parent = 0;
    bool forged = false;  ///< Made by the liar, whom the search lets speak at any time.

    [[nodiscard]] Epoch epoch() const { return proposal.block.epoch; }
    [[nodiscard]] View view() const { return proposal.block.view; }
};

class World {
public:
    explicit World(Index n = 4, std::uint32_t term_views = 1)
        : World{WorldOptions{.seats = n, .term_views = term_views}} {}
    explicit World(const WorldOptions& options);
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    [[nodiscard]] const Roster& roster() const { return seats.roster; }
    [[nodiscard]] const Roster& roster(Epoch epoch) const { return *known_.back()->of(epoch); }
    [[nodiscard]] bool has_epochs() const { return options_.epoch_blocks > 0; }
    /// What is known once the state says who votes in this epoch; none with one epoch without end.
    [[nodiscard]] const Rosters* rosters(Epoch highest) const;
    /// The last epoch whose roster anybody comes to know.
    [[nodiscard]] Epoch last_epoch() const { return Epoch{has_epochs() ? epochs_known : 1U}; }
    /// All that vote in any epoch.
    [[nodiscard]] Index people() const;
    [[nodiscard]] Index person(Seat seat) const;
    /// Who votes, a bit for each.
    [[nodiscard]] std::uint32_t members(Epoch epoch) const;
    [[nodiscard]] std::uint32_t quorum(Epoch epoch) const;
    [[nodiscard]] Index leader(Epoch epoch, View view) const;
    [[nodiscard]] Epoch epoch_at(Height height) const;
    [[nodiscard]] bool ends_epoch(Height height) const;

    /// The block's number. Number 0 is genesis.
    std::uint32_t number(const Proposal& proposal, bool forged = false);
    [[nodiscard]] std::uint32_t number_of(const BlockId& id) const { return block_numbers_.at(id); }
    [[nodiscard]] bool knows(const BlockId& id) const { return block_numbers_.contains(id); }
    std::uint32_t number(const VoteContent& content);
    [[nodiscard]] const KnownBlock& block(std::uint32_t i) const { return blocks_[i]; }
    [[nodiscard]] const VoteContent& content(std::uint32_t i) const { return contents_[i]; }
    [[nodiscard]] std::uint32_t block_count() const {
        return static_cast<std::uint32_t>(blocks_.size());
    }
    [[nodiscard]] std::uint32_t content_count() const {
        return static_cast<std::uint32_t>(contents_.size());
    }
    [[nodiscard]] const std::vector<BlockId>& block_ids() const { return ids_; }
    /// What ended an epoch, as whatever begins the next one takes it; genesis is one.
    [[nodiscard]] bool is_boundary(std::uint32_t block) const;
    /// Why a block is none of its epoch; empty: it is.
    [[nodiscard]] std::string flaw(const Block& block) const;
    /// A block of the liar's on a known one; none where this forgery makes no sense.
    std::optional<std::uint32_t> forge(
        Index liar, Epoch epoch, View view, std::uint32_t parent, Forgery forgery
    );
    /// The first view of the term of a view.
    [[nodiscard]] View term_begin(View view) const {
        return View{view.value() - (view.value() - 1) % options_.term_views};
    }
    /// Votes by those of a mask, whether they vote in its epoch or not.
    [[nodiscard]] std::vector<Vote> votes(std::uint32_t content, std::uint32_t mask) const;
    /// With the places that its signers have in the roster of its epoch or, if one of them has none
    /// there, in the newest roster of another epoch in which all of them have.
    [[nodiscard]] Certificate certificate(std::uint32_t content, std::uint32_t mask) const;
    /// True when there is such an epoch.
    [[nodiscard]] bool can_sign_together(std::uint32_t mask) const;
    /// The blocks of an epoch up to the one that this content finalises, with that as proof.
    [[nodiscard]] ChainAnswer chain(std::uint32_t content, std::uint32_t mask) const;
    [[nodiscard]] std::string text(std::uint32_t content) const;
    [[nodiscard]] std::string block_text(std::uint32_t block) const;

    simplex::testing::Seats seats;
    simplex::testing::FakeLanes lanes;
    SilentLog log;
    OrderingOptions options;

private:
    static constexpr std::uint64_t epochs_known = 8;

    [[nodiscard]] Seating seating() const;
    /// What a block of this epoch continues when it stands on a known block.
    [[nodiscard]] simplex::BranchTip tip_for(std::uint32_t parent, Epoch epoch) const;

    WorldOptions options_;
    /// What is known at the end of epoch 0 or 1, of 2, of 3, and so on.
    std::vector<std::unique_ptr<Rosters>> known_;
    std::vector<KnownBlock> blocks_;
    std::vector<BlockId> ids_;
    std::map<BlockId, std::uint32_t> block_numbers_;
    std::vector<VoteContent> contents_;
    std::map<VoteContent, std::uint32_t> content_numbers_;
};

}  // namespace creto::model_check
