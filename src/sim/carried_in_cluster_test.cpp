// Agents without a seat: their operations travel in lanes of seats, within quotas.
#include <gtest/gtest.h>

#include "sim/cluster.hpp"
#include "sim/node_participant.hpp"
#include "sim/testing/asking.hpp"

namespace creto {
namespace {

using sim_testing::at;

// One of them wants everything; another one, and the seats, hardly notice.
// [CARRY-SHARE.1]
TEST(CarriedInCluster, OneClientsFloodIsItsOwn) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        SimOptions options;
        options.seed = seed;
        options.node_count = 6;
        options.seat_count = 4;
        SimCluster cluster{options, honest_nodes()};
        ASSERT_TRUE(cluster.run_for(Duration::from_s(2))) << cluster.violation();
        SubmitMany flood{.bodies = {}, .timeout = Duration::from_s(20)};
        for (int i = 0; i < 3'000; ++i)
            flood.bodies.push_back(DataOperation{Bytes(1'000, static_cast<std::uint8_t>(i))});
        const Ticket flooding = cluster.submit(at(4), flood);
        ASSERT_TRUE(cluster.run_for(Duration::from_ms(5))) << cluster.violation();
        std::vector<Ticket> others;
        for (const std::uint32_t node : {5U, 0U, 1U})
            others.push_back(cluster.submit(
                at(node), Submit{KeyOperation{KeyOperation::Action::add, "final/n", {}, 1}}
            ));
        for (const Ticket ticket : others) {
            ASSERT_TRUE(cluster.run_until(
                [&] { return cluster.reply(ticket) != nullptr; }, Duration::from_s(1)
            )) << "seed "
               << seed << cluster.violation();
            EXPECT_TRUE(std::get<SubmitReply>(*cluster.reply(ticket)).applied) << seed;
        }
        ASSERT_TRUE(cluster.run_until(
            [&] { return cluster.reply(flooding) != nullptr; }, Duration::from_s(30)
        )) << cluster.violation();
        const auto& done = std::get<SubmitManyReply>(*cluster.reply(flooding));
        EXPECT_GT(done.final_count, 500U) << "it has its share";
        if (done.final_count == 3'000U) continue;  // What one seat refused, others have carried.
        ASSERT_TRUE(done.error.has_value());
        EXPECT_NE(done.error->message.find("rate limited"), std::string::npos)
            << done.error->message;
    }
}

}  // namespace
}  // namespace creto
