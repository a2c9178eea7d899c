#include "node/check_gate.hpp"

#include <algorithm>

namespace creto {

std::optional<Ticket> CheckGate::submit(
    const AgentId& from,
    MessagePtr message,
    std::vector<CheckItem> items,
    std::size_t bytes,
    Instant now,
    Effects& effects
) {
    const auto place = loads_.try_emplace(from).first;
    Load& load = place->second;
    if (load.messages >= limits::checks_per_peer_max ||
        load.bytes + bytes > limits::check_bytes_per_peer_max) {
        return std::nullopt;
    }
    ++load.messages;
    load.bytes += bytes;
    const Ticket ticket = effects.new_ticket();
    pending_.push_back({ticket, place, std::move(message), items.size(), bytes, now});
    ++waiting_;
    effects.add(Check{ticket, std::move(items), from});
    return ticket;
}

std::optional<CheckGate::Opened> CheckGate::on_done(const CheckDone& done) {
    const auto found = std::lower_bound(
        pending_.begin(),
        pending_.end(),
        done.ticket,
        [](const Pending& pending, Ticket ticket) { return pending.ticket < ticket; }
    );
    if (found == pending_.end() || found->ticket != done.ticket || !found->message)
        return std::nullopt;
    --waiting_;
    Opened opened{found->load->first, std::move(found->message), found->came, std::nullopt};
    Load& load = found->load->second;
    load.bytes -= found->bytes;
    // Who comes and goes leaves nothing behind; who speaks all the time keeps his place.
    if (--load.messages == 0 && loads_.size() > loads_kept) loads_.erase(found->load);
    if (done.good == found->items) opened.pass = CheckPass{};
    while (!pending_.empty() && !pending_.front().message)
        pending_.pop_front();
    return opened;
}

}  // namespace creto
