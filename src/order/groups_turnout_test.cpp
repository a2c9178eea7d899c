// What leaders report through groups: of the dead, and of whoever is only slow.
#include <gtest/gtest.h>

#include "order/testing/cluster.hpp"

namespace creto::simplex::testing {
namespace {

constexpr Index grouped_seats = 20;

struct Reports {
    std::map<BlockId, Turnout> all;  ///< Of different blocks.

    void watch(Cluster& c) {
        c.seen = [this](Index, Index, const Message& message) {
            const auto* proposal = std::get_if<Proposal>(&message);
            if (proposal == nullptr || !proposal->block.turnout) return;
            all.emplace(proposal->block.id(), *proposal->block.turnout);
        };
    }
    /// How many of them name this seat often.
    [[nodiscard]] std::size_t naming(Index member) const {
        std::size_t count = 0;
        for (const auto& [block, said] : all)
            count += said.often && contains(*said.often, member) ? 1 : 0;
        return count;
    }
    [[nodiscard]] std::size_t without(Index member) const {
        std::size_t count = 0;
        for (const auto& [block, said] : all)
            count += contains(said.absent, member) ? 1 : 0;
        return count;
    }
    static bool contains(const std::vector<Seat>& in, Index member) {
        return std::binary_search(in.begin(), in.end(), Seats::seat(member));
    }
};

void run(Cluster& c, Duration span) {
    const Instant end = c.now() + span;
    for (Index k = 0; c.now() < end; ++k) {
        c.produce(k % c.options().n);
        c.run_for(Duration::from_ms(20));
    }
}

class GroupsTurnout : public ::testing::TestWithParam<VoteForm> {};

// [ORD-V1.8] [STAND-REPORT.2]
TEST_P(GroupsTurnout, TheDeadAreNamedByAllAndTheSlowByNobody) {
    Cluster c{
        {.n = grouped_seats,
         .ordering = {.view_interval = Duration::from_ms(15), .direct_seats_max = 3},
         .latency_min = Duration::from_ms(1),
         .latency_max = Duration::from_ms(3),
         .vote_form = GetParam()}};
    c.start_all();
    c.node(7).slower_disk = Duration::from_ms(80);
    Reports before;
    before.watch(c);
    run(c, Duration::from_s(12));
    EXPECT_GT(before.all.size(), 20U);
    for (Index member = 0; member < grouped_seats; ++member)
        EXPECT_EQ(before.naming(member), 0U) << member;
    for (const auto& [block, said] : before.all)
        EXPECT_TRUE(said.often.has_value()) << "the form of groups";

    c.crash(12);
    run(c, Duration::from_s(12));
    Reports after;
    after.watch(c);
    run(c, Duration::from_s(4));
    EXPECT_GT(after.all.size(), 20U);
    EXPECT_EQ(after.naming(12), after.all.size());
    EXPECT_EQ(after.without(12), after.all.size());
    EXPECT_EQ(after.naming(7), 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Both,
    GroupsTurnout,
    ::testing::Values(VoteForm::list, VoteForm::joined),
    [](const auto& form) { return std::string{form.param == VoteForm::list ? "List" : "Joined"}; }
);

}  // namespace
}  // namespace creto::simplex::testing
