// Evidence: two statements of one key that no correct agent signs together.
//
// Why      Nobody is accused without proof; every node checks the proof again, needing nothing but
//          the roster and the lane table.
// Holds    verify() is true for a truly contradicting, truly signed pair only. Being slow,
//          unreachable, outvoted or restarted from an old disk is never evidence.
#pragma once

#include <variant>

#include "model/call.hpp"
#include "model/checks.hpp"
#include "model/vertex_header.hpp"
#include "model/vote.hpp"

namespace creto {

/// Two votes of one seat whose contents conflict.
struct VoteConflict {
    Vote a;
    Vote b;
    friend bool operator==(const VoteConflict&, const VoteConflict&) = default;
};

/// Two vertices of one lane with the same sequence, or two children of different parents' branches.
struct LaneFork {
    SignedHeader a;
    SignedHeader b;
    friend bool operator==(const LaneFork&, const LaneFork&) = default;
};

/// One side of an answer conflict: everything that binds a result in clear to a signature.
struct RevealedAnswer {
    CallRequest request;
    Answer answer;
    Salt salt{};
    std::string result;  ///< Canonical JSON.
    friend bool operator==(const RevealedAnswer&, const RevealedAnswer&) = default;
};

/// Two different results of one provider for the same arguments of a pinned deterministic contract.
struct AnswerConflict {
    ContractSummary contract;
    std::string arguments;  ///< Canonical JSON.
    RevealedAnswer a;
    RevealedAnswer b;
    friend bool operator==(const AnswerConflict&, const AnswerConflict&) = default;
};

using Evidence = std::variant<VoteConflict, LaneFork, AnswerConflict>;

/// Who is proven to have lied.
[[nodiscard]] Result<AgentId> culprit(const Evidence& evidence, const Roster& roster);

/// Checks everything but the signatures: same key, truly contradicting, digests open.
[[nodiscard]] Result<void> contradicts(const Evidence& evidence, const Roster& roster);

/// The signatures that must hold. Requires: contradicts(evidence, roster).
[[nodiscard]] std::vector<CheckItem> signatures_of(const Evidence& evidence, const Roster& roster);

void encode(Writer& w, const Evidence& v);
void decode(Reader& r, Evidence& v);

}  // namespace creto
