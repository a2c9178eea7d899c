#include "state/causal_state.hpp"

#include <gtest/gtest.h>

#include "state/testing/causal_texts.hpp"

namespace creto {
namespace {

using namespace state_test;  // NOLINT(google-build-using-namespace): the bench of this layer
using Action = CrdtOperation::Action;
// S3.2: 4 nodes, 2 + 2; counter 1, then +10 on one side and +20 on the other.
TEST(CausalState, TwoSidesOfAPartitionMeet) {
    Network net{4};
    Node left{net};
    Node right{net};
    const VertexPtr one = left.make(net, 0, {count("causal/n", 1), write("causal/r", "start")});
    left.finalise({one});
    right.finalise({one});

    const VertexPtr ten = left.make(net, 0, {count("causal/n", 10), write("causal/r", "l")});
    const VertexPtr twenty = right.make(net, 2, {count("causal/n", 20), write("causal/r", "r")});
    EXPECT_EQ(left.causal.read("causal/n").counter, 11);
    EXPECT_EQ(right.causal.read("causal/n").counter, 21);
    EXPECT_EQ(values(left, "causal/r"), (Texts{"l"}));
    EXPECT_EQ(values(right, "causal/r"), (Texts{"r"}));
    EXPECT_NE(left.causal.summary(), right.causal.summary());

    left.causal.add(twenty);
    right.causal.add(ten);
    EXPECT_EQ(left.causal.summary(), right.causal.summary());
    for (Node* node : {&left, &right}) {
        EXPECT_EQ(node->causal.read("causal/n").counter, 31);
        EXPECT_EQ(values(*node, "causal/r"), (Texts{"l", "r"}));
    }
    // A later write of 42 wins everywhere, also where it comes by the final order.
    const VertexPtr resolve = left.make(net, 3, {write("causal/r", "42")});
    right.finalise({twenty, resolve, ten});
    for (Node* node : {&left, &right}) {
        EXPECT_EQ(values(*node, "causal/r"), (Texts{"42"}));
        EXPECT_EQ(node->causal.read("causal/n").counter, 31);
    }
    EXPECT_EQ(left.causal.summary(), right.causal.summary());
    EXPECT_EQ(right.causal.overlay_vertices(), 0U);
}

TEST(CausalState, ReadsNothingWhereNothingIs) {
    Network net{4};
    Node node{net};
    EXPECT_EQ(node.causal.read("causal/absent"), CausalReading{});
    node.make(net, 0, {count("causal/n", 0)});
    EXPECT_EQ(node.causal.read("causal/n").counter, 0);
    EXPECT_TRUE(node.causal.read("causal/n").found);
}

TEST(CausalState, ClearTakesAwayWhatWasObservedOnly) {
    Network net{4};
    Node node{net};
    Node other{net};
    other.causal.add(node.make(net, 0, {write("causal/r", "a")}));
    const VertexPtr cleared = node.make(net, 2, removal(node, {"causal/r", {}}));
    EXPECT_FALSE(node.causal.read("causal/r").found);
    node.causal.add(other.make(net, 1, {write("causal/r", "b")}));
    other.causal.add(cleared);
    EXPECT_EQ(values(node, "causal/r"), (Texts{"b"}));
    EXPECT_EQ(values(other, "causal/r"), (Texts{"b"}));
}

TEST(CausalState, NobodyIsConcurrentWithItself) {
    Network net{4};
    Node node{net};
    const VertexPtr first = net.vertex(0, {net.operation(0, write("causal/r", "1"))});
    const VertexPtr second = net.vertex(
        0, {net.operation(0, write("causal/r", "x")), net.operation(0, write("causal/r", "2"))}
    );
    node.causal.add(second);
    node.causal.add(first);
    EXPECT_EQ(values(node, "causal/r"), (Texts{"2"}));
    node.finalise({first});
    EXPECT_EQ(values(node, "causal/r"), (Texts{"2"}));
    node.finalise({second});
    EXPECT_EQ(values(node, "causal/r"), (Texts{"2"}));
    EXPECT_EQ(node.state.causal_base().entries().begin()->second.values.size(), 1U);
}

TEST(CausalState, CountersWrap) {
    Network net{4};
    Node node{net};
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    node.finalise({node.make(net, 0, {count("causal/n", most)})});
    const VertexPtr over = node.make(net, 1, {count("causal/n", 1)});
    EXPECT_EQ(node.causal.read("causal/n").counter, std::numeric_limits<std::int64_t>::min());
    node.finalise({over});
    EXPECT_EQ(node.causal.read("causal/n").counter, std::numeric_limits<std::int64_t>::min());
}

TEST(CausalState, ACounterIsTheSumOfTheLanesShares) {
    Network net{4};
    Node node{net};
    const VertexPtr first = node.make(net, 0, {count("causal/n", 1), count("causal/n", 2)});
    const VertexPtr second = node.make(net, 0, {count("causal/n", 4)});
    const VertexPtr other = node.make(net, 1, {count("causal/n", 10)});
    EXPECT_EQ(node.causal.read("causal/n").counter, 17);
    node.finalise({first, other});
    EXPECT_EQ(node.causal.read("causal/n").counter, 17);
    // What comes after a removal in one vertex begins anew.
    std::vector<OperationBody> again = removal(node, {"causal/n", {}});
    again.push_back(count("causal/n", 5));
    node.make(net, 0, again);
    EXPECT_EQ(node.causal.read("causal/n").counter, 5);
    node.finalise({second});
    EXPECT_EQ(node.causal.read("causal/n").counter, 5);
}

TEST(CausalState, AnAddThatDidNotSeeTheRemovalKeepsItsLanesShare) {
    Network net{4};
    Node node{net};
    Node other{net};
    other.causal.add(node.make(net, 0, {count("causal/n", 5)}));
    const VertexPtr more = node.make(net, 1, {count("causal/n", 7)});
    other.causal.add(more);
    const VertexPtr gone = other.make(net, 2, removal(other, {"causal/n", {}}));
    EXPECT_FALSE(other.causal.read("causal/n").found);
    const VertexPtr late = node.make(net, 0, {count("causal/n", 1)});
    node.causal.add(gone);
    other.causal.add(late);
    // Lane 0's add is concurrent with the removal and stands for all of its share; lane 1's is gone.
    EXPECT_EQ(node.causal.read("causal/n").counter, 6);
    EXPECT_EQ(other.causal.read("causal/n").counter, 6);
}

TEST(CausalState, AWriteOutlivesItsExpiryInALongPartition) {
    Network net{4};
    Node node{net};
    const VertexPtr old = net.vertex(0, {net.operation(0, count("causal/n", 7), Height{2})});
    node.causal.add(old);
    for (int i = 0; i < 10; ++i)
        node.finalise({});
    EXPECT_EQ(node.causal.read("causal/n").counter, 7);
    const auto done = node.finalise({old});
    EXPECT_EQ(done.operations[0].reason, "it expired at height 2");
    EXPECT_FALSE(done.operations[0].counted);
    EXPECT_EQ(node.causal.read("causal/n").counter, 7) << "accepted, shown, and so kept";
}

// [CRDT-OWN.1]
TEST(CausalState, OnlyTheLanesOwnerWrites) {
    Network net{4};
    Node node{net};
    const auto client = net.outsider(90);
    const VertexPtr forged = net.vertex(
        0,
        {net.operation(1, count("causal/n", 7)),
         net.signed_by(*client, count("causal/n", 7)),
         net.signed_by(*net.signers[0], count("causal/n", 7))}
    );
    node.causal.add(forged);
    EXPECT_FALSE(node.causal.read("causal/n").found);
    const auto done = node.finalise({forged});
    for (const auto& operation : done.operations)
        EXPECT_FALSE(operation.applied);
    EXPECT_FALSE(node.causal.read("causal/n").found);
}

// --- what comes early, late or never ---

// [CRDT-GONE.1]
TEST(CausalState, ARemovalThatComesFirstWaitsAndLeavesNoTombstone) {
    Network net{4};
    Node node{net};
    Node other{net};
    const Digest empty = node.causal.summary();
    const VertexPtr value = other.make(net, 0, {write("causal/r", "a")});
    // The remover does not name the value's vertex as a parent, so it may be ordered first.
    const VertexPtr gone = other.make(net, 1, removal(other, {"causal/r", {}}));
    node.finalise({gone});
    EXPECT_EQ(node.state.causal_base().removals_waiting(), 1U);
    node.causal.add(value);
    EXPECT_FALSE(node.causal.read("causal/r").found);
    node.finalise({value});
    EXPECT_FALSE(node.causal.read("causal/r").found);
    EXPECT_EQ(node.causal.summary(), empty);
    EXPECT_EQ(node.state.causal_base().removals_waiting(), 0U) << "nothing is left of it";
    EXPECT_TRUE(node.state.causal_base().entries().empty());
}

// [CRDT-GONE.1]
TEST(CausalState, RemovalsOfWhatCannotComeAreNotKept) {
    Network net{4};
    Node node{net};
    const LaneId lane{Seat{0}, {}};
    for (const Dot& absurd :
         {Dot{lane, Sequence{limits::lane_window_vertices + 1}, 0, 1},
          Dot{{Seat{9}, {}}, Sequence{1}, 0, 1},
          Dot{{Seat{0}, Incarnation{1}}, Sequence{1}, 0, 1}}) {
        node.finalise({net.vertex(1, {net.operation(1, clear("causal/r", {absurd}))})});
        EXPECT_EQ(node.state.causal_base().removals_waiting(), 0U);
    }
    const Dot possible{lane, Sequence{limits::lane_window_vertices}, 0, 1};
    node.finalise({net.vertex(1, {net.operation(1, clear("causal/r", {possible}))})});
    EXPECT_EQ(node.state.causal_base().removals_waiting(), 1U);
    // The cut passes the place without it: made up after all.
    node.state = FinalState{net.roster};
    node.causal.set_overlay({});
    EXPECT_FALSE(node.causal.read("causal/r").found);
}

// [CRDT-GONE.1]
TEST(CausalState, RemovalsThatWaitSurviveASnapshot) {
    Network net{4};
    Node node{net};
    Node other{net};
    const VertexPtr value = other.make(
        net, 0, {write("causal/r", "a"), causal(Action::set_add, "causal/s", std::string{"\0x", 2})}
    );
    std::vector<OperationBody> all = removal(other, {"causal/r", {}});
    all.push_back(removal(other, {"causal/s", {}}).front());
    node.finalise({other.make(net, 1, all)});
    EXPECT_EQ(node.state.causal_base().removals_waiting(), 2U);
    const Bytes bytes = node.state.snapshot();
    auto restored = FinalState::restore(bytes, node.state.mark(), net.roster);
    ASSERT_TRUE(restored.has_value()) << restored.error().message;
    EXPECT_EQ(restored->snapshot(), bytes);
    node.state = std::move(*restored);
    node.causal.set_overlay({value});
    EXPECT_FALSE(node.causal.read("causal/r").found);
    node.finalise({value});
    EXPECT_FALSE(node.causal.read("causal/s").found);
    EXPECT_EQ(node.state.causal_base().removals_waiting(), 0U);
}

TEST(CausalState, RemovalsAreTakenWhenTheStateIsFullAndPutsAreNot) {
    Network net{4};
    FinalState full{net.roster, {.causal_bytes = 1'300}};
    const VertexPtr value =
        net.vertex(0, {net.operation(0, write("causal/r", std::string(600, 'x')))});
    EXPECT_TRUE(finalise(full, {value}).operations[0].applied);
    const auto one = [&](OperationBody body) {
        return finalise(full, {net.vertex(1, {net.operation(1, std::move(body))})}).operations[0];
    };
    const std::string why = "the keys under causal/ have reached their limit";
    EXPECT_EQ(one(count("causal/n", 1)).reason, why);
    const Dot there{LaneId{Seat{0}, {}}, Sequence{1}, 0, value->id().value().prefix()};
    const Dot to_come{LaneId{Seat{2}, {}}, Sequence{1}, 0, 1};
    EXPECT_EQ(one(clear("causal/r", {to_come})).reason, why) << "this would have to be kept";
    EXPECT_TRUE(one(clear("causal/r", {there})).applied);
    EXPECT_TRUE(full.causal_base().entries().empty());
    EXPECT_TRUE(one(count("causal/n", 1)).applied);
}

TEST(CausalState, WhenAnotherBranchIsFinalTheOverlayLetsGo) {
    Network net{4};
    Node node{net};
    Network twin{4};  // The same keys: a seat that signs two vertices for one place.
    const VertexPtr mine = net.vertex(0, {net.operation(0, write("causal/r", "a"))});
    const VertexPtr theirs = twin.vertex(0, {twin.operation(0, write("causal/r", "b"))});
    ASSERT_NE(mine->id(), theirs->id());
    node.causal.add(mine);
    EXPECT_EQ(values(node, "causal/r"), (Texts{"a"}));
    node.finalise({theirs});
    EXPECT_EQ(values(node, "causal/r"), (Texts{"b"}));
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

// --- watching ---

TEST(CausalState, TellsWhatIsReadOtherwiseThanBefore) {
    Network net{4};
    Node node{net};
    const std::set<Place> both{{"causal/a", {}}, {"causal/a", {"f"}}};
    node.causal.watch({"causal/a"});
    const VertexPtr vertex = node.make(
        net, 0, {count("causal/a", 1), count("causal/a", 1, {"f"}), count("causal/b", 1)}
    );
    EXPECT_EQ(node.causal.take_changes(), both);
    EXPECT_TRUE(node.causal.take_changes().empty());
    node.finalise({vertex});
    EXPECT_TRUE(node.causal.take_changes().empty()) << "it reads the same";
    const VertexPtr missed = net.vertex(1, {net.operation(1, count("causal/a", 1))});
    node.finalise({missed});
    EXPECT_EQ(node.causal.take_changes(), (std::set<Place>{{"causal/a", {}}}));
    // A fork becomes known: what no longer counts is a change, what stays is none.
    const VertexPtr stays = node.make(net, 2, {count("causal/a", 1)});
    const VertexPtr goes = node.make(net, 3, {count("causal/a", 1, {"f"})});
    static_cast<void>(node.causal.take_changes());
    node.causal.set_overlay({stays});
    EXPECT_EQ(node.causal.take_changes(), (std::set<Place>{{"causal/a", {"f"}}}));
    node.causal.watch({});
    node.causal.set_overlay({stays, goes});
    EXPECT_TRUE(node.causal.take_changes().empty());
}

}  // namespace
}  // namespace creto
