// More than anybody asked for: old messages, votes of views to come, false proofs, foreign seats.
#include <deque>

#include "base/prng.hpp"
#include "sim/byzantine/attacks.hpp"
#include "sim/byzantine/deviation.hpp"

namespace creto::attacks {
namespace {

/// Keeps to the rules itself and adds something of its own to what it sends.
class Adding : public Deviation {
public:
    using Deviation::Deviation;

protected:
    void on_sending(Send send, const Message& /*message*/, std::vector<Effect>& out) override {
        const AgentId to = send.to;
        out.push_back(std::move(send));
        // Not for each message, or the storm hides what it is for.
        if (++sent_ % 4 == 0) add(to, sent_, out);
    }
    virtual void add(const AgentId& to, std::uint64_t turn, std::vector<Effect>& out) = 0;
    static void say(const AgentId& to, const Message& message, std::vector<Effect>& out) {
        out.emplace_back(Send{to, channel_of(message), encode_message(message), {}});
    }

private:
    std::uint64_t sent_ = 0;
};

/// Says again what anybody said before, to anybody.
class Replaying final : public Adding {
public:
    using Adding::Adding;

protected:
    void on_received(const Message& message, std::vector<Effect>& /*out*/) override {
        if (channel_of(message) == Channel::call) return;  // Those are bound to a connection.
        heard_.push_back(message);
        if (heard_.size() > 500) heard_.pop_front();
    }
    void add(const AgentId& to, std::uint64_t turn, std::vector<Effect>& out) override {
        if (heard_.empty()) return;
        constexpr std::uint64_t replay_stream = 0x53;
        say(to, heard_[scale_to(draw(seed(), replay_stream, turn), heard_.size())], out);
    }

private:
    std::deque<Message> heard_;
};

/// Votes for views that nobody has entered, and claims to be far ahead.
class FutureSpamming final : public Adding {
public:
    using Adding::Adding;

protected:
    void on_received(const Message& message, std::vector<Effect>& /*out*/) override {
        const auto* vote = std::get_if<Vote>(&message);
        if (vote == nullptr) return;
        epoch_ = vote->content.epoch;
        view_ = vote->content.view;
    }
    void add(const AgentId& to, std::uint64_t turn, std::vector<Effect>& out) override {
        if (!seat()) return;
        constexpr std::uint64_t distance_stream = 0x54;
        // Inside the window in which votes are kept, and far beyond it.
        const std::uint64_t word = draw(seed(), distance_stream, turn);
        const View ahead = view_.plus(2 + scale_to(word, turn % 3 == 0 ? 1'000'000'000 : 60));
        VoteContent content{VoteKind::notarize, epoch_, ahead, ahead.prev(), {}};
        content.block = BlockId{hash(HashDomain::trace, as_bytes(std::to_string(ahead.value())))};
        say(to, sign(content), out);
        if (turn % 5 != 0) return;
        const Epoch claimed = epoch_.plus(turn / 5 % 3);
        say(to, OrderStatus{claimed, ahead, ahead.prev(), Height{ahead.value()}}, out);
    }

private:
    Epoch epoch_{1};
    View view_{1};
};

/// Accuses another seat with a proof that it made up.
class Forging final : public Adding {
public:
    using Adding::Adding;

protected:
    void add(const AgentId& to, std::uint64_t turn, std::vector<Effect>& out) override {
        if (!seat()) return;
        const auto& members = roster().members();
        const Seat victim = members[turn % members.size()].seat;
        VoteConflict proof;
        proof.a = sign({VoteKind::notarize, Epoch{1}, View{turn}, View{turn - 1}, {}});
        proof.b = sign({VoteKind::nullify, Epoch{1}, View{turn}, View{}, {}});
        proof.b.content.kind = VoteKind::finalize;
        proof.a.seat = victim;
        proof.b.seat = victim;
        say(to, EvidenceNotice{proof}, out);
    }
};

/// Votes in the name of every other seat, signed with the one key that it has.
class ManyFaced final : public Adding {
public:
    using Adding::Adding;

protected:
    void on_received(const Message& message, std::vector<Effect>& /*out*/) override {
        if (const auto* proposal = std::get_if<Proposal>(&message)) heard_ = proposal->block;
    }
    void add(const AgentId& to, std::uint64_t turn, std::vector<Effect>& out) override {
        if (!seat()) return;
        const auto& members = roster().members();
        Vote vote = sign(heard_.content(turn % 2 == 0 ? VoteKind::notarize : VoteKind::finalize));
        vote.seat = members[turn % members.size()].seat;
        say(to, vote, out);
    }

private:
    Block heard_;
};

}  // namespace

Inner stale_replay(Inner inner, const ParticipantParts& parts) {
    return std::make_unique<Replaying>(std::move(inner), parts);
}
Inner future_spam(Inner inner, const ParticipantParts& parts) {
    return std::make_unique<FutureSpamming>(std::move(inner), parts);
}
Inner forged_evidence(Inner inner, const ParticipantParts& parts) {
    return std::make_unique<Forging>(std::move(inner), parts);
}
Inner sybil(Inner inner, const ParticipantParts& parts) {
    return std::make_unique<ManyFaced>(std::move(inner), parts);
}

}  // namespace creto::attacks
