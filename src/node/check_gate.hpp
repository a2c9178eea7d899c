// CheckGate: messages that wait for the host to verify their signatures.
//
// Why      Signature checks run off the protocol thread; meanwhile the message waits here, unseen by
//          the core. What one peer can make wait is bounded.
// Holds    The only maker of a CheckPass for a peer's message, and only after the host said that
//          every signature holds. At most checks_per_peer_max messages and check_bytes_per_peer_max bytes
//          wait for one peer; more are refused with a counter.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "base/key_cells.hpp"
#include "model/checks.hpp"
#include "model/effect.hpp"
#include "model/event.hpp"

namespace creto {

using MessagePtr = std::shared_ptr<const Message>;

class CheckGate {
public:
    /// Hands the items to the host and takes the message. None, and the message untouched, when this
    /// peer already has too much waiting.
    [[nodiscard]] std::optional<Ticket> submit(
        const AgentId& from,
        MessagePtr message,
        std::vector<CheckItem> items,
        std::size_t bytes,
        Instant now,
        Effects& effects
    );

    struct Opened {
        AgentId from;
        MessagePtr message;
        Instant came;
        std::optional<CheckPass> pass;  ///< None: a signature does not hold.
    };
    /// None when nothing waits under this ticket.
    [[nodiscard]] std::optional<Opened> on_done(const CheckDone& done);

    [[nodiscard]] std::size_t waiting() const { return waiting_; }

private:
    /// Peers beyond so many are forgotten when nothing of theirs waits.
    static constexpr std::size_t loads_kept = 2'048;

    struct Load {
        std::size_t messages = 0;
        std::size_t bytes = 0;
    };
    using Loads = KeyMap<AgentId, Load>;
    struct Pending {
        Ticket ticket;
        Loads::iterator load;  ///< Who sent it. There while anything of his waits.
        MessagePtr message;    ///< Null once it is done.
        std::size_t items = 0;
        std::size_t bytes = 0;
        Instant came;
    };
    /// By ticket. Checks end nearly in their order: what is done leaves when it is the oldest.
    std::deque<Pending> pending_;
    std::size_t waiting_ = 0;
    Loads loads_;
};

}  // namespace creto
