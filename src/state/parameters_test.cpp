// Parameters in the agreed state: who changes them, when that is in force, and what proves it.
#include <gtest/gtest.h>

#include "model/light.hpp"
#include "state/state_fixture.hpp"

namespace creto::state_test {
namespace {

RosterOperation setting(Parameter parameter, std::uint32_t value, std::uint32_t number = 1) {
    return {.action = RosterOperation::Action::set, .parameter = {parameter, value, number}};
}

void with_operators(Genesis& genesis) {
    for (std::uint8_t i = 0; i < 3; ++i)
        genesis.operators.emplace_back(std::array<std::uint8_t, 32>{99, i});
    genesis.operators_needed = 2;
}

/// Four seats and their state; each block brings what a test hands in.
struct Four {
    explicit Four(void (*also)(Genesis&) = nullptr)
        : net{4, QuorumMode::byzantine, span, limits::dead_after_reports, also} {}

    /// The seat asks, in a block of its own. Why it is void.
    std::string ask(std::uint32_t seat, const RosterOperation& change) {
        return block(net.vertex(seat, {net.operation(seat, change)}));
    }
    std::string block(VertexPtr vertex) {
        const auto done = finalise(state, {std::move(vertex)});
        for (const Notice& notice : done.notices)
            if (const auto* told = std::get_if<RosterChanged>(&notice)) said.push_back(*told);
        return done.operations.front().reason;
    }
    [[nodiscard]] Parameters in(std::uint64_t epoch) const {
        return state.seating(Epoch{epoch}).parameters.value();
    }
    [[nodiscard]] FinalState restored() const {
        auto again = FinalState::restore(state.snapshot(), state.mark(), net.roster);
        CRETO_ASSERT(again.has_value());
        return std::move(*again);
    }

    Network net;
    FinalState state{net.roster};
    std::vector<RosterChanged> said;
};

// [PARAM-AUTHORITY.1] [PARAM-LATER.1]
TEST(AgreedParameters, AQuorumChangesOneAndItIsInForceTwoEpochsLater) {
    Four four;
    const RosterOperation change = setting(Parameter::term_views, 8);
    EXPECT_EQ(four.ask(0, change), "");
    EXPECT_EQ(four.ask(0, change), "this seat has asked for it already");
    EXPECT_EQ(four.ask(1, change), "");
    EXPECT_EQ(four.in(3), Parameters{}) << "two of four are no quorum";
    EXPECT_TRUE(four.said.empty());
    EXPECT_FALSE(four.state.seats().changes_after(Epoch{1}));
    // The fourth block ends epoch 1.
    EXPECT_EQ(four.ask(2, change), "");
    ASSERT_EQ(four.said.size(), 1U);
    EXPECT_EQ(four.said[0].what, "term_views becomes 8");
    EXPECT_EQ(four.said[0].from, Epoch{3});
    EXPECT_TRUE(four.state.seats().changes_after(Epoch{2}));
    EXPECT_FALSE(four.state.seats().changes_after(Epoch{3}));
    EXPECT_TRUE(four.state.seats().asked().empty());
    EXPECT_EQ(four.in(1), Parameters{});
    EXPECT_EQ(four.in(2), Parameters{}) << "the next epoch's roster is fixed";
    EXPECT_EQ(four.in(3), Parameters{.term_views = 8});
    advance(four.state, 2 * span);
    EXPECT_EQ(four.state.voters().term_views(), 1U);
    advance(four.state, 2 * span + 1);
    EXPECT_EQ(four.state.voters().term_views(), 8U);
    EXPECT_EQ(four.state.voters().parameters(), Parameters{.term_views = 8});
}

// [PARAM-AUTHORITY.1]
TEST(AgreedParameters, NobodyElseChangesThem) {
    Four four{with_operators};
    const auto guest = four.net.outsider(90);
    const RosterOperation change = setting(Parameter::guest_operations, 5);
    const auto by_guest = [&](RosterOperation wanted, std::initializer_list<std::uint8_t> signers) {
        for (const std::uint8_t who : signers)  // Checked at the door, not here.
            wanted.approvals.push_back({who, Signature{}});
        return four.block(four.net.vertex(0, {four.net.signed_by(*guest, wanted)}));
    };
    EXPECT_EQ(by_guest(change, {}), "only seats that vote may ask for it");
    EXPECT_EQ(by_guest(change, {1}), "1 of 2 operators have signed it");
    EXPECT_EQ(by_guest(change, {1, 2}), "");
    EXPECT_EQ(four.in(3).guest_operations, 5U);
    // [PARAM-ONCE.1] What they signed is used.
    const std::string used = "change 1 of guest_operations cannot be made: the next is 2";
    EXPECT_EQ(by_guest(change, {1, 2}), used);
    EXPECT_EQ(four.ask(0, change), used);
    EXPECT_EQ(
        by_guest(setting(Parameter::guest_operations, 6, 3), {0, 1}),
        "change 3 of guest_operations cannot be made: the next is 2"
    );

    Network endless{4};
    FinalState state{endless.roster};
    const auto done = finalise(state, {endless.vertex(0, {endless.operation(0, change)})});
    EXPECT_EQ(
        done.operations.front().reason,
        "this network has one epoch without end (epoch_blocks in its genesis)"
    );
}

// [PARAM-ONCE.1]
TEST(AgreedParameters, TheNextChangeIsCountedAnewAndOtherWishesForTheLastAreGone) {
    Four four;
    EXPECT_EQ(
        four.ask(0, setting(Parameter::term_views, 1)),
        "term_views is 1 already, as far as is decided for epoch 3"
    );
    EXPECT_EQ(four.ask(0, setting(Parameter::term_views, 2)), "");
    EXPECT_EQ(four.ask(0, setting(Parameter::dead_after_reports, 0)), "");
    for (const std::uint32_t seat : {1U, 2U, 3U})
        EXPECT_EQ(four.ask(seat, setting(Parameter::term_views, 4)), "");
    // Those that the next epoch decides are in force one later.
    ASSERT_EQ(four.state.seats().asked().size(), 1U);
    const RosterOperation& left = four.state.seats().asked().begin()->second.change;
    EXPECT_EQ(left.parameter.parameter, Parameter::dead_after_reports);
    EXPECT_EQ(four.in(4).term_views, 4U);
    std::vector<VertexPtr> at_once;
    for (const std::uint32_t seat : {0U, 1U, 2U}) {
        const RosterOperation back = setting(Parameter::term_views, 1, 2);
        at_once.push_back(four.net.vertex(seat, {four.net.operation(seat, back)}));
    }
    EXPECT_EQ(finalise(four.state, at_once).operations.back().reason, "");
    EXPECT_EQ(four.in(3).term_views, 1U) << "never changed";
    EXPECT_EQ(four.in(4).term_views, 1U) << "and taken back before it was in force";
    for (const std::uint32_t seat : {1U, 2U})
        EXPECT_EQ(four.ask(seat, setting(Parameter::dead_after_reports, 0)), "");
    EXPECT_EQ(four.in(5).dead_after_reports, 0U);
    EXPECT_EQ(four.in(4).dead_after_reports, limits::dead_after_reports);
}

// [PARAM-SAME.1]
TEST(AgreedParameters, ARestoredStateKnowsThemAndThoseToCome) {
    Four four;
    for (std::uint32_t number = 1; number <= 12; ++number) {
        const RosterOperation change =
            setting(Parameter::term_views, number % 2 == 1 ? 8 : 2, number);
        for (const std::uint32_t seat : {0U, 1U, 2U}) {
            EXPECT_EQ(four.ask(seat, change), "");
            FinalState again = four.restored();
            const Epoch now = four.state.voters().epoch();
            EXPECT_EQ(again.voters().parameters(), four.state.voters().parameters());
            for (const Epoch epoch : {now, now.next(), now.plus(2), now.plus(9)})
                EXPECT_EQ(again.seating(epoch).parameters, four.state.seating(epoch).parameters);
            EXPECT_EQ(again.seats().changes_after(now), four.state.seats().changes_after(now));
            FinalState same = four.state;
            EXPECT_EQ(finalise(again, {}).mark, finalise(same, {}).mark);
        }
    }
    EXPECT_EQ(four.state.seats().parameters().of(Parameter::term_views).changes, 12U);
    EXPECT_LE(four.state.seats().parameters().of(Parameter::term_views).decided.size(), 3U);
}

// [PARAM-BOUND.1]
TEST(AgreedParameters, ALeafThatHoldsWhatCannotBeIsCorrupt) {
    const Roster roster = Network{4, QuorumMode::byzantine, span}.roster;
    const auto reads = [&](const std::string& key, const ParameterBook::History& history) {
        MerkleMap map;
        map.set(key, encode_bytes(history));
        return SeatBook{roster}.restore(map).has_value();
    };
    const ParameterBook::History good{1, {{Epoch{3}, 8}}};
    EXPECT_TRUE(reads("parameter/term_views", good));
    EXPECT_FALSE(reads("parameter/term_view", good));
    EXPECT_FALSE(reads("parameter/term_views", {1, {{Epoch{3}, 9}}}));
    EXPECT_FALSE(reads("parameter/term_views", {0, {{Epoch{3}, 8}}}));
    EXPECT_FALSE(reads("parameter/term_views", {1, {}}));
    EXPECT_FALSE(reads("parameter/term_views", {1, {{Epoch{3}, 8}, {Epoch{3}, 4}}}));
    EXPECT_TRUE(reads("parameter/term_views", {3, {{Epoch{3}, 8}, {Epoch{4}, 4}, {Epoch{5}, 1}}}));
    EXPECT_FALSE(reads(
        "parameter/term_views", {4, {{Epoch{2}, 2}, {Epoch{3}, 8}, {Epoch{4}, 4}, {Epoch{5}, 1}}}
    )) << "one over";
}

// [PARAM-DIGEST.1] [ORD-L13.1]
TEST(AgreedParameters, ALinkProvesThemAndNobodyCanSayOthers) {
    Four four;
    const Roster& genesis = four.net.roster;
    for (const std::uint32_t seat : {0U, 1U, 2U})
        four.ask(seat, setting(Parameter::term_views, 8));
    advance(four.state, span);
    const Roster voting = genesis.in_epoch(Epoch{2});
    const Roster next{genesis, Epoch{3}, four.state.seating(Epoch{3})};
    ASSERT_NE(next.digest(), voting.digest());
    Block boundary;
    boundary.height = Height{2 * span};
    boundary.epoch = Epoch{2};
    boundary.view = View{9};
    boundary.parent_view = View{8};
    boundary.executed = four.state.mark();
    boundary.next_roster = next.digest();
    std::vector<Vote> votes;
    for (std::uint32_t seat = 0; seat < 3; ++seat)
        votes.push_back(four.net.vote(seat, boundary.content(VoteKind::finalize)));
    const RosterLink link{
        boundary,
        std::nullopt,
        make_certificate(votes, voting),
        next.members(),
        0,
        next.changed_parameters()};
    const auto follow = [&](const RosterLink& shown) {
        return follow_links(genesis, std::vector{shown}, Epoch{7});
    };
    const auto proven = follow(link);
    ASSERT_TRUE(proven.has_value()) << proven.error().message;
    EXPECT_TRUE(CheckPass::verify(four.net.scheme, proven->items).has_value());
    EXPECT_EQ(proven->roster.term_views(), 8U);
    EXPECT_EQ(proven->roster.digest(), next.digest());
    const auto refused = [&](std::optional<Parameters> said) {
        RosterLink other = link;
        other.parameters = std::move(said);
        const auto result = follow(other);
        return result ? "accepted" : result.error().message;
    };
    const std::string at = "the link at the end of epoch 2 ";
    EXPECT_EQ(refused({}), at + "names another roster than it shows");
    EXPECT_EQ(refused(Parameters{.term_views = 4}), at + "names another roster than it shows");
    EXPECT_EQ(refused(Parameters{.term_views = 5}), at + "names parameters that cannot be");
    RosterLink long_form = link;
    long_form.boundary.next_roster = voting.digest();
    votes.clear();
    for (std::uint32_t seat = 0; seat < 3; ++seat)
        votes.push_back(four.net.vote(seat, long_form.boundary.content(VoteKind::finalize)));
    long_form.finalization = make_certificate(votes, voting);
    long_form.parameters = Parameters{};
    const auto twice = follow(long_form);
    ASSERT_FALSE(twice.has_value());
    EXPECT_EQ(twice.error().message, at + "writes the parameters of the genesis");
}

}  // namespace
}  // namespace creto::state_test
