// Dormant seats in the order: who votes has another quorum then, and whoever comes later is shown it.
#include "model/light.hpp"
#include "order/testing/cluster.hpp"

namespace creto::simplex::testing {
namespace {

/// Seven seats; from the third epoch on the last two are dormant, from the seventh on they vote again.
ClusterOptions seven(std::uint64_t seed) {
    ClusterOptions options;
    options.n = 7;
    options.seed = seed;
    options.epoch_blocks = 4;
    options.ordering.delta = Duration::from_ms(50);
    options.ordering.heartbeat = Duration::from_ms(500);
    return options;
}

bool two_are_dormant(Epoch epoch) {
    return Epoch{3} <= epoch && epoch < Epoch{7};
}

void with_two_dormant(Cluster& c) {
    c.voters = [&c](Epoch epoch) {
        std::vector<Member> members = c.seats().genesis.members;
        if (two_are_dormant(epoch)) members.resize(5);
        return members;
    };
    c.dormant = [](Epoch epoch) { return two_are_dormant(epoch) ? 2U : 0U; };
}

/// True when that height is final at every node that is up.
bool reaches(Cluster& c, std::uint64_t height, Duration limit) {
    const Instant end = c.now() + limit;
    while (c.lowest_final() < Height{height} && c.now() < end && !::testing::Test::HasFailure()) {
        for (Index i = 0; i < c.total(); ++i)
            if (c.node(i).up()) c.produce(i);
        c.run_for(Duration::from_ms(40));
    }
    return c.lowest_final() >= Height{height};
}

// [SEAT-DORMANT.3]
TEST(DormantInOrder, FourOfTheFiveThatVoteAreEnoughAndThreeAreNot) {
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        Cluster c{seven(seed)};
        with_two_dormant(c);
        c.start_all();
        ASSERT_TRUE(reaches(c, 9, Duration::from_s(30))) << "seed " << seed;
        c.crash(5);
        c.crash(6);
        c.crash(4);
        ASSERT_TRUE(reaches(c, 14, Duration::from_s(30))) << "seed " << seed;
        EXPECT_EQ(c.ordering(0).roster().quorum(), (Quorum{5, 4, 2}));
        c.crash(3);
        c.run_for(Duration::from_s(2));  // What four had begun.
        const Height stuck = c.lowest_final();
        EXPECT_FALSE(reaches(c, stuck.value() + 1, Duration::from_s(10))) << "seed " << seed;
        // They are enough again, and so are the seven later.
        c.start(3);
        ASSERT_TRUE(reaches(c, 20, Duration::from_s(60))) << "seed " << seed;
        c.start(4);
        c.start(5);
        c.start(6);
        ASSERT_TRUE(reaches(c, 30, Duration::from_s(60))) << "seed " << seed;
        EXPECT_EQ(c.ordering(6).roster().quorum(), (Quorum{7, 5, 2}));
    }
}

// [SEAT-DORMANT.4] [ORD-L13.1]
TEST(DormantInOrder, LinksSayHowManyAreDormantAndNobodyCanSayAnother) {
    Cluster c{seven(1)};
    // The same four vote from the third epoch on; three are dormant, and one less from the seventh on.
    c.voters = [&c](Epoch epoch) {
        std::vector<Member> members = c.seats().genesis.members;
        if (Epoch{3} <= epoch) members.resize(4);
        return members;
    };
    c.dormant = [](Epoch epoch) { return epoch < Epoch{3} ? 0U : (epoch < Epoch{7} ? 3U : 2U); };
    c.start_all();
    ASSERT_TRUE(reaches(c, 30, Duration::from_s(60)));
    const std::vector<RosterLink> links = c.ordering(0).take_links();
    ASSERT_EQ(links.size(), 2U) << "who votes is the same, with another quorum: that is a change";
    EXPECT_EQ(links[0].dormant, 3U);
    EXPECT_EQ(links[1].dormant, 2U);
    const auto proven = follow_links(c.roster(), links, Epoch{8});
    ASSERT_TRUE(proven.has_value()) << proven.error().message;
    EXPECT_TRUE(CheckPass::verify(c.seats().scheme, proven->items).has_value());
    EXPECT_EQ(proven->roster.quorum(), (Quorum{4, 3, 1}));
    const auto between = follow_links(c.roster(), links, Epoch{6});
    ASSERT_TRUE(between.has_value());
    EXPECT_EQ(between->roster.quorum(), (Quorum{4, 4, 2})) << "in the epochs between them, too";

    const auto refused = [&](std::uint32_t dormant) {
        std::vector<RosterLink> other = links;
        other[0].dormant = dormant;
        const auto result = follow_links(c.roster(), other, Epoch{8});
        return result ? "accepted" : result.error().message;
    };
    const std::string link = "the link at the end of epoch 2 names ";
    EXPECT_EQ(refused(0), link + "another roster than it shows");
    EXPECT_EQ(refused(8), link + "another roster than it shows");
    EXPECT_EQ(refused(9), link + "no possible roster") << "five of four would have to agree";
    EXPECT_EQ(refused(limits::seats_max), link + "no possible roster");
    for (const RosterLink& one : links)
        EXPECT_EQ(decode_exact<RosterLink>(encode_bytes(one)).value(), one);
    RosterLink none = links[0];
    none.dormant = 0;
    Bytes bytes = encode_bytes(none);
    RosterLink many = links[0];
    many.dormant = limits::seats_max + 1;
    EXPECT_FALSE(decode_exact<RosterLink>(encode_bytes(many)));
    EXPECT_EQ(bytes.size() + 1, encode_bytes(links[0]).size())
        << "where none are, none are written";
}

// [SEAT-DORMANT.4]
TEST(DormantInOrder, ACertificateTakesTheQuorumOfItsRoster) {
    Seats seats{7};
    Seating later{.members = seats.genesis.members, .known = seats.genesis.members, .dormant = 3};
    later.members.resize(4);
    const Roster roster{seats.roster, Epoch{3}, later};
    ASSERT_EQ(roster.quorum(), (Quorum{4, 4, 2}));
    VoteContent content = Seats::nullify(1);
    content.epoch = Epoch{3};
    std::vector<Vote> votes;
    for (Index i = 0; i < 4; ++i)
        votes.push_back(seats.vote(i, content));
    EXPECT_TRUE(signatures_of(make_certificate(votes, roster), roster).has_value());
    later.dormant = 0;
    const Roster awake{seats.roster, Epoch{3}, later};
    votes.pop_back();
    const Certificate three = make_certificate(votes, awake);
    EXPECT_TRUE(signatures_of(three, awake).has_value());
    EXPECT_FALSE(signatures_of(three, roster).has_value()) << "three of four share two liars";
    EXPECT_NE(awake.digest(), roster.digest());
    EXPECT_EQ(roster.in_epoch(Epoch{5}).quorum(), roster.quorum());
    EXPECT_EQ(roster.in_epoch(Epoch{5}).digest(), roster.digest());
}

}  // namespace
}  // namespace creto::simplex::testing
