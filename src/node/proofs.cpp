#include "node/proofs.hpp"

#include <algorithm>

#include "crypto/digest.hpp"

namespace creto {

namespace {

/// Nobody chooses it but by making another key, and a seat's key is as old as the seat.
std::uint64_t bringer_draw(const AgentId& liar, std::size_t kind, const AgentId& self) {
    Bytes name{liar.bytes().begin(), liar.bytes().end()};
    name.push_back(static_cast<std::uint8_t>(kind));
    name.insert(name.end(), self.bytes().begin(), self.bytes().end());
    const Digest digest = blake3(name);
    std::uint64_t drawn = 0;
    for (std::size_t i = 0; i < sizeof drawn; ++i)
        drawn = drawn << 8U | digest.bytes()[i];
    return drawn;
}

}  // namespace

bool Proofs::knows(const AgentId& liar, const Evidence& evidence) const {
    return known_.contains({liar, evidence.index()});
}

bool Proofs::add(const AgentId& liar, bool has_seat, const Evidence& evidence, Instant now) {
    if (!has_seat && seatless_ == seatless_max) return false;
    if (!known_.insert({liar, evidence.index()}).second) return false;
    if (!has_seat) ++seatless_;
    if (open_.size() < open_max) {
        open_.push_back(
            {evidence, liar, now, bringer_draw(liar, evidence.index(), self_), std::nullopt}
        );
    }
    return true;
}

std::vector<AgentId> Proofs::to_tell(
    std::vector<AgentId> peers, const std::optional<AgentId>& from, Prng& prng
) {
    if (from) std::erase(peers, *from);
    if (peers.size() <= all_max) return peers;
    for (std::size_t i = 0; i < told_max; ++i)
        std::swap(peers[i], peers[i + prng.below(peers.size() - i)]);
    peers.resize(told_max);
    return peers;
}

bool Proofs::is_due(const Open& proof, std::size_t seats, Instant now) {
    if (proof.brought_at && now < *proof.brought_at + again) return false;
    if (seats <= all_max) return true;
    std::size_t bringers = first_bringers;
    for (Duration waited = now - proof.known_at; waited >= again && bringers < seats;
         waited = waited - again)
        bringers *= 8;
    return scale_to(proof.draw, seats) < bringers;
}

}  // namespace creto
