// Panels that are drawn: of how many, by what, and what colluders get out of it.
#include <deque>
#include <gtest/gtest.h>
#include <map>
#include <numeric>

#include "base/prng.hpp"
#include "state/state_fixture.hpp"

namespace creto {
namespace {

using namespace state_test;  // NOLINT(google-build-using-namespace): the bench of this layer

constexpr Height late{9'000};
const std::string truth = "300";
const std::string lie = "3000";

std::uint32_t most_of(const std::vector<std::uint32_t>& asked) {
    return static_cast<std::uint32_t>(asked.size() / 2 + 1);
}

/// Seats that all offer one contract, or the first `offering` of them.
class Panels {
public:
    explicit Panels(std::uint32_t seats, std::uint32_t offering, std::uint32_t epoch_blocks = 0)
        : net{seats, QuorumMode::byzantine, epoch_blocks},
          state{net.roster},
          caller{net.outsider(250)} {
        offer(0, offering);
    }
    void offer(std::uint32_t first, std::uint32_t end) {
        const Call any{net, *caller, {0}, 1};
        std::vector<VertexPtr> ordered;
        for (std::uint32_t seat = first; seat < end; ++seat)
            ordered.push_back(
                net.vertex(seat, {net.operation(seat, OfferOperation{{any.contract}}, late)})
            );
        finalise(state, ordered);
    }
    /// A call whose caller asks these seats and opens a dispute over it; seat 0 carries the record.
    Call& call(const std::vector<std::uint32_t>& asked) {
        Call& made = calls.emplace_back(net, *caller, asked, most_of(asked), ++nonce);
        for (const std::uint32_t seat : asked)
            made.answered(net, seat, seat % 2 == 0 ? truth : lie);
        return made;
    }
    FinalState::Applied record(const Call& about) {
        auto done = finalise(
            state, {net.vertex(0, {net.signed_by(*caller, about.record_and_open(), late)})}
        );
        EXPECT_TRUE(done.operations.front().applied) << done.operations.front().reason;
        return done;
    }
    FinalState::Applied answer(const Call& about, std::uint32_t seat, const std::string& result) {
        return finalise(
            state, {net.vertex(seat, {net.operation(seat, about.answer_again(result), late)})}
        );
    }
    [[nodiscard]] std::vector<std::uint32_t> seats_of(const std::vector<AgentId>& agents) const {
        std::vector<std::uint32_t> out;
        for (const AgentId& agent : agents)
            out.push_back(net.roster.find(agent)->seat.value());
        std::sort(out.begin(), out.end());
        return out;
    }

    Network net;
    FinalState state;
    std::unique_ptr<Signer> caller;
    std::deque<Call> calls;
    std::uint64_t nonce = 0;
};

Block block_of(const FinalState& state, std::uint64_t view) {
    Block block = next_block(state);
    block.view = View{view};
    return block;
}

// [DISPUTE-DRAWN.1] By a program of another language, with its own whole numbers.
TEST(DrawnPanel, ItsBarIsWhatLiarsReachInOneOfAMillionDraws) {
    EXPECT_EQ(drawn_bar(31, 10), std::nullopt) << "all are asked";
    EXPECT_EQ(drawn_bar(32, 10), 21U);
    EXPECT_EQ(drawn_bar(40, 13), 21U);
    EXPECT_EQ(drawn_bar(64, 21), 21U);
    EXPECT_EQ(drawn_bar(100, 33), 22U);
    EXPECT_EQ(drawn_bar(128, 30), 21U);
    EXPECT_EQ(drawn_bar(128, 42), 22U);
    EXPECT_EQ(drawn_bar(128, 0), 21U) << "crash mode";
    EXPECT_EQ(drawn_bar(100, 42), std::nullopt) << "25: all are asked";
    EXPECT_EQ(drawn_bar(64, 42), std::nullopt);
    EXPECT_EQ(drawn_bar(42, 42), std::nullopt) << "liars alone may offer it";
}

// [DISPUTE-DRAWN.1]
TEST(DrawnPanel, IsSetByTheBlockAfterTheRecord) {
    Panels p{64, 64};
    const Call& call = p.call({1, 2, 3});
    EXPECT_TRUE(p.record(call).opened.empty());
    EXPECT_TRUE(p.state.open_disputes().empty());
    EXPECT_EQ(p.state.court().verdict(call.id)->panel, 3U)
        << "the receipt is on record, and nobody is asked yet";
    // Another proposal at the same place draws others; the same one, the same, also after a restart.
    FinalState other = p.state;
    auto restored = FinalState::restore(p.state.snapshot(), p.state.mark(), p.net.roster);
    ASSERT_TRUE(restored.has_value()) << restored.error().message;
    const Block next = block_of(p.state, 7);
    const Block rival = block_of(p.state, 8);
    const auto drawn = p.state.apply(next, next.id(), {});
    const auto drawn_again = restored->apply(next, next.id(), {});
    const auto drawn_otherwise = other.apply(rival, rival.id(), {});
    ASSERT_EQ(drawn.opened.size(), 1U);
    EXPECT_EQ(drawn.opened[0].panel.size(), 31U);
    EXPECT_TRUE(std::is_sorted(drawn.opened[0].panel.begin(), drawn.opened[0].panel.end()));
    EXPECT_EQ(drawn.opened[0].opened, p.state.height());
    EXPECT_EQ(drawn_again.opened[0].panel, drawn.opened[0].panel);
    EXPECT_EQ(drawn_again.mark, drawn.mark);
    EXPECT_NE(drawn_otherwise.opened[0].panel, drawn.opened[0].panel);
}

// [DISPUTE-BAR.1] [DISPUTE-DRAWN.1]
TEST(DrawnPanel, DecidesWithItsBarAndNamesWhoLied) {
    Panels p{64, 64};
    const Call& call = p.call({1, 2, 3});
    p.record(call);
    const auto early = p.answer(call, 5, truth);
    EXPECT_EQ(early.operations[0].reason, "its agent is not on the panel") << "before the draw";
    ASSERT_EQ(early.opened.size(), 1U);
    const auto panel = p.seats_of(early.opened[0].panel);
    std::uint32_t outside = 0;
    while (std::binary_search(panel.begin(), panel.end(), outside))
        ++outside;
    EXPECT_EQ(p.answer(call, outside, truth).operations[0].reason, "its agent is not on the panel");
    for (std::size_t i = 0; i < 9; ++i)
        p.answer(call, panel[i], lie);
    for (std::size_t i = 9; i < 29; ++i)
        p.answer(call, panel[i], truth);
    EXPECT_EQ(p.state.open_disputes().size(), 1U) << "20 equal answers";
    p.answer(call, panel[29], truth);
    EXPECT_TRUE(p.state.open_disputes().empty());
    const Verdict* verdict = p.state.court().verdict(call.id);
    EXPECT_EQ(verdict->source, Verdict::Source::dispute);
    EXPECT_EQ(verdict->panel, 31U);
    EXPECT_EQ(verdict->bar, 21U);
    EXPECT_EQ(verdict->agreeing, 21U);
    for (std::uint32_t seat = 0; seat < 64; ++seat) {
        const auto place = std::find(panel.begin(), panel.end(), seat);
        const bool lied =
            (place != panel.end() && place - panel.begin() < 9) || seat == 1 || seat == 3;
        EXPECT_EQ(p.state.reputation(p.net.agent(seat)).dissented, lied ? 1U : 0U) << seat;
    }
}

TEST(DrawnPanel, EndsUndecidedSoManyBlocksAfterTheDraw) {
    Panels p{64, 64};
    const Call& call = p.call({1, 2, 3});
    p.record(call);
    finalise(p.state, {});
    const std::uint64_t drawn = p.state.height().value();
    advance(p.state, drawn + limits::dispute_blocks - 1);
    EXPECT_EQ(p.state.open_disputes().size(), 1U);
    advance(p.state, drawn + limits::dispute_blocks);
    EXPECT_TRUE(p.state.open_disputes().empty());
    EXPECT_EQ(p.state.court().verdict(call.id)->source, Verdict::Source::receipt);
}

// [COURT-FRAME.1] [DISPUTE-DRAWN.1] 21 of 64 lie together. Their caller asks them alone, call after call,
// and they answer at once while the honest say nothing: whom the caller picked changes nothing.
TEST(DrawnPanel, ChosenPanelsOfFriendsMoveNoDrawAndHarmNobody) {
    constexpr std::uint32_t seats = 64;
    constexpr std::uint32_t liars = 21;
    constexpr std::uint64_t rounds = 120;
    Panels p{seats, seats};
    std::vector<std::uint32_t> friends(liars);
    std::iota(friends.begin(), friends.end(), 0U);
    std::map<std::uint32_t, std::uint64_t> drawn;
    std::uint64_t of_friends = 0;
    for (std::uint64_t round = 0; round < rounds; ++round) {
        Call& call = p.calls.emplace_back(p.net, *p.caller, friends, most_of(friends), ++p.nonce);
        for (const std::uint32_t seat : friends)
            call.answered(p.net, seat, seat == 0 ? truth : lie);  // A dissent of their own.
        p.record(call);
        const auto opened = finalise(p.state, {}).opened;
        ASSERT_EQ(opened.size(), 1U) << "round " << round;
        std::vector<VertexPtr> answers;
        for (const std::uint32_t seat : p.seats_of(opened[0].panel)) {
            ++drawn[seat];
            if (seat >= liars) continue;
            ++of_friends;
            answers.push_back(
                p.net.vertex(seat, {p.net.operation(seat, call.answer_again(lie), late)})
            );
        }
        finalise(p.state, answers);
        ASSERT_EQ(p.state.open_disputes().size(), 1U) << "they decide nothing alone";
        advance(p.state, p.state.height().value() + limits::dispute_blocks);
        for (std::uint32_t seat = 0; seat < seats; ++seat)
            ASSERT_EQ(p.state.reputation(p.net.agent(seat)).dissented, 0U) << seat;
    }
    // 31 of 64: each seat about 58 times of 120, friends as others: 1,220 of 3,720 places.
    EXPECT_EQ(drawn.size(), seats);
    for (const auto& [seat, times] : drawn) {
        EXPECT_GT(times, 30U) << seat;
        EXPECT_LT(times, 87U) << seat;
    }
    EXPECT_GT(of_friends, 1'100U);
    EXPECT_LT(of_friends, 1'340U);
}

// [DISPUTE-BAR.1] A contract that a third of the seats offers, and hardly anybody else.
TEST(DrawnPanel, WhereLiarsCouldBeMostOfThoseWhoOfferAllAreAsked) {
    constexpr std::uint32_t liars = 42;
    Panels p{128, liars + 8};
    const Call& call = p.call({1, 2, 3});
    const auto opened = p.record(call).opened;
    ASSERT_EQ(opened.size(), 1U) << "at once: nobody has to be drawn";
    EXPECT_EQ(opened[0].panel.size(), liars + 8);
    std::vector<VertexPtr> answers;
    for (std::uint32_t seat = 0; seat < liars; ++seat)
        answers.push_back(p.net.vertex(seat, {p.net.operation(seat, call.answer_again(lie), late)})
        );
    finalise(p.state, answers);
    EXPECT_EQ(p.state.open_disputes().size(), 1U) << "one honest seat has to say the same";
    Panels few{128, liars};
    EXPECT_TRUE(few.record(few.call({1, 2, 3})).opened.empty()) << "t + 1 are not there";
    finalise(few.state, {});
    EXPECT_TRUE(few.state.open_disputes().empty());
}

// Whoever begins to offer the contract after the epoch began may know the call.
TEST(DrawnPanel, WhoOfferedBeforeTheEpochBeganIsAsked) {
    Panels p{12, 6, 8};
    EXPECT_EQ(p.record(p.call({1, 2, 3})).opened[0].panel.size(), 6U) << "the first epoch: at once";
    advance(p.state, 8);
    p.offer(6, 9);
    const auto early = p.record(p.call({1, 2, 3})).opened;
    ASSERT_EQ(early.size(), 1U);
    EXPECT_EQ(p.seats_of(early[0].panel), (std::vector<std::uint32_t>{0, 1, 2, 3, 4, 5}));
    p.offer(0, 9);  // The same list again is no other offer.
    auto restored = FinalState::restore(p.state.snapshot(), p.state.mark(), p.net.roster);
    ASSERT_TRUE(restored.has_value()) << restored.error().message;
    const auto again = p.record(p.call({2, 3, 4})).opened;
    ASSERT_EQ(again.size(), 1U);
    EXPECT_EQ(again[0].panel.size(), 6U);
    advance(p.state, 16);
    const auto later = p.record(p.call({1, 2, 3})).opened;
    ASSERT_EQ(later.size(), 1U);
    EXPECT_EQ(later[0].panel.size(), 9U);
    // Too few did: all that offer it now, rather than nobody.
    Panels late_comers{12, 3, 8};
    advance(late_comers.state, 8);
    late_comers.offer(3, 12);
    const auto all = late_comers.record(late_comers.call({1, 2, 3})).opened;
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].panel.size(), 12U);
}

}  // namespace
}  // namespace creto
