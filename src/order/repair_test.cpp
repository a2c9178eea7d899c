#include "order/repair.hpp"

#include <gtest/gtest.h>
#include <set>

#include "order/testing/seats.hpp"

namespace creto::simplex {
namespace {

using testing::block_id;
using testing::Seats;

constexpr Duration retry = Duration::from_ms(100);

class RepairTest : public ::testing::Test {
protected:
    std::vector<Repair::Request> sweep(Instant now, const std::optional<AgentId>& first) {
        repair.begin();
        repair.want(CertificateKey{View{5}, VoteKind::nullify}, first);
        return repair.due(peers, retry, now);
    }
    static Instant at(std::int64_t ms) { return Instant{} + Duration::from_ms(ms); }

    Seats seats{4};
    std::vector<AgentId> peers{seats.agent(1), seats.agent(2), seats.agent(3)};
    Repair repair{0};
};

// [ORD-G2.1]
TEST_F(RepairTest, AsksWhoMustHoldItAndThenEverybodyInTurn) {
    auto requests = sweep(at(0), seats.agent(2));
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_EQ(requests[0].to, seats.agent(2));
    EXPECT_EQ(
        std::get<CertificateRequest>(requests[0].message),
        (CertificateRequest{Epoch{1}, View{5}, VoteKind::nullify})
    );
    EXPECT_TRUE(sweep(at(99), seats.agent(2)).empty());
    EXPECT_EQ(repair.next_wake(), at(100));
    std::set<AgentId> asked;
    for (int k = 1; k <= 3; ++k) {
        requests = sweep(at(100 * k), seats.agent(2));
        ASSERT_EQ(requests.size(), 1U);
        asked.insert(requests[0].to);
    }
    EXPECT_EQ(asked.size(), 3U);
}

TEST_F(RepairTest, AsksAnotherWhenTheFirstIsNotConnected) {
    const auto requests = sweep(at(0), seats.agent(0));
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_NE(requests[0].to, seats.agent(0));
}

// [ORD-G3.1]
TEST_F(RepairTest, ForgetsWhatIsNoLongerWanted) {
    static_cast<void>(sweep(at(0), std::nullopt));
    repair.begin();
    repair.want(block_id("a"), std::nullopt);
    repair.want(Height{7}, std::nullopt);
    EXPECT_TRUE(repair.wants(block_id("a")));
    EXPECT_FALSE(repair.wants(block_id("b")));
    EXPECT_EQ(repair.due(peers, retry, at(1)).size(), 2U);
    EXPECT_EQ(repair.size(), 2U);
    repair.begin();
    EXPECT_TRUE(repair.due(peers, retry, at(500)).empty());
    EXPECT_EQ(repair.size(), 0U);
    EXPECT_EQ(repair.next_wake(), Instant::max());
}

TEST_F(RepairTest, RunsNoTimerWhileThereIsNobodyToAsk) {
    const std::vector<AgentId> all = std::exchange(peers, {});
    EXPECT_TRUE(sweep(at(0), std::nullopt).empty());
    EXPECT_EQ(repair.next_wake(), Instant::max());
    peers = all;
    EXPECT_EQ(sweep(at(1), std::nullopt).size(), 1U) << "at once when somebody comes";
    peers.clear();
    EXPECT_TRUE(sweep(at(500), std::nullopt).empty());
    EXPECT_EQ(repair.next_wake(), Instant::max());
}

}  // namespace
}  // namespace creto::simplex
