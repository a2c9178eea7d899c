#include <gtest/gtest.h>

#include "mesh/dialer.hpp"
#include "mesh/directory.hpp"
#include "mesh/fetcher.hpp"
#include "mesh/test_support.hpp"

namespace creto {
namespace {

using mesh_testing::agent_of;
using mesh_testing::at_ms;

Checked<Shared<AgentRecord>> leased_record(
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

TEST(Directory, TheGreatestVersionWins) {
    Directory directory{agent_of(1)};
    EXPECT_EQ(directory.accept(leased_record(2, 5), at_ms(0)), Directory::Change::found);
    EXPECT_EQ(directory.accept(leased_record(2, 5), at_ms(0)), Directory::Change::none);
    EXPECT_EQ(directory.accept(leased_record(2, 4), at_ms(0)), Directory::Change::none);
    EXPECT_EQ(directory.accept(leased_record(2, 6), at_ms(0)), Directory::Change::updated);
    EXPECT_EQ(directory.providers("add").size(), 1U);
    EXPECT_TRUE(directory.providers("divide").empty());
}

TEST(Directory, AnExpiredRecordDoesNotComeBackFromASlowNeighbour) {
    Directory directory{agent_of(1)};
    directory.accept(leased_record(2, 5, 1000), at_ms(0));
    EXPECT_TRUE(directory.expire(at_ms(999)).empty());
    EXPECT_EQ(directory.expire(at_ms(1000)).size(), 1U);
    EXPECT_EQ(directory.accept(leased_record(2, 5), at_ms(1001)), Directory::Change::none);
    EXPECT_FALSE(directory.behind(RecordSummary{{{agent_of(2), 5}}}));
    EXPECT_EQ(directory.accept(leased_record(2, 6), at_ms(1002)), Directory::Change::found);
}

TEST(Directory, ALeaverGoesAtOnce) {
    Directory directory{agent_of(1)};
    directory.accept(leased_record(2, 5), at_ms(0));
    AgentRecord bye = *leased_record(2, 6);
    bye.leaving = true;
    EXPECT_EQ(directory.accept({bye, CheckPass::own()}, at_ms(1)), Directory::Change::left);
    EXPECT_EQ(directory.find(agent_of(2)), nullptr);
}

TEST(Directory, SummariesSayWhoLacksWhat) {
    Directory ours{agent_of(1)};
    Directory theirs{agent_of(2)};
    ours.accept(leased_record(1, 1), at_ms(0));
    ours.accept(leased_record(3, 9), at_ms(0));
    theirs.accept(leased_record(2, 1), at_ms(0));
    theirs.accept(leased_record(3, 8), at_ms(0));
    EXPECT_EQ(ours.newer_than(theirs.summary(false)).size(), 2U);
    EXPECT_TRUE(ours.behind(theirs.summary(false)));
    for (const auto& record : theirs.newer_than(ours.summary(false))) {
        ours.accept({record, CheckPass::own()}, at_ms(1));
    }
    EXPECT_FALSE(ours.behind(theirs.summary(false)));
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

/// Whoever has no place for one more closes the link at once, and has said nothing by then.
TEST(Dialer, WhoKnowsNobodyDialsItsBootstrapAddressAgain) {
    Dialer dialer{agent_of(1), {}};
    Effects effects;
    const auto dials = [&](std::int64_t ms) {
        dialer.on_time(at_ms(ms), effects);
        return effects.take().size();
    };
    dialer.add_bootstrap("x", at_ms(0));
    EXPECT_EQ(dials(0), 1U);
    dialer.on_peer_up(agent_of(2), "x");
    EXPECT_EQ(dials(500), 0U);
    dialer.on_peer_down(agent_of(2), at_ms(500));
    EXPECT_EQ(dialer.next_wake(), at_ms(200));
    EXPECT_EQ(dials(500), 1U);
    EXPECT_EQ(dials(501), 0U) << "and backs off";
    dialer.on_peer_up(agent_of(2), "x");
    dialer.want(agent_of(3), {"y"}, at_ms(600));
    dialer.on_peer_down(agent_of(2), at_ms(600));
    EXPECT_EQ(dials(2'000), 1U) << "who knows somebody dials him";
    dialer.unwant(agent_of(3));
    EXPECT_EQ(dials(2'000), 1U) << "he is gone: it starts from the beginning";
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
