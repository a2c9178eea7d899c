#include "scale/large_pages.hpp"

#include <gtest/gtest.h>
#include <vector>

namespace creto {
namespace {

TEST(LargePages, AreAskedForOnceAndMemoryStaysUsable) {
    const std::size_t first = use_large_pages();
    EXPECT_EQ(first % (2U << 20U), 0U);
    std::vector<std::vector<unsigned char>> held;
    for (unsigned i = 0; i < 64; ++i)
        held.emplace_back(1U << 20U, static_cast<unsigned char>(i));
    for (unsigned i = 0; i < 64; ++i)
        EXPECT_EQ(held[i].back(), i);
    EXPECT_EQ(use_large_pages(), first);
}

}  // namespace
}  // namespace creto
