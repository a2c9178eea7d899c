// Attack: the ways in which a simulated node may deviate, by name.
//
// Why      Claims about liars are checked against liars: each attack wraps a real node, which knows
//          what a node knows and signs with a real key, and changes what it says.
// Holds    An attack changes messages that the node sends, and its own votes; what the node stores
//          and believes stays.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "sim/participant.hpp"

namespace creto {

enum class Attack : std::uint8_t {
    silence,        ///< Says nothing at all, to anybody.
    always_reject,  ///< Nullifies every view, and proposes nothing.
    random_voting,  ///< Rejects a view or keeps to the rules, by the toss of a coin.
    always_accept,  ///< Notarizes whatever is proposed first, unseen; never nullifies.
    equivocation,   ///< Two proposals, and two votes for each view: one for each half of the seats.
    withheld_data,  ///< Proposes and votes, but hands no vertex to anybody.
    forked_lane,    ///< Two lanes, one for each half of the seats.
    collusion,      ///< Two proposals, and votes and finalizes both, each for its half.
    stale_replay,   ///< Says again what anybody said before.
    future_spam,    ///< Votes for views that nobody has entered; claims to be far ahead.
    forged_evidence,    ///< Accuses others with proofs that it made up.
    sybil,              ///< Votes in the name of every seat.
    slow_walk,          ///< Says everything about the order 250 ms late.
    selective_delay,    ///< The same, to half of the seats.
    open_equivocation,  ///< Two notarize votes for each view, both to everybody.
};

/// All of them, in the order of their numbers.
[[nodiscard]] std::span<const Attack> all_attacks();

[[nodiscard]] const char* to_string(Attack attack);
/// By the name that to_string() gives.
[[nodiscard]] Result<Attack> parse_attack(std::string_view name);

/// The inner participant, deviating.
[[nodiscard]] std::unique_ptr<Participant> deviate(
    Attack attack, std::unique_ptr<Participant> inner, const ParticipantParts& parts
);

}  // namespace creto
