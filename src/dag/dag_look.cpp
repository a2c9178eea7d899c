// What can be asked of the graph without changing it: tips, ranges, what is missing, parents.
#include <algorithm>

#include "dag/dag.hpp"

namespace creto {

std::optional<LaneTip> Dag::tip(const LaneId& lane_id) const {
    const Lane* lane = lanes_.find(lane_id);
    if (lane == nullptr || lane->tip().sequence == Sequence{}) return std::nullopt;
    return lane->tip();
}

std::vector<VertexRef> Dag::tips() const {
    std::vector<VertexRef> all;
    if (index_.size() == 0 && final_cut_.empty()) return all;  // Nobody has written yet.
    all.reserve(lanes_.size());
    for (const Lane& lane : lanes_) {
        const LaneTip tip = lane.tip();
        if (tip.sequence != Sequence{}) all.push_back({lane.id(), tip.sequence, tip.id});
    }
    return all;
}

VertexPtr Dag::find(const VertexId& id) const {
    VertexPtr found;
    static_cast<void>(index_.find(id, [&](const VertexIndex::Place& place) {
        const Lane& lane = lanes_[place.lane];
        const LaneSlot* slot = lane.slot(place.sequence);
        found = slot != nullptr && slot->id == id ? slot->vertex
                                                  : held({lane.id(), place.sequence, id});
        return found != nullptr;
    }));
    return found;
}

VertexPtr Dag::at(const LaneId& lane_id, Sequence sequence) const {
    const Lane* lane = lanes_.find(lane_id);
    const LaneSlot* slot = lane == nullptr ? nullptr : lane->slot(sequence);
    return slot == nullptr ? nullptr : slot->vertex;
}

bool Dag::complete(const VertexId& id) const {
    const VertexIndex::Place* place = index_.find(id, [&](const VertexIndex::Place& p) {
        return lanes_[p.lane].find(p.sequence, id) != nullptr;
    });
    return place != nullptr;
}

Result<std::vector<VertexPtr>> Dag::range(const LaneRange& range) const {
    const Lane* lane = lanes_.find(range.lane);
    LaneRange asked = range;
    if (lane != nullptr && range.tip == VertexId{}) {
        asked.last = std::min(range.last, lane->tip().sequence);
        const LaneSlot* slot = lane->slot(asked.last);
        if (slot != nullptr) asked.tip = slot->id;
    }
    if (lane == nullptr || asked.first == Sequence{} || asked.last < asked.first) {
        return fail(ErrorCode::not_found, "range: nothing of lane " + lane_text(range.lane));
    }
    Branch found = branch(asked);
    if (found.hole) {
        return fail(ErrorCode::not_found, "range: not all held of lane " + lane_text(range.lane));
    }
    return std::move(found.vertices);
}

VertexPtr Dag::held(const VertexRef& ref) const {
    if (VertexPtr complete = lanes_.of(ref.lane).find(ref.sequence, ref.id)) return complete;
    return parked_.empty() ? nullptr : parked_.find(ref);
}

/// Requires: a known lane, 1 <= first <= last.
Dag::Branch Dag::branch(const LaneRange& range) const {
    const Lane& lane = lanes_.of(range.lane);
    Branch found;
    LaneTip next{range.last, range.tip};
    if (lane.on_main(next) && lane.slot(range.first) != nullptr) {
        found.vertices.reserve(range.last.value() - range.first.value() + 1);
        for (Sequence at = range.first; at <= range.last; ++at)
            found.vertices.push_back(lane.slot(at)->vertex);
        return found;
    }
    while (next.sequence >= range.first) {
        VertexPtr vertex = held({range.lane, next.sequence, next.id});
        if (vertex == nullptr) {
            found.hole = VertexRef{range.lane, next.sequence, next.id};
            found.misnamed = find(next.id) != nullptr;
            break;
        }
        next = predecessor(vertex->header());
        found.vertices.push_back(std::move(vertex));
    }
    std::reverse(found.vertices.begin(), found.vertices.end());
    return found;
}

const std::vector<LaneRange>& Dag::missing(std::size_t max) const {
    if (missing_.at_change != changes_ || missing_.max != max) {
        missing_ = {changes_, max, look_for_missing(max)};
        ++looks_;
    }
    return missing_.ranges;
}

std::vector<LaneRange> Dag::look_for_missing(std::size_t max) const {
    std::vector<LaneRange> ranges;
    if (wants_.empty() && parked_.empty() && !any_demanded_) return ranges;  // Nearly always.
    for (const VertexRef& hole : holes(max)) {
        LaneRange range = range_to_fetch(hole);
        if (!ranges.empty() && ranges.back().lane == hole.lane &&
            ranges.back().last < hole.sequence) {
            range.first = std::max(range.first, ranges.back().last.next());
        }
        ranges.push_back(range);
    }
    return ranges;
}

/// Up to `max` vertices that are named and not held. What a proposal needs comes first; then the
/// waiting lanes in turns, the lowest vertex of each first, so that a lane that names parents which
/// do not exist stalls only itself.
std::set<VertexRef> Dag::holes(std::size_t max) const {
    std::set<VertexRef> found;
    const auto note = [&](const VertexRef& ref) {
        if (found.size() < max && ref.sequence > lanes_.of(ref.lane).boundary().sequence &&
            held(ref) == nullptr)
            found.insert(ref);
    };
    for (const auto& [lane, wants] : wants_) {
        for (const LaneRange& range : wants) {
            if (const auto hole = branch(range).hole) note(*hole);
        }
    }
    using Cursor = std::pair<Parked::Holes::const_iterator, Parked::Holes::const_iterator>;
    std::vector<Cursor> cursors;
    for (const auto& [lane, holes] : parked_.holes())
        cursors.emplace_back(holes.begin(), holes.end());
    while (!cursors.empty() && found.size() < max) {
        std::vector<Cursor> left;
        for (auto [at, end] : cursors) {
            note(at->second);
            if (++at != end) left.emplace_back(at, end);
        }
        cursors = std::move(left);
    }
    for (const Lane& lane : lanes_) {
        for (const auto& [by, ref] : lane.demanded) {
            if (ref.sequence > lane.tip().sequence) note(ref);
        }
    }
    return found;
}

LaneRange Dag::range_to_fetch(const VertexRef& wanted) const {
    const Lane& lane = lanes_.of(wanted.lane);
    const Sequence tip = lane.tip().sequence;
    Sequence first = tip.next();
    if (wanted.sequence <= tip || lane.split_at(wanted.sequence)) {
        // Another branch: it parts from ours at the fork point, or anywhere above the cut.
        first = lane.final_tip().sequence.next();
        if (const auto fork = lane.fork_point()) first = std::max(first, *fork);
    }
    return {wanted.lane, std::min(first, wanted.sequence), wanted.sequence, wanted.id};
}

std::optional<Sequence> Dag::fork_point(const LaneId& lane_id) const {
    const Lane* lane = lanes_.find(lane_id);
    return lane == nullptr ? std::nullopt : lane->fork_point();
}

Sequence Dag::causal_end(const LaneId& lane) const {
    Sequence end{~std::uint64_t{0}};
    if (const auto fork = fork_point(lane)) end = fork->prev();
    if (const auto closed = closed_.find(lane); closed != closed_.end())
        end = std::min(end, closed->second);
    return end;
}

/// Up to where each lane can be covered on the final cut, while a fork is open; else no bound. A
/// vertex that names more could be held up by a branch that lost, with all that comes after it.
std::vector<Sequence> Dag::reach() const {
    std::vector<Sequence> reach(lanes_.size(), Sequence{~std::uint64_t{0}});
    const bool open = std::any_of(lanes_.begin(), lanes_.end(), [this](const Lane& lane) {
        return lane.fork_point() && !closed_.contains(lane.id());
    });
    if (!open) return reach;
    std::fill(reach.begin(), reach.end(), Sequence{});
    for (const LaneRange& range :
         build_delta(final_cut_, limits::block_vertices_max, limits::block_bytes_max, closed_))
        reach[lanes_.index(range.lane)] = range.last;
    return reach;
}

std::optional<Dag::Parents> Dag::next_parents(const LaneId& own) const {
    const Lane& lane = lanes_.of(own);
    Parents parents;
    const LaneTip tip = lane.tip();
    std::uint64_t greatest = 0;
    if (tip.sequence != Sequence{}) {
        const auto depth = lane.depth_of(tip);
        if (!depth) return std::nullopt;
        greatest = *depth;
        parents.refs.push_back({own, tip.sequence, tip.id});
    }
    // What the latest own vertices have named already, and the lane where the last one stopped.
    const std::uint32_t n = lanes_.size();
    constexpr std::size_t foreign_max = limits::parents_max - 1;
    std::vector<Sequence> seen(n);
    std::optional<std::uint32_t> last;
    const std::size_t look_back = 2 * (n / foreign_max + 1);
    for (std::size_t back = 0; back < look_back && tip.sequence.value() > back; ++back) {
        const LaneSlot* slot = lane.slot(Sequence{tip.sequence.value() - back});
        if (slot == nullptr) break;
        for (const VertexRef& parent : foreign_parents(slot->vertex->header())) {
            const std::uint32_t index = lanes_.index(parent.lane);
            seen[index] = std::max(seen[index], parent.sequence);
            if (back == 0) last = index;
        }
    }
    std::vector<VertexRef> foreign;
    const std::vector<Sequence> coverable = reach();
    for (std::uint32_t turn = 1; turn <= n && foreign.size() < foreign_max; ++turn) {
        const std::uint32_t index = (last.value_or(n - 1) + turn) % n;
        const Lane& other = lanes_[index];
        LaneTip news = other.tip();
        if (news.sequence > coverable[index]) {
            const LaneSlot* lower = other.slot(coverable[index]);
            if (lower == nullptr) continue;
            news = {coverable[index], lower->id};
        }
        if (other.id() == own || other.doubtful_from() || news.sequence <= seen[index] ||
            news.sequence <= other.final_tip().sequence)
            continue;
        const std::uint64_t depth = *other.depth_of(news);
        if (depth > depth_max / 2) continue;  // Never let a liar drive our own depth to the limit.
        greatest = std::max(greatest, depth);
        foreign.push_back({other.id(), news.sequence, news.id});
    }
    std::sort(foreign.begin(), foreign.end());
    parents.refs.insert(parents.refs.end(), foreign.begin(), foreign.end());
    parents.depth = greatest + 1;
    return parents;
}

std::uint64_t Dag::unfinalized(const LaneId& lane_id) const {
    const Lane* lane = lanes_.find(lane_id);
    if (lane == nullptr) return 0;
    return lane->tip().sequence.value() - lane->final_tip().sequence.value();
}

std::size_t Dag::unfinalized_bytes(const LaneId& lane_id) const {
    const Lane* lane = lanes_.find(lane_id);
    return lane == nullptr ? 0 : lane->backlog_bytes;
}

std::size_t Dag::room(const LaneId& lane_id) const {
    const Lane* lane = lanes_.find(lane_id);
    if (lane == nullptr) return 0;
    const auto left = [](std::size_t of, std::size_t taken) { return of > taken ? of - taken : 0; };
    const std::size_t share = options_.backlog_bytes_max / lanes_.size();
    return std::min(
        left(options_.lane_window_bytes, lane->backlog_bytes),
        std::max(left(share, lane->backlog_bytes), left(options_.backlog_bytes_max, backlog_bytes_))
    );
}

}  // namespace creto
