#include "mesh/discovery.hpp"

#include <gtest/gtest.h>

namespace creto {
namespace {

AgentId agent_of(std::uint32_t n) {
    std::array<std::uint8_t, 32> key{};
    key[0] = static_cast<std::uint8_t>(n);
    key[1] = static_cast<std::uint8_t>(n >> 8U);
    key[2] = static_cast<std::uint8_t>(n >> 16U);
    return AgentId{key};
}

Shared<AgentRecord> record_of(std::uint32_t n, std::uint64_t version = 1) {
    AgentRecord record{.agent = agent_of(n), .version = version, .name = "agent"};
    record.addresses = {"/sim/" + std::to_string(n)};
    record.lifetime_ms = ~std::uint32_t{0};
    return record;
}

Instant at_s(std::int64_t s) {
    return Instant{} + Duration::from_s(s);
}

/// One agent, number 0, with some peers.
struct Node {
    explicit Node(std::uint32_t peers) {
        for (std::uint32_t i = 1; i <= peers; ++i)
            dialer.on_peer_up(agent_of(i), {});
    }
    Discovery::News take(std::uint32_t from, RecordBatch batch) {
        return discovery.on_records(agent_of(from), batch, CheckPass::own(), at_s(1), effects);
    }
    std::vector<Send> sends() {
        std::vector<Send> out;
        for (Effect& effect : effects.take())
            if (auto* send = std::get_if<Send>(&effect)) out.push_back(*send);
        return out;
    }
    TagScheme scheme;
    std::unique_ptr<Signer> signer = scheme.signer(KeySeed{});
    Directory directory{agent_of(0)};
    Dialer dialer{agent_of(0), {}};
    Liveness liveness{{agent_of(0), *signer, ChainId{}}, directory, dialer, {}, 1};
    Discovery discovery{agent_of(0), directory, dialer, liveness, 2};
    Effects effects;
};

TEST(Discovery, HandsNewsOnOnceToAFew) {
    Node node{20};
    const auto news = node.take(1, {{record_of(100), record_of(101)}});
    EXPECT_EQ(news.seen.size(), 2U);
    const auto sends = node.sends();
    EXPECT_EQ(sends.size(), Discovery::fanout);
    for (const Send& send : sends)
        EXPECT_NE(send.to, agent_of(1)) << "who brought it knows it";
    EXPECT_TRUE(node.take(2, {{record_of(100)}}).seen.empty());
    EXPECT_TRUE(node.sends().empty());
}

TEST(Discovery, ALeaverIsForgottenEverywhere) {
    Node node{3};
    node.take(1, {{record_of(100)}});
    AgentRecord bye = *record_of(100, 2);
    bye.leaving = true;
    const auto news = node.take(1, {{bye}});
    ASSERT_EQ(news.seen.size(), 1U);
    EXPECT_EQ(news.seen[0].change, Directory::Change::left);
    EXPECT_EQ(node.directory.find(agent_of(100)), nullptr);
    EXPECT_EQ(node.dialer.next_wake(), Instant::max());
}

TEST(Discovery, SaysWhatAnEarlierLifeOfItsOwnSaid) {
    Node node{3};
    node.discovery.publish(record_of(0, 5), at_s(0), node.effects);
    EXPECT_FALSE(node.take(1, {{record_of(0, 5)}}).own_version) << "an echo";
    EXPECT_EQ(node.take(1, {{record_of(0, 9)}}).own_version, 9U);
}

TEST(Discovery, SummariesOfManyAreSlicesThatMeetAll) {
    Node ours{1};
    Node theirs{1};
    for (std::uint32_t n = 1; n <= 1'000; ++n)
        theirs.directory.accept({record_of(n * 7), CheckPass::own()}, at_s(0));
    std::size_t rounds = 0;
    while (ours.directory.size() < 1'000 && rounds < 100) {
        ++rounds;
        theirs.discovery.send_summary(agent_of(1), theirs.effects);
        for (const Send& send : theirs.sends()) {
            EXPECT_LT(send.message->size(), 8'000U);
            const auto& summary = std::get<RecordSummary>(*send.message.decoded());
            ASSERT_TRUE(ours.directory.behind(summary) || summary.versions.empty());
            const auto answer = ours.directory.summary(true, summary);
            ours.take(1, {theirs.directory.newer_than(answer)});
        }
    }
    EXPECT_EQ(ours.directory.size(), 1'000U);
    EXPECT_LE(rounds, 1'000U / Discovery::slice_agents + 2);
}

TEST(Directory, AFloodOfInventedAgentsPushesOutOnlyItsOwn) {
    Directory directory{agent_of(0)};
    directory.accept({record_of(0), CheckPass::own()}, at_s(0));
    for (std::uint32_t n = 1; n <= 1'000; ++n)
        directory.accept({record_of(n), CheckPass::own()}, at_s(0), agent_of(n));
    for (std::uint32_t n = 100'000; n < 100'000 + limits::agents_max; ++n)
        directory.accept({record_of(n), CheckPass::own()}, at_s(1), agent_of(9));
    EXPECT_EQ(directory.size(), limits::agents_max);
    for (std::uint32_t n = 10; n <= 1'000; ++n)
        EXPECT_NE(directory.find(agent_of(n)), nullptr) << n;
    const std::size_t evicted = directory.take_evicted().size();
    EXPECT_EQ(evicted, 1'001U);
    EXPECT_TRUE(directory.take_evicted().empty());
}

TEST(Directory, NoRecordCountsForLongerThanTheLimit) {
    Directory directory{agent_of(0)};
    directory.accept({record_of(5), CheckPass::own()}, at_s(0));
    EXPECT_EQ(
        directory.next_expiry(), Instant{} + Duration::from_ms(limits::record_lifetime_ms_max)
    );
}

TEST(Directory, WhenEachBroughtHimselfTheFirstToExpireGoes) {
    Directory directory{agent_of(0)};
    directory.accept({record_of(0), CheckPass::own()}, at_s(0));
    for (std::uint32_t n = 1; n <= limits::agents_max; ++n)
        directory.accept({record_of(n), CheckPass::own()}, at_s(n), agent_of(n));
    EXPECT_EQ(directory.size(), limits::agents_max);
    EXPECT_NE(directory.find(agent_of(0)), nullptr);
}

}  // namespace
}  // namespace creto
