#include "node/receipts.hpp"

#include <algorithm>

#include "store/keys.hpp"

namespace creto {

void FinalReceipts::executed(
    const FinalizedBlock& finalized,
    const FinalState& state,
    const std::vector<RosterLink>& links,
    Effects& effects
) {
    if (desk_.waiting() == 0) return;
    desk_.executed(state);
    if (!finalized.finalization) return;
    for (const FinalReceipt& receipt :
         desk_.finalised(finalized.block, *finalized.finalization, links)) {
        const CallId call = receipt.receipt.request.id(state.roster().chain());
        Bytes bytes = encode_bytes(receipt);
        effects.persist(
            {{Column::receipts, keys::digest(call.value()), share(bytes)}}, {}, Durable::no
        );
        std::erase_if(waiting_, [&](const Ask& ask) {
            if (ask.call != call) return false;
            effects.add(Reply{ask.command, ReceiptReply{call, bytes}});
            return true;
        });
        if (done_.emplace(call, std::move(bytes)).second) order_.push_back(call);
        if (order_.size() > in_memory_max) {
            done_.erase(order_.front());
            order_.pop_front();
        }
    }
}

void FinalReceipts::ask(Ticket command, const AskReceipt& ask, Instant now, Effects& effects) {
    if (const auto done = done_.find(ask.call); done != done_.end()) {
        effects.add(Reply{command, ReceiptReply{ask.call, done->second}});
        return;
    }
    const Ticket ticket = effects.new_ticket();
    loading_.emplace(ticket, Ask{command, ask.call, now + ask.timeout});
    effects.add(Load{ticket, Column::receipts, {keys::digest(ask.call.value())}});
}

bool FinalReceipts::on_loaded(const Loaded& loaded, Effects& effects) {
    const auto found = loading_.find(loaded.ticket);
    if (found == loading_.end()) return false;
    const Ask ask = found->second;
    loading_.erase(found);
    // It may have become complete while the store was read.
    if (const auto done = done_.find(ask.call); done != done_.end()) {
        effects.add(Reply{ask.command, ReceiptReply{ask.call, done->second}});
    } else if (!loaded.values.empty() && loaded.values.front()) {
        effects.add(Reply{ask.command, ReceiptReply{ask.call, *loaded.values.front()}});
    } else {
        waiting_.push_back(ask);
    }
    return true;
}

void FinalReceipts::on_time(Instant now, Effects& effects) {
    std::erase_if(waiting_, [&](const Ask& ask) {
        if (ask.deadline > now) return false;
        effects.add(Reply{
            ask.command,
            Error{
                ErrorCode::not_found,
                "no final receipt of call " + ask.call.value().hex() +
                    " yet: only the node that made the call has it, once its record is final"}});
        return true;
    });
}

Instant FinalReceipts::next_wake() const {
    Instant next = Instant::max();
    for (const Ask& ask : waiting_)
        next = std::min(next, ask.deadline);
    return next;
}

bool FinalReceipts::cancel(Ticket command) {
    return std::erase_if(waiting_, [&](const Ask& ask) { return ask.command == command; }) +
               std::erase_if(
                   loading_, [&](const auto& entry) { return entry.second.command == command; }
               ) >
           0;
}

}  // namespace creto
