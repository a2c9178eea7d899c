#include "dag/dag.hpp"

#include <gtest/gtest.h>
#include <map>
#include <set>

#include "dag/dag_testing.hpp"

namespace creto {
namespace {

using testing::Authors;
using testing::checked;
using testing::shuffle;
using Verdict = Dag::DeltaCheck::Verdict;

Dag::Outcome add(Dag& dag, const VertexPtr& vertex) {
    auto outcome = dag.add(checked(vertex));
    EXPECT_TRUE(outcome) << (outcome ? "" : outcome.error().message);
    return outcome ? *outcome : Dag::Outcome{};
}
void add_all(Dag& dag, const std::vector<VertexPtr>& vertices) {
    for (const VertexPtr& vertex : vertices)
        add(dag, vertex);
}
LaneTip tip_of(const VertexPtr& vertex) {
    return {vertex->header().sequence, vertex->id()};
}
Cut cut_of(const std::vector<VertexPtr>& tips) {
    Cut cut;
    for (const VertexPtr& vertex : tips)
        cut[vertex->header().lane] = tip_of(vertex);
    return cut;
}
/// The range that ends in a vertex.
LaneRange up_to(const VertexPtr& vertex, std::uint64_t first = 1) {
    return {vertex->header().lane, Sequence{first}, vertex->header().sequence, vertex->id()};
}
/// What one may rely on after every step, in arithmetic of its own.
void check_now(const Dag& dag, const std::vector<VertexPtr>& all) {
    std::size_t held = 0;
    std::size_t bytes = 0;
    for (const VertexPtr& vertex : all) {
        if (dag.find(vertex->id()) == nullptr) continue;
        ++held;
        bytes += vertex->bytes().size();
    }
    ASSERT_EQ(dag.size(), held);
    ASSERT_EQ(dag.bytes(), bytes);
    std::map<LaneId, std::size_t> backlog;
    for (const VertexPtr& vertex : all) {
        const auto& [lane, sequence, id] = vertex->ref();
        const auto final_tip = dag.final_cut().find(lane);
        const bool above =
            final_tip == dag.final_cut().end() || sequence > final_tip->second.sequence;
        backlog[lane] += above && dag.find(id) != nullptr ? vertex->bytes().size() : 0;
    }
    for (const auto& [lane, expected] : backlog)
        ASSERT_EQ(dag.unfinalized_bytes(lane), expected);
    // The preferred branch is a chain without gaps up to the tip.
    for (const VertexRef& tip : dag.tips()) {
        for (Sequence at = tip.sequence; VertexPtr vertex = dag.at(tip.lane, at);) {
            ASSERT_TRUE(dag.complete(vertex->id()));
            at = at.prev();
            const VertexPtr before = dag.at(tip.lane, at);
            if (before == nullptr) break;
            ASSERT_EQ(vertex->header().parents[0].id, before->id());
        }
    }
}

// --- vertices arrive ---

TEST(Dag, CompletesAVertexWhenItsParentsAreComplete) {
    Authors authors{3};
    Dag dag{authors.roster()};
    const VertexPtr a1 = authors.vertex(0, {});
    const VertexPtr b1 = authors.vertex(1, {.parents = {a1}});
    const VertexPtr b2 = authors.vertex(1, {.after = b1});

    EXPECT_EQ(add(dag, b2).added, Dag::Added::parked);
    EXPECT_EQ(add(dag, b1).added, Dag::Added::parked);
    EXPECT_FALSE(dag.tip(Authors::lane(1)));
    EXPECT_EQ(dag.find(b2->id()), b2);
    EXPECT_FALSE(dag.complete(b2->id()));

    const auto outcome = add(dag, a1);
    EXPECT_EQ(outcome.added, Dag::Added::complete);
    EXPECT_EQ(outcome.completed, (std::vector<VertexPtr>{a1, b1, b2}));
    EXPECT_EQ(dag.tip(Authors::lane(1)), tip_of(b2));
    EXPECT_EQ(dag.at(Authors::lane(1), Sequence{1}), b1);
    EXPECT_EQ(dag.tips(), (std::vector<VertexRef>{a1->ref(), b2->ref()}));
    EXPECT_EQ(add(dag, b1).added, Dag::Added::duplicate);
    EXPECT_EQ(dag.parked(), 0U);
    check_now(dag, {a1, b1, b2});
}

TEST(Dag, RefusesLanesThatTheRosterDoesNotKnow) {
    Authors authors{5};
    Authors fewer{3};
    Dag dag{fewer.roster()};
    const VertexPtr stranger = authors.vertex(4, {});
    EXPECT_EQ(dag.add(checked(stranger)).error().code, ErrorCode::invalid);
    EXPECT_EQ(
        dag.add(checked(authors.vertex(0, {.parents = {stranger}}))).error().code,
        ErrorCode::invalid
    );
    VertexHeader again;
    again.lane = {Seat{0}, Incarnation{1}};
    again.sequence = Sequence{1};
    EXPECT_EQ(dag.add(checked(authors.sealed(0, again))).error().code, ErrorCode::invalid);
    EXPECT_EQ(dag.size(), 0U);
}

TEST(Dag, RefusesADepthBeyondTheLimitAndOneLessIsHeld) {
    Authors authors{3};
    Dag dag{authors.roster()};
    const VertexPtr a1 = authors.vertex(0, {});
    const VertexPtr deep = authors.vertex(0, {.after = a1, .depth = Dag::depth_max + 1});
    const VertexPtr less = authors.vertex(0, {.after = a1, .depth = Dag::depth_max});
    add(dag, a1);
    EXPECT_EQ(dag.add(checked(deep)).error().code, ErrorCode::invalid);
    EXPECT_EQ(add(dag, less).added, Dag::Added::complete);
}

TEST(Dag, OffersAVertexWithAWrongDepthOnlyWhenOthersNeedIt) {
    Authors authors{3};
    const VertexPtr a1 = authors.vertex(0, {});
    const VertexPtr b1 = authors.vertex(1, {.parents = {a1}, .depth = 7});
    const VertexPtr c1 = authors.vertex(2, {.parents = {b1}});
    Dag dag{authors.roster()};
    add_all(dag, {a1, b1});
    EXPECT_EQ(dag.build_delta({}), (std::vector<LaneRange>{up_to(a1)}));
    EXPECT_TRUE(dag.next_parents(Authors::lane(2))->refs == std::vector<VertexRef>{a1->ref()});
    // A replica does not judge by it: it may be unable to see the parents.
    EXPECT_EQ(dag.check_delta({}, {up_to(a1), up_to(b1)}).verdict, Verdict::valid);
    add(dag, c1);
    EXPECT_EQ(dag.build_delta({}), (std::vector<LaneRange>{up_to(a1), up_to(b1), up_to(c1)}));
}

TEST(Dag, NamesParentsInTurnAndNeverTwice) {
    Authors authors{12};
    Dag dag{authors.roster()};
    for (std::uint32_t seat = 1; seat < 12; ++seat)
        add(dag, authors.vertex(seat, {}));
    const LaneId own = Authors::lane(0);
    std::set<LaneId> named;
    VertexPtr last;
    for (const std::size_t expected : {8U, 3U, 0U}) {
        const auto parents = dag.next_parents(own);
        ASSERT_TRUE(parents);
        VertexHeader header;
        header.lane = own;
        header.sequence = last ? last->header().sequence.next() : Sequence{1};
        header.parents = parents->refs;
        header.depth = parents->depth;
        EXPECT_EQ(header.depth, last ? last->header().depth + 1 : 2U);
        last = authors.sealed(0, header);  // Asserts that the header is well formed.
        EXPECT_EQ(add(dag, last).added, Dag::Added::complete);
        std::size_t foreign = 0;
        for (const VertexRef& parent : parents->refs) {
            if (parent.lane != own) foreign += named.insert(parent.lane).second ? 1 : 100;
        }
        EXPECT_EQ(foreign, expected);
    }
    EXPECT_EQ(dag.build_delta({}).size(), 12U);
}

// --- limits, one over each ---

TEST(Dag, RefusesAVertexAboveTheWindowUntilTheCutMoves) {
    Authors authors{3};
    Dag dag{authors.roster(), {.lane_window_vertices = 5}};
    const auto chain = authors.chain(0, 6);
    add_all(dag, {chain.begin(), chain.end() - 1});
    EXPECT_EQ(dag.add(checked(chain[5])).error().code, ErrorCode::limit);
    EXPECT_EQ(dag.refused(), 1U);
    EXPECT_EQ(dag.unfinalized(Authors::lane(0)), 5U);
    dag.finalize(cut_of({chain[0]}));
    EXPECT_EQ(add(dag, chain[5]).added, Dag::Added::complete);
    EXPECT_EQ(dag.unfinalized(Authors::lane(0)), 5U);
    check_now(dag, chain);
}

TEST(Dag, AcceptsBeyondTheWindowWhatAProposalCovers) {
    Authors authors{3};
    Dag dag{authors.roster(), {.lane_window_vertices = 2}};
    const auto chain = authors.chain(0, 4);
    add_all(dag, {chain[0], chain[1]});
    const auto check = dag.check_delta({}, {up_to(chain[3])});
    EXPECT_EQ(check.verdict, Verdict::missing);
    EXPECT_EQ(check.missing, (std::vector<LaneRange>{up_to(chain[3], 3)}));
    dag.want(check.missing);
    EXPECT_EQ(dag.missing(8), check.missing);
    add_all(dag, {chain[3], chain[2]});
    EXPECT_EQ(dag.check_delta({}, {up_to(chain[3])}).verdict, Verdict::valid);
    EXPECT_TRUE(dag.missing(8).empty());
}

TEST(Dag, RefusesBytesBeyondTheWindowOfALane) {
    Authors authors{3};
    const VertexPtr a1 = authors.vertex(0, {.payload = 1'000});
    const VertexPtr a2 = authors.vertex(0, {.after = a1, .payload = 1'000});
    const std::size_t both = a1->bytes().size() + a2->bytes().size();
    Dag exact{authors.roster(), {.lane_window_bytes = both}};
    add_all(exact, {a1, a2});
    Dag less{authors.roster(), {.lane_window_bytes = both - 1}};
    add(less, a1);
    EXPECT_EQ(less.add(checked(a2)).error().code, ErrorCode::limit);
    less.finalize(cut_of({a1}));
    EXPECT_EQ(add(less, a2).added, Dag::Added::complete);
    check_now(less, {a1, a2});
}

TEST(Dag, KeepsAShareOfAFullBacklogForEveryLane) {
    Authors authors{4};
    Dag dag{authors.roster(), {.backlog_bytes_max = 40'000}};
    std::size_t held = 0;
    VertexPtr last;
    while (true) {
        last = authors.vertex(0, {.after = last, .payload = 1'000});
        if (!dag.add(checked(last))) break;
        ++held;
    }
    EXPECT_GT(held, 30U);
    EXPECT_LE(dag.bytes(), 40'000U);
    // The greedy lane filled it; another still has its quarter.
    VertexPtr other;
    for (int i = 0; i < 8; ++i) {
        other = authors.vertex(1, {.after = other, .payload = 1'000});
        EXPECT_EQ(add(dag, other).added, Dag::Added::complete);
    }
    EXPECT_LE(dag.bytes(), 80'000U);
}

TEST(Dag, EvictsTheParkedVertexThatIsFurthestAhead) {
    Authors authors{3};
    Dag dag{authors.roster(), {.parked_per_lane_max = 3}};
    const auto chain = authors.chain(0, 6);
    for (const std::size_t i : {5U, 2U, 3U})
        EXPECT_EQ(add(dag, chain[i]).added, Dag::Added::parked);
    EXPECT_EQ(add(dag, chain[1]).added, Dag::Added::parked);  // The sixth leaves.
    EXPECT_EQ(dag.parked(), 3U);
    EXPECT_EQ(dag.find(chain[5]->id()), nullptr);
    EXPECT_EQ(dag.add(checked(chain[4])).error().code, ErrorCode::limit);
    EXPECT_EQ(dag.evicted(), 2U);
    check_now(dag, chain);
    EXPECT_EQ(add(dag, chain[0]).completed.size(), 4U);
    add_all(dag, {chain[4], chain[5]});
    EXPECT_EQ(dag.tip(Authors::lane(0)), tip_of(chain[5]));
}

TEST(Dag, TakesParkedBytesFromTheGreediestLane) {
    Authors authors{3};
    Dag dag{authors.roster(), {.parked_bytes_max = 10'000}};
    const VertexPtr b1 = authors.vertex(1, {});
    const VertexPtr b2 = authors.vertex(1, {.after = b1, .payload = 100});
    add(dag, b2);
    VertexPtr a = authors.vertex(0, {});
    for (int i = 0; i < 20; ++i) {
        a = authors.vertex(0, {.after = a, .payload = 1'000});
        static_cast<void>(dag.add(checked(a)));
    }
    EXPECT_GT(dag.evicted(), 5U);
    EXPECT_LE(dag.bytes(), 10'000U);
    EXPECT_NE(dag.find(b2->id()), nullptr);
}

// --- what is missing ---

TEST(Dag, AsksForWhatParkedVerticesWaitFor) {
    Authors authors{3};
    Dag dag{authors.roster()};
    const auto a = authors.chain(0, 7);
    const VertexPtr b1 = authors.vertex(1, {.parents = {a[3]}});
    add_all(dag, {a[0], b1, a[6]});
    EXPECT_EQ(dag.missing(8), (std::vector<LaneRange>{up_to(a[3], 2), up_to(a[5], 5)}));
    add_all(dag, {a[1], a[2], a[3]});
    EXPECT_TRUE(dag.complete(b1->id()));
    EXPECT_EQ(dag.missing(8), (std::vector<LaneRange>{up_to(a[5], 5)}));
    EXPECT_TRUE(dag.missing(0).empty());
}

TEST(Dag, AParentThatDoesNotExistStallsOnlyItsOwnLane) {
    Authors authors{3};
    Authors forgers{3};
    Dag dag{authors.roster()};
    VertexPtr liar;
    for (int i = 0; i < 50; ++i) {
        const VertexPtr invented = forgers.vertex(0, {.salt = 1'000 + i});
        liar = authors.vertex(1, {.after = liar, .parents = {invented}});
        EXPECT_EQ(add(dag, liar).added, Dag::Added::parked);
    }
    const auto a = authors.chain(0, 3);
    const VertexPtr c1 = authors.vertex(2, {.parents = {a[2]}});
    add(dag, c1);
    // Of two requests one is for the honest lane.
    const auto missing = dag.missing(2);
    EXPECT_EQ(missing.back(), up_to(a[2], missing.size() == 2 ? 2 : 1));
    add_all(dag, a);
    EXPECT_TRUE(dag.complete(c1->id()));
    EXPECT_EQ(dag.build_delta({}), (std::vector<LaneRange>{up_to(a[2]), up_to(c1)}));
}

TEST(Dag, AnswersARangeOnlyWhenAllOfItIsHeld) {
    Authors authors{3};
    Dag dag{authors.roster()};
    const auto a = authors.chain(0, 6);
    add_all(dag, {a[0], a[1], a[2], a[4], a[5]});
    EXPECT_EQ(*dag.range(up_to(a[2], 2)), (std::vector<VertexPtr>{a[1], a[2]}));
    EXPECT_EQ(*dag.range(up_to(a[5], 5)), (std::vector<VertexPtr>{a[4], a[5]}));
    EXPECT_EQ(dag.range(up_to(a[5], 3)).error().code, ErrorCode::not_found);
    // Without a tip: our branch, as far as it goes.
    EXPECT_EQ(
        *dag.range({Authors::lane(0), Sequence{2}, Sequence{99}, {}}),
        (std::vector<VertexPtr>{a[1], a[2]})
    );
    EXPECT_FALSE(dag.range({Authors::lane(0), Sequence{4}, Sequence{99}, {}}));
    EXPECT_FALSE(dag.range({Authors::lane(0), Sequence{0}, Sequence{2}, {}}));
    EXPECT_FALSE(dag.range({Authors::lane(0), Sequence{3}, Sequence{2}, a[1]->id()}));
    EXPECT_FALSE(dag.range({Authors::lane(1), Sequence{1}, Sequence{2}, {}}));
    EXPECT_FALSE(dag.range({Authors::lane(9), Sequence{1}, Sequence{2}, a[1]->id()}));
}

// --- forks ---

/// Lane 0 forks after its second vertex: a chain of two and a chain of three.
struct ForkedLane {
    Authors authors{4};
    std::vector<VertexPtr> stem = authors.chain(0, 2);
    std::vector<VertexPtr> left = authors.chain(0, 2, stem[1], 1);
    std::vector<VertexPtr> right = authors.chain(0, 3, stem[1], 2);
    LaneId lane = Authors::lane(0);
};

TEST(Dag, ProvesAForkOncePerPlace) {
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
    check_now(dag, {f.stem[0], f.stem[1], f.left[0], f.left[1], f.right[0], f.right[1], again});
}

TEST(Dag, FollowsTheBranchThatTheCutNames) {
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
        check_now(
            dag,
            {f.stem[0], f.stem[1], f.left[0], f.left[1], f.right[0], f.right[1], f.right[2], l3}
        );
    }
}

TEST(Dag, DropsWhatHangsOnABranchThatLost) {
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

TEST(Dag, AParentOnAForkedLaneIsNeverWaitedFor) {
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

TEST(Dag, AProofFromElsewhereShrinksTheOverlay) {
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

TEST(Dag, LeadersExcludeAForkedLaneUnlessOthersNeedIt) {
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
TEST(Dag, CoversACircleThatOnlyAForkCanMake) {
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
TEST(Dag, AClosedLaneFreezesNobody) {
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
}

TEST(Dag, AcceptsAThirdBranchThatAProposalNames) {
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

// --- cuts ---

TEST(Dag, ChecksWhatABlockMayCover) {
    Authors authors{3};
    Dag dag{authors.roster()};
    const auto a = authors.chain(0, 3);
    const VertexPtr b1 = authors.vertex(1, {.parents = {a[1]}});
    add_all(dag, a);
    add(dag, b1);
    const auto verdict = [&](const Cut& parent, const std::vector<LaneRange>& delta) {
        return dag.check_delta(parent, delta).verdict;
    };
    const Cut start = cut_of({a[0]});
    EXPECT_EQ(verdict({}, {}), Verdict::valid);
    EXPECT_EQ(verdict({}, {up_to(a[1]), up_to(b1)}), Verdict::valid);
    EXPECT_EQ(verdict(start, {up_to(a[1], 2), up_to(b1)}), Verdict::valid);
    // Not closed: b1 names the second vertex.
    EXPECT_EQ(verdict({}, {up_to(a[0]), up_to(b1)}), Verdict::invalid);
    EXPECT_EQ(verdict(start, {up_to(b1)}), Verdict::invalid);
    // Does not continue the parent's cut; not in order; unknown; empty range.
    EXPECT_EQ(verdict({}, {up_to(a[1], 2)}), Verdict::invalid);
    EXPECT_EQ(verdict(start, {up_to(a[1], 1)}), Verdict::invalid);
    EXPECT_EQ(verdict({}, {up_to(b1), up_to(a[2])}), Verdict::invalid);
    EXPECT_EQ(verdict({}, {up_to(a[0]), up_to(a[0])}), Verdict::invalid);
    EXPECT_EQ(verdict({}, {{Authors::lane(9), Sequence{1}, Sequence{1}, {}}}), Verdict::invalid);
    EXPECT_EQ(verdict({}, {{Authors::lane(2), Sequence{1}, Sequence{0}, {}}}), Verdict::invalid);
    // The tip is a vertex, but not that one.
    EXPECT_EQ(
        verdict({}, {{Authors::lane(0), Sequence{1}, Sequence{2}, a[2]->id()}}), Verdict::invalid
    );
    EXPECT_EQ(
        verdict({}, {{Authors::lane(2), Sequence{1}, Sequence{1}, b1->id()}}), Verdict::invalid
    );
    // Another branch than the parent's.
    const VertexPtr other = authors.vertex(0, {.salt = 5});
    const VertexPtr other2 = authors.vertex(0, {.after = other});
    add_all(dag, {other, other2});
    EXPECT_EQ(verdict(start, {up_to(other2, 2)}), Verdict::invalid);
    EXPECT_EQ(verdict({}, {up_to(other2)}), Verdict::valid);
}

TEST(Dag, HoldsTheLimitsOfABlock) {
    Authors authors{3};
    Dag dag{authors.roster(), {.lane_window_vertices = 20'000}};
    const auto many = authors.chain(1, limits::block_vertices_max + 1);
    add_all(dag, many);
    const auto delta = dag.build_delta({});
    ASSERT_EQ(delta.size(), 1U);
    EXPECT_EQ(delta[0].last.value(), limits::block_vertices_max);
    EXPECT_EQ(dag.check_delta({}, delta).verdict, Verdict::valid);
    EXPECT_EQ(dag.check_delta({}, {up_to(many.back())}).verdict, Verdict::invalid);

    Dag heavy{authors.roster()};
    VertexPtr last;
    std::size_t bytes = 0;
    std::vector<VertexPtr> all;
    while (bytes <= limits::block_bytes_max) {
        last = authors.vertex(0, {.after = last, .payload = 1'000'000});
        bytes += last->bytes().size();
        all.push_back(last);
        add(heavy, last);
    }
    EXPECT_EQ(heavy.check_delta({}, {up_to(all[all.size() - 2])}).verdict, Verdict::valid);
    EXPECT_EQ(heavy.check_delta({}, {up_to(last)}).verdict, Verdict::invalid);
    EXPECT_EQ(heavy.build_delta({}), (std::vector<LaneRange>{up_to(all[all.size() - 2])}));
}

TEST(Dag, SharesAFullBlockBetweenLanes) {
    Authors authors{10};
    Dag dag{authors.roster()};
    for (std::uint32_t seat = 0; seat < 10; ++seat)
        add_all(dag, authors.chain(seat, 30));
    Cut cut;
    for (int block = 0; block < 5; ++block) {
        const auto delta = dag.build_delta(cut, 25);
        apply(cut, delta);
        std::uint64_t least = 1'000;
        std::uint64_t most = 0;
        for (std::uint32_t seat = 0; seat < 10; ++seat) {
            const auto at = cut.find(Authors::lane(seat));
            const std::uint64_t height = at == cut.end() ? 0 : at->second.sequence.value();
            least = std::min(least, height);
            most = std::max(most, height);
        }
        EXPECT_LE(most - least, 2U);
    }
}

TEST(Dag, OrdersByAKeyThatFavoursNoLane) {
    Authors authors{4};
    Dag dag{authors.roster()};
    std::vector<LaneRange> delta;
    for (std::uint32_t seat = 0; seat < 4; ++seat) {
        const VertexPtr vertex = authors.vertex(seat, {});
        add(dag, vertex);
        delta.push_back(up_to(vertex));
    }
    std::set<LaneId> first;
    for (std::uint64_t view = 1; view <= 40; ++view)
        first.insert(dag.order({}, delta, BlockId{}, View{view}).front()->header().lane);
    EXPECT_EQ(first.size(), 4U);
    EXPECT_NE(
        dag.order({}, delta, BlockId{blake3(as_bytes("a"))}, View{1}),
        dag.order({}, delta, BlockId{blake3(as_bytes("c"))}, View{1})
    );
}

// --- pruning and restarting ---

TEST(Dag, PrunesBelowTheFinalCutAndNeverTakesItBack) {
    Authors authors{3};
    Dag dag{authors.roster()};
    const auto a = authors.chain(0, 6);
    add_all(dag, a);
    dag.finalize(cut_of({a[4]}));
    EXPECT_EQ(dag.prune(cut_of({a[2]})), 3U);
    EXPECT_EQ(dag.prune(cut_of({a[2]})), 0U);
    EXPECT_EQ(dag.find(a[2]->id()), nullptr);
    EXPECT_EQ(dag.at(Authors::lane(0), Sequence{4}), a[3]);
    EXPECT_EQ(add(dag, a[1]).added, Dag::Added::stale);
    // A parent below counts as present, and the depth of the boundary is known.
    const VertexPtr b1 = authors.vertex(1, {.parents = {a[0]}});
    const VertexPtr c1 = authors.vertex(2, {.parents = {a[2]}});
    EXPECT_EQ(add(dag, b1).added, Dag::Added::complete);
    EXPECT_EQ(add(dag, c1).added, Dag::Added::complete);
    dag.finalize(cut_of({a[5]}));
    EXPECT_EQ(dag.prune(cut_of({a[5]})), 3U);
    EXPECT_EQ(dag.tip(Authors::lane(0)), tip_of(a[5]));
    EXPECT_EQ(dag.next_parents(Authors::lane(0))->depth, 7U);
    const VertexPtr a7 = authors.vertex(0, {.after = a[5]});
    EXPECT_EQ(add(dag, a7).added, Dag::Added::complete);
    check_now(dag, {a[0], a[1], a[2], a[3], a[4], a[5], a7, b1, c1});
}

TEST(Dag, StartsFromACutWithoutItsBodies) {
    Authors authors{3};
    const auto a = authors.chain(0, 6);
    const VertexPtr b1 = authors.vertex(1, {.parents = {a[4]}});
    const VertexPtr c1 = authors.vertex(2, {.parents = {a[1], b1}});
    const VertexPtr c2 = authors.vertex(2, {.after = c1, .parents = {a[5]}});
    Dag dag{authors.roster()};
    add_all(dag, {a[0], a[5], c1, c2});  // Some came before the cut was known.
    EXPECT_EQ(dag.parked(), 3U);
    EXPECT_EQ(dag.adopt(cut_of({a[4], b1}), {a[4]}), (std::vector<VertexPtr>{a[5], c1, c2}));
    EXPECT_EQ(dag.size(), 3U);
    EXPECT_EQ(dag.parked(), 0U);
    EXPECT_EQ(dag.next_parents(Authors::lane(0))->depth, 9U);
    EXPECT_FALSE(dag.next_parents(Authors::lane(1)));  // The own tip's depth is not known.
    EXPECT_EQ(dag.unfinalized(Authors::lane(0)), 1U);
    check_now(dag, {a[0], a[1], a[2], a[3], a[4], a[5], b1, c1, c2});
}

// --- properties of random graphs ---

/// The complete set in arithmetic of its own: the least fixpoint over everything that was
/// delivered.
std::set<VertexId> complete_set(const std::vector<VertexPtr>& all) {
    std::map<std::pair<LaneId, Sequence>, std::set<VertexId>> places;
    for (const VertexPtr& vertex : all)
        places[{vertex->header().lane, vertex->header().sequence}].insert(vertex->id());
    const auto forked = [&](const LaneId& lane, Sequence sequence) {
        for (const auto& [place, ids] : places) {
            if (place.first == lane && place.second <= sequence && ids.size() > 1) return true;
        }
        return false;
    };
    std::set<VertexId> complete;
    for (bool grew = true; grew;) {
        grew = false;
        for (const VertexPtr& vertex : all) {
            if (complete.contains(vertex->id())) continue;
            bool ok = true;
            for (const VertexRef& parent : vertex->header().parents) {
                const bool excused =
                    parent.lane != vertex->header().lane && forked(parent.lane, parent.sequence);
                ok = ok && (excused || complete.contains(parent.id));
            }
            if (ok) grew = complete.insert(vertex->id()).second;
        }
    }
    return complete;
}

TEST(DagProperties, AnyArrivalOrderGivesTheSameCompletedSet) {
    Authors authors{5};
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        Prng prng{seed};
        auto all = testing::draw_graph(
            authors,
            {.seats = 5,
             .vertices = 40,
             .forker = seed % 2 == 0 ? std::optional<std::uint32_t>{2} : std::nullopt},
            prng
        );
        // Some never arrive.
        std::vector<VertexPtr> delivered;
        for (const VertexPtr& vertex : all) {
            if (seed % 3 != 0 || !prng.chance(1, 20)) delivered.push_back(vertex);
        }
        const std::set<VertexId> expected = complete_set(delivered);
        std::optional<std::vector<VertexPtr>> overlay;
        for (int order = 0; order < 5; ++order) {
            shuffle(delivered, prng);
            Dag dag{authors.roster(), {.index_salt = static_cast<std::uint64_t>(order)}};
            std::set<VertexId> told;
            for (const VertexPtr& vertex : delivered) {
                for (const VertexPtr& next : add(dag, vertex).completed) {
                    ASSERT_TRUE(told.insert(next->id()).second) << "seed " << seed;
                    const VertexHeader& header = next->header();
                    if (header.sequence != Sequence{1}) {
                        ASSERT_TRUE(told.contains(header.parents[0].id)) << "seed " << seed;
                    }
                }
            }
            ASSERT_EQ(told, expected) << "seed " << seed;
            ASSERT_EQ(dag.parked(), delivered.size() - expected.size());
            check_now(dag, all);
            // Equal vertices, equal causal reading.
            if (!overlay) overlay = dag.overlay();
            ASSERT_EQ(dag.overlay(), *overlay) << "seed " << seed;
        }
    }
}

/// True when each vertex comes after all of its parents in the list.
bool causal(const std::vector<VertexPtr>& list) {
    std::map<VertexId, std::size_t> place;
    for (std::size_t i = 0; i < list.size(); ++i)
        place[list[i]->id()] = i;
    for (std::size_t i = 0; i < list.size(); ++i) {
        for (const VertexRef& parent : list[i]->header().parents) {
            const auto found = place.find(parent.id);
            if (found != place.end() && found->second >= i) return false;
        }
    }
    return place.size() == list.size();
}

/// Several nodes hear the same vertices in different orders and at different times; each block is
/// built by one of them on what it has. All agree on validity and order. When a lane forked, it is
/// closed in the end, as the final state would; everything that honest lanes wrote becomes final.
class Chain {
public:
    Chain(std::uint64_t seed, std::optional<std::uint32_t> forker) : forker_{forker}, prng_{seed} {
        all_ = testing::draw_graph(authors_, {.seats = 5, .vertices = 60, .forker = forker}, prng_);
        inboxes_.assign(nodes, all_);
        for (auto& inbox : inboxes_) {
            dags_.emplace_back(authors_.roster());
            shuffle(inbox, prng_);
        }
    }
    void run() {
        for (std::uint64_t view = 1; view <= 120; ++view) {
            for (std::size_t i = 0; i < nodes; ++i)
                deliver(i, prng_.below(6));
            if (view == 80 && forker_) close(Authors::lane(*forker_));
            ASSERT_NO_FATAL_FAILURE(block(View{view}));
        }
        ASSERT_EQ(std::set<VertexPtr>(output_.begin(), output_.end()).size(), output_.size());
        for (const VertexPtr& vertex : all_) {
            const bool honest = vertex->header().lane.seat.value() != forker_;
            ASSERT_TRUE(!honest || std::count(output_.begin(), output_.end(), vertex) == 1);
        }
        for (std::size_t i = 1; i < nodes; ++i)
            ASSERT_EQ(dags_[i].overlay(), dags_[0].overlay());
    }

private:
    static constexpr std::size_t nodes = 3;

    void hear(Dag& dag, const VertexPtr& vertex) {
        const auto fork = add(dag, vertex).fork;
        if (!fork) return;
        // A proof is spread once; whoever has it judges alike.
        for (Dag& other : dags_)
            other.mark_forked(fork->a.header.lane, fork->a.header.sequence);
    }
    void deliver(std::size_t node, std::size_t count) {
        auto& inbox = inboxes_[node];
        for (; count > 0 && !inbox.empty(); --count) {
            hear(dags_[node], inbox.back());
            inbox.pop_back();
        }
    }
    void close(const LaneId& lane) {
        const auto at = cut_.find(lane);
        closed_[lane] = at == cut_.end() ? Sequence{} : at->second.sequence;
        for (Dag& dag : dags_)
            dag.close(closed_);
    }
    /// Fetches from the leader what a proposal covers, and judges it.
    void judge(Dag& dag, const Dag& leader, const std::vector<LaneRange>& delta) {
        auto check = dag.check_delta(cut_, delta, closed_);
        for (int round = 0; check.verdict == Verdict::missing; ++round) {
            ASSERT_LT(round, 20);
            dag.want(check.missing);
            for (const LaneRange& range : check.missing) {
                const auto held = leader.range(range);
                ASSERT_TRUE(held);
                for (const VertexPtr& vertex : *held)
                    hear(dag, vertex);
            }
            check = dag.check_delta(cut_, delta, closed_);
        }
        ASSERT_EQ(check.verdict, Verdict::valid) << check.why;
    }
    void block(View view) {
        const Dag& leader = dags_[prng_.below(nodes)];
        ASSERT_EQ(
            leader.has_unordered(cut_, closed_),
            !leader.build_delta(cut_, limits::block_vertices_max, limits::block_bytes_max, closed_)
                 .empty()
        );
        const auto delta =
            leader.build_delta(cut_, 1 + prng_.below(12), limits::block_bytes_max, closed_);
        const BlockId parent{blake3(as_bytes(std::to_string(view.value())))};
        const auto order = leader.order(cut_, delta, parent, view);
        ASSERT_TRUE(causal(order));
        for (Dag& dag : dags_) {
            ASSERT_NO_FATAL_FAILURE(judge(dag, leader, delta));
            ASSERT_EQ(dag.order(cut_, delta, parent, view), order);
        }
        output_.insert(output_.end(), order.begin(), order.end());
        apply(cut_, delta);
        for (Dag& dag : dags_) {
            dag.finalize(cut_);
            for (const auto& [lane, tip] : cut_) {
                const VertexPtr held = dag.at(lane, tip.sequence);
                ASSERT_TRUE(held == nullptr || held->id() == tip.id);
                ASSERT_GE(dag.tip(lane)->sequence, tip.sequence);
            }
            if (prng_.chance(1, 8)) dag.prune(cut_);
            check_now(dag, all_);
            ASSERT_TRUE(causal(dag.overlay()));
        }
    }

    Authors authors_{5};
    std::optional<std::uint32_t> forker_;
    Prng prng_;
    std::vector<VertexPtr> all_;
    std::vector<Dag> dags_;
    std::vector<std::vector<VertexPtr>> inboxes_;
    Cut cut_;
    ClosedLanes closed_;
    std::vector<VertexPtr> output_;
};

TEST(DagProperties, EveryNodeAgreesOnDeltasAndOrder) {
    for (std::uint64_t seed = 1; seed <= 25; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        ASSERT_NO_FATAL_FAILURE((Chain{seed, std::nullopt}.run()));
    }
}

TEST(DagProperties, EveryNodeAgreesAlthoughALaneForks) {
    for (std::uint64_t seed = 101; seed <= 150; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        ASSERT_NO_FATAL_FAILURE((Chain{seed, 1}.run()));
    }
}

TEST(DagProperties, FetchingWhatIsMissingEndsWithEverything) {
    Authors authors{6};
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Prng prng{seed};
        auto all = testing::draw_graph(authors, {.seats = 6, .vertices = 120}, prng);
        Dag full{authors.roster()};
        add_all(full, all);
        Dag dag{authors.roster()};
        for (const VertexRef& tip : full.tips())
            add(dag, full.find(tip.id));
        for (int round = 0; dag.parked() > 0; ++round) {
            ASSERT_LT(round, 40) << "seed " << seed;
            const auto missing = dag.missing(3);
            ASSERT_FALSE(missing.empty());
            for (const LaneRange& range : missing) {
                const auto held = full.range(range);
                ASSERT_TRUE(held);
                add_all(dag, *held);
            }
        }
        EXPECT_EQ(dag.overlay(), full.overlay());
    }
}

TEST(DagProperties, ALongChainThatArrivesBackwardsCompletesWithoutRecursion) {
    Authors authors{3};
    constexpr std::size_t length = 20'000;
    Dag dag{authors.roster(), {.lane_window_vertices = length, .parked_per_lane_max = length}};
    const auto chain = authors.chain(0, length);
    for (std::size_t i = length - 1; i > 0; --i)
        ASSERT_EQ(add(dag, chain[i]).added, Dag::Added::parked);
    EXPECT_EQ(add(dag, chain[0]).completed.size(), length);
    EXPECT_EQ(dag.overlay(), chain);
}

TEST(VertexIndex, FindsWhatIsInItAndNothingElse) {
    Prng prng{7};
    VertexIndex index{3};
    std::map<VertexId, VertexIndex::Place> model;
    const auto id_of = [](std::uint64_t n) {
        std::array<std::uint8_t, 32> bytes{};
        bytes[0] = static_cast<std::uint8_t>(n % 61);  // Many ids share their first bytes.
        bytes[8] = static_cast<std::uint8_t>(n);
        bytes[9] = static_cast<std::uint8_t>(n >> 8U);
        return VertexId{Digest{bytes}};
    };
    for (int step = 0; step < 20'000; ++step) {
        const std::uint64_t n = prng.below(700);
        const VertexId id = id_of(n);
        const VertexIndex::Place place{static_cast<std::uint32_t>(n), Sequence{n}};
        const auto* found = index.find(id, [&](const auto& p) { return p == place; });
        ASSERT_EQ(found != nullptr, model.contains(id));
        if (found == nullptr) {
            index.insert(id, place);
            model.emplace(id, place);
        } else {
            index.erase(id, place);
            model.erase(id);
        }
        ASSERT_EQ(index.size(), model.size());
    }
    for (const auto& [id, place] : model) {
        const auto expected = place;
        EXPECT_NE(index.find(id, [&](const auto& p) { return p == expected; }), nullptr);
    }
}

}  // namespace
}  // namespace creto
