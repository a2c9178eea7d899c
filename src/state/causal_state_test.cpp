#include "state/causal_state.hpp"

#include <gtest/gtest.h>

#include "base/prng.hpp"
#include "state/state_fixture.hpp"

namespace creto {
namespace {

using namespace state_test;  // NOLINT(google-build-using-namespace): the bench of this layer

std::vector<std::string> texts(const CausalState::Value& value) {
    std::vector<std::string> list;
    for (const Bytes& bytes : value.values)
        list.emplace_back(as_text(bytes));
    return list;
}

/// A node: a final state with a causal reading over it.
struct Node {
    explicit Node(const Network& net) : state{net.roster}, causal{state} {}

    void finalise(const std::vector<VertexPtr>& ordered) {
        state_test::finalise(state, ordered);
        causal.apply_final(ordered);
    }
    FinalState state;
    CausalState causal;
};

// S3.2: 4 nodes, 2 + 2; counter 1, then +10 on one side and +20 on the other.
TEST(CausalState, TwoSidesOfAPartitionMeet) {
    Network net{4};
    Node left{net};
    Node right{net};
    const VertexPtr one = net.vertex(
        0, {net.operation(0, count("causal/n", 1)), net.operation(0, write("causal/r", "start"))}
    );
    left.finalise({one});
    right.finalise({one});
    const std::vector<Dot> start = left.causal.observed("causal/r");

    const VertexPtr ten = net.vertex(
        1,
        {net.operation(1, count("causal/n", 10)), net.operation(1, write("causal/r", "l", start))}
    );
    const VertexPtr twenty = net.vertex(
        2,
        {net.operation(2, count("causal/n", 20)), net.operation(2, write("causal/r", "r", start))}
    );
    left.causal.add(ten);
    right.causal.add(twenty);
    EXPECT_EQ(left.causal.read("causal/n").counter, 11);
    EXPECT_EQ(right.causal.read("causal/n").counter, 21);
    EXPECT_EQ(texts(left.causal.read("causal/r")), (std::vector<std::string>{"l"}));
    EXPECT_EQ(texts(right.causal.read("causal/r")), (std::vector<std::string>{"r"}));
    EXPECT_NE(left.causal.summary(), right.causal.summary());

    left.causal.add(twenty);
    right.causal.add(ten);
    EXPECT_EQ(left.causal.summary(), right.causal.summary());
    for (Node* node : {&left, &right}) {
        EXPECT_EQ(node->causal.read("causal/n").counter, 31);
        EXPECT_EQ(texts(node->causal.read("causal/r")), (std::vector<std::string>{"l", "r"}));
    }
    // A later write of 42 wins everywhere, also where it comes by the final order.
    const VertexPtr resolve = net.vertex(
        3, {net.operation(3, write("causal/r", "42", left.causal.observed("causal/r")))}
    );
    left.causal.add(resolve);
    right.finalise({twenty, resolve, ten});
    for (Node* node : {&left, &right}) {
        EXPECT_EQ(texts(node->causal.read("causal/r")), (std::vector<std::string>{"42"}));
        EXPECT_EQ(node->causal.read("causal/n").counter, 31);
    }
    EXPECT_EQ(left.causal.summary(), right.causal.summary());
    EXPECT_EQ(right.causal.overlay_vertices(), 0U);
}

TEST(CausalState, ReadsNothingWhereNothingIs) {
    Network net{4};
    Node node{net};
    EXPECT_EQ(node.causal.read("causal/absent"), CausalState::Value{});
    const VertexPtr zero = net.vertex(0, {net.operation(0, count("causal/n", 0))});
    node.causal.add(zero);
    EXPECT_EQ(node.causal.read("causal/n").counter, 0);
    EXPECT_TRUE(node.causal.read("causal/n").found);
}

TEST(CausalState, ClearTakesAwayWhatWasObservedOnly) {
    Network net{4};
    Node node{net};
    node.causal.add(net.vertex(0, {net.operation(0, write("causal/r", "a"))}));
    const std::vector<Dot> seen = node.causal.observed("causal/r");
    node.causal.add(net.vertex(1, {net.operation(1, write("causal/r", "b"))}));
    node.causal.add(net.vertex(2, {net.operation(2, clear("causal/r", seen))}));
    EXPECT_EQ(texts(node.causal.read("causal/r")), (std::vector<std::string>{"b"}));
    node.causal.add(
        net.vertex(2, {net.operation(2, clear("causal/r", node.causal.observed("causal/r")))})
    );
    EXPECT_FALSE(node.causal.read("causal/r").found);
}

TEST(CausalState, ObservesAtMostTheLimitAndLaterWritesTakeTheRest) {
    Network net{4};
    Node node{net};
    std::vector<Operation> many;
    for (std::size_t i = 0; i < limits::dots_max + 6; ++i) {
        const auto client = net.outsider(static_cast<std::uint8_t>(100 + i));
        many.push_back(net.signed_by(*client, write("causal/r", std::to_string(i))));
    }
    node.causal.add(net.vertex(0, {many.begin(), many.begin() + 40}));
    node.causal.add(net.vertex(1, {many.begin() + 40, many.end()}));
    EXPECT_EQ(node.causal.read("causal/r").values.size(), limits::dots_max + 6);
    for (const std::size_t left : {7U, 1U}) {
        const std::vector<Dot> seen = node.causal.observed("causal/r");
        EXPECT_LE(seen.size(), limits::dots_max);
        node.causal.add(net.vertex(2, {net.operation(2, write("causal/r", "new", seen))}));
        EXPECT_EQ(node.causal.observed("causal/r").size(), left);
    }
    EXPECT_EQ(texts(node.causal.read("causal/r")), (std::vector<std::string>{"new"}));
}

TEST(CausalState, NobodyIsConcurrentWithItself) {
    Network net{4};
    Node node{net};
    const VertexPtr first = net.vertex(0, {net.operation(0, write("causal/r", "1"))});
    const VertexPtr second = net.vertex(0, {net.operation(0, write("causal/r", "2"))});
    node.causal.add(second);
    node.causal.add(first);
    EXPECT_EQ(texts(node.causal.read("causal/r")), (std::vector<std::string>{"2"}));
    node.finalise({first});
    EXPECT_EQ(texts(node.causal.read("causal/r")), (std::vector<std::string>{"2"}));
    node.finalise({second});
    EXPECT_EQ(texts(node.causal.read("causal/r")), (std::vector<std::string>{"2"}));
    EXPECT_EQ(node.state.causal_base().find("causal/r")->values.size(), 1U);
}

TEST(CausalBase, ALaneHoldsAtMostTheLimitOfConcurrentValues) {
    Network net{4};
    FinalState state{net.roster};
    std::vector<Operation> many;
    for (std::size_t i = 0; i <= limits::dots_max; ++i) {
        const auto client = net.outsider(static_cast<std::uint8_t>(100 + i));
        many.push_back(net.signed_by(*client, write("causal/r", std::to_string(i))));
    }
    const auto done = finalise(state, {net.vertex(0, many)});
    EXPECT_TRUE(done.operations[limits::dots_max - 1].applied);
    EXPECT_EQ(
        done.operations[limits::dots_max].reason,
        "its lane holds too many concurrent values of this key"
    );
    EXPECT_EQ(state.causal_base().find("causal/r")->values.size(), limits::dots_max);
    // Another lane's, and another value of one that is there, still fit.
    const auto client = net.outsider(100);
    EXPECT_TRUE(finalise(
                    state,
                    {net.vertex(0, {net.signed_by(*client, write("causal/r", "again"))}),
                     net.vertex(1, {net.operation(1, write("causal/r", "other"))})}
    )
                    .operations[1]
                    .applied);
}

TEST(CausalState, CountersWrap) {
    Network net{4};
    Node node{net};
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    const VertexPtr up = net.vertex(0, {net.operation(0, count("causal/n", most))});
    const VertexPtr over = net.vertex(1, {net.operation(1, count("causal/n", 1))});
    node.finalise({up});
    node.causal.add(over);
    EXPECT_EQ(node.causal.read("causal/n").counter, std::numeric_limits<std::int64_t>::min());
    node.finalise({over});
    EXPECT_EQ(node.causal.read("causal/n").counter, std::numeric_limits<std::int64_t>::min());
}

// [STATE-ONCE.1]
TEST(CausalState, AClientsUpdateCarriedByTwoLanesCountsOnce) {
    Network net{4};
    Node node{net};
    const auto client = net.outsider(90);
    const Operation add = net.signed_by(*client, count("causal/n", 10), Height{5});
    const VertexPtr first = net.vertex(0, {add});
    const VertexPtr second = net.vertex(1, {add});
    node.causal.add(first);
    node.causal.add(second);
    EXPECT_EQ(node.causal.read("causal/n").counter, 10);
    node.finalise({first});
    EXPECT_EQ(node.causal.read("causal/n").counter, 10);
    const Digest before = node.causal.summary();
    node.finalise({second});
    EXPECT_EQ(node.causal.read("causal/n").counter, 10);
    EXPECT_EQ(node.causal.summary(), before);

    // One that can no longer become final is not shown either.
    const Operation late = net.signed_by(*client, count("causal/n", 5), Height{3});
    node.causal.add(net.vertex(2, {late}));
    EXPECT_EQ(node.causal.read("causal/n").counter, 15);
    const Digest shown = node.causal.summary();
    node.finalise({});
    EXPECT_EQ(node.causal.read("causal/n").counter, 10);
    EXPECT_NE(node.causal.summary(), shown);
    EXPECT_EQ(node.causal.summary(), before);
}

TEST(CausalState, AWriteOutlivesItsExpiryInALongPartition) {
    Network net{4};
    Node node{net};
    const VertexPtr old = net.vertex(0, {net.operation(0, count("causal/n", 7), Height{2})});
    node.causal.add(old);
    for (int i = 0; i < 10; ++i)
        node.finalise({});
    EXPECT_EQ(node.causal.read("causal/n").counter, 7);
    const auto done = state_test::finalise(node.state, {old});
    node.causal.apply_final({old});
    EXPECT_EQ(done.operations[0].reason, "it expired at height 2");
    EXPECT_FALSE(done.operations[0].counted);
    EXPECT_EQ(node.causal.read("causal/n").counter, 7) << "accepted, shown, and so kept";
}

TEST(CausalState, OthersUnsignedWritesDoNotCount) {
    Network net{4};
    Node node{net};
    const VertexPtr forged = net.vertex(0, {net.operation(1, count("causal/n", 7))});
    node.causal.add(forged);
    EXPECT_FALSE(node.causal.read("causal/n").found);
    node.finalise({forged});
    EXPECT_FALSE(node.causal.read("causal/n").found);
}

TEST(CausalState, ARemovalThatComesFirstWaitsAndLeavesNoTombstone) {
    Network net{4};
    Node node{net};
    Node other{net};
    const VertexPtr value = net.vertex(0, {net.operation(0, write("causal/r", "a"))});
    other.causal.add(value);
    // The remover does not name the value's vertex as a parent, so it may be ordered first.
    const VertexPtr removal =
        net.vertex(1, {net.operation(1, clear("causal/r", other.causal.observed("causal/r")))});
    node.finalise({removal});
    EXPECT_TRUE(node.state.get("causal/r").has_value()) << "the removal waits";
    node.causal.add(value);
    EXPECT_FALSE(node.causal.read("causal/r").found);
    node.finalise({value});
    EXPECT_FALSE(node.causal.read("causal/r").found);
    EXPECT_EQ(node.state.get("causal/r"), std::nullopt) << "nothing is left of it";
}

TEST(CausalState, RemovalsOfWhatCannotComeAreNotKept) {
    Network net{4};
    Node node{net};
    std::vector<Dot> absurd{
        {{Seat{0}, {}}, Sequence{limits::lane_window_vertices + 1}, 0, 1},
        {{Seat{9}, {}}, Sequence{1}, 0, 1}};
    node.finalise({net.vertex(1, {net.operation(1, clear("causal/r", absurd))})});
    EXPECT_EQ(node.state.get("causal/r"), std::nullopt);
    absurd = {{{Seat{0}, {}}, Sequence{limits::lane_window_vertices}, 0, 1}};
    node.finalise({net.vertex(1, {net.operation(1, clear("causal/r", absurd))})});
    EXPECT_TRUE(node.state.get("causal/r").has_value());
}

TEST(CausalState, WhenAnotherBranchIsFinalTheOverlayLetsGo) {
    Network net{4};
    Node node{net};
    Network twin{4};  // The same keys: a seat that signs two vertices for one place.
    const VertexPtr mine = net.vertex(0, {net.operation(0, write("causal/r", "a"))});
    const VertexPtr theirs = twin.vertex(0, {twin.operation(0, write("causal/r", "b"))});
    ASSERT_NE(mine->id(), theirs->id());
    node.causal.add(mine);
    EXPECT_EQ(texts(node.causal.read("causal/r")), (std::vector<std::string>{"a"}));
    node.finalise({theirs});
    EXPECT_EQ(texts(node.causal.read("causal/r")), (std::vector<std::string>{"b"}));
    EXPECT_EQ(node.causal.overlay_vertices(), 0U);
    node.causal.add(mine);
    EXPECT_EQ(node.causal.overlay_vertices(), 0U) << "below the cut nothing is added";
}

TEST(CausalState, SetOverlayReplacesIt) {
    Network net{4};
    Node node{net};
    const VertexPtr a = net.vertex(0, {net.operation(0, count("causal/n", 1))});
    const VertexPtr b = net.vertex(1, {net.operation(1, count("causal/n", 2))});
    node.causal.add(a);
    node.causal.set_overlay({b});
    EXPECT_EQ(node.causal.read("causal/n").counter, 2);
    node.causal.set_overlay({});
    EXPECT_FALSE(node.causal.read("causal/n").found);
    EXPECT_EQ(node.causal.summary(), merkle_empty());
}

/// What random authors wrote, each after having seen some of what the others wrote.
struct History {
    explicit History(std::uint64_t seed) : net{4} {
        Prng prng{seed};
        const auto client = net.outsider(90);
        std::vector<std::unique_ptr<Node>> authors;
        for (int i = 0; i < 4; ++i)
            authors.push_back(std::make_unique<Node>(net));
        for (int step = 0; step < 40; ++step) {
            const auto seat = static_cast<std::uint32_t>(prng.below(4));
            CausalState& seen = authors[seat]->causal;
            for (const VertexPtr& vertex : vertices) {
                if (prng.chance(1, 3)) seen.add(vertex);
            }
            std::vector<Operation> operations;
            for (std::uint64_t i = 1 + prng.below(3); i > 0; --i)
                operations.push_back(random_operation(prng, seat, seen, *client));
            vertices.push_back(net.vertex(seat, std::move(operations)));
            seen.add(vertices.back());
        }
    }
    Operation random_operation(
        Prng& prng, std::uint32_t seat, const CausalState& seen, const Signer& client
    ) {
        const std::string key = "causal/" + std::to_string(prng.below(3));
        const auto amount = static_cast<std::int64_t>(prng.below(100)) - 50;
        switch (prng.below(6)) {
            case 0:
                return net.operation(seat, clear(key, seen.observed(key)));
            case 1:
                return net.operation(seat, count(key, amount));
            case 2:
                if (!carried.empty() && prng.chance(1, 2)) return carried.back();
                carried.push_back(net.signed_by(client, count(key, amount), Height{1'000}));
                return carried.back();
            case 3:
                return net.signed_by(
                    client,
                    write(key, std::to_string(prng.below(9)), some(seen.observed(key), prng))
                );
            default:
                return net.operation(
                    seat, write(key, std::to_string(prng.below(9)), some(seen.observed(key), prng))
                );
        }
    }
    /// Not all writers are thorough.
    static std::vector<Dot> some(std::vector<Dot> dots, Prng& prng) {
        std::erase_if(dots, [&](const Dot&) { return prng.chance(1, 3); });
        return dots;
    }

    Network net;
    std::vector<VertexPtr> vertices;
    std::vector<Operation> carried;
};

/// A random order in which each lane's own vertices keep theirs.
std::vector<VertexPtr> shuffled(const std::vector<VertexPtr>& vertices, Prng& prng) {
    std::map<LaneId, std::vector<VertexPtr>> lanes;
    for (const VertexPtr& vertex : vertices)
        lanes[vertex->header().lane].push_back(vertex);
    std::vector<VertexPtr> order;
    while (!lanes.empty()) {
        auto lane = lanes.begin();
        std::advance(lane, static_cast<std::ptrdiff_t>(prng.below(lanes.size())));
        order.push_back(lane->second.front());
        lane->second.erase(lane->second.begin());
        if (lane->second.empty()) lanes.erase(lane);
    }
    return order;
}

// [CRDT-CONVERGE.1]
TEST(CausalState, EveryOrderAndEverySplitGivesTheSameReading) {
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        History history{seed};
        Prng prng{seed + 1'000};
        Node all_above{history.net};
        for (const VertexPtr& vertex : history.vertices)
            all_above.causal.add(vertex);
        const Digest expected = all_above.causal.summary();

        for (int round = 0; round < 8; ++round) {
            const std::vector<VertexPtr> order = shuffled(history.vertices, prng);
            const std::size_t split = prng.below(order.size() + 1);
            Node node{history.net};
            // Some of it is known before it is final, in any order at all.
            for (std::size_t i = 0; i < order.size(); ++i)
                node.causal.add(order[prng.below(order.size())]);
            for (std::size_t done = 0; done < split;) {
                const std::size_t block = std::min(split - done, 1 + prng.below(6));
                node.finalise(
                    {order.begin() + static_cast<std::ptrdiff_t>(done),
                     order.begin() + static_cast<std::ptrdiff_t>(done + block)}
                );
                done += block;
            }
            for (std::size_t i = order.size(); i > 0; --i)
                node.causal.add(order[i - 1]);
            ASSERT_EQ(node.causal.summary(), expected)
                << "seed " << seed << " round " << round << " split " << split;
            for (const char* key : {"causal/0", "causal/1", "causal/2"}) {
                ASSERT_EQ(node.causal.read(key), all_above.causal.read(key)) << key;
                ASSERT_EQ(node.causal.observed(key), all_above.causal.observed(key)) << key;
            }
            if (split < order.size()) continue;
            // All of it is final: no removal waits any more.
            for (const auto& [key, entry] : node.state.causal_base().entries())
                EXPECT_TRUE(entry.pending.empty()) << key;
        }
    }
}

// [CRDT-CONVERGE.1]
TEST(CausalState, TheSummaryTellsReadingsApart) {
    Network net{4};
    Node a{net};
    Node b{net};
    EXPECT_EQ(a.causal.summary(), b.causal.summary());
    const VertexPtr plus = net.vertex(0, {net.operation(0, count("causal/n", 1))});
    const VertexPtr value = net.vertex(1, {net.operation(1, write("causal/n", "x"))});
    a.causal.add(plus);
    EXPECT_NE(a.causal.summary(), b.causal.summary());
    b.finalise({value});
    EXPECT_NE(a.causal.summary(), b.causal.summary());
    a.causal.add(value);
    b.causal.add(plus);
    EXPECT_EQ(a.causal.summary(), b.causal.summary());
}

}  // namespace
}  // namespace creto
