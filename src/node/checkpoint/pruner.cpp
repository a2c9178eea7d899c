#include "node/checkpoint/pruner.hpp"

#include "order/keys.hpp"
#include "store/keys.hpp"

namespace creto {

namespace {

constexpr std::uint32_t slice = 256;

}  // namespace

void Pruner::begin(const Checkpoint& checkpoint, Effects& effects) {
    CRETO_ASSERT(!is_busy());
    ranges_.push_back(
        {Column::blocks,
         simplex::final_block_key(Height{1}),
         simplex::final_block_key(checkpoint.height())}
    );
    for (const auto& [lane, tip] : checkpoint.cut) {
        keys::Range entries = keys::lane(lane, Sequence{1}, tip.sequence);
        ranges_.push_back({Column::lanes, std::move(entries.from), std::move(entries.to)});
    }
    next_slice(effects);
}

void Pruner::next_slice(Effects& effects) {
    scan_.reset();
    if (ranges_.empty()) return;
    const Range& range = ranges_.front();
    scan_ = effects.new_ticket();
    effects.add(Scan{*scan_, range.column, range.from, range.to, slice});
}

bool Pruner::on_loaded(const Loaded& loaded, Effects& effects) {
    if (scan_ != loaded.ticket) return false;
    const Column column = ranges_.front().column;
    std::vector<KeyWrite> writes;
    for (std::size_t i = 0; i < loaded.keys.size(); ++i) {
        writes.push_back({column, loaded.keys[i], std::nullopt});
        // The lane index names the vertex.
        if (column == Column::lanes && loaded.values[i])
            writes.push_back({Column::vertices, *loaded.values[i], std::nullopt});
    }
    dropped_ += loaded.keys.size();
    if (!writes.empty()) effects.persist(std::move(writes), {}, Durable::no);
    if (loaded.keys.size() < slice) {
        ranges_.pop_front();
    } else {
        ranges_.front().from = loaded.keys.back();  // Past what is marked as deleted already.
    }
    next_slice(effects);
    return true;
}

}  // namespace creto
