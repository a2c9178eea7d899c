#include <gtest/gtest.h>
#include <set>

#include "dag/dag_testing.hpp"

namespace creto {
namespace {

using testing::add;
using testing::add_all;
using testing::Authors;
using testing::checked;
using testing::cut_of;
using testing::flaw_of;
using testing::tip_of;
using testing::up_to;
using Verdict = Dag::DeltaCheck::Verdict;

/// Lane 0 forks after its second vertex: a chain of two and a chain of three.
struct ForkedLane {
    Authors authors{4};
    std::vector<VertexPtr> stem = authors.chain(0, 2);
    std::vector<VertexPtr> left = authors.chain(0, 2, stem[1], 1);
    std::vector<VertexPtr> right = authors.chain(0, 3, stem[1], 2);
    LaneId lane = Authors::lane(0);
};

TEST(DagForks, ProvesAForkOncePerPlace) {
    ForkedLane f;
    Dag dag{f.authors.roster()};
    add_all(dag, f.stem);
    add_all(dag, f.left);
    const auto third = add(dag, f.right[1]);  // Parked, and still a proof.
    ASSERT_TRUE(third.fork);
    EXPECT_TRUE(contradicts(*third.fork, f.authors.roster()));
    EXPECT_EQ(dag.fork_point(f.lane), Sequence{4});
    const auto second = add(dag, f.right[0]);
    ASSERT_TRUE(second.fork);
    EXPECT_LT(second.fork->a.header.id(), second.fork->b.header.id());
    EXPECT_TRUE(second.overlay_shrunk);
    EXPECT_EQ(dag.fork_point(f.lane), Sequence{3});
    EXPECT_TRUE(dag.complete(f.right[1]->id()));
    EXPECT_EQ(dag.tip(f.lane), tip_of(f.left[1]));

    const VertexPtr again = f.authors.vertex(0, {.after = f.stem[1], .salt = 3});
    EXPECT_EQ(dag.add(checked(again)).error().code, ErrorCode::limit);
    EXPECT_EQ(dag.find(again->id()), nullptr);
    EXPECT_EQ(dag.range(up_to(f.right[1]))->back(), f.right[1]);
    EXPECT_EQ(
        flaw_of(dag, {f.stem[0], f.stem[1], f.left[0], f.left[1], f.right[0], f.right[1], again}),
        ""
    );
}

TEST(DagForks, FollowsTheBranchThatTheCutNames) {
    ForkedLane f;
    for (const bool hold_all_first : {true, false}) {
        Dag dag{f.authors.roster()};
        add_all(dag, f.stem);
        add_all(dag, f.left);
        EXPECT_EQ(dag.tip(f.lane), tip_of(f.left[1]));
        const auto check = dag.check_delta({}, {up_to(f.right[1])});
        EXPECT_EQ(check.verdict, Verdict::missing);
        EXPECT_EQ(check.missing, (std::vector<LaneRange>{up_to(f.right[1])}));
        add_all(dag, {f.right[0], f.right[1]});
        if (hold_all_first) add(dag, f.right[2]);
        EXPECT_EQ(dag.check_delta({}, {up_to(f.right[1])}).verdict, Verdict::valid);
        dag.finalize(cut_of({f.right[1]}));
        if (!hold_all_first) add(dag, f.right[2]);
        EXPECT_EQ(dag.tip(f.lane), tip_of(f.right[2]));
        EXPECT_EQ(dag.at(f.lane, Sequence{3}), f.right[0]);
        EXPECT_EQ(dag.find(f.left[0]->id()), nullptr);
        // The loser does not come back, nor what would hang on it.
        EXPECT_EQ(add(dag, f.left[0]).added, Dag::Added::stale);
        const VertexPtr l3 = f.authors.vertex(0, {.after = f.left[1]});
        EXPECT_EQ(add(dag, l3).added, Dag::Added::stale);
        EXPECT_EQ(
            flaw_of(
                dag,
                {f.stem[0], f.stem[1], f.left[0], f.left[1], f.right[0], f.right[1], f.right[2], l3}
            ),
            ""
        );
    }
}

TEST(DagForks, DropsWhatHangsOnABranchThatLost) {
    ForkedLane f;
    Dag dag{f.authors.roster()};
    add_all(dag, f.stem);
    add_all(dag, f.left);
    add_all(dag, f.right);
    // Parked far above on the right branch, and a lane that saw it.
    const auto more = f.authors.chain(0, 3, f.right[2], 2);
    const VertexPtr b1 = f.authors.vertex(1, {.parents = {f.right[2]}});
    add_all(dag, {more[1], more[2], b1});
    EXPECT_EQ(dag.parked(), 2U);
    dag.finalize(cut_of({f.left[1]}));
    EXPECT_EQ(dag.find(f.right[2]->id()), nullptr);
    EXPECT_TRUE(dag.complete(b1->id()));
    // more[0] continues the loser; with it, all above goes.
    EXPECT_EQ(add(dag, more[0]).added, Dag::Added::parked);
    EXPECT_EQ(add(dag, f.right[2]).added, Dag::Added::stale);
    EXPECT_EQ(dag.parked(), 0U);
    EXPECT_EQ(dag.size(), 5U);
}

TEST(DagForks, AParentOnAForkedLaneIsNeverWaitedFor) {
    ForkedLane f;
    Dag dag{f.authors.roster()};
    add_all(dag, f.stem);
    add(dag, f.left[0]);
    const VertexPtr b1 = f.authors.vertex(1, {.parents = {f.right[2]}});
    EXPECT_EQ(add(dag, b1).added, Dag::Added::parked);
    // The fork is seen: b1 is complete, and the branch that it names is still asked for, since
    // leaders have to cover up to it.
    EXPECT_EQ(add(dag, f.right[0]).completed, (std::vector<VertexPtr>{f.right[0], b1}));
    EXPECT_EQ(dag.missing(4), (std::vector<LaneRange>{up_to(f.right[2], 3)}));
    EXPECT_EQ(dag.build_delta({}), (std::vector<LaneRange>{up_to(f.stem[1])}));
    add_all(dag, {f.right[1], f.right[2]});
    EXPECT_EQ(dag.build_delta({}), (std::vector<LaneRange>{up_to(f.right[2]), up_to(b1)}));
    const auto overlay = dag.overlay();
    EXPECT_EQ(
        std::set<VertexPtr>(overlay.begin(), overlay.end()),
        (std::set<VertexPtr>{f.stem[0], f.stem[1], b1})
    );
}

TEST(DagForks, AProofFromElsewhereShrinksTheOverlay) {
    ForkedLane f;
    Dag dag{f.authors.roster()};
    add_all(dag, f.stem);
    add_all(dag, f.left);
    EXPECT_EQ(dag.overlay().size(), 4U);
    EXPECT_TRUE(dag.mark_forked(f.lane, Sequence{3}).empty());
    EXPECT_EQ(dag.overlay(), f.stem);
    EXPECT_FALSE(add(dag, f.right[0]).fork);  // Known already.
    EXPECT_TRUE(dag.next_parents(Authors::lane(1))->refs.empty());
    // The cut decides; what is above it on a forked lane stays out of the overlay.
    dag.finalize(cut_of({f.left[0]}));
    EXPECT_TRUE(dag.overlay().empty());
    EXPECT_EQ(dag.tip(f.lane), tip_of(f.left[1]));
}

TEST(DagForks, LeadersExcludeAForkedLaneUnlessOthersNeedIt) {
    ForkedLane f;
    Dag dag{f.authors.roster()};
    add_all(dag, f.stem);
    add_all(dag, f.left);
    add(dag, f.right[0]);
    EXPECT_EQ(dag.build_delta({}), (std::vector<LaneRange>{up_to(f.stem[1])}));
    const VertexPtr b1 = f.authors.vertex(1, {.parents = {f.left[0]}});
    add(dag, b1);
    EXPECT_EQ(dag.build_delta({}), (std::vector<LaneRange>{up_to(f.left[0]), up_to(b1)}));
    // On a parent that chose the other branch, that one is followed.
    const Cut right = cut_of({f.right[0]});
    EXPECT_EQ(dag.build_delta(right), (std::vector<LaneRange>{up_to(b1)}));
    const VertexPtr c1 = f.authors.vertex(2, {.parents = {f.left[1]}});
    add_all(dag, {c1, f.right[1]});
    const auto delta = dag.build_delta(right);
    EXPECT_EQ(delta, (std::vector<LaneRange>{up_to(f.right[1], 4), up_to(b1), up_to(c1)}));
    EXPECT_EQ(dag.check_delta(right, delta).verdict, Verdict::valid);
}

// An equivocator shows the author of b1 its right branch and everybody else the left one, whose
// next vertex names b1. Neither can be covered before the other, but both together can.
TEST(DagForks, CoversACircleThatOnlyAForkCanMake) {
    ForkedLane f;
    const VertexPtr b1 = f.authors.vertex(1, {.parents = {f.right[0]}});
    const VertexPtr circle = f.authors.vertex(0, {.after = f.stem[1], .parents = {b1}, .salt = 9});
    Dag dag{f.authors.roster()};
    add_all(dag, f.stem);
    add(dag, f.right[0]);
    add(dag, b1);
    add(dag, circle);
    const Cut parent = cut_of({f.stem[1]});
    const std::vector<LaneRange> delta{up_to(circle, 3), up_to(b1)};
    EXPECT_EQ(dag.check_delta(parent, delta).verdict, Verdict::valid);
    EXPECT_EQ(dag.order(parent, delta, BlockId{}, View{3}), (std::vector<VertexPtr>{b1, circle}));
    // A replica that never sees the right branch can cover and finalise it too.
    Dag replica{f.authors.roster()};
    add_all(replica, f.stem);
    add_all(replica, {b1, circle});
    EXPECT_EQ(replica.parked(), 2U);
    EXPECT_EQ(replica.check_delta(parent, delta).verdict, Verdict::valid);
    replica.finalize(cut_of({f.stem[1]}));
    EXPECT_EQ(replica.finalize(cut_of({circle, b1})), (std::vector<VertexPtr>{b1, circle}));
    EXPECT_EQ(replica.parked(), 0U);
}

// The branch that b1 saw lost, and the winner ends below it: only closing the lane frees b1.
TEST(DagForks, AClosedLaneFreezesNobody) {
    ForkedLane f;
    Dag dag{f.authors.roster()};
    add_all(dag, f.stem);
    add_all(dag, f.left);
    const VertexPtr b1 = f.authors.vertex(1, {.parents = {f.right[2]}});
    add(dag, b1);
    dag.finalize(cut_of({f.left[1]}));
    const Cut parent = dag.final_cut();
    EXPECT_EQ(dag.check_delta(parent, {up_to(b1)}).verdict, Verdict::invalid);
    EXPECT_TRUE(dag.build_delta(parent).empty());
    const ClosedLanes closed{{f.lane, Sequence{4}}};
    EXPECT_EQ(dag.check_delta(parent, {up_to(b1)}, closed).verdict, Verdict::valid);
    EXPECT_EQ(dag.close(closed), (std::vector<VertexPtr>{b1}));
    EXPECT_EQ(dag.build_delta(parent, 10, 1'000'000, closed), (std::vector<LaneRange>{up_to(b1)}));
    EXPECT_TRUE(dag.has_unordered(parent, closed));
    // Nothing above the end of a closed lane is covered any more.
    const VertexPtr a5 = f.authors.vertex(0, {.after = f.left[1]});
    add(dag, a5);
    EXPECT_EQ(dag.check_delta(parent, {up_to(a5, 5)}, closed).verdict, Verdict::invalid);
    // Nor does it count for the causal reading: some have seen it, and others never will. Found by
    // seeds 50055, 50204, 50411 and 50845 of sim fuzz.
    EXPECT_EQ(dag.causal_end(f.lane), Sequence{4});
    EXPECT_EQ(dag.overlay(), (std::vector<VertexPtr>{b1}));
}

// Lane 1 is held up by the branch that lost. Whoever named it would be held up with it, and nobody
// would be left to bring the proof that closes the forked lane. [ORD-L6.1]
TEST(DagForks, WhatAForkHoldsUpIsNotNamedUntilTheLaneIsClosed) {
    ForkedLane f;
    Dag dag{f.authors.roster()};
    add_all(dag, f.stem);
    const VertexPtr b1 = f.authors.vertex(1, {});
    const VertexPtr b2 = f.authors.vertex(1, {.after = b1, .parents = {f.right[2]}});
    add_all(dag, {f.left[0], f.left[1], b1});
    dag.finalize(cut_of({f.left[1]}));
    add_all(dag, {f.right[0], b2});
    static_cast<void>(dag.mark_forked(f.lane, Sequence{3}));
    ASSERT_TRUE(dag.complete(b2->id()));
    const auto named = [&] { return dag.next_parents(Authors::lane(2))->refs; };
    EXPECT_EQ(named(), (std::vector<VertexRef>{b1->ref()}));
    static_cast<void>(dag.close({{f.lane, Sequence{4}}}));
    EXPECT_EQ(named(), (std::vector<VertexRef>{b2->ref()}));
}

// Failure 24: a node that caught up no longer fetched the branch of an equivocating author that the
// others had ordered.
TEST(DagForks, AcceptsAThirdBranchThatAProposalNames) {
    ForkedLane f;
    Dag dag{f.authors.roster()};
    add_all(dag, f.stem);
    add_all(dag, f.left);
    add_all(dag, f.right);
    const auto third = f.authors.chain(0, 2, f.stem[1], 3);
    EXPECT_FALSE(dag.add(checked(third[0])));
    const auto check = dag.check_delta({}, {up_to(third[1])});
    dag.want(check.missing);
    EXPECT_EQ(dag.missing(4), check.missing);
    add_all(
        dag,
        *[&] {
            Dag other{f.authors.roster()};
            add_all(other, f.stem);
            add_all(other, third);
            return other.range(check.missing.front());
        }()
    );
    EXPECT_EQ(dag.check_delta({}, {up_to(third[1])}).verdict, Verdict::valid);
    dag.finalize(cut_of({third[1]}));
    EXPECT_EQ(dag.size(), 4U);
    EXPECT_EQ(
        dag.bytes(),
        f.stem[0]->bytes().size() + f.stem[1]->bytes().size() + third[0]->bytes().size() +
            third[1]->bytes().size()
    );
}

}  // namespace
}  // namespace creto
