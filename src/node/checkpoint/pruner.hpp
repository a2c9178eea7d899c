// Pruner: drops final blocks, and the vertices that they covered, from the store.
//
// Why      The disk must not grow with the history of the chain, if its owner does not want that.
// Holds    Blocks go before vertices: whoever is cut short leaves vertices that no block names, never a
//          block whose vertices are gone. A later run finds what an earlier one left. The checkpoint's own
//          block stays. One slice is under way at a time.
// Cost     A scan and a batch of deletions for each 256 entries.
#pragma once

#include <deque>
#include <optional>

#include "model/checkpoint.hpp"
#include "model/effect.hpp"
#include "model/event.hpp"

namespace creto {

class Pruner {
public:
    /// Everything below this checkpoint. Requires: not busy.
    void begin(const Checkpoint& checkpoint, Effects& effects);
    [[nodiscard]] bool is_busy() const { return scan_.has_value(); }
    /// True when the answer was to a question of ours.
    [[nodiscard]] bool on_loaded(const Loaded& loaded, Effects& effects);
    /// Blocks and vertices dropped so far.
    [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

private:
    struct Range {
        Column column = Column::blocks;
        Bytes from;
        Bytes to;
    };
    void next_slice(Effects& effects);

    std::deque<Range> ranges_;
    std::optional<Ticket> scan_;
    std::uint64_t dropped_ = 0;
};

}  // namespace creto
