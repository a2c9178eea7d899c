// Attendance: who counts as dead, what makes nobody dead, and what is kept.
#include "state/attendance.hpp"

#include <gtest/gtest.h>

#include "model/rosters.hpp"
#include "state/state_fixture.hpp"

namespace creto {
namespace {

constexpr std::uint32_t dead_after = 70;
constexpr std::uint32_t missed_share = 10;  ///< Of seven seats.

Genesis watched_genesis(std::uint32_t n, std::uint32_t dead_after_reports = dead_after) {
    Genesis genesis = state_test::made_up_genesis(n, QuorumMode::byzantine, 4);
    genesis.dead_after_reports = dead_after_reports;
    return genesis;
}

class AttendanceTest : public ::testing::Test {
protected:
    /// Each of these says so many times in a row that it misses the others.
    void report(
        const std::vector<std::uint32_t>& by, std::uint32_t times, const std::vector<Seat>& absent
    ) {
        for (std::uint32_t i = 0; i < times; ++i) {
            for (const std::uint32_t seat : by)
                attendance.on_report(Seat{seat}, absent, map);
        }
    }
    Roster voters{watched_genesis(7)};
    Attendance attendance;
    MerkleMap map;
};

using Seats = std::vector<Seat>;

// [SEAT-DORMANT.1]
TEST_F(AttendanceTest, WhomThreeOfSevenMissedForLongEnoughIsDead) {
    report({0, 1, 2}, missed_share - 1, {Seat{5}, Seat{6}});
    EXPECT_EQ(attendance.dead(voters), Seats{});
    report({0, 1}, 1, {Seat{5}, Seat{6}});
    EXPECT_EQ(attendance.dead(voters), Seats{}) << "two of them are no honest one for sure";
    report({2}, 1, {Seat{6}});
    EXPECT_EQ(attendance.dead(voters), Seats{Seat{6}});
    report({2}, missed_share, {Seat{5}});
    EXPECT_EQ(attendance.dead(voters), Seats{Seat{5}}) << "and seat 6 was seen";
    report({0, 1, 2}, 2 * missed_share, {Seat{4}});
    EXPECT_EQ(attendance.dead(voters), Seats{Seat{4}});
}

// [SEAT-DORMANT.1]
TEST_F(AttendanceTest, TheLongestMissedComesFirst) {
    report({0, 1, 2}, 5, {Seat{6}});
    report({0, 1, 2}, missed_share, {Seat{3}, Seat{6}});
    EXPECT_EQ(attendance.dead(voters), (Seats{Seat{6}, Seat{3}}));
}

// [SEAT-DORMANT.1]
TEST_F(AttendanceTest, AsManyLiarsAsToleratedMakeNobodyDeadAndKeepNobodyAlive) {
    report({0, 1}, 100'000, {Seat{3}});
    EXPECT_EQ(attendance.dead(voters), Seats{});
    EXPECT_FALSE(attendance.going_missing(Seat{3}, voters));
    // Seat 6 is dead, and two of the other six say that they see it.
    report({2, 3, 4, 5}, missed_share, {Seat{6}});
    report({0, 1}, missed_share, {});
    EXPECT_EQ(attendance.dead(voters), Seats{Seat{6}});
}

// [SEAT-DORMANT.1]
TEST_F(AttendanceTest, WhoShowsItselfIsAliveWhateverIsReported) {
    report({0, 1, 2, 3}, missed_share - 1, {Seat{6}});
    attendance.seen(Seat{6}, map);
    report({0, 1, 2, 3}, missed_share - 1, {Seat{6}});
    EXPECT_EQ(attendance.dead(voters), Seats{});
    report({0, 1, 2, 3}, 1, {Seat{6}});
    EXPECT_EQ(attendance.dead(voters), Seats{Seat{6}});
}

// [SEAT-DORMANT.2]
TEST_F(AttendanceTest, WhoGoesMissingLearnsItHalfOfTheWay) {
    report({0, 1, 2}, missed_share / 2 - 1, {Seat{6}});
    EXPECT_FALSE(attendance.going_missing(Seat{6}, voters));
    report({0, 1, 2}, 1, {Seat{6}});
    EXPECT_TRUE(attendance.going_missing(Seat{6}, voters));
    EXPECT_FALSE(attendance.going_missing(Seat{5}, voters));
}

// [SEAT-DORMANT.1] [SEAT-DORMANT.3]
TEST_F(AttendanceTest, WithSeatsDormantItTakesMoreToBelieveIt) {
    // Of five that vote two may lie all the same.
    Seating five{.members = voters.members(), .known = voters.members(), .dormant = 2};
    five.members.resize(5);
    const Roster later{voters, Epoch{3}, five};
    ASSERT_EQ(later.quorum(), (Quorum{5, 4, 2}));
    report({0, 1}, 100, {Seat{4}});
    EXPECT_EQ(attendance.dead(later), Seats{});
    report({2}, dead_after / 5, {Seat{4}});
    EXPECT_EQ(attendance.dead(later), Seats{Seat{4}});
    report({5, 6}, 100, {Seat{0}});
    report({1}, 100, {Seat{0}});
    EXPECT_EQ(attendance.dead(later), Seats{}) << "who does not vote is no witness";
}

TEST_F(AttendanceTest, NobodyIsDeadWhereTheGenesisSaysNever) {
    const Roster never{watched_genesis(7, 0)};
    report({0, 1, 2, 3, 4, 5}, 10'000, {Seat{6}});
    EXPECT_EQ(attendance.dead(never), Seats{});
    EXPECT_FALSE(attendance.going_missing(Seat{6}, never));
}

// [STAND-SAME.1]
TEST_F(AttendanceTest, ComesBackFromItsLeavesAndLeavesNoneOfWhomNobodyMisses) {
    report({0, 1, 2}, missed_share, {Seat{5}, Seat{6}});
    report({3}, 2, {Seat{5}});
    EXPECT_EQ(map.size(), 2U);
    Attendance again;
    map.visit([&](const std::string& key, const Bytes& value) {
        EXPECT_TRUE(again.restore(key, value)) << key;
    });
    EXPECT_EQ(again.dead(voters), attendance.dead(voters));
    MerkleMap copy = map;
    again.on_report(Seat{4}, {Seat{6}}, copy);
    attendance.on_report(Seat{4}, {Seat{6}}, map);
    EXPECT_EQ(copy.root(), map.root());

    attendance.keep({Seat{0}, Seat{1}, Seat{2}, Seat{5}}, map);
    EXPECT_EQ(attendance.dead(voters), Seats{Seat{5}});
    EXPECT_EQ(map.size(), 1U);
    attendance.seen(Seat{5}, map);
    EXPECT_EQ(map.size(), 0U);
}

TEST_F(AttendanceTest, ALeafThatCannotBeIsRefused) {
    report({0, 1, 2}, 3, {Seat{6}});
    const std::string key = "standing/unseen/6";
    const Bytes good = *map.find(key);
    Attendance fresh;
    EXPECT_FALSE(fresh.restore("standing/unseen/5", good)) << "another seat's";
    Bytes longer = good;
    longer.push_back(0);
    EXPECT_FALSE(fresh.restore(key, longer));
    const auto leaf = [](std::vector<std::pair<std::uint32_t, std::uint64_t>> misses) {
        Writer w;
        encode(w, Seat{6});
        w.uvarint(misses.size());
        for (const auto& [by, count] : misses) {
            encode(w, Seat{by});
            w.uvarint(count);
        }
        return w.take();
    };
    EXPECT_FALSE(fresh.restore(key, leaf({}))) << "missed by nobody";
    EXPECT_FALSE(fresh.restore(key, leaf({{1, 0}})));
    EXPECT_FALSE(fresh.restore(key, leaf({{2, 3}, {1, 3}})));
    EXPECT_FALSE(fresh.restore(key, leaf({{1, limits::dead_after_reports_max + 1ULL}})));
    std::vector<std::pair<std::uint32_t, std::uint64_t>> many;
    for (std::uint32_t i = 0; i <= 2 * limits::seats_max; ++i)
        many.emplace_back(i, 1);
    EXPECT_FALSE(fresh.restore(key, leaf(many))) << "more than two rosters";
    many.pop_back();
    EXPECT_TRUE(fresh.restore(key, leaf(many)));
    EXPECT_FALSE(fresh.restore(key, leaf(many))) << "twice";
}

// Counts stay within what a leaf may hold.
TEST_F(AttendanceTest, ACountStopsAtItsLimit) {
    Writer w;
    encode(w, Seat{6});
    w.uvarint(1);
    encode(w, Seat{1});
    w.uvarint(limits::dead_after_reports_max);
    ASSERT_TRUE(attendance.restore("standing/unseen/6", w.view()));
    map.set("standing/unseen/6", w.take());
    const Digest before = map.root();
    report({1}, 3, {Seat{6}});
    EXPECT_EQ(map.root(), before);
}

}  // namespace
}  // namespace creto
