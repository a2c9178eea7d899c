// What a caller checks of the answers to a verified call, and what it does not.
#include <algorithm>
#include <gtest/gtest.h>

#include "node/node.hpp"
#include "tools/call_server.hpp"

namespace creto {
namespace {

constexpr std::size_t panel = 7;
constexpr std::size_t bar = 5;

/// A caller without a seat, and seven seats that a test speaks for.
class VerifiedCaller {
public:
    VerifiedCaller() {
        for (std::size_t i = 0; i <= panel; ++i) {
            std::array<std::uint8_t, 32> seed{};
            seed.fill(static_cast<std::uint8_t>(i + 1));
            signers_.push_back(scheme_.signer(KeySeed{seed}));
        }
        Genesis genesis{.network = "calls"};
        for (std::size_t i = 0; i < panel; ++i) {
            const Seat seat{static_cast<std::uint32_t>(i)};
            genesis.members.push_back({seat, id(i), "seat " + std::to_string(i)});
        }
        contract_.flags = ContractSummary::deterministic | ContractSummary::pinned;
        roster_.emplace(genesis);
        node_.emplace(NodeOptions{.genesis = genesis, .name = "caller"}, *signers_[panel], log_);
        (void)happen(Start{});
        for (std::size_t i = 0; i < panel; ++i)
            introduce(i);
    }

    [[nodiscard]] const AgentId& id(std::size_t i) const { return signers_[i]->public_key(); }

    std::vector<Effect> happen(const Event& event) {
        now_ = now_ + Duration::from_us(10);
        return node_->on_event(event, now_);
    }

    /// Asks, and keeps what each member was sent.
    void ask(bool record) {
        asked_.clear();
        const CallVerified call{.tool = "multiply", .arguments = "{}", .record = record};
        for (const Effect& effect : happen(Command{Ticket{77}, call})) {
            const auto* send = std::get_if<Send>(&effect);
            if (send == nullptr || send->channel != Channel::call) continue;
            asked_[send->to] = std::get<CallStart>(*decode_message(*send->message));
        }
    }
    [[nodiscard]] std::size_t asked() const { return asked_.size(); }

    /// Member i's answer arrives. Its check, if the caller wants one.
    std::optional<Ticket> answers(std::size_t i, const std::string& text = "6") {
        PeerBudget budget{id(i), {}};
        CallServer server{roster_->chain(), id(i), *signers_[i], budget};
        Effects effects;
        server.on_verified_start(id(panel), asked_.at(id(i)), now_, effects);
        const auto started = effects.take();
        const Ticket ticket = std::get<Execute>(started.at(0)).ticket;
        server.on_executed({ticket, CallAnswer::Status::result, text}, now_, effects);
        const auto sent = effects.take();
        return check_in(happen(Received{id(i), Channel::call, std::get<Send>(sent.at(0)).message}));
    }
    /// The host has checked it.
    void checked(Ticket ticket, bool good) { later_ = happen(CheckDone{ticket, good ? 1U : 0U}); }
    void gone(std::size_t i) { later_ = happen(PeerDown{id(i)}); }

    /// What the last checked() or gone() caused.
    [[nodiscard]] const VerifiedReply* reply() const {
        for (const Effect& effect : later_) {
            if (const auto* reply = std::get_if<Reply>(&effect))
                return std::get_if<VerifiedReply>(&*reply->body);
        }
        return nullptr;
    }
    [[nodiscard]] std::vector<Ticket> checks() const {
        std::vector<Ticket> out;
        for (const Effect& effect : later_) {
            if (const auto* check = std::get_if<Check>(&effect)) out.push_back(check->ticket);
        }
        return out;
    }

private:
    static std::optional<Ticket> check_in(const std::vector<Effect>& effects) {
        for (const Effect& effect : effects) {
            if (const auto* check = std::get_if<Check>(&effect)) return check->ticket;
        }
        return std::nullopt;
    }
    void introduce(std::size_t i) {
        AgentRecord record{
            .agent = id(i),
            .version = 1,
            .name = "seat " + std::to_string(i),
            .seat = Seat{static_cast<std::uint32_t>(i)},
            .tools = {{.name = "multiply", .contract = contract_}},
            .lifetime_ms = 60'000};
        record.signature = signers_[i]->sign(
            SignDomain::agent_record, roster_->chain().value(), signing_bytes(record)
        );
        (void)happen(PeerUp{id(i), ""});
        const Message message = RecordBatch{{record}};
        const auto ticket =
            check_in(happen(Received{id(i), channel_of(message), encode_message(message)}));
        ASSERT_TRUE(ticket.has_value());
        (void)happen(CheckDone{*ticket, 1});
    }

    TagScheme scheme_;
    std::vector<std::unique_ptr<Signer>> signers_;
    ContractSummary contract_;
    std::optional<Roster> roster_;
    SilentLog log_;
    std::optional<Node> node_;
    Instant now_ = Instant::from_ns(0);
    std::map<AgentId, CallStart> asked_;
    std::vector<Effect> later_;
};

// [CALL-ENOUGH.1]
TEST(VerifiedCalls, OnlyAsManyEqualAnswersAreCheckedAsDecide) {
    VerifiedCaller caller;
    caller.ask(false);
    ASSERT_EQ(caller.asked(), panel);
    std::vector<Ticket> tickets;
    for (std::size_t i = 0; i < panel; ++i) {
        if (const auto ticket = caller.answers(i)) tickets.push_back(*ticket);
    }
    ASSERT_EQ(tickets.size(), bar);
    for (std::size_t i = 0; i + 1 < bar; ++i) {
        caller.checked(tickets[i], true);
        EXPECT_EQ(caller.reply(), nullptr);
    }
    caller.checked(tickets.back(), true);
    ASSERT_NE(caller.reply(), nullptr);
    EXPECT_EQ(caller.reply()->receipt.answers.size(), bar);
    EXPECT_TRUE(caller.checks().empty()) << "two more voices would change nothing";
}

// [CALL-ENOUGH.1] The record shows all who answered: the rest is checked once the caller has its reply.
TEST(VerifiedCalls, ForTheRecordTheOthersAreCheckedAfterTheReply) {
    VerifiedCaller caller;
    caller.ask(true);
    std::vector<Ticket> tickets;
    for (std::size_t i = 0; i < panel; ++i) {
        if (const auto ticket = caller.answers(i)) tickets.push_back(*ticket);
    }
    ASSERT_EQ(tickets.size(), bar);
    for (const Ticket ticket : tickets)
        caller.checked(ticket, true);
    ASSERT_NE(caller.reply(), nullptr);
    EXPECT_EQ(caller.checks().size(), panel - bar);
}

// [CALL-ENOUGH.2] Whoever fails, the next is checked in its place.
TEST(VerifiedCalls, AWrongSignatureOrALostMemberLetsAnotherAnswerIn) {
    VerifiedCaller caller;
    caller.ask(false);
    std::vector<Ticket> tickets;
    for (std::size_t i = 0; i < panel; ++i) {
        if (const auto ticket = caller.answers(i)) tickets.push_back(*ticket);
    }
    caller.checked(tickets[0], false);
    ASSERT_EQ(caller.checks().size(), 1U);
    tickets[0] = caller.checks().front();
    caller.gone(1);
    ASSERT_EQ(caller.checks().size(), 1U);
    tickets[1] = caller.checks().front();
    for (const Ticket ticket : tickets)
        caller.checked(ticket, true);
    ASSERT_NE(caller.reply(), nullptr);
    EXPECT_EQ(caller.reply()->result, "6");
}

// [CALL-ENOUGH.2] One agent that answers many times does not stand in for others.
TEST(VerifiedCalls, ManyAnswersOfOneMemberAreOne) {
    VerifiedCaller caller;
    caller.ask(false);
    std::vector<Ticket> tickets;
    for (std::size_t n = 0; n < bar; ++n) {
        if (const auto ticket = caller.answers(0)) tickets.push_back(*ticket);
    }
    ASSERT_EQ(tickets.size(), 1U);
    for (std::size_t i = 1; i < bar; ++i) {
        const auto ticket = caller.answers(i);
        ASSERT_TRUE(ticket.has_value()) << i;
        tickets.push_back(*ticket);
    }
    for (const Ticket ticket : tickets)
        caller.checked(ticket, true);
    ASSERT_NE(caller.reply(), nullptr);
}

// [CALL-ENOUGH.1] What says something else is always looked at.
TEST(VerifiedCalls, ADifferentAnswerIsCheckedAlsoAfterTheDecision) {
    VerifiedCaller caller;
    caller.ask(false);
    for (std::size_t i = 0; i < bar; ++i)
        caller.checked(caller.answers(i).value(), true);
    ASSERT_NE(caller.reply(), nullptr);
    EXPECT_FALSE(caller.answers(5).has_value());
    EXPECT_TRUE(caller.answers(6, "7").has_value());
}

}  // namespace
}  // namespace creto
