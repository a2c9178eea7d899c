// A seat's next lane in a graph that is under way.
#include <gtest/gtest.h>

#include "dag/dag_testing.hpp"

namespace creto {
namespace {

using creto::testing::Authors;

CheckPass pass() {
    return CheckPass::own();
}

VertexPtr in_lane(const Authors& authors, const LaneId& lane, std::vector<VertexPtr> parents) {
    VertexHeader header;
    header.lane = lane;
    header.sequence = Sequence{1};
    for (const VertexPtr& parent : parents) {
        header.parents.push_back(parent->ref());
        header.depth = std::max(header.depth, parent->header().depth + 1);
    }
    return authors.sealed(lane.seat.value(), header);
}

// Found by life 5001761: a block may stand on one that covers a lane which is not open here yet.
TEST(NextLane, ABlockOnACutWithAnUnknownLaneWaits) {
    const Authors authors{4};
    Dag dag{authors.roster()};
    std::vector<VertexPtr> held;
    for (const VertexPtr& vertex : authors.chain(0, 3)) {
        ASSERT_TRUE(dag.add({vertex, pass()}).has_value());
        held.push_back(vertex);
    }
    const LaneId unknown{Seat{2}, Incarnation{1}};
    const Cut parent{{unknown, {Sequence{4}, held[0]->id()}}};
    const std::vector<LaneRange> delta{
        {LaneId{Seat{0}, {}}, Sequence{1}, Sequence{3}, held[2]->id()}};
    EXPECT_EQ(dag.check_delta(parent, delta, {}).verdict, Dag::DeltaCheck::Verdict::missing);
    EXPECT_TRUE(dag.has_unordered(parent, {}));
    EXPECT_EQ(dag.build_delta(parent, 100, 1'000'000, {}), delta);
    dag.open(unknown);
    EXPECT_EQ(dag.check_delta(parent, delta, {}).verdict, Dag::DeltaCheck::Verdict::valid);
}

// [LANE-RESET.1]
TEST(NextLane, ItComesBetweenOthersAndNothingHeldIsLost) {
    const Authors authors{4};
    Dag dag{authors.roster()};
    std::vector<VertexPtr> held;
    for (std::uint32_t seat = 0; seat < 4; ++seat) {
        for (const VertexPtr& vertex : authors.chain(seat, 5)) {
            ASSERT_TRUE(dag.add({vertex, pass()}).has_value());
            held.push_back(vertex);
        }
    }
    const LaneId next{Seat{1}, Incarnation{1}};
    const VertexPtr first = in_lane(authors, next, {held[4]});
    EXPECT_FALSE(dag.add({first, pass()}).has_value()) << "nobody has opened it";
    const VertexPtr naming = authors.vertex(3, {.after = held.back(), .parents = {first}});
    EXPECT_FALSE(dag.add({naming, pass()}).has_value()) << "nor can it be named";
    dag.open(next);
    dag.open(next);
    for (const VertexPtr& vertex : held) {
        EXPECT_EQ(dag.find(vertex->id()), vertex);
        EXPECT_TRUE(dag.complete(vertex->id()));
    }
    ASSERT_TRUE(dag.add({first, pass()}).has_value());
    ASSERT_TRUE(dag.add({naming, pass()}).has_value());
    EXPECT_TRUE(dag.complete(naming->id()));
    EXPECT_EQ(dag.tip(next)->id, first->id());
    const std::vector<VertexRef> tips = dag.tips();
    EXPECT_TRUE(std::is_sorted(tips.begin(), tips.end()));
    EXPECT_EQ(tips.size(), 5U);

    // A block that still closes it covers neither it nor waits for it; one that does not covers all.
    const ClosedLanes unopened{{next, Sequence{}}};
    const auto before = dag.build_delta({}, 100, 1'000'000, unopened);
    EXPECT_EQ(before.size(), 4U);
    EXPECT_EQ(before.back().last, Sequence{6}) << "what names it is covered";
    EXPECT_EQ(dag.check_delta({}, before, unopened).verdict, Dag::DeltaCheck::Verdict::valid);
    const auto delta = dag.build_delta({});
    EXPECT_EQ(delta.size(), 5U);
    EXPECT_EQ(dag.check_delta({}, delta).verdict, Dag::DeltaCheck::Verdict::valid);
    Cut cut;
    apply(cut, delta);
    dag.finalize(cut);
    EXPECT_EQ(dag.prune(testing::ranges_to(cut)), held.size() + 2);
    EXPECT_EQ(dag.size(), 0U);
}

}  // namespace
}  // namespace creto
