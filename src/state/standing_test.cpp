// Standing: what most seats report is believed, whoever else reports what.
#include "state/standing.hpp"

#include <functional>
#include <gtest/gtest.h>

#include "base/prng.hpp"
#include "crypto/signature.hpp"
#include "model/leader.hpp"
#include "model/rosters.hpp"

namespace creto {
namespace {

class StandingTest : public ::testing::Test {
protected:
    void make(std::uint32_t n, std::uint32_t epoch_blocks = 0) {
        Genesis genesis;
        genesis.network = "standing";
        genesis.epoch_blocks = epoch_blocks;
        for (std::uint32_t i = 0; i < n; ++i) {
            std::array<std::uint8_t, 32> seed{};
            seed[0] = static_cast<std::uint8_t>(i + 1);
            genesis.members.push_back(
                {Seat{i}, scheme.signer(KeySeed{seed})->public_key(), "seat-" + std::to_string(i)}
            );
        }
        rosters.emplace(genesis);
    }
    const Roster& voters() { return *rosters->of(rosters->epochs().have_end() ? epoch : Epoch{1}); }
    /// What its proposer says of the votes for the block before, if it says anything.
    using Says = std::function<std::vector<Seat>(Seat reporter)>;
    /// The next final block; `dead` let their turns pass.
    void block(const Says& says, const std::set<Seat>& dead = {}) {
        Block made;
        const View parent = view;
        do
            view = view.next();
        while (dead.contains(leader_of(voters(), view)));
        height = height.next();
        made.epoch = epoch;
        made.view = view;
        made.parent_view = parent;
        made.height = height;
        made.proposer = leader_of(voters(), view);
        if (says && height > Height{1}) made.turnout = Turnout{height.prev(), says(made.proposer)};
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
    void blocks(std::uint64_t count, const Says& says, const std::set<Seat>& dead = {}) {
        for (std::uint64_t i = 0; i < count; ++i)
            block(says, dead);
    }
    [[nodiscard]] std::set<Seat> suspects() const {
        std::set<Seat> out;
        for (const auto& [seat, held] : standing.suspicions())
            if (held.holds()) out.insert(seat);
        return out;
    }
    template <class T>
    [[nodiscard]] std::vector<Seat> told() const {
        std::vector<Seat> out;
        for (const Notice& notice : notices)
            if (const auto* n = std::get_if<T>(&notice)) out.push_back(n->seat);
        return out;
    }
    static std::vector<Seat> nobody(Seat /*reporter*/) { return {}; }

    TagScheme scheme;
    std::optional<Rosters> rosters;
    Standing standing;
    MerkleMap map;
    std::vector<Notice> notices;
    Prng random{7};
    Epoch epoch{1};
    View view;
    Height height;
};

// [STAND-MEDIAN.1]
TEST_F(StandingTest, HalfOfItsVotesMissingIsASuspicionAndTakingPartEndsIt) {
    make(7);
    blocks(640, nobody);
    EXPECT_TRUE(suspects().empty());

    const Says random_voter = [&](Seat reporter) {
        return reporter != Seat{3} && random.chance(1, 2) ? std::vector{Seat{3}}
                                                          : std::vector<Seat>{};
    };
    blocks(640, random_voter);
    EXPECT_EQ(suspects(), (std::set{Seat{3}}));
    EXPECT_EQ(told<SeatSuspected>(), std::vector{Seat{3}});
    const Standing::Suspicion* held = standing.suspicion(Seat{3});
    ASSERT_NE(held, nullptr);
    EXPECT_NEAR(held->votes_ppm, 500'000, 150'000);
    EXPECT_TRUE(held->reason().starts_with("most seats miss its vote in ")) << held->reason();

    blocks(1'280, nobody);
    EXPECT_TRUE(suspects().empty());
    EXPECT_EQ(told<SeatCleared>(), std::vector{Seat{3}});
    EXPECT_TRUE(standing.suspicions().empty()) << "nothing is held against it any more";
}

// [STAND-MEDIAN.1]
TEST_F(StandingTest, AsManyLiarsAsToleratedFrameNobodyAndHideNobody) {
    make(7);
    const std::set<Seat> liars{Seat{0}, Seat{6}};
    // They say that two honest seats never vote, and that their random voting is perfect.
    const Says lie = [&](Seat reporter) -> std::vector<Seat> {
        if (liars.contains(reporter)) return {Seat{2}, Seat{4}};
        std::vector<Seat> absent;
        for (const Seat liar : liars)
            if (random.chance(1, 2)) absent.push_back(liar);
        return absent;
    };
    blocks(1'280, lie);
    EXPECT_EQ(suspects(), liars);
    EXPECT_EQ(told<SeatSuspected>().size(), 2U) << "and never anybody else";
}

// [STAND-MEDIAN.1]
TEST_F(StandingTest, ABadNetworkAccusesNobody) {
    make(7);
    const Says bad = [&](Seat reporter) {
        std::vector<Seat> absent;
        for (std::uint32_t i = 0; i < 7 && absent.size() < 2; ++i)
            if (Seat{i} != reporter && random.chance(3, 10)) absent.emplace_back(i);
        return absent;
    };
    blocks(1'280, bad);
    EXPECT_TRUE(suspects().empty());
    EXPECT_TRUE(notices.empty());
}

TEST_F(StandingTest, OneSeatsBadLinksAccuseNobody) {
    make(4);
    // It hears one of the others never; that one is heard by the rest.
    blocks(1'280, [](Seat reporter) {
        return reporter == Seat{1} ? std::vector{Seat{2}} : std::vector<Seat>{};
    });
    EXPECT_TRUE(suspects().empty());
}

// [STAND-REPORT.1]
TEST_F(StandingTest, AReportThatCannotBeIsNotCounted) {
    make(7);
    const Says too_many = [](Seat reporter) {
        std::vector<Seat> absent;
        for (std::uint32_t i = 0; i < 4 && absent.size() < 3; ++i)
            if (Seat{i} != reporter) absent.emplace_back(i);
        return absent;
    };
    blocks(640, too_many);
    EXPECT_TRUE(suspects().empty()) << "seven less three is no quorum";
    const std::size_t leaves = map.size();
    Block again;
    again.epoch = Epoch{1};
    again.view = view.next();
    again.parent_view = view;
    again.height = height.next();
    again.proposer = Seat{5};
    again.turnout = Turnout{height, {}};
    static_cast<void>(standing.on_block(again, voters(), map));
    EXPECT_EQ(map.size(), leaves + 1) << "its first report that can be";
    const Digest before = map.root();
    again.parent_view = again.view;  // Its turn was counted.
    static_cast<void>(standing.on_block(again, voters(), map));
    EXPECT_EQ(map.root(), before) << "the same height again says nothing";
}

// [STAND-TURNS.1] [STAND-REST.1]
TEST_F(StandingTest, WhoLetsItsTurnsPassRestsEachTimeLonger) {
    make(4, 64);
    const std::set<Seat> silent{Seat{2}};
    std::map<Epoch, bool> leads;
    for (std::uint64_t i = 0; i < 64 * 80; ++i) {
        const std::vector<Seat>& leaders = voters().leaders();
        leads[epoch] = std::find(leaders.begin(), leaders.end(), Seat{2}) != leaders.end();
        block(nobody, silent);
    }
    EXPECT_EQ(told<SeatSuspected>().front(), Seat{2});
    for (const Seat seat : told<SeatSuspected>())
        EXPECT_EQ(seat, Seat{2});
    std::vector<std::size_t> rests;
    bool before = true;
    for (const auto& [at, takes_turns] : leads) {
        if (!takes_turns && before) rests.push_back(0);
        if (!takes_turns) ++rests.back();
        before = takes_turns;
    }
    ASSERT_GE(rests.size(), 5U);
    EXPECT_TRUE(std::is_sorted(rests.begin(), rests.end()));
    EXPECT_EQ(rests[0], 1U);
    EXPECT_EQ(rests[1], 2U);
    EXPECT_EQ(rests[2], 4U);
    EXPECT_EQ(rests[3], 8U);
}

// [STAND-REST.1]
TEST_F(StandingTest, NoMoreRestThanMayFailTheWorstFirst) {
    make(7, 64);
    blocks(64 * 30, [&](Seat reporter) {
        std::vector<Seat> absent;
        if (reporter != Seat{1} && random.chance(4, 10)) absent.emplace_back(1U);
        if (reporter != Seat{3} && random.chance(6, 10)) absent.emplace_back(3U);
        if (reporter != Seat{5} && random.chance(9, 10) && absent.size() < 2)
            absent.emplace_back(5U);
        return absent;
    });
    const std::vector<Seat>& leaders = voters().leaders();
    EXPECT_GE(leaders.size(), 5U);
    EXPECT_EQ(leaders.size() + standing.resting(epoch).size(), 7U);
    EXPECT_FALSE(standing.resting(epoch).empty());
    for (std::uint64_t v = 1; v <= 20; ++v) {
        const Seat leader = leader_of(voters(), View{v});
        const std::vector<Seat>& rest = standing.resting(epoch);
        EXPECT_EQ(std::count(rest.begin(), rest.end(), leader), 0);
    }
}

// [STAND-SAME.1]
TEST_F(StandingTest, ComesBackFromItsLeaves) {
    make(4, 64);
    blocks(
        64 * 9,
        [&](Seat reporter) {
            return reporter != Seat{0} && random.chance(1, 2) ? std::vector{Seat{0}}
                                                              : std::vector<Seat>{};
        },
        {Seat{3}}
    );
    ASSERT_FALSE(suspects().empty());
    Standing restored;
    ASSERT_TRUE(restored.restore(map).has_value());
    EXPECT_EQ(restored.suspicions(), standing.suspicions());
    for (const Epoch at : {epoch, epoch.next()})
        EXPECT_EQ(restored.resting(at), standing.resting(at));
    MerkleMap copy = map;
    Standing original = std::move(standing);
    for (Standing* one : {&restored, &original}) {
        standing = std::move(*one);
        Standing* const here = &standing;
        Block next;
        next.epoch = epoch;
        next.view = View{1};
        next.height = height.next();
        next.proposer = leader_of(voters(), View{1});
        next.turnout = Turnout{height, {}};
        MerkleMap& into = one == &restored ? copy : map;
        static_cast<void>(here->on_block(next, voters(), into));
    }
    EXPECT_EQ(copy.root(), map.root());

    for (const char* key : {"standing/votes/0", "standing/turns", "standing/suspect/0"}) {
        MerkleMap damaged = map;
        ASSERT_NE(damaged.find(key), nullptr) << key;
        Bytes value = *damaged.find(key);
        value.push_back(0);
        damaged.set(key, value);
        EXPECT_FALSE(restored.restore(damaged).has_value()) << key;
    }
    MerkleMap unknown = map;
    unknown.set("standing/other", {});
    EXPECT_FALSE(restored.restore(unknown).has_value());
}

// [STATE-CUT.1]
TEST_F(StandingTest, TurnsOfManySeatsAreInLeavesOfWhichABlockWritesFew) {
    make(70, 0);
    blocks(200, nullptr, {Seat{3}, Seat{40}, Seat{69}});
    for (const char* key : {"standing/turns", "standing/turns/1", "standing/turns/2"})
        ASSERT_NE(map.find(key), nullptr) << key;
    const MerkleMap before = map;
    block(nullptr);
    int changed = 0;
    for (const char* key : {"standing/turns", "standing/turns/1", "standing/turns/2"})
        changed += *map.find(key) == *before.find(key) ? 0 : 1;
    EXPECT_EQ(changed, 1) << "one led";

    Standing restored;
    ASSERT_TRUE(restored.restore(map).has_value());
    MerkleMap again = map;
    Block next;
    next.epoch = epoch;
    next.parent_view = view;
    next.view = view.next();
    next.height = height.next();
    next.proposer = leader_of(voters(), next.view);
    static_cast<void>(restored.on_block(next, voters(), again));
    static_cast<void>(standing.on_block(next, voters(), map));
    EXPECT_EQ(again.root(), map.root());

    const auto refused = [&](const char* key, const Bytes& value) {
        MerkleMap bad = map;
        bad.set(key, value);
        return !restored.restore(bad).has_value();
    };
    const Bytes second = *map.find("standing/turns/1");
    EXPECT_FALSE(refused("standing/turns/1", second));
    EXPECT_TRUE(refused("standing/turns/3", second)) << "seats of another leaf";
    EXPECT_TRUE(refused("standing/turns/01", second));
    EXPECT_TRUE(refused("standing/turns/3", Bytes{0})) << "an empty one is not written";
    EXPECT_TRUE(refused("standing/turnsX", Bytes{0}));
}

// A row spans two rosters while an epoch changes.
TEST_F(StandingTest, ARowHoldsTheSeatsOfTwoFullRostersAndNoMore) {
    Standing::Row row;
    for (std::uint32_t i = 0; i < 2 * limits::seats_max; ++i)
        row.cells.emplace(Seat{i}, Standing::Cell{4, 1});
    const auto read = decode_exact<Standing::Row>(encode_bytes(row));
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->cells.size(), 2 * limits::seats_max);
    row.cells.emplace(Seat{2 * limits::seats_max}, Standing::Cell{4, 1});
    EXPECT_FALSE(decode_exact<Standing::Row>(encode_bytes(row)).has_value());
}

}  // namespace
}  // namespace creto
