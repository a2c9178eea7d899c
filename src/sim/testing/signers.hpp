// SignersTest: a few seats whose keys the test holds, for what judges votes from outside a node.
//
// Why      Unlike the seats of order/testing it keeps the genesis, which is all that such judges are
//          given, and numbers seats as they number nodes.
#pragma once

#include <gtest/gtest.h>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/vote.hpp"

namespace creto {

class SignersTest : public testing::Test {
protected:
    void make_seats(std::uint32_t count, QuorumMode mode = QuorumMode::byzantine) {
        signers_.clear();
        genesis_ = {};
        genesis_.network = "test";
        genesis_.mode = mode;
        for (std::uint32_t i = 0; i < count; ++i) {
            std::array<std::uint8_t, 32> seed{};
            seed[0] = static_cast<std::uint8_t>(i + 1);
            signers_.push_back(scheme_.signer(KeySeed{seed}));
            genesis_.members.push_back({Seat{i}, signers_[i]->public_key(), "s" + std::to_string(i)}
            );
        }
        roster_.emplace(genesis_);
    }

    /// On the view before; `block` tells blocks apart, and says nothing of a nullify.
    static VoteContent content(VoteKind kind, std::uint64_t view, std::uint8_t block) {
        VoteContent made{kind, Epoch{1}, View{view}, View{}, BlockId{}};
        if (kind == VoteKind::nullify) return made;
        std::array<std::uint8_t, 32> id{};
        id[0] = block;
        made.parent_view = View{view - 1};
        made.block = BlockId{Digest{id}};
        return made;
    }
    [[nodiscard]] Vote vote(std::uint32_t seat, const VoteContent& what) const {
        const Digest& chain = roster_->chain().value();
        return {
            what, Seat{seat}, signers_[seat]->sign(SignDomain::vote, chain, signing_bytes(what))};
    }
    [[nodiscard]] Certificate certificate(
        const VoteContent& what, std::initializer_list<std::uint32_t> seats
    ) const {
        std::vector<Vote> votes;
        for (const std::uint32_t seat : seats)
            votes.push_back(vote(seat, what));
        return make_certificate(votes, *roster_);
    }

    TagScheme scheme_;
    std::vector<std::unique_ptr<Signer>> signers_;
    Genesis genesis_;
    std::optional<Roster> roster_;
};

}  // namespace creto
