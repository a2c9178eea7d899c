#include "mesh/discovery.hpp"

#include <gtest/gtest.h>

#include "mesh/test_support.hpp"

namespace creto {
namespace {

using mesh_testing::agent_of;

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
struct DiscoveryNode {
    explicit DiscoveryNode(std::uint32_t peers) {
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
    Overlay overlay{agent_of(0), directory, dialer, {}, 3};
    Discovery discovery{agent_of(0), directory, dialer, liveness, overlay, 2};
    Effects effects;
};

TEST(Discovery, HandsNewsOnOnceToAFew) {
    DiscoveryNode node{20};
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
    DiscoveryNode node{3};
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
    DiscoveryNode node{3};
    node.discovery.publish(record_of(0, 5), at_s(0), node.effects);
    EXPECT_FALSE(node.take(1, {{record_of(0, 5)}}).own_version) << "an echo";
    EXPECT_EQ(node.take(1, {{record_of(0, 9)}}).own_version, 9U);
}

TEST(Discovery, SummariesOfManyAreSlicesThatMeetAll) {
    DiscoveryNode ours{1};
    DiscoveryNode theirs{1};
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

/// One of 200 that know each other, 0; who it is linked with is up to it, and all links come up.
struct OneOfMany {
    OneOfMany() {
        for (std::uint32_t n = 0; n < 200; ++n) {
            node.directory.accept({record_of(n), CheckPass::own()}, now);
            node.overlay.on_record(*record_of(n), now);
        }
        run(5'000);
        node.sends();
    }
    void run(std::int64_t ms) {
        for (const Instant end = now + Duration::from_ms(ms); now < end;
             now = now + Duration::from_ms(10)) {
            node.overlay.on_time(now, node.effects);
            node.dialer.on_time(now, node.effects);
            for (Effect& effect : node.effects.take()) {
                if (const auto* dial = std::get_if<Dial>(&effect)) {
                    if (node.overlay.on_peer_up({*dial->peer, dial->address}, now, node.effects))
                        node.dialer.on_peer_up(*dial->peer, dial->address);
                } else if (const auto* send = std::get_if<Send>(&effect)) {
                    if (const auto* ping = std::get_if<Ping>(&*send->message.decoded())) {
                        node.overlay.on_answer(send->to, ping->nonce, now + Duration::from_ms(50));
                    } else {
                        said.push_back(*send);
                    }
                }
            }
            node.discovery.on_time(now, node.effects);
        }
    }
    [[nodiscard]] std::vector<Send> of_kind(bool announcements) const {
        std::vector<Send> out;
        for (const Send& send : said) {
            const auto* summary = std::get_if<RecordSummary>(&*send.message.decoded());
            const bool is_one = summary != nullptr && summary->slices == limits::agents_max;
            if (announcements == is_one) out.push_back(send);
        }
        return out;
    }
    std::vector<Send> batches() {
        std::vector<Send> out;
        for (const Send& send : node.sends())
            if (std::holds_alternative<RecordBatch>(*send.message.decoded())) out.push_back(send);
        return out;
    }
    DiscoveryNode node{0};
    Instant now = at_s(1);
    std::vector<Send> said;
};

AgentRecord changed(std::uint32_t n) {
    AgentRecord record = *record_of(n, 2);
    record.software = "another";
    return record;
}

// [MESH-SPREAD.1]
TEST(Discovery, AmongManyWhatIsNewGoesToWhoAskedLately) {
    OneOfMany one;
    ASSERT_TRUE(one.node.overlay.is_sparse());
    const auto candidates = one.node.overlay.candidates();
    const auto take = [&](std::uint32_t n) {
        (void)one.node.discovery.on_records(
            candidates[0], {{changed(n)}}, CheckPass::own(), one.now, one.node.effects
        );
        return one.batches();
    };
    EXPECT_TRUE(take(100).empty());
    one.node.discovery.on_summary(candidates[3], {}, one.now, one.node.effects);
    one.node.sends();
    const auto sent = take(101);
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].to, candidates[3]);
    one.run(4'000);
    one.node.sends();
    EXPECT_TRUE(take(102).empty()) << "who does not ask any more is no child";
}

// [MESH-SPREAD.1]
TEST(Discovery, TheOthersHearOfItAfterARoundTripUnlessTheyHaveIt) {
    OneOfMany one;
    const auto candidates = one.node.overlay.candidates();
    const auto neighbours = one.node.overlay.neighbours();
    one.said.clear();
    (void)one.node.discovery.on_records(
        candidates[0], {{changed(100)}}, CheckPass::own(), one.now, one.node.effects
    );
    one.node.discovery.note_known(candidates[1], {{changed(100)}});
    one.run(40);
    EXPECT_TRUE(one.of_kind(true).empty()) << "a parent may still bring it";
    one.run(400);
    const auto announced = one.of_kind(true);
    EXPECT_EQ(announced.size(), neighbours.size() - 2);
    for (const Send& send : announced) {
        EXPECT_NE(send.to, candidates[0]) << "who brought it";
        EXPECT_NE(send.to, candidates[1]) << "who brought it as well";
        const auto& summary = std::get<RecordSummary>(*send.message.decoded());
        EXPECT_TRUE(summary.covers(agent_of(100)));
        EXPECT_LT(send.message->size(), 200U);
    }
    // Who is told of what it lacks asks, and is given it.
    DiscoveryNode other{1};
    const auto& summary = std::get<RecordSummary>(*announced[0].message.decoded());
    other.discovery.on_summary(agent_of(1), summary, one.now, other.effects);
    const auto asked = other.sends();
    ASSERT_EQ(asked.size(), 1U);
    one.node.sends();
    one.node.discovery.on_summary(
        announced[0].to,
        std::get<RecordSummary>(*asked[0].message.decoded()),
        one.now,
        one.node.effects
    );
    const auto given = one.batches();
    ASSERT_EQ(given.size(), 1U);
    EXPECT_EQ(given[0].to, announced[0].to);
}

// [MESH-SPREAD.1]
TEST(Discovery, WhatOnlyRenewsIsNotAnnounced) {
    OneOfMany one;
    one.said.clear();
    (void)one.node.discovery.on_records(
        one.node.overlay.candidates()[0],
        {{record_of(100, 2)}},
        CheckPass::own(),
        one.now,
        one.node.effects
    );
    one.run(1'000);
    EXPECT_TRUE(one.of_kind(true).empty());
}

TEST(Discovery, WhoAnnouncesWhatItKeepsDoesNotKeepOthersFromBeingAsked) {
    OneOfMany one;
    const auto neighbours = one.node.overlay.neighbours();
    RecordSummary summary = Directory::only(agent_of(100));
    summary.versions = {{agent_of(100), 2}};
    std::size_t asked = 0;
    for (std::size_t i = 0; i < 6; ++i) {
        one.node.discovery.on_summary(neighbours[i], summary, one.now, one.node.effects);
        asked += one.node.sends().size();
    }
    EXPECT_EQ(asked, Discovery::asked_each_max);
    one.now = one.now + Duration::from_s(1);
    one.node.discovery.on_summary(neighbours[7], summary, one.now, one.node.effects);
    EXPECT_EQ(one.node.sends().size(), 1U) << "none has brought it";
}

TEST(Discovery, WhatWaitsToBeAnnouncedIsBounded) {
    OneOfMany one;
    one.said.clear();
    for (std::uint32_t n = 1; n < 190; ++n)
        (void)one.node.discovery.on_records(
            one.node.overlay.candidates()[0],
            {{changed(n)}},
            CheckPass::own(),
            one.now,
            one.node.effects
        );
    one.run(2'000);
    std::set<std::uint32_t> slices;
    for (const Send& send : one.of_kind(true))
        slices.insert(std::get<RecordSummary>(*send.message.decoded()).slice);
    EXPECT_EQ(slices.size(), Discovery::announced_max);
}

TEST(Discovery, ParentsAreAskedMostOfTheTime) {
    OneOfMany one;
    const auto& parents = one.node.overlay.parents();
    ASSERT_EQ(parents.size(), 2U);
    std::map<AgentId, std::size_t> turns;
    for (int i = 0; i < 160; ++i)
        ++turns[*one.node.discovery.next_partner()];
    EXPECT_GE(turns[parents[0]], 60U);
    EXPECT_GE(turns[parents[1]], 60U);
    EXPECT_EQ(turns.size(), one.node.dialer.peers().size()) << "the others by and by";
}

TEST(Directory, ASliceOfOneFindsItsAgentAmongMany) {
    Directory directory{agent_of(0)};
    for (std::uint32_t n = 0; n < 3'000; ++n)
        directory.accept({record_of(n * 11), CheckPass::own()}, at_s(0));
    for (std::uint32_t n = 0; n < 3'000; n += 7) {
        const RecordSummary only = Directory::only(agent_of(n * 11));
        EXPECT_TRUE(only.covers(agent_of(n * 11)));
        const RecordSummary summary = directory.summary(true, only);
        EXPECT_LE(summary.versions.size(), 3U);
        const auto is_it = [&](const RecordVersion& one) { return one.agent == agent_of(n * 11); };
        EXPECT_TRUE(std::any_of(summary.versions.begin(), summary.versions.end(), is_it));
        EXPECT_EQ(directory.newer_than(only).size(), summary.versions.size());
    }
    // As many as a plain look at each agent finds.
    for (const std::uint32_t slices : {256U, 512U, 4'096U}) {
        std::size_t found = 0;
        for (std::uint32_t slice = 0; slice < slices; ++slice)
            found += directory.summary(false, {.slice = slice, .slices = slices}).versions.size();
        EXPECT_EQ(found, directory.size()) << slices;
    }
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
