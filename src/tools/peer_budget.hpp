// PeerBudget: how much work each peer, and each group of addresses, may cause at this node.
//
// Why      The flood of one must not slow the others. A thousand identities of one host are still one
//          host: identities are free, addresses less so.
// Holds    [FLOOD-BUDGET.1] In any time t a peer is admitted no more than burst + rate * t of each kind
//          of work; what is known only afterwards (tool time, large answers) is owed, and nothing is admitted before it
//          is paid. Coming back under the same key refills nothing.
//          [FLOOD-GROUP.1] All agents without a seat that come from one group (IPv4 /24, IPv6 /48) get
//          together no more than `group_peers` times one peer's share.
//          [FLOOD-SEATS.1] What seats say about the order and the data is never refused here, nor is
//          a seat's link closed for its calls: votes and certificates do not pay for calls. (They are
//          bounded by the windows of views and lanes, and by the check gate.) This node pays for nothing.
//          Who is refused more often than patience allows is to be dropped, and stays unwelcome for a while.
// Units    Work in calls, questions, messages, bytes, signatures, milliseconds of tools; 0 of a rate: not
//          limited.
// Cost     O(log peers). At most limits::agents_max accounts; the longest idle go first.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/key_cells.hpp"
#include "base/token_bucket.hpp"
#include "model/ids.hpp"
#include "model/limits.hpp"

namespace creto {

/// What one peer may cause. Bursts are what may come at once after a pause.
struct PeerLimits {
    TokenBucket::Options calls{.rate_per_s = 0, .burst = 500};
    TokenBucket::Options questions{.rate_per_s = 2'000, .burst = 4'000};
    TokenBucket::Options messages{.rate_per_s = 1'000'000, .burst = 2'000'000};
    TokenBucket::Options bytes{.rate_per_s = 250'000'000, .burst = 1'000'000'000};
    TokenBucket::Options checks{.rate_per_s = 4'000, .burst = 16'000};
    TokenBucket::Options tool_us{.rate_per_s = 1'000'000, .burst = 10'000'000};
    std::uint64_t held_bytes = 64'000'000;  ///< Arguments of its calls under way.
    std::uint64_t group_peers = 16;         ///< A group may do what so many peers may.
    /// Refusals that a peer may cause before it is dropped.
    TokenBucket::Options patience{.rate_per_s = 1'000, .burst = 2'000};
    Duration unwelcome = Duration::from_s(10);  ///< For so long after it was dropped.
};

enum class Work : std::uint8_t { calls, questions, messages, bytes, checks, tool_time, held };
inline constexpr std::size_t work_count = 7;
[[nodiscard]] const char* to_string(Work work);

class PeerBudget {
public:
    PeerBudget(const AgentId& self, const PeerLimits& limits) : self_{self}, limits_{limits} {}

    struct Refusal {
        Work what = Work::calls;
        Duration wait;      ///< Until it would be admitted.
        bool drop = false;  ///< Its patience is over: close its link.
        bool mute = false;  ///< The same for a seat: refuse without a word.
        /// "rate limited, retry after N ms".
        [[nodiscard]] std::string text() const;
        [[nodiscard]] std::uint32_t retry_after_ms() const;
    };
    using Verdict = std::optional<Refusal>;  ///< None: admitted.

    void set_seats(const std::set<AgentId>& seats);
    /// `group` is where it comes from, as the host sees it; empty: nowhere in particular. False: it was
    /// dropped and is not welcome yet.
    [[nodiscard]] bool on_peer_up(const AgentId& peer, const std::string& group, Instant now);
    void on_peer_down(const AgentId& peer, Instant now);

    /// A message of a peer, of so many bytes. `is_call`: on the stream of calls.
    [[nodiscard]] Verdict on_message(
        const AgentId& peer, std::size_t bytes, bool is_call, Instant now
    );
    /// A message whose answer costs us something, in questions. Never costs a link.
    [[nodiscard]] Verdict on_question(const AgentId& peer, std::uint64_t cost, Instant now);
    /// Signatures that are to be checked because of a peer's message.
    [[nodiscard]] Verdict on_checks(const AgentId& peer, std::size_t count, Instant now);
    /// A call with so many bytes of arguments. Admitted: they are held.
    [[nodiscard]] Verdict on_call(const AgentId& peer, std::size_t bytes, Instant now);
    void let_go(const AgentId& peer, std::size_t bytes);
    /// A call was refused for another reason that the peer could know: it costs patience, too.
    [[nodiscard]] Refusal on_call_refused(const AgentId& peer, Instant now);
    /// Something large was sent to a peer: as with tool time, it is owed.
    void on_sent(const AgentId& peer, std::size_t bytes, Instant now);
    /// A tool ran for a peer.
    void on_tool_time(const AgentId& peer, Duration took, Instant now);

    /// How often each kind of work was refused, and links that were to be closed for it.
    [[nodiscard]] std::uint64_t refused(Work what) const {
        return refused_[static_cast<std::size_t>(what)];
    }
    [[nodiscard]] std::uint64_t dropped() const { return dropped_; }
    [[nodiscard]] std::uint64_t turned_away() const { return turned_away_; }
    [[nodiscard]] std::size_t accounts() const { return peers_.size(); }
    [[nodiscard]] std::uint64_t held(const AgentId& peer) const;

private:
    /// The buckets of a peer, or of a group.
    struct Account {
        Account(const PeerLimits& limits, std::uint64_t shares);
        std::array<std::optional<TokenBucket>, work_count> buckets;
        std::uint64_t held = 0;
        std::uint64_t held_max;
    };
    struct Peer {
        Account account;
        TokenBucket patience;
        std::string group;
        std::uint32_t links = 0;
        Instant last_seen;
        Instant unwelcome_until;
    };
    Peer& peer_of(const AgentId& peer, Instant now);
    /// Its group's account; null when it has none, or a seat.
    Account* group_of(const AgentId& agent, const Peer& peer);
    /// What a peer holds counts for its group from now on, or no more.
    void hold_in_group(const AgentId& agent, const Peer& peer, bool holds);
    void forget_one();
    void forget_groups();
    /// Takes from the peer and its group, or from none of them.
    [[nodiscard]] Verdict take(
        const AgentId& agent, Peer& peer, Work what, std::uint64_t units, Instant now
    );
    void owe(const AgentId& agent, Work what, std::uint64_t units, Instant now);
    [[nodiscard]] Refusal refuse(
        const AgentId& agent, Peer& peer, Work what, Duration wait, Instant now
    );
    [[nodiscard]] bool has_seat(const AgentId& peer) const { return seats_.contains(peer); }

    AgentId self_;
    PeerLimits limits_;
    KeyTable<AgentId, bool> seats_;  ///< Of these, true.
    KeyMap<AgentId, Peer> peers_;
    std::set<std::pair<Instant, AgentId>> idle_;  ///< Without a link, by when they were last seen.
    std::map<std::string, Account> groups_;
    std::array<std::uint64_t, work_count> refused_{};
    std::uint64_t dropped_ = 0;
    std::uint64_t turned_away_ = 0;
};

}  // namespace creto
