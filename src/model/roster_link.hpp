// RosterLink: what proves that another roster is in force, to whoever knows the one before.
//
// Why      A joiner knows the genesis; what it is offered was signed by those who vote now.
// Source   Rule L13 in docs/spec/ordering.md.
// Holds    The boundary block names the digest of `members`, and `finalization` is about it, or about
//          the echo of it. Signatures are checked apart (model/light.hpp). One link for each change
//          of the roster is enough: between two of them it is the same. [SEAT-DORMANT.4] A change of
//          how many seats are dormant is one: the quorum depends on it. [PARAM-DIGEST.1] So is a change
//          of the parameters.
#pragma once

#include <optional>
#include <vector>

#include "model/block.hpp"

namespace creto {

struct RosterLink {
    Block boundary;
    std::optional<Block> echo;
    Certificate finalization;
    std::vector<Member> members;                ///< Of the epoch after the boundary.
    std::uint32_t dormant = 0;                  ///< Seats that are set aside in it.
    std::optional<Parameters> parameters = {};  ///< None: those of the genesis.

    [[nodiscard]] Epoch epoch() const { return boundary.epoch.next(); }
    friend bool operator==(const RosterLink&, const RosterLink&) = default;
};

void encode(Writer& w, const RosterLink& v);
void decode(Reader& r, RosterLink& v);

}  // namespace creto
