#include "link/profile.hpp"

#include <gtest/gtest.h>

namespace creto {
namespace {

TEST(LinkProfile, HasTheFourNamedOnesInAnyCase) {
    EXPECT_EQ(parse_profile("local"), local_profile());
    EXPECT_EQ(parse_profile("LAN"), lan_profile());
    EXPECT_EQ(parse_profile("Wan"), wan_profile());
    EXPECT_EQ(parse_profile("dEGRADED"), degraded_profile());
    for (const char* name : {"local", "lan", "wan", "degraded"}) {
        const auto profile = parse_profile(name);
        ASSERT_TRUE(profile.has_value());
        EXPECT_TRUE(check(*profile).has_value()) << name;
    }
}

TEST(LinkProfile, RefusesANameItDoesNotKnowAndSaysWhichThereAre) {
    for (const char* name : {"", "la", "lann", "lan ", "metro"}) {
        const auto profile = parse_profile(name);
        ASSERT_FALSE(profile.has_value()) << name;
        EXPECT_EQ(profile.error().code, ErrorCode::invalid);
        EXPECT_NE(profile.error().message.find("degraded"), std::string::npos);
    }
    EXPECT_LT(parse_profile(std::string(1'000'000, 'x')).error().message.size(), 200U);
}

TEST(LinkProfile, HoldsTheDocumentedFigures) {
    EXPECT_LT(local_profile().latency_max, Duration::from_ms(1));
    EXPECT_EQ(local_profile().loss_ppm, 0U);
    EXPECT_EQ(lan_profile().latency_min, Duration::from_ms(1));
    EXPECT_EQ(lan_profile().latency_max, Duration::from_ms(10));
    EXPECT_EQ(lan_profile().loss_ppm, 100U);
    EXPECT_EQ(wan_profile().latency_min, Duration::from_ms(50));
    EXPECT_EQ(wan_profile().latency_max, Duration::from_ms(200));
    EXPECT_EQ(wan_profile().loss_ppm, 1'000U);
    EXPECT_EQ(degraded_profile().latency_min, Duration::from_ms(200));
    EXPECT_EQ(degraded_profile().latency_max, Duration::from_ms(500));
    EXPECT_EQ(degraded_profile().loss_ppm, 10'000U);
}

TEST(LinkProfile, IsCheckedFigureByFigure) {
    const auto refuses = [](auto change) {
        LinkProfile profile = lan_profile();
        change(profile);
        return !check(profile).has_value();
    };
    EXPECT_TRUE(refuses([](auto& p) { p.latency_min = Duration::from_ns(-1); }));
    EXPECT_TRUE(refuses([](auto& p) { p.latency_max = p.latency_min - Duration::from_ns(1); }));
    EXPECT_TRUE(refuses([](auto& p) {
        p.latency_max = limits::link_latency_max + Duration::from_ns(1);
    }));
    EXPECT_TRUE(refuses([](auto& p) { p.jitter_percent = 101; }));
    EXPECT_TRUE(refuses([](auto& p) { p.loss_ppm = limits::link_ppm + 1; }));
    EXPECT_TRUE(refuses([](auto& p) { p.duplicate_ppm = limits::link_ppm + 1; }));
    EXPECT_TRUE(refuses([](auto& p) { p.reorder_ppm = limits::link_ppm + 1; }));
    EXPECT_TRUE(refuses([](auto& p) { p.reorder_extra = Duration::from_ns(-1); }));
    EXPECT_TRUE(refuses([](auto& p) { p.retransmit_timeout = Duration{}; }));
    EXPECT_TRUE(refuses([](auto& p) { p.bandwidth_bps = limits::link_bandwidth_bps_max + 1; }));
    EXPECT_TRUE(refuses([](auto& p) { p.queue_bytes_max = limits::link_queue_bytes_max + 1; }));
    EXPECT_TRUE(refuses([](auto& p) {
        p.bandwidth_bps = 1;
        p.queue_bytes_max = 0;
    }));
    EXPECT_FALSE(refuses([](auto& p) { p.loss_ppm = limits::link_ppm; }));
}

}  // namespace
}  // namespace creto
