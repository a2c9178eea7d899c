// CallServer: the provider's side of calls: admits them, has them run, answers them.
//
// Why      One peer's flood must not slow another's call; a lost caller must not leave work behind.
// Holds    What each peer may have done here is decided by the PeerBudget, and at most
//          calls_per_peer_max are under way. Over the budget: `rate_limited` with the time to wait; a
//          peer that goes on far beyond it is dropped. What a run took is charged also when nobody
//          waits for it any more. [FLOOD-BUDGET.1] Every admitted call gets exactly one answer, unless it was
//          cancelled or its caller is gone. A verified call is signed only when its request is
//          the peer's own, names this agent, opens to the arguments that came with it, and compares
//          answers as our contract does. [CALL-OWN.1]
//          [CALL-STREAM.2] What a tool shows while it works is sent within the credit that the caller
//          granted, no more than limits::stream_pieces_per_s; [CALL-STREAM.3] what waits meanwhile is
//          held in limits::stream_held_bytes of the caller's own budget. [CALL-STREAM.1] The answer
//          waits for no piece: it goes after those that credit allows, and says how many it did not.
//          [CALL-STREAM.5] A verified call shows nothing.
// Cost     O(log peers + log calls) a call; refusing one costs no more than a look-up.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "model/effect.hpp"
#include "model/event.hpp"
#include "tools/peer_budget.hpp"
#include "tools/piece_queue.hpp"

namespace creto {

struct CallServerOptions {
    Duration timeout_max = Duration::from_s(600);
};

class CallServer {
public:
    /// `signer` and `budget` outlive it.
    CallServer(
        const ChainId& chain,
        const AgentId& self,
        const Signer& signer,
        PeerBudget& budget,
        CallServerOptions options = {}
    );

    /// The contracts of ours whose answers are compared by a rule; they replace those before.
    void set_by_rule(std::set<ContractId> contracts) { by_rule_ = std::move(contracts); }

    /// A call without a signed request.
    void on_start(const AgentId& from, const CallStart& call, Instant now, Effects& effects);
    /// A call with a signed request of `from`, as the link proves; its signature need not be checked:
    /// see [CALL-OWN.1].
    void on_verified_start(
        const AgentId& from, const CallStart& call, Instant now, Effects& effects
    );
    void on_cancel(const AgentId& from, const CallCancel& cancel, Effects& effects);
    /// What a run of ours shows; forgotten when nobody wants it.
    void on_emitted(const Emitted& emitted, Instant now, Effects& effects);
    void on_credit(const AgentId& from, const CallCredit& credit, Instant now, Effects& effects);
    /// True when the ticket was one of ours.
    bool on_executed(const Executed& done, Instant now, Effects& effects);
    void on_peer_down(const AgentId& peer, Effects& effects);
    void on_time(Instant now, Effects& effects);
    [[nodiscard]] Instant next_wake() const;

    /// Answers a call that the budget refused, or drops its caller.
    void on_refused(
        const AgentId& from,
        const CallStart& call,
        const PeerBudget::Refusal& refusal,
        Effects& effects
    );
    [[nodiscard]] std::size_t under_way() const { return running_.size(); }
    struct Counters {
        std::uint64_t admitted = 0;
        std::uint64_t answered = 0;
        std::uint64_t rate_limited = 0;
        std::uint64_t overloaded = 0;  ///< Too many of one peer under way.
        std::uint64_t timed_out = 0;
        std::uint64_t cancelled = 0;
        std::uint64_t pieces_sent = 0;
        std::uint64_t pieces_lost = 0;  ///< That tools showed and callers had no credit for.
    };
    [[nodiscard]] const Counters& counters() const { return counters_; }

private:
    /// What a caller who wants pieces has not been sent yet.
    struct Stream {
        explicit Stream(std::uint64_t granted) : credit(granted) {}

        std::uint64_t credit;
        std::uint64_t sent = 0;
        PieceQueue queue;
        TokenBucket pace{
            {.rate_per_s = limits::stream_pieces_per_s, .burst = limits::stream_pieces_burst}};
        std::optional<Instant> next;  ///< When the pace allows one more; something waits for it.
    };
    struct Running {
        AgentId from;
        std::uint64_t id = 0;
        Instant deadline;
        std::optional<SignedCall> verified;
        std::size_t held_bytes = 0;  ///< Its arguments, and room for what it shows.
        std::optional<Stream> stream;
    };
    /// Runs that nobody waits for any more, remembered until the host says what they took.
    static constexpr std::size_t abandoned_max = 4'096;
    void admit(
        const AgentId& from,
        const CallStart& call,
        std::optional<SignedCall> verified,
        Instant now,
        Effects& effects
    );
    void answer(
        const AgentId& to,
        std::uint64_t id,
        CallAnswer::Status status,
        std::string text,
        Effects& effects
    );
    [[nodiscard]] std::optional<std::string> refuse_verified(
        const AgentId& from, const CallStart& call
    ) const;
    enum class Pace : std::uint8_t { kept, ignored };
    void send_pieces(Ticket ticket, Running& call, Pace pace, Instant now, Effects& effects);
    void abandon(std::map<Ticket, Running>::iterator it, Effects& effects);
    void erase(std::map<Ticket, Running>::iterator it);

    ChainId chain_;
    AgentId self_;
    const Signer& signer_;
    PeerBudget& budget_;
    CallServerOptions options_;
    std::map<AgentId, std::map<std::uint64_t, Ticket>> peers_;  ///< With calls under way.
    std::map<Ticket, AgentId> abandoned_;
    std::map<Ticket, Running> running_;
    std::set<std::pair<Instant, Ticket>> deadlines_;
    std::set<std::pair<Instant, Ticket>> paced_;  ///< By Stream::next.
    std::set<ContractId> by_rule_;
    Counters counters_;
};

}  // namespace creto
