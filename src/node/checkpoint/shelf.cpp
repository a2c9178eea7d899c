#include "node/checkpoint/shelf.hpp"

#include <algorithm>

#include "store/keys.hpp"

namespace creto {

namespace {

/// Those that can be entered: the newest may be damaged, and whoever takes one over needs a while.
constexpr std::size_t with_parts = 2;
/// However little was executed, so that a quiet chain gets checkpoints, too.
constexpr std::uint64_t spans_max = 64;
/// Parts in one batch of writes.
constexpr std::uint32_t parts_at_once = 8;

}  // namespace

Checkpoint CheckpointShelf::describe(
    const Block& block,
    Cut cut,
    std::vector<VertexHeader> tips,
    const ExecutedMark& mark,
    ByteView state
) {
    Checkpoint out{block, std::move(cut), std::move(tips), mark, state.size(), {}};
    const std::uint64_t parts = checkpoint_parts(state.size());
    out.parts.reserve(parts);
    for (std::uint32_t i = 0; i < parts; ++i)
        out.parts.push_back(hash(HashDomain::checkpoint_part, checkpoint_part(state, i)));
    return out;
}

// --- restart ---

Result<FinalState> CheckpointShelf::read_state(const StoreView& store, const Checkpoint& checkpoint)
    const {
    Bytes state;
    state.reserve(checkpoint.state_bytes);
    for (std::uint32_t i = 0; i < checkpoint.parts.size(); ++i) {
        auto part = store.get(Column::state, keys::checkpoint_part(checkpoint.height(), i));
        if (!part) return tl::unexpected<Error>(part.error());
        if (!*part || hash(HashDomain::checkpoint_part, **part) != checkpoint.parts[i]) {
            return fail(
                ErrorCode::corrupt,
                "part " + std::to_string(i) + " of its state is damaged or missing"
            );
        }
        state.insert(state.end(), (*part)->begin(), (*part)->end());
    }
    return FinalState::restore(state, checkpoint.mark, *roster_);
}

Result<std::optional<RestoredCheckpoint>> CheckpointShelf::restore(
    const StoreView& store, Log& log
) {
    auto from = store.get(Column::meta, keys::kept_from());
    if (!from) return tl::unexpected<Error>(from.error());
    if (*from) kept_from_ = Height{keys::parse_number(**from).value_or(1)};
    auto counter = store.get(Column::meta, keys::own_counter());
    if (!counter) return tl::unexpected<Error>(counter.error());
    if (*counter) own_counter_ = keys::parse_number(**counter).value_or(1);

    const keys::Range heads = keys::checkpoints();
    auto scanned =
        store.scan(Column::state, heads.from, heads.to, [&](ByteView key, ByteView value) {
            auto head = decode_exact<Checkpoint>(value);
            if (head && well_formed(*head) && equal(key, keys::checkpoint(head->height()))) {
                kept_.push_back(std::move(*head));
            } else {
                log.warn("checkpoint, key " + to_hex(key) + ": damaged, not used");
            }
            return true;
        });
    if (!scanned) return tl::unexpected<Error>(scanned.error());

    std::string why = "there is none";
    while (!kept_.empty()) {
        const Checkpoint& last = kept_.back();
        auto state = read_state(store, last);
        if (state) return std::optional{RestoredCheckpoint{last, std::move(*state)}};
        why = state.error().message;
        log.warn("checkpoint at height " + std::to_string(last.height().value()) + ": " + why);
        kept_.pop_back();
    }
    if (kept_from_ > Height{1}) {
        return fail(
            ErrorCode::corrupt,
            "store, checkpoints: the blocks below height " + std::to_string(kept_from_.value()) +
                " were dropped, and no checkpoint above them is whole (" + why +
                "); restore the data folder from a backup, or start this node with an empty store "
                "and its vote log"
        );
    }
    return std::optional<RestoredCheckpoint>{};
}

// --- making ---

bool CheckpointShelf::is_due(Height height) const {
    const std::uint64_t span = roster_->checkpoint_blocks();
    if (height.value() % span != 0) return false;
    const Checkpoint* last = newest();
    if (last == nullptr) return true;
    return bytes_since_ >= last->state_bytes * options_.state_share ||
           height.value() - last->height().value() >= span * spans_max;
}

void CheckpointShelf::put(
    Checkpoint checkpoint, ByteView state, std::uint64_t own_counter, Effects& effects
) {
    const Height height = checkpoint.height();
    CRETO_ASSERT(kept_.empty() || kept_.back().height() < height);
    std::vector<KeyWrite> writes;
    for (std::uint32_t i = 0; i < checkpoint.parts.size(); ++i) {
        const ByteView part = checkpoint_part(state, i);
        writes.push_back(
            {Column::state,
             keys::checkpoint_part(height, i),
             share(Bytes{part.begin(), part.end()})}
        );
        if (writes.size() == parts_at_once)
            effects.persist(std::exchange(writes, {}), {}, Durable::no);
    }
    writes.push_back({Column::state, keys::checkpoint(height), share(encode_bytes(checkpoint))});
    writes.push_back({Column::meta, keys::own_counter(), share(keys::number(own_counter))});
    kept_.push_back(std::move(checkpoint));
    if (kept_.size() > with_parts) erase_parts(kept_[kept_.size() - 1 - with_parts], writes);
    while (options_.keep_blocks == 0 && kept_.size() > with_parts) {
        // Nothing will be dropped below it.
        writes.push_back({Column::state, keys::checkpoint(kept_.front().height()), std::nullopt});
        kept_.pop_front();
    }
    effects.persist(std::move(writes), {}, Durable::no);
    bytes_since_ = 0;
}

void CheckpointShelf::erase_parts(const Checkpoint& checkpoint, std::vector<KeyWrite>& writes)
    const {
    for (std::uint32_t i = 0; i < checkpoint.parts.size(); ++i)
        writes.push_back(
            {Column::state, keys::checkpoint_part(checkpoint.height(), i), std::nullopt}
        );
}

bool CheckpointShelf::has_parts(Height height) const {
    for (std::size_t i = 0; i < with_parts; ++i) {
        const Checkpoint* kept = newest(i);
        if (kept != nullptr && kept->height() == height) return true;
    }
    return false;
}

// --- dropping ---

const Checkpoint* CheckpointShelf::horizon(Height final_height) const {
    if (options_.keep_blocks == 0) return nullptr;
    const Checkpoint* found = nullptr;
    // Not the newest: if it turns out to be damaged, the one before is entered.
    for (std::size_t i = 0; i + 1 < kept_.size(); ++i) {
        const Height height = kept_[i].height();
        const bool old = height.value() + options_.keep_blocks <= final_height.value();
        if (old && height >= kept_from_) found = &kept_[i];
    }
    return found;
}

void CheckpointShelf::drop_below(Height checkpoint, Effects& effects) {
    std::vector<KeyWrite> writes;
    while (kept_.front().height() < checkpoint) {
        writes.push_back({Column::state, keys::checkpoint(kept_.front().height()), std::nullopt});
        if (has_parts(kept_.front().height())) erase_parts(kept_.front(), writes);
        kept_.pop_front();
    }
    kept_from_ = checkpoint.next();
    writes.push_back({Column::meta, keys::kept_from(), share(keys::number(kept_from_.value()))});
    effects.persist(std::move(writes), {}, Durable::no);
}

}  // namespace creto
