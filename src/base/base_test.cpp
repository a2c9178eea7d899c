#include <cstring>
#include <gtest/gtest.h>
#include <limits>

#include "base/bytes.hpp"
#include "base/little_endian.hpp"
#include "base/prng.hpp"
#include "base/result.hpp"
#include "base/strong.hpp"
#include "base/time.hpp"
#include "base/token_bucket.hpp"

namespace creto {
namespace {

TEST(Bytes, HexRoundTripsAndRefusesWhatIsNotHex) {
    const Bytes bytes{0x00, 0x7F, 0xFF};
    EXPECT_EQ(to_hex(bytes), "007fff");
    EXPECT_EQ(from_hex("007FfF"), bytes);
    EXPECT_EQ(from_hex("0"), std::nullopt);
    EXPECT_EQ(from_hex("0g"), std::nullopt);
}

TEST(Duration, SaturatesInsteadOfOverflowing) {
    EXPECT_EQ(Duration::max() + Duration::from_s(1), Duration::max());
    EXPECT_EQ(Duration::from_s(std::numeric_limits<std::int64_t>::max()), Duration::max());
    EXPECT_EQ(Instant::max() + Duration::from_s(1), Instant::max());
    EXPECT_EQ((Instant::from_ns(7) - Instant::from_ns(9)).ns(), -2);
}

TEST(Strong, CountsAndCompares) {
    using Height = Strong<struct HeightTag>;
    EXPECT_EQ(Height{3}.next(), Height{4});
    EXPECT_LT(Height{3}, Height{4});
    EXPECT_EQ(Height{}.value(), 0U);
}

TEST(NamedDraws, AreTheDrawsOfTheirName) {
    const NamedDraws draws{7, 3};
    for (std::uint64_t a = 0; a < 10; ++a) {
        for (std::uint64_t b = 0; b < 10; ++b)
            EXPECT_EQ(draws(a, b), draw(7, 3, a, b));
    }
    EXPECT_NE(draws(1, 2), draws(2, 1));
    EXPECT_NE(draws(1, 2), NamedDraws(7, 4)(1, 2));
}

TEST(Prng, RepeatsForTheSameSeedAndDiffersForAnother) {
    Prng a{7};
    Prng b{7};
    Prng c{8};
    const auto first = a.next();
    EXPECT_EQ(first, b.next());
    EXPECT_NE(first, c.next());
    for (int i = 0; i < 1000; ++i)
        EXPECT_LT(a.below(10), 10U);
}

TEST(Prng, NamedDrawsDoNotDependOnOtherDraws) {
    EXPECT_EQ(draw(1, 2, 3, 4), draw(1, 2, 3, 4));
    EXPECT_NE(draw(1, 2, 3, 4), draw(1, 2, 4, 3));
}

TEST(OrderBytes, IsThatOfTheBytesOneByOne) {
    Prng prng{3};
    for (int i = 0; i < 20'000; ++i) {
        std::array<std::uint8_t, 32> a{};
        for (std::uint8_t& byte : a)
            byte = static_cast<std::uint8_t>(prng.below(3) * 127);
        std::array<std::uint8_t, 32> b = a;
        b[prng.below(32)] = static_cast<std::uint8_t>(prng.below(256));
        const int said = std::memcmp(a.data(), b.data(), a.size());
        EXPECT_EQ(order_bytes(a, b), said <=> 0);
        EXPECT_EQ(order_bytes(b, a), 0 <=> said);
    }
}

TEST(TokenBucket, AdmitsTheBurstThenTheRate) {
    TokenBucket bucket{{.rate_per_s = 500, .burst = 10}};
    const Instant start = Instant::from_ns(1);
    for (int i = 0; i < 10; ++i)
        EXPECT_FALSE(bucket.take(1, start).has_value());
    const auto wait = bucket.take(1, start);
    ASSERT_TRUE(wait.has_value());
    EXPECT_EQ(wait->ns(), 2'000'000);
    EXPECT_TRUE(bucket.take(1, start + Duration::from_ns(1'999'999)).has_value());
    EXPECT_FALSE(bucket.take(1, start + Duration::from_ms(2)).has_value());
}

TEST(TokenBucket, IsFullAgainAfterALongPauseAndNotMore) {
    TokenBucket bucket{{.rate_per_s = 1'000'000'000, .burst = 3}};
    const Instant later = Instant::max();
    for (int i = 0; i < 3; ++i)
        EXPECT_FALSE(bucket.take(1, later).has_value());
    EXPECT_TRUE(bucket.take(1, later).has_value());
}

TEST(TokenBucket, InDebtItAdmitsNothingUntilTimeHasPaid) {
    TokenBucket bucket{{.rate_per_s = 1'000, .burst = 100}};
    const Instant start = Instant::from_ns(1);
    bucket.charge(600, start);  // Five times what there was.
    EXPECT_EQ(bucket.take(0, start)->ms(), 500);
    EXPECT_EQ(bucket.take(1, start)->ms(), 501);
    EXPECT_TRUE(bucket.take(0, start + Duration::from_ms(499)).has_value());
    EXPECT_FALSE(bucket.take(0, start + Duration::from_ms(500)).has_value());
    EXPECT_FALSE(bucket.take(100, start + Duration::from_ms(600)).has_value());
    EXPECT_TRUE(bucket.take(1, start + Duration::from_ms(600)).has_value());
    // What came to nothing is given back.
    EXPECT_FALSE(bucket.take(60, start + Duration::from_ms(700)).has_value());
    bucket.give_back(60);
    EXPECT_FALSE(bucket.take(100, start + Duration::from_ms(700)).has_value());
    // A debt has an end, whatever was used.
    for (int i = 0; i < 100; ++i)
        bucket.charge(~0ULL, start + Duration::from_s(1));
    EXPECT_LE(bucket.take(1, start + Duration::from_s(1))->ms(), 8'000'001'000);
    EXPECT_FALSE(bucket.take(100, start + Duration::from_s(9'000'000)).has_value());
}

TEST(Result, CarriesTheReason) {
    const Result<int> result = fail(ErrorCode::limit, "too many");
    ASSERT_FALSE(result.has_value());
    EXPECT_STREQ(to_string(result.error().code), "limit");
}

}  // namespace
}  // namespace creto
