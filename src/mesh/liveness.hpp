// Liveness: which of the known agents are alive, found out with a few small messages a second.
//
// Why      Thousands of agents cannot all ping each other. One ping an interval from each, to an
//          agent drawn by lot, finds every failure soon, at a cost that does not grow with their
//          number. Seats and quorums are Reachability's; this decides nothing about final writes.
// Source   SWIM (Das, Gupta, Motivala 2002): pings in turn through a shuffled list, others are asked
//          to ping whoever does not answer, suspicion before death, news ride on pings. Lifeguard
//          (Dadgar, Phillips, Currey 2018): waits grow with bad local health, a suspect is told
//          first, suspicions of others shorten the wait. Differs in what is believed, see [LIVE-OWN.1].
// Holds    [LIVE-OWN.1] An agent is suspect or dead here only because this node's own looks failed: the
//          ping, a second one, and those of `helpers` others drawn by lot. What others say makes
//          it look, never believe; nobody can say "dead".
//          [LIVE-PROOF.1] An agent is alive here by a frame on its own link, or by an Alive or a record
//          under its signature of a version above all that were seen. A replay shows nothing.
//          [LIVE-BOUND.1] Whatever is said to it, this node starts at most 1 + looks_max looks an
//          interval and pings for others at most relays_max times in 2 ask_after; it holds at most
//          hints_max hints, 8 of one teller. Who sent it to an agent that turned out to live is not
//          listened to for doubt_for. It signs at most two Alive a second.
//          Each known agent is pinged at least once in 2 n intervals.
// Units    Of memory: the list of known agents, and an entry for each that deviates from "alive, of
//          the version that its record says".
// Cost     A message or two an interval while all is well, received and sent.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "base/prng.hpp"
#include "base/token_bucket.hpp"
#include "mesh/dialer.hpp"
#include "mesh/directory.hpp"
#include "mesh/local_health.hpp"
#include "mesh/rumour_queue.hpp"
#include "model/message.hpp"

namespace creto {

/// Each wait is stretched by the local health.
struct LivenessOptions {
    Duration interval = Duration::from_s(1);
    /// Others are asked when no answer came for so long: above one round trip between continents.
    Duration ask_after = Duration::from_ms(500);
    /// Then there is time for two more such round trips, or for an agent that stands still for a
    /// second to go on.
    Duration give_up_after = Duration::from_s(2);
    /// From suspicion to death when `confirmations_max` others suspect it too, and when nobody does:
    /// an Alive takes about ten seconds through a thousand agents when no shorter way is left.
    Duration suspicion_min = Duration::from_s(4);
    Duration suspicion_max = Duration::from_s(16);
    /// Woken so much later than it asked, this node was not listening.
    Duration late = Duration::from_ms(200);
    /// Who was found so recently may not be connected yet.
    Duration grace = Duration::from_s(5);
};

struct LivenessCounters {
    std::uint64_t looks = 0;       ///< Agents that were asked whether they live.
    std::uint64_t suspected = 0;   ///< Times that an agent became suspect here.
    std::uint64_t refuted = 0;     ///< Suspects that turned out to live.
    std::uint64_t died = 0;        ///< Suspects that did not.
    std::uint64_t revived = 0;     ///< Dead ones that came back.
    std::uint64_t unheeded = 0;    ///< Suspicions of others that were not followed.
    std::uint64_t statements = 0;  ///< Alive that this node signed.
};

class Liveness {
public:
    static constexpr std::size_t helpers = 3;
    static constexpr std::size_t looks_max = 8;
    static constexpr std::size_t looks_min = 2;  ///< Failed ones from suspicion to death.
    static constexpr std::size_t relays_max = 64;
    static constexpr std::size_t relays_per_peer_max = 4;
    static constexpr std::size_t hints_max = 64;
    static constexpr std::size_t hints_per_peer_max = 8;  ///< Waiting, or being looked at.
    static constexpr std::size_t confirmations_max = 3;
    static constexpr Duration doubt_for = Duration::from_s(10);

    struct Self {
        AgentId agent;
        const Signer& signer;
        ChainId chain;
    };
    /// The directory says who is known, the dialer who is connected; both outlive this.
    Liveness(
        const Self& self,
        const Directory& directory,
        const Dialer& links,
        LivenessOptions options,
        std::uint64_t seed
    );

    void start(Instant now);
    /// There are not links with all: in turn those are looked at with whom there is one, and a look at
    /// another one, of whom somebody spoke, opens one.
    void set_sparse(bool is_sparse) { is_sparse_ = is_sparse; }
    /// The directory took a record of an agent that it did not know, or a newer record.
    void on_found(const AgentId& agent, Instant now);
    void on_record(const AgentId& agent, Instant now);
    /// The directory holds this agent no more.
    void on_gone(const AgentId& agent);
    /// A frame of this agent came over its own link.
    void heard(const AgentId& agent, Instant now);
    void on_link_lost(const AgentId& agent, Instant now, Effects& effects);

    /// The message without those Alive that tell nothing new, before their signatures are checked.
    [[nodiscard]] std::shared_ptr<const Message> without_stale(
        std::shared_ptr<const Message> message
    ) const;
    void on_ping(
        const AgentId& from, const Checked<const Ping&>& ping, Instant now, Effects& effects
    );
    /// The round trip, when the answer measures one.
    std::optional<Duration> on_answer(
        const AgentId& from, const Checked<const PingAnswer&>& answer, Instant now, Effects& effects
    );
    void on_request(const AgentId& from, const PingRequest& request, Instant now, Effects& effects);
    void on_report(const AgentId& from, const Checked<const PingReport&>& report, Instant now);

    void on_time(Instant now, Effects& effects);
    [[nodiscard]] Instant next_wake() const;

    [[nodiscard]] AgentState state(const AgentId& agent) const;
    struct Change {
        AgentId agent;
        AgentState from = AgentState::alive;
        AgentState to = AgentState::alive;
    };
    /// What changed since the last call.
    [[nodiscard]] std::vector<Change> take_changes() { return std::exchange(changes_, {}); }

    /// The counter of this agent's own versions, shared with its records.
    [[nodiscard]] std::uint64_t version() const { return version_; }
    void set_version(std::uint64_t version) { version_ = std::max(version_, version); }

    [[nodiscard]] const LivenessCounters& counters() const { return counters_; }
    [[nodiscard]] const LocalHealth& health() const { return health_; }
    /// Entries of the table: agents of which more is held than their record.
    [[nodiscard]] std::size_t deviations() const { return deviations_.size(); }

private:
    /// An agent that is not alive, or has shown a higher version than its record's.
    struct Deviation {
        AgentState state = AgentState::alive;
        std::uint64_t version = 0;
        Instant since;  ///< When it was suspected.
        std::size_t looks = 0;
        std::array<AgentId, confirmations_max> confirmed{};  ///< Who suspects it too.
        std::size_t confirmations = 0;
    };
    struct Look {
        std::uint64_t nonce = 0;
        AgentId agent;
        std::optional<AgentId> teller;  ///< Who made us look.
        Instant sent;
        Instant ask_at;
        Instant give_up_at;
        bool asked = false;
        std::array<AgentId, helpers> asked_of{};
        std::size_t helpers_asked = 0;
        std::size_t reports = 0;
    };
    struct Relay {
        std::uint64_t nonce = 0;  ///< Of our ping.
        AgentId agent;
        AgentId asker;
        std::uint64_t asker_nonce = 0;
        std::uint64_t version = 0;  ///< The Alive has to be above this.
        Instant say_none_at;
        Instant give_up_at;
        bool said_none = false;
    };
    struct Hint {
        AgentId agent;
        std::optional<AgentId> teller;  ///< None: our own link to it was lost.
    };

    void tick(Instant now, Effects& effects);
    void excuse(Instant now);
    void judge(Instant now, Effects& effects);
    void end_relays(Instant now, Effects& effects);
    [[nodiscard]] std::optional<AgentId> next_in_turn();
    void look(
        const AgentId& agent, const std::optional<AgentId>& teller, Instant now, Effects& effects
    );
    void follow_hints(Instant now, Effects& effects);
    void ask_others(Look& look, Effects& effects);
    void failed(const Look& ended, Instant now, Effects& effects);
    void lives(const AgentId& agent, Instant now);
    void learn(const Alive& alive, Instant now);
    void note(const AgentId& from, const Rumours& rumours, Instant now, Effects& effects);
    void on_suspicion(
        const AgentId& from, const Suspicion& suspicion, Instant now, Effects& effects
    );
    [[nodiscard]] std::optional<Alive> answer_suspicion(
        const AgentId& from, const Ping& ping, Instant now
    );
    void state_above(std::uint64_t version, Instant now);
    [[nodiscard]] Rumours rumours_for(const AgentId& to);
    [[nodiscard]] bool is_news(const Alive& alive) const;
    [[nodiscard]] bool is_looked_at(const AgentId& agent) const;
    [[nodiscard]] bool is_doubted(const AgentId& teller, Instant now) const;
    [[nodiscard]] std::uint64_t version_of(const AgentId& agent) const;
    [[nodiscard]] Duration patience(const Deviation& deviation) const;
    void change(const AgentId& agent, Deviation& deviation, AgentState to);

    Self self_;
    const Directory& directory_;
    const Dialer& links_;
    LivenessOptions options_;
    Prng prng_;
    LocalHealth health_;
    RumourQueue rumours_;
    std::uint64_t version_ = 0;
    std::optional<Alive> said_;  ///< The newest that this agent signed.
    TokenBucket statements_;
    Instant spread_at_;                  ///< When `said_` may become a rumour again.
    std::array<AgentId, 8> answered_{};  ///< Who was answered last, and until when that counts.
    std::size_t answered_next_ = 0;
    Instant answered_until_;

    bool is_sparse_ = false;
    std::vector<AgentId> turn_;  ///< All known agents, shuffled; asked from the front.
    std::size_t turn_next_ = 0;
    std::map<AgentId, Deviation> deviations_;
    std::vector<Look> looks_;
    std::size_t looks_left_ = 0;  ///< Of this interval.
    std::vector<Relay> relays_;
    std::deque<Hint> hints_;
    std::map<AgentId, Instant> doubted_;  ///< Who brought a wrong hint, and until when.
    std::map<AgentId, Instant> fresh_;    ///< Who was just found, and until when.
    std::uint64_t next_nonce_ = 1;
    Instant next_tick_ = Instant::max();
    std::vector<Change> changes_;
    LivenessCounters counters_;
};

}  // namespace creto
