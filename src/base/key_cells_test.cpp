#include "base/key_cells.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <string>

#include "base/prng.hpp"

namespace creto {
namespace {

/// All of these fall together.
struct Heavy {
    int value = 0;
    [[nodiscard]] std::uint64_t prefix() const { return 7; }
    friend bool operator==(const Heavy&, const Heavy&) = default;
    friend auto operator<=>(const Heavy&, const Heavy&) = default;
};

template <class Key>
class KeyTables : public ::testing::Test {};
using Keys = ::testing::Types<int, Heavy>;
TYPED_TEST_SUITE(KeyTables, Keys);

TYPED_TEST(KeyTables, IsWhatATreeIs) {
    KeyTable<TypeParam, std::string> table;
    KeyMap<TypeParam, std::string> map;
    std::map<TypeParam, std::string> tree;
    Prng random{1};
    for (int step = 0; step < 20'000; ++step) {
        // Now many, now a few.
        const std::uint64_t keys = step / 1'000 % 2 == 0 ? 90 : 9;
        const TypeParam key{static_cast<int>(random.below(keys))};
        if (random.chance(1, 2)) {
            const std::string value = std::to_string(step);
            const std::string& held = tree.try_emplace(key, value).first->second;
            EXPECT_EQ(table.find_or_add(key, [&] { return value; }), held);
            EXPECT_EQ(map.try_emplace(key, value).first->second, held);
        } else {
            const bool there = tree.erase(key) > 0;
            EXPECT_EQ(table.erase(key), there);
            EXPECT_EQ(map.erase(key) > 0, there);
        }
        ASSERT_EQ(table.size(), tree.size());
        ASSERT_EQ(map.size(), tree.size());
        if (step % 97 != 0) continue;
        for (int i = 0; i < 90; ++i) {
            const TypeParam other{i};
            const std::string* const found = table.find(other);
            const auto held = tree.find(other);
            ASSERT_EQ(found != nullptr, held != tree.end());
            ASSERT_EQ(map.contains(other), held != tree.end());
            if (found == nullptr) continue;
            EXPECT_EQ(*found, held->second);
            EXPECT_EQ(map.at(other), held->second);
        }
        std::size_t walked = 0;
        for (const auto& entry : table)
            walked += tree.at(entry.key) == entry.value ? 1 : 0;
        EXPECT_EQ(walked, tree.size());
        EXPECT_TRUE(std::equal(map.begin(), map.end(), tree.begin(), tree.end()));
    }
}

TEST(KeyMap, WhatIsCopiedMovedAndErasedIsFound) {
    KeyMap<int, int> map;
    for (int i = 0; i < 100; ++i)
        map[i] = i;
    KeyMap<int, int> copy = map;
    copy.insert_or_assign(5, 50);
    EXPECT_EQ(map.at(5), 5);
    EXPECT_EQ(copy.at(5), 50);
    KeyMap<int, int> moved = std::move(copy);
    EXPECT_EQ(moved.at(99), 99);
    map = moved;
    EXPECT_EQ(map.at(5), 50);
    EXPECT_EQ(erase_if(map, [](const auto& entry) { return entry.first % 2 == 1; }), 50U);
    EXPECT_FALSE(map.contains(5));
    EXPECT_TRUE(map.contains(98));
    EXPECT_EQ(map.erase(98), 1U);
    EXPECT_EQ(map.find(98), map.end());
    EXPECT_EQ(moved.size(), 100U);
}

TEST(KeyTable, IsEmptyAfterClear) {
    KeyTable<int, int> table;
    EXPECT_EQ(table.find(1), nullptr);
    EXPECT_FALSE(table.erase(1));
    for (int i = 0; i < 100; ++i)
        table.find_or_add(i, [&] { return i; }) += 1;
    EXPECT_EQ(*table.find(99), 100);
    table.clear();
    EXPECT_TRUE(table.empty());
    EXPECT_EQ(table.find(99), nullptr);
    EXPECT_EQ(table.find_or_add(99, [] { return 5; }), 5);
}

}  // namespace
}  // namespace creto
