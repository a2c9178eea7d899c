// Dispute: the seats that offer a contract answer again, and a quorum of them decides.
//
// Why      A caller picks whom it asks, so its receipt alone may not cost anybody anything; the
//          panel of a dispute is everyone who offers the contract.
// Holds    [DISPUTE-BAR.1] Decided by max(floor(2m/3)+1, t+1) equal answers of m panel seats: with
//          at most t liars one of them is honest, and honest answers of a deterministic contract
//          are right. The first answer of a seat counts. Excluded seats' answers do not.
//          [DISPUTE-DRAWN.1] Of more than limits::drawn_panel seats so many are drawn, after the
//          record is ordered, so that nobody picks them. Its bar is the least, of at least two thirds,
//          that t liars among all of them reach by luck in one of 2^20 draws; if that is more than
//          limits::drawn_bar_max, too many of those that offer the contract could be liars, and all
//          are asked.
#pragma once

#include <optional>
#include <vector>

#include "model/operation.hpp"
#include "state/state_limits.hpp"

namespace creto {

struct Dispute {
    /// What somebody answered, salted with the salt of the opening.
    struct Given {
        AgentId agent;
        AnswerKind kind = AnswerKind::result;
        Digest result;
        friend bool operator==(const Given&, const Given&) = default;
    };

    CallId call;
    AgentId caller;
    DisputeOpening opening;
    Height opened;
    std::uint32_t bar = 0;
    bool awaits_draw = false;        ///< Panel and probation are those that it is drawn from.
    std::vector<AgentId> panel;      ///< Ascending: whose equal answers decide.
    std::vector<AgentId> probation;  ///< Ascending: suspended; compared, but not counted.
    std::vector<Given> receipt;      ///< By agent: the counted answers of the caller's receipt.
    std::vector<Given> answers;      ///< By agent: of the panel and of those on probation.

    [[nodiscard]] bool asks(const AgentId& agent) const;
    /// False when the agent has answered already. Requires: asks(given.agent).
    [[nodiscard]] bool add(const Given& given);

    friend bool operator==(const Dispute&, const Dispute&) = default;
};

[[nodiscard]] std::string dispute_key(const CallId& call);

/// The bar of a panel that is drawn of so many seats, of which up to `liars` lie. None: nobody is drawn,
/// all are asked. Exact, in integers.
[[nodiscard]] std::optional<std::uint32_t> drawn_bar(std::uint32_t seats, std::uint32_t liars);
/// Up to limits::drawn_panel of these, ascending; who, follows from the lot.
[[nodiscard]] std::vector<AgentId> drawn_from(std::vector<AgentId> agents, const Digest& lot);

void encode(Writer& w, const Dispute& v);
void decode(Reader& r, Dispute& v);

}  // namespace creto
