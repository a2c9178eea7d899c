// CallClient: the caller's side of calls: who was asked what, until an answer, a deadline or a
// loss.
//
// Holds    Every started call finishes exactly once: answered, timed out, cancelled, or its
//          provider lost. An answer counts only from the agent that was asked. At most
//          calls_pending_max at once. When the provider's connection goes, as when both ends dialled
//          at once and one connection replaces the other, a call that may be repeated waits a moment
//          for it to come back and is sent again; any other ends, and its caller hears that it may
//          have run. [CALL-STREAM.2] Of pieces, a call counts only those of the agent that was asked,
//          within the credit that it was granted, each once; a call that is sent again has another id,
//          so that the pieces of two runs cannot be taken for one's.
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
        std::uint64_t pieces_lost = 0;
    };
    enum class PieceFate : std::uint8_t {
        counts,
        late,         ///< Nobody waits for it, or it came before.
        over_credit,  ///< No correct provider does that.
    };
    struct PieceTaken {
        PieceFate fate = PieceFate::late;
        Token token = 0;
        std::uint64_t lost = 0;  ///< Left out before it.
    };
    /// A call that was sent a second time.
    struct Again {
        Token token = 0;
        AgentId provider;
    };

    /// Whether the call may be sent a second time: calling twice is as good as once.
    enum class Repeat : std::uint8_t { no, yes };

    /// Sends the call (its id is set here). With a credit, pieces are awaited. limit: too many under
    /// way.
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
    [[nodiscard]] PieceTaken on_piece(const AgentId& from, const CallPiece& piece);
    /// So many bytes of the pieces of the call with this id were taken by whoever reads them. They are
    /// granted again, some at a time.
    void took(const AgentId& provider, std::uint64_t id, std::uint64_t bytes, Effects& effects);
    [[nodiscard]] std::vector<Finished> on_peer_down(const AgentId& peer, Instant now);
    /// Sends again what waits for this peer, and says which of it shows pieces.
    std::vector<Again> on_peer_up(const AgentId& peer, Instant now, Effects& effects);
    [[nodiscard]] std::vector<Finished> on_time(Instant now, Effects& effects);
    /// Forgets all calls of this token and tells their providers.
    void cancel(Token token, Effects& effects);
    [[nodiscard]] Instant next_wake() const;
    [[nodiscard]] std::size_t under_way() const { return calls_.size(); }

private:
    struct Stream {
        std::uint64_t window = 0;
        std::uint64_t granted = 0;  ///< And not used.
        std::uint64_t taken = 0;    ///< And not granted again yet.
        std::uint64_t number = 0;   ///< Of the last piece.
        std::uint64_t missed = 0;   ///< Numbers that never came.
    };
    struct Call {
        Token token = 0;
        AgentId provider;
        Instant deadline;
        std::optional<CallStart> again;  ///< To be sent once more, if its connection goes.
        std::optional<Instant> back_by;  ///< Its connection is gone; until when it may come back.
        std::optional<Stream> stream;
    };
    void send_again(std::map<std::uint64_t, Call>::iterator it, Instant now, Effects& effects);
    Finished finish(std::map<std::uint64_t, Call>::iterator it, CallAnswer answer, bool lost);

    std::uint64_t next_id_ = 1;
    std::map<std::uint64_t, Call> calls_;
    std::set<std::pair<Instant, std::uint64_t>> deadlines_;
    std::set<std::pair<Instant, std::uint64_t>> waiting_;  ///< By back_by.
};

}  // namespace creto
