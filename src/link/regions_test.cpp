#include "link/regions.hpp"

#include <gtest/gtest.h>
#include <set>

#include "link/link_model.hpp"

namespace creto {
namespace {

TEST(Regions, TheTableIsSymmetricAndWithinItsFigures) {
    for (std::uint32_t a = 0; a < regions_max; ++a) {
        for (std::uint32_t b = 0; b < regions_max; ++b) {
            EXPECT_EQ(region_latency_ms[a][b], region_latency_ms[b][a]) << a << " " << b;
            if (a == b) {
                EXPECT_EQ(region_latency_ms[a][b], 1U);
            } else {
                EXPECT_GE(region_latency_ms[a][b], 13U) << a << " " << b;
                EXPECT_LE(region_latency_ms[a][b], 150U) << a << " " << b;
            }
        }
    }
}

TEST(Regions, TheProfileHasAName) {
    const auto profile = parse_profile("Regions");
    ASSERT_TRUE(profile.has_value());
    EXPECT_EQ(*profile, regions_profile());
    EXPECT_TRUE(check(*profile).has_value());
    EXPECT_TRUE(has_regions(*profile));
    EXPECT_FALSE(has_regions(wan_profile()));
}

TEST(Regions, ALinkIsAsLongAsItsRegionsAreApart) {
    LinkProfile profile = regions_profile();
    profile.loss_ppm = 0;
    LinkModel model{3, 300, profile};
    std::set<std::int64_t> near_or_far;
    std::size_t near = 0;
    std::size_t all = 0;
    for (std::uint32_t a = 0; a < 300; ++a) {
        for (std::uint32_t b = a + 1; b < 300; ++b) {
            const NodePair pair{NodeIndex{a}, NodeIndex{b}};
            const Duration base = model.base_latency(pair);
            EXPECT_EQ(base, model.base_latency(pair.reversed()));
            const auto plan = model.plan(pair, 100, Instant{}, 0);
            ASSERT_EQ(plan.outcome, LinkOutcome::delivered);
            const Duration took = plan.at[0] - Instant{};
            EXPECT_GE(took, base);
            EXPECT_LE(took, base + std::max(base / 10, Duration::from_ms(1)));
            EXPECT_GE(took, profile.latency_min);
            EXPECT_LE(base, Duration::from_ms(153));
            ++all;
            near += took <= Duration::from_ms(5) ? 1 : 0;
            near_or_far.insert(base.ms() / 5);
        }
    }
    EXPECT_NEAR(static_cast<double>(near) / static_cast<double>(all), 0.1, 0.03);
    EXPECT_GT(near_or_far.size(), 20U) << "all of the table";
    // Whoever is near to one is as far from a third as that one is: regions, not single distances.
    std::size_t alike = 0;
    for (std::uint32_t other = 1; other < 300; ++other) {
        const NodePair pair{NodeIndex{0}, NodeIndex{other}};
        if (model.base_latency(pair) > Duration::from_ms(4)) continue;
        for (std::uint32_t third = 1; third < 300; ++third) {
            if (third == other) continue;
            const Duration a = model.base_latency({NodeIndex{0}, NodeIndex{third}});
            const Duration b = model.base_latency({NodeIndex{other}, NodeIndex{third}});
            EXPECT_LE(a, b + Duration::from_ms(3));
            ++alike;
        }
    }
    EXPECT_GT(alike, 1'000U);
}

TEST(Regions, TheLongestWayOfTheProfileIsItsMaximum) {
    const Duration base = region_latency(2, 6, ~std::uint64_t{0});
    EXPECT_EQ(base + region_jitter(base, ~std::uint64_t{0}), regions_profile().latency_max);
}

}  // namespace
}  // namespace creto
