#include "node/checkpoint/giver.hpp"

#include <algorithm>

#include "order/final_chain.hpp"
#include "order/keys.hpp"
#include "store/keys.hpp"

namespace creto {

namespace {

constexpr std::size_t readings_max = 16;
constexpr Duration offer_interval = Duration::from_s(1);
/// Two spans of heights hold the finalisation of one of them.
constexpr std::uint64_t headers_max = 2 * simplex::archive_span + 2;
static_assert(headers_max <= limits::blocks_per_message_max);

/// As far as they are there without a gap.
std::vector<simplex::StoredBlock> headers_in(const Loaded& loaded) {
    std::vector<simplex::StoredBlock> out;
    for (const auto& value : loaded.values) {
        if (!value) break;
        auto stored = decode_exact<simplex::StoredBlock>(*value);
        if (!stored) break;
        out.push_back(std::move(*stored));
    }
    return out;
}

}  // namespace

void CheckpointGiver::offer(const AgentId& to, Instant now, Effects& effects) {
    const Checkpoint* newest = shelf_.newest();
    if (newest == nullptr || readings_.size() >= readings_max) return;
    const auto [last, first_time] = offered_.try_emplace(to, now);
    if (!first_time && now < last->second + offer_interval) return;
    last->second = now;
    for (std::size_t i = 0; const Checkpoint* kept = shelf_.newest(i); ++i) {
        if (!shelf_.has_parts(kept->height())) break;
        if (auto proof = ordering_.prove(kept->mark))
            return send(to, *kept, std::move(*proof), effects);
    }
    read_headers(to, *newest, effects);
}

void CheckpointGiver::send(
    const AgentId& to, const Checkpoint& checkpoint, ChainAnswer proof, Effects& effects
) {
    ++offers_;
    const std::size_t old = links_.size() - std::min(links_.size(), limits::roster_links_max);
    effects.send(
        to,
        OfferedCheckpoint{
            checkpoint,
            std::move(proof),
            {links_.begin() + static_cast<std::ptrdiff_t>(old), links_.end()}}
    );
}

void CheckpointGiver::read_headers(
    const AgentId& to, const Checkpoint& checkpoint, Effects& effects
) {
    Load load{.ticket = effects.new_ticket(), .column = Column::blocks, .keys = {}};
    for (std::uint64_t i = 0; i < headers_max; ++i)
        load.keys.push_back(simplex::final_block_key(checkpoint.height().plus(i)));
    readings_.emplace(load.ticket, Reading{to, checkpoint.height(), std::nullopt});
    effects.add(std::move(load));
}

void CheckpointGiver::ask(const AgentId& from, const CheckpointRequest& request, Effects& effects) {
    if (!shelf_.has_parts(request.height) || readings_.size() >= readings_max) return;
    Load load{.ticket = effects.new_ticket(), .column = Column::state, .keys = {}};
    for (std::uint32_t i = 0; i < request.count; ++i)
        load.keys.push_back(keys::checkpoint_part(request.height, request.first + i));
    readings_.emplace(load.ticket, Reading{from, request.height, request.first});
    effects.add(std::move(load));
}

bool CheckpointGiver::on_loaded(const Loaded& loaded, Effects& effects) {
    const auto found = readings_.find(loaded.ticket);
    if (found == readings_.end()) return false;
    const Reading reading = found->second;
    readings_.erase(found);
    if (!reading.first) {
        answer_offer(reading, loaded, effects);
        return true;
    }
    std::uint32_t number = *reading.first;
    for (const auto& part : loaded.values) {
        if (part && part->size() <= limits::checkpoint_part_bytes)
            effects.send(reading.to, CheckpointPart{reading.height, number, *part});
        ++number;
    }
    return true;
}

/// The newest may not be named by a final block yet; then the one before.
void CheckpointGiver::answer_offer(const Reading& reading, const Loaded& loaded, Effects& effects) {
    for (std::size_t i = 0; const Checkpoint* kept = shelf_.newest(i); ++i) {
        if (kept->height() != reading.height) continue;
        if (auto proof = ordering_.prove(kept->mark, headers_in(loaded))) {
            send(reading.to, *kept, std::move(*proof), effects);
        } else if (const Checkpoint* before = shelf_.newest(i + 1);
                   before != nullptr && shelf_.has_parts(before->height())) {
            read_headers(reading.to, *before, effects);
        }
        return;
    }
}

}  // namespace creto
