// FinalReceipts: the final receipts of this node's own verified calls, kept and handed out.
//
// Why      A verdict can be shown offline once a finalised block names a state that holds it. That
//          is some blocks after the call was recorded; who asks earlier waits.
// Holds    A receipt is handed out only when it is complete, and then always the same bytes. The
//          newest are in memory, all others in the store's column of receipts. Whoever asks is
//          answered by the deadline.
// Cost     Nothing while no call waits for its receipt.
#pragma once

#include <deque>
#include <map>
#include <vector>

#include "base/time.hpp"
#include "model/command.hpp"
#include "model/effect.hpp"
#include "order/ordering.hpp"
#include "state/receipt_desk.hpp"

namespace creto {

class FinalReceipts {
public:
    /// A call of this node whose record is on its way into the final order.
    void watch(const CallId& call, QuorumReceipt receipt) { desk_.watch(call, std::move(receipt)); }
    /// After each block is applied: proves what waits, hands out and stores what became complete.
    /// `links`: of each change of the roster up to the block's epoch at least, by epoch.
    void executed(
        const FinalizedBlock& finalized,
        const FinalState& state,
        const std::vector<RosterLink>& links,
        Effects& effects
    );

    void ask(Ticket command, const AskReceipt& ask, Instant now, Effects& effects);
    /// True when the answer was to a question of ours.
    [[nodiscard]] bool on_loaded(const Loaded& loaded, Effects& effects);
    void on_time(Instant now, Effects& effects);
    [[nodiscard]] Instant next_wake() const;
    /// True when this command was waiting.
    bool cancel(Ticket command);

private:
    struct Ask {
        Ticket command;
        CallId call;
        Instant deadline;
    };
    static constexpr std::size_t in_memory_max = 256;

    ReceiptDesk desk_;
    std::map<CallId, Bytes> done_;
    std::deque<CallId> order_;  ///< Of done_, oldest first.
    std::map<Ticket, Ask> loading_;
    std::vector<Ask> waiting_;
};

}  // namespace creto
