// CutSource: what ordering asks of the graph: may this delta follow that cut, and what could?
//
// Why      Ordering names how far lanes have come and never looks into a vertex; whoever holds the
//          vertices answers. So the rules of Simplex are tested without a graph, and the graph
//          without votes.
// Holds    valid and invalid are functions of (parent cut, delta, executed height, covered vertices)
//          alone, the same on every node, and never change once said. `executed` is the height that
//          the block's mark names: what the agreed state says there, such as which lanes are closed,
//          counts for the block. [ORD-L6.1] It has been executed here whenever check() decides;
//          before that only check().missing is used. missing means "ask again after on_data()".
//          build() returns what every node that holds the vertices calls valid, within
//          limits::block_vertices_max and limits::block_bytes_max. Only what enter() named last is asked
//          about.
//          has_unordered() is true exactly when build() is not empty.
// Cost     has_unordered() and is_excluded() are asked on most events: they must be cheap.
#pragma once

#include <string>
#include <vector>

#include "model/block.hpp"

namespace creto {

class CutSource {
public:
    struct Check {
        enum class Verdict : std::uint8_t { valid, missing, invalid };
        Verdict verdict = Verdict::missing;
        std::vector<LaneRange> missing;  ///< What to fetch, when vertices are missing.
        std::string why;                 ///< For people, when invalid.
    };

    CutSource() = default;
    CutSource(const CutSource&) = delete;
    CutSource& operator=(const CutSource&) = delete;
    virtual ~CutSource() = default;

    /// Blocks are of this epoch from now on: it says which lanes there are.
    virtual void enter(Epoch /*epoch*/) {}
    /// The roster is to change, and somebody waits for the epoch in which it does: it is not to be
    /// waited for until there is work. [ORD-L15.3]
    [[nodiscard]] virtual bool awaits_epoch() const { return false; }
    /// What was executed proves that this seat's key lied. Shortens own timers only. [ORD-E2.3]
    [[nodiscard]] virtual bool is_excluded(const PublicKey& /*key*/) const { return false; }
    [[nodiscard]] virtual Check check(
        const Cut& parent, const std::vector<LaneRange>& delta, Height executed
    ) = 0;
    [[nodiscard]] virtual std::vector<LaneRange> build(const Cut& parent, Height executed) = 0;
    [[nodiscard]] virtual bool has_unordered(const Cut& cut, Height executed) const = 0;
};

}  // namespace creto
