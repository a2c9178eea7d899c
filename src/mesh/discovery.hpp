// Discovery: agent records on their way through the mesh, and who learns that an agent came or went.
//
// Why      No server: each agent tells its peers its own record, peers hand news on, and summaries
//          find what chance left out.
// Holds    While all are connected to all, a record is handed on once, by who did not know it, to
//          `fanout` peers.
//          [MESH-SPREAD.1] Above that it goes at once to those who asked for a summary within `lease`,
//          as children ask their parents; the other neighbours hear that it is there after a round
//          trip, unless they have it, and ask for it. What only renews a record is not announced.
//          A summary covers so many agents at most on average that what it weighs does not grow with
//          the mesh; the slices follow each other.
//          Directory, overlay, dialer and liveness see the same agents come and go.
// Cost     A record reaches n agents in about log n steps. At most announcements_max wait; what finds
//          no place is found by summaries.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "base/key_cells.hpp"
#include "base/prng.hpp"
#include "mesh/dialer.hpp"
#include "mesh/directory.hpp"
#include "mesh/liveness.hpp"
#include "mesh/overlay.hpp"

namespace creto {

class Discovery {
public:
    /// To how many peers a new record of another agent is handed on.
    static constexpr std::size_t fanout = 8;
    /// With so many peers an agent has heard of everybody.
    static constexpr std::size_t summaries_at_start = 3;
    static constexpr std::size_t slice_agents = 64;
    static constexpr std::size_t announcements_max = 1'024;
    static constexpr std::size_t announced_max = 64;  ///< Records that are announced at a time.
    static constexpr std::size_t asked_max = 256;
    /// So many of those who announce a record are asked for it at a time: one may keep it.
    static constexpr std::size_t asked_each_max = 3;

    /// All outlive this.
    Discovery(
        const AgentId& self,
        Directory& directory,
        Dialer& dialer,
        Liveness& liveness,
        Overlay& overlay,
        std::uint64_t seed
    )
        : self_{self},
          directory_{directory},
          dialer_{dialer},
          liveness_{liveness},
          overlay_{overlay},
          prng_{seed} {}

    /// Tells peers this agent's own record, signed: all of them when there is news in it.
    void publish(const Shared<AgentRecord>& own, Instant now, Effects& effects);
    void on_peer_up(const AgentId& peer, Effects& effects);
    void on_peer_down(const AgentId& peer) { leases_.erase(peer); }

    struct Seen {
        Shared<AgentRecord> record;
        Directory::Change change = Directory::Change::none;
    };
    struct News {
        std::vector<Seen> seen;
        /// A record of this agent itself that goes beyond what it says now: from an earlier life.
        std::optional<std::uint64_t> own_version;
    };
    [[nodiscard]] News on_records(
        const AgentId& from,
        const RecordBatch& batch,
        const CheckPass& pass,
        Instant now,
        Effects& effects
    );
    /// Before known records are left out of a message: who brought them.
    void note_known(const AgentId& from, const RecordBatch& batch);
    void on_summary(
        const AgentId& from, const RecordSummary& summary, Instant now, Effects& effects
    );
    /// Whose turn it is to be sent a summary: mostly a parent's, or everybody's in turn.
    [[nodiscard]] std::optional<AgentId> next_partner();
    /// The next slice of what is known, to one peer.
    void send_summary(const AgentId& peer, Effects& effects);
    /// Announces what is due.
    void on_time(Instant now, Effects& effects);
    [[nodiscard]] Instant next_wake() const {
        return announcements_.empty() ? Instant::max() : std::get<0>(*announcements_.begin());
    }
    /// Whose record was not renewed in time.
    [[nodiscard]] std::vector<Shared<AgentRecord>> expire(Instant now);

private:
    struct Announced {
        AgentId about;
        std::uint64_t version = 0;
        std::vector<AgentId> holders;  ///< Who is known to have it.
    };
    struct Asked {
        std::uint64_t version = 0;
        Instant at;
        std::size_t times = 0;
    };
    void gone(const AgentId& agent);
    /// Whether all that this says is said already, apart from its version.
    [[nodiscard]] bool only_renews(const AgentRecord& record) const;
    void hand_to_children(const AgentId& from, const RecordBatch& batch, Instant now, Effects& out);
    void announce_later(const AgentRecord& record, const AgentId& from, Instant now);
    [[nodiscard]] Announced* announced_of(const AgentId& about);
    void note_holder(const AgentId& peer, const AgentId& about, std::uint64_t version);
    [[nodiscard]] bool may_ask(const RecordSummary& summary, Instant now);

    AgentId self_;
    Directory& directory_;
    Dialer& dialer_;
    Liveness& liveness_;
    Overlay& overlay_;
    Prng prng_;
    std::optional<WireMessage> own_;  ///< None before the first, and after leaving.
    std::uint32_t slice_ = 0;
    std::uint64_t turn_ = 0;
    std::uint64_t turn_of_all_ = 0;
    KeyMap<AgentId, Instant> leases_;  ///< Of connected peers: until when they get what is new.
    std::vector<AgentId> parents_;     ///< Who was asked as one.
    std::deque<Announced> announced_;
    std::set<std::tuple<Instant, AgentId, AgentId>> announcements_;  ///< When, to whom, of whom.
    std::map<AgentId, Asked> asked_;
};

}  // namespace creto
