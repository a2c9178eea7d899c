// Reputation: how often an agent's answers agreed with what disputes decided.
//
// Why      Dissent is not proof: it explains itself, fades, can be made good, and at worst suspends
//          an agent as a provider; it never costs a seat.
// Source   Beta estimate with exponential forgetting (Jøsang and Ismail, "The Beta Reputation
//          System", 2002).
// Holds    [REPUTATION.1] Only decided disputes change it, each at most once for one agent.
//          Integers only. alpha and beta start at 1; before each new entry what they hold above 1
//          shrinks by a sixteenth. An agreement adds 1 to alpha; a dissent adds 3 to beta, since a
//          wrong answer where equal results are promised says more than a right one.
// Units    alpha and beta in millionths; the score in millionths, 500,000 at the start.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/ids.hpp"

namespace creto {

struct Reputation {
    /// One dispute in which the agent's answer was not the decided one.
    struct Dissent {
        CallId call;
        Height height;
        friend bool operator==(const Dissent&, const Dissent&) = default;
    };
    static constexpr std::uint64_t one = 1'000'000;
    static constexpr std::uint64_t dissent_weight = 3;
    static constexpr std::uint64_t kept_of_16 = 15;
    static constexpr std::uint32_t suspended_below_ppm = 300'000;
    static constexpr std::uint64_t suspended_from_decisions = 3;

    std::uint64_t alpha = one;
    std::uint64_t beta = one;
    std::uint64_t agreed = 0;
    std::uint64_t dissented = 0;
    std::vector<Dissent> dissents;  ///< The latest, oldest first.

    void on_agreement();
    void on_dissent(const CallId& call, Height height);
    [[nodiscard]] std::uint32_t score_ppm() const;
    /// Left out of panels and tools until later agreement lifts the score again.
    [[nodiscard]] bool suspended() const;
    /// One line for each kept dissent, for people.
    [[nodiscard]] std::vector<std::string> reasons() const;

    friend bool operator==(const Reputation&, const Reputation&) = default;
};

void encode(Writer& w, const Reputation& v);
void decode(Reader& r, Reputation& v);

}  // namespace creto
