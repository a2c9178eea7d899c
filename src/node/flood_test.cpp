// What a node takes from a peer: one over each limit, told apart by whether it is a request.
#include <gtest/gtest.h>
#include <set>

#include "node/node.hpp"

namespace creto {
namespace {

constexpr std::size_t seat = 1;      ///< Another seat than the node's own, 0.
constexpr std::size_t stranger = 4;  ///< From here on without a seat.
constexpr std::size_t agents = 4 + 40;

class Flooded : public ::testing::Test {
protected:
    Flooded() {
        for (std::size_t i = 0; i < agents; ++i) {
            std::array<std::uint8_t, 32> key{};
            key.fill(static_cast<std::uint8_t>(i + 1));
            signers_.push_back(scheme_.signer(KeySeed{key}));
        }
        Genesis genesis{.network = "flood"};
        for (std::uint32_t i = 0; i < 4; ++i)
            genesis.members.push_back({Seat{i}, id(i), "seat " + std::to_string(i)});
        roster_.emplace(genesis);
        NodeOptions& options = options_;
        options.genesis = genesis;
        options.name = "flooded";
        options.limits.calls = {.rate_per_s = 10, .burst = 10};
        options.limits.questions = {.rate_per_s = 20, .burst = 20};
        options.limits.messages = {.rate_per_s = 50, .burst = 50};
        options.limits.checks = {.rate_per_s = 5, .burst = 5};
        options.limits.group_peers = 2;
        options.limits.patience = {.rate_per_s = 1, .burst = 30};
        live_as(0);
    }
    void live_as(std::size_t i) {
        node_.emplace(options_, *signers_[i], log_);
        happen(Start{});
    }
    [[nodiscard]] const AgentId& id(std::size_t i) const { return signers_[i]->public_key(); }
    void happen(const Event& event) {
        for (Effect& effect : node_->on_event(event, now_)) {
            if (const auto* drop = std::get_if<Drop>(&effect)) dropped_.push_back(drop->peer);
            if (const auto* send = std::get_if<Send>(&effect)) sent_.push_back(*send);
            if (const auto* reply = std::get_if<Reply>(&effect))
                if (const auto* error = std::get_if<Error>(&*reply->body))
                    errors_.push_back(*error);
            if (std::holds_alternative<Execute>(effect)) ++executed_;
            if (std::holds_alternative<Check>(effect)) ++checked_;
        }
    }
    void say(std::size_t i, const Message& message) {
        happen(Received{id(i), channel_of(message), encode_message(message)});
    }
    template <class T>
    std::vector<T> said_to(std::size_t i) {
        std::vector<T> out;
        for (const Send& send : sent_)
            if (send.to == id(i))
                if (const auto* said = std::get_if<T>(&*send.message.decoded()))
                    out.push_back(*said);
        return out;
    }
    /// Who was asked to carry an operation of this node, in the order in which they were.
    std::vector<std::size_t> carriers() {
        std::vector<std::size_t> out;
        for (const Send& send : sent_)
            if (std::holds_alternative<OperationSubmit>(*send.message.decoded()))
                for (std::size_t i = 0; i < agents; ++i)
                    if (send.to == id(i)) out.push_back(i);
        return out;
    }
    /// What was asked last is refused by whom it was asked of.
    void refuse() {
        for (auto send = sent_.rbegin(); send != sent_.rend(); ++send) {
            const auto* asked = std::get_if<OperationSubmit>(&*send->message.decoded());
            if (asked == nullptr) continue;
            const OperationOutcome no{
                .operation = asked->operation.id(roster_->chain()),
                .state = OperationOutcome::State::refused,
                .reason = "busy"};
            const Message message = no;
            return happen(Received{send->to, channel_of(message), encode_message(message)});
        }
    }
    /// An agent without a seat hands over an operation, and has time.
    void hand_over_as_stranger() {
        live_as(stranger);
        for (std::size_t i = 0; i < 4; ++i)
            happen(PeerUp{id(i), {}});
        Submit submit{DataOperation{to_bytes("x")}};
        submit.timeout = Duration::from_s(600);
        happen(Command{Ticket{1}, submit});
    }
    void two_seconds_pass() {
        now_ = now_ + Duration::from_ms(2'100);
        happen(Woke{});
    }
    [[nodiscard]] std::uint64_t counter(const char* name) { return node_->status().counters[name]; }
    [[nodiscard]] Message operation(std::size_t i, std::uint64_t counter) const {
        Operation out;
        out.client = id(i);
        out.counter = counter;
        out.body = DataOperation{to_bytes("x")};
        out.expiry = Height{100};
        out.signature =
            signers_[i]->sign(SignDomain::operation, roster_->chain().value(), signing_bytes(out));
        return OperationSubmit{out};
    }
    [[nodiscard]] Message vote(std::uint64_t view) const {
        const VoteContent content{VoteKind::nullify, Epoch{1}, View{view}, View{}, BlockId{}};
        Vote out{content, Seat{seat}, {}};
        out.signature = signers_[seat]->sign(
            SignDomain::vote, roster_->chain().value(), signing_bytes(content)
        );
        return out;
    }

    TagScheme scheme_;
    SilentLog log_;
    NodeOptions options_;
    std::vector<std::unique_ptr<Signer>> signers_;
    std::optional<Roster> roster_;
    std::optional<Node> node_;
    Instant now_ = Instant{} + Duration::from_s(1);
    std::vector<AgentId> dropped_;
    std::vector<Send> sent_;
    std::vector<Error> errors_;
    std::size_t executed_ = 0;
    std::size_t checked_ = 0;
};

// [FLOOD-BUDGET.1]
TEST_F(Flooded, OneCallMoreIsToldWhenToComeAgainAndPatienceEnds) {
    happen(PeerUp{id(stranger), {}});
    for (std::uint64_t call = 1; call <= 11; ++call)
        say(stranger, CallStart{.id = call, .tool = "add", .timeout_ms = 1'000});
    EXPECT_EQ(executed_, 10U);
    auto answers = said_to<CallAnswer>(stranger);
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_EQ(answers[0].status, CallAnswer::Status::rate_limited);
    EXPECT_EQ(answers[0].text, "rate limited, retry after 101 ms");
    EXPECT_EQ(counter("refused_calls"), 1U);
    for (std::uint64_t call = 12; call <= 41 && dropped_.empty(); ++call)
        say(stranger, CallStart{.id = call, .tool = "add", .timeout_ms = 1'000});
    ASSERT_EQ(dropped_.size(), 1U);
    EXPECT_EQ(counter("peers_flooding"), 1U);
    happen(PeerDown{id(stranger)});
    dropped_.clear();
    happen(PeerUp{id(stranger), {}});
    EXPECT_EQ(dropped_.size(), 1U) << "it is not welcome yet";
    EXPECT_EQ(counter("peers_turned_away"), 1U);
    happen(PeerDown{id(stranger)});
    now_ = now_ + Duration::from_s(10);
    happen(PeerUp{id(stranger), {}});
    say(stranger, CallStart{.id = 99, .tool = "add", .timeout_ms = 1'000});
    EXPECT_EQ(executed_, 11U);
}

// [FLOOD-BUDGET.1]
TEST_F(Flooded, OneOperationMoreIsAnsweredAndWhatIsNoRequestIsNotHeard) {
    happen(PeerUp{id(stranger), {}});
    for (std::uint64_t i = 1; i <= 6; ++i)
        say(stranger, operation(stranger, i));
    EXPECT_EQ(checked_, 5U);
    const auto outcomes = said_to<OperationOutcome>(stranger);
    ASSERT_EQ(outcomes.size(), 1U);
    EXPECT_EQ(outcomes[0].state, OperationOutcome::State::refused);
    EXPECT_EQ(outcomes[0].reason, "rate limited, retry after 201 ms");
    EXPECT_EQ(counter("refused_checks"), 1U);
    happen(PeerUp{id(stranger + 1), {}});
    sent_.clear();
    for (std::uint64_t i = 1; i <= 21; ++i)
        say(stranger + 1, Probe{i, false, {}});
    EXPECT_EQ(said_to<Probe>(stranger + 1).size(), 20U);
    EXPECT_EQ(counter("refused_questions"), 1U);
    happen(PeerUp{id(stranger + 2), {}});
    for (std::uint64_t i = 1; i <= 51; ++i)
        say(stranger + 2, CallCancel{i});
    EXPECT_EQ(counter("refused_messages"), 1U);
    EXPECT_TRUE(dropped_.empty());
}

// [FLOOD-SEATS.1]
TEST_F(Flooded, ASeatsVotesAreHeardHoweverMuchItCalls) {
    happen(PeerUp{id(seat), {}});
    for (std::uint64_t call = 1; call <= 200; ++call)
        say(seat, CallStart{.id = call, .tool = "add", .timeout_ms = 1'000});
    EXPECT_EQ(executed_, 10U);
    const std::size_t answered = said_to<CallAnswer>(seat).size();
    EXPECT_GE(answered, 30U);
    EXPECT_LE(answered, 31U) << "then it is refused without a word";
    EXPECT_TRUE(dropped_.empty()) << "its votes come by the same link";
    for (std::uint64_t view = 1; view <= 20; ++view)
        say(seat, vote(view));
    EXPECT_EQ(checked_, 20U);
}

// [FLOOD-GROUP.1]
TEST_F(Flooded, FortyAgentsOfOneAddressGetTwoShares) {
    for (std::size_t i = stranger; i < agents; ++i) {
        happen(PeerUp{id(i), {}, "203.0.113.0/24"});
        say(i, CallStart{.id = 1, .tool = "add", .timeout_ms = 1'000});
    }
    EXPECT_EQ(executed_, 20U);
    happen(PeerUp{id(seat), {}, "203.0.113.0/24"});
    say(seat, CallStart{.id = 1, .tool = "add", .timeout_ms = 1'000});
    EXPECT_EQ(executed_, 21U) << "a seat belongs to no group";
}

// [SEAT-HANDED.1]
TEST_F(Flooded, AnAgentIsRefusedWhenThreeSeatsHaveRefusedAndNoneTwice) {
    for (std::uint64_t run = 0; run < 20; ++run) {
        live_as(stranger);
        sent_.clear();
        errors_.clear();
        for (std::size_t i = 0; i < 4; ++i)
            happen(PeerUp{id(i), {}});
        happen(Command{Ticket{run + 1}, Submit{DataOperation{to_bytes(std::to_string(run))}}});
        ASSERT_EQ(carriers().size(), 1U);
        refuse();
        refuse();
        ASSERT_EQ(carriers().size(), 3U);
        EXPECT_TRUE(errors_.empty());
        refuse();
        const auto asked = carriers();
        EXPECT_EQ(asked.size(), 3U);
        EXPECT_EQ((std::set(asked.begin(), asked.end()).size()), 3U) << "another one each time";
        ASSERT_EQ(errors_.size(), 1U);
        EXPECT_EQ(errors_[0].message, "busy");
    }
}

// [SEAT-HANDED.1]
TEST_F(Flooded, AnAgentIsNotRefusedWhileASeatThatWasHandedItIsSilent) {
    hand_over_as_stranger();
    ASSERT_EQ(carriers().size(), 1U);
    const std::size_t silent = carriers()[0];
    std::set<std::size_t> refused;
    for (int round = 0; round < 100 && refused.size() < 3; ++round) {
        const std::size_t asked = carriers().back();
        if (asked != silent && refused.insert(asked).second) {
            refuse();
        } else {
            two_seconds_pass();
        }
    }
    EXPECT_EQ(refused.size(), 3U) << "each is asked in its turn";
    EXPECT_TRUE(errors_.empty()) << "the silent one may have it in its lane";
}

// Three had no quorum yet, and the fourth swallowed what it was handed: life 40012872. [SEAT-HANDED.1]
TEST_F(Flooded, WhoRefusedIsAskedAgainThoughAnotherSeatIsSilent) {
    hand_over_as_stranger();
    const std::size_t silent = carriers().back();
    for (int round = 0; round < 4; ++round) {
        if (carriers().back() != silent) refuse();
        two_seconds_pass();
    }
    sent_.clear();
    for (int round = 0; round < 8; ++round)
        two_seconds_pass();
    const auto asked = carriers();
    EXPECT_EQ(asked.size(), 8U);
    EXPECT_EQ(std::set(asked.begin(), asked.end()).size(), 4U);
    EXPECT_TRUE(errors_.empty());
}

// [SEAT-HANDED.1]
TEST_F(Flooded, AnAgentIsRefusedWhenAllThatItStillReachesHaveRefused) {
    hand_over_as_stranger();
    ASSERT_EQ(carriers().size(), 1U);
    const std::size_t first = carriers()[0];
    happen(PeerDown{id((first + 1) % 4)});
    happen(PeerDown{id((first + 2) % 4)});
    refuse();
    EXPECT_EQ(carriers().back(), (first + 3) % 4);
    EXPECT_TRUE(errors_.empty());
    refuse();
    ASSERT_EQ(errors_.size(), 1U);
    EXPECT_EQ(errors_[0].message, "busy");
}

}  // namespace
}  // namespace creto
