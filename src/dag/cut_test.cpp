#include <gtest/gtest.h>
#include <set>

#include "dag/dag_testing.hpp"

namespace creto {
namespace {

using testing::add;
using testing::add_all;
using testing::Authors;
using testing::cut_of;
using testing::up_to;
using Verdict = Dag::DeltaCheck::Verdict;

TEST(DagCuts, ChecksWhatABlockMayCover) {
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

TEST(DagCuts, HoldsTheLimitsOfABlock) {
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

TEST(DagCuts, SharesAFullBlockBetweenLanes) {
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
            const std::uint64_t height = cut.tip(Authors::lane(seat)).sequence.value();
            least = std::min(least, height);
            most = std::max(most, height);
        }
        EXPECT_LE(most - least, 2U);
    }
}

TEST(DagCuts, OrdersByAKeyThatFavoursNoLane) {
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

}  // namespace
}  // namespace creto
