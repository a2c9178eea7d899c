// Block and proposal: how far each lane has come, agreed.
//
// Why      Consensus never moves data: a block names a cut by its difference from the parent's, and
//          finalising it finalises everything below.
// Source   Autobahn (SOSP 2024) for cuts of lanes; ORDER rules L1 and L2 in docs/spec/ordering.md.
// Holds    id = hash of the canonical bytes, so votes bind the whole cut. Ranges are sorted by lane
//          and not empty; first = the parent cut's sequence + 1. `executed` names a finalised
//          height at or below the parent, its state root and its order digest: a divergence shows
//          within a view.
#pragma once

#include <optional>
#include <vector>

#include "model/cut.hpp"
#include "model/vertex_header.hpp"
#include "model/vote.hpp"

namespace creto {

/// The vertices [first, last] of a lane; `tip` is the id of the last.
struct LaneRange {
    LaneId lane;
    Sequence first;
    Sequence last;
    VertexId tip;
    friend bool operator==(const LaneRange&, const LaneRange&) = default;
};

/// A finalised height and what executing up to it gave.
struct ExecutedMark {
    Height height;
    Digest state_root;
    Digest order_digest;
    friend bool operator==(const ExecutedMark&, const ExecutedMark&) = default;
};

/// Whose votes for a final block its reporter did not get, a while later. It proves nothing: it is what
/// one seat says of the others. [STAND-REPORT.1]
/// Where votes go through groups it is about all views that it looked at lately: whose votes were in none of the
/// last ones (`absent`), and whose it misses often. [STAND-REPORT.2]
struct Turnout {
    Height height;             ///< Of the latest block that it is about.
    std::vector<Seat> absent;  ///< Ascending.
    std::optional<std::vector<Seat>> often = std::nullopt;  ///< Ascending.
    friend bool operator==(const Turnout&, const Turnout&) = default;
};

struct Block {
    Epoch epoch;
    View view;
    View parent_view;
    Height height;  ///< The parent's height + 1; an echo has its parent's. [ORD-L12.4]
    BlockId parent;
    Seat proposer;
    std::vector<LaneRange> delta;
    Digest cut_root;  ///< Cut::root() of the cut after this block.
    ExecutedMark executed;
    /// Roster::digest() of the next epoch, in boundary blocks and in no others. [ORD-L12.3]
    std::optional<Digest> next_roster = std::nullopt;
    /// An echo repeats the boundary block of its branch in a later view, so that it becomes final; it
    /// has no place in the chain. [ORD-L12.4]
    std::optional<BlockId> echo_of = std::nullopt;
    /// What its proposer says of the votes for an earlier block. An echo says nothing.
    std::optional<Turnout> turnout = std::nullopt;

    [[nodiscard]] BlockId id() const;
    /// What a notarize or finalize vote for this block says.
    [[nodiscard]] VoteContent content(VoteKind kind) const;
    friend bool operator==(const Block&, const Block&) = default;
};

/// A block with its leader's notarize signature.
struct Proposal {
    Block block;
    Signature signature;

    [[nodiscard]] Vote leader_vote() const;
    friend bool operator==(const Proposal&, const Proposal&) = default;
};

/// The block before the first: view 0, height 0, final by definition.
[[nodiscard]] BlockId genesis_block_id(const ChainId& chain);

/// Requires: the delta continues the cut (checked by whoever accepts the block).
void apply(Cut& cut, const std::vector<LaneRange>& delta);

/// Bounds that hold for every block whatever the cut: views, heights, ranges in order.
[[nodiscard]] Result<void> well_formed(const Block& block);

void encode(Writer& w, const LaneRange& v);
void decode(Reader& r, LaneRange& v);
void encode(Writer& w, const ExecutedMark& v);
void decode(Reader& r, ExecutedMark& v);
void encode(Writer& w, const Turnout& v);
void decode(Reader& r, Turnout& v);
void encode(Writer& w, const Block& v);
void decode(Reader& r, Block& v);
void encode(Writer& w, const Proposal& v);
void decode(Reader& r, Proposal& v);

}  // namespace creto
