// Reports on who votes, as bytes in a block.
#include <gtest/gtest.h>

#include "model/block.hpp"

namespace creto {
namespace {

Block block_with(std::optional<Turnout> turnout) {
    Block block;
    block.epoch = Epoch{1};
    block.view = View{9};
    block.parent_view = View{8};
    block.height = Height{8};
    block.turnout = std::move(turnout);
    return block;
}

std::vector<Seat> seats(std::uint32_t count) {
    std::vector<Seat> all;
    for (std::uint32_t i = 0; i < count; ++i)
        all.emplace_back(i);
    return all;
}

// Up to the seats that all hear each other's votes the bytes are what they always were.
TEST(TurnoutBytes, AReportThroughGroupsIsAnotherFormAndTheOthersStay) {
    const Bytes none = encode_bytes(block_with(std::nullopt));
    const Bytes direct = encode_bytes(block_with(Turnout{Height{7}, {Seat{3}}}));
    const Bytes groups =
        encode_bytes(block_with(Turnout{Height{7}, {Seat{3}}, std::vector{Seat{2}, Seat{3}}}));
    ASSERT_EQ(none.back(), 0);
    const Bytes before{none.begin(), none.end() - 1};
    const auto with = [&](std::initializer_list<std::uint8_t> rest) {
        Bytes bytes = before;
        bytes.insert(bytes.end(), rest);
        return bytes;
    };
    EXPECT_EQ(direct, with({1, 7, 1, 3}));
    EXPECT_EQ(groups, with({2, 7, 1, 3, 2, 2, 3}));
    for (const Bytes& bytes : {none, direct, groups}) {
        const auto read = decode_exact<Block>(bytes);
        ASSERT_TRUE(read.has_value());
        EXPECT_EQ(encode_bytes(*read), bytes);
    }
    EXPECT_FALSE(decode_exact<Block>(with({3, 7, 1, 3, 2, 2, 3})).has_value());
    EXPECT_NE(
        block_with(Turnout{Height{7}, {}}).id(),
        block_with(Turnout{Height{7}, {}, std::vector<Seat>{}}).id()
    );
}

// [STAND-REPORT.2]
TEST(TurnoutBytes, NobodyNamesMoreSeatsThanARosterHas) {
    const auto most = static_cast<std::uint32_t>(limits::seats_max);
    const Bytes full = encode_bytes(block_with(Turnout{Height{7}, seats(most), seats(most)}));
    EXPECT_LT(full.size(), 10'000U);
    ASSERT_TRUE(decode_exact<Block>(full).has_value());
    const Block absent = block_with(Turnout{Height{7}, seats(most + 1), seats(1)});
    EXPECT_FALSE(decode_exact<Block>(encode_bytes(absent)).has_value()) << "one over";
    const Block often = block_with(Turnout{Height{7}, seats(1), seats(most + 1)});
    EXPECT_FALSE(decode_exact<Block>(encode_bytes(often)).has_value()) << "one over";
}

// [STAND-REPORT.2]
TEST(TurnoutBytes, AReportNamesEachOnceAndInOrder) {
    EXPECT_TRUE(well_formed(block_with(Turnout{Height{7}, {}, seats(3)})).has_value());
    const std::vector<Seat> twice{Seat{1}, Seat{1}};
    const std::vector<Seat> down{Seat{2}, Seat{1}};
    for (const std::vector<Seat>& wrong : {twice, down}) {
        EXPECT_FALSE(well_formed(block_with(Turnout{Height{7}, {}, wrong})).has_value());
        EXPECT_FALSE(well_formed(block_with(Turnout{Height{7}, wrong, seats(3)})).has_value());
    }
    EXPECT_FALSE(well_formed(block_with(Turnout{Height{8}, {}, seats(3)})).has_value())
        << "of itself";
}

}  // namespace
}  // namespace creto
