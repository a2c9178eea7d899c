// The finalised stream, whichever way it comes: live, late, out of order, from liars.
#include <gtest/gtest.h>

#include "order/testing/liars.hpp"

namespace creto::simplex::testing {
namespace {

/// A chain that four seats made, and everything that was said about it; node 4 is an observer that
/// has not started.
class History {
public:
    explicit History(std::uint64_t seed, int steps = 150)
        : cluster{{.n = 4, .seed = seed, .observers = 1}} {
        cluster.seen = [this](Index from, Index to, const Message& message) {
            if (to == 2) said.push_back({from, message});
            if (const auto* p = std::get_if<Proposal>(&message))
                blocks.emplace(p->block.id(), p->block);
            const auto* certificate = std::get_if<Certificate>(&message);
            if (certificate != nullptr && certificate->content.kind == VoteKind::finalize)
                finalizations.insert_or_assign(certificate->content.block, *certificate);
        };
        for (Index i = 0; i < 4; ++i)
            cluster.start(i);
        cluster.run_for(Duration::from_ms(50));
        for (int k = 0; k < steps; ++k) {
            cluster.produce(static_cast<Index>(cluster.prng().below(4)));
            // Now and then a proposal is lost, so that some blocks are final by their children only.
            if (k % 9 == 4) cluster.options().loss_percent = 60;
            cluster.run_for(Duration::from_ms(10));
            cluster.options().loss_percent = 0;
        }
        EXPECT_TRUE(cluster.run_until_ordered(Duration::from_s(10))) << "seed " << seed;
        cluster.run_for(Duration::from_ms(100));
        cluster.seen = {};
    }
    /// The blocks [from, to] with the finalisation of the last, if it has one.
    [[nodiscard]] std::optional<ChainAnswer> answer(std::uint64_t from, std::uint64_t to) const {
        ChainAnswer made;
        for (std::uint64_t h = from; h <= to; ++h)
            made.blocks.push_back(blocks.at(cluster.chain().at(Height{h})));
        const auto found = finalizations.find(cluster.chain().at(Height{to}));
        if (found == finalizations.end()) return std::nullopt;
        made.finalization = found->second;
        return made;
    }
    [[nodiscard]] std::uint64_t length() const { return cluster.chain().size(); }
    /// The highest directly finalised height that was seen.
    [[nodiscard]] std::uint64_t proven() const {
        std::uint64_t height = length();
        while (!finalizations.contains(cluster.chain().at(Height{height})))
            --height;
        return height;
    }
    /// The observer starts afresh and hears nobody but the test.
    void start_alone() {
        if (cluster.node(4).up()) cluster.crash(4);
        cluster.node(4).disk.wipe_store();
        cluster.pass = [](Index, Index, const Message&) { return false; };
        cluster.start(4);
        cluster.connect_all(4);
    }
    void tell(Index from, const Message& message) {
        const auto pass = std::exchange(cluster.pass, {});
        cluster.deliver(from, 4, message);
        cluster.settle(4);
        cluster.pass = pass;
    }

    Cluster cluster;
    std::vector<std::pair<Index, Message>> said;  ///< To node 2, in the order of arrival.
    std::map<BlockId, Block> blocks;
    std::map<BlockId, Certificate> finalizations;
};

template <class T>
void shuffle(std::vector<T>& list, Prng& prng) {
    for (std::size_t i = list.size(); i > 1; --i)
        std::swap(list[i - 1], list[prng.below(i)]);
}

// Failure 8: two leaders committed together, or apart, or through sync, gave different blocks. The
// cluster's oracle compares each height, its order and its cuts. [ORD-L8.1] [ORD-F3.1]
TEST(Sync, FinalisationsInAnyOrderAndByAnyWayGiveTheSameStream) {
    History h{3};
    ASSERT_GT(h.length(), 20U);
    for (std::uint64_t run = 1; run <= 60; ++run) {
        Prng prng{run};
        h.start_alone();
        std::vector<Message> messages;
        for (const auto& [block, certificate] : h.finalizations)
            messages.emplace_back(certificate);
        for (const auto& [id, block] : h.blocks)
            messages.emplace_back(h.cluster.sign(block));
        for (int k = 0; k < 30; ++k) {
            const std::uint64_t to = prng.between(1, h.proven());
            if (const auto answer = h.answer(prng.between(1, to), to))
                messages.emplace_back(*answer);
        }
        shuffle(messages, prng);
        for (const Message& message : messages)
            h.tell(static_cast<Index>(prng.below(4)), message);
        // Whatever was refused for coming too early comes again.
        h.tell(0, *h.answer(1, h.proven()));
        ASSERT_EQ(h.cluster.ordering(4).finalized_height(), Height{h.proven()}) << "run " << run;
        ASSERT_FALSE(h.cluster.ordering(4).halted());
    }
}

// Failure 9: a certificate below the last committed one was taken again, and its vertices were
// sequenced twice. (Of vertices: Dag.PrunesBelowTheFinalCutAndNeverTakesItBack.)
TEST(Sync, WhatIsSaidAgainAfterItsCommitHasNoEffect) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        History h{seed};
        Cluster& c = h.cluster;
        auto again = h.said;
        shuffle(again, c.prng());
        const Height height = c.ordering(2).finalized_height();
        const View view = c.ordering(2).view();
        const std::uint64_t counted = c.ordering(2).counters().votes_counted;
        const auto held = c.ordering(2).held();
        for (const auto& [from, message] : again) {
            // Only what is settled: the current view's votes are no repetition.
            if (const auto* v = std::get_if<Vote>(&message);
                v != nullptr && v->content.view > c.ordering(2).finalized_view()) {
                continue;
            }
            c.deliver(from, 2, message);
            c.settle(2);
        }
        EXPECT_EQ(c.ordering(2).finalized_height(), height);
        EXPECT_EQ(c.ordering(2).view(), view);
        EXPECT_EQ(c.ordering(2).counters().votes_counted, counted);
        EXPECT_EQ(c.ordering(2).held().views, held.views);
        EXPECT_EQ(c.ordering(2).held().blocks, held.blocks);
        EXPECT_TRUE(c.node(2).evidence.empty());
    }
}

/// What a lying server may make of a true answer, each with what is wrong about it.
std::vector<std::pair<std::string, ChainAnswer>> corpus(const History& h, const ChainAnswer& good) {
    std::vector<std::pair<std::string, ChainAnswer>> all;
    const auto add = [&](const std::string& name, auto&& change) {
        ChainAnswer bad = good;
        change(bad);
        all.emplace_back(name, std::move(bad));
    };
    const Seats& seats = h.cluster.seats();
    const auto relink = [](ChainAnswer& a) {
        for (std::size_t i = 1; i < a.blocks.size(); ++i)
            a.blocks[i].parent = a.blocks[i - 1].id();
    };
    const std::size_t middle = good.blocks.size() / 2;
    add("no blocks", [](ChainAnswer& a) { a.blocks.clear(); });
    add("a hole", [&](ChainAnswer& a) {
        a.blocks.erase(a.blocks.begin() + static_cast<std::ptrdiff_t>(middle));
    });
    add("no last block", [](ChainAnswer& a) { a.blocks.pop_back(); });
    add("a changed block", [&](ChainAnswer& a) { a.blocks[middle].cut_root = Digest{}; });
    add("a changed block with links mended", [&](ChainAnswer& a) {
        a.blocks[middle].cut_root = Digest{};
        relink(a);
    });
    add("a changed chain that names its own end", [&](ChainAnswer& a) {
        a.blocks[middle].cut_root = Digest{};
        relink(a);
        a.finalization->content.block = a.blocks.back().id();
    });
    add("another beginning", [&](ChainAnswer& a) {
        a.blocks[0].parent = block_id("another genesis");
        relink(a);
        a.finalization->content.block = a.blocks.back().id();
    });
    add("signed by the liar alone", [&](ChainAnswer& a) {
        a.blocks.back().proposer = seats.seat(3);
        VoteContent content = a.blocks.back().content(VoteKind::finalize);
        a.finalization->content = content;
        a.finalization->signatures.assign(3, seats.vote(3, content).signature);
    });
    add("one signature too few", [](ChainAnswer& a) {
        a.finalization->signatures.pop_back();
        std::size_t bit = 0;
        while (!a.finalization->signed_by(static_cast<std::uint32_t>(3 - bit)))
            ++bit;
        a.finalization->signers[0] &= static_cast<std::uint8_t>(~(8U >> bit));
    });
    add("signatures in another order", [](ChainAnswer& a) {
        std::swap(a.finalization->signatures[0], a.finalization->signatures[1]);
    });
    add("a notarization for a finalisation", [&](ChainAnswer& a) {
        a.finalization = seats.certificate(a.blocks.back().content(VoteKind::notarize), 0, 2);
    });
    add("notarize signatures under a finalisation", [&](ChainAnswer& a) {
        a.finalization = seats.certificate(a.blocks.back().content(VoteKind::notarize), 0, 2);
        a.finalization->content.kind = VoteKind::finalize;
    });
    add("no finalisation at all", [](ChainAnswer& a) { a.finalization.reset(); });
    add("another epoch", [](ChainAnswer& a) { a.finalization->content.epoch = Epoch{2}; });
    add("a chain that begins later", [](ChainAnswer& a) { a.blocks.erase(a.blocks.begin()); });
    return all;
}

// Failure 10: sync took a block whose commitment was not proven, and whoever synced forked or
// halted. (rule L11) [ORD-E5.2]
TEST(Sync, ALiarWhoServesTheChainTeachesALoneJoinerNothing) {
    History h{5};
    h.cluster.node(3).liar = std::make_unique<WrongProposer>(h.cluster, 3);
    const ChainAnswer good = *h.answer(1, h.proven());
    ASSERT_GT(good.blocks.size(), 4U);
    for (const auto& [name, bad] : corpus(h, good)) {
        h.start_alone();
        h.tell(3, *good.finalization);
        ASSERT_TRUE(h.cluster.ordering(4).behind());
        h.tell(3, bad);
        EXPECT_EQ(h.cluster.ordering(4).finalized_height(), Height{}) << name;
        EXPECT_FALSE(h.cluster.ordering(4).halted()) << name;
        h.tell(1, good);
        EXPECT_EQ(h.cluster.ordering(4).finalized_height(), Height{h.proven()}) << name;
    }
}

/// Blocks finalised by node 0 within a second of full work.
std::uint64_t pace(Cluster& c, bool with_latecomer) {
    const std::uint64_t before = c.ordering(0).finalized_height().value();
    for (int k = 0; k < 100; ++k) {
        c.produce(static_cast<Index>(k % 3));
        c.run_for(Duration::from_ms(10));
        if (with_latecomer && k == 10) c.start(3);
    }
    return c.ordering(0).finalized_height().value() - before;
}

/// 700 blocks that become final by the finalisation of the last, and then some more.
void make_stretch(Cluster& c) {
    bool lost = true;
    c.pass = [&lost](Index, Index, const Message& message) {
        const auto* vote = std::get_if<Vote>(&message);
        return !lost || vote == nullptr || vote->content.kind != VoteKind::finalize;
    };
    for (const Index i : {0U, 1U, 2U})
        c.start(i);
    const auto work = [&c](std::uint64_t views) {
        const std::uint64_t end = c.ordering(0).view().value() + views;
        while (c.ordering(0).view().value() < end) {
            c.produce(static_cast<Index>(c.prng().below(3)));
            c.run_for(Duration::from_ms(5));
        }
    };
    work(1'200);
    ASSERT_EQ(c.ordering(0).finalized_height(), Height{});
    lost = false;
    ASSERT_TRUE(c.run_until_final(Height{700}, Duration::from_s(10)));
    work(400);  // Out of every memory: only the stores have the stretch now.
    c.pass = {};
}

// A stretch without a finalisation of its own that is longer than a message: whoever comes late
// gets its end first, and then what lies below, each block named by the one above. [ORD-L11.2]
TEST(Sync, AStretchWithoutFinalisationsThatIsLongerThanAMessageIsServed) {
    Cluster c{{.n = 4, .seed = 6, .latency_max = Duration::from_ms(2), .observers = 1}};
    c.options().sync_max = Duration::from_us(100);
    make_stretch(c);
    std::size_t parts = 0;
    c.sent = [&](Index, Index to, const Message& message) {
        const auto* answer = std::get_if<ChainAnswer>(&message);
        parts += to == 4 && answer != nullptr && !answer->finalization ? 1 : 0;
    };
    c.start(4);
    const Height here = c.ordering(0).finalized_height();
    EXPECT_TRUE(c.run_until(c.now() + Duration::from_s(10), [&] {
        return c.ordering(4).finalized_height() >= here;
    }));
    EXPECT_GE(parts, 2U);
    EXPECT_LE(parts, 20U);
    EXPECT_LT(c.ordering(4).held().blocks, 50U);
    // The same from a store that was restored.
    c.crash(2);
    c.start(2);
    EXPECT_TRUE(c.run_until(c.now() + Duration::from_s(10), [&] {
        return c.ordering(2).finalized_height() >= here;
    }));
    for (const Index i : {0U, 1U})
        c.crash(i);
    c.start(3);
    EXPECT_TRUE(c.run_until(c.now() + Duration::from_s(10), [&] {
        return c.ordering(3).finalized_height() >= here;
    }));
}

// What nobody asked for, or what the block above does not name, is not taken. [ORD-L11.2]
TEST(Sync, PartsOfAStretchAreTakenByTheirNameOnly) {
    Cluster c{{.n = 4, .seed = 7, .latency_max = Duration::from_ms(2), .observers = 1}};
    make_stretch(c);
    std::size_t forged = 0;
    c.pass = [&](Index from, Index to, const Message& message) {
        const auto* answer = std::get_if<ChainAnswer>(&message);
        if (from > 1 || to != 4 || answer == nullptr || answer->finalization) return true;
        ChainAnswer bad = *answer;
        bad.blocks.back().cut_root = Digest{};
        ++forged;
        c.deliver(2, to, bad);
        return false;
    };
    c.start(4);
    const Height here = c.ordering(0).finalized_height();
    EXPECT_TRUE(c.run_until(c.now() + Duration::from_s(20), [&] {
        return c.ordering(4).finalized_height() >= here;
    })) << "by the honest one";
    EXPECT_GT(forged, 0U);
    EXPECT_FALSE(c.ordering(4).halted());
}

// In a quiet network nothing comes after the last finalisation, and who has no seat saw no votes: one liar
// among those that speak to it kept it from its end until it asked, a heartbeat later. [ORD-C1.1]
void hear_with_one_silent(const ClusterOptions& options, Index silent) {
    SCOPED_TRACE(
        std::to_string(silent) + " of " + std::to_string(options.n) + ", terms of " +
        std::to_string(options.term_views)
    );
    Cluster c{options};
    const Index seatless = options.n;
    c.pass = [&](Index from, Index to, const Message& message) {
        return from != silent || to != seatless || !std::holds_alternative<Certificate>(message);
    };
    c.start_all();
    c.run_for(Duration::from_ms(50));
    for (Index k = 0; k < 20; ++k) {
        c.produce(k % options.n);
        c.run_for(Duration::from_ms(100));
        ASSERT_GE(c.ordering(seatless).finalized_height(), c.ordering(0).finalized_height());
    }
    EXPECT_GE(c.ordering(0).finalized_height(), Height{20});
}

TEST(Sync, WhoHasNoSeatHearsOfTheLastFinalisationWhoeverKeepsSilent) {
    ClusterOptions options{.n = 4, .seed = 8, .latency_max = Duration::from_ms(2), .observers = 1};
    for (const std::uint32_t views : {1U, 32U}) {
        options.term_views = views;
        for (Index silent = 0; silent < options.n; ++silent)
            hear_with_one_silent(options, silent);
    }
    ClusterOptions groups = options;
    groups.n = 12;
    groups.term_views = 1;
    groups.ordering.direct_seats_max = 3;
    groups.vote_form = VoteForm::joined;
    for (Index silent = 0; silent < groups.n; ++silent)
        hear_with_one_silent(groups, silent);
}

// Failure 42: the whole chain was in memory, and a node that came back dragged the others down.
// (rule G4)
TEST(Sync, ANodeThatWasLongAwayComesBackWithoutSlowingTheOthers) {
    Cluster c{{.n = 4, .seed = 2}};
    c.start_all();
    c.run_for(Duration::from_ms(50));
    c.crash(3);
    for (int second = 0; second < 10; ++second)
        static_cast<void>(pace(c, false));
    const std::uint64_t alone = pace(c, false);
    const std::uint64_t joined = pace(c, true);
    EXPECT_GE(joined * 10, alone * 9);
    EXPECT_LE(c.ordering(0).held().final_blocks, limits::view_retention);
    EXPECT_TRUE(c.run_until_ordered(Duration::from_s(2)));
    EXPECT_GT(c.ordering(3).counters().chain_blocks_synced, 256U);
}

// Failure 43: a node that was behind fetched more than it could execute. (rule L11)
TEST(Sync, CatchingUpWaitsForExecution) {
    Cluster c{
        {.n = 4,
         .seed = 4,
         .latency_max = Duration::from_ms(2),
         .sync_max = Duration::from_us(100)}};
    c.start_all();
    c.run_for(Duration::from_ms(50));
    c.crash(3);
    while (c.ordering(0).finalized_height() < Height{2'000}) {
        c.produce(static_cast<Index>(c.prng().below(3)));
        c.run_for(Duration::from_ms(5));
    }
    c.node(3).stalls_execution = true;
    c.start(3);
    c.run_for(Duration::from_s(10));
    EXPECT_GE(c.ordering(3).finalized_height(), Height{1'024});
    EXPECT_LE(c.ordering(3).finalized_height(), Height{1'024 + limits::blocks_per_message_max});
    c.node(3).stalls_execution = false;
    c.at(Duration{}, 3, [](Participant&) {});
    EXPECT_TRUE(c.run_until_ordered(Duration::from_s(5)));
}

}  // namespace
}  // namespace creto::simplex::testing
