// CallClient: the caller's side of calls: who was asked what, until an answer, a deadline or a
// loss.
//
// Holds    Every started call finishes exactly once: answered, timed out, cancelled, or its
//          provider lost. An answer counts only from the agent that was asked. At most
//          calls_pending_max at once. When the provider's connection goes, as when both ends dialled
//          at once and one connection replaces the other, a call that may be repeated waits a moment
//          for it to come back and is sent again; any other ends, and its caller hears that it may
//          have run.
// Use      Whoever starts a call gives a token of its own; finished calls come back with it.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "model/effect.hpp"

namespace creto {

class CallClient {
public:
    /// What the owner of a call calls it.
    using Token = std::uint64_t;

    struct Finished {
        Token token = 0;
        AgentId provider;
        CallAnswer answer;
        bool lost = false;  ///< The provider went away in mid-call.
    };

    /// Whether the call may be sent a second time: calling twice is as good as once.
    enum class Repeat : std::uint8_t { no, yes };

    /// Sends the call (its id is set here). limit: too many under way.
    [[nodiscard]] Result<void> start(
        Token token,
        const AgentId& provider,
        CallStart call,
        Instant deadline,
        Effects& effects,
        Repeat repeat = Repeat::no
    );
    /// The call that this answer ends; none when nobody waits for it.
    [[nodiscard]] std::optional<Finished> on_answer(const AgentId& from, CallAnswer answer);
    /// Whether an answer with this id from this agent is awaited: asked before costly checks.
    [[nodiscard]] bool expects(const AgentId& from, std::uint64_t id) const {
        return token_of(from, id).has_value();
    }
    /// Whose call that is.
    [[nodiscard]] std::optional<Token> token_of(const AgentId& from, std::uint64_t id) const;
    [[nodiscard]] std::vector<Finished> on_peer_down(const AgentId& peer, Instant now);
    /// Sends again what waits for this peer.
    void on_peer_up(const AgentId& peer, Instant now, Effects& effects);
    [[nodiscard]] std::vector<Finished> on_time(Instant now, Effects& effects);
    /// Forgets all calls of this token and tells their providers.
    void cancel(Token token, Effects& effects);
    [[nodiscard]] Instant next_wake() const;
    [[nodiscard]] std::size_t under_way() const { return calls_.size(); }

private:
    struct Call {
        Token token = 0;
        AgentId provider;
        Instant deadline;
        std::optional<CallStart> again;  ///< To be sent once more, if its connection goes.
        std::optional<Instant> back_by;  ///< Its connection is gone; until when it may come back.
    };
    Finished finish(std::map<std::uint64_t, Call>::iterator it, CallAnswer answer, bool lost);

    std::uint64_t next_id_ = 1;
    std::map<std::uint64_t, Call> calls_;
    std::set<std::pair<Instant, std::uint64_t>> deadlines_;
    std::set<std::pair<Instant, std::uint64_t>> waiting_;  ///< By back_by.
};

}  // namespace creto
