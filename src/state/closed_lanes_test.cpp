#include <gtest/gtest.h>

#include "state/court.hpp"
#include "state/state_fixture.hpp"

namespace creto {
namespace {

using namespace state_test;  // NOLINT(google-build-using-namespace): the bench of this layer

/// Two vertices of one seat at the first place of its lane.
EvidenceOperation fork_of(Network& net, std::uint32_t seat) {
    const VertexPtr a = net.vertex(seat, {net.operation(seat, data(1))});
    Network other{net.roster.size()};
    const VertexPtr b = other.vertex(seat, {other.operation(seat, data(2))});
    return EvidenceOperation{
        a->id() < b->id() ? LaneFork{a->top(), b->top()} : LaneFork{b->top(), a->top()}};
}

// [COURT-CLOSE.1]
TEST(ClosedLanes, AProvenForkClosesTheLaneAtItsHeight) {
    Network net{7};
    FinalState state{net.roster};
    const LaneId lane{Seat{5}, {}};
    advance(state, 3);
    EXPECT_TRUE(state.court().closed_lanes().empty());
    const auto done = finalise(state, {net.vertex(1, {net.operation(1, fork_of(net, 5))})});
    ASSERT_TRUE(done.operations[0].applied) << done.operations[0].reason;
    EXPECT_EQ(state.court().closed_lanes(), (std::map<LaneId, Height>{{lane, Height{4}}}));
    EXPECT_TRUE(state.excluded(net.agent(5)));
    const auto again = finalise(state, {net.vertex(2, {net.operation(2, fork_of(net, 5))})});
    EXPECT_FALSE(again.operations[0].applied);
    EXPECT_EQ(state.court().closed_lanes().at(lane), Height{4}) << "the first proof counts";
    auto restored = FinalState::restore(state.snapshot(), state.mark(), net.roster);
    ASSERT_TRUE(restored.has_value()) << restored.error().message;
    EXPECT_EQ(restored->court().closed_lanes(), state.court().closed_lanes());
}

// [COURT-CLOSE.1]
TEST(ClosedLanes, TheLaneOfAnExcludedAgentIsClosedAllTheSame) {
    Network net{7};
    FinalState state{net.roster};
    VoteContent a{VoteKind::notarize, Epoch{1}, View{3}, View{2}, BlockId{digest_of("a")}};
    VoteContent b = a;
    b.block = BlockId{digest_of("b")};
    const EvidenceOperation lie{VoteConflict{net.vote(5, a), net.vote(5, b)}};
    finalise(state, {net.vertex(1, {net.operation(1, lie)})});
    ASSERT_TRUE(state.excluded(net.agent(5)));
    const auto done = finalise(state, {net.vertex(1, {net.operation(1, fork_of(net, 5))})});
    EXPECT_TRUE(done.operations[0].applied) << done.operations[0].reason;
    EXPECT_EQ(state.court().closed_lanes().size(), 1U);
}

}  // namespace
}  // namespace creto
