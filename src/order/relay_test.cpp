// Handing on before the check: what, by whom, and who is to blame. [ORD-V1.6]
#include <gtest/gtest.h>
#include <set>

#include "order/testing/blocks.hpp"
#include "order/testing/cluster.hpp"
#include "order/vote_paths.hpp"

namespace creto::simplex::testing {
namespace {

constexpr Index seats = 20;

class HandingOn : public ::testing::Test {
protected:
    HandingOn() : paths{c.roster(), 3} {
        leader = *c.roster().index_of(leader_of(c.roster(), View{1}));
        relay = elsewhere(leader);
        c.start(relay);
        c.connect_all(relay);
    }
    /// A seat of another group that makes no certificates of view 1 itself.
    [[nodiscard]] Index elsewhere(Index member) const {
        const VoteContent said = Seats::content(VoteKind::notarize, 1, 0, block_id("a"));
        const auto roots = paths.roots(said, 0);
        for (Index i = 0; i < seats; ++i) {
            const bool is_root = std::find(roots.begin(), roots.end(), i) != roots.end();
            if (!is_root && paths.group_of(i) != paths.group_of(member)) return i;
        }
        return seats;
    }
    [[nodiscard]] Proposal proposal(const std::string& beacon = "one") const {
        BranchTip genesis = genesis_tip();
        genesis.id = genesis_block_id(c.roster().chain());
        Block made = block_on(genesis, 1);
        made.proposer = c.roster().members()[leader].seat;
        made.cut_root = blake3(as_bytes(beacon));
        return c.sign(made);
    }
    /// To whom it was handed on.
    std::set<AgentId> hand_on(Index from, const Message& message) {
        Effects effects;
        c.ordering(relay).hand_on(c.agent(from), std::make_shared<const Message>(message), effects);
        std::set<AgentId> to;
        for (const Effect& effect : effects.list())
            to.insert(std::get<Send>(effect).to);
        return to;
    }
    [[nodiscard]] std::set<AgentId> group() const {
        std::set<AgentId> all;
        for (const std::uint32_t member : paths.group(paths.group_of(relay)))
            if (member != relay) all.insert(c.agent(member));
        return all;
    }

    Cluster c{{.n = seats, .ordering = {.direct_seats_max = 3}, .vote_form = VoteForm::joined}};
    VotePaths paths;
    Index leader = 0;
    Index relay = 0;
};

TEST_F(HandingOn, AProposalOfItsLeaderOnceAndOfNobodyElse) {
    ASSERT_LT(relay, seats);
    const Index other = (leader + 1) % seats == relay ? (leader + 2) % seats : (leader + 1) % seats;
    EXPECT_TRUE(hand_on(other, proposal()).empty()) << "not its maker";
    EXPECT_EQ(hand_on(leader, proposal()), group());
    EXPECT_TRUE(hand_on(leader, proposal()).empty()) << "again";
    EXPECT_TRUE(hand_on(leader, proposal("two")).empty()) << "another one of this view";
}

TEST_F(HandingOn, ACertificateOfARootOnce) {
    const VoteContent said = Seats::content(VoteKind::notarize, 1, 0, block_id("a"));
    const auto roots = paths.roots(said, 0);
    const auto root = std::find_if(roots.begin(), roots.end(), [&](std::uint32_t member) {
        return paths.group_of(member) != paths.group_of(relay);
    });
    ASSERT_NE(root, roots.end());
    const Message certificate = c.seats().certificate(said);
    for (Index i = 0; i < seats; ++i) {
        const bool is_root = std::find(roots.begin(), roots.end(), i) != roots.end();
        if (is_root || i == relay) continue;
        EXPECT_TRUE(hand_on(i, certificate).empty()) << i;
    }
    EXPECT_EQ(hand_on(*root, certificate), group());
    EXPECT_TRUE(hand_on(*root, certificate).empty()) << "again";
    const VoteContent far = Seats::content(VoteKind::notarize, 40, 0, block_id("a"));
    for (const std::uint32_t member : paths.roots(far, 0))
        EXPECT_TRUE(hand_on(member, c.seats().certificate(far)).empty()) << "of a view far ahead";
}

// Whoever must hand on what it could not check is not dropped for it; whoever made it is.
TEST_F(HandingOn, AWrongSignatureIsHeldAgainstItsMakerAlone) {
    const Message wrong = proposal();
    const auto& said = std::get<Proposal>(wrong).leader_vote().content;
    const auto relays = paths.collectors(said, paths.group_of(relay), 5);
    std::size_t forgiven = 0;
    for (Index i = 0; i < seats; ++i) {
        if (i == relay) continue;
        const bool hands_on = paths.group_of(i) == paths.group_of(relay) &&
                              std::find(relays.begin(), relays.end(), i) != relays.end();
        EXPECT_EQ(c.ordering(relay).forgives(c.agent(i), wrong), hands_on) << i;
        EXPECT_FALSE(c.ordering(relay).forgives(c.agent(i), wrong)) << "a second time";
        forgiven += hands_on ? 1 : 0;
    }
    EXPECT_GT(forgiven, 0U);
    EXPECT_FALSE(c.ordering(relay).forgives(c.agent(leader), wrong));
    EXPECT_FALSE(c.ordering(relay).forgives(c.agent(leader), c.seats().vote(0, Seats::nullify(1))));
}

// A leader that sends a wrong one to everybody makes nobody lose a link but itself.
TEST(HandingOnToAll, WhoeverHandsOnIsForgivenByItsWholeGroup) {
    constexpr Index many = 60;  // So that not all of a group collect.
    Cluster c{{.n = many, .ordering = {.direct_seats_max = 3}, .vote_form = VoteForm::joined}};
    const VotePaths paths{c.roster(), 3};
    for (Index i = 0; i < many; ++i)
        c.start(i);
    for (Index i = 0; i < many; ++i)
        c.connect_all(i);
    const Index leader = *c.roster().index_of(leader_of(c.roster(), View{1}));
    BranchTip genesis = genesis_tip();
    genesis.id = genesis_block_id(c.roster().chain());
    Block block = block_on(genesis, 1);
    block.proposer = c.roster().members()[leader].seat;
    Proposal wrong = c.sign(block);
    wrong.signature = {};
    const auto message = std::make_shared<const Message>(wrong);
    std::size_t quiet = 0;
    std::size_t handed = 0;
    for (Index i = 0; i < many; ++i) {
        if (i == leader) continue;
        Effects effects;
        c.ordering(i).hand_on(c.agent(leader), message, effects);
        quiet += effects.list().empty() ? 1 : 0;
        for (const Effect& effect : effects.list()) {
            const auto to = std::get<Send>(effect).to;
            for (Index j = 0; j < many; ++j) {
                if (c.agent(j) != to) continue;
                EXPECT_TRUE(c.ordering(j).forgives(c.agent(i), *message)) << j << " of " << i;
                ++handed;
            }
        }
    }
    EXPECT_GT(handed, 0U);
    EXPECT_GT(quiet, paths.group(paths.group_of(leader)).size()) << "not all of a group collect";
}

// Who lags behind whoever handed on, or is before it, or has begun another epoch, forgives as well.
TEST_F(HandingOn, WhereAViewStandsHereSaysNothingAboutItsSender) {
    for (const std::uint64_t view : {std::uint64_t{2}, std::uint64_t{60}, limits::view_window}) {
        const VoteContent said = Seats::content(VoteKind::notarize, view, 0, block_id("a"));
        const Message wrong = c.seats().certificate(said);
        const auto roots = paths.roots(said, 0);
        std::size_t forgiven = 0;
        for (const std::uint32_t member : paths.collectors(said, paths.group_of(relay), 5)) {
            if (member == relay || std::find(roots.begin(), roots.end(), member) != roots.end())
                continue;
            EXPECT_TRUE(c.ordering(relay).forgives(c.agent(member), wrong)) << view;
            ++forgiven;
        }
        EXPECT_GT(forgiven, 0U) << view;
    }
    VoteContent earlier = Seats::content(VoteKind::notarize, 1, 0, block_id("a"));
    earlier.epoch = Epoch{0};
    EXPECT_TRUE(c.ordering(relay).forgives(c.agent(leader), c.seats().certificate(earlier)));
}

}  // namespace
}  // namespace creto::simplex::testing
