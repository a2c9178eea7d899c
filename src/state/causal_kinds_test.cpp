// Each kind of causal data: what it reads as, alone, against concurrent writes, and beside others.
#include <gtest/gtest.h>

#include "state/testing/causal_texts.hpp"

namespace creto {
namespace {

using namespace state_test;  // NOLINT(google-build-using-namespace): the bench of this layer
using Action = CrdtOperation::Action;

// [CRDT-LAST.1]
TEST(CausalKinds, TheLastWriteIsTheDeepestOfThoseThatNobodyOverwrote) {
    Network net{4};
    Node node{net};
    Node other{net};
    node.causal.add(net.vertex(0, {}));
    const VertexPtr deep = net.vertex(0, {net.operation(0, set_last("causal/l", "deep"))}, {}, 9);
    const VertexPtr flat = net.vertex(1, {net.operation(1, set_last("causal/l", "flat"))});
    node.causal.add(deep);
    node.causal.add(flat);
    other.finalise({flat});
    other.causal.add(deep);
    EXPECT_EQ(last(node, "causal/l"), "deep");
    EXPECT_EQ(last(other, "causal/l"), "deep");
    // It wins over what it saw, however deep that claims to be.
    const VertexPtr over = node.make(net, 2, {set_last("causal/l", "over")});
    EXPECT_LT(over->header().depth, 9U);
    other.causal.add(over);
    EXPECT_EQ(last(node, "causal/l"), "over");
    EXPECT_EQ(last(other, "causal/l"), "over");
    EXPECT_EQ(node.causal.summary(), other.causal.summary());
}

TEST(CausalKinds, ATieOfTheLastGoesByVertex) {
    Network net{4};
    Node node{net};
    const VertexPtr a = net.vertex(0, {net.operation(0, set_last("causal/l", "a"))});
    const VertexPtr b = net.vertex(1, {net.operation(1, set_last("causal/l", "b"))});
    node.causal.add(a);
    node.causal.add(b);
    const bool a_wins = a->id().value().prefix() > b->id().value().prefix();
    EXPECT_EQ(last(node, "causal/l"), a_wins ? "a" : "b");
    node.finalise({b, a});
    EXPECT_EQ(last(node, "causal/l"), a_wins ? "a" : "b");
}

// [CRDT-SET.1]
TEST(CausalKinds, AddingWinsOverAConcurrentRemoval) {
    Network net{4};
    Node node{net};
    Node other{net};
    const VertexPtr start = node.make(
        net,
        0,
        {causal(Action::set_add, "causal/s", "red"), causal(Action::set_add, "causal/s", "blue")}
    );
    other.causal.add(start);
    EXPECT_EQ(elements(node, "causal/s"), (Texts{"blue", "red"}));
    const VertexPtr gone = node.make(
        net,
        1,
        {causal(Action::set_remove, "causal/s", "red"),
         causal(Action::set_remove, "causal/s", "blue")}
    );
    const VertexPtr again = other.make(net, 2, {causal(Action::set_add, "causal/s", "red")});
    EXPECT_EQ(elements(node, "causal/s"), Texts{});
    node.causal.add(again);
    other.finalise({start, gone, again});
    EXPECT_EQ(elements(node, "causal/s"), (Texts{"red"}));
    EXPECT_EQ(elements(other, "causal/s"), (Texts{"red"}));
    EXPECT_EQ(node.causal.summary(), other.causal.summary());
}

TEST(CausalKinds, ReadsAPartOfASet) {
    Network net{4};
    Node node{net};
    std::vector<OperationBody> adds;
    for (int i = 0; i < 30; ++i)
        adds.push_back(
            causal(Action::set_add, "causal/s", std::string(1, static_cast<char>('A' + i)))
        );
    const VertexPtr vertex = node.make(net, 0, adds);
    EXPECT_EQ(elements(node, "causal/s", {.from = 2, .count = 3}), (Texts{"C", "D", "E"}));
    EXPECT_TRUE(node.causal.read(Place{"causal/s", {}}, {.from = 26, .count = 3}).more);
    EXPECT_FALSE(node.causal.read(Place{"causal/s", {}}, {.from = 27, .count = 3}).more);
    EXPECT_EQ(elements(node, "causal/s", {.from = 99, .count = 3}), Texts{});
    node.finalise({vertex});
    EXPECT_EQ(elements(node, "causal/s", {.from = 2, .count = 3}), (Texts{"C", "D", "E"}));
}

// [CRDT-MAP.1]
TEST(CausalKinds, RemovingAFieldTakesWhatWasSeenBelowItAndNoMore) {
    Network net{4};
    Node node{net};
    Node other{net};
    const VertexPtr start = node.make(
        net,
        0,
        {count("causal/m", 3, {"apples", "count"}),
         causal(Action::last_set, "causal/m", "green", {"apples", "colour"}),
         causal(Action::register_set, "causal/m", "shelf", {"apples", "place"}),
         causal(Action::set_add, "causal/m", "sour", {"apples", "tags"}),
         count("causal/m", 8, {"pears", "count"}),
         count("causal/m", 1, {"apples2", "count"})}
    );
    other.causal.add(start);
    EXPECT_EQ(node.causal.read("causal/m").fields, (Texts{"apples", "apples2", "pears"}));
    EXPECT_EQ(
        node.causal.read(Place{"causal/m", {"apples"}}).fields,
        (Texts{"colour", "count", "place", "tags"})
    );
    EXPECT_EQ(node.causal.read(Place{"causal/m", {"apples", "count"}}).counter, 3);

    const VertexPtr gone = node.make(net, 1, removal(node, {"causal/m", {"apples"}}));
    EXPECT_EQ(node.causal.read("causal/m").fields, (Texts{"apples2", "pears"}));
    const VertexPtr sweet =
        other.make(net, 2, {causal(Action::set_add, "causal/m", "sweet", {"apples", "tags"})});
    node.causal.add(sweet);
    other.finalise({start, gone, sweet});
    for (Node* n : {&node, &other}) {
        EXPECT_EQ(n->causal.read("causal/m").fields, (Texts{"apples", "apples2", "pears"}));
        EXPECT_EQ(n->causal.read(Place{"causal/m", {"apples"}}).fields, (Texts{"tags"}));
        EXPECT_EQ(
            texts(n->causal.read(Place{"causal/m", {"apples", "tags"}}).elements), (Texts{"sweet"})
        );
    }
    EXPECT_EQ(node.causal.summary(), other.causal.summary());
}

TEST(CausalKinds, ReadsAPartOfAMap) {
    Network net{4};
    Node node{net};
    std::vector<OperationBody> adds;
    for (const char* field : {"a", "b", "b\x01", "bb", "c"})
        adds.push_back(count("causal/m", 1, {field, "n"}));
    node.make(net, 0, adds);
    EXPECT_EQ(node.causal.read("causal/m").fields, (Texts{"a", "b", "b\x01", "bb", "c"}));
    const CausalReading part = node.causal.read(Place{"causal/m", {}}, {.from = 1, .count = 2});
    EXPECT_EQ(part.fields, (Texts{"b", "b\x01"}));
    EXPECT_TRUE(part.more);
}

TEST(CausalKinds, ARemovalThatWouldBeTooLargeIsRefusedAndListsStay) {
    Network net{4};
    Node node{net};
    std::vector<OperationBody> adds;
    for (std::size_t i = 0; i < limits::remove_values_max; ++i)
        adds.push_back(causal(Action::set_add, "causal/s", std::to_string(i)));
    node.make(net, 0, adds);
    EXPECT_EQ(node.causal.removal({"causal/s", {}})->size(), limits::remove_values_max);
    node.make(net, 0, {causal(Action::set_add, "causal/s", "one more")});
    EXPECT_EQ(node.causal.removal({"causal/s", {}}).error().code, ErrorCode::limit);
    EXPECT_EQ(node.causal.removal({"causal/t", {}}).error().code, ErrorCode::not_found);
    node.make(net, 0, {causal(Action::list_append, "causal/l", "x")});
    EXPECT_EQ(node.causal.removal({"causal/l", {}}).error().code, ErrorCode::invalid);
}

// [CRDT-LIST.1]
TEST(CausalKinds, AListHasOneOrderHoweverItComes) {
    Network net{4};
    Node node{net};
    Node other{net};
    const auto append = [](const char* item) {
        return causal(Action::list_append, "causal/l", item);
    };
    const VertexPtr first = node.make(net, 0, {append("0a"), append("0b")});
    const VertexPtr beside = other.make(net, 1, {append("1a"), append("1b")});
    node.causal.add(beside);
    const VertexPtr after = node.make(net, 2, {append("2a")}, {first, beside});
    const bool first_is_less = first->id().value().prefix() < beside->id().value().prefix();
    const Texts expected =
        first_is_less ? Texts{"0a", "0b", "1a", "1b", "2a"} : Texts{"1a", "1b", "0a", "0b", "2a"};
    EXPECT_EQ(items(node, "causal/l"), expected);
    other.finalise({beside});
    other.causal.add(after);
    other.causal.add(first);
    EXPECT_EQ(items(other, "causal/l"), expected);
    other.finalise({first, after});
    EXPECT_EQ(items(other, "causal/l"), expected);
    EXPECT_EQ(
        items(other, "causal/l", {.from = 3, .count = 9}),
        (Texts{expected.begin() + 3, expected.end()})
    );
    EXPECT_EQ(node.causal.summary(), other.causal.summary());
}

TEST(CausalKinds, AnAnswerIsBounded) {
    Network net{4};
    Node node{net};
    const std::vector<OperationBody> large(
        6, causal(Action::list_append, "causal/l", std::string(limits::read_bytes_max / 8 - 1, 'x'))
    );
    node.make(net, 0, large);
    node.make(net, 0, large);
    const CausalReading bytes = node.causal.read("causal/l");
    EXPECT_EQ(bytes.items.size(), 8U);
    EXPECT_TRUE(bytes.more);
    std::vector<OperationBody> many(
        limits::read_items_max + 1, causal(Action::list_append, "causal/m", "x")
    );
    node.make(net, 0, many);
    const CausalReading items = node.causal.read(Place{"causal/m", {}}, {.count = ~0U});
    EXPECT_EQ(items.items.size(), limits::read_items_max);
    EXPECT_TRUE(items.more);
}

// [CRDT-KIND.1]
TEST(CausalKinds, KindsLiveSideBySide) {
    Network net{4};
    Node node{net};
    Node other{net};
    const VertexPtr counted = node.make(net, 0, {count("causal/k", 4)});
    const VertexPtr mapped = other.make(
        net, 1, {causal(Action::set_add, "causal/k", "x"), count("causal/k", 1, {"field"})}
    );
    node.causal.add(mapped);
    other.finalise({mapped, counted});
    for (Node* n : {&node, &other}) {
        const CausalReading both = n->causal.read("causal/k");
        EXPECT_EQ(both.counter, 4);
        EXPECT_EQ(texts(both.elements), (Texts{"x"}));
        EXPECT_EQ(both.fields, (Texts{"field"}));
    }
    EXPECT_EQ(node.causal.summary(), other.causal.summary());
    // One removal takes all kinds.
    node.make(net, 0, removal(node, {"causal/k", {}}));
    EXPECT_FALSE(node.causal.read("causal/k").found);
}

// [CRDT-KIND.1]
TEST(CausalKinds, SaysWhenAPlaceIsOfAnotherKind) {
    Network net{4};
    Node node{net};
    node.make(
        net,
        0,
        {count("causal/n", 4),
         count("causal/m", 1, {"a", "b"}),
         causal(Action::set_add, "causal/s", "x")}
    );
    const auto why = [&](const OperationBody& body) {
        return node.causal.other_kind(std::get<CrdtOperation>(body)).value_or("");
    };
    EXPECT_EQ(why(count("causal/n", 1)), "");
    EXPECT_EQ(why(count("causal/m", 1, {"a", "b"})), "");
    EXPECT_EQ(why(count("causal/m", 1, {"a", "c"})), "");
    EXPECT_EQ(why(causal(Action::set_add, "causal/s", "y")), "");
    EXPECT_EQ(
        why(write("causal/n", "x")), "causal/n is a counter, not a register of concurrent values"
    );
    EXPECT_EQ(why(count("causal/n", 1, {"a"})), "causal/n is a counter and has no fields");
    EXPECT_EQ(why(count("causal/m", 1, {"a"})), "causal/m, field a is a map, not a counter");
    EXPECT_EQ(
        why(write("causal/s", "x")), "causal/s is a set, not a register of concurrent values"
    );
}

}  // namespace
}  // namespace creto
