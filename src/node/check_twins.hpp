// CheckTwins: messages that say what one says whose signatures are being checked.
//
// Why      Above 128 seats each certificate, proposal and part of a certificate comes from three relays at
//          about the same time. One check of it is enough: whoever comes second waits for the first.
// Holds    [ORD-A3.1] A message waits only behind a check that has begun and has not ended, of a
//          certificate or a block that is the same, or of votes on the same content among which its own
//          are. When that check ends, however it ends, what waited is admitted anew, in the order in
//          which it came: it is not worth a check any more, or it is checked itself.
//          At most checks_max checks are known, behind each of which waiting_max messages wait, and
//          bytes_max in all; what is beyond that is checked at once.
// Cost     O(checks_max) for each message about the order.
#pragma once

#include <vector>

#include "model/message.hpp"
#include "node/check_gate.hpp"

namespace creto {

class CheckTwins {
public:
    static constexpr std::size_t checks_max = 64;
    static constexpr std::size_t waiting_max = 32;
    static constexpr std::size_t bytes_max = 4 * 1024 * 1024;

    struct Waiting {
        AgentId from;
        MessagePtr message;
        std::size_t bytes = 0;
    };

    /// Whether it waits from now on.
    [[nodiscard]] bool wait(const AgentId& from, const MessagePtr& message, std::size_t bytes);
    /// Its check has begun. Nothing happens with a message of another kind.
    void began(Ticket ticket, const MessagePtr& message);
    /// What waited for this check.
    [[nodiscard]] std::vector<Waiting> ended(Ticket ticket);

    [[nodiscard]] std::size_t waiting() const;

private:
    struct Checked {
        Ticket ticket;
        MessagePtr message;
        std::vector<Waiting> behind;
    };
    std::vector<Checked> checked_;  ///< By ticket.
    std::size_t bytes_ = 0;         ///< Of all that waits.
};

}  // namespace creto
