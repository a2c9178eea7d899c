// World: what all seats of a search share: keys, lanes, and every block and vote content that exists.
//
// Why      A search copies seats by the thousand; what never changes is kept once and named by a
//          small number.
// Holds    Numbers are given in the order of first use and never change. Lanes never run dry and
//          every seat holds them, so a leader always has something to propose and possession is
//          never what a vote waits for.
#pragma once

#include <string>

#include "order/core.hpp"
#include "order/testing/fake_lanes.hpp"
#include "order/testing/seats.hpp"

namespace creto::model_check {

using simplex::testing::Index;

struct KnownBlock {
    Proposal proposal;
    BlockId id;
    simplex::BranchTip tip;  ///< After it; without a cut when it continues no known branch.
    std::uint32_t parent = 0;
    bool forged = false;  ///< Made by the liar, whom the search lets speak at any time.
};

class World {
public:
    explicit World(Index n = 4, std::uint32_t term_views = 1);
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    [[nodiscard]] const Roster& roster() const { return seats.roster; }
    /// The block's number. Number 0 is genesis.
    std::uint32_t number(const Proposal& proposal, bool forged = false);
    [[nodiscard]] std::uint32_t number_of(const BlockId& id) const { return block_numbers_.at(id); }
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
    /// A block of the liar's on a known one, that covers one more vertex, or none.
    std::uint32_t forge(Index liar, View view, std::uint32_t parent, bool covers);
    [[nodiscard]] Index leader(View view) const {
        return static_cast<Index>((view.value() - 1) / term_views_ % seats.roster.size());
    }
    /// The first view of the term of a view.
    [[nodiscard]] View term_begin(View view) const {
        return View{view.value() - (view.value() - 1) % term_views_};
    }
    /// Certificates and votes by the members of a mask.
    [[nodiscard]] std::vector<Vote> votes(std::uint32_t content, std::uint32_t mask) const;
    [[nodiscard]] std::string text(std::uint32_t content) const;
    [[nodiscard]] std::string block_text(std::uint32_t block) const;

    simplex::testing::Seats seats;
    simplex::testing::FakeLanes lanes;
    SilentLog log;
    OrderingOptions options;

private:
    std::uint64_t term_views_;
    std::vector<KnownBlock> blocks_;
    std::vector<BlockId> ids_;
    std::map<BlockId, std::uint32_t> block_numbers_;
    std::vector<VoteContent> contents_;
    std::map<VoteContent, std::uint32_t> content_numbers_;
};

}  // namespace creto::model_check
