#include <gtest/gtest.h>

#include "mesh/dialer.hpp"
#include "mesh/directory.hpp"
#include "mesh/fetcher.hpp"
#include "mesh/reachability.hpp"

namespace creto {
namespace {

AgentId agent_of(std::uint8_t n) {
    std::array<std::uint8_t, 32> key{};
    key[0] = n;
    return AgentId{key};
}

Instant at_ms(std::int64_t ms) {
    return Instant{} + Duration::from_ms(ms);
}

Checked<Shared<AgentRecord>> record_of(
    std::uint8_t n, std::uint64_t version, std::uint32_t lifetime_ms = 1000
) {
    AgentRecord record;
    record.agent = agent_of(n);
    record.name = "agent-" + std::to_string(n);
    record.version = version;
    record.lifetime_ms = lifetime_ms;
    record.tools = {{"add", {}, "", "{}"}, {"multiply", {}, "", "{}"}};
    return {record, CheckPass::own()};
}

Genesis genesis_of(std::uint8_t n, QuorumMode mode) {
    Genesis genesis{.network = "test", .mode = mode};
    for (std::uint8_t i = 0; i < n; ++i) {
        genesis.members.push_back(
            {Seat{i}, agent_of(static_cast<std::uint8_t>(i + 1)), std::to_string(i)}
        );
    }
    return genesis;
}

TEST(Directory, TheGreatestVersionWins) {
    Directory directory{agent_of(1)};
    EXPECT_EQ(directory.accept(record_of(2, 5), at_ms(0)), Directory::Change::found);
    EXPECT_EQ(directory.accept(record_of(2, 5), at_ms(0)), Directory::Change::none);
    EXPECT_EQ(directory.accept(record_of(2, 4), at_ms(0)), Directory::Change::none);
    EXPECT_EQ(directory.accept(record_of(2, 6), at_ms(0)), Directory::Change::updated);
    EXPECT_EQ(directory.providers("add").size(), 1U);
    EXPECT_TRUE(directory.providers("divide").empty());
}

TEST(Directory, AnExpiredRecordDoesNotComeBackFromASlowNeighbour) {
    Directory directory{agent_of(1)};
    directory.accept(record_of(2, 5, 1000), at_ms(0));
    EXPECT_TRUE(directory.expire(at_ms(999)).empty());
    EXPECT_EQ(directory.expire(at_ms(1000)).size(), 1U);
    EXPECT_EQ(directory.accept(record_of(2, 5), at_ms(1001)), Directory::Change::none);
    EXPECT_FALSE(directory.behind(RecordSummary{{{agent_of(2), 5}}}));
    EXPECT_EQ(directory.accept(record_of(2, 6), at_ms(1002)), Directory::Change::found);
}

TEST(Directory, ALeaverGoesAtOnce) {
    Directory directory{agent_of(1)};
    directory.accept(record_of(2, 5), at_ms(0));
    AgentRecord bye = *record_of(2, 6);
    bye.leaving = true;
    EXPECT_EQ(directory.accept({bye, CheckPass::own()}, at_ms(1)), Directory::Change::left);
    EXPECT_EQ(directory.find(agent_of(2)), nullptr);
}

TEST(Directory, SummariesSayWhoLacksWhat) {
    Directory ours{agent_of(1)};
    Directory theirs{agent_of(2)};
    ours.accept(record_of(1, 1), at_ms(0));
    ours.accept(record_of(3, 9), at_ms(0));
    theirs.accept(record_of(2, 1), at_ms(0));
    theirs.accept(record_of(3, 8), at_ms(0));
    EXPECT_EQ(ours.newer_than(theirs.summary(false)).size(), 2U);
    EXPECT_TRUE(ours.behind(theirs.summary(false)));
    for (const auto& record : theirs.newer_than(ours.summary(false))) {
        ours.accept({record, CheckPass::own()}, at_ms(1));
    }
    EXPECT_FALSE(ours.behind(theirs.summary(false)));
}

struct Side {
    Side(const Roster& roster, Seat self) : reachability{roster, self, {}} {}
    /// Hears `seats` every 100 ms from `from` to `to`; returns the last notices.
    void run(const std::vector<std::uint32_t>& seats, std::int64_t from, std::int64_t to) {
        for (std::int64_t ms = from; ms <= to; ms += 100) {
            for (const std::uint32_t seat : seats) {
                reachability.heard(Seat{seat}, at_ms(ms));
                if (meet) reachability.summary_met(Seat{seat});
            }
            auto tick = reachability.on_time(at_ms(ms));
            if (tick.partitioned) partitioned = tick.partitioned;
            if (tick.healed) healed = tick.healed;
        }
    }
    Reachability reachability;
    bool meet = true;
    std::optional<Partitioned> partitioned;
    std::optional<Healed> healed;
};

TEST(Reachability, AMinorityKnowsThatItHasNoQuorum) {
    const Roster roster{genesis_of(5, QuorumMode::crash)};
    Side side{roster, Seat{0}};
    side.run({1, 2, 3, 4}, 0, 1000);
    EXPECT_EQ(side.reachability.reachable(), 5U);
    EXPECT_FALSE(side.partitioned.has_value());
    side.run({1}, 1100, 2200);
    ASSERT_TRUE(side.partitioned.has_value());
    EXPECT_EQ(side.partitioned->lost, (std::vector<Seat>{Seat{2}, Seat{3}, Seat{4}}));
    EXPECT_EQ(side.partitioned->reachable, (std::vector<Seat>{Seat{0}, Seat{1}}));
    EXPECT_FALSE(side.partitioned->quorum);
    EXPECT_EQ(
        side.reachability.no_quorum_message(), "no quorum: 2 of 5 validators reachable, 3 needed"
    );
}

TEST(Reachability, HealsOnlyWhenSummariesHaveMet) {
    const Roster roster{genesis_of(4, QuorumMode::byzantine)};
    Side side{roster, Seat{0}};
    side.run({1, 2, 3}, 0, 500);
    side.run({1}, 600, 2000);
    ASSERT_TRUE(side.reachability.partitioned());
    side.meet = false;
    side.run({1, 2, 3}, 2100, 2500);
    EXPECT_FALSE(side.healed.has_value());
    EXPECT_TRUE(side.reachability.has_quorum());
    side.meet = true;
    side.run({1, 2, 3}, 2600, 2600);
    EXPECT_TRUE(side.healed.has_value());
    EXPECT_FALSE(side.reachability.partitioned());
}

TEST(Reachability, OneLostSeatIsNoPartition) {
    const Roster roster{genesis_of(7, QuorumMode::byzantine)};
    Side side{roster, Seat{0}};
    side.run({1, 2, 3, 4, 5, 6}, 0, 500);
    side.run({1, 2, 3, 4, 5}, 600, 3000);
    EXPECT_FALSE(side.partitioned.has_value());
    EXPECT_EQ(side.reachability.reachable(), 6U);
}

TEST(Reachability, OfTwoSilentSeatsTheFirstAsksFirst) {
    const Roster roster{genesis_of(4, QuorumMode::byzantine)};
    Reachability first{roster, Seat{0}, {}};
    Reachability last{roster, Seat{3}, {}};
    for (std::uint32_t other = 0; other < 4; ++other) {
        first.heard(Seat{other}, at_ms(1000));
        last.heard(Seat{other}, at_ms(1000));
    }
    EXPECT_EQ(first.on_time(at_ms(1250)).probe.size(), 3U);
    EXPECT_TRUE(last.on_time(at_ms(1499)).probe.empty());
    EXPECT_EQ(last.on_time(at_ms(1500)).probe.size(), 3U);
}

TEST(Reachability, SilentSeatsAreProbedButNotInEveryTick) {
    const Roster roster{genesis_of(4, QuorumMode::byzantine)};
    Reachability reachability{roster, Seat{0}, {}};
    EXPECT_EQ(reachability.on_time(at_ms(1000)).probe.size(), 3U);
    EXPECT_TRUE(reachability.on_time(at_ms(1100)).probe.empty());
    reachability.heard(Seat{1}, at_ms(1200));
    EXPECT_EQ(reachability.on_time(at_ms(1250)).probe.size(), 2U);
}

TEST(Dialer, TheSmallerIdDialsFirstAndFailuresBackOff) {
    Dialer small{agent_of(1), {}};
    Dialer large{agent_of(2), {}};
    small.want(agent_of(2), {"b"}, at_ms(0));
    large.want(agent_of(1), {"a"}, at_ms(0));
    Effects effects;
    small.on_time(at_ms(0), effects);
    EXPECT_EQ(effects.take().size(), 1U);
    large.on_time(at_ms(0), effects);
    EXPECT_TRUE(effects.take().empty());
    EXPECT_EQ(small.next_wake(), at_ms(200));
    small.on_time(at_ms(200), effects);
    EXPECT_EQ(small.next_wake(), at_ms(600));
    small.on_peer_up(agent_of(2), "");
    EXPECT_EQ(small.next_wake(), Instant::max());
    small.on_peer_down(agent_of(2), at_ms(700));
    EXPECT_EQ(small.next_wake(), at_ms(900));
}

TEST(Dialer, ABootstrapAddressIsDialledUntilSomebodyAnswers) {
    Dialer dialer{agent_of(1), {}};
    dialer.add_bootstrap("x", at_ms(0));
    Effects effects;
    dialer.on_time(at_ms(0), effects);
    dialer.on_time(at_ms(200), effects);
    EXPECT_EQ(effects.take().size(), 2U);
    dialer.on_peer_up(agent_of(2), "x");
    EXPECT_EQ(dialer.next_wake(), Instant::max());
}

TEST(Fetcher, AsksTheNamedPeerFirstThenOthersAndStopsOnArrival) {
    Fetcher fetcher{{}, 1};
    const LaneRange range{{Seat{3}, {}}, Sequence{1}, Sequence{5}, VertexId{blake3(as_bytes("x"))}};
    fetcher.want(range, agent_of(9), at_ms(0));
    fetcher.want(range, agent_of(8), at_ms(0));
    Effects effects;
    fetcher.on_time(at_ms(0), {agent_of(8), agent_of(9)}, effects);
    auto sent = effects.take();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(std::get<Send>(sent[0]).to, agent_of(9));
    fetcher.on_time(at_ms(100), {agent_of(8)}, effects);
    EXPECT_TRUE(effects.take().empty());
    fetcher.on_time(at_ms(200), {agent_of(8)}, effects);
    EXPECT_EQ(effects.take().size(), 1U);
    fetcher.arrived({Seat{3}, {}}, Sequence{5});
    EXPECT_EQ(fetcher.under_way(), 0U);
}

TEST(Fetcher, LongRangesAreSplitAndTheTableIsBounded) {
    Fetcher fetcher{{.requests_max = 2}, 1};
    fetcher.want({{Seat{1}, {}}, Sequence{1}, Sequence{600}, {}}, {}, at_ms(0));
    fetcher.want({{Seat{2}, {}}, Sequence{1}, Sequence{1}, {}}, {}, at_ms(0));
    fetcher.want({{Seat{3}, {}}, Sequence{1}, Sequence{1}, {}}, {}, at_ms(0));
    EXPECT_EQ(fetcher.under_way(), 2U);
    Effects effects;
    fetcher.on_time(at_ms(0), {agent_of(8)}, effects);
    const auto sent = effects.take();
    ASSERT_EQ(sent.size(), 1U);
    const auto request = decode_message(*std::get<Send>(sent[0]).message);
    EXPECT_EQ(std::get<VertexRequest>(*request).ranges.size(), 4U);
}

}  // namespace
}  // namespace creto
