// Standing where votes go through groups: few see each view, and most of those that report are believed.
#include <functional>
#include <gtest/gtest.h>

#include "base/prng.hpp"
#include "crypto/signature.hpp"
#include "model/leader.hpp"
#include "model/rosters.hpp"
#include "state/standing.hpp"

namespace creto {
namespace {

constexpr std::uint32_t n = 20;  ///< Six may lie; fourteen decide.

class StandingThroughGroups : public ::testing::Test {
protected:
    StandingThroughGroups() {
        Genesis genesis;
        genesis.network = "standing";
        genesis.epoch_blocks = 256;
        genesis.dead_after_reports = 40;  // Two of each.
        for (std::uint32_t i = 0; i < n; ++i) {
            std::array<std::uint8_t, 32> seed{};
            seed[0] = static_cast<std::uint8_t>(i + 1);
            genesis.members.push_back(
                {Seat{i}, scheme.signer(KeySeed{seed})->public_key(), "seat-" + std::to_string(i)}
            );
        }
        rosters.emplace(genesis);
    }
    const Roster& voters() { return *rosters->of(epoch); }
    using Says = std::function<std::optional<Turnout>(Seat reporter, Height about)>;
    void block(const Says& says) {
        Block made;
        made.epoch = epoch;
        made.parent_view = view;
        view = view.next();
        height = height.next();
        made.view = view;
        made.height = height;
        made.proposer = leader_of(voters(), view);
        if (height > Height{1}) made.turnout = says(made.proposer, height.prev());
        for (Notice& notice : standing.on_block(made, voters(), map))
            notices.push_back(std::move(notice));
        if (!rosters->epochs().is_boundary(height)) return;
        Seating later{.members = voters().members(), .known = voters().known()};
        standing.end_epoch(epoch, voters().mode(), later, map);
        later.resting = standing.resting(epoch.plus(2));
        rosters->add(epoch.plus(2), std::move(later));
        epoch = epoch.next();
        view = View{};
    }
    void blocks(std::uint64_t count, const Says& says) {
        for (std::uint64_t i = 0; i < count; ++i)
            block(says);
    }
    /// Each seat that is not in `silent` names these, itself left out.
    static Says all_name(const std::set<Seat>& named, const std::set<Seat>& silent = {}) {
        return [=](Seat reporter, Height about) -> std::optional<Turnout> {
            if (silent.contains(reporter)) return std::nullopt;
            Turnout said{about, {}, std::vector<Seat>{}};
            for (const Seat seat : named)
                if (seat != reporter) said.often->push_back(seat);
            return said;
        };
    }
    [[nodiscard]] std::set<Seat> suspects() const {
        std::set<Seat> out;
        for (const auto& [seat, held] : standing.suspicions())
            if (held.holds()) out.insert(seat);
        return out;
    }
    static std::set<Seat> first(std::uint32_t count) {
        std::set<Seat> out;
        for (std::uint32_t i = 0; i < count; ++i)
            out.insert(Seat{i});
        return out;
    }

    TagScheme scheme;
    std::optional<Rosters> rosters;
    Standing standing;
    MerkleMap map;
    std::vector<Notice> notices;
    Epoch epoch{1};
    View view;
    Height height;
};

// [STAND-MEDIAN.2]
TEST_F(StandingThroughGroups, WhomMostMissIsSuspectedAndClearedByWhatTheySayNext) {
    const std::set<Seat> named{Seat{3}, Seat{17}};
    blocks(128, all_name(named));
    EXPECT_EQ(suspects(), named);
    ASSERT_EQ(notices.size(), 2U);
    EXPECT_EQ(
        std::get<SeatSuspected>(notices.front()).reason,
        "100 % of the seats that report often miss its vote"
    );
    blocks(128, all_name({}));
    EXPECT_TRUE(suspects().empty());
    EXPECT_TRUE(standing.suspicions().empty()) << "nothing is held against it any more";
}

// [STAND-MEDIAN.2]
TEST_F(StandingThroughGroups, AsManyLiarsAsToleratedFrameNobodyAndHideNobody) {
    const std::set<Seat> liars = first(6);
    // They name six honest seats; and one honest reporter has bad links to these, too.
    const Says lie = [&](Seat reporter, Height about) -> std::optional<Turnout> {
        Turnout said{about, {}, std::vector<Seat>{}};
        if (liars.contains(reporter) || reporter == Seat{19}) {
            for (std::uint32_t i = 10; i < 16; ++i)
                said.often->emplace_back(i);
        } else {
            for (const Seat liar : liars)
                said.often->push_back(liar);
        }
        return said;
    };
    blocks(256, lie);
    EXPECT_EQ(suspects(), liars);
    EXPECT_EQ(notices.size(), 6U) << "and never anybody else";
}

// [STAND-MEDIAN.2] The worst time is when the liars have spoken and just enough others.
TEST_F(StandingThroughGroups, ItTakesMoreThanTheLiarsAndOneByBadLuck) {
    const Quorum quorum = voters().quorum();
    ASSERT_EQ(quorum, (Quorum{20, 14, 6}));
    for (std::uint32_t reports = 13; reports < n; ++reports) {
        EXPECT_GE(Standing::most_of(reports, quorum), 6U + 2U) << reports;
        EXPECT_GT(Standing::most_of(reports, quorum), reports / 2) << reports;
        EXPECT_LE(Standing::most_of(reports, quorum), reports - 5) << "five that hide it";
    }
    const Quorum thousand = Quorum::of(QuorumMode::byzantine, 1'000);
    EXPECT_EQ(Standing::most_of(666, thousand), 376U) << "333 liars and 43 of 333 others";
    EXPECT_EQ(Standing::most_of(999, thousand), 500U);

    // Six liars and seven others are enough to speak; one of these has bad links.
    std::set<Seat> silent;
    for (std::uint32_t i = 13; i < n; ++i)
        silent.insert(Seat{i});
    const auto framed_by = [&](std::uint32_t honest) {
        return [=](Seat reporter, Height about) -> std::optional<Turnout> {
            if (silent.contains(reporter)) return std::nullopt;
            Turnout said{about, {}, std::vector<Seat>{}};
            if (reporter.value() < 6 + honest) said.often->emplace_back(19U);
            return said;
        };
    };
    blocks(128, framed_by(1));
    EXPECT_TRUE(suspects().empty());
    blocks(128, framed_by(2));
    EXPECT_EQ(suspects(), std::set{Seat{19}}) << "two of seven honest seats say so";
}

// [STAND-MEDIAN.2]
TEST_F(StandingThroughGroups, TooFewThatReportSayNothing) {
    std::set<Seat> silent;
    for (std::uint32_t i = 12; i < n; ++i)
        silent.insert(Seat{i});
    blocks(128, all_name({Seat{19}}, silent));
    EXPECT_TRUE(suspects().empty()) << "twelve; all but the seven that may be missing are thirteen";
    silent.erase(Seat{12});
    blocks(128, all_name({Seat{19}}, silent));
    EXPECT_EQ(suspects(), std::set{Seat{19}});
}

// [STAND-REPORT.2]
TEST_F(StandingThroughGroups, AReportThatCannotBeIsNotCounted) {
    const Says too_many = [](Seat, Height about) {
        Turnout said{about, {}, std::vector<Seat>{}};
        for (std::uint32_t i = 0; i < 7; ++i)
            said.often->emplace_back(i);
        return said;
    };
    blocks(128, too_many);
    EXPECT_TRUE(suspects().empty()) << "twenty less seven is no quorum";
    const std::size_t leaves = map.size();
    blocks(1, all_name({}));
    EXPECT_EQ(map.size(), leaves + 1) << "its first report that can be";
    blocks(40, all_name({}));
    const Says old = [](Seat, Height) { return Turnout{Height{1}, {}, std::vector{Seat{4}}}; };
    blocks(128, old);
    EXPECT_TRUE(suspects().empty()) << "about what was long ago, again and again";
}

// [STAND-SAME.1] [STAND-MEDIAN.2]
TEST_F(StandingThroughGroups, ComesBackFromItsLeaves) {
    blocks(150, all_name({Seat{3}, Seat{17}}));
    ASSERT_EQ(suspects().size(), 2U);
    Standing restored;
    ASSERT_TRUE(restored.restore(map).has_value());
    EXPECT_EQ(restored.suspicions(), standing.suspicions());
    MerkleMap copy = map;
    const auto go_on = [&](Standing& one, MerkleMap& into) {
        for (std::uint64_t i = 1; i <= 64; ++i) {
            Block next;
            next.epoch = epoch;
            next.parent_view = View{view.value() + i - 1};
            next.view = View{view.value() + i};
            next.height = height.plus(i);
            next.proposer = leader_of(voters(), next.view);
            next.turnout = Turnout{height, {}, std::vector{Seat{5}}};
            static_cast<void>(one.on_block(next, voters(), into));
        }
    };
    go_on(standing, map);
    go_on(restored, copy);
    EXPECT_EQ(copy.root(), map.root());
    EXPECT_TRUE(standing.suspicion(Seat{5}) != nullptr);

    MerkleMap damaged = map;
    Bytes value = *damaged.find("standing/often/0");
    value.push_back(0);
    damaged.set("standing/often/0", value);
    EXPECT_FALSE(restored.restore(damaged).has_value());
    EXPECT_FALSE(decode_exact<Standing::Often>(
                     encode_bytes(Standing::Often{Height{1}, {Seat{2}, Seat{2}}})
    ).has_value());
}

// [STAND-MEDIAN.2] A roster that grows beyond what is direct: what was said before is no report any more.
TEST_F(StandingThroughGroups, TheLatestReportOfASeatSaysInWhichFormItCounts) {
    const Says direct = [](Seat reporter, Height about) {
        Turnout said{about, {}};
        if (reporter != Seat{3}) said.absent.emplace_back(3U);
        return said;
    };
    blocks(192, direct);
    EXPECT_EQ(suspects(), std::set{Seat{3}});
    EXPECT_NE(map.find("standing/votes/0"), nullptr);
    blocks(128, all_name({Seat{4}}));
    EXPECT_EQ(suspects(), std::set{Seat{4}});
    EXPECT_EQ(map.find("standing/votes/0"), nullptr);
    EXPECT_NE(map.find("standing/often/0"), nullptr);
    blocks(256, direct);
    EXPECT_EQ(suspects(), std::set{Seat{3}});
    EXPECT_EQ(map.find("standing/often/0"), nullptr);
}

// [SEAT-DORMANT.1]
TEST_F(StandingThroughGroups, WhoIsAbsentEverywhereIsDeadAndWhoIsMissedOftenIsNot) {
    const Says gone = [](Seat, Height about) {
        return Turnout{about, {Seat{3}}, std::vector{Seat{3}, Seat{4}}};
    };
    const std::set<Seat> silent{Seat{3}};
    const Says says = [&](Seat reporter, Height about) -> std::optional<Turnout> {
        if (silent.contains(reporter)) return std::nullopt;
        return gone(reporter, about);
    };
    // Its own turns are signs of life: it has none here.
    for (int i = 0; i < 60; ++i) {
        if (leader_of(voters(), view.next()) == Seat{3}) view = view.next();
        block(says);
    }
    EXPECT_EQ(standing.attendance().dead(voters()), std::vector{Seat{3}});
}

// A roster's worth of names is read back, and not one more.
TEST(StandingOften, HoldsAFullRosterAndNoMore) {
    Standing::Often often{Height{1}, {}};
    for (std::uint32_t i = 0; i < limits::seats_max; ++i)
        often.missed.emplace_back(i);
    EXPECT_EQ(decode_exact<Standing::Often>(encode_bytes(often)), often);
    often.missed.emplace_back(static_cast<std::uint32_t>(limits::seats_max));
    EXPECT_FALSE(decode_exact<Standing::Often>(encode_bytes(often)).has_value());
}

}  // namespace
}  // namespace creto
