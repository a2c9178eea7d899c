#include "node/check_gate.hpp"

#include <algorithm>

namespace creto {

bool CheckGate::submit(
    const AgentId& from,
    Message& message,
    std::vector<CheckItem> items,
    std::size_t bytes,
    Effects& effects
) {
    Load& load = load_[from];
    if (load.messages >= limits::checks_per_peer_max ||
        load.bytes + bytes > limits::check_bytes_per_peer_max) {
        return false;
    }
    ++load.messages;
    load.bytes += bytes;
    const Ticket ticket = effects.new_ticket();
    pending_.emplace(ticket, Pending{from, std::move(message), items.size(), bytes});
    effects.add(Check{ticket, std::move(items)});
    return true;
}

std::optional<CheckGate::Opened> CheckGate::on_done(const CheckDone& done) {
    const auto found = pending_.find(done.ticket);
    if (found == pending_.end()) return std::nullopt;
    Pending pending = std::move(found->second);
    pending_.erase(found);
    const auto load = load_.find(pending.from);
    load->second.bytes -= pending.bytes;
    if (--load->second.messages == 0) load_.erase(load);

    Opened opened{pending.from, std::move(pending.message), std::nullopt};
    const bool all =
        done.good.size() == pending.items &&
        std::all_of(done.good.begin(), done.good.end(), [](bool good) { return good; });
    if (all) opened.pass = CheckPass{};
    return opened;
}

}  // namespace creto
