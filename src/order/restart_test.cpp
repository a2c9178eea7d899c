// Crashes at every step, restarts from every disk: nothing is said twice, nothing stands still.
#include <gtest/gtest.h>

#include "order/keys.hpp"
#include "order/testing/script.hpp"

namespace creto::simplex::testing {
namespace {

/// Runs `count` events of the cluster.
void step(Cluster& c, std::uint64_t count) {
    std::uint64_t done = 0;
    c.run_until(c.now() + Duration::from_s(1), [&] { return done++ == count; });
}

/// Four nodes that have met, and work for two blocks.
void begin(Cluster& c) {
    c.start_all();
    c.run_for(Duration::from_ms(50));
    c.produce(0);
    c.produce(1);
}

void expect_nobody_halted(Cluster& c) {
    for (Index i = 0; i < c.total(); ++i) {
        if (!c.node(i).up()) continue;
        EXPECT_FALSE(c.ordering(i).halted()) << i << ": " << *c.ordering(i).halted();
    }
}

// Failure 14: a vote left before it was durable, and another one was signed after the crash. The
// cluster's oracle sees every vote that leaves and every disk. [ORD-W1.1] [ORD-W3.1]
TEST(Restart, ACrashAtAnyStepNeverMakesASeatSpeakTwice) {
    for (Index node = 0; node < 4; ++node) {
        for (std::uint64_t crash_at = 0; crash_at < 150; ++crash_at) {
            Cluster c{{.n = 4, .seed = crash_at + 1, .sync_max = Duration::from_ms(5)}};
            begin(c);
            step(c, crash_at);
            c.crash(node);
            c.produce(2);
            c.run_for(Duration::from_ms(static_cast<std::int64_t>(c.prng().below(20))));
            c.start(node);
            ASSERT_TRUE(c.run_until_ordered(Duration::from_s(5))) << node << " at " << crash_at;
            expect_nobody_halted(c);
            if (::testing::Test::HasFailure()) FAIL() << node << " at " << crash_at;
        }
    }
}

// Failure 15: all nodes were killed after writing their nullify votes; restarted they told each
// other and not themselves, and stayed one vote short for ever. (rule R1)
TEST(Restart, AKillOfAllAtAnyStepLeavesExactlyAQuorumThatGoesOn) {
    for (std::uint64_t kill_at = 0; kill_at < 400; ++kill_at) {
        Cluster c{{.n = 4, .seed = kill_at + 1}};
        begin(c);
        // Every second time the leader is silent, so that the votes are nullify votes.
        if (kill_at % 2 == 1) c.crash(0);
        step(c, kill_at);
        for (Index i = 0; i < 4; ++i) {
            if (c.node(i).up()) c.crash(i);
        }
        for (Index i = 1; i < 4; ++i)
            c.start(i);
        c.produce(1);
        ASSERT_TRUE(c.run_until_ordered(Duration::from_s(10))) << "killed at " << kill_at;
        expect_nobody_halted(c);
    }
}

// Failure 18: votes were processed before the log had been read to its end, and empty ones went
// out. Until start() nothing leaves, whatever comes in; after it only what was said before.
TEST(Restart, NothingIsSaidBeforeTheRestoredNodeIsStarted) {
    Script s{3};
    const Block b1 = s.block(s.genesis(), 1);
    s.tell(0, s.cluster.sign(b1));
    ASSERT_EQ(s.words(1), "N");
    s.cluster.crash(3);
    const auto restored = s.cluster.make_ordering(3);
    const FakeDisk& disk = s.cluster.node(3).disk;
    ASSERT_TRUE(restored->restore(disk, disk.votes).has_value());
    Effects effects;
    const AgentId peer = s.cluster.agent(1);
    const auto certificate = s.certificate(VoteKind::notarize, b1);
    const auto pass = CheckPass::verify(
        s.cluster.seats().scheme, *check_items(Message{certificate}, s.cluster.roster())
    );
    restored->on_peer_up(peer, s.cluster.now(), effects);
    restored->on_certificate(peer, {certificate, pass.value()}, s.cluster.now(), effects);
    restored->on_status(peer, {Epoch{1}, View{9}, View{8}, Height{8}}, s.cluster.now(), effects);
    restored->on_data(s.cluster.now(), effects);
    restored->on_time(s.cluster.now() + Duration::from_s(60), effects);
    EXPECT_TRUE(effects.list().empty());
    s.said.clear();
    s.cluster.start(3);
    s.cluster.connect_all(3);
    s.pass(Duration::from_ms(20));
    EXPECT_EQ(s.times(s.cluster.seats().vote(3, b1.content(VoteKind::notarize))), 3U);
    EXPECT_EQ(s.words(1), "N");
}

// Failure 19: the state was ahead of the journal and the node proposed the same for ever; old
// records of the journal took the node back. Every combination of an older store, and a vote log
// that is whole or was compacted to its floor. Execution begins anew with every life. [ORD-W4.1]
TEST(Restart, AnOlderStoreWithTheWholeVoteLogGoesOn) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        for (std::size_t back = 0; back <= 3; ++back) {
            for (const bool compacted : {false, true}) {
                Cluster c{{.n = 4, .seed = seed}};
                c.start_all();
                c.run_for(Duration::from_ms(50));
                std::vector<FakeDisk::Data> images{4, c.node(3).disk.store_image()};
                while (c.ordering(3).finalized_height() < Height{8}) {
                    const Height before = c.ordering(3).finalized_height();
                    c.produce(static_cast<Index>(c.prng().below(4)));
                    c.run_for(Duration::from_ms(10));
                    if (c.ordering(3).finalized_height() == before) continue;
                    images.insert(images.begin(), c.node(3).disk.store_image());
                    images.pop_back();
                }
                const View settled = c.ordering(3).finalized_view();
                c.crash(3);
                FakeDisk& disk = c.node(3).disk;
                if (back > 0) disk.load_store(images[back]);
                if (compacted) {
                    std::vector<Bytes> kept{encode_vote_record(VoteFloor{Epoch{1}, settled})};
                    for (const Bytes& record : disk.votes.records) {
                        const auto vote = std::get<Vote>(decode_vote_record(record).value());
                        if (vote.content.view > settled) kept.push_back(record);
                    }
                    disk.votes.records = kept;
                }
                c.start(3);
                c.produce(3);
                ASSERT_TRUE(c.run_until_ordered(Duration::from_s(5)))
                    << "seed " << seed << ", " << back << " back, compacted " << compacted;
                expect_nobody_halted(c);
            }
        }
    }
}

// The finalised chain is handed over while it is read: the same blocks, and no more of them in memory
// than a message holds. [ORD-R6.1]
TEST(Restart, AChainOfAnyLengthIsReadBackInPieces) {
    Cluster c{{.n = 1, .mode = QuorumMode::crash, .sync_max = Duration{}}};
    c.start_all();
    while (c.ordering(0).finalized_height() < Height{1'500}) {
        c.produce(0);
        c.run_for(Duration::from_ms(1));
    }
    c.run_for(Duration::from_s(1));
    const Height end = c.ordering(0).finalized_height();
    const View view = c.ordering(0).finalized_view();
    const auto ordering = c.make_ordering(0);
    const FakeDisk& disk = c.node(0).disk;
    Effects effects;
    Height next{1};
    std::size_t most = 0;
    const auto take = [&](const std::vector<FinalizedBlock>& blocks) -> Result<void> {
        most = std::max(most, blocks.size());
        for (const FinalizedBlock& block : blocks) {
            EXPECT_EQ(block.block.height, next);
            EXPECT_EQ(block.id, c.chain().at(next));
            EXPECT_EQ(block.cut_after->root(), block.block.cut_root);
            next = next.next();
            ordering->on_executed({block.block.height, {}, block.id.value()}, c.now(), effects);
            EXPECT_LE(ordering->held().marks, 2 * limits::blocks_per_message_max + 2);
        }
        return {};
    };
    ASSERT_TRUE(ordering->restore(disk, disk.votes, take).has_value());
    EXPECT_EQ(next, end.next());
    EXPECT_LE(most, limits::blocks_per_message_max);
    EXPECT_EQ(ordering->finalized_view(), view);
    EXPECT_TRUE(ordering->take_finalized().empty());
    // What this test reports as executed is not what the chain says.
    EXPECT_TRUE(ordering->halted());
    const auto stops = [](const auto&) -> Result<void> { return fail(ErrorCode::io, "enough"); };
    EXPECT_EQ(c.make_ordering(0)->restore(disk, disk.votes, stops).error().message, "enough");
}

// Failure 29: a leader that restarted in its own view waited for itself, and one that was alone
// never gave its own view up. [ORD-N1.1]
TEST(Restart, ALeaderThatCrashesInItsOwnViewDoesNotHoldItUp) {
    for (std::uint64_t crash_at = 0; crash_at < 100; ++crash_at) {
        Cluster c{{.n = 4, .seed = crash_at + 1}};
        begin(c);
        step(c, crash_at);
        c.crash(0);
        c.start(0);
        ASSERT_TRUE(c.run_until_ordered(Duration::from_s(2))) << "crashed at " << crash_at;
        expect_nobody_halted(c);
    }
    Script s{0};
    s.cluster.produce(0);
    s.pass(Duration::from_ms(20));
    ASSERT_EQ(s.words(1), "N");
    s.restart();
    s.pass(Duration::from_ms(600));
    EXPECT_EQ(s.words(1), "NX");
    // It is no less a leader in a view that it was synced into.
    for (std::uint64_t view = 1; view <= 4; ++view)
        s.tell(1, s.nullification(view));
    EXPECT_EQ(s.words(5), "N");
}

// Failure 45: catch-up ended without entering a view, or was interrupted and never began again; a
// restarted replica entered a view that no quorum had entered. (rule E1)
TEST(Restart, ACrashAtAnyStepOfCatchingUpOnlyDelaysIt) {
    for (std::uint64_t crash_at = 0; crash_at < 120; ++crash_at) {
        Cluster c{{.n = 4, .seed = crash_at + 1}};
        c.start_all();
        c.run_for(Duration::from_ms(50));
        c.crash(3);
        for (int k = 0; k < 30; ++k) {
            c.produce(static_cast<Index>(k % 3));
            c.run_for(Duration::from_ms(10));
        }
        const View reached = c.ordering(0).view();
        c.start(3);
        EXPECT_LE(c.ordering(3).view(), reached);
        step(c, crash_at);
        c.crash(3);
        c.start(3);
        // A quorum signed in the view before: one of these two at least.
        EXPECT_LE(
            c.ordering(3).view(), std::max(c.ordering(0).view(), c.ordering(1).view()).next()
        );
        c.produce(3);
        ASSERT_TRUE(c.run_until_ordered(Duration::from_s(5))) << "crashed at " << crash_at;
        EXPECT_GE(c.ordering(3).view(), reached);
    }
}

}  // namespace
}  // namespace creto::simplex::testing
