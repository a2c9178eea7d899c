// Causal writes: their bytes, what they may say, and one over each limit.
#include <gtest/gtest.h>

#include "model/operation.hpp"
#include "model/session.hpp"

namespace creto {
namespace {

using Action = CrdtOperation::Action;

CrdtOperation full() {
    return {
        .action = Action::set_add,
        .key = "causal/cart",
        .value = to_bytes("apple"),
        .observed = {{{Seat{1}, {}}, Sequence{3}, 2, 77}, {{Seat{2}, {}}, Sequence{9}, 0, 78}},
        .path = {"a", "b"}};
}
Operation operation_of(CrdtOperation write) {
    return {AgentId{}, 1, Height{9}, std::move(write), std::nullopt};
}
std::string why(const CrdtOperation& write) {
    const auto formed = well_formed(operation_of(write));
    return formed ? "" : formed.error().message;
}
/// Refused when it is read; well_formed() holds the same for what was never bytes.
bool can_be_read(const CrdtOperation& write) {
    return decode_exact<Operation>(encode_bytes(operation_of(write))).has_value();
}
std::vector<Dot> dots(std::uint32_t count) {
    std::vector<Dot> out;
    for (std::uint32_t i = 0; i < count; ++i)
        out.push_back({{Seat{i}, {}}, Sequence{1}, 0, i});
    return out;
}

TEST(CrdtOperation, RoundTripsAndRefusesEveryTruncation) {
    CrdtOperation add{.key = "causal/n", .amount = -3, .path = {"x"}, .share = 1ULL << 63U};
    for (const CrdtOperation& write : {full(), add}) {
        const Bytes bytes = encode_bytes(operation_of(write));
        EXPECT_EQ(decode_exact<Operation>(bytes).value(), operation_of(write));
        for (std::size_t size = 0; size < bytes.size(); ++size)
            EXPECT_FALSE(decode_exact<Operation>(ByteView{bytes}.first(size)).has_value()) << size;
        EXPECT_EQ(why(write), "");
    }
}

TEST(CrdtOperation, OneOverEachLimitIsRefused) {
    CrdtOperation write = full();
    const auto expect_limit = [&](auto&& at, auto&& over) {
        write = full();
        at();
        EXPECT_TRUE(can_be_read(write) && why(write).empty()) << why(write);
        over();
        EXPECT_FALSE(can_be_read(write) && why(write).empty());
        EXPECT_NE(why(write), "");
    };
    expect_limit(
        [&] { write.path.assign(limits::path_fields_max, "f"); },
        [&] { write.path.emplace_back("f"); }
    );
    expect_limit(
        [&] { write.path = {std::string(limits::field_bytes_max, 'f')}; },
        [&] { write.path[0] += 'f'; }
    );
    expect_limit(
        [&] { write.value.assign(limits::element_bytes_max, 1); }, [&] { write.value.push_back(1); }
    );
    expect_limit(
        [&] { write.observed = dots(limits::dots_max); },
        [&] { write.observed = dots(limits::dots_max + 1); }
    );
    write = full();
    write.key = "causal/" + std::string(limits::key_bytes_max - 7, 'k');
    EXPECT_TRUE(can_be_read(write));
    write.key += 'k';
    EXPECT_FALSE(can_be_read(write));
}

TEST(CrdtOperation, MayNotSayWhatItsActionDoesNotUse) {
    const auto with = [](Action action, auto&& change) {
        CrdtOperation write{.action = action, .key = "causal/k"};
        change(write);
        return why(write);
    };
    const auto nothing = [](CrdtOperation&) {};
    const auto value = [](CrdtOperation& w) { w.value = to_bytes("v"); };
    const auto amount = [](CrdtOperation& w) { w.amount = 1; };
    const auto share = [](CrdtOperation& w) { w.share = 1; };
    const auto observed = [](CrdtOperation& w) { w.observed = dots(1); };
    const auto path = [](CrdtOperation& w) { w.path = {"f"}; };
    struct Row {
        Action action;
        bool empty, value, amount, observed, path;
    };
    for (const Row& row : std::initializer_list<Row>{
             {Action::counter_add, true, false, true, false, true},
             {Action::counter_clear, true, false, false, true, true},
             {Action::register_set, true, true, false, true, true},
             {Action::register_clear, true, false, false, true, true},
             {Action::last_set, true, true, false, true, true},
             {Action::last_clear, true, false, false, true, true},
             {Action::set_add, false, true, false, false, false},
             {Action::set_remove, false, true, false, false, false},
             {Action::list_append, true, true, false, false, false}}) {
        const int name = static_cast<int>(row.action);
        EXPECT_EQ(with(row.action, nothing).empty(), row.empty) << name;
        EXPECT_EQ(with(row.action, value).empty(), row.value) << name;
        EXPECT_EQ(with(row.action, amount).empty(), row.amount) << name;
        EXPECT_EQ(with(row.action, share).empty(), row.amount) << name;
        EXPECT_EQ(with(row.action, observed).empty(), row.observed) << name;
        EXPECT_EQ(with(row.action, path).empty(), row.path) << name;
    }
}

TEST(CrdtOperation, NamesAPlaceInOneWay) {
    CrdtOperation write = full();
    for (const std::string& key :
         {std::string{"final/k"},
          std::string{"causal/"},
          std::string{"k"},
          std::string{"causal/a\0b", 10}}) {
        write.key = key;
        EXPECT_NE(why(write), "") << key;
    }
    write = full();
    for (const std::string& field : {std::string{}, std::string{"a\0b", 3}}) {
        write.path = {field};
        EXPECT_NE(why(write), "") << field;
    }
    write = full();
    std::swap(write.observed[0], write.observed[1]);
    EXPECT_NE(why(write), "");
    write.observed[1] = write.observed[0];
    EXPECT_NE(why(write), "");
    write.observed[1].index += 1;
    EXPECT_NE(why(write), "") << "two values of one lane";
}

// [CRDT-OWN.1]
TEST(CrdtOperation, IsNotSignedByItself) {
    Operation carried = operation_of(full());
    carried.signature = Signature{};
    EXPECT_FALSE(well_formed(carried).has_value());
    carried.body = DataOperation{};
    EXPECT_TRUE(well_formed(carried).has_value());
}

TEST(SessionToken, ReadsWhatItWrote) {
    SessionToken token{Height{700}, std::nullopt};
    EXPECT_EQ(parse_session(session_text(token)).value(), token);
    token.tip = VertexRef{{Seat{3}, {}}, Sequence{12}, VertexId{blake3(as_bytes("v"))}};
    const std::string text = session_text(token);
    EXPECT_EQ(parse_session(text).value(), token);
    for (std::size_t size = 0; size < text.size(); ++size)
        EXPECT_FALSE(parse_session(text.substr(0, size)).has_value()) << size;
    EXPECT_FALSE(parse_session(text + "00").has_value());
    EXPECT_FALSE(parse_session("height 12").has_value());
}

}  // namespace
}  // namespace creto
