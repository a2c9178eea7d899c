// The random beacon: what feeds it, what does not, and what is drawn from it.
#include "state/beacon.hpp"

#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <set>

#include "base/prng.hpp"
#include "model/leader.hpp"
#include "state/state_fixture.hpp"

namespace creto {
namespace {

using namespace state_test;  // NOLINT(google-build-using-namespace): the bench of this layer

constexpr std::uint32_t epoch_blocks = 4;
constexpr Height beacon_expiry{9'000};

Digest secret_of(std::uint32_t seat, std::uint64_t epoch) {
    return digest_of("secret " + std::to_string(seat) + " of " + std::to_string(epoch));
}

/// Four seats, epochs of four blocks.
class BeaconTest : public ::testing::Test {
protected:
    [[nodiscard]] OperationBody commit(std::uint32_t seat, std::uint64_t feeds) const {
        return BeaconCommitOperation{
            Epoch{feeds},
            beacon_commitment(
                net.roster.chain(), Epoch{feeds}, net.agent(seat), secret_of(seat, feeds)
            )};
    }
    [[nodiscard]] static OperationBody reveal(std::uint32_t seat, std::uint64_t feeds) {
        return BeaconRevealOperation{Epoch{feeds}, secret_of(seat, feeds)};
    }
    /// In the seat's own lane, in a block of its own. Why it is void; empty: it is not.
    std::string say(std::uint32_t seat, OperationBody body) {
        const auto done = finalise(
            state, {net.vertex(seat, {net.operation(seat, std::move(body), beacon_expiry)})}
        );
        return done.operations.front().reason;
    }
    /// One block in which these seats say something.
    void all_say(
        const std::vector<std::uint32_t>& seats,
        const std::function<OperationBody(std::uint32_t)>& body
    ) {
        std::vector<VertexPtr> ordered;
        for (const std::uint32_t seat : seats)
            ordered.push_back(net.vertex(seat, {net.operation(seat, body(seat), beacon_expiry)}));
        for (const auto& result : finalise(state, ordered).operations)
            ASSERT_TRUE(result.applied) << result.reason;
    }
    /// All commit in epoch 1, these reveal in epoch 2, and the third begins.
    void feed_third(const std::vector<std::uint32_t>& revealing) {
        all_say({0, 1, 2, 3}, [&](std::uint32_t seat) { return commit(seat, 3); });
        advance(state, epoch_blocks);
        all_say(revealing, [](std::uint32_t seat) { return reveal(seat, 3); });
        advance(state, 2 * epoch_blocks);
    }
    [[nodiscard]] std::size_t leaves() const {
        std::size_t count = 0;
        for (std::uint64_t epoch = 1; epoch < 100; ++epoch) {
            count += state.get("beacon/value/" + std::to_string(epoch)) ? 1 : 0;
            for (std::uint32_t seat = 0; seat < 4; ++seat) {
                const std::string place = std::to_string(epoch) + "/" + std::to_string(seat);
                count += state.get("beacon/seat/" + place) ? 1 : 0;
            }
        }
        return count;
    }

    Network net{4, QuorumMode::byzantine, epoch_blocks};
    FinalState state{net.roster};
};

// [BEACON-CHAIN.1] [BEACON-BIAS.1]
TEST_F(BeaconTest, IsMadeOfTheSecretsThatWereCommittedToAndRevealed) {
    const Digest second = state.beacon().of(Epoch{2}).value;
    feed_third({2, 0, 1});
    Hasher expected{HashDomain::beacon_value};
    expected.update(second).update_u64(3);
    for (std::uint32_t seat = 0; seat < 3; ++seat)
        expected.update_u64(seat).update(secret_of(seat, 3));
    const Beacon::Value& third = state.beacon().of(Epoch{3});
    EXPECT_EQ(third.value, expected.finish()) << "whatever the order in which they were revealed";
    EXPECT_EQ(third.fed_by, (std::vector<Seat>{Seat{0}, Seat{1}, Seat{2}}));
    EXPECT_EQ(third.withheld, std::vector<Seat>{Seat{3}});
    EXPECT_EQ(state.beacon().withheld(Seat{3}), 1U);
    EXPECT_EQ(state.beacon().withheld(Seat{2}), 0U);
    EXPECT_EQ(state.get("beacon/value/3"), encode_bytes(third)) << "under the state root";
    const ReputationView view = state.reputation_view(net.agent(3));
    ASSERT_EQ(view.reasons.size(), 1U);
    EXPECT_NE(view.reasons[0].find("did not reveal it, once"), std::string::npos);
    EXPECT_EQ(view.score_ppm, state.reputation_view(net.agent(0)).score_ppm) << "it costs nothing";
}

// [BEACON-COMMIT.1]
TEST_F(BeaconTest, SeatsCommitOnceTwoEpochsAheadInTheirOwnLane) {
    EXPECT_EQ(say(0, commit(0, 3)), "");
    EXPECT_EQ(say(0, commit(0, 3)), "this seat has committed to the beacon of epoch 3 already");
    EXPECT_EQ(say(1, commit(1, 4)), "the beacon of epoch 4 is not committed to in epoch 1");
    EXPECT_NE(say(1, commit(1, 2)).find("has the beacon of the genesis"), std::string::npos);
    ASSERT_EQ(state.height(), Height{4});
    EXPECT_EQ(say(1, commit(1, 3)), "the beacon of epoch 3 is not committed to in epoch 2")
        << "too late: secrets may be known by now";
    const auto other = net.outsider(200);
    const auto carried = finalise(state, {net.vertex(0, {net.signed_by(*other, commit(0, 4))})});
    EXPECT_EQ(carried.operations[0].reason, "a seat feeds the beacon in its own lane only");
    const auto friends =
        finalise(state, {net.vertex(0, {net.signed_by(*net.signers[1], commit(1, 4))})});
    EXPECT_EQ(friends.operations[0].reason, "a seat feeds the beacon in its own lane only");
}

TEST_F(BeaconTest, ASecretThatWasNotCommittedToFeedsNothing) {
    all_say({0, 1}, [&](std::uint32_t seat) { return commit(seat, 3); });
    // Seat 2 commits to what seat 0 has committed to, to say the same later.
    EXPECT_EQ(say(2, commit(0, 3)), "");
    EXPECT_EQ(say(0, reveal(0, 3)), "the beacon of epoch 3 takes no secrets in epoch 1");
    advance(state, epoch_blocks);
    EXPECT_EQ(say(0, reveal(0, 3)), "");
    EXPECT_EQ(say(0, reveal(0, 3)), "this seat has revealed its secret already");
    EXPECT_EQ(say(2, reveal(0, 3)), "it is not the secret that was committed to");
    EXPECT_EQ(
        say(1, BeaconRevealOperation{Epoch{3}, secret_of(1, 4)}),
        "it is not the secret that was committed to"
    );
    EXPECT_EQ(state.beacon().of(Epoch{3}).fed_by, std::vector<Seat>{Seat{0}});
    EXPECT_EQ(state.beacon().of(Epoch{3}).withheld, (std::vector<Seat>{Seat{1}, Seat{2}}));
    ASSERT_EQ(state.voters().epoch(), Epoch{2});
    EXPECT_EQ(say(1, reveal(1, 3)), "the beacon of epoch 3 takes no secrets in epoch 3");
    EXPECT_EQ(say(3, reveal(3, 4)), "this seat has not committed to the beacon of epoch 4");
}

TEST_F(BeaconTest, AnExcludedSeatFeedsNothing) {
    const VoteContent a{VoteKind::notarize, Epoch{1}, View{3}, View{2}, BlockId{digest_of("a")}};
    VoteContent b = a;
    b.block = BlockId{digest_of("b")};
    EXPECT_EQ(
        say(0, EvidenceOperation{Evidence{VoteConflict{net.vote(3, a), net.vote(3, b)}}}), ""
    );
    EXPECT_EQ(say(3, commit(3, 3)), "its agent is excluded");
}

// [BEACON-CHAIN.1]
TEST_F(BeaconTest, IsDefinedAndAnotherOneThoughNobodyFeedsIt) {
    std::set<Digest> seen;
    for (std::uint64_t epoch = 1; epoch <= 40; ++epoch) {
        advance(state, epoch * epoch_blocks - 1);
        const Beacon::Value& value = state.beacon().of(Epoch{epoch});
        EXPECT_TRUE(seen.insert(value.value).second) << epoch;
        EXPECT_TRUE(value.fed_by.empty());
        EXPECT_LE(leaves(), 3U) << "old ones are forgotten";
    }
    Network same{4, QuorumMode::byzantine, epoch_blocks};
    Network other{5, QuorumMode::byzantine, epoch_blocks};
    const FinalState fresh{net.roster};
    const auto first = [](const FinalState& of) { return of.beacon().of(Epoch{1}).value; };
    EXPECT_EQ(first(fresh), first(FinalState{same.roster}));
    EXPECT_NE(first(fresh), first(FinalState{other.roster})) << "from the chain's id";
}

TEST_F(BeaconTest, EpochsWithoutEndHaveOne) {
    Network endless{4};
    FinalState one{endless.roster};
    const Digest before = one.beacon().of(Epoch{1}).value;
    const auto done = finalise(
        one,
        {endless.vertex(0, {endless.operation(0, BeaconCommitOperation{Epoch{3}, before})}),
         endless.vertex(1, {endless.operation(1, BeaconRevealOperation{Epoch{3}, before})})}
    );
    EXPECT_EQ(done.operations[0].reason, "this network has one epoch without end, and one beacon");
    EXPECT_EQ(done.operations[1].reason, "the beacon of epoch 3 takes no secrets in epoch 1");
    advance(one, 300);
    EXPECT_EQ(one.beacon().of(Epoch{1}).value, before);
}

// [BEACON-SAME.1]
TEST_F(BeaconTest, AStateThatIsRestoredAnywhereGoesOnTheSame) {
    Prng prng{7};
    for (std::uint64_t height = 1; height <= 6 * epoch_blocks; ++height) {
        const Block block = next_block(state);
        const std::uint64_t epoch = block.epoch.value();
        std::vector<VertexPtr> ordered;
        for (std::uint32_t seat = 0; seat < 4; ++seat) {
            if (prng.chance(1, 3)) continue;
            ordered.push_back(net.vertex(
                seat,
                {net.operation(seat, reveal(seat, epoch + 1), beacon_expiry),
                 net.operation(seat, commit(seat, epoch + 2), beacon_expiry)}
            ));
        }
        auto restored = FinalState::restore(state.snapshot(), state.mark(), net.roster);
        ASSERT_TRUE(restored.has_value()) << restored.error().message << " at " << height;
        EXPECT_EQ(restored->voters().leaders(), state.voters().leaders()) << height;
        const auto ran = state.apply(block, block.id(), ordered);
        ASSERT_EQ(restored->apply(block, block.id(), ordered).mark, ran.mark) << height;
        ASSERT_EQ(restored->voters().leaders(), state.voters().leaders()) << height;
    }
    EXPECT_GT(state.beacon().of(Epoch{6}).fed_by.size(), 0U);
}

// [BEACON-BIAS.1] Whoever speaks last has seen the others' secrets, and can only speak or not.
TEST_F(BeaconTest, WhoeverWithholdsChoosesBetweenTwoValues) {
    all_say({0, 1, 2, 3}, [&](std::uint32_t seat) { return commit(seat, 3); });
    advance(state, epoch_blocks);
    all_say({0, 1}, [](std::uint32_t seat) { return reveal(seat, 3); });
    const FinalState seen = state;
    std::set<Digest> of_one;
    std::set<Digest> of_two;
    for (int choice = 0; choice < 64; ++choice) {
        state = seen;
        // What it might say: the truth, nothing, or anything else, once or more often.
        Network saying = Network{4, QuorumMode::byzantine, epoch_blocks};
        const auto tell = [&](std::uint32_t seat, int how) {
            const Digest wrong = digest_of("guess " + std::to_string(choice));
            const OperationBody lie = BeaconRevealOperation{Epoch{3}, wrong};
            std::vector<Operation> made;
            if (how > 1) made.push_back(saying.operation(seat, lie, beacon_expiry));
            if ((how & 1) != 0)
                made.push_back(saying.operation(seat, reveal(seat, 3), beacon_expiry));
            if (!made.empty()) finalise(state, {saying.vertex(seat, std::move(made))});
        };
        tell(2, choice & 3);
        if (choice >= 32) tell(3, (choice >> 2) & 3);
        advance(state, 2 * epoch_blocks);
        (choice < 32 ? of_one : of_two).insert(state.beacon().of(Epoch{3}).value);
    }
    EXPECT_EQ(of_one.size(), 2U);
    EXPECT_EQ(of_two.size(), 4U) << "two together: among four";
}

// [BEACON-TURNS.1]
TEST_F(BeaconTest, TheOrderOfLeadersComesFromTheValueBefore) {
    const std::vector<Seat> by_seat{Seat{0}, Seat{1}, Seat{2}, Seat{3}};
    EXPECT_EQ(state.seating(Epoch{2}).beacon, std::nullopt);
    EXPECT_EQ(state.seating(Epoch{3}).beacon, state.beacon().of(Epoch{2}).value);
    std::set<std::vector<Seat>> orders;
    for (std::uint64_t epoch = 1; epoch <= 30; ++epoch) {
        advance(state, (epoch - 1) * epoch_blocks + 1);
        ASSERT_EQ(state.voters().epoch(), Epoch{epoch});
        std::vector<Seat> leaders = state.voters().leaders();
        if (epoch <= 2) {
            EXPECT_EQ(leaders, by_seat) << epoch;
        }
        orders.insert(leaders);
        std::sort(leaders.begin(), leaders.end());
        EXPECT_EQ(leaders, by_seat) << epoch;
        // Known when the roster of the epoch after the next is.
        advance(state, epoch * epoch_blocks);
        EXPECT_EQ(
            state.seating(Epoch{epoch + 2}).beacon, state.beacon().of(Epoch{epoch + 1}).value
        );
    }
    EXPECT_GT(orders.size(), 10U) << "of 24";
}

// [BEACON-TURNS.1]
TEST(Turns, AreFairOverManyBeaconsAndLeaveOutWhoRests) {
    constexpr std::uint32_t draws = 7'000;
    const Network net{7, QuorumMode::byzantine, epoch_blocks};
    const std::vector<Seat> resting{Seat{4}};
    std::map<Seat, std::uint32_t> first;
    std::map<Seat, std::uint32_t> last;
    std::map<Seat, std::uint32_t> first_of_six;
    for (std::uint32_t i = 0; i < draws; ++i) {
        const Digest beacon = digest_of("beacon " + std::to_string(i));
        const auto& members = net.roster.members();
        const Seating seven{.members = members, .known = members, .beacon = beacon};
        const Roster drawn{net.roster, Epoch{3}, seven};
        Seating fewer = seven;
        fewer.resting = resting;
        const Roster six{net.roster, Epoch{3}, std::move(fewer)};
        EXPECT_EQ(drawn.digest(), net.roster.digest()) << "what certificates are checked by";
        ++first[leader_of(drawn, View{1})];
        ++last[drawn.leaders().back()];
        ++first_of_six[six.leaders().front()];
        ASSERT_EQ(six.leaders().size(), 6U);
    }
    EXPECT_EQ(first_of_six.count(Seat{4}), 0U);
    const std::vector<std::pair<std::map<Seat, std::uint32_t>, std::uint32_t>> all{
        {first, 7}, {last, 7}, {first_of_six, 6}};
    for (const auto& [counts, seats] : all) {
        EXPECT_EQ(counts.size(), seats);
        for (const auto& [seat, count] : counts) {  // Six standard deviations, about.
            EXPECT_GT(count, draws / seats * 82 / 100) << seat.value();
            EXPECT_LT(count, draws / seats * 118 / 100) << seat.value();
        }
    }
}

}  // namespace
}  // namespace creto
