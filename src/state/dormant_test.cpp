// Dormant seats in the agreed state: who is set aside and when, what stays theirs, and how they come back.
#include <gtest/gtest.h>

#include "base/prng.hpp"
#include "state/state_fixture.hpp"

namespace creto::state_test {
namespace {

using Seats = std::vector<Seat>;

/// A book, and the epoch at whose end it stands.
struct RestDesk {
    explicit RestDesk(std::uint32_t n, QuorumMode mode = QuorumMode::byzantine)
        : genesis{made_up_genesis(n, mode, span)}, book{genesis} {}

    Seats set_aside(std::initializer_list<std::uint32_t> dead, std::uint64_t epoch = 1) {
        Seats seats;
        for (const std::uint32_t seat : dead)
            seats.emplace_back(seat);
        return book.set_aside(seats, Epoch{epoch}, map);
    }
    [[nodiscard]] AgentId key(std::uint32_t seat) const { return genesis.members()[seat].key; }
    std::string come_back(std::uint32_t seat, std::uint64_t since, std::uint64_t epoch) {
        const auto first = book.come_back(key(seat), Epoch{since}, Epoch{epoch}, map);
        return first ? std::to_string(first->value()) : first.error();
    }
    [[nodiscard]] Quorum in(std::uint64_t epoch) const { return book.quorum(Epoch{epoch}); }
    std::string ask(const RosterOperation& change, std::uint32_t client, std::uint64_t epoch) {
        const Roster voters{genesis, Epoch{epoch}, book.seating(Epoch{epoch})};
        auto effect = book.ask(change, key(client), voters, map);
        return effect ? effect->what : effect.error();
    }

    Roster genesis;
    MerkleMap map;
    SeatBook book;
};

// [SEAT-DORMANT.1] [SEAT-LATER.1]
TEST(DormantSeats, TheDeadAreSetAsideTwoEpochsLaterAndTheQuorumIsSmaller) {
    RestDesk desk{7};
    EXPECT_EQ(desk.set_aside({5, 6}), (Seats{Seat{5}, Seat{6}}));
    EXPECT_EQ(desk.in(1), (Quorum{7, 5, 2}));
    EXPECT_EQ(desk.in(2), (Quorum{7, 5, 2})) << "the next epoch's roster is fixed";
    EXPECT_EQ(desk.in(3), (Quorum{5, 4, 2})) << "two of all may lie as before";
    EXPECT_TRUE(desk.book.changes_after(Epoch{2})) << "so that nobody waits for work to get there";
    EXPECT_FALSE(desk.book.changes_after(Epoch{3}));
    EXPECT_EQ(desk.book.known().size(), 7U);
    EXPECT_TRUE(desk.set_aside({5, 6}, 2).empty()) << "once is enough";
}

// [SEAT-DORMANT.1]
TEST(DormantSeats, NobodyIsSetAsideForNothing) {
    RestDesk seven{7};
    EXPECT_TRUE(seven.set_aside({6}).empty()) << "five of six are as many as five of seven";
    EXPECT_EQ(seven.set_aside({6, 5}), (Seats{Seat{5}, Seat{6}}));
    EXPECT_TRUE(seven.set_aside({4}, 2).empty()) << "four of four are as many as four of five";
    RestDesk four{4};
    EXPECT_TRUE(four.set_aside({3}).empty());
    RestDesk five{5};
    EXPECT_EQ(five.set_aside({4, 3}), Seats{Seat{4}}) << "and no more than helps";
    EXPECT_EQ(five.in(3), (Quorum{4, 3, 1}));
    RestDesk ten{10};
    EXPECT_EQ(ten.set_aside({9, 8, 7}), (Seats{Seat{8}, Seat{9}})) << "the deadest of them";
    EXPECT_EQ(ten.in(3), (Quorum{8, 6, 3}));
}

// [SEAT-DORMANT.1] [SEAT-ENOUGH.1]
TEST(DormantSeats, AsManyVoteAsMustAgreeWhoeverIsSaidToBeDead) {
    for (std::uint32_t n = 1; n <= 40; ++n) {
        for (const QuorumMode mode : {QuorumMode::byzantine, QuorumMode::crash}) {
            if (n < least_members(mode)) continue;
            RestDesk desk{n, mode};
            Seats all;
            for (std::uint32_t i = 0; i < n; ++i)
                all.emplace_back(i);
            const std::uint32_t before = desk.in(3).q;
            const Seats aside = desk.book.set_aside(all, Epoch{1}, desk.map);
            const Quorum after = desk.in(3);
            EXPECT_LE(after.q, after.n) << n;
            EXPECT_GE(after.n, std::min(n, mode == QuorumMode::crash ? 3U : 4U)) << n;
            EXPECT_EQ(after.n, n - aside.size());
            EXPECT_TRUE(aside.empty() ? after.q == before : after.q < before) << n;
            EXPECT_TRUE(validate(desk.book.voters(Epoch{3}), mode, n - after.n)) << n;
        }
    }
    RestDesk crash{7, QuorumMode::crash};
    EXPECT_EQ(crash.set_aside({6, 5}), (Seats{Seat{5}, Seat{6}}));
    EXPECT_EQ(crash.in(3), (Quorum{5, 3, 0}));
}

// [SEAT-DORMANT.5] [SEAT-LATER.1]
TEST(DormantSeats, WhoComesBackVotesFromTheEpochAfterTheNextOn) {
    RestDesk desk{7};
    desk.set_aside({5, 6});
    EXPECT_EQ(desk.come_back(4, 3, 2), "it has no seat that is dormant since epoch 3");
    EXPECT_EQ(desk.come_back(5, 2, 2), "it has no seat that is dormant since epoch 2");
    EXPECT_EQ(desk.come_back(5, 3, 9), "11");
    EXPECT_EQ(desk.come_back(5, 3, 9), "it has no seat that is dormant since epoch 3");
    EXPECT_EQ(desk.in(10), (Quorum{5, 4, 2}));
    EXPECT_EQ(desk.in(11), (Quorum{6, 5, 2}));
    EXPECT_EQ(desk.come_back(6, 3, 10), "12");
    EXPECT_EQ(desk.in(12), (Quorum{7, 5, 2}));
    // The same again; what it signed the first time brings it back no more.
    EXPECT_EQ(desk.set_aside({5, 6}, 20), (Seats{Seat{5}, Seat{6}}));
    EXPECT_EQ(desk.in(21), (Quorum{7, 5, 2}));
    EXPECT_EQ(desk.in(22), (Quorum{5, 4, 2}));
    EXPECT_EQ(desk.come_back(5, 3, 21), "it has no seat that is dormant since epoch 3");
    EXPECT_EQ(desk.come_back(5, 22, 21), "23") << "before it began to be";
    EXPECT_EQ(desk.in(22).n, 5U) << "that roster was fixed";
    EXPECT_EQ(desk.in(23).n, 6U);
}

// [SEAT-LATER.1] [SEAT-DORMANT.5]
TEST(DormantSeats, WhoComesBackBeforeItBeganAndIsDeadAgainStaysAway) {
    RestDesk desk{7};
    desk.set_aside({5, 6});
    EXPECT_EQ(desk.come_back(5, 3, 2), "4");
    EXPECT_EQ(desk.in(3).n, 5U);
    EXPECT_EQ(desk.in(4).n, 6U);
    EXPECT_TRUE(desk.set_aside({6}, 2).empty()) << "it is away already";
    EXPECT_EQ(desk.set_aside({5}, 2), Seats{Seat{5}});
    EXPECT_EQ(desk.in(3).n, 5U) << "that roster was fixed";
    EXPECT_EQ(desk.in(4).n, 5U);
    EXPECT_EQ(desk.come_back(5, 3, 3), "5");
    EXPECT_TRUE(desk.set_aside({5}, 4).empty()) << "who does not vote cannot be missed";
}

// [SEAT-DORMANT.5]
TEST(DormantSeats, ADormantSeatEndsLikeAnyAndThenCountsNoMore) {
    RestDesk desk{7};
    desk.set_aside({5, 6});
    const RosterOperation leave{RosterOperation::Action::remove, Seat{5}, {}, {}};
    EXPECT_EQ(desk.ask(leave, 5, 3), "seat 5 (agent-5) ends");
    EXPECT_EQ(desk.in(4), (Quorum{5, 4, 2}));
    EXPECT_EQ(desk.in(5), (Quorum{5, 4, 1})) << "one of six may lie";
    EXPECT_EQ(desk.come_back(5, 3, 4), "it has no seat that is dormant since epoch 3");
    EXPECT_TRUE(desk.book.exclude(desk.key(6), Epoch{4}, desk.map)) << "its key is proven a liar's";
    EXPECT_EQ(desk.in(6), (Quorum{5, 4, 1}));
    EXPECT_EQ(desk.book.seating(Epoch{6}).dormant, 0U);
    EXPECT_EQ(desk.book.seating(Epoch{6}).known.size(), 7U) << "what they signed can be checked";
}

// [SEAT-DORMANT.5]
TEST(DormantSeats, AGrantedJoinMayTakeThePlaceOfADormantSeat) {
    RestDesk desk{7};
    desk.set_aside({5, 6});
    std::array<std::uint8_t, 32> key{};
    key[0] = 99;
    const RosterOperation join{RosterOperation::Action::replace, Seat{6}, PublicKey{key}, {}};
    for (const std::uint32_t client : {0U, 1U, 2U})
        desk.ask(join, client, 3);
    EXPECT_EQ(desk.ask(join, 3, 3), "seat 7 (agent-6) takes the place of seat 6 (agent-6)")
        << "four of the five that vote";
    EXPECT_EQ(desk.in(5), (Quorum{6, 5, 2}));
    EXPECT_EQ(desk.book.seating(Epoch{5}).dormant, 1U);
}

// [SEAT-ENOUGH.1]
TEST(DormantSeats, NoChangeLeavesFewerThanMustAgree) {
    RestDesk desk{10};
    desk.set_aside({9, 8, 7, 6});
    ASSERT_EQ(desk.in(3), (Quorum{6, 5, 3}));
    for (std::uint32_t seat = 0; seat < 2; ++seat)
        EXPECT_TRUE(desk.book.exclude(desk.key(seat), Epoch{3}, desk.map)) << seat;
    EXPECT_EQ(desk.in(5), (Quorum{4, 4, 2}));
    EXPECT_FALSE(desk.book.exclude(desk.key(2), Epoch{3}, desk.map));
    const RosterOperation leave{RosterOperation::Action::remove, Seat{3}, {}, {}};
    EXPECT_EQ(desk.ask(leave, 3, 3), "too few seats would be left: 3");
    // Nobody fills the roster while the dormant are away: they come back.
    RestDesk full{static_cast<std::uint32_t>(limits::seats_max)};
    full.set_aside({0, 1, 2, 3});
    const RosterOperation add{RosterOperation::Action::add, {}, PublicKey{{0, 0, 7}}, "one-more"};
    EXPECT_EQ(full.ask(add, 9, 3), "all seats are taken");
}

// Whatever happens in whatever order: each roster can be one, the next is fixed, and the book comes back from
// its leaves.
// [SEAT-LATER.1] [SEAT-ENOUGH.1] [SEAT-DORMANT.3]
TEST(DormantSeats, KeepTheirPromisesWhateverHappens) {
    std::size_t aside = 0;
    std::size_t back = 0;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        Prng prng{seed};
        RestDesk desk{
            4 + static_cast<std::uint32_t>(prng.below(8)),
            prng.chance(1, 4) ? QuorumMode::crash : QuorumMode::byzantine};
        for (std::uint64_t epoch = 1; epoch <= 60; ++epoch) {
            const auto next = desk.book.seating(Epoch{epoch + 1});
            const auto now = desk.book.seating(Epoch{epoch});
            for (int step = 0; step < 3; ++step) {
                const auto seat = static_cast<std::uint32_t>(prng.below(desk.genesis.size()));
                const SeatEntry& entry = desk.book.seats().at(Seat{seat});
                const std::uint64_t since = entry.dormant_from.value();
                if (prng.chance(1, 3) && desk.come_back(seat, since, epoch).size() < 4) ++back;
                if (prng.chance(1, 40))
                    static_cast<void>(desk.book.exclude(desk.key(seat), Epoch{epoch}, desk.map));
            }
            Seats dead;
            for (std::uint32_t seat = 0; seat < desk.genesis.size(); ++seat)
                if (prng.chance(1, 3)) dead.emplace_back(seat);
            aside += desk.book.set_aside(dead, Epoch{epoch}, desk.map).size();
            EXPECT_EQ(desk.book.seating(Epoch{epoch}).members, now.members) << seed;
            EXPECT_EQ(desk.book.seating(Epoch{epoch}).dormant, now.dormant) << seed;
            EXPECT_EQ(desk.book.seating(Epoch{epoch + 1}).members, next.members) << seed;
            EXPECT_EQ(desk.book.seating(Epoch{epoch + 1}).dormant, next.dormant) << seed;
            const auto later = desk.book.seating(Epoch{epoch + 2});
            EXPECT_TRUE(validate(later.members, desk.genesis.mode(), later.dormant)) << seed;
        }
        SeatBook again{desk.genesis};
        ASSERT_TRUE(again.restore(desk.map).has_value());
        EXPECT_EQ(again.seats(), desk.book.seats());
    }
    EXPECT_GT(aside, 500U);
    EXPECT_GT(back, 300U);
}

TEST(DormantSeats, ALeafOfNoDormancyHasNoPlaceForOne) {
    const Member member{Seat{1}, PublicKey{{2}}, "agent-1"};
    SeatEntry entry{member, Epoch{1}, Epoch{}, Epoch{5}, Epoch{}};
    EXPECT_EQ(decode_exact<SeatEntry>(encode_bytes(entry)).value(), entry);
    Bytes usual = encode_bytes(SeatEntry{member, Epoch{1}, Epoch{}, Epoch{}, Epoch{}});
    EXPECT_TRUE(decode_exact<SeatEntry>(usual));
    usual.insert(usual.end(), {0, 0});
    EXPECT_FALSE(decode_exact<SeatEntry>(usual));
}

// --- in the whole state ---

/// Blocks whose leaders report, in turn; one that is dead leads nothing.
class DormantState : public ::testing::Test {
protected:
    FinalState::Applied block(
        const std::set<std::uint32_t>& dead, const std::vector<VertexPtr>& ordered = {}
    ) {
        Block next = next_block(state);
        do
            turn = (turn + 1) % 7;
        while (dead.contains(turn) || state.seats().seats().at(Seat{turn}).is_dormant_in(next.epoch)
        );
        next.proposer = Seat{turn};
        if (next.height > Height{1}) {
            Turnout turnout{state.height(), {}};
            for (const std::uint32_t seat : dead) {
                if (!state.seats().seats().at(Seat{seat}).is_dormant_in(next.epoch))
                    turnout.absent.emplace_back(seat);
            }
            next.turnout = turnout;
        }
        for (const VertexPtr& vertex : ordered)
            next.delta.push_back(
                {vertex->header().lane,
                 vertex->header().sequence,
                 vertex->header().sequence,
                 vertex->id()}
            );
        auto done = state.apply(next, next.id(), ordered);
        for (Notice& notice : done.notices)
            notices.push_back(std::move(notice));
        return done;
    }
    void blocks(int count, const std::set<std::uint32_t>& dead) {
        for (int i = 0; i < count; ++i)
            static_cast<void>(block(dead));
    }
    template <class T>
    [[nodiscard]] std::vector<std::pair<Seat, Epoch>> told() const {
        std::vector<std::pair<Seat, Epoch>> out;
        for (const Notice& notice : notices)
            if (const auto* n = std::get_if<T>(&notice)) out.emplace_back(n->seat, n->from);
        return out;
    }
    std::string say(std::uint32_t seat, std::uint64_t since, const std::set<std::uint32_t>& dead) {
        const PresenceOperation said{Epoch{since}};
        const auto vertex = net.vertex(0, {net.signed_by(*net.signers[seat], said)});
        return block(dead, {vertex}).operations.front().reason;
    }

    Network net{7, QuorumMode::byzantine, 8, 35};  ///< Five reports of each.
    FinalState state{net.roster};
    std::uint32_t turn = 6;
    std::vector<Notice> notices;
};

// [SEAT-DORMANT.1] [SEAT-DORMANT.5]
TEST_F(DormantState, WhomNobodySeesIsSetAsideAndComesBackWhenItSaysSo) {
    blocks(16, {5, 6});  // Fifteen reports, three of each of the others.
    EXPECT_TRUE(told<SeatDormant>().empty());
    blocks(8, {5, 6});
    const std::vector<std::pair<Seat, Epoch>> both{{Seat{5}, Epoch{5}}, {Seat{6}, Epoch{5}}};
    ASSERT_EQ(told<SeatDormant>(), both) << "at the end of epoch 3";
    blocks(8, {5, 6});
    EXPECT_EQ(state.voters().quorum(), (Quorum{7, 5, 2}));
    blocks(1, {5, 6});
    EXPECT_EQ(state.voters().epoch(), Epoch{5});
    EXPECT_EQ(state.voters().quorum(), (Quorum{5, 4, 2}));
    EXPECT_EQ(state.get("standing/unseen/5"), std::nullopt) << "nobody counts it any more";

    auto restored = FinalState::restore(state.snapshot(), state.mark(), net.roster);
    ASSERT_TRUE(restored.has_value()) << restored.error().message;
    EXPECT_EQ(restored->voters().digest(), state.voters().digest());
    EXPECT_EQ(restored->voters().quorum(), (Quorum{5, 4, 2}));

    EXPECT_EQ(say(6, 4, {5}), "it has no seat that is dormant since epoch 4");
    EXPECT_EQ(say(6, 0, {5}), "only a seat that votes can be missed");
    EXPECT_EQ(say(6, 5, {5}), "");
    const std::vector<std::pair<Seat, Epoch>> one{{Seat{6}, Epoch{7}}};
    EXPECT_EQ(told<SeatReturned>(), one);
    blocks(16, {5});
    EXPECT_EQ(state.voters().quorum(), (Quorum{6, 5, 2}));
    EXPECT_NE(state.voters().find(Seat{6}), nullptr);
    EXPECT_EQ(told<SeatDormant>(), both) << "and nobody else";
}

// [SEAT-DORMANT.2]
TEST_F(DormantState, WhoIsMissedAndWritesOrSaysSoKeepsItsVote) {
    int written = 0;
    for (int i = 0; i < 80; ++i) {
        if (!state.standing().attendance().going_missing(Seat{5}, state.voters())) {
            static_cast<void>(block({5, 6}));
            continue;
        }
        ++written;  // In its own lane, or, as that is lost, in another's.
        if (written % 2 == 0) {
            EXPECT_EQ(say(5, 0, {5, 6}), "");
        } else {
            const auto own = net.vertex(5, {net.operation(5, PresenceOperation{})});
            EXPECT_EQ(block({5, 6}, {own}).operations.front().reason, "");
        }
    }
    EXPECT_GE(written, 4);
    EXPECT_TRUE(told<SeatDormant>().empty()) << "seat 6 alone makes no quorum smaller";
}

// [SEAT-DORMANT.6]
TEST_F(DormantState, ItsLaneStaysOpenAndItsKeyCanBeProvenALiars) {
    const VertexPtr before = net.vertex(6, {net.operation(6, set_key("final/a", "1"))});
    static_cast<void>(block({}, {before}));
    blocks(60, {5, 6});
    ASSERT_EQ(told<SeatDormant>().size(), 2U);
    EXPECT_TRUE(state.court().closed_lanes().empty());
    // What it wrote when it was cut off is covered as ever.
    const VertexPtr late = net.vertex(6, {net.operation(6, set_key("final/a", "2"))});
    EXPECT_EQ(block({5, 6}, {late}).operations.front().reason, "");
    EXPECT_EQ(text_of(state.get("final/a")), "2");
    EXPECT_TRUE(told<SeatReturned>().empty()) << "a vertex alone is no vote";

    net.rewind(6, before);
    const VertexPtr other = net.vertex(6, {net.operation(6, set_key("final/a", "3"))});
    const LaneFork fork = late->id() < other->id() ? LaneFork{late->top(), other->top()}
                                                   : LaneFork{other->top(), late->top()};
    const auto done =
        block({5, 6}, {net.vertex(0, {net.operation(0, EvidenceOperation{Evidence{fork}})})});
    EXPECT_EQ(done.operations.front().reason, "");
    EXPECT_TRUE(state.excluded(net.agent(6)));
    EXPECT_EQ(say(6, told<SeatDormant>()[1].second.value(), {5, 6}), "its agent is excluded");
    blocks(16, {5, 6});
    EXPECT_EQ(state.voters().dormant(), 1U);
    EXPECT_EQ(state.voters().quorum(), (Quorum{5, 4, 1})) << "of six";
}

}  // namespace
}  // namespace creto::state_test
