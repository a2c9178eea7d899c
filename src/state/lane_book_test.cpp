// Lanes of seats that lost theirs: who opens the next one, and what becomes of the old.
#include <gtest/gtest.h>

#include "state/state_fixture.hpp"

namespace creto {
namespace {

using namespace state_test;  // NOLINT(google-build-using-namespace): the bench of this layer

LaneResetOperation opens(std::uint32_t incarnation, const std::string& life = "life") {
    return {Incarnation{incarnation}, digest_of(life)};
}

/// The seat's reset, carried in the lane of seat 0. Why it is void; empty: it is not.
std::string reset(
    Network& net, FinalState& state, const Signer& client, const LaneResetOperation& wanted
) {
    const auto done = finalise(state, {net.vertex(0, {net.signed_by(client, wanted)})});
    return done.operations.front().reason;
}

// [LANE-RESET.1]
TEST(LaneBook, AResetClosesTheLaneAndOpensTheNextAtItsHeight) {
    Network net{4};
    FinalState state{net.roster};
    advance(state, 2);
    const LaneId first{Seat{3}, {}};
    const LaneId second{Seat{3}, Incarnation{1}};
    EXPECT_EQ(state.lanes().of(Seat{3}), first);
    EXPECT_EQ(state.lanes().life(first), nullptr);
    const auto done = finalise(
        state,
        {net.vertex(3, {net.operation(3, set_key("final/a", "1"))}),
         net.vertex(0, {net.signed_by(*net.signers[3], opens(1, "mine"))})}
    );
    ASSERT_TRUE(done.operations[1].applied) << done.operations[1].reason;
    EXPECT_EQ(text_of(state.get("final/a")), "1") << "what was covered counts";
    EXPECT_EQ(state.court().closed_lanes().at(first), Height{3});
    EXPECT_EQ(state.lanes().of(Seat{3}), second);
    EXPECT_EQ(*state.lanes().life(second), digest_of("mine"));
    EXPECT_EQ(state.lanes().resets().at(Seat{3}).front().at, Height{3});
    EXPECT_FALSE(state.excluded(net.agent(3))) << "without blame";
    ASSERT_EQ(done.notices.size(), 1U);
    EXPECT_EQ(std::get<LaneReset>(done.notices[0]).opened, second);

    net.begin_lane(3, 1);
    const auto after =
        finalise(state, {net.vertex(3, {net.operation(3, set_key("final/b", "2"))})});
    EXPECT_TRUE(after.operations[0].applied) << after.operations[0].reason;
    auto restored = FinalState::restore(state.snapshot(), state.mark(), net.roster);
    ASSERT_TRUE(restored.has_value()) << restored.error().message;
    EXPECT_EQ(restored->lanes().resets(), state.lanes().resets());
    EXPECT_EQ(restored->mark(), state.mark());
    const Block block = next_block(state);
    const VertexPtr next = net.vertex(3, {net.operation(3, set_key("final/c", "3"))});
    EXPECT_EQ(
        state.apply(block, block.id(), {next}).mark, restored->apply(block, block.id(), {next}).mark
    );
}

// [LANE-RESET.1]
TEST(LaneBook, OnlyAVotingSeatAndOnlyTheNextLane) {
    Network net{4};
    FinalState state{net.roster};
    const Signer& seat = *net.signers[2];
    const auto stranger = net.outsider(99);
    EXPECT_EQ(
        reset(net, state, *stranger, opens(1)), "only a seat that votes may have its lane reset"
    );
    EXPECT_EQ(
        reset(net, state, seat, opens(2)),
        "the seat writes lane 2 by now, so the next one is not 2.2"
    );
    EXPECT_EQ(reset(net, state, seat, opens(1, "a")), "");
    EXPECT_EQ(
        reset(net, state, seat, opens(1, "b")),
        "the seat writes lane 2.1 by now, so the next one is not 2.1"
    ) << "of two lives that ask one gets it";
    EXPECT_EQ(*state.lanes().life(state.lanes().of(Seat{2})), digest_of("a"));
    EXPECT_EQ(reset(net, state, seat, opens(0)), "lane reset: the first lane of a seat needs none");
}

// [LANE-RESET.1]
TEST(LaneBook, ASeatLeavesSoManyLanesBehindAndNotOneMore) {
    Network net{4};
    FinalState state{net.roster};
    for (std::uint32_t i = 1; i <= limits::lane_resets_max; ++i)
        ASSERT_EQ(reset(net, state, *net.signers[1], opens(i)), "") << i;
    EXPECT_EQ(
        reset(net, state, *net.signers[1], opens(limits::lane_resets_max + 1)),
        "the seat has left 64 lanes behind: it needs another key (`creto roster rotate`)"
    );
    EXPECT_EQ(state.court().closed_lanes().size(), limits::lane_resets_max);
    EXPECT_TRUE(FinalState::restore(state.snapshot(), state.mark(), net.roster).has_value());
}

// An operation in both lanes takes effect once, and a causal share of the old lane stays.
// [STATE-ONCE.1] [LANE-RESET.1]
TEST(LaneBook, NothingOfTheOldLaneIsLostOrDoneTwice) {
    Network net{4};
    FinalState state{net.roster};
    const Operation add = net.operation(3, add_key("final/n", 1));
    const auto first =
        finalise(state, {net.vertex(3, {add, net.operation(3, count("causal/n", 5))})});
    EXPECT_TRUE(first.operations[0].applied);
    EXPECT_EQ(reset(net, state, *net.signers[3], opens(1)), "");
    net.begin_lane(3, 1);
    const auto again =
        finalise(state, {net.vertex(3, {add, net.operation(3, count("causal/n", 2))})});
    EXPECT_FALSE(again.operations[0].applied);
    EXPECT_EQ(text_of(state.get("final/n")), "1");
    const CausalState causal{state};
    EXPECT_EQ(causal.read("causal/n").counter, 7);
}

TEST(LaneBook, ALeafThatIsNotItsOwnIsCorrupt) {
    MerkleMap map;
    map.set("lane/1", to_bytes("x"));
    LaneBook book;
    EXPECT_FALSE(book.restore(map));
    MerkleMap other;
    ASSERT_TRUE(book.reset(Seat{2}, opens(1), Height{7}, other).has_value());
    MerkleMap moved;
    moved.set("lane/3", *other.find("lane/2"));
    EXPECT_FALSE(LaneBook{}.restore(moved));
    LaneBook again;
    ASSERT_TRUE(again.restore(other).has_value());
    EXPECT_EQ(again.resets(), book.resets());
}

}  // namespace
}  // namespace creto
