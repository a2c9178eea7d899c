#include "dag/cut_builder.hpp"

#include <algorithm>

namespace creto {

CutBuilder::CutBuilder(
    const Lanes& lanes,
    const Cut& parent,
    const std::map<LaneId, Sequence>& closed,
    const Limits& limits
)
    : lanes_{lanes}, limits_{limits}, cursors_(lanes.size()) {
    for (std::uint32_t i = 0; i < lanes.size(); ++i)
        cursors_[i].lane = &lanes[i];
    std::uint64_t covered = 0;
    for (const auto& [lane, tip] : parent) {
        covered += tip.sequence.value();
        const auto index = lanes.index_of(lane);
        if (!index) continue;  // Opened by what is not executed here yet: nothing of it is held.
        Cursor& cursor = cursors_[*index];
        cursor.start = tip;
        cursor.at = tip.sequence;
    }
    first_ = static_cast<std::uint32_t>(covered % lanes.size());
    for (const auto& [lane, last] : closed) {
        if (const auto index = lanes.index_of(lane)) cursors_[*index].end_of_lane = last;
    }
}

std::vector<LaneRange> CutBuilder::build() {
    std::vector<std::uint32_t> active;
    for (std::uint32_t turn = 0; turn < lanes_.size(); ++turn)
        active.push_back(lane_of_turn(turn));
    while (!active.empty()) {
        std::erase_if(active, [this](std::uint32_t i) {
            return !may_advance(cursors_[i]) || !take_next(i);
        });
    }
    std::vector<LaneRange> delta;
    for (const Cursor& cursor : cursors_) {
        if (cursor.at == cursor.start.sequence) continue;
        delta.push_back(
            {cursor.lane->id(),
             cursor.start.sequence.next(),
             cursor.at,
             vertex(cursor, cursor.at).id()}
        );
    }
    return delta;
}

bool CutBuilder::any() {
    for (std::uint32_t turn = 0; turn < lanes_.size(); ++turn) {
        const std::uint32_t i = lane_of_turn(turn);
        if (may_advance(cursors_[i]) && take_next(i)) return true;
    }
    return false;
}

/// Turns start at a lane that moves with the cut.
std::uint32_t CutBuilder::lane_of_turn(std::uint32_t turn) const {
    const std::uint32_t n = lanes_.size();
    const std::uint32_t index = first_ + turn;
    return index < n ? index : index - n;
}

bool CutBuilder::may_advance(Cursor& cursor) const {
    const auto doubtful = cursor.lane->doubtful_from();
    if (doubtful && cursor.at.next() >= *doubtful) return false;
    return cursor.at < available(cursor);
}

void CutBuilder::prepare(Cursor& cursor) const {
    cursor.prepared = true;
    cursor.on_main = !cursor.lane->has_side() && cursor.lane->on_main(cursor.start);
    if (!cursor.on_main && cursor.lane->size() > 0) {
        cursor.branch = cursor.lane->longest_from(cursor.start);
    }
}

Sequence CutBuilder::available(Cursor& cursor) const {
    if (!cursor.prepared) prepare(cursor);
    const Sequence held = cursor.on_main ? cursor.lane->tip().sequence
                                         : cursor.start.sequence.plus(cursor.branch.size());
    return cursor.end_of_lane ? std::min(held, *cursor.end_of_lane) : held;
}

const SealedVertex& CutBuilder::vertex(const Cursor& cursor, Sequence sequence) const {
    if (cursor.on_main) return *cursor.lane->slot(sequence)->vertex;
    return *cursor.branch[sequence.value() - cursor.start.sequence.value() - 1];
}

/// Covers the lane's next vertex with all that it needs, or nothing.
bool CutBuilder::take_next(std::uint32_t index) {
    const std::size_t vertices = vertices_;
    const std::size_t bytes = bytes_;
    journal_.clear();
    needs_.assign(1, {index, cursors_[index].at.next()});
    while (!needs_.empty()) {
        const Need need = needs_.back();
        needs_.pop_back();
        if (raise(need.lane, need.sequence)) continue;
        for (auto it = journal_.rbegin(); it != journal_.rend(); ++it)
            cursors_[it->lane].at = it->sequence;
        vertices_ = vertices;
        bytes_ = bytes;
        return false;
    }
    return true;
}

bool CutBuilder::raise(std::uint32_t index, Sequence target) {
    Cursor& cursor = cursors_[index];
    if (cursor.at >= target) return true;
    if (available(cursor) < target) return false;
    journal_.push_back({index, cursor.at});
    while (cursor.at < target) {
        ++cursor.at;
        const SealedVertex& next = vertex(cursor, cursor.at);
        bytes_ += next.bytes().size();
        if (++vertices_ > limits_.vertices_max || bytes_ > limits_.bytes_max) return false;
        for (const VertexRef& parent : foreign_parents(next.header())) {
            const std::uint32_t lane = lanes_.index(parent.lane);
            const Cursor& other = cursors_[lane];
            const bool above_end = other.end_of_lane && parent.sequence > *other.end_of_lane;
            if (!above_end && other.at < parent.sequence) needs_.push_back({lane, parent.sequence});
        }
    }
    return true;
}

}  // namespace creto
