#include "node/proofs.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>

namespace creto {
namespace {

AgentId named(std::uint32_t n) {
    std::array<std::uint8_t, 32> key{};
    key[0] = static_cast<std::uint8_t>(n);
    key[1] = static_cast<std::uint8_t>(n >> 8U);
    key[2] = 7;
    return AgentId{key};
}

std::vector<AgentId> many(std::uint32_t count) {
    std::vector<AgentId> out;
    for (std::uint32_t i = 0; i < count; ++i)
        out.push_back(named(i));
    return out;
}

const Evidence votes = VoteConflict{};
const Evidence fork = LaneFork{};
constexpr Instant noon = Instant::from_ns(1'000'000'000'000);

// [PROOF-ONCE.1]
TEST(Proofs, OneOfAKindAgainstAnAgentIsEnough) {
    Proofs proofs{named(0)};
    EXPECT_FALSE(proofs.knows(named(1), votes));
    EXPECT_TRUE(proofs.add(named(1), true, votes, noon));
    EXPECT_TRUE(proofs.knows(named(1), votes));
    EXPECT_FALSE(proofs.add(named(1), true, votes, noon));
    EXPECT_TRUE(proofs.add(named(1), true, fork, noon)) << "a fork closes a lane as well";
    EXPECT_TRUE(proofs.add(named(2), true, votes, noon));
    EXPECT_EQ(proofs.open().size(), 3U);
}

// [PROOF-ONCE.1]
TEST(Proofs, IdentitiesWithoutASeatFillOnlyTheirPart) {
    Proofs proofs{named(0)};
    for (std::uint32_t i = 1; i <= Proofs::seatless_max; ++i)
        ASSERT_TRUE(proofs.add(named(i), false, votes, noon));
    EXPECT_FALSE(proofs.add(named(60'000), false, votes, noon)) << "one over";
    EXPECT_TRUE(proofs.add(named(60'000), true, votes, noon)) << "a seat has its place";
    for (std::uint32_t i = 0; proofs.open().size() < Proofs::open_max; ++i)
        ASSERT_TRUE(proofs.add(named(10'000 + i), true, votes, noon));
    EXPECT_TRUE(proofs.add(named(50'000), true, votes, noon));
    EXPECT_EQ(proofs.open().size(), Proofs::open_max);
}

// [PROOF-SPREAD.1]
TEST(Proofs, AllAreToldWhereThereAreFew) {
    Prng prng{1};
    EXPECT_EQ(Proofs::to_tell(many(Proofs::all_max), std::nullopt, prng).size(), Proofs::all_max);
    auto told = Proofs::to_tell(many(Proofs::all_max + 1), named(5), prng);
    EXPECT_EQ(told.size(), Proofs::all_max);
    EXPECT_EQ(std::count(told.begin(), told.end(), named(5)), 0) << "who told it knows it";
    told = Proofs::to_tell(many(Proofs::all_max + 1), std::nullopt, prng);
    EXPECT_EQ(told.size(), Proofs::told_max);
}

// [PROOF-SPREAD.1]
TEST(Proofs, NearlyAllHearOfItWhileAThirdHandsNothingOn) {
    const auto everyone = many(1'000);
    std::size_t missed = 0;
    constexpr std::uint64_t rounds = 20;
    for (std::uint64_t seed = 1; seed <= rounds; ++seed) {
        Prng prng{seed};
        std::map<AgentId, std::size_t> place;
        for (std::size_t i = 0; i < everyone.size(); ++i)
            place[everyone[i]] = i;
        std::vector<bool> heard(everyone.size());
        std::vector<std::size_t> telling{999};
        heard[999] = true;
        while (!telling.empty()) {
            const std::size_t one = telling.back();
            telling.pop_back();
            if (one < 333) continue;
            auto peers = everyone;
            std::erase(peers, everyone[one]);
            const auto told = Proofs::to_tell(peers, std::nullopt, prng);
            ASSERT_EQ(std::set<AgentId>(told.begin(), told.end()).size(), Proofs::told_max);
            for (const AgentId& to : told) {
                if (heard[place[to]]) continue;
                heard[place[to]] = true;
                telling.push_back(place[to]);
            }
        }
        missed += static_cast<std::size_t>(std::count(heard.begin() + 333, heard.end(), false));
    }
    EXPECT_LT(missed, rounds) << "of 667 honest ones in each of " << rounds;
}

std::size_t bringers(std::uint32_t seats, Duration later) {
    std::size_t count = 0;
    for (std::uint32_t i = 0; i < seats; ++i) {
        Proofs proofs{named(i)};
        EXPECT_TRUE(proofs.add(named(9'999), true, votes, noon));
        count += Proofs::is_due(proofs.open().front(), seats, noon + later) ? 1U : 0U;
    }
    return count;
}

// [PROOF-BRING.1]
TEST(Proofs, FewBringItAtOnceAndEverybodyInTheEnd) {
    EXPECT_EQ(bringers(Proofs::all_max, Duration{}), Proofs::all_max);
    const std::size_t at_once = bringers(1'000, Duration{});
    EXPECT_GE(at_once, 2U);
    EXPECT_LE(at_once, 20U);
    const std::size_t later = bringers(1'000, Proofs::again);
    EXPECT_GE(later, 40U);
    EXPECT_LE(later, 95U);
    EXPECT_EQ(bringers(1'000, Proofs::again + Proofs::again + Proofs::again), 1'000U);
}

// [PROOF-BRING.1]
TEST(Proofs, WhatWasBroughtIsBroughtAgainInTime) {
    Proofs proofs{named(0)};
    ASSERT_TRUE(proofs.add(named(1), true, votes, noon));
    Proofs::Open& proof = proofs.open().front();
    proof.brought_at = noon;
    EXPECT_FALSE(Proofs::is_due(proof, 4, noon + (Proofs::again - Duration::from_ns(1))));
    EXPECT_TRUE(Proofs::is_due(proof, 4, noon + Proofs::again));
}

}  // namespace
}  // namespace creto
