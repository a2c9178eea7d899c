#include "order/vote_paths.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <set>

#include "order/testing/seats.hpp"

namespace creto::simplex {
namespace {

using testing::block_id;
using testing::Index;
using testing::Seats;

VoteContent vote(VoteKind kind, std::uint64_t view) {
    return Seats::content(kind, view, 0, kind == VoteKind::nullify ? BlockId{} : block_id("a"));
}

TEST(VotePaths, ThereAreNoneUpToTheLimit) {
    const Seats seats{16};
    EXPECT_TRUE(VotePaths(seats.roster, 16).direct());
    EXPECT_FALSE(VotePaths(seats.roster, 15).direct());
}

// [ORD-V1.1]
TEST(VotePaths, EachSeatIsInOneGroupOfAboutTheRootOfAll) {
    for (const Index n : {4U, 5U, 16U, 31U, 100U, 250U}) {
        const Seats seats{n};
        const VotePaths paths{seats.roster, 3};
        std::set<std::uint32_t> seen;
        for (std::uint32_t g = 0; g < paths.groups(); ++g) {
            const auto group = paths.group(g);
            EXPECT_GE(group.size() * group.size(), n / 2) << n;
            EXPECT_LE(group.size(), 2 * paths.groups() + 1) << n;
            for (const std::uint32_t member : group) {
                EXPECT_TRUE(seen.insert(member).second);
                EXPECT_EQ(paths.group_of(member), g);
            }
        }
        EXPECT_EQ(seen.size(), n);
    }
}

// [ORD-V1.1] Nobody chooses with whom it is: another epoch, other groups.
TEST(VotePaths, GroupsAreOthersInAnotherEpochAndTheSameForAll) {
    const Seats seats{100};
    const VotePaths first{seats.roster, 3};
    const VotePaths same{Roster{seats.genesis}, 3};
    const Roster later = seats.roster.in_epoch(Epoch{2});
    const VotePaths other{later, 3};
    std::uint32_t moved = 0;
    for (std::uint32_t i = 0; i < 100; ++i) {
        EXPECT_EQ(first.group_of(i), same.group_of(i));
        moved += first.group_of(i) != other.group_of(i) ? 1 : 0;
    }
    EXPECT_GT(moved, 50U);
}

// [ORD-V1.1] Whoever counts on fewer collectors counts on some of those on whom others count.
TEST(VotePaths, CollectorsGoRoundAndAreTheFirstOfTheSame) {
    const Seats seats{100};
    const VotePaths paths{seats.roster, 3};
    std::set<std::uint32_t> served;
    for (std::uint64_t view = 1; view <= 30; ++view) {
        const auto three = paths.collectors(vote(VoteKind::notarize, view), 2, 3);
        const auto five = paths.collectors(vote(VoteKind::notarize, view), 2, 5);
        EXPECT_TRUE(std::equal(three.begin(), three.end(), five.begin()));
        EXPECT_EQ(std::set<std::uint32_t>(five.begin(), five.end()).size(), 5U);
        for (const std::uint32_t member : five) {
            EXPECT_EQ(paths.group_of(member), 2U);
            served.insert(member);
        }
    }
    EXPECT_EQ(served.size(), paths.group(2).size());
    // Also where few collect, and the group is as large as it likes.
    for (std::uint32_t group = 0; group < paths.groups(); ++group) {
        std::map<std::uint32_t, int> times;
        for (std::uint64_t view = 1; view <= 300; ++view)
            for (const std::uint32_t member :
                 paths.collectors(vote(VoteKind::finalize, view), group, 3))
                ++times[member];
        EXPECT_EQ(times.size(), paths.group(group).size());
        for (const auto& [member, count] : times)
            EXPECT_GT(count * times.size(), 300U) << "a third of its share at least";
    }
    EXPECT_EQ(
        paths.collectors(vote(VoteKind::notarize, 1), 2, 1'000).size(), paths.group(2).size()
    );
}

// [ORD-V1.2] Failure of the leader that a nullification accuses must not keep it from forming.
TEST(VotePaths, NullificationsAreNotMadeByTheLeaderThatTheyAccuse) {
    for (const std::uint32_t term : {1U, 8U}) {
        const Seats seats{100, QuorumMode::byzantine, 0, 0, term};
        const VotePaths paths{seats.roster, 3};
        std::uint32_t drawn = 0;
        for (std::uint64_t view = 1; view <= 200; ++view) {
            const std::uint32_t leader =
                *seats.roster.index_of(leader_of(seats.roster, View{view}));
            const auto on_block = paths.roots(vote(VoteKind::notarize, view), 0);
            EXPECT_EQ(on_block.front(), leader);
            EXPECT_GE(on_block.size(), 2U);
            const auto against = paths.roots(vote(VoteKind::nullify, view), 0);
            EXPECT_GE(against.size(), 2U);
            EXPECT_NE(against[0], leader);
            EXPECT_NE(against[1], leader);
            drawn += std::count(against.begin(), against.end(), leader) > 0 ? 1 : 0;
            const auto again = paths.roots(vote(VoteKind::nullify, view), 1);
            EXPECT_NE(again, against);
        }
        EXPECT_LT(drawn, 10U);  // By lot, as anybody else.
    }
}

}  // namespace
}  // namespace creto::simplex
