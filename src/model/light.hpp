// Light verification: a range of finalised blocks is proven by its headers and one certificate.
//
// Why      Whoever joins, reads an export or checks a receipt wants to know that a range of the
//          chain is the final one, without the blocks before it, the vertices or any state.
// Source   Rule L11 in docs/spec/ordering.md: the last certificate and hash links prove the rest.
// Holds    [ORD-L11.3] A range verifies exactly if each block is well formed and names the one
//          before as its parent, by id, view and height; a quorum of the roster finalised the last;
//          and the first continues `after`, where that is known. Ids are hashes, so nothing of a
//          verified block can be another than the one that the quorum agreed on. The last may be an
//          echo of the one before: who voted for it had seen what it repeats. [ORD-L12.4]
// Errors   invalid, with what does not hold and where.
// Cost     One hash for each block, and one signature check for each signer of the certificate, or one
//          for all where votes are joined.
#pragma once

#include <optional>
#include <span>

#include "model/block.hpp"
#include "model/checks.hpp"
#include "model/roster_link.hpp"

namespace creto {

/// Each block is well formed and continues the one before. The id of the last.
/// Errors: invalid; also when there is none.
[[nodiscard]] Result<BlockId> check_links(std::span<const Block> blocks, const Epochs& epochs);

/// The signatures that must hold for a certificate of the roster's epoch; form is checked here.
[[nodiscard]] Result<std::vector<CheckItem>> signatures_of(
    const Certificate& certificate, const Roster& roster
);

/// The same for a part of one.
[[nodiscard]] Result<std::vector<CheckItem>> signatures_of(
    const PartialCertificate& partial, const Roster& roster
);

/// Who votes in an epoch, as links prove it, and the signatures that must hold for that.
struct ProvenRoster {
    Roster roster;
    std::vector<CheckItem> items;
};
/// From a roster that is known to that of a later epoch. Links of earlier epochs are passed over.
/// Errors: invalid, with the link that does not hold. [ORD-L13.1]
[[nodiscard]] Result<ProvenRoster> follow_links(
    const Roster& known, std::span<const RosterLink> links, Epoch epoch
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

}  // namespace creto
