// Light verification: a range of finalised blocks is proven by its headers and one certificate.
//
// Why      Whoever joins, reads an export or checks a receipt wants to know that a range of the
//          chain is the final one, without the blocks before it, the vertices or any state.
// Source   Rule L11 in docs/spec/ordering.md: the last certificate and hash links prove the rest.
// Holds    [ORD-L11.3] A range verifies exactly if each block is well formed and names the one
//          before as its parent, by id, view and height; a quorum of the roster finalised the last;
//          and the first continues `after`, where that is known. Ids are hashes, so nothing of a
//          verified block can be another than the one that the quorum agreed on.
// Errors   invalid, with what does not hold and where.
// Cost     One hash for each block, and one signature check for each signer of the certificate.
#pragma once

#include <optional>
#include <span>

#include "model/block.hpp"
#include "model/checks.hpp"

namespace creto::simplex {

/// Each block is well formed and continues the one before. The id of the last.
/// Errors: invalid; also when there is none.
[[nodiscard]] Result<BlockId> check_links(std::span<const Block> blocks);

/// The signatures that must hold for a certificate; form is checked here.
[[nodiscard]] Result<std::vector<CheckItem>> signatures_of(
    const Certificate& certificate, const Roster& roster
);

/// The whole of it, on the spot. `after`: the id of the block before the first, if it is known;
/// height 1 continues the genesis block in any case.
[[nodiscard]] Result<void> verify_range(
    std::span<const Block> blocks,
    const Certificate& finalization,
    const Roster& roster,
    const SignatureScheme& scheme,
    const std::optional<BlockId>& after = std::nullopt
);

}  // namespace creto::simplex
