// FinalReceipt: shows anyone who has the genesis, offline, what was decided about a call.
//
// Why      `creto receipt verify` needs no node: who asked what, who answered what, and that a
//          quorum of seats agreed on the state that holds the verdict.
// Holds    [RECEIPT-OFFLINE.1] verify() accepts only if every link holds: the caller's and the
//          providers' signatures; the verdict's leaf names this call; the leaf is under the state
//          root; the block names that root; a quorum finalised the block.
// Errors   invalid, with the link that does not hold.
#pragma once

#include "model/block.hpp"
#include "model/call.hpp"
#include "model/vote.hpp"
#include "state/merkle_proof.hpp"
#include "state/verdict.hpp"

namespace creto {

struct FinalReceipt {
    QuorumReceipt receipt;
    Bytes verdict;             ///< The leaf's value: canonical bytes of a Verdict.
    MerkleProof proof;         ///< From verdict_key(call) to block.executed.state_root.
    Block block;               ///< Names the executed state root.
    Certificate finalization;  ///< Of that block.

    friend bool operator==(const FinalReceipt&, const FinalReceipt&) = default;
};

/// What a receipt that holds shows.
struct FinalDecision {
    Verdict verdict;
    Height anchored;                          ///< The height whose state holds the verdict.
    BlockId block;                            ///< The finalised block that names that state.
    std::uint32_t seats = 0;                  ///< How many finalised it.
    QuorumMode mode = QuorumMode::byzantine;  ///< crash: not proof against liars.
};

[[nodiscard]] Result<FinalDecision> verify(
    const FinalReceipt& receipt, const Roster& roster, const SignatureScheme& scheme
);

/// A quorum of the roster finalised this block: form, content and signatures.
[[nodiscard]] Result<void> check_finalization(
    const Certificate& certificate,
    const Block& block,
    const Roster& roster,
    const SignatureScheme& scheme
);

void encode(Writer& w, const FinalReceipt& v);
void decode(Reader& r, FinalReceipt& v);

}  // namespace creto
