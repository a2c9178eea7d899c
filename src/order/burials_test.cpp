#include "order/burials.hpp"

#include <gtest/gtest.h>

#include "order/testing/seats.hpp"

namespace creto::simplex {
namespace {

using testing::Seats;

VoteContent stretch(std::uint64_t base, std::uint64_t last) {
    return {VoteKind::bury, Epoch{1}, View{last}, View{base}, BlockId{}};
}

// [ORD-B1.1]
TEST(Burials, OneMoreThanMayLieBuriesAStretchOnce) {
    const Seats seats{7};
    Burials burials{seats.roster};
    EXPECT_FALSE(burials.add(seats.vote(5, stretch(64, 128))));
    EXPECT_FALSE(burials.add(seats.vote(5, stretch(64, 128)))) << "the same seat again";
    EXPECT_FALSE(burials.add(seats.vote(1, stretch(64, 128))));
    EXPECT_FALSE(burials.add(seats.vote(2, stretch(0, 64)))) << "another stretch";
    const auto burial = burials.add(seats.vote(6, stretch(64, 128)));
    ASSERT_TRUE(burial.has_value());
    EXPECT_EQ(burial->count(), 3U);
    EXPECT_TRUE(well_formed(*burial, seats.roster).has_value());
    EXPECT_FALSE(burials.add(seats.vote(0, stretch(64, 128)))) << "once";
    EXPECT_EQ(burials.stretches(), 2U);
    burials.forget_through(View{64});
    EXPECT_EQ(burials.stretches(), 1U);
    EXPECT_TRUE(burials.holds(seats.vote(5, stretch(64, 128))));
}

TEST(Burials, InCrashModeOneIsEnough) {
    const Seats seats{3, QuorumMode::crash};
    Burials burials{seats.roster};
    const auto burial = burials.add(seats.vote(1, stretch(0, 64)));
    ASSERT_TRUE(burial.has_value());
    EXPECT_TRUE(well_formed(*burial, seats.roster).has_value());
}

// A burial by too few, or of a stretch that is none, or by those whom the quorum lets lie.
TEST(Burials, AMalformedBurialIsNoCertificate) {
    const Seats seats{7};
    const auto good = [&](const VoteContent& content, testing::Index last) {
        return well_formed(seats.certificate(content, 0, last), seats.roster).has_value();
    };
    EXPECT_TRUE(good(stretch(64, 128), 2));
    EXPECT_FALSE(good(stretch(64, 128), 1));
    EXPECT_FALSE(good(stretch(63, 127), 2));
    VoteContent named = stretch(64, 128);
    named.block = testing::block_id("a");
    EXPECT_FALSE(good(named, 2));
    EXPECT_FALSE(good(Seats::nullify(64), 2)) << "of one view it takes a quorum";
}

}  // namespace
}  // namespace creto::simplex
