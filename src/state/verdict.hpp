// Verdict: what the final order holds about one recorded call; a leaf of the state.
//
// Why      The leaf, its path to a finalised state root and the receipt show offline who was right.
// Holds    At most one for a call. Only answers of seats that are not excluded count. A decided
//          dispute replaces what the receipt alone had shown.
#pragma once

#include <string>
#include <vector>

#include "model/call.hpp"
#include "model/command.hpp"

namespace creto {

struct Verdict {
    /// What it rests on: the receipt that the caller recorded, or the panel of a dispute.
    enum class Source : std::uint8_t { receipt, dispute };

    CallId call;
    ContractId contract;
    Source source = Source::receipt;
    Height height;     ///< Of the block that recorded or decided it.
    std::string tool;  ///< As the caller named it in an opening; else empty.
    bool decided = false;
    AnswerKind kind = AnswerKind::result;
    Digest result;                    ///< Zero when undecided.
    std::uint32_t agreeing = 0;       ///< Seats; of the receipt or of the dispute's panel.
    std::uint32_t bar = 0;            ///< Equal answers that decide.
    std::uint32_t panel = 0;          ///< How many were asked.
    std::vector<AgentId> dissenting;  ///< Ascending; answered otherwise, there or in the receipt.

    [[nodiscard]] VerdictView view() const;
    friend bool operator==(const Verdict&, const Verdict&) = default;
};

/// The leaf's key: "verdict/" and the call id in hexadecimal.
[[nodiscard]] std::string verdict_key(const CallId& call);

void encode(Writer& w, const Verdict& v);
void decode(Reader& r, Verdict& v);

}  // namespace creto
