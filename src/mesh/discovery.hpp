// Discovery: agent records on their way through the mesh, and who learns that an agent came or went.
//
// Why      No server: each agent tells its peers its own record, peers hand news on, and summaries
//          find what chance left out.
// Holds    A record is handed on once, by who did not know it, to `fanout` peers. A summary covers so
//          many agents at most on average that what it weighs does not grow with the mesh; the slices
//          follow each other.
//          Directory, dialer and liveness see the same agents come and go.
// Cost     A record reaches n agents in about log n / log fanout steps.
#pragma once

#include <optional>
#include <vector>

#include "base/prng.hpp"
#include "mesh/dialer.hpp"
#include "mesh/directory.hpp"
#include "mesh/liveness.hpp"

namespace creto {

class Discovery {
public:
    /// To how many peers a new record of another agent is handed on.
    static constexpr std::size_t fanout = 8;
    /// With so many peers an agent has heard of everybody.
    static constexpr std::size_t summaries_at_start = 3;
    static constexpr std::size_t slice_agents = 64;

    /// All outlive this.
    Discovery(
        const AgentId& self,
        Directory& directory,
        Dialer& dialer,
        Liveness& liveness,
        std::uint64_t seed
    )
        : self_{self}, directory_{directory}, dialer_{dialer}, liveness_{liveness}, prng_{seed} {}

    /// Tells all peers this agent's own record, signed.
    void publish(const Shared<AgentRecord>& own, Instant now, Effects& effects);
    void on_peer_up(const AgentId& peer, Effects& effects);

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
    void on_summary(const AgentId& from, const RecordSummary& summary, Effects& effects);
    /// The next slice of what is known, to one peer.
    void send_summary(const AgentId& peer, Effects& effects);
    /// Whose record was not renewed in time.
    [[nodiscard]] std::vector<Shared<AgentRecord>> expire(Instant now);

private:
    void gone(const AgentId& agent);

    AgentId self_;
    Directory& directory_;
    Dialer& dialer_;
    Liveness& liveness_;
    Prng prng_;
    std::optional<WireMessage> own_;  ///< None before the first, and after leaving.
    std::uint32_t slice_ = 0;
};

}  // namespace creto
