#include "state/receipt_desk.hpp"

#include <algorithm>

namespace creto {

void ReceiptDesk::watch(const CallId& call, QuorumReceipt receipt) {
    if (calls_.insert_or_assign(call, Waiting{std::move(receipt), {}}).second)
        order_.push_back(call);
    if (order_.size() <= limits::receipts_waiting_max) return;
    calls_.erase(order_.front());
    order_.pop_front();
}

void ReceiptDesk::executed(const FinalState& state) {
    for (auto& [call, waiting] : calls_) {
        auto verdict = state.get(verdict_key(call));
        if (!verdict) continue;
        waiting.proven.push_back(
            {state.height(), std::move(*verdict), state.prove(verdict_key(call))}
        );
        if (waiting.proven.size() > limits::receipt_proofs_kept) waiting.proven.pop_front();
    }
}

std::vector<FinalReceipt> ReceiptDesk::finalised(
    const Block& block, const Certificate& finalization, const std::vector<RosterLink>& links
) {
    std::vector<FinalReceipt> ready;
    const auto shown = std::partition_point(links.begin(), links.end(), [&](const RosterLink& l) {
        return l.epoch() <= block.epoch;
    });
    std::erase_if(order_, [&](const CallId& call) {
        const auto waiting = calls_.find(call);
        auto& proven = waiting->second.proven;
        const auto fits = std::find_if(proven.begin(), proven.end(), [&](const Proven& p) {
            return p.height == block.executed.height;
        });
        if (fits == proven.end()) return false;
        ready.push_back(
            {std::move(waiting->second.receipt),
             std::move(fits->verdict),
             std::move(fits->proof),
             block,
             finalization,
             {links.begin(), shown}}
        );
        calls_.erase(waiting);
        return true;
    });
    return ready;
}

}  // namespace creto
