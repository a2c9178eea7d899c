#include "sim/cost.hpp"

namespace creto {
namespace {

constexpr std::string_view joined_suffix = "+bls12-381-model";

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
    table.open_byte_ps = 1'000;
    table.decode_byte_ps = 500;
    table.hash_byte_ps = 500;
    table.send_ns = 2'000;
    table.send_byte_ps = 1'000;
    table.sign_ns = 20'000;
    table.persist_ns = 3'000;
    table.verify_ns = 57'000;
    return table;
}

bool has_joined_votes(std::string_view id) {
    return id.ends_with(joined_suffix);
}

// Signatures in G2, keys in G1, with proofs of possession checked beforehand. What users of blst published:
// sign 0.43 ms (monad-bft#371); check one sum 2.0 ms (ChainSafe/bls#57; others say 1.4 to 2.7); add a key
// 0.52 us (lodestar-z#231); read a signature, see that it is in its group and add it 39 us (fastcrypto#103).
CostTable with_joined_votes(CostTable table) {
    if (table.is_free() || has_joined_votes(table.id)) return table;
    table.id += joined_suffix;
    table.sign_ns = 430'000;
    table.joined_verify_ns = 2'000'000;
    table.joined_key_ns = 520;
    table.joined_part_ns = 39'000;
    return table;
}

std::vector<CostTable> all_costs() {
    return {no_costs(), ed25519_costs(), measured_costs(), calibrated_costs()};
}

std::optional<CostTable> find_costs(std::string_view id) {
    if (has_joined_votes(id)) {
        const auto base = find_costs(id.substr(0, id.size() - joined_suffix.size()));
        if (!base || base->is_free()) return std::nullopt;
        return with_joined_votes(*base);
    }
    for (const CostTable& table : all_costs())
        if (table.id == id) return table;
    return std::nullopt;
}

Duration protocol_cost(
    const CostTable& table, const Event& event, const std::vector<Effect>& effects
) {
    if (table.is_free()) return {};
    std::uint64_t spent_ps = table.event_ns * 1'000;
    if (std::holds_alternative<Command>(event)) spent_ps += table.command_ns * 1'000;
    if (const auto* received = std::get_if<Received>(&event))
        spent_ps += received->message->size() *
                        (table.open_byte_ps + table.decode_byte_ps + table.hash_byte_ps) +
                    (received->channel == Channel::order ? table.tally_ns * 1'000 : 0);
    for (const Effect& effect : effects) {
        if (const auto* send = std::get_if<Send>(&effect)) {
            spent_ps += table.send_ns * 1'000 + send->message->size() * table.send_byte_ps;
        } else if (const auto* persist = std::get_if<Persist>(&effect)) {
            const std::uint64_t signatures = persist->votes.size();
            spent_ps += (table.persist_ns + signatures * (table.sign_ns + table.append_ns)) * 1'000;
        } else if (const auto* publish = std::get_if<Publish>(&effect)) {
            if (const auto* finalized = std::get_if<Finalized>(&*publish->notice))
                spent_ps += finalized->operations * table.apply_ns * 1'000;
        }
    }
    return ns(spent_ps / 1'000);
}

Duration check_cost(const CostTable& table, const Check& check, With with) {
    std::uint64_t spent = 0;
    for (const CheckItem& item : check.items) {
        if (item.joined == nullptr) {
            spent += table.verify_ns;
        } else if (with == With::others) {
            spent += table.joined_part_ns + table.joined_key_ns * item.joined->count();
        } else {
            spent += table.joined_verify_ns + table.joined_key_ns * item.joined->count();
        }
    }
    return ns(spent);
}

}  // namespace creto
