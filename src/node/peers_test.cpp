// What a node says of other agents: who is alive, how far away, how far behind; and forged words.
#include <gtest/gtest.h>
#include <set>

#include "node/node.hpp"

namespace creto {
namespace {

constexpr std::size_t others = 5;

/// A node without a seat; the test speaks for five agents, of which the first four have seats.
class Watcher : public ::testing::Test {
protected:
    Watcher() {
        for (std::size_t i = 0; i <= others; ++i) {
            std::array<std::uint8_t, 32> seed{};
            seed.fill(static_cast<std::uint8_t>(i + 1));
            signers_.push_back(scheme_.signer(KeySeed{seed}));
        }
        Genesis genesis{.network = "peers"};
        for (std::uint32_t i = 0; i < 4; ++i)
            genesis.members.push_back({Seat{i}, id(i), "seat " + std::to_string(i)});
        roster_.emplace(genesis);
        node_.emplace(NodeOptions{.genesis = genesis, .name = "watcher"}, *signers_[others], log_);
        happen(Start{});
        for (std::size_t i = 0; i < others; ++i) {
            happen(PeerUp{id(i), {}});
            AgentRecord record{.agent = id(i), .version = 10, .name = "n" + std::to_string(i)};
            record.lifetime_ms = 3'600'000;
            record.signature = signers_[i]->sign(
                SignDomain::agent_record, roster_->chain().value(), signing_bytes(record)
            );
            say(i, RecordBatch{{record}});
        }
    }

    [[nodiscard]] const AgentId& id(std::size_t i) const { return signers_[i]->public_key(); }
    [[nodiscard]] Alive alive(std::size_t i, std::uint64_t version) const {
        Alive out{id(i), version, {}};
        out.signature =
            signers_[i]->sign(SignDomain::alive, roster_->chain().value(), signing_bytes(out));
        return out;
    }

    void happen(const Event& event) {
        for (Effect& effect : node_->on_event(event, now_)) {
            if (const auto* wake = std::get_if<WakeAt>(&effect)) wake_ = wake->at;
            if (const auto* drop = std::get_if<Drop>(&effect)) dropped_.insert(drop->peer);
            if (const auto* notice = std::get_if<Publish>(&effect)) note(*notice->notice);
            if (const auto* answer = std::get_if<Reply>(&effect)) reply_ = *answer->body;
            if (const auto* send = std::get_if<Send>(&effect)) sent_.push_back(*send);
            if (const auto* check = std::get_if<Check>(&effect)) {
                CheckDone done{check->ticket};
                for (const CheckItem& item : check->items)
                    done.good += scheme_.verify(item.key, item.bytes, item.signature) ? 1 : 0;
                checks_.push_back(done);
            }
        }
        while (!checks_.empty()) {
            const CheckDone done = checks_.back();
            checks_.pop_back();
            happen(done);
        }
    }
    void say(std::size_t i, const Message& message) {
        happen(Received{id(i), channel_of(message), encode_message(message)});
    }
    void note(const Notice& notice) {
        if (const auto* a = std::get_if<AgentSuspected>(&notice))
            notes_ += "suspect " + a->name + "; ";
        if (const auto* a = std::get_if<AgentDead>(&notice)) notes_ += "dead " + a->name + "; ";
        if (const auto* a = std::get_if<AgentAlive>(&notice))
            notes_ += (a->was_dead ? "back " : "alive ") + a->name + "; ";
    }
    /// All that are not mute answer pings, 10 ms later.
    void run(std::int64_t seconds) {
        const Instant end = now_ + Duration::from_s(seconds);
        while (now_ < end) {
            const std::vector<Send> sent = std::exchange(sent_, {});
            now_ = now_ + Duration::from_ms(10);
            for (const Send& send : sent) {
                for (std::size_t i = 0; i < others; ++i) {
                    if (send.to != id(i) || mute_.contains(i)) continue;
                    if (const auto* ping = std::get_if<Ping>(&*send.message.decoded()))
                        say(i, PingAnswer{ping->nonce, {}});
                    if (const auto* ask = std::get_if<PingRequest>(&*send.message.decoded()))
                        say(i, PingReport{ask->nonce, std::nullopt});
                }
            }
            if (now_ >= wake_) {
                wake_ = Instant::max();
                happen(Woke{});
            }
        }
    }
    PeerView view(std::size_t i) {
        happen(Command{Ticket{1}, AskPeers{}});
        for (const PeerView& peer : std::get<PeersReply>(reply_).peers)
            if (peer.agent == id(i)) return peer;
        return {};
    }
    std::vector<Message> said_to(std::size_t i) {
        std::vector<Message> out;
        for (const Send& send : std::exchange(sent_, {}))
            if (send.to == id(i)) out.push_back(*send.message.decoded());
        return out;
    }

    TagScheme scheme_;
    SilentLog log_;
    std::vector<std::unique_ptr<Signer>> signers_;
    std::optional<Roster> roster_;
    std::optional<Node> node_;
    Instant now_ = Instant{} + Duration::from_s(1);
    Instant wake_ = Instant::max();
    std::set<AgentId> dropped_;
    std::vector<CheckDone> checks_;
    std::vector<Send> sent_;
    std::set<std::size_t> mute_;
    std::string notes_;
    ReplyBody reply_;
};

TEST_F(Watcher, ShowsWhoDiedAndWhoCameBack) {
    run(20);
    EXPECT_EQ(notes_, "");
    mute_.insert(4);
    run(60);
    EXPECT_EQ(notes_, "suspect n4; dead n4; ");
    EXPECT_EQ(view(4).state, AgentState::dead);
    EXPECT_EQ(view(3).state, AgentState::alive);
    EXPECT_LT(view(4).state_for, Duration::from_s(60));
    mute_.clear();
    say(4, Probe{1, false});
    EXPECT_EQ(notes_, "suspect n4; dead n4; back n4; ");
    EXPECT_EQ(view(4).state, AgentState::alive);
}

TEST_F(Watcher, ShowsRoundTripLagAndTheLastVote) {
    EXPECT_FALSE(view(1).round_trip);
    EXPECT_FALSE(view(1).lag);
    EXPECT_FALSE(view(1).voted);
    run(30);
    EXPECT_EQ(view(1).round_trip, Duration::from_ms(10));
    say(1, LaneSummary{Height{}, {}, true});
    EXPECT_EQ(view(1).lag, 0U);
    const VoteContent content{VoteKind::nullify, Epoch{1}, View{1}, View{}, BlockId{}};
    Vote vote{content, Seat{1}, {}};
    vote.signature =
        signers_[1]->sign(SignDomain::vote, roster_->chain().value(), signing_bytes(content));
    say(1, vote);
    EXPECT_EQ(view(1).voted, View{1});
    EXPECT_FALSE(view(4).seat);
}

TEST_F(Watcher, AnswersASuspicionOfItselfWithItsSignature) {
    sent_.clear();
    say(1, Ping{5, std::nullopt, {{{id(others), 1}}, {}}});
    const auto said = said_to(1);
    ASSERT_EQ(said.size(), 1U);
    const auto& answer = std::get<PingAnswer>(said[0]);
    EXPECT_EQ(answer.nonce, 5U);
    ASSERT_EQ(answer.rumours.alive.size(), 1U);
    EXPECT_GT(answer.rumours.alive[0].version, 1U);
    const auto item = signatures_of(answer.rumours.alive, roster_->chain())[0];
    EXPECT_TRUE(scheme_.verify(id(others), item.bytes, item.signature));
}

TEST_F(Watcher, AForgedAliveEndsTheLinkAndShowsNothing) {
    mute_.insert(4);
    run(60);
    ASSERT_EQ(view(4).state, AgentState::dead);
    Alive forged = alive(1, 99);
    forged.agent = id(4);
    say(1, Ping{5, std::nullopt, {{}, {forged}}});
    EXPECT_EQ(view(4).state, AgentState::dead);
    EXPECT_TRUE(dropped_.contains(id(1)));
    say(2, PingReport{5, forged});
    EXPECT_TRUE(dropped_.contains(id(2)));
    say(3, Ping{5, std::nullopt, {{}, {alive(4, 9)}}});
    EXPECT_EQ(view(4).state, AgentState::dead) << "older than its record";
    EXPECT_FALSE(dropped_.contains(id(3))) << "it was not even checked";
    say(3, Ping{6, std::nullopt, {{}, {alive(4, 11)}}});
    EXPECT_EQ(view(4).state, AgentState::alive);
}

TEST_F(Watcher, AFloodOfPingsIsNotAnsweredWithoutEnd) {
    sent_.clear();
    for (std::uint64_t i = 0; i < 1'000; ++i)
        say(1, Ping{i, std::nullopt, {}});
    EXPECT_LE(said_to(1).size(), 110U);
    EXPECT_GT(node_->status().counters["requests_rate_limited"], 800U);
}

// What a seat carries is in its vertex: a signature inside that does not hold would make it invalid.
// [SEAT-POSSESSION.1]
TEST_F(Watcher, AnOperationWithAWrongSignatureInsideIsNotCarried) {
    const auto wish = [&](std::size_t possessed_by) {
        Operation operation{.client = id(4), .counter = 1, .expiry = Height{100}};
        RosterOperation change{RosterOperation::Action::add, Seat{}, id(4), "n4", {}, {}};
        change.possession = signers_[possessed_by]->sign(
            SignDomain::grant, roster_->chain().value(), possession_bytes(id(4), "n4")
        );
        operation.body = change;
        operation.signature = signers_[4]->sign(
            SignDomain::operation, roster_->chain().value(), signing_bytes(operation)
        );
        return OperationSubmit{operation};
    };
    say(4, wish(4));
    EXPECT_FALSE(dropped_.contains(id(4)));
    say(4, wish(3));
    EXPECT_TRUE(dropped_.contains(id(4)));
    say(2, OperationSubmit{[&] {
            Operation stranger = wish(4).operation;
            std::get<RosterOperation>(stranger.body).approvals.push_back({0, {}});
            return stranger;
        }()});
    EXPECT_TRUE(dropped_.contains(id(2))) << "there are no operators";
}

}  // namespace
}  // namespace creto
