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

}  // namespace
}  // namespace creto
