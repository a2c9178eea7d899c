#include "sim/fingerprint.hpp"

#include <gtest/gtest.h>
#include <set>

namespace creto {
namespace {

TEST(Fingerprint, DependsOnEveryBitAndOnTheLength) {
    std::set<std::uint64_t> seen;
    std::size_t texts = 0;
    for (std::size_t size = 0; size <= 40; ++size) {
        Bytes text(size);
        seen.insert(fingerprint(text));
        ++texts;
        for (std::size_t bit = 0; bit < size * 8; ++bit) {
            text[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
            seen.insert(fingerprint(text));
            ++texts;
            text[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        }
    }
    EXPECT_EQ(seen.size(), texts);
}

TEST(Fingerprint, IsTheSameOnEveryMachine) {
    EXPECT_EQ(fingerprint({}), 0x48A71CC81D9AF38CULL);
    EXPECT_EQ(fingerprint(as_bytes("the quick brown fox jumps")), 0x198D0C653FF56CA2ULL);
}

}  // namespace
}  // namespace creto
