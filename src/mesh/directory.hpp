// Directory: the agents that this node knows, by their newest signed records.
//
// Why      Discovery without a server: every node holds every agent's record and hands it on.
// Holds    The greatest version of an agent wins. A record that left or expired leaves its version
//          behind, so that an old copy from a slow neighbour does not bring it back. At most
//          limits::agents_max agents; room is made by whoever brought the most, and of what he
//          brought by the first to expire: one peer's inventions push out nobody else's agents.
// Units    Lifetimes count from reception, on this node's own clock.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/key_cells.hpp"
#include "base/time.hpp"
#include "model/checks.hpp"
#include "model/message.hpp"

namespace creto {

class Directory {
public:
    explicit Directory(const AgentId& self) : self_{self} {}
    Directory(const Directory&) = delete;  // Lines point into the map.
    Directory& operator=(const Directory&) = delete;

    enum class Change : std::uint8_t { none, found, updated, left };
    /// Takes a record that is newer than what is held, from whoever brings it. `none`: stale, or
    /// expired before.
    Change accept(
        const Checked<Shared<AgentRecord>>& record,
        Instant now,
        const std::optional<AgentId>& from = std::nullopt
    );

    /// Removes what was not renewed in time and returns it.
    std::vector<Shared<AgentRecord>> expire(Instant now);
    /// When the next record expires; Instant::max() when none does.
    [[nodiscard]] Instant next_expiry() const {
        return by_expiry_.empty() ? Instant::max() : by_expiry_.begin()->first;
    }

    /// Those that made room since the last call.
    [[nodiscard]] std::vector<Shared<AgentRecord>> take_evicted() {
        return std::exchange(evicted_, {});
    }

    /// What covers this agent and, of 4,096 others, one on average.
    [[nodiscard]] static RecordSummary only(const AgentId& agent);
    /// Of all, or of the agents that `like` covers.
    [[nodiscard]] RecordSummary summary(bool answer, const RecordSummary& like = {}) const;
    /// Records that a peer with this summary lacks or holds in an older version.
    [[nodiscard]] std::vector<Shared<AgentRecord>> newer_than(const RecordSummary& peer) const;
    /// Whether the peer holds something newer than this node.
    [[nodiscard]] bool behind(const RecordSummary& peer) const;

    [[nodiscard]] const AgentRecord* find(const AgentId& agent) const;
    /// All agents that offer a tool of this name (and contract, unless it is zero), by agent.
    [[nodiscard]] std::vector<const AgentRecord*> providers(
        const std::string& tool, const ContractId& contract = {}
    ) const;
    /// Every record, by agent, this node's own included.
    [[nodiscard]] std::vector<const AgentRecord*> all() const;
    [[nodiscard]] std::size_t size() const { return entries_.size(); }

private:
    struct Entry {
        Shared<AgentRecord> record;
        Instant expires;
        AgentId from;  ///< Who brought the agent here first.
    };
    using Place = KeyMap<AgentId, Entry>::const_iterator;
    /// Of an entry, what says whether a summary covers it: so many stand close together, and are looked
    /// at twice a second, of which a summary covers a few.
    struct Line {
        std::uint16_t place = 0;  ///< RecordSummary::place_of().
        Place entry;
    };
    [[nodiscard]] std::vector<Line>::iterator line_of(const AgentId& agent);
    void make_room();
    void forget(const AgentId& agent, std::uint64_t version);
    void erase(KeyMap<AgentId, Entry>::iterator entry);

    AgentId self_;
    KeyMap<AgentId, Entry> entries_;
    std::vector<Line> lines_;                          ///< One for each, by agent.
    std::set<std::pair<Instant, AgentId>> by_expiry_;  ///< One for each entry.
    KeyMap<AgentId, std::size_t> brought_;             ///< How many entries are from whom.
    std::vector<Shared<AgentRecord>> evicted_;
    std::map<AgentId, std::uint64_t> gone_;  ///< The version that an agent had when it went.
};

/// The offer of a tool in a record; null when it offers none of this name.
[[nodiscard]] const ToolOffer* find_tool(const AgentRecord& record, const std::string& tool);

}  // namespace creto
