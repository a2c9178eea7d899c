// The system scenarios in the simulator under sanitizers. `creto sim run --seeds 200`, which the
// checks of every change call, runs each over 200 seeds.
#include "sim/scenario.hpp"

#include <gtest/gtest.h>

namespace creto {
namespace {

class SystemScenario : public testing::TestWithParam<std::size_t> {};

TEST_P(SystemScenario, HoldsInEverySeed) {
    const SimScenario& scenario = sim_scenarios()[GetParam()];
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        const SimOutcome outcome = scenario.run(seed);
        ASSERT_TRUE(outcome.passed()) << scenario.id << " " << outcome.failure();
        ASSERT_GT(outcome.events, 0U);
        if (seed == 1) {
            ASSERT_EQ(scenario.run(seed).trace_hash, outcome.trace_hash)
                << scenario.id << " seed " << seed << ": the same seed gave another run";
        }
    }
}

INSTANTIATE_TEST_SUITE_P(
    All,
    SystemScenario,
    testing::Range<std::size_t>(0, 13),
    [](const testing::TestParamInfo<std::size_t>& chosen) {
        return sim_scenarios()[chosen.param].name;
    }
);

}  // namespace
}  // namespace creto
