// Plain calls of a node: asked elsewhere when one refuses or is slow, where calling twice is harmless.
#include <gtest/gtest.h>

#include "node/node.hpp"
#include "tools/builtins.hpp"

namespace creto {
namespace {

constexpr std::size_t self = 4;
constexpr std::size_t agents = 5;

/// An agent without a seat; the test speaks for four seats, of which some offer tools.
class Caller : public ::testing::Test {
protected:
    Caller() {
        for (std::size_t i = 0; i < agents; ++i) {
            std::array<std::uint8_t, 32> key{};
            key.fill(static_cast<std::uint8_t>(i + 1));
            signers_.push_back(scheme_.signer(KeySeed{key}));
        }
        Genesis genesis{.network = "calls"};
        for (std::uint32_t i = 0; i < 4; ++i)
            genesis.members.push_back({Seat{i}, id(i), "seat " + std::to_string(i)});
        roster_.emplace(genesis);
        node_.emplace(NodeOptions{.genesis = genesis, .name = "caller"}, *signers_[self], log_);
        happen(Start{});
        for (Tool& tool : builtin_tools()) {
            if (tool.name() != "add") continue;
            safe_ = tool.offer();
            Contract contract = tool.contract();
            contract.name = "once";
            contract.idempotent = false;
            once_ = Tool::make(contract, "", {})->offer();
            contract = tool.contract();
            contract.version = "9.9.9";
            other_ = Tool::make(contract, "", {})->offer();
        }
    }
    void offer(std::size_t i, std::vector<ToolOffer> tools) {
        happen(PeerUp{id(i), {}});
        AgentRecord record{.agent = id(i), .version = 10, .name = "n" + std::to_string(i)};
        record.lifetime_ms = 3'600'000;
        record.tools = std::move(tools);
        record.signature = signers_[i]->sign(
            SignDomain::agent_record, roster_->chain().value(), signing_bytes(record)
        );
        say(i, RecordBatch{{record}});
    }
    [[nodiscard]] const AgentId& id(std::size_t i) const { return signers_[i]->public_key(); }
    void happen(const Event& event) {
        std::vector<Ticket> checks;
        for (Effect& effect : node_->on_event(event, now_)) {
            if (const auto* wake = std::get_if<WakeAt>(&effect)) wake_ = wake->at;
            if (const auto* reply = std::get_if<Reply>(&effect)) replies_.push_back(*reply->body);
            if (const auto* check = std::get_if<Check>(&effect)) checks.push_back(check->ticket);
            const auto* send = std::get_if<Send>(&effect);
            if (send == nullptr || send->channel != Channel::call) continue;
            for (std::size_t i = 0; i < agents; ++i) {
                if (send->to != id(i)) continue;
                const Message& said = *send->message.decoded();
                if (const auto* call = std::get_if<CallStart>(&said)) asked_.emplace_back(i, *call);
                if (const auto* cancel = std::get_if<CallCancel>(&said))
                    cancelled_.emplace_back(i, cancel->id);
            }
        }
        for (const Ticket ticket : checks)
            happen(CheckDone{ticket, 1});
    }
    void say(std::size_t i, const Message& message) {
        happen(Received{id(i), channel_of(message), encode_message(message)});
    }
    void call(const std::string& tool, std::optional<AgentId> agent = {}) {
        asked_.clear();
        cancelled_.clear();
        replies_.clear();
        happen(Command{
            Ticket{++command_},
            CallTool{
                .tool = tool, .arguments = "{}", .agent = agent, .timeout = Duration::from_s(2)}});
    }
    void answer(std::size_t place, CallAnswer::Status status, const std::string& text = "3") {
        const auto [who, call] = asked_.at(place);
        say(who, CallAnswer{.id = call.id, .status = status, .text = text});
    }
    void pass(Duration span) {
        const Instant end = now_ + span;
        while (wake_ <= end) {
            now_ = std::max(now_, wake_);
            wake_ = Instant::max();
            happen(Woke{});
        }
        now_ = end;
    }
    [[nodiscard]] std::string said() const {
        if (replies_.empty()) return "nothing";
        if (const auto* result = std::get_if<CallReply>(&replies_[0])) return result->result;
        return std::get<Error>(replies_[0]).message;
    }
    [[nodiscard]] std::uint64_t counter(const char* name) { return node_->status().counters[name]; }
    /// Calls that take ten milliseconds at whoever is asked.
    void learn(int calls) {
        for (int i = 0; i < calls; ++i) {
            call("add");
            pass(Duration::from_ms(10));
            answer(0, CallAnswer::Status::result);
            ASSERT_EQ(said(), "3");
        }
    }

    TagScheme scheme_;
    SilentLog log_;
    std::vector<std::unique_ptr<Signer>> signers_;
    std::optional<Roster> roster_;
    std::optional<Node> node_;
    ToolOffer safe_;
    ToolOffer once_;
    ToolOffer other_;
    Instant now_ = Instant{} + Duration::from_s(1);
    Instant wake_ = Instant::max();
    std::uint64_t command_ = 0;
    std::vector<std::pair<std::size_t, CallStart>> asked_;
    std::vector<std::pair<std::size_t, std::uint64_t>> cancelled_;
    std::vector<ReplyBody> replies_;
};

// [CALL-AGAIN.1]
TEST_F(Caller, WhoIsRefusedAsksAnotherThatOffersTheSame) {
    offer(0, {safe_});
    offer(1, {safe_});
    call("add");
    ASSERT_EQ(asked_.size(), 1U);
    answer(0, CallAnswer::Status::rate_limited, "rate limited, retry after 5 ms");
    ASSERT_EQ(asked_.size(), 2U);
    EXPECT_NE(asked_[0].first, asked_[1].first);
    EXPECT_EQ(asked_[1].second.contract, safe_.contract.id());
    EXPECT_EQ(said(), "nothing");
    answer(1, CallAnswer::Status::result);
    EXPECT_EQ(said(), "3");
    EXPECT_EQ(counter("calls_retried"), 1U);
    call("add");
    answer(0, CallAnswer::Status::overloaded, "busy");
    answer(1, CallAnswer::Status::rate_limited, "rate limited, retry after 5 ms");
    EXPECT_EQ(asked_.size(), 2U);
    EXPECT_NE(said().find("retry after 5 ms"), std::string::npos) << "nobody is left";
    call("add");
    happen(PeerDown{id(asked_[0].first)});
    EXPECT_EQ(asked_.size(), 2U) << "who was lost is replaced as well";
}

// [CALL-AGAIN.1]
TEST_F(Caller, NobodyElseIsAskedWhatMayNotRunTwiceNorIsAnotherTool) {
    offer(0, {once_});
    offer(1, {once_});
    call("once");
    answer(0, CallAnswer::Status::overloaded, "busy");
    EXPECT_EQ(asked_.size(), 1U);
    EXPECT_NE(said().find("busy"), std::string::npos);
    offer(2, {safe_});
    offer(3, {safe_});
    call("add", id(2));
    answer(0, CallAnswer::Status::overloaded, "busy");
    EXPECT_EQ(asked_.size(), 1U) << "it was to be this agent";
    call("add");
    answer(0, CallAnswer::Status::tool_error, "no such number");
    EXPECT_EQ(asked_.size(), 1U) << "that is an answer";
    happen(PeerDown{id(3)});
    offer(0, {other_});
    for (int i = 0; i < 10; ++i) {
        call("add");
        const std::size_t first = asked_[0].first;
        answer(0, CallAnswer::Status::overloaded, "busy");
        EXPECT_EQ(asked_.size(), 1U) << "agent " << first << " offers another tool of this name";
    }
}

// [CALL-HEDGE.1]
TEST_F(Caller, WhoIsSlowerThanUsualIsHelpedAndTheLoserCancelled) {
    offer(0, {safe_});
    offer(1, {safe_});
    learn(100);
    EXPECT_EQ(counter("calls_hedged"), 0U);
    call("add");
    pass(Duration::from_ms(10));
    EXPECT_EQ(asked_.size(), 1U);
    pass(Duration::from_ms(1));
    ASSERT_EQ(asked_.size(), 2U);
    EXPECT_NE(asked_[0].first, asked_[1].first);
    EXPECT_EQ(asked_[1].second.contract, safe_.contract.id());
    answer(1, CallAnswer::Status::result, "4");
    EXPECT_EQ(said(), "4");
    ASSERT_EQ(cancelled_.size(), 1U);
    EXPECT_EQ(cancelled_[0].first, asked_[0].first);
    EXPECT_EQ(cancelled_[0].second, asked_[0].second.id);
    EXPECT_EQ(counter("calls_hedged"), 1U);
    answer(0, CallAnswer::Status::result, "5");
    EXPECT_EQ(replies_.size(), 1U) << "too late";
    // The first may win as well, and a refusal of one waits for the other.
    call("add");
    pass(Duration::from_ms(11));
    ASSERT_EQ(asked_.size(), 2U);
    answer(1, CallAnswer::Status::overloaded, "busy");
    EXPECT_EQ(said(), "nothing");
    answer(0, CallAnswer::Status::result, "6");
    EXPECT_EQ(said(), "6");
    EXPECT_TRUE(cancelled_.empty());
}

// [CALL-HEDGE.1]
TEST_F(Caller, WhereAllAreSlowNoMoreThanOneCallInTenIsMadeTwice) {
    offer(0, {safe_});
    offer(1, {safe_});
    learn(100);
    std::size_t twice = 0;
    for (int i = 0; i < 200; ++i) {
        call("add");
        pass(Duration::from_ms(11));
        twice += asked_.size() - 1;
        pass(Duration::from_s(3));
        ASSERT_NE(said(), "nothing");
    }
    EXPECT_LE(twice, 10U + 20U);
    EXPECT_GE(twice, 20U);
    EXPECT_EQ(counter("calls_hedged"), twice);
}

// [CALL-HEDGE.1]
TEST_F(Caller, NoSecondOneIsAskedForANamedAgentOrWhatMayNotRunTwice) {
    offer(0, {safe_, once_});
    offer(1, {safe_, once_});
    learn(100);
    call("add", id(0));
    pass(Duration::from_ms(500));
    EXPECT_EQ(asked_.size(), 1U);
    answer(0, CallAnswer::Status::result);
    for (int i = 0; i < 100; ++i) {
        call("once");
        answer(0, CallAnswer::Status::result);
    }
    call("once");
    pass(Duration::from_ms(500));
    EXPECT_EQ(asked_.size(), 1U);
    happen(Command{Ticket{999}, Cancel{Ticket{command_}}});
    EXPECT_EQ(cancelled_.size(), 1U);
}

}  // namespace
}  // namespace creto
