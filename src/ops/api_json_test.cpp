#include "ops/api_json.hpp"

#include <gtest/gtest.h>

#include "codec/writer.hpp"
#include "model/limits.hpp"

namespace creto {
namespace {

Bytes framed(const std::vector<Bytes>& payloads) {
    Writer w;
    for (const Bytes& payload : payloads)
        w.bytes(payload);
    return w.take();
}

std::vector<Bytes> payloads_of(const Result<CommandBody>& command) {
    std::vector<Bytes> out;
    if (!command) return out;
    for (const OperationBody& body : std::get<SubmitMany>(*command).bodies)
        out.push_back(std::get<DataOperation>(body).payload);
    return out;
}

TEST(ApiJson, ABatchComesAsJsonOrAsBytes) {
    const std::vector<Bytes> payloads{to_bytes("one"), Bytes{0, 255}, Bytes(300, 7)};
    EXPECT_EQ(payloads_of(batch_from_bytes(framed(payloads))), payloads);
    const JsonDoc json{{"payloads", {"one", {{"hex", "00ff"}}}}};
    const std::vector<Bytes> two{payloads[0], payloads[1]};
    EXPECT_EQ(payloads_of(command_from_json("submit-batch", json)), two);
}

TEST(ApiJson, ABatchThatIsNoneIsRefused) {
    EXPECT_FALSE(batch_from_bytes({}).has_value());
    Bytes torn = framed({to_bytes("one"), to_bytes("two")});
    torn.pop_back();
    EXPECT_FALSE(batch_from_bytes(torn).has_value());
    EXPECT_TRUE(batch_from_bytes(framed({Bytes(limits::operation_bytes_max, 1)})).has_value());
    EXPECT_FALSE(batch_from_bytes(framed({Bytes(limits::operation_bytes_max + 1, 1)})).has_value());
    EXPECT_FALSE(command_from_json("submit-batch", JsonDoc{{"payloads", JsonDoc::array()}}));
    EXPECT_FALSE(command_from_json("submit-batch", JsonDoc::object()));
}

TEST(ApiJson, AnAnswerToABatchSaysHowMany) {
    const JsonDoc good = to_json(SubmitManyReply{.final_count = 5, .last = Height{9}});
    EXPECT_EQ(good, (JsonDoc{{"ok", true}, {"final", 5}, {"height", 9}}));
    const JsonDoc part = to_json(SubmitManyReply{
        .final_count = 4, .last = Height{9}, .error = Error{ErrorCode::limit, "full"}});
    EXPECT_FALSE(part["ok"]);
    EXPECT_EQ(part["error"]["message"], "full");
    EXPECT_EQ(part["final"], 4);
}

CrdtOperation causal_write(const JsonDoc& body) {
    const auto command = command_from_json("write", body);
    EXPECT_TRUE(command.has_value()) << command.error().message;
    if (!command || !std::holds_alternative<Submit>(*command)) return {};
    const auto& submit = std::get<Submit>(*command);
    EXPECT_EQ(submit.reading, Reading::causal);
    return std::get<CrdtOperation>(submit.body);
}

TEST(ApiJson, EachKindOfCausalWriteHasItsWords) {
    using Action = CrdtOperation::Action;
    const auto action = [](const char* verb, const char* kind) {
        JsonDoc body{{"key", "causal/k"}, {"action", verb}};
        if (*kind != 0) body["kind"] = kind;
        return causal_write(body).action;
    };
    EXPECT_EQ(action("set", ""), Action::register_set);
    EXPECT_EQ(action("set", "last"), Action::last_set);
    EXPECT_EQ(action("add", ""), Action::counter_add);
    EXPECT_EQ(action("add", "set"), Action::set_add);
    EXPECT_EQ(action("remove", "set"), Action::set_remove);
    EXPECT_EQ(action("append", ""), Action::list_append);
    const CrdtOperation deep =
        causal_write({{"key", "causal/k"}, {"action", "add"}, {"path", {"a", "b"}}, {"amount", -2}}
        );
    EXPECT_EQ(deep.path, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(deep.amount, -2);
    const auto remove =
        command_from_json("write", {{"key", "causal/k"}, {"action", "remove"}, {"path", {"a"}}});
    ASSERT_TRUE(remove && std::holds_alternative<RemoveCausal>(*remove));
    EXPECT_EQ(std::get<RemoveCausal>(*remove).path, (std::vector<std::string>{"a"}));
}

TEST(ApiJson, WhatDoesNotGoTogetherIsRefused) {
    for (const JsonDoc& body : std::initializer_list<JsonDoc>{
             {{"key", "causal/k"}, {"action", "append"}, {"kind", "set"}},
             {{"key", "causal/k"}, {"action", "jump"}},
             {{"key", "final/k"}, {"action", "append"}},
             {{"key", "final/k"}, {"kind", "last"}},
             {{"key", "final/k"}, {"path", {"a"}}},
             {{"key", "causal/k"}, {"path", "a/b"}},
             {{"key", "causal/k"}, {"path", {1}}}}) {
        EXPECT_FALSE(command_from_json("write", body).has_value()) << body.dump();
    }
    EXPECT_FALSE(command_from_json("read", {{"key", "final/k"}, {"session", "x"}}).has_value());
}

TEST(ApiJson, AReadingShowsWhatThereIs) {
    KeyReply reply{.found = true, .values = {}, .counter = 3, .height = Height{7}};
    EXPECT_EQ(
        to_json(reply),
        (JsonDoc{
            {"ok", true},
            {"found", true},
            {"values", JsonDoc::array()},
            {"counter", 3},
            {"height", 7}})
    );
    reply.elements = {to_bytes("x")};
    reply.fields = {"f"};
    reply.more = true;
    const JsonDoc both = to_json(reply);
    EXPECT_EQ(both["elements"], (JsonDoc{"x"}));
    EXPECT_EQ(both["kinds"], (JsonDoc{"counter", "set", "map"}));
    EXPECT_EQ(both["more"], true);
    const JsonDoc change = to_json(Notice{KeyChanged{"causal/k", {"f"}, reply}});
    EXPECT_EQ(change["event"], "key_changed");
    EXPECT_EQ(change["reading"], "causal");
    EXPECT_EQ(change["path"], (JsonDoc{"f"}));
    EXPECT_EQ(change["counter"], 3);
}

// [SESSION.1]
TEST(ApiJson, AWritesSessionIsTakenByARead) {
    SubmitReply written;
    written.session = {Height{4}, VertexRef{{Seat{1}, {}}, Sequence{2}, VertexId{}}};
    const JsonDoc said = to_json(written);
    const auto read = command_from_json(
        "read", {{"key", "causal/k"}, {"session", said["session"]}, {"timeout_ms", 5U}}
    );
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(std::get<ReadKey>(*read).session, written.session);
    EXPECT_EQ(std::get<ReadKey>(*read).timeout, Duration::from_ms(5));
}

}  // namespace
}  // namespace creto
