#include "base/flat_map.hpp"

#include <gtest/gtest.h>
#include <map>

#include "base/prng.hpp"

namespace creto {
namespace {

TEST(FlatMap, IsWhatATreeIs) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Prng prng{seed};
        FlatMap<std::uint32_t, std::uint64_t> flat;
        std::map<std::uint32_t, std::uint64_t> tree;
        for (std::uint64_t step = 0; step < 500; ++step) {
            const auto key = static_cast<std::uint32_t>(prng.below(64));
            if (prng.below(3) == 0) {
                flat.erase(key);
                tree.erase(key);
            } else if (prng.below(40) == 0) {
                const auto is = [key](const auto& entry) { return entry.first % 8 == key % 8; };
                EXPECT_EQ(flat.erase_if(is), std::erase_if(tree, is));
            } else {
                flat[key] = step;
                tree[key] = step;
            }
            const auto probe = static_cast<std::uint32_t>(prng.below(64));
            const auto found = tree.find(probe);
            const std::uint64_t* const held = flat.find(probe);
            ASSERT_EQ(held != nullptr, found != tree.end()) << "seed " << seed;
            if (held != nullptr) {
                ASSERT_EQ(*held, found->second) << "seed " << seed;
            }
            ASSERT_EQ(
                std::distance(flat.begin(), flat.lower_bound(probe)),
                std::distance(tree.begin(), tree.lower_bound(probe))
            );
        }
        ASSERT_EQ(flat.size(), tree.size());
        EXPECT_EQ(flat.empty(), tree.empty());
        const auto equal = [](const auto& a, const auto& b) {
            return a.first == b.first && a.second == b.second;
        };
        EXPECT_TRUE(std::equal(flat.begin(), flat.end(), tree.begin(), tree.end(), equal));
    }
}

}  // namespace
}  // namespace creto
