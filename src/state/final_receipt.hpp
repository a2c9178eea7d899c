// FinalReceipt: shows anyone who has the genesis, offline, what was decided about a call.
//
// Why      `creto receipt verify` needs no node: who asked what, who answered what, and that a
//          quorum of seats agreed on the state that holds the verdict.
// Holds    [RECEIPT-OFFLINE.1] verify() accepts only if every link holds: the caller's and the
//          providers' signatures; the verdict's leaf names this call; the leaf is under the state
//          root; the block names that root; a quorum of those that vote in its epoch finalised the
//          block. Who they are is shown by one roster link for each change since the genesis, oldest
//          first: each finalised by those that voted before it, none left out, none too many.
// Errors   invalid, with the link that does not hold.
#pragma once

#include "model/block.hpp"
#include "model/call.hpp"
#include "model/roster_link.hpp"
#include "model/vote.hpp"
#include "state/merkle_proof.hpp"
#include "state/verdict.hpp"

namespace creto {

struct FinalReceipt {
    QuorumReceipt receipt;
    Bytes verdict;                       ///< The leaf's value: canonical bytes of a Verdict.
    MerkleProof proof;                   ///< From verdict_key(call) to block.executed.state_root.
    Block block;                         ///< Names the executed state root.
    Certificate finalization;            ///< Of that block.
    std::vector<RosterLink> links = {};  ///< By epoch; not written where there are none.

    friend bool operator==(const FinalReceipt&, const FinalReceipt&) = default;
};

/// What a receipt that holds shows.
struct FinalDecision {
    Verdict verdict;
    Height anchored;                          ///< The height whose state holds the verdict.
    BlockId block;                            ///< The finalised block that names that state.
    std::uint32_t seats = 0;                  ///< How many finalised it,
    std::uint32_t voters = 0;                 ///< of so many that vote in its epoch.
    std::uint32_t answers_of_seats = 0;       ///< Of those that voted where the verdict was made.
    Epoch epoch{1};                           ///< Of the block.
    QuorumMode mode = QuorumMode::byzantine;  ///< crash: not proof against liars.
};

/// `roster`: of the genesis.
[[nodiscard]] Result<FinalDecision> verify(
    const FinalReceipt& receipt, const Roster& roster, const SignatureScheme& scheme
);

/// A quorum of the roster, which is in force in the block's epoch, finalised it: form, content and
/// signatures.
[[nodiscard]] Result<void> check_finalization(
    const Certificate& certificate,
    const Block& block,
    const Roster& roster,
    const SignatureScheme& scheme
);

void encode(Writer& w, const FinalReceipt& v);
void decode(Reader& r, FinalReceipt& v);

}  // namespace creto
