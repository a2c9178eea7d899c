// Seats: who may change them, when that is in force, and what never comes again.
#include <gtest/gtest.h>

#include "base/prng.hpp"
#include "state/state_fixture.hpp"

namespace creto::state_test {
namespace {

Genesis genesis_of(std::uint32_t n, QuorumMode mode = QuorumMode::byzantine) {
    return made_up_genesis(n, mode, span);
}

PublicKey key_of(std::uint32_t n) {
    std::array<std::uint8_t, 32> key{};
    key[0] = static_cast<std::uint8_t>(n + 1);
    key[1] = static_cast<std::uint8_t>((n + 1) >> 8U);
    return PublicKey{key};
}

RosterOperation adding(std::uint32_t n) {
    return {RosterOperation::Action::add, Seat{}, key_of(n), "agent-" + std::to_string(n)};
}
RosterOperation removing(std::uint32_t seat) {
    return {RosterOperation::Action::remove, Seat{seat}, {}, {}};
}

/// A book with the roster that is in force where it stands.
struct Desk {
    explicit Desk(const Genesis& genesis) : first{genesis}, now{first}, book{first} {}

    std::string ask(const RosterOperation& change, std::uint32_t client) {
        auto effect = book.ask(change, key_of(client), now, map);
        return effect ? effect->what : effect.error();
    }
    void go_to(std::uint64_t epoch) {
        while (now.epoch() < Epoch{epoch}) {
            ended = book.end_epoch(now.epoch(), map);
            const Epoch next = now.epoch().next();
            now = Roster{first, next, book.seating(next)};
        }
    }

    Roster first;
    Roster now;
    MerkleMap map;
    SeatBook book;
    std::vector<Seat> ended;
};

// [SEAT-QUORUM.1] [SEAT-LATER.1]
TEST(SeatBook, AQuorumThatAsksForTheSameGivesASeatTwoEpochsLater) {
    Desk desk{genesis_of(4)};
    EXPECT_EQ(desk.ask(adding(4), 0), "1 of 3 seats ask for it");
    EXPECT_EQ(desk.ask(adding(4), 1), "2 of 3 seats ask for it");
    EXPECT_EQ(desk.ask(adding(5), 2), "1 of 3 seats ask for it") << "another change";
    EXPECT_EQ(desk.ask(adding(4), 3), "seat 4 (agent-4) is given");
    EXPECT_TRUE(desk.book.changes_after(Epoch{2}));
    EXPECT_FALSE(desk.book.changes_after(Epoch{3}));
    EXPECT_EQ(desk.book.voters(Epoch{1}).size(), 4U);
    EXPECT_EQ(desk.book.voters(Epoch{2}).size(), 4U);
    EXPECT_EQ(desk.book.voters(Epoch{3}).size(), 5U);
    // It may ask from then on, and not before.
    EXPECT_EQ(desk.ask(adding(5), 4), "only seats that vote may ask for it");
    desk.go_to(3);
    EXPECT_EQ(desk.ask(adding(5), 4), "2 of 4 seats ask for it");
}

// [SEAT-QUORUM.1]
TEST(SeatBook, WhoAskedAndHasGoneCountsNoLonger) {
    Desk desk{genesis_of(5)};
    desk.ask(adding(5), 0);
    desk.ask(adding(5), 1);
    EXPECT_EQ(desk.ask(removing(0), 0), "seat 0 (agent-0) ends");
    desk.go_to(3);
    EXPECT_EQ(desk.ask(adding(5), 2), "2 of 3 seats ask for it");
    EXPECT_EQ(desk.ask(adding(5), 3), "seat 5 (agent-5) is given");
}

RosterOperation approved(RosterOperation change, std::initializer_list<std::uint8_t> by) {
    for (const std::uint8_t who : by)
        change.approvals.push_back({who, Signature{}});  // Checked at the door, not here.
    return change;
}

Genesis with_operators() {
    Genesis genesis = genesis_of(5);
    genesis.operators = {key_of(100), key_of(101), key_of(102)};
    genesis.operators_needed = 2;
    return genesis;
}

// [SEAT-OPERATORS.1] [SEAT-LATER.1]
TEST(SeatBook, EnoughOperatorsNeedNobodysConsent) {
    Desk desk{with_operators()};
    // Whoever brings it: a stranger, here.
    EXPECT_EQ(desk.ask(approved(adding(6), {0}), 50), "1 of 2 operators have signed it");
    EXPECT_EQ(desk.ask(approved(adding(6), {0, 2}), 50), "seat 5 (agent-6) is given");
    EXPECT_EQ(desk.book.voters(Epoch{2}).size(), 5U);
    EXPECT_EQ(desk.book.voters(Epoch{3}).size(), 6U) << "and no sooner than others";
    const RosterOperation lost{RosterOperation::Action::replace, Seat{1}, key_of(7), {}};
    EXPECT_EQ(
        desk.ask(approved(lost, {1, 2}), 50), "seat 6 (agent-1) takes the place of seat 1 (agent-1)"
    );
    EXPECT_EQ(desk.ask(approved(removing(0), {0, 1}), 50), "seat 0 (agent-0) ends");
    // What cannot be cannot be for them either, and a change that was made is not made again.
    EXPECT_EQ(desk.ask(approved(removing(0), {0, 1}), 50), "seat 0 has no vote in epoch 3");
    EXPECT_EQ(desk.ask(approved(removing(2), {0, 1}), 50), "seat 2 (agent-2) ends");
    EXPECT_EQ(desk.ask(approved(removing(3), {0, 1, 2}), 50), "too few seats would be left: 3");
    RosterOperation own = adding(8);
    own.key = key_of(100);
    EXPECT_EQ(desk.ask(approved(own, {0, 1}), 50), "its key is an operator's");
}

// [SEAT-OPERATORS.1] [SEAT-QUORUM.1]
TEST(SeatBook, TooFewOperatorsAreNoneAndASeatsWordCountsAllTheSame) {
    Desk desk{with_operators()};
    EXPECT_EQ(desk.ask(approved(adding(6), {1}), 0), "1 of 4 seats ask for it");
    EXPECT_EQ(desk.ask(adding(6), 1), "2 of 4 seats ask for it") << "it is the same change";
    EXPECT_TRUE(desk.book.asked().begin()->second.change.approvals.empty());
    EXPECT_EQ(desk.ask(approved(adding(6), {0, 1}), 50), "seat 5 (agent-6) is given");
    EXPECT_TRUE(desk.book.asked().empty()) << "what was asked for is done";
    Desk none{genesis_of(5)};
    EXPECT_EQ(none.ask(approved(adding(6), {0, 1}), 50), "2 of 0 operators have signed it");
}

TEST(SeatBook, AReplacementMayBringItsName) {
    Desk desk{genesis_of(5)};
    RosterOperation change{RosterOperation::Action::replace, Seat{0}, key_of(7), "agent-1"};
    EXPECT_EQ(desk.ask(change, 0), "the name \"agent-1\" is taken");
    change.name = "agent-0";
    EXPECT_EQ(desk.ask(change, 0), "seat 5 (agent-0) takes the place of seat 0 (agent-0)");
    RosterOperation named{RosterOperation::Action::replace, Seat{1}, key_of(8), "newer"};
    EXPECT_EQ(desk.ask(named, 1), "seat 6 (newer) takes the place of seat 1 (agent-1)");
}

// [SEAT-LANE.1]
TEST(SeatBook, ALaneClosesTwoEpochsAfterItsSeat) {
    Desk desk{genesis_of(5)};
    desk.ask(removing(4), 4);
    for (std::uint64_t epoch = 2; epoch <= 7; ++epoch) {
        desk.go_to(epoch);
        // It votes to the end of epoch 2, and its lane is open to the end of 4.
        EXPECT_EQ(desk.ended, epoch == 5 ? std::vector<Seat>{Seat{4}} : std::vector<Seat>{});
    }
}

// [SEAT-ONCE.1]
TEST(SeatBook, ASeatThatEndedIsNeverGivenAgain) {
    Desk desk{genesis_of(5)};
    desk.ask(removing(4), 4);
    EXPECT_TRUE(desk.book.voters(Epoch{2}).back().seat == Seat{4}) << "it votes to the end of 2";
    desk.go_to(3);
    EXPECT_EQ(desk.now.size(), 4U);
    EXPECT_NE(desk.now.known(Seat{4}), nullptr) << "what it signed can be checked for ever";
    EXPECT_EQ(desk.ask(removing(4), 0), "seat 4 has no vote in epoch 5");
    const std::string had = "its key has seat 4, or had it: a key has one seat, once";
    EXPECT_EQ(desk.ask(adding(4), 0), had);
    const RosterOperation change{RosterOperation::Action::replace, Seat{0}, key_of(9), {}};
    EXPECT_EQ(desk.ask(change, 0), "seat 5 (agent-0) takes the place of seat 0 (agent-0)");
}

// [SEAT-ENOUGH.1]
TEST(SeatBook, NoChangeAndNoProofLeavesTooFew) {
    Desk desk{genesis_of(4)};
    EXPECT_EQ(desk.ask(removing(1), 1), "too few seats would be left: 3");
    EXPECT_FALSE(desk.book.exclude(key_of(1), Epoch{1}, desk.map));
    EXPECT_EQ(desk.book.voters(Epoch{3}).size(), 4U);
    Desk more{genesis_of(5)};
    EXPECT_TRUE(more.book.exclude(key_of(1), Epoch{1}, more.map));
    EXPECT_EQ(more.book.voters(Epoch{2}).size(), 5U) << "votes are taken away in two epochs";
    EXPECT_EQ(more.book.voters(Epoch{3}).size(), 4U);
    EXPECT_FALSE(more.book.exclude(key_of(1), Epoch{1}, more.map)) << "once is enough";
    Desk alone{genesis_of(1, QuorumMode::crash)};
    EXPECT_EQ(alone.ask(removing(0), 0), "too few seats would be left: 0");
}

TEST(SeatBook, WhatASeatAsksForIsBoundedAndForgotten) {
    Desk desk{genesis_of(4)};
    for (std::uint32_t i = 0; i < 8; ++i)
        EXPECT_EQ(desk.ask(adding(10 + i), 0), "1 of 3 seats ask for it");
    EXPECT_EQ(desk.ask(adding(20), 0), "this seat has asked for too many other changes");
    EXPECT_EQ(desk.book.asked().size(), 8U);
    desk.go_to(65);
    EXPECT_EQ(desk.book.asked().size(), 8U);
    desk.go_to(66);
    EXPECT_EQ(desk.book.asked().size(), 0U);
    EXPECT_EQ(desk.map.size(), 0U) << "and so are its leaves";
}

// Whatever is asked, by whomever: the book reads back from its leaves, every roster can be one, and the
// next one is fixed.
// [SEAT-LATER.1] [SEAT-ENOUGH.1]
TEST(SeatBook, KeepsItsPromisesWhateverIsAsked) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        Prng prng{seed};
        Desk desk{genesis_of(4)};
        for (int step = 0; step < 400; ++step) {
            const Epoch epoch = desk.now.epoch();
            const auto next = desk.book.voters(epoch.next());
            RosterOperation change = adding(static_cast<std::uint32_t>(prng.below(12)));
            const std::uint64_t kind = prng.below(4);
            const auto known = desk.book.known();
            const Seat seat = known[prng.below(known.size())].seat;
            if (kind == 0) change = removing(seat.value());
            if (kind == 1)
                change = {RosterOperation::Action::replace, seat, change.key, std::string{}};
            const auto who = desk.now.members()[prng.below(desk.now.size())].key;
            static_cast<void>(desk.book.ask(change, who, desk.now, desk.map));
            if (prng.chance(1, 40)) static_cast<void>(desk.book.exclude(who, epoch, desk.map));
            EXPECT_EQ(desk.book.voters(epoch.next()), next) << "seed " << seed;
            for (const Epoch in : {epoch, epoch.next(), epoch.plus(2)})
                EXPECT_TRUE(validate(desk.book.voters(in), QuorumMode::byzantine)) << seed;
            if (prng.chance(1, 8)) desk.go_to(epoch.next().value());
        }
        SeatBook again{desk.first};
        ASSERT_TRUE(again.restore(desk.map).has_value());
        EXPECT_EQ(again.seats(), desk.book.seats());
        EXPECT_EQ(again.asked(), desk.book.asked());
        EXPECT_EQ(again.changes_after(desk.now.epoch()), desk.book.changes_after(desk.now.epoch()));
    }
}

TEST(SeatBook, ALeafThatIsNotItsOwnIsCorrupt) {
    Desk desk{genesis_of(4)};
    MerkleMap map;
    map.set("seat/1", to_bytes("x"));
    EXPECT_FALSE(desk.book.restore(map));
    MerkleMap other;
    other.set("seat/7", encode_bytes(SeatEntry{{Seat{8}, key_of(8), "x"}, Epoch{1}, Epoch{}}));
    EXPECT_FALSE(desk.book.restore(other));
}

}  // namespace
}  // namespace creto::state_test
