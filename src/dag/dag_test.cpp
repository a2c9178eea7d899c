#include "dag/dag.hpp"

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
using testing::ranges_to;
using testing::tip_of;
using testing::up_to;
using Verdict = Dag::DeltaCheck::Verdict;

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
    EXPECT_EQ(flaw_of(dag, {a1, b1, b2}), "");
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
    EXPECT_EQ(flaw_of(dag, chain), "");
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
    EXPECT_EQ(less.room(a1->header().lane), a2->bytes().size() - 1);
    EXPECT_EQ(less.add(checked(a2)).error().code, ErrorCode::limit);
    less.finalize(cut_of({a1}));
    EXPECT_EQ(add(less, a2).added, Dag::Added::complete);
    EXPECT_EQ(flaw_of(less, {a1, a2}), "");
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
    EXPECT_LT(dag.room(last->header().lane), last->bytes().size());
    // The greedy lane filled it; another still has its quarter.
    VertexPtr other;
    for (int i = 0; i < 8; ++i) {
        other = authors.vertex(1, {.after = other, .payload = 1'000});
        EXPECT_EQ(add(dag, other).added, Dag::Added::complete);
    }
    EXPECT_EQ(dag.room(other->header().lane), 10'000 - dag.unfinalized_bytes(other->header().lane));
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
    EXPECT_EQ(flaw_of(dag, chain), "");
    EXPECT_EQ(add(dag, chain[0]).completed.size(), 4U);
    add_all(dag, {chain[4], chain[5]});
    EXPECT_EQ(dag.tip(Authors::lane(0)), tip_of(chain[5]));
}

// Failure 38: the list of missing ancestors was unbounded, and what was thrown out of it first was
// what an attacker wished.
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

// A node asks at every event, and says each time what it waits for.
TEST(Dag, LooksForWhatIsMissingOnceUntilSomethingChanges) {
    Authors authors{3};
    Dag dag{authors.roster()};
    const auto a = authors.chain(0, 5);
    const auto b = authors.chain(1, 5);
    const std::vector<LaneRange> covered{up_to(a[3]), up_to(b[2])};
    for (int event = 0; event < 10; ++event) {
        dag.want(covered);
        EXPECT_EQ(dag.missing(8), covered);
    }
    EXPECT_EQ(dag.looks(), 1U);
    add(dag, a[4]);
    EXPECT_EQ(dag.missing(8).size(), 2U);
    add(dag, a[4]);  // Known.
    EXPECT_EQ(dag.missing(8).size(), 2U);
    EXPECT_EQ(dag.looks(), 2U);
    add_all(dag, {a[0], a[1], a[2], a[3]});
    EXPECT_EQ(dag.missing(8), std::vector{up_to(b[2])});
    EXPECT_EQ(dag.looks(), 3U);
    // Two ranges of a lane, said in turn.
    for (int event = 0; event < 10; ++event) {
        dag.want({up_to(b[2]), up_to(b[4])});
        EXPECT_EQ(dag.missing(8).size(), 2U);
    }
    EXPECT_EQ(dag.looks(), 4U);
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

// --- pruning and restarting ---

TEST(Dag, PrunesBelowTheFinalCutAndNeverTakesItBack) {
    Authors authors{3};
    Dag dag{authors.roster()};
    const auto a = authors.chain(0, 6);
    add_all(dag, a);
    dag.finalize(cut_of({a[4]}));
    EXPECT_EQ(dag.prune(ranges_to(cut_of({a[2]}))), 3U);
    EXPECT_EQ(dag.prune(ranges_to(cut_of({a[2]}))), 0U);
    EXPECT_EQ(dag.find(a[2]->id()), nullptr);
    EXPECT_EQ(dag.at(Authors::lane(0), Sequence{4}), a[3]);
    EXPECT_EQ(add(dag, a[1]).added, Dag::Added::stale);
    // A parent below counts as present, and the depth of the boundary is known.
    const VertexPtr b1 = authors.vertex(1, {.parents = {a[0]}});
    const VertexPtr c1 = authors.vertex(2, {.parents = {a[2]}});
    EXPECT_EQ(add(dag, b1).added, Dag::Added::complete);
    EXPECT_EQ(add(dag, c1).added, Dag::Added::complete);
    dag.finalize(cut_of({a[5]}));
    EXPECT_EQ(dag.prune(ranges_to(cut_of({a[5]}))), 3U);
    EXPECT_EQ(dag.tip(Authors::lane(0)), tip_of(a[5]));
    EXPECT_EQ(dag.next_parents(Authors::lane(0))->depth, 7U);
    const VertexPtr a7 = authors.vertex(0, {.after = a[5]});
    EXPECT_EQ(add(dag, a7).added, Dag::Added::complete);
    EXPECT_EQ(flaw_of(dag, {a[0], a[1], a[2], a[3], a[4], a[5], a7, b1, c1}), "");
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
    EXPECT_EQ(
        dag.adopt(cut_of({a[4], b1}), {a[4]->header()}), (std::vector<VertexPtr>{a[5], c1, c2})
    );
    EXPECT_EQ(dag.size(), 3U);
    EXPECT_EQ(dag.parked(), 0U);
    EXPECT_EQ(dag.next_parents(Authors::lane(0))->depth, 9U);
    EXPECT_FALSE(dag.next_parents(Authors::lane(1)));  // The own tip's depth is not known.
    EXPECT_EQ(dag.unfinalized(Authors::lane(0)), 1U);
    EXPECT_EQ(flaw_of(dag, {a[0], a[1], a[2], a[3], a[4], a[5], b1, c1, c2}), "");
}

}  // namespace
}  // namespace creto
