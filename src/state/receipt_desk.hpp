// ReceiptDesk: turns quorum receipts of recorded calls into final receipts.
//
// Why      A proof is under one state root, and only some roots are named by a block that gets a
//          certificate of its own. Until that happens, each new height needs a new proof.
// Holds    At most limits::receipts_waiting_max calls and limits::receipt_proofs_kept heights of
//          each; the oldest goes first. Not agreed state: every node keeps a desk of its own.
// Use      watch() after recording a call; executed() after each FinalState::apply(); finalised()
//          for each block that has a finalisation of its own.
#pragma once

#include <deque>
#include <map>
#include <vector>

#include "state/final_receipt.hpp"
#include "state/final_state.hpp"

namespace creto {

class ReceiptDesk {
public:
    /// `call` is the receipt's. Watching a call again starts it anew.
    void watch(const CallId& call, QuorumReceipt receipt);
    /// Proves, under the latest root, the verdicts that are waited for.
    void executed(const FinalState& state);
    /// The receipts that this block completes; they are no longer watched. `links`: of each change of
    /// the roster since the genesis, by epoch; later ones than the block's are left out.
    [[nodiscard]] std::vector<FinalReceipt> finalised(
        const Block& block,
        const Certificate& finalization,
        const std::vector<RosterLink>& links = {}
    );
    [[nodiscard]] std::size_t waiting() const { return calls_.size(); }

private:
    struct Proven {
        Height height;
        Bytes verdict;
        MerkleProof proof;
    };
    struct Waiting {
        QuorumReceipt receipt;
        std::deque<Proven> proven;  ///< By height.
    };
    std::map<CallId, Waiting> calls_;
    std::deque<CallId> order_;  ///< Oldest first.
};

}  // namespace creto
