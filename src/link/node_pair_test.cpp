#include "link/node_pair.hpp"

#include <gtest/gtest.h>
#include <map>

namespace creto {
namespace {

NodePair numbered(std::uint32_t from, std::uint32_t to) {
    return {NodeIndex{from}, NodeIndex{to}};
}

TEST(PairTable, AgreesWithAMapOverManyPairs) {
    PairTable<std::uint64_t> table;
    std::map<NodePair, std::uint64_t> expected;
    Prng prng{11};
    for (int i = 0; i < 20'000; ++i) {
        const auto from = static_cast<std::uint32_t>(prng.below(100));
        const auto to = static_cast<std::uint32_t>((from + 1 + prng.below(99)) % 100);
        table.at(numbered(from, to)) += prng.below(7);
        expected[numbered(from, to)] = *table.find(numbered(from, to));
    }
    EXPECT_EQ(table.size(), expected.size());
    for (const auto& [pair, value] : expected) {
        ASSERT_NE(table.find(pair), nullptr);
        EXPECT_EQ(*table.find(pair), value);
    }
    EXPECT_EQ(table.find(numbered(200, 1)), nullptr);
}

TEST(PairTable, TellsTheTwoDirectionsApart) {
    PairTable<int> table;
    table.at(numbered(1, 2)) = 5;
    EXPECT_EQ(table.find(numbered(2, 1)), nullptr);
    EXPECT_EQ(*table.find(numbered(2, 1).reversed()), 5);
}

TEST(PairTable, ForgetsSpentPairsInsteadOfGrowing) {
    PairTable<std::uint64_t> table;
    for (std::uint32_t i = 0; i < 100'000; ++i) {
        const std::uint64_t oldest = i < 50 ? 0 : i - 50;
        table.at(numbered(i, i + 1), [&](std::uint64_t value) { return value < oldest; }) = i;
    }
    EXPECT_LE(table.slots(), 512U);
    EXPECT_EQ(*table.find(numbered(99'999, 100'000)), 99'999U);
}

}  // namespace
}  // namespace creto
