// Epochs: the validator set changes at boundaries, and nothing else does.
#include "model/light.hpp"
#include "order/keys.hpp"
#include "order/testing/blocks.hpp"
#include "order/testing/cluster.hpp"
#include "order/voter.hpp"

namespace creto::simplex::testing {
namespace {

ClusterOptions of_epochs(std::uint32_t epoch_blocks, std::uint64_t seed, Index more = 0) {
    ClusterOptions options;
    options.seed = seed;
    options.epoch_blocks = epoch_blocks;
    options.observers = more;
    options.ordering.delta = Duration::from_ms(50);
    options.ordering.heartbeat = Duration::from_ms(500);
    return options;
}

/// Four of all the nodes, another one each epoch.
std::function<std::vector<Member>(Epoch)> rotating(const Cluster& c) {
    return [&c](Epoch epoch) {
        std::vector<Index> who;
        for (Index i = 0; i < 4; ++i)
            who.push_back(static_cast<Index>((epoch.value() - 2 + i) % c.total()));
        std::sort(who.begin(), who.end());
        std::vector<Member> members;
        for (const Index i : who)
            members.push_back(c.seats().member(i));
        return members;
    };
}

/// Vertices of anybody, until a height is final everywhere.
void drive(Cluster& c, std::uint64_t height, Duration limit) {
    const Instant end = c.now() + limit;
    while (c.lowest_final() < Height{height} && c.now() < end) {
        for (Index i = 0; i < 4; ++i)
            c.produce(i);
        c.run_for(Duration::from_ms(40));
        if (::testing::Test::HasFatalFailure()) return;
    }
    ASSERT_GE(c.lowest_final(), Height{height}) << "seed " << c.options().seed;
}

StoredBlock stored_at(Cluster& c, Index i, std::uint64_t height) {
    const auto bytes = c.node(i).disk.get(Column::blocks, final_block_key(Height{height}));
    return decode_exact<StoredBlock>(*bytes.value()).value();
}

// [ORD-L12.1]
TEST(Epochs, BelongToHeights) {
    const Epochs epochs{4};
    EXPECT_EQ(epochs.of(Height{}), Epoch{1});
    EXPECT_EQ(epochs.of(Height{4}), Epoch{1});
    EXPECT_EQ(epochs.of(Height{5}), Epoch{2});
    EXPECT_EQ(epochs.after(Height{4}), Epoch{2});
    EXPECT_TRUE(epochs.is_boundary(Height{8}));
    EXPECT_FALSE(epochs.is_boundary(Height{}));
    EXPECT_EQ(epochs.last_of(Epoch{2}), Height{8});
    EXPECT_FALSE(Epochs{0}.is_boundary(Height{64}));
    EXPECT_EQ(Epochs{0}.of(Height{1'000'000}), Epoch{1});
}

// [ORD-L12.1] [ORD-L12.3]
TEST(EpochsInCluster, EachBeginsAtABoundaryAndCountsItsViewsAnew) {
    Cluster c{of_epochs(4, 1)};
    c.start_all();
    drive(c, 21, Duration::from_s(60));
    std::set<Seat> first_leaders;
    for (std::uint64_t h = 1; h <= 20; ++h) {
        const StoredBlock stored = stored_at(c, 0, h);
        EXPECT_EQ(stored.block.epoch, Epoch{(h - 1) / 4 + 1});
        EXPECT_EQ(stored.block.next_roster.has_value(), h % 4 == 0);
        if (h % 4 == 0) {
            EXPECT_EQ(stored.block.next_roster, c.roster().digest());
            EXPECT_TRUE(stored.finalization.has_value()) << "what ends an epoch proves itself";
        }
        if (h % 4 == 1) {
            EXPECT_EQ(stored.block.parent_view, View{});
            first_leaders.insert(leader_of(*c.node(0).rosters->of(stored.block.epoch), View{1}));
        }
    }
    EXPECT_EQ(first_leaders.size(), 4U) << "the same leader begins every epoch";
    EXPECT_GE(c.ordering(0).epoch(), Epoch{6});
}

/// Failure 33: stale epochs, certificates of another committee, conflicting finalisations.
// [ORD-L12.2] [ORD-L12.5]
TEST(EpochsInCluster, TheSetRotatesByOneEveryThreeBlocks) {
    Cluster c{of_epochs(3, 7, 3)};
    c.voters = rotating(c);
    c.start_all();
    drive(c, 600, Duration::from_s(600));
    for (Index i = 0; i < c.total(); ++i) {
        EXPECT_FALSE(c.ordering(i).halted());
        EXPECT_GE(c.ordering(i).epoch(), Epoch{200});
        EXPECT_LE(c.ordering(i).held().final_blocks, limits::view_retention + 8);
    }
}

/// Failure 32: restarts around a set change.
// [ORD-R8.1] [ORD-L12.5]
TEST(EpochsInCluster, ANodeMayCrashAtAnyMoment) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        Cluster c{of_epochs(3, seed, 2)};
        c.options().loss_percent = seed % 4 == 0 ? 10 : 0;
        c.voters = rotating(c);
        c.start_all();
        for (std::uint64_t round = 1; round <= 12; ++round) {
            const auto who = static_cast<Index>(c.prng().below(c.total()));
            c.crash(who);
            for (Index i = 0; i < 4; ++i)
                c.produce(i);
            c.run_for(Duration::from_ms(static_cast<std::int64_t>(c.prng().below(400))));
            c.start(who);
            drive(c, round * 3, Duration::from_s(60));
            ASSERT_FALSE(HasFatalFailure()) << "seed " << seed;
        }
        for (Index i = 0; i < c.total(); ++i)
            EXPECT_FALSE(c.ordering(i).halted()) << "seed " << seed;
    }
}

// [ORD-R8.1]
TEST(EpochsInCluster, AllOfThemMayCrashAtOnce) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Cluster c{of_epochs(3, seed)};
        c.start_all();
        for (std::uint64_t round = 1; round <= 8; ++round) {
            drive(c, round * 2, Duration::from_s(60));
            ASSERT_FALSE(HasFatalFailure()) << "seed " << seed;
            c.run_for(Duration::from_ms(static_cast<std::int64_t>(c.prng().below(40))));
            for (Index i = 0; i < c.total(); ++i)
                c.crash(i);
            c.start_all();
        }
    }
}

/// Whoever got its seat after the genesis and has lost its store begins again in an epoch in which it has
/// none. Its log counts in the one in which it has.
// [ORD-L12.5] [ORD-R8.1]
TEST(EpochsInCluster, ASeatThatCameLaterKnowsItsLogWhenItsStoreIsLost) {
    Cluster c{of_epochs(3, 5, 1)};
    c.voters = rotating(c);
    // Nothing becomes final in epoch 3, so nothing that was said there is forgotten.
    c.pass = [](Index, Index, const Message& message) {
        const auto* vote = std::get_if<Vote>(&message);
        return vote == nullptr || vote->content.kind != VoteKind::finalize ||
               vote->content.epoch != Epoch{3};
    };
    c.start_all();
    drive(c, 6, Duration::from_s(30));
    c.run_for(Duration::from_s(3));
    ASSERT_EQ(c.ordering(4).epoch(), Epoch{3});
    const std::size_t said = c.ordering(4).held().own_views;
    ASSERT_GT(said, 3U);
    c.crash(4);
    c.node(4).disk.wipe_store();
    c.start(4);
    ASSERT_EQ(c.ordering(4).epoch(), Epoch{1});
    ASSERT_TRUE(c.run_until(c.now() + Duration::from_s(20), [&] {
        return c.ordering(4).epoch() == Epoch{3};
    }));
    EXPECT_GE(c.ordering(4).held().own_views + 1, said) << "the last one may not have been written";
}

/// Failure 34: who was away while epochs ended can still follow them.
// [ORD-L12.6]
TEST(EpochsInCluster, AStragglerPassesManyBoundaries) {
    Cluster c{of_epochs(4, 3)};
    c.start_all();
    drive(c, 5, Duration::from_s(30));
    c.partition({0, 0, 0, 1});
    const Instant end = c.now() + Duration::from_s(120);
    while (c.ordering(0).finalized_height() < Height{90} && c.now() < end) {
        c.produce(0);
        c.run_for(Duration::from_ms(40));
    }
    ASSERT_LT(c.ordering(3).finalized_height(), Height{20});
    c.heal();
    const Height reached = c.ordering(0).finalized_height();
    EXPECT_TRUE(c.run_until_final(reached, Duration::from_s(10)));
    drive(c, reached.value() + 8, Duration::from_s(30));
    EXPECT_GT(c.node(3).ordering->counters().votes_counted, 0U);
}

/// The votes for the boundary never meet: only an echo can make it final.
// [ORD-L12.4]
TEST(EpochsInCluster, AnEchoMakesTheBoundaryFinal) {
    Cluster c{of_epochs(4, 5, 1)};
    std::map<View, Block> at_boundary;
    c.pass = [&](Index, Index, const Message& message) {
        if (const auto* proposal = std::get_if<Proposal>(&message)) {
            const Block& block = proposal->block;
            if (block.epoch == Epoch{1} && block.height == Height{4})
                at_boundary.emplace(block.view, block);
        }
        const auto* vote = std::get_if<Vote>(&message);
        if (vote == nullptr || vote->content.kind != VoteKind::finalize) return true;
        const auto found = at_boundary.find(vote->content.view);
        return vote->content.epoch != Epoch{1} || found == at_boundary.end() ||
               found->second.echo_of.has_value();
    };
    c.start_all();
    drive(c, 9, Duration::from_s(60));
    const StoredBlock last = stored_at(c, 0, 4);
    ASSERT_TRUE(last.echo.has_value());
    EXPECT_EQ(last.echo->echo_of, last.block.id());
    EXPECT_EQ(last.finalization->content, last.echo->content(VoteKind::finalize));
    EXPECT_EQ(stored_at(c, 0, 5).block.parent, last.block.id());
    // Whoever comes later takes the echo for proof, too.
    c.pass = nullptr;
    c.crash(4);
    c.node(4).disk.wipe_store();
    c.start(4);
    EXPECT_TRUE(c.run_until_final(Height{9}, Duration::from_s(20)));
}

// [ORD-L15.3]
TEST(EpochsInCluster, AChangeOfTheRosterDoesNotWaitForWork) {
    Cluster idle{of_epochs(8, 4)};
    idle.start_all();
    idle.run_for(Duration::from_s(3));
    EXPECT_LT(idle.lowest_final(), Height{16}) << "heartbeats alone";
    Cluster c{of_epochs(8, 4)};
    for (Index i = 0; i < 4; ++i)
        c.node(i).lanes.hurries = true;
    c.start_all();
    c.run_for(Duration::from_s(3));
    EXPECT_GT(c.lowest_final(), Height{32});
}

// [ORD-L13.1]
TEST(EpochsInCluster, LinksLeadFromTheGenesisToTheRosterOfALaterEpoch) {
    Cluster c{of_epochs(3, 11, 3)};
    c.voters = rotating(c);
    c.start_all();
    std::vector<RosterLink> links;
    const Instant end = c.now() + Duration::from_s(60);
    while (c.lowest_final() < Height{40} && c.now() < end) {
        c.produce(0);
        c.run_for(Duration::from_ms(40));
        for (RosterLink& link : c.ordering(0).take_links())
            links.push_back(std::move(link));
    }
    ASSERT_GT(links.size(), 8U);
    const Epoch last = links.back().epoch();
    const auto holds = [&](const std::vector<RosterLink>& shown) {
        const auto proven = follow_links(c.roster(), shown, last);
        return proven && proven->roster.digest() == c.node(0).rosters->of(last)->digest() &&
               CheckPass::verify(c.seats().scheme, proven->items).has_value();
    };
    EXPECT_TRUE(holds(links));
    const Roster* later = c.node(0).rosters->of(links[4].epoch());
    ASSERT_NE(later, nullptr);
    EXPECT_TRUE(follow_links(*later, links, last)) << "what is older is passed over";

    auto gap = links;
    gap.erase(gap.begin() + 3);
    EXPECT_FALSE(holds(gap));
    auto other = links;
    other.back().members.back().name = "someone else";
    EXPECT_FALSE(holds(other));
    auto unsigned_ = links;
    unsigned_[2].finalization.signatures[0] = Signature{};
    EXPECT_FALSE(holds(unsigned_));
    auto moved = links;
    moved.back().boundary.height = moved.back().boundary.height.next();
    EXPECT_FALSE(holds(moved));
    auto borrowed = links;
    borrowed.back().finalization = borrowed.front().finalization;
    EXPECT_FALSE(holds(borrowed));
    for (const RosterLink& link : links) {
        const Bytes bytes = encode_bytes(link);
        EXPECT_EQ(decode_exact<RosterLink>(bytes).value(), link);
    }
}

/// Whoever has not executed the end of the epoch before does not know what an echo must name.
// [ORD-L12.2] [ORD-L12.4]
TEST(EpochsInCluster, ALeaderThatIsBehindInExecutingProposesNoEcho) {
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        Cluster c{of_epochs(4, seed)};
        std::set<BlockId> boundaries;
        bool open = false;
        c.pass = [&](Index, Index, const Message& message) {
            if (const auto* proposal = std::get_if<Proposal>(&message)) {
                const Block& block = proposal->block;
                if (block.height == Height{12}) boundaries.insert(block.id());
            }
            const auto* vote = std::get_if<Vote>(&message);
            return open || vote == nullptr || vote->content.kind != VoteKind::finalize ||
                   !boundaries.contains(vote->content.block);
        };
        c.start_all();
        drive(c, 6, Duration::from_s(30));
        const auto slow = static_cast<Index>(seed % 4);
        c.node(slow).stalls_execution = true;
        for (int i = 0; i < 60; ++i) {
            c.produce((slow + 1) % 4);
            c.run_for(Duration::from_ms(50));
        }
        EXPECT_GT(boundaries.size(), 4U) << "every seat had its turn: seed " << seed;
        open = true;
        c.node(slow).stalls_execution = false;
        drive(c, 14, Duration::from_s(30));
    }
}

/// A node that began at a checkpoint may not have what made its block final; where that block ended an
/// epoch nothing above it proves it to whoever is below.
// [ORD-L12.5]
TEST(EpochsInCluster, WhoCannotProveABoundaryHasItsStragglersOfferedACheckpoint) {
    Cluster c{of_epochs(4, 6, 1)};
    c.start_all();
    drive(c, 9, Duration::from_s(30));
    const StoredBlock last = stored_at(c, 0, 8);
    const auto cut = std::make_shared<const Cut>(c.cut_after(last.block.id()));
    const Anchor anchor{last.block, cut, ExecutedMark{Height{8}, Digest{}, Digest{}}};
    const auto requests = [&](const FakeDisk& disk) {
        const auto ordering = c.make_ordering(4);
        EXPECT_TRUE(ordering->restore(disk, {}, {}, anchor));
        Effects effects;
        ordering->start(c.now(), effects);
        ordering->on_peer_up(c.agent(1), c.now(), effects);
        ordering->on_chain_request(c.agent(1), ChainRequest{Height{8}, 8, {}}, c.now(), effects);
        return ordering->take_unserved();
    };
    EXPECT_EQ(requests(FakeDisk{}), std::vector<AgentId>{c.agent(1)});
    FakeDisk whole;
    Persist batch;
    batch.writes.push_back(write_final(last));
    whole.apply(batch);
    EXPECT_TRUE(requests(whole).empty()) << "it has the proof, and sends it";
}

/// A claim costs requests, and nothing else.
// [ORD-L12.6]
TEST(EpochsInCluster, WhoClaimsToBeFarAheadHoldsNobodyUp) {
    Cluster c{of_epochs(4, 9)};
    c.start_all();
    for (int i = 0; i < 50; ++i) {
        c.deliver(3, 0, OrderStatus{Epoch{1'000'000}, View{9}, View{8}, Height{~0ULL}});
        c.produce(1);
        c.run_for(Duration::from_ms(40));
    }
    drive(c, 12, Duration::from_s(30));
    EXPECT_LT(c.ordering(0).counters().requests_sent, 400U);
    c.run_for(Duration::from_s(20));
    EXPECT_FALSE(c.ordering(0).behind());
}

// [ORD-L12.3] [ORD-L12.4]
TEST(EpochsInTree, AfterTheBoundaryComeOnlyEchoes) {
    const Epochs epochs{2};
    const auto follows = [&](const BranchTip& parent, const Block& block) {
        return follow(parent, block, block.id(), limits::checkpoint_blocks, epochs);
    };
    const Block first = block_on(genesis_tip(), 1, 1);
    const BranchTip one = follows(genesis_tip(), first).value();
    Block last = block_on(one, 2, 1);
    EXPECT_FALSE(follows(one, last)) << "it ends the epoch and names no roster";
    last.next_roster = Digest{};
    const BranchTip two = follows(one, last).value();
    EXPECT_EQ(two.boundary, last.id());

    Block echo = block_on(two, 3);
    echo.next_roster = Digest{};
    EXPECT_FALSE(follows(two, echo)) << "a height above the boundary";
    echo.height = two.height;
    EXPECT_FALSE(follows(two, echo)) << "it does not say what it repeats";
    echo.echo_of = last.id();
    const BranchTip three = follows(two, echo).value();
    EXPECT_EQ(three.boundary, last.id());
    EXPECT_EQ(three.height, two.height);

    Block again = block_on(three, 4);
    again.height = two.height;
    again.next_roster = Digest{};
    again.echo_of = echo.id();
    EXPECT_FALSE(follows(three, again)) << "an echo of an echo";
    again.echo_of = last.id();
    EXPECT_TRUE(follows(three, again));
    Block full = block_on(three, 4, 1);
    full.height = two.height;
    full.next_roster = Digest{};
    full.echo_of = last.id();
    EXPECT_FALSE(follows(three, full)) << "an echo that covers something";
    Block early = block_on(genesis_tip(), 1);
    early.next_roster = Digest{};
    EXPECT_FALSE(follows(genesis_tip(), early)) << "a roster in the middle of an epoch";

    // What is proven by an echo is proven without those between.
    EXPECT_TRUE(check_links(std::vector<Block>{first, last, again}, epochs));
    EXPECT_FALSE(check_links(std::vector<Block>{first, again}, epochs));
    EXPECT_FALSE(check_links(std::vector<Block>{first, last, again, echo}, epochs));
    EXPECT_FALSE(check_links(std::vector<Block>{first, last}, Epochs{3}));
}

// [ORD-L12.1]
TEST(EpochsInTree, ARangeMayCrossABoundary) {
    const Epochs epochs{1'000};
    Block first = block_on(genesis_tip(), 1);
    first.height = Height{1'000};
    first.view = View{1'500};
    first.parent_view = View{1'499};
    first.next_roster = Digest{};
    Block next = block_on(genesis_tip(), 1);
    next.epoch = Epoch{2};
    next.height = Height{1'001};
    next.parent = first.id();
    EXPECT_TRUE(check_links(std::vector<Block>{first, next}, epochs));
    next.parent_view = View{1'500};
    next.view = View{1'501};
    EXPECT_FALSE(check_links(std::vector<Block>{first, next}, epochs)) << "views count anew";
    next.parent_view = View{};
    next.epoch = Epoch{1};
    EXPECT_FALSE(check_links(std::vector<Block>{first, next}, epochs));
}

/// A store that was rolled back behind the log: what the log holds of later epochs still binds.
// [ORD-L12.5]
TEST(EpochsInVoter, VotesOfLaterEpochsWaitForTheirTime) {
    Seats seats{4, QuorumMode::byzantine, 0, 0, 1, limits::checkpoint_blocks, 4};
    const Roster second = seats.roster.in_epoch(Epoch{2});
    const VoteContent said{VoteKind::notarize, Epoch{2}, View{1}, View{}, block_id("said")};
    Voter writer{second, seats.seat(0), *seats.signers[0]};
    ASSERT_TRUE(writer.notarize(said));
    Effects effects;
    const auto& saved = writer.save({}, effects);
    std::vector<Bytes> log{encode_vote_record(saved.votes[0])};

    Voter first{seats.roster, seats.seat(0), *seats.signers[0]};
    ASSERT_TRUE(first.restore(log));
    EXPECT_FALSE(first.cast_any(View{1})) << "that was said in another epoch";
    EXPECT_TRUE(first.has_left());
    // What it said in the first epoch may be gone from the log: it says nothing new there.
    EXPECT_EQ(first.nullify(Epoch{1}, View{9}).error(), Refusal::left);

    // A log that is rewritten keeps them.
    Voter whole{seats.roster, seats.seat(0), *seats.signers[0]};
    ASSERT_TRUE(whole.nullify(Epoch{1}, View{1}));
    ASSERT_TRUE(whole.restore(log));
    whole.begin_above(View{0});
    static_cast<void>(whole.save({}, effects));
    const auto persists = effects.take();
    const auto& kept = std::get<Persist>(persists.back()).votes_kept;
    EXPECT_EQ(std::count(kept.begin(), kept.end(), log[0]), 1);

    Voter later{second, seats.seat(0), *seats.signers[0]};
    ASSERT_TRUE(later.succeed(first));
    EXPECT_TRUE(later.knows(said));
    VoteContent other = said;
    other.block = block_id("other");
    EXPECT_FALSE(later.notarize(other));
}

}  // namespace
}  // namespace creto::simplex::testing
