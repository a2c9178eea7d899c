#include "sim/rise.hpp"

#include <gtest/gtest.h>

#include "base/prng.hpp"

namespace creto {
namespace {

TEST(Rise, SeesALineAndALineInNoise) {
    Rise line;
    Rise noisy;
    for (std::int64_t i = 0; i < 60; ++i) {
        line.add(1'000 + 40 * i);
        noisy.add(1'000 + 40 * i + static_cast<std::int64_t>(draw(1, 2, std::uint64_t(i)) % 200));
    }
    EXPECT_TRUE(line.rises(500));
    EXPECT_TRUE(noisy.rises(500));
    EXPECT_FALSE(line.rises(2'000)) << "within the slack";
}

TEST(Rise, SeesNoneInALevelASawtoothAndWhatFillsUp) {
    Rise level;
    Rise saw;
    Rise filling;
    Rise falling;
    for (std::int64_t i = 0; i < 120; ++i) {
        level.add(5'000 + static_cast<std::int64_t>(draw(3, 4, std::uint64_t(i)) % 1'000));
        saw.add((i % 20) * 500);
        filling.add(std::min<std::int64_t>(i, 50) * 100);
        falling.add(100'000 - 100 * i);
    }
    EXPECT_FALSE(level.rises(100));
    EXPECT_FALSE(saw.rises(100));
    EXPECT_FALSE(filling.rises(100));
    EXPECT_FALSE(falling.rises(100));
}

TEST(Rise, SaysNothingOfTooFewSamples) {
    Rise few;
    for (std::int64_t i = 0; i < 16; ++i)
        few.add(i * 1'000'000);
    EXPECT_FALSE(few.rises(1));
    few.add(17'000'000);
    few.add(18'000'000);
    EXPECT_TRUE(few.rises(1));
}

}  // namespace
}  // namespace creto
