// Long stretches of views without a finalisation: what is kept of them, and who comes late.
#include <gtest/gtest.h>

#include "order/testing/cluster.hpp"
#include "order/view_log.hpp"

namespace creto::simplex {
namespace {

using testing::block_id;
using testing::Cluster;
using testing::ClusterOptions;
using testing::Index;
using testing::Seats;

/// All views up to here are given up: no proposal arrives anywhere.
void kill_views(Cluster& cluster, std::uint64_t last) {
    cluster.pass = [&cluster, last](Index, Index to, const Message& message) {
        const auto* proposal = std::get_if<Proposal>(&message);
        return proposal == nullptr || cluster.ordering(to).view() > View{last};
    };
}

ClusterOptions quick(std::uint64_t seed) {
    ClusterOptions options;
    options.seed = seed;
    options.ordering.delta = Duration::from_ms(20);
    options.ordering.delta_max = Duration::from_ms(40);
    options.ordering.heartbeat = Duration::from_ms(50);
    return options;
}

// [ORD-B2.1] [ORD-B3.1]
TEST(DeadStretch, WhatIsKeptDoesNotGrowWithTheViews) {
    for (const std::uint64_t seed : {1U, 2U, 3U}) {
        ClusterOptions options = quick(seed);
        options.loss_percent = seed == 3 ? 10 : 0;
        Cluster cluster{options};
        kill_views(cluster, 1'500);
        cluster.start_all();
        const bool through = cluster.run_until(cluster.now() + Duration::from_s(600), [&] {
            return cluster.ordering(0).view() > View{1'400};
        });
        ASSERT_TRUE(through);
        for (Index i = 0; i < 4; ++i) {
            const OrderingHeld held = cluster.ordering(i).held();
            EXPECT_LT(held.views, 400U) << "seed " << seed << ", node " << i;
            EXPECT_LE(held.own_views, limits::view_retention + limits::view_window);
            EXPECT_LT(held.blocks, 200U);
            std::size_t stored = 0;
            const auto counted =
                cluster.node(i)
                    .disk.scan(Column::certificates, {}, Bytes{0xFF}, [&](ByteView, ByteView) {
                        ++stored;
                        return true;
                    });
            ASSERT_TRUE(counted.has_value());
            EXPECT_LT(stored, 400U);
        }
        ASSERT_TRUE(cluster.run_until_final(Height{3}, Duration::from_s(60))) << "seed " << seed;
    }
}

// [ORD-B2.1] A seat that was away during all of it, and one that restarts in it.
TEST(DeadStretch, ALateSeatAndARestartedOneGetThroughInFewMessages) {
    Cluster cluster{quick(4)};
    kill_views(cluster, 1'300);
    for (const Index i : {0U, 1U, 2U})
        cluster.start(i);
    const auto reach = [&](std::uint64_t view) {
        return cluster.run_until(cluster.now() + Duration::from_s(600), [&] {
            return cluster.ordering(0).view() > View{view};
        });
    };
    ASSERT_TRUE(reach(1'000));
    cluster.crash(1);
    cluster.start(1);
    ASSERT_TRUE(reach(1'200));
    std::size_t asked = 0;
    cluster.sent = [&](Index from, Index, const Message& message) {
        asked += from == 3 && std::holds_alternative<CertificateRequest>(message) ? 1 : 0;
    };
    cluster.crash(2);  // From here on nothing can be decided without the late seat.
    cluster.start(3);
    ASSERT_TRUE(cluster.run_until_final(Height{3}, Duration::from_s(120)));
    EXPECT_LT(asked, 400U) << "of 1,300 dead views";
}

// One log that holds all, and one that holds nothing: what the second asks for, the first answers.
TEST(DeadStretch, AHundredThousandDeadViewsAreProvenByAHundredCertificates) {
    const Seats seats{4};
    ViewLog full{block_id("g")};
    Certificate dead = seats.nullification(1);
    Certificate burial = seats.certificate({VoteKind::bury, Epoch{1}, View{64}, View{}, BlockId{}});
    std::size_t most = 0;
    for (std::uint64_t view = 1; view <= 100'000; ++view) {
        dead.content.view = View{view};
        ASSERT_EQ(full.put(dead), ViewLog::Put::added);
        for (const ViewSpan& span : full.to_bury(View{view}, 0)) {
            burial.content.parent_view = span.base;
            burial.content.view = span.last;
            ASSERT_EQ(full.put(burial), ViewLog::Put::added);
        }
        most = std::max(most, full.views_held());
        static_cast<void>(full.take_dropped());
    }
    EXPECT_LE(most, 64U + 64U + 64U);

    ViewLog late{block_id("g")};
    std::size_t rounds = 0;
    std::size_t answers = 0;
    for (;; ++rounds) {
        ASSERT_LT(rounds, 20U);
        const auto lacks = late.check_parent(View{100'001}, View{}, block_id("g"));
        if (lacks.verdict == Ancestry::Verdict::proven) break;
        for (const CertificateKey& key : lacks.missing) {
            const Certificate* answer = full.find(key.view, key.kind);
            ASSERT_NE(answer, nullptr) << key.view.value();
            ASSERT_TRUE(well_formed(*answer, seats.roster).has_value());
            answers += late.put(*answer) == ViewLog::Put::added ? 1 : 0;
        }
    }
    EXPECT_LE(answers, 190U);
    EXPECT_EQ(std::get<Head>(late.parent_for(View{100'001})).view, View{});
}

}  // namespace
}  // namespace creto::simplex
