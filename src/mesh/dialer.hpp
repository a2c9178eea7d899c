// Dialer: whom to connect to, and when to try again.
//
// Why      After a cut or a crash connections come back by themselves, soon, without a storm.
// Holds    Two agents that know each other do not dial at the same instant: the one with the
//          smaller id dials at once, the other waits `courtesy`. Failed dials back off from
//          retry_min to retry_max.
// Cost     O(targets) a tick; next_wake() is O(1) until something changes.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/key_cells.hpp"
#include "base/time.hpp"
#include "model/effect.hpp"

namespace creto {

struct DialerOptions {
    Duration retry_min = Duration::from_ms(200);
    Duration retry_max = Duration::from_s(1);
    Duration courtesy = Duration::from_ms(300);
};

class Dialer {
public:
    Dialer(const AgentId& self, DialerOptions options) : self_{self}, options_{options} {}

    /// An address without a known agent; dialled until somebody answered there, and again while this
    /// node has no link and nobody to dial: who answered may have had no place for it.
    void add_bootstrap(const std::string& address, Instant now);
    /// An agent to stay connected to, with the addresses of its newest record.
    /// `either`: the agent wants a link as well, and the smaller id dials first.
    enum class Turn : std::uint8_t { either, ours };
    void want(
        const AgentId& agent,
        const std::vector<std::string>& addresses,
        Instant now,
        Turn turn = Turn::either
    );
    void unwant(const AgentId& agent);

    void on_peer_up(const AgentId& agent, const std::string& address);
    void on_peer_down(const AgentId& agent, Instant now);

    void on_time(Instant now, Effects& effects);
    [[nodiscard]] Instant next_wake() const;
    [[nodiscard]] bool connected(const AgentId& agent) const;
    /// Who is connected, in ascending order.
    [[nodiscard]] const std::vector<AgentId>& peers() const { return peers_; }
    [[nodiscard]] std::vector<AgentId> wanted() const;

private:
    struct Target {
        std::vector<std::string> addresses;
        std::size_t next_address = 0;
        Duration back_off;
        Instant next;
        Turn turn = Turn::either;
        bool has_answered = false;  ///< Of a bootstrap address.
    };
    [[nodiscard]] bool knows_nobody() const { return peers_.empty() && agents_.empty(); }
    void try_later(Target& target, Instant now) const;
    /// When a bootstrap address is due.
    [[nodiscard]] Instant bootstrap_due(const Target& target) const;
    void set_next(const AgentId& agent, Target& target, Instant next);
    [[nodiscard]] bool is_first(const AgentId& agent, const Target& target) const {
        return target.turn == Turn::ours || self_ < agent;
    }

    AgentId self_;
    DialerOptions options_;
    KeyMap<AgentId, Target> agents_;
    std::map<std::string, Target> bootstrap_;
    std::set<std::pair<Instant, AgentId>> due_;  ///< The agents that are not connected.
    std::vector<AgentId> peers_;                 ///< Sorted.
};

}  // namespace creto
