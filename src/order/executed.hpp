// ExecutedMarks: what executing each finalised height gave here, held against what headers claim.
//
// Why      A replica whose state differs must find out within a view, and must not go on.
// Source   DESIGN "Block"; rules N3 and M1 to M3 in docs/spec/ordering.md.
// Holds    [ORD-M2.1] a header's mark agrees only if this node executed that height itself and got
//          the same; before that, and for heights below the checkpoint where it began, the answer is
//          "unknown". [ORD-M3.1] a mark in a *finalised* header
//          that differs from our own is a divergence, in whichever order the two become known.
#pragma once

#include <map>
#include <optional>

#include "model/block.hpp"

namespace creto::simplex {

class ExecutedMarks {
public:
    enum class Agreement : std::uint8_t { equal, unknown, different };

    /// Our own, in height order; height 0 is the genesis state, all zero until it is reported.
    /// False: a finalised header claimed otherwise.
    [[nodiscard]] bool add_own(const ExecutedMark& mark);
    /// From a finalised header. False: we got something else.
    [[nodiscard]] bool add_final(const ExecutedMark& mark);

    [[nodiscard]] Agreement compare(const ExecutedMark& claimed) const;
    /// Requires: forgotten floor <= height <= highest().
    [[nodiscard]] const ExecutedMark& at(Height height) const;
    [[nodiscard]] Height highest() const { return own_.rbegin()->first; }

    /// The state was taken over at a checkpoint, or read back there: the only height known.
    /// False: a finalised header claimed otherwise.
    [[nodiscard]] bool restart_from(const ExecutedMark& mark);
    [[nodiscard]] bool knows(Height height) const { return own_.contains(height); }

    /// No later header can name a height below this one.
    void forget_below(Height height);
    [[nodiscard]] std::size_t held() const { return own_.size() + claimed_.size(); }

private:
    std::map<Height, ExecutedMark> own_{{Height{}, ExecutedMark{}}};
    std::map<Height, ExecutedMark> claimed_;  ///< By finalised headers, above highest().
};

}  // namespace creto::simplex
