#include "scale/bench/real_limits.hpp"

#include <gtest/gtest.h>

#include "scale/bench/catalogue.hpp"

namespace creto {
namespace {

ScaleScenario of(const std::string& name, std::uint32_t nodes) {
    static const Catalogue catalogue = Catalogue::load().value();
    return with_nodes(*catalogue.find(name).value(), nodes).value();
}

TEST(RealLimits, RefusesWhatProcessesOfOneMachineCannotBe) {
    EXPECT_EQ(why_not_real(of("workload_execution", 50)), "");
    EXPECT_NE(why_not_real(of("workload_execution", 51)).find("--nodes 16"), std::string::npos);
    ScaleScenario scenario = of("workload_execution", 4);
    scenario.network.vote_form = VoteForm::joined;
    EXPECT_NE(why_not_real(scenario).find("joined"), std::string::npos);
    scenario.network.vote_form = VoteForm::list;
    EXPECT_EQ(why_not_real(scenario), "");
    // Of variants each, and not the network that none of them has.
    scenario.variants = {{"small", scenario.network}, {"big", scenario.network}};
    scenario.network.nodes = 1'000;
    EXPECT_EQ(why_not_real(scenario), "");
    scenario.variants[1].network.nodes = 51;
    EXPECT_NE(why_not_real(scenario).find("it has 51 nodes"), std::string::npos);
    scenario.micro = "vertex";
    EXPECT_NE(why_not_real(scenario).find("leave --real out"), std::string::npos);
}

TEST(RealLimits, NamesEachStepThatIsLeftOutAndTheLiars) {
    EXPECT_TRUE(not_injected(of("network_partition", 16)).empty());
    EXPECT_TRUE(not_injected(of("handles_node_failures", 10)).empty());
    const auto skew = not_injected(of("1000_nodes_clock_skew", 16));
    ASSERT_FALSE(skew.empty());
    EXPECT_EQ(skew.front().kind, "clock");
    EXPECT_FALSE(skew.front().why.empty());
    const auto liars = not_injected(of("1000_nodes_10percent_byzantine_random", 16));
    ASSERT_FALSE(liars.empty());
    EXPECT_EQ(liars.front().step, "byzantine");
}

TEST(RealLimits, LinksNeedTheShimWhereSomethingIsAskedOfThem) {
    const auto needs = [](const ScaleScenario& scenario) {
        return needs_links(scenario, scenario.network);
    };
    EXPECT_FALSE(needs(of("workload_execution", 16)));
    EXPECT_FALSE(needs(of("handles_node_failures", 10)));
    EXPECT_TRUE(needs(of("network_simulation", 10)));
    EXPECT_TRUE(needs(of("network_partition", 16)));
    ScaleScenario narrow = of("workload_execution", 16);
    narrow.network.bandwidth_bps = 1'000'000;
    EXPECT_TRUE(needs(narrow));
}

}  // namespace
}  // namespace creto
