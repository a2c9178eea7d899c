#include "order/vote_log.hpp"

#include <gtest/gtest.h>

#include "base/prng.hpp"
#include "order/testing/seats.hpp"

namespace creto::simplex {
namespace {

using testing::Seats;

// [ORD-W3.1]
TEST(VoteRecord, KeepsTheWholeVoteAndRefusesEveryTruncation) {
    const Seats seats{4};
    const std::vector<VoteRecord> records{
        seats.vote(2, Seats::content(VoteKind::finalize, 9, 8, testing::block_id("a"))),
        seats.vote(1, Seats::nullify(300)),
        VoteFloor{Epoch{9}, View{70'000}}};
    for (const VoteRecord& record : records) {
        const Bytes bytes = encode_vote_record(record);
        EXPECT_EQ(decode_vote_record(bytes).value(), record);
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            const auto cut = decode_vote_record(ByteView{bytes}.first(size));
            ASSERT_FALSE(cut.has_value());
            EXPECT_EQ(cut.error().code, ErrorCode::corrupt);
        }
        Bytes longer = bytes;
        longer.push_back(0);
        EXPECT_FALSE(decode_vote_record(longer).has_value());
    }
    EXPECT_FALSE(decode_vote_record(Bytes{3, 1}).has_value());
}

TEST(VoteRecord, RandomBytesNeverCrash) {
    Prng prng{7};
    for (int i = 0; i < 5'000; ++i) {
        Bytes bytes(prng.below(160));
        for (auto& byte : bytes)
            byte = static_cast<std::uint8_t>(prng.next());
        if (!bytes.empty()) bytes[0] = static_cast<std::uint8_t>(prng.below(4));
        if (const auto record = decode_vote_record(bytes)) {
            EXPECT_EQ(encode_vote_record(*record), bytes);
        }
    }
}

}  // namespace
}  // namespace creto::simplex
