#include "model/seat_set.hpp"

#include <gtest/gtest.h>

namespace creto {
namespace {

Bytes bytes_of(const SeatSet& set) {
    Writer w;
    encode(w, set);
    return w.take();
}

DecodeError read(const Bytes& bytes, SeatSet& set) {
    Reader r{bytes};
    decode(r, set);
    return r.finish();
}

TEST(SeatSet, HoldsWhatWasInsertedAndComesBackFromItsBytes) {
    SeatSet set;
    for (const std::uint32_t seat : {0U, 7U, 8U, 127U})
        set.insert(seat);
    EXPECT_EQ(set.size(), 4U);
    EXPECT_TRUE(set.contains(127));
    EXPECT_FALSE(set.contains(126));
    EXPECT_FALSE(set.contains(128)) << "one above the last seat";
    SeatSet back;
    EXPECT_EQ(read(bytes_of(set), back), DecodeError::none);
    EXPECT_EQ(back, set);
}

TEST(SeatSet, EachInBothIsVisitedInOrder) {
    constexpr std::uint32_t last = limits::seats_max - 1;
    SeatSet a;
    SeatSet b;
    for (const std::uint32_t seat : {0U, 6U, 7U, 8U, 500U, last})
        a.insert(seat);
    for (const std::uint32_t seat : {0U, 5U, 7U, 9U, 500U, last})
        b.insert(seat);
    std::vector<std::uint32_t> both;
    a.each_common(b, [&](std::uint32_t seat) { both.push_back(seat); });
    EXPECT_EQ(both, (std::vector<std::uint32_t>{0, 7, 500, last}));
}

TEST(SeatSet, ItsBytesEndWithTheHighestSeat) {
    SeatSet set;
    EXPECT_EQ(bytes_of(set), Bytes{0});
    set.insert(3);
    EXPECT_EQ(bytes_of(set), (Bytes{1, 8}));
    SeatSet back;
    EXPECT_EQ(read(Bytes{2, 8, 0}, back), DecodeError::bad_value);
    const auto full = [](std::size_t bytes) {
        Writer w;
        w.bytes(Bytes(bytes, 0xFF));
        return w.take();
    };
    EXPECT_EQ(read(full(SeatSet::bytes_max), back), DecodeError::none);
    EXPECT_EQ(back.size(), limits::seats_max);
    EXPECT_EQ(read(full(SeatSet::bytes_max + 1), back), DecodeError::over_limit);
}

}  // namespace
}  // namespace creto
