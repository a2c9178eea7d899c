// Nodes that are killed for what they hold in memory, and the back-pressure that keeps them below.
#include <gtest/gtest.h>

#include "sim/life/injector.hpp"
#include "sim/life/life.hpp"
#include "sim/life/schedule_json.hpp"
#include "sim/memory.hpp"
#include "sim/node_participant.hpp"

namespace creto {
namespace {

constexpr auto memory = static_cast<std::size_t>(FaultKind::memory_budget);

Fault budget(std::vector<std::uint32_t> nodes, std::uint64_t kib) {
    return {
        Duration::from_s(2),
        Duration::from_s(15),
        FaultKind::memory_budget,
        std::move(nodes),
        {},
        kib,
        200};
}

TEST(MemoryBudget, KillsWhoHoldsMoreAndItsSupervisorStartsItAgain) {
    Schedule schedule;
    schedule.faults = {budget({1}, 1)};
    const LifeReport one = live(schedule);
    EXPECT_TRUE(one.passed()) << one.text;
    EXPECT_GT(one.fired[memory], 5U) << "again and again";
    EXPECT_GE(one.restarts, one.fired[memory]);
    schedule.faults = {budget({0, 1, 2, 3}, 1)};
    const LifeReport all = live(schedule);
    EXPECT_TRUE(all.passed()) << all.text;
    EXPECT_GT(all.fired[memory], one.fired[memory]);
}

TEST(MemoryBudget, IsNoFaultWhereNobodyExceedsIt) {
    Schedule schedule;
    schedule.faults = {budget({0, 1, 2, 3}, fair_memory_kib)};
    const LifeReport report = live(schedule);
    EXPECT_EQ(report.checker, "empty") << report.text;
    EXPECT_EQ(report.fired[memory], 0U);
}

TEST(MemoryBudget, GivesTheSameLifeFromItsJson) {
    Schedule schedule;
    schedule.faults = {budget({1, 2}, 4)};
    const LifeReport once = live(schedule);
    EXPECT_GT(once.fired[memory], 0U);
    const auto read = parse_schedule(to_json(schedule));
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(live(*read).trace_hash, once.trace_hash);
}

/// Node 3 is cut off, and clients want more from it than its window has room for.
class CutOff : public ::testing::Test {
protected:
    void live_under(std::uint64_t kib) {
        schedule_.faults = {
            {Duration::from_s(1), Duration::from_s(8), FaultKind::cut, {3}, {}, 0, 0},
            {Duration::from_s(1),
             Duration::from_s(8),
             FaultKind::memory_budget,
             {3},
             {},
             kib,
             500}};
        schedule_.calm_after = Duration::from_s(10);
        ASSERT_TRUE(check(schedule_).has_value());
        SimOptions options;
        options.seed = 7;
        SimCluster cluster{options, honest_nodes()};
        Injector injector{schedule_, cluster};
        std::vector<Ticket> tickets;
        for (int i = 0; i < 900; ++i)
            cluster.at(Instant{} + Duration::from_ms(1'500 + 5 * i), [&cluster, &tickets, i] {
                if (!cluster.is_up(NodeIndex{3})) return;
                CrdtOperation write{.key = "causal/" + std::to_string(i)};
                write.action = CrdtOperation::Action::last_set;
                write.value.assign(120'000, 7);
                tickets.push_back(cluster.submit(
                    NodeIndex{3}, Submit{write, Reading::causal, Duration::from_s(60)}
                ));
            });
        const auto look = [&](int ms) {
            cluster.at(Instant{} + Duration::from_ms(ms), [this, &cluster] {
                most_ = std::max(most_, held_bytes(cluster.host(NodeIndex{3})));
            });
        };
        for (int ms = 1'500; ms < 9'000; ms += 50)
            look(ms);
        ASSERT_TRUE(cluster.run_for(schedule_.calm_after)) << cluster.violation();
        injector.calm();
        ASSERT_TRUE(cluster.run_for(Duration::from_s(20))) << cluster.violation();
        killed_ = injector.fired()[memory];
        for (const Ticket ticket : tickets) {
            const ReplyBody* reply = cluster.reply(ticket);
            if (reply == nullptr) continue;
            taken_ += std::holds_alternative<SubmitReply>(*reply) ? 1 : 0;
            const auto* error = std::get_if<Error>(&*reply);
            if (error != nullptr && error->message.find("backlog full") != std::string::npos)
                ++refused_;
        }
        final_ = cluster.node(NodeIndex{0})->status().finalized;
        left_ = cluster.node(NodeIndex{3})->status().causal_backlog;
    }

    Schedule schedule_;
    std::size_t most_ = 0;
    std::uint64_t killed_ = 0;
    std::uint64_t taken_ = 0;
    std::uint64_t refused_ = 0;
    Height final_;
    std::uint64_t left_ = 0;
};

TEST_F(CutOff, WhoKeepsToTheRulesRefusesBeforeAFairBudgetIsExceeded) {
    live_under(64 * 1'024 + 2 * 1'024);  // Its lane's window, and what the others had written.
    EXPECT_EQ(killed_, 0U);
    EXPECT_GT(most_, 60'000'000U) << "there was no need of it";
    EXPECT_GT(taken_, 400U);
    EXPECT_GT(refused_, 100U);
    EXPECT_EQ(left_, 0U) << "all that was taken is final";
}

TEST_F(CutOff, WhoIsKilledBelowItsWindowComesBackWithWhatItHadAnswered) {
    live_under(8 * 1'024);
    EXPECT_GT(killed_, 1U) << "what it has on its disk alone is too much";
    EXPECT_GT(taken_, 30U);
    EXPECT_EQ(refused_, 0U);
    EXPECT_EQ(left_, 0U);
}

}  // namespace
}  // namespace creto
