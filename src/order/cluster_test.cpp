// Whole clusters under random faults: agreement always, progress once the faults end.
#include "order/testing/cluster.hpp"

#include <gtest/gtest.h>

namespace creto::simplex::testing {
namespace {

void produce_some(Cluster& c, std::uint64_t count) {
    for (std::uint64_t k = 0; k < count; ++k)
        c.produce(static_cast<Index>(c.prng().below(c.options().n)));
}

TEST(Cluster, FinalisesOneVertexAndGoesIdle) {
    Cluster c{{.n = 4}};
    c.start_all();
    c.run_for(Duration::from_ms(100));
    EXPECT_EQ(c.chain().size(), 0U);
    c.produce(2);
    EXPECT_TRUE(c.run_until_ordered(Duration::from_s(1)));
    c.run_for(Duration::from_ms(500));
    // The block with the vertex, and the one that carries its root: nothing spins. [ORD-L15.2]
    EXPECT_EQ(c.chain().size(), 2U);
}

TEST(Cluster, FinalisesInThreeDelaysWithoutFaults) {
    for (const Index n : {4U, 7U}) {
        Cluster c{
            {.n = n,
             .latency_min = Duration::from_ms(5),
             .latency_max = Duration::from_ms(5),
             .sync_max = Duration{}}};
        c.start_all();
        c.run_for(Duration::from_ms(50));
        const Instant from = c.now();
        c.produce(0);  // The first leader: proposal, notarize, finalize.
        ASSERT_TRUE(c.run_until_final(Height{1}, Duration::from_s(1)));
        EXPECT_EQ((c.now() - from).ms(), 15) << n;
    }
}

TEST(Cluster, KeepsAPipelineOfOneBlockAView) {
    Cluster c{
        {.n = 4,
         .latency_min = Duration::from_ms(5),
         .latency_max = Duration::from_ms(5),
         .sync_max = Duration{}}};
    c.start_all();
    c.run_for(Duration::from_ms(50));
    for (int k = 0; k < 200; ++k) {
        c.produce(static_cast<Index>(k % 4));
        c.run_for(Duration::from_ms(5));
    }
    // A view takes two delays; nothing was ever nullified.
    EXPECT_GE(c.chain().size(), 90U);
    EXPECT_EQ(c.ordering(0).counters().views_nullified, 0U);
    EXPECT_EQ(c.ordering(0).counters().retransmissions, 0U);
    EXPECT_EQ(c.ordering(0).counters().requests_sent, 0U);
}

struct Storm {
    Index n = 4;
    QuorumMode mode = QuorumMode::byzantine;
    std::uint64_t loss = 0;
    bool crashes = false;
    bool partitions = false;
    std::uint32_t term_views = 1;
    std::size_t direct_seats_max = limits::direct_seats_max;
    VoteForm vote_form = VoteForm::list;
};

void weather(Cluster& c, const Storm& storm) {
    const Index faulty = static_cast<Index>(c.roster().size() - c.roster().quorum().q);
    for (int step = 0; step < 12; ++step) {
        produce_some(c, c.prng().below(4));
        if (storm.partitions && c.prng().chance(1, 3)) {
            std::vector<Index> groups(c.total());
            for (auto& group : groups)
                group = static_cast<Index>(c.prng().below(2));
            c.partition(groups);
        }
        if (storm.crashes) {
            const auto i = static_cast<Index>(c.prng().below(c.total()));
            if (!c.node(i).up()) {
                c.start(i);
            } else if (c.prng().chance(1, 2)) {
                Index down = 0;
                for (Index j = 0; j < c.total(); ++j)
                    down += c.node(j).up() ? 0 : 1;
                if (down < faulty || c.prng().chance(1, 5)) c.crash(i);
            }
        }
        c.run_for(Duration::from_ms(static_cast<std::int64_t>(c.prng().below(400))));
        if (::testing::Test::HasFailure()) return;
    }
}

void clear_up(Cluster& c) {
    c.options().loss_percent = 0;
    c.heal();
    for (Index i = 0; i < c.total(); ++i) {
        if (!c.node(i).up()) c.start(i);
    }
    produce_some(c, 2);
    ASSERT_TRUE(c.run_until_ordered(Duration::from_s(20))) << "seed " << c.options().seed;
    for (Index i = 0; i < c.total(); ++i)
        ASSERT_FALSE(c.ordering(i).halted()) << *c.ordering(i).halted();
}

void survive(const Storm& storm, std::uint64_t seeds) {
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        Cluster c{
            {.n = storm.n,
             .mode = storm.mode,
             .seed = seed,
             .ordering = {.direct_seats_max = storm.direct_seats_max},
             .loss_percent = storm.loss,
             .duplicate_percent = 5,
             .term_views = storm.term_views,
             .vote_form = storm.vote_form}};
        c.start_all();
        weather(c, storm);
        clear_up(c);
        if (::testing::Test::HasFailure()) {
            ADD_FAILURE() << "seed " << seed;
            return;
        }
    }
}

TEST(Cluster, AgreesAndProgressesUnderLoss) {
    survive({.n = 4, .loss = 20}, 300);
    survive({.n = 7, .loss = 20}, 60);
}
TEST(Cluster, AgreesAndProgressesUnderCrashes) {
    survive({.n = 4, .loss = 5, .crashes = true}, 400);
    survive({.n = 7, .loss = 5, .crashes = true}, 60);
}
TEST(Cluster, AgreesAndProgressesUnderPartitions) {
    survive({.n = 4, .partitions = true}, 300);
    survive({.n = 7, .partitions = true}, 60);
}
// Failure 44: honest peers were disconnected for a normal end of sync. The cluster's oracle counts
// every message of an honest node that another would drop it for.
TEST(Cluster, AgreesAndProgressesUnderEverything) {
    survive({.n = 4, .loss = 10, .crashes = true, .partitions = true}, 400);
    survive({.n = 7, .loss = 10, .crashes = true, .partitions = true}, 60);
}
// [ORD-T2.1] [ORD-T3.1] [ORD-T4.1]
TEST(Cluster, AgreesAndProgressesInTermsUnderEverything) {
    for (const std::uint32_t term : {2U, 8U}) {
        survive({.loss = 20, .term_views = term}, 60);
        survive({.loss = 5, .crashes = true, .term_views = term}, 100);
        survive({.partitions = true, .term_views = term}, 100);
        survive({.loss = 10, .crashes = true, .partitions = true, .term_views = term}, 200);
        survive({.n = 7, .loss = 10, .crashes = true, .partitions = true, .term_views = term}, 30);
    }
    survive({.loss = 10, .crashes = true, .partitions = true, .term_views = 32}, 60);
    survive(
        {.n = 3,
         .mode = QuorumMode::crash,
         .loss = 10,
         .crashes = true,
         .partitions = true,
         .term_views = 8},
        60
    );
}
// [ORD-V1.1] [ORD-V1.7]
TEST(Cluster, AgreesAndProgressesThroughGroupsUnderEverything) {
    for (const VoteForm form : {VoteForm::list, VoteForm::joined}) {
        SCOPED_TRACE(form == VoteForm::list ? "list" : "joined");
        const Storm calm{.n = 10, .direct_seats_max = 3, .vote_form = form};
        Storm storm = calm;
        storm.loss = 20;
        survive(storm, 40);
        storm = calm;
        storm.loss = 5;
        storm.crashes = true;
        survive(storm, 40);
        storm.partitions = true;
        survive(storm, 60);
        storm.term_views = 8;
        survive(storm, 40);
        storm = {.n = 5, .mode = QuorumMode::crash, .loss = 10, .crashes = true};
        storm.direct_seats_max = 3;
        storm.vote_form = form;
        survive(storm, 60);
    }
}

// Two steps more than between a few: 15 ms become 15 and twice those through collectors and relays.
// [ORD-V1.3] [ORD-V1.6]
TEST(Cluster, ThroughGroupsWithoutFaultsNothingIsRepeatedOrAskedFor) {
    for (const VoteForm form : {VoteForm::list, VoteForm::joined}) {
        Cluster c{
            {.n = 31,
             .ordering = {.direct_seats_max = 3},
             .latency_min = Duration::from_us(4'900),
             .latency_max = Duration::from_ms(5),
             .sync_max = Duration{},
             .vote_form = form}};
        c.start_all();
        c.run_for(Duration::from_ms(50));
        const Instant from = c.now();
        c.produce(0);
        ASSERT_TRUE(c.run_until_final(Height{1}, Duration::from_s(1)));
        // Proposal and certificates take two steps each, and votes two and the patience of a collector.
        EXPECT_LE((c.now() - from).ms(), 5 * 8 + 2 * 2);
        const std::uint64_t before = c.messages();
        for (int k = 0; k < 50; ++k) {
            c.produce(static_cast<Index>(k % 31));
            c.run_for(Duration::from_ms(30));
        }
        ASSERT_TRUE(c.run_until_ordered(Duration::from_s(1)));
        for (Index i = 0; i < 31; ++i) {
            EXPECT_EQ(c.ordering(i).counters().views_nullified, 0U);
            EXPECT_EQ(c.ordering(i).counters().retransmissions, 0U);
        }
        // To all it would be more than twice the square of the seats for each block.
        const std::uint64_t each = (c.messages() - before) / c.chain().size();
        EXPECT_LT(each, 31U * 40U);
    }
}
TEST(Cluster, CrashModeAgreesAndProgressesUnderEverything) {
    for (const Index n : {1U, 2U, 3U, 5U})
        survive(
            {.n = n, .mode = QuorumMode::crash, .loss = 10, .crashes = true, .partitions = true},
            150
        );
}

}  // namespace
}  // namespace creto::simplex::testing
