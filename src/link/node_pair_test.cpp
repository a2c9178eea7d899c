#include "link/node_pair.hpp"

#include <gtest/gtest.h>
#include <map>

namespace creto {
namespace {

NodePair pair_of(std::uint32_t from, std::uint32_t to) {
    return {NodeIndex{from}, NodeIndex{to}};
}

TEST(PairTable, AgreesWithAMapOverManyPairs) {
    PairTable<std::uint64_t> table;
    std::map<NodePair, std::uint64_t> expected;
    Prng prng{11};
    for (int i = 0; i < 20'000; ++i) {
        const auto from = static_cast<std::uint32_t>(prng.below(100));
        const auto to = static_cast<std::uint32_t>((from + 1 + prng.below(99)) % 100);
        table.at(pair_of(from, to)) += prng.below(7);
        expected[pair_of(from, to)] = *table.find(pair_of(from, to));
    }
    EXPECT_EQ(table.size(), expected.size());
    for (const auto& [pair, value] : expected) {
        ASSERT_NE(table.find(pair), nullptr);
        EXPECT_EQ(*table.find(pair), value);
    }
    EXPECT_EQ(table.find(pair_of(200, 1)), nullptr);
}

TEST(PairTable, TellsTheTwoDirectionsApart) {
    PairTable<int> table;
    table.at(pair_of(1, 2)) = 5;
    EXPECT_EQ(table.find(pair_of(2, 1)), nullptr);
    EXPECT_EQ(*table.find(pair_of(2, 1).reversed()), 5);
}

TEST(PairTable, ForgetsSpentPairsInsteadOfGrowing) {
    PairTable<std::uint64_t> table;
    for (std::uint32_t i = 0; i < 100'000; ++i) {
        const std::uint64_t oldest = i < 50 ? 0 : i - 50;
        table.at(pair_of(i, i + 1), [&](std::uint64_t value) { return value < oldest; }) = i;
    }
    EXPECT_LE(table.slots(), 512U);
    EXPECT_EQ(*table.find(pair_of(99'999, 100'000)), 99'999U);
}

}  // namespace
}  // namespace creto
