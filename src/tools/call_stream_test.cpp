// What tools show while they work, between a caller and a provider.
#include <gtest/gtest.h>

#include "tools/call_client.hpp"
#include "tools/call_server.hpp"
#include "tools/test_support.hpp"

namespace creto {
namespace {

using call_testing::at_ms;

constexpr std::uint32_t window = limits::stream_window_bytes;

/// A provider that runs one call of a peer who grants so much.
class Provider : public ::testing::Test {
protected:
    Provider() {
        for (std::uint8_t i = 0; i < 3; ++i) {
            std::array<std::uint8_t, 32> seed{};
            seed.fill(static_cast<std::uint8_t>(i + 1));
            signers_.push_back(scheme_.signer(KeySeed{seed}));
        }
        make({});
    }
    void make(const PeerLimits& limits) {
        budget_.emplace(self(), limits);
        server_.emplace(ChainId{blake3(as_bytes("c"))}, self(), *signers_[0], *budget_);
    }
    [[nodiscard]] const AgentId& self() const { return signers_[0]->public_key(); }
    [[nodiscard]] const AgentId& caller() const { return signers_[1]->public_key(); }

    Execute start(std::uint32_t credit, std::uint64_t id = 1) {
        const CallStart call{.id = id, .tool = "t", .timeout_ms = 60'000, .credit = credit};
        server_->on_start(caller(), call, now_, effects_);
        return std::get<Execute>(effects_.take().at(0));
    }
    void show(const Execute& run, std::vector<Piece> pieces) {
        server_->on_emitted({run.ticket, std::move(pieces)}, now_, effects_);
        hear();
    }
    void hear() {
        for (const Effect& effect : effects_.take()) {
            const auto* send = std::get_if<Send>(&effect);
            if (send == nullptr) continue;
            const Message said = *send->message.decoded();
            if (const auto* piece = std::get_if<CallPiece>(&said)) pieces_.push_back(*piece);
            if (const auto* answer = std::get_if<CallAnswer>(&said)) answers_.push_back(*answer);
        }
    }
    void end(const Execute& run, const std::string& result = "42") {
        server_->on_executed({run.ticket, CallAnswer::Status::result, result}, now_, effects_);
        hear();
    }
    void grant(std::uint32_t bytes, std::uint64_t id = 1) {
        server_->on_credit(caller(), {id, bytes}, now_, effects_);
        hear();
    }
    /// A value of so many bytes in all.
    static Piece value_of(std::size_t cost) {
        return json_piece(Json{std::string(cost - limits::piece_overhead_bytes - 2, 'v')});
    }

    TagScheme scheme_;
    std::vector<std::unique_ptr<Signer>> signers_;
    std::optional<PeerBudget> budget_;
    std::optional<CallServer> server_;
    Effects effects_;
    Instant now_ = at_ms(1'000);
    std::vector<CallPiece> pieces_;
    std::vector<CallAnswer> answers_;
};

// [CALL-STREAM.1]
TEST_F(Provider, SendsWhatIsShownInOrderAndThenTheAnswer) {
    const Execute run = start(window);
    EXPECT_TRUE(run.shows);
    show(run, {text_piece("a")});
    show(run, {progress_piece(1, 2), json_piece(Json{7})});
    ASSERT_EQ(pieces_.size(), 3U);
    for (std::uint64_t i = 0; i < 3; ++i) {
        EXPECT_EQ(pieces_[i].number, i + 1);
        EXPECT_EQ(pieces_[i].lost, 0U);
    }
    EXPECT_EQ(pieces_[2].piece.text, "7");
    end(run);
    ASSERT_EQ(answers_.size(), 1U);
    EXPECT_EQ(answers_[0].text, "42");
    EXPECT_EQ(answers_[0].pieces_lost, 0U);
    show(run, {text_piece("late")});
    EXPECT_EQ(pieces_.size(), 3U) << "the call is over";
}

TEST_F(Provider, ShowsNothingToWhoDidNotAsk) {
    const Execute run = start(0);
    EXPECT_FALSE(run.shows);
    show(run, {text_piece("a")});
    grant(window);
    show(run, {text_piece("b")});
    end(run);
    EXPECT_TRUE(pieces_.empty());
    EXPECT_EQ(answers_.at(0).pieces_lost, 0U);
}

// [CALL-STREAM.2] [CALL-STREAM.1]
TEST_F(Provider, NeverSendsMoreThanWasGrantedAndAnswersAllTheSame) {
    const Execute run = start(1'000);
    show(run, {value_of(500), value_of(500), value_of(400)});
    EXPECT_EQ(pieces_.size(), 2U);
    grant(399);
    EXPECT_EQ(pieces_.size(), 2U) << "one byte short";
    grant(1);
    EXPECT_EQ(pieces_.size(), 3U);
    show(run, {value_of(500), value_of(500)});
    end(run);
    EXPECT_EQ(pieces_.size(), 3U);
    ASSERT_EQ(answers_.size(), 1U) << "it waits for nobody who does not read";
    EXPECT_EQ(answers_[0].text, "42");
    EXPECT_EQ(answers_[0].pieces_lost, 2U);
    EXPECT_EQ(server_->counters().pieces_lost, 2U);
    // However much is granted, no more is owed at a time.
    const Execute other = start(window, 2);
    for (int i = 0; i < 10; ++i)
        grant(limits::stream_credit_max, 2);
    std::size_t sent = 0;
    pieces_.clear();
    for (int i = 0; i < 300; ++i) {
        now_ = now_ + Duration::from_s(1);
        show(other, {value_of(limits::piece_bytes_max)});
    }
    for (const CallPiece& piece : pieces_)
        sent += cost_of(piece.piece);
    EXPECT_LE(sent, limits::stream_credit_max);
    EXPECT_GT(sent, limits::stream_credit_max - limits::piece_bytes_max);
}

// [CALL-STREAM.3]
TEST_F(Provider, HoldsNoMoreForASlowReaderThanTheLimitAndChargesTheReaderForIt) {
    const std::uint64_t before = budget_->held(caller());
    const Execute run = start(100);
    EXPECT_EQ(budget_->held(caller()), before + limits::stream_held_bytes);
    for (int i = 0; i < 1'000; ++i)
        show(run, {text_piece(std::string(1'000, 'x'))});
    EXPECT_TRUE(pieces_.empty());
    grant(limits::stream_credit_max);
    std::size_t held = 0;
    for (const CallPiece& piece : pieces_)
        held += cost_of(piece.piece);
    EXPECT_LE(held, limits::stream_held_bytes);
    EXPECT_GT(held, limits::stream_held_bytes / 2);
    EXPECT_LE(pieces_.size(), 3U) << "texts that wait become one";
    pieces_.clear();
    show(run, {text_piece("on it goes")});
    ASSERT_EQ(pieces_.size(), 1U);
    EXPECT_GT(pieces_[0].lost, 900U);
    end(run);
    EXPECT_EQ(budget_->held(caller()), before);
    // Who may hold no more has one such call less.
    make({.held_bytes = limits::stream_held_bytes + 10});
    (void)start(100, 1);
    server_->on_start(
        caller(), {.id = 2, .tool = "t", .timeout_ms = 60'000, .credit = 1}, now_, effects_
    );
    hear();
    EXPECT_EQ(answers_.back().status, CallAnswer::Status::rate_limited);
}

// [CALL-STREAM.2]
TEST_F(Provider, SendsNoMorePiecesASecondThanTheLimit) {
    const Execute run = start(limits::stream_credit_max);
    const auto burst = static_cast<std::size_t>(limits::stream_pieces_burst);
    for (std::size_t i = 0; i < burst + 10; ++i)
        show(run, {text_piece("."), json_piece(Json{static_cast<std::int64_t>(i)})});
    EXPECT_EQ(pieces_.size(), burst);
    const Instant due = server_->next_wake();
    EXPECT_EQ(due, now_ + Duration::from_ms(5)) << "200 a second";
    now_ = due;
    server_->on_time(now_, effects_);
    hear();
    EXPECT_EQ(pieces_.size(), burst + 1);
    now_ = now_ + Duration::from_s(1);
    server_->on_time(now_, effects_);
    hear();
    EXPECT_EQ(pieces_.size(), 2 * burst + 1) << "no more at once";
    end(run);
    EXPECT_EQ(pieces_.size(), 2 * (burst + 10)) << "at the end there is nothing to wait for";
    EXPECT_EQ(answers_.at(0).pieces_lost, 0U);
    EXPECT_GT(server_->next_wake(), now_ + Duration::from_s(100));
}

TEST_F(Provider, ForgetsTheStreamWithItsCall) {
    const Execute cancelled = start(window, 1);
    const Execute late = start(100, 2);
    const Execute lost = start(window, 3);
    for (int i = 0; i < 100; ++i) {
        show(cancelled, {json_piece(Json{i})});
        show(late, {json_piece(Json{i})});
        show(lost, {json_piece(Json{i})});
    }
    pieces_.clear();
    server_->on_cancel(caller(), {1}, effects_);
    hear();
    show(cancelled, {text_piece("x")});
    now_ = now_ + Duration::from_s(60);
    server_->on_time(now_, effects_);
    hear();
    EXPECT_FALSE(answers_.empty()) << "the deadline";
    server_->on_peer_down(caller(), effects_);
    hear();
    const std::size_t seen = pieces_.size();
    show(late, {text_piece("x")});
    show(lost, {text_piece("x")});
    grant(window, 1);
    grant(window, 2);
    grant(window, 3);
    EXPECT_EQ(pieces_.size(), seen);
    EXPECT_EQ(server_->under_way(), 0U);
    EXPECT_EQ(server_->next_wake(), Instant::max());
    EXPECT_EQ(budget_->held(caller()), 0U);
}

/// The caller's side; the test speaks for the provider.
class Reader : public ::testing::Test {
protected:
    Reader() {
        std::array<std::uint8_t, 32> seed{};
        for (auto& agent : {&provider_, &other_}) {
            ++seed[0];
            *agent = scheme_.signer(KeySeed{seed})->public_key();
        }
    }
    std::uint64_t start(std::uint32_t credit, CallClient::Repeat repeat = CallClient::Repeat::no) {
        CallStart call{.tool = "t", .credit = credit};
        EXPECT_TRUE(client_.start(7, provider_, call, at_ms(60'000), effects_, repeat));
        return sent<CallStart>().at(0).id;
    }
    template <class T>
    std::vector<T> sent() {
        std::vector<T> out;
        for (const Effect& effect : effects_.take()) {
            const Message said = *std::get<Send>(effect).message.decoded();
            if (const auto* one = std::get_if<T>(&said)) out.push_back(*one);
        }
        return out;
    }
    CallClient::PieceFate take(std::uint64_t id, std::uint64_t number, std::size_t bytes = 10) {
        return client_.on_piece(provider_, {id, number, 0, text_piece(std::string(bytes, 'x'))})
            .fate;
    }
    using Fate = CallClient::PieceFate;

    TagScheme scheme_;
    AgentId provider_;
    AgentId other_;
    CallClient client_;
    Effects effects_;
};

// [CALL-STREAM.2]
TEST_F(Reader, CountsEachPieceOfItsProviderOnceAndNoOthers) {
    const std::uint64_t id = start(window);
    EXPECT_EQ(take(id, 1), Fate::counts);
    EXPECT_EQ(take(id, 1), Fate::late);
    EXPECT_EQ(take(id + 1, 1), Fate::late) << "nobody asked";
    EXPECT_EQ(client_.on_piece(other_, {id, 2, 0, text_piece("x")}).fate, Fate::late);
    const auto after_a_gap = client_.on_piece(provider_, {id, 4, 5, text_piece("x")});
    EXPECT_EQ(after_a_gap.fate, Fate::counts);
    EXPECT_EQ(after_a_gap.lost, 7U) << "five there, and two that never came";
    const auto finished = client_.on_answer(provider_, {.id = id, .text = "1", .pieces_lost = 6});
    ASSERT_TRUE(finished);
    EXPECT_EQ(finished->pieces_lost, 8U);
    EXPECT_EQ(take(id, 5), Fate::late);
}

// [CALL-STREAM.2]
TEST_F(Reader, TakesExactlyWhatItGrantedAndGrantsWhatWasRead) {
    const std::uint64_t id = start(1'000);
    EXPECT_EQ(take(id, 1, 1'000 - limits::piece_overhead_bytes), Fate::counts);
    EXPECT_EQ(take(id, 2, 0), Fate::over_credit);
    client_.took(provider_, id, 249, effects_);
    EXPECT_TRUE(sent<CallCredit>().empty()) << "a quarter at a time";
    client_.took(other_, id, 900, effects_);
    EXPECT_TRUE(sent<CallCredit>().empty());
    client_.took(provider_, id, 1, effects_);
    const auto granted = sent<CallCredit>();
    ASSERT_EQ(granted.size(), 1U);
    EXPECT_EQ(granted[0], (CallCredit{id, 250}));
    EXPECT_EQ(take(id, 2, 250 - limits::piece_overhead_bytes + 1), Fate::over_credit);
    EXPECT_EQ(take(id, 2, 250 - limits::piece_overhead_bytes), Fate::counts);
    client_.took(provider_, id, 1'000'000, effects_);
    EXPECT_EQ(sent<CallCredit>().at(0).bytes, 1'000U) << "never more than was taken from it";
    const std::uint64_t silent = start(0);
    EXPECT_EQ(take(silent, 1), Fate::over_credit) << "it was granted nothing";
}

// [CALL-STREAM.4]
TEST_F(Reader, ACallThatIsSentAgainTakesNoPiecesOfItsFirstRun) {
    const std::uint64_t first = start(window, CallClient::Repeat::yes);
    EXPECT_EQ(take(first, 1), Fate::counts);
    EXPECT_TRUE(client_.on_peer_down(provider_, at_ms(10)).empty());
    const auto again = client_.on_peer_up(provider_, at_ms(20), effects_);
    ASSERT_EQ(again.size(), 1U);
    EXPECT_EQ(again[0].token, 7U);
    std::uint64_t second = 0;
    bool is_cancelled = false;
    for (const Effect& effect : effects_.take()) {
        const Message said = *std::get<Send>(effect).message.decoded();
        if (const auto* call = std::get_if<CallStart>(&said)) {
            second = call->id;
            EXPECT_EQ(call->credit, window);
        }
        const auto* cancel = std::get_if<CallCancel>(&said);
        is_cancelled = is_cancelled || (cancel != nullptr && cancel->id == first);
    }
    EXPECT_TRUE(is_cancelled);
    EXPECT_NE(second, first);
    EXPECT_EQ(take(first, 2), Fate::late);
    EXPECT_EQ(take(second, 1), Fate::counts);
    EXPECT_EQ(client_.next_wake(), at_ms(60'000)) << "the deadline is the same";
    EXPECT_TRUE(client_.on_answer(provider_, {.id = second, .text = "1"}));
    EXPECT_EQ(client_.under_way(), 0U);
    EXPECT_EQ(client_.next_wake(), Instant::max());
}

}  // namespace
}  // namespace creto
