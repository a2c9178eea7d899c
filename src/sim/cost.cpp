#include "sim/cost.hpp"

namespace creto {
namespace {

Duration ns(std::uint64_t count) {
    return Duration::from_ns(static_cast<std::int64_t>(count));
}

}  // namespace

CostTable no_costs() {
    return {};
}

// Signing, verifying and hashing are crypto/'s own figures (signature.hpp, digest.hpp); encryption
// is ChaCha20-Poly1305 at 1 GB/s; a small event and a write to a socket are 2 us each.
CostTable ed25519_costs() {
    CostTable table;
    table.id = "ed25519-2.6GHz-1";
    table.event_ns = 2'000;
    table.receive_byte_ps = 2'000;
    table.send_ns = 2'000;
    table.send_byte_ps = 1'000;
    table.sign_ns = 20'000;
    table.persist_ns = 3'000;
    table.verify_ns = 57'000;
    return table;
}

Duration protocol_cost(
    const CostTable& table, const Event& event, const std::vector<Effect>& effects
) {
    if (table.is_free()) return {};
    std::uint64_t spent_ps = table.event_ns * 1'000;
    if (std::holds_alternative<Command>(event)) spent_ps += table.command_ns * 1'000;
    if (const auto* received = std::get_if<Received>(&event))
        spent_ps += received->message->size() * table.receive_byte_ps;
    for (const Effect& effect : effects) {
        if (const auto* send = std::get_if<Send>(&effect)) {
            spent_ps += table.send_ns * 1'000 + send->message->size() * table.send_byte_ps;
        } else if (const auto* persist = std::get_if<Persist>(&effect)) {
            const std::uint64_t signatures = persist->votes.size();
            spent_ps += (table.persist_ns + signatures * table.sign_ns) * 1'000;
        }
    }
    return ns(spent_ps / 1'000);
}

Duration check_cost(const CostTable& table, const Check& check) {
    return ns(check.items.size() * table.verify_ns);
}

}  // namespace creto
