// Who is reached where most seats have nothing to say to this node.
#include <gtest/gtest.h>

#include "mesh/reachability.hpp"
#include "mesh/test_support.hpp"

namespace creto {
namespace {

using mesh_testing::at_ms;

Genesis five() {
    Genesis genesis{.network = "test", .mode = QuorumMode::crash};
    for (std::uint32_t i = 0; i < 5; ++i) {
        std::array<std::uint8_t, 32> key{};
        key[0] = static_cast<std::uint8_t>(i + 1);
        genesis.members.push_back({Seat{i}, AgentId{key}, std::to_string(i)});
    }
    return genesis;
}

// [CUT-GROUPS.1]
TEST(ReachabilityGroups, WhoIsFoundAliveByAllNeedNotSayAnythingWhileThereIsALink) {
    const Roster roster{five()};
    Reachability node{roster, Seat{0}, {}};
    std::optional<Partitioned> told;
    const auto hear_only_the_first = [&](std::int64_t from, std::int64_t to) {
        for (std::int64_t ms = from; ms <= to; ms += 50) {
            node.heard(Seat{1}, at_ms(ms));
            if (auto tick = node.on_time(at_ms(ms)); tick.partitioned) told = tick.partitioned;
        }
    };
    for (std::uint32_t seat = 1; seat < 5; ++seat)
        node.link_up(Seat{seat}, at_ms(0));
    for (const std::uint32_t seat : {2U, 3U, 4U})
        node.set_alive(Seat{seat}, true, at_ms(0));
    hear_only_the_first(50, 20'000);
    EXPECT_EQ(node.reachable(), 5U);
    EXPECT_FALSE(told.has_value());
    // Two are suspected, and the link of a third ends: each is lost in its own time.
    node.set_alive(Seat{2}, false, at_ms(20'000));
    node.set_alive(Seat{3}, false, at_ms(20'000));
    hear_only_the_first(20'050, 20'900);
    EXPECT_EQ(node.reachable(), 5U) << "silence counts from the suspicion on";
    node.link_down(Seat{4}, at_ms(20'900));
    hear_only_the_first(20'950, 23'500);
    ASSERT_TRUE(told.has_value());
    EXPECT_EQ(told->lost, (std::vector{Seat{2}, Seat{3}, Seat{4}}));
    EXPECT_FALSE(node.has_quorum());
    node.set_alive(Seat{3}, true, at_ms(23'500));
    EXPECT_TRUE(node.is_reachable(Seat{3})) << "found alive after all";
    EXPECT_TRUE(node.has_quorum());
}

// [CUT-HEAL.2]
TEST(ReachabilityGroups, AmongVeryManySomeOfThoseWhoComeBackAreMet) {
    const Roster roster{five()};
    for (const bool is_large : {false, true}) {
        ReachabilityOptions options;
        options.meet_all_max = is_large ? 4 : 5;
        options.meets_max = 2;
        Reachability node{roster, Seat{1}, options};
        std::vector<Seat> asked;
        bool healed = false;
        const auto run = [&](std::int64_t from, std::int64_t to, bool are_there) {
            for (std::int64_t ms = from; ms <= to; ms += 50) {
                for (const std::uint32_t seat : {0U, 2U, 3U, 4U})
                    if (are_there) node.heard(Seat{seat}, at_ms(ms));
                const auto tick = node.on_time(at_ms(ms));
                asked.insert(asked.end(), tick.summarise.begin(), tick.summarise.end());
                healed = healed || tick.healed.has_value();
            }
        };
        for (const std::uint32_t seat : {0U, 2U, 3U, 4U})
            node.link_up(Seat{seat}, at_ms(0));
        run(50, 2'000, true);
        run(2'050, 8'000, false);
        ASSERT_TRUE(node.partitioned());
        EXPECT_TRUE(asked.empty());
        run(8'050, 8'400, true);
        if (!is_large) {
            EXPECT_EQ(asked, (std::vector{Seat{0}, Seat{2}, Seat{3}, Seat{4}}));
            continue;
        }
        EXPECT_EQ(asked, (std::vector{Seat{2}, Seat{3}})) << "the next ones in the roster";
        run(8'450, 8'600, true);
        EXPECT_EQ(asked.size(), 6U) << "none has answered: both again, and two others";
        EXPECT_FALSE(healed);
        node.summary_met(Seat{3});
        node.summary_met(Seat{4});
        run(8'650, 9'800, true);
        EXPECT_TRUE(healed);
        EXPECT_EQ(asked.size(), 6U);
    }
}

}  // namespace
}  // namespace creto
