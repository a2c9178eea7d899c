#include "base/ring.hpp"

#include <deque>
#include <gtest/gtest.h>
#include <memory>

#include "base/prng.hpp"

namespace creto {
namespace {

TEST(Ring, BehavesAsADeque) {
    Prng prng{7};
    Ring<int> ring;
    std::deque<int> expected;
    for (int i = 0; i < 10'000; ++i) {
        const std::uint64_t choice = prng.below(5);
        if (choice < 3 && expected.size() < 40) {
            ring.push_back(i);
            expected.push_back(i);
        } else if (!expected.empty() && choice == 3) {
            ring.pop_front();
            expected.pop_front();
        } else if (!expected.empty()) {
            ring.pop_back();
            expected.pop_back();
        }
        ASSERT_EQ(ring.size(), expected.size());
        ASSERT_EQ(ring.empty(), expected.empty());
        for (std::size_t at = 0; at < expected.size(); ++at)
            ASSERT_EQ(ring[at], expected[at]);
        if (expected.empty()) continue;
        ASSERT_EQ(ring.front(), expected.front());
        ASSERT_EQ(ring.back(), expected.back());
    }
    ring.clear();
    EXPECT_TRUE(ring.empty());
}

TEST(Ring, LetsGoOfWhatLeft) {
    const auto value = std::make_shared<int>(1);
    Ring<std::shared_ptr<int>> ring;
    for (int i = 0; i < 20; ++i)
        ring.push_back(value);
    ring.pop_front();
    ring.pop_back();
    EXPECT_EQ(value.use_count(), 19);
    ring.clear();
    EXPECT_EQ(value.use_count(), 1);
}

}  // namespace
}  // namespace creto
