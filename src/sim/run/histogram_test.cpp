#include "sim/run/histogram.hpp"

#include <gtest/gtest.h>

#include "base/prng.hpp"

namespace creto {
namespace {

TEST(Histogram, GivesPercentilesWithinItsPrecision) {
    Histogram histogram;
    std::vector<std::int64_t> values;
    Prng prng{5};
    for (int i = 0; i < 20'000; ++i)
        values.push_back(static_cast<std::int64_t>(prng.next() >> (20 + prng.below(40))));
    for (const std::int64_t value : values)
        histogram.add(value);
    std::sort(values.begin(), values.end());
    for (const std::uint64_t permille : {1, 100, 500, 950, 990, 999, 1'000}) {
        const auto exact = static_cast<double>(
            values[std::max<std::size_t>(1, permille * values.size() / 1'000) - 1]
        );
        EXPECT_GE(static_cast<double>(histogram.at(permille)), exact);
        EXPECT_LE(static_cast<double>(histogram.at(permille)), exact * 1.016 + 1);
    }
    EXPECT_EQ(histogram.max(), static_cast<std::uint64_t>(values.back()));
}

TEST(Histogram, OfTwoPartsMergedIsThatOfAll) {
    Histogram all;
    Histogram left;
    Histogram right;
    for (std::int64_t i = 0; i < 10'000; ++i) {
        all.add(i * i);
        (i % 3 == 0 ? left : right).add(i * i);
    }
    right.merge(left);
    EXPECT_EQ(right.count(), 10'000U);
    EXPECT_EQ(right.mean(), all.mean());
    for (std::uint64_t permille = 1; permille <= 1'000; permille += 37)
        EXPECT_EQ(right.at(permille), all.at(permille));
}

TEST(Histogram, KnowsNothingOfNothing) {
    Histogram histogram;
    EXPECT_EQ(histogram.at(500), 0U);
    EXPECT_EQ(histogram.mean(), 0U);
    histogram.add(-5);
    EXPECT_EQ(histogram.at(1'000), 0U);
    EXPECT_EQ(histogram.count(), 1U);
}

}  // namespace
}  // namespace creto
