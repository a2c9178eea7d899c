// TestSupport: an agent without a seat that calls tools, for tests of calls; tests only.
#pragma once

#include <gtest/gtest.h>

#include "node/node.hpp"
#include "tools/builtins.hpp"

namespace creto::calls_testing {

inline constexpr std::size_t self = 4;
inline constexpr std::size_t agents = 5;

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
            if (const auto* show = std::get_if<ShowPiece>(&effect)) shown_.push_back(show->shown);
            if (const auto* drop = std::get_if<Drop>(&effect)) dropped_.push_back(drop->peer);
            if (const auto* check = std::get_if<Check>(&effect)) checks.push_back(check->ticket);
            const auto* send = std::get_if<Send>(&effect);
            if (send == nullptr || send->channel != Channel::call) continue;
            for (std::size_t i = 0; i < agents; ++i) {
                if (send->to != id(i)) continue;
                const Message& said = *send->message.decoded();
                if (const auto* call = std::get_if<CallStart>(&said)) asked_.emplace_back(i, *call);
                if (const auto* cancel = std::get_if<CallCancel>(&said))
                    cancelled_.emplace_back(i, cancel->id);
                if (const auto* credit = std::get_if<CallCredit>(&said))
                    credits_.push_back(*credit);
            }
        }
        for (const Ticket ticket : checks)
            happen(CheckDone{ticket, 1});
    }
    void say(std::size_t i, const Message& message) {
        happen(Received{id(i), channel_of(message), encode_message(message)});
    }
    enum class Shows : std::uint8_t { no, yes };
    void call(const std::string& tool, std::optional<AgentId> agent = {}, Shows shows = Shows::no) {
        asked_.clear();
        cancelled_.clear();
        replies_.clear();
        shown_.clear();
        credits_.clear();
        happen(Command{
            Ticket{++command_},
            CallTool{
                .tool = tool,
                .arguments = "{}",
                .agent = agent,
                .timeout = Duration::from_s(2),
                .stream = shows == Shows::yes}});
    }
    /// Shows a text as whoever was asked in this place.
    void show(std::size_t place, std::uint64_t number, const std::string& text) {
        const auto [who, call] = asked_.at(place);
        say(who, CallPiece{call.id, number, 0, text_piece(text)});
    }
    /// What was shown so far: texts, "|" where the call began anew.
    [[nodiscard]] std::string shown() const {
        std::string out;
        for (const ShownPiece& one : shown_)
            out += one.piece ? one.piece->text : "|";
        return out;
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
    std::vector<ShownPiece> shown_;
    std::vector<CallCredit> credits_;
    std::vector<AgentId> dropped_;
};

}  // namespace creto::calls_testing
