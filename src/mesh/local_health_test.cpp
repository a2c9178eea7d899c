#include "mesh/local_health.hpp"

#include <gtest/gtest.h>

namespace creto {
namespace {

TEST(LocalHealth, StretchesWaitsWithinItsBounds) {
    LocalHealth health;
    const Duration second = Duration::from_s(1);
    EXPECT_EQ(health.stretch(second), second);
    for (int i = 0; i < 100; ++i)
        health.worse();
    EXPECT_EQ(health.stretch(second), second * (1 + LocalHealth::score_max));
    for (int i = 0; i < 100; ++i)
        health.better();
    EXPECT_EQ(health.stretch(second), second);
}

}  // namespace
}  // namespace creto
