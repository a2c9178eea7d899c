// CheckpointShelf: the checkpoints in this node's store: when one is made, which are kept, what may go.
//
// Why      A restart reads the newest and executes what follows; whoever joins takes it over; what
//          lies below the oldest need not be kept.
// Source   docs/decisions/0020-checkpoints.md.
// Holds    The newest two have their parts of the state; older ones are kept, without parts, only
//          while blocks may be dropped below them. A checkpoint is written after its parts, so what
//          is found has them; each part is checked against its digest, and the state against its root,
//          before it is used. Which heights get one depends on the chain and the options alone.
// Cost     Making one takes the whole state: a copy, a hash and a write of it. So it is made only when
//          `state_share` times as much was executed since the last.
#pragma once

#include <deque>
#include <optional>

#include "order/ordering.hpp"
#include "state/final_state.hpp"
#include "store/store.hpp"

namespace creto {

struct ShelfOptions {
    /// Final blocks that stay below the newest; 0: all.
    std::uint64_t keep_blocks = 0;
    /// A checkpoint is due once the vertices executed since the last are so many times as many bytes
    /// as its state; 0: always.
    std::uint64_t state_share = 4;
};

/// What a restart begins with.
struct RestoredCheckpoint {
    Checkpoint checkpoint;
    FinalState state;
};

class CheckpointShelf {
public:
    /// `roster` outlives this.
    CheckpointShelf(const Roster& roster, ShelfOptions options)
        : roster_{&roster}, options_{options} {}

    /// Reads back what is kept and gives the newest that is whole. None: execute from the genesis on.
    /// Errors: corrupt, when none is whole and the blocks below were dropped.
    [[nodiscard]] Result<std::optional<RestoredCheckpoint>> restore(
        const StoreView& store, Log& log
    );

    /// A block whose vertices have so many bytes was executed.
    void executed(std::size_t bytes) { bytes_since_ += bytes; }
    [[nodiscard]] bool is_due(Height height) const;
    /// Keeps a checkpoint and its state; `own_counter` is this node's next. What it replaces goes.
    void put(Checkpoint checkpoint, ByteView state, std::uint64_t own_counter, Effects& effects);

    /// Newest first; the first two have their parts.
    [[nodiscard]] const Checkpoint* newest(std::size_t number = 0) const {
        return number < kept_.size() ? &kept_[kept_.size() - 1 - number] : nullptr;
    }
    [[nodiscard]] bool has_parts(Height height) const;

    /// The checkpoint below which blocks may be dropped now, if there is one above kept_from().
    [[nodiscard]] const Checkpoint* horizon(Height final_height) const;
    /// Everything up to this checkpoint is being dropped.
    void drop_below(Height checkpoint, Effects& effects);
    /// The lowest height that is kept; 1 when all are.
    [[nodiscard]] Height kept_from() const { return kept_from_; }
    [[nodiscard]] std::uint64_t own_counter() const { return own_counter_; }

    /// The checkpoint of a state, without proof.
    [[nodiscard]] static Checkpoint describe(
        const Block& block,
        Cut cut,
        std::vector<VertexHeader> tips,
        const ExecutedMark& mark,
        ByteView state
    );

private:
    [[nodiscard]] Result<FinalState> read_state(
        const StoreView& store, const Checkpoint& checkpoint
    ) const;
    void erase_parts(const Checkpoint& checkpoint, std::vector<KeyWrite>& writes) const;

    const Roster* roster_;
    ShelfOptions options_;
    std::deque<Checkpoint> kept_;  ///< Oldest first.
    Height kept_from_{1};
    std::uint64_t bytes_since_ = 0;
    std::uint64_t own_counter_ = 1;
};

}  // namespace creto
