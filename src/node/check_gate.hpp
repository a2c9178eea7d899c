// CheckGate: messages that wait for the host to verify their signatures.
//
// Why      Signature checks run off the protocol thread; meanwhile the message waits here, unseen
// by
//          the core. What one peer can make wait is bounded.
// Holds    The only maker of a CheckPass for a peer's message, and only after the host said that
// every
//          signature holds. At most checks_per_peer_max messages and check_bytes_per_peer_max bytes
//          wait for one peer; more are refused with a counter.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "model/checks.hpp"
#include "model/effect.hpp"
#include "model/event.hpp"

namespace creto {

class CheckGate {
public:
    /// Hands the items to the host and takes the message. False, and the message untouched, when this
    /// peer already has too much waiting.
    [[nodiscard]] bool submit(
        const AgentId& from,
        Message& message,
        std::vector<CheckItem> items,
        std::size_t bytes,
        Effects& effects
    );

    struct Opened {
        AgentId from;
        Message message;
        std::optional<CheckPass> pass;  ///< None: a signature does not hold.
    };
    /// None when nothing waits under this ticket.
    [[nodiscard]] std::optional<Opened> on_done(const CheckDone& done);

    [[nodiscard]] std::size_t waiting() const { return pending_.size(); }

private:
    struct Pending {
        AgentId from;
        Message message;
        std::size_t items = 0;
        std::size_t bytes = 0;
    };
    struct Load {
        std::size_t messages = 0;
        std::size_t bytes = 0;
    };
    std::map<Ticket, Pending> pending_;
    std::map<AgentId, Load> load_;
};

}  // namespace creto
