#include "dag/dag.hpp"

#include <algorithm>
#include <limits>

namespace creto {

Dag::Dag(const Roster& roster, DagOptions options)
    : options_{options}, lanes_{roster}, index_{options.index_salt} {}

Result<Dag::Outcome> Dag::add(const Checked<VertexPtr>& vertex) {
    const SealedVertex& sealed = **vertex;
    const VertexHeader& header = sealed.header();
    const auto index = lanes_known(header);
    if (!index) return fail(index.error());
    Lane& lane = lanes_[*index];

    Outcome outcome;
    if (header.sequence <= lane.boundary().sequence) return outcome;
    if (find(sealed.id()) != nullptr) {
        outcome.added = Added::duplicate;
        return outcome;
    }
    ++changes_;
    std::vector<VertexPtr>& ready = outcome.completed;
    const std::vector<VertexPtr> others = rivals(lane, header.sequence);
    if (!others.empty() && lane.first_proof(header.sequence)) {
        const SealedVertex& other = *others.front();
        const bool first = sealed.id() < other.id();
        outcome.fork =
            LaneFork{first ? sealed.top() : other.top(), first ? other.top() : sealed.top()};
    }
    if (!others.empty() && lane.note_fork(header.sequence)) {
        outcome.overlay_shrunk = true;
        excuse_from(lane, header.sequence, ready);
    }
    const LaneTip& decided = lane.final_tip();
    const bool dead =
        header.sequence <= decided.sequence ||
        (header.sequence == decided.sequence.next() && predecessor(header) != decided);
    if (dead) {
        note_dead(lane, sealed, ready);
        complete_all(ready);
        return outcome;
    }
    if (auto room = has_room(lane, sealed, others.size()); !room) {
        ++refused_;
        if (!outcome.fork) return fail(room.error());
        complete_all(ready);
        return outcome;
    }
    insert(lane, *index, *vertex);
    std::vector<VertexRef> absent = absent_parents(lane, header);
    if (absent.empty()) {
        outcome.added = Added::complete;
        ready.insert(ready.begin(), *vertex);
    } else if (park(*vertex, std::move(absent))) {
        outcome.added = Added::parked;
    } else if (!outcome.fork) {
        return fail(ErrorCode::limit, "vertex: too many of lane " + lane_text(lane.id()) + " wait");
    }
    complete_all(ready);
    return outcome;
}

void Dag::want(const std::vector<LaneRange>& ranges) {
    for (const LaneRange& range : ranges) {
        const Lane* lane = lanes_.find(range.lane);
        const bool sound = lane != nullptr && range.first <= range.last &&
                           range.last > lane->final_tip().sequence &&
                           range.last.value() - range.first.value() < limits::block_vertices_max;
        if (!sound) continue;
        std::vector<LaneRange>& wants = wants_[range.lane];
        // Whoever waits says so at every event: that changes nothing.
        if (std::erase(wants, range) == 0) ++changes_;
        if (wants.size() == 2) wants.erase(wants.begin());
        wants.push_back(range);
    }
}

std::vector<VertexPtr> Dag::mark_forked(const LaneId& lane_id, Sequence sequence) {
    std::vector<VertexPtr> ready;
    const auto index = lanes_.index_of(lane_id);
    if (!index || sequence == Sequence{}) return ready;
    Lane& lane = lanes_[*index];
    ++changes_;
    // Only places that may still come here are worth remembering.
    const std::uint64_t ahead = sequence.value() - lane.boundary().sequence.value();
    if (ahead <= 2 * options_.lane_window_vertices) static_cast<void>(lane.first_proof(sequence));
    if (lane.note_fork(sequence)) excuse_from(lane, sequence, ready);
    complete_all(ready);
    return ready;
}

Result<std::uint32_t> Dag::lanes_known(const VertexHeader& header) const {
    const auto index = lanes_.index_of(header.lane);
    if (!index) return fail(ErrorCode::invalid, "vertex: unknown lane " + lane_text(header.lane));
    for (const VertexRef& parent : foreign_parents(header)) {
        if (!lanes_.index_of(parent.lane)) {
            return fail(
                ErrorCode::invalid, "vertex: a parent in unknown lane " + lane_text(parent.lane)
            );
        }
    }
    if (header.depth > depth_max) return fail(ErrorCode::invalid, "vertex: depth over the limit");
    return *index;
}

std::vector<VertexPtr> Dag::rivals(const Lane& lane, Sequence sequence) const {
    std::vector<VertexPtr> all;
    if (lane.slot(sequence) != nullptr || lane.has_side()) all = lane.at(sequence);
    if (parked_.empty()) return all;
    for (VertexPtr& vertex : parked_.at(lane.id(), sequence))
        all.push_back(std::move(vertex));
    return all;
}

Result<void> Dag::has_room(const Lane& lane, const SealedVertex& vertex, std::size_t rivals) const {
    const Sequence sequence = vertex.header().sequence;
    const bool agreed = wanted(lane.id(), sequence);
    const std::size_t extra = agreed ? limits::block_bytes_max : 0;
    const std::size_t bytes = vertex.bytes().size();
    if (!agreed &&
        sequence.value() - lane.final_tip().sequence.value() > options_.lane_window_vertices) {
        return fail(
            ErrorCode::limit, "vertex: too far above the final cut in lane " + lane_text(lane.id())
        );
    }
    if (rivals >= (agreed ? headers_wanted_max : headers_max)) {
        return fail(
            ErrorCode::limit, "vertex: the fork of lane " + lane_text(lane.id()) + " is proven here"
        );
    }
    if (lane.backlog_bytes + bytes > options_.lane_window_bytes + extra) {
        return fail(
            ErrorCode::limit,
            "vertex: too many bytes above the final cut in lane " + lane_text(lane.id())
        );
    }
    const bool over_share = lane.backlog_bytes + bytes > options_.backlog_bytes_max / lanes_.size();
    if (over_share && backlog_bytes_ + bytes > options_.backlog_bytes_max + extra) {
        return fail(
            ErrorCode::limit,
            "vertex: the backlog is full, and lane " + lane_text(lane.id()) +
                " holds more than its share"
        );
    }
    return {};
}

bool Dag::wanted(const LaneId& lane, Sequence sequence) const {
    if (wants_.empty()) return false;
    const auto wants = wants_.find(lane);
    return wants != wants_.end() && std::any_of(
                                        wants->second.begin(),
                                        wants->second.end(),
                                        [sequence](const LaneRange& range) {
                                            return range.first <= sequence &&
                                                   sequence <= range.last;
                                        }
                                    );
}

bool Dag::present(const VertexRef& parent) const {
    const Lane& lane = lanes_.of(parent.lane);
    if (parent.sequence <= lane.boundary().sequence) return true;
    const LaneSlot* slot = lane.slot(parent.sequence);
    if (slot != nullptr && slot->id == parent.id) return true;
    // Not on the preferred branch: it counts as present once it is decided or doubtful. Everything
    // held beside the preferred branch is above a fork.
    if (parent.sequence <= lane.final_tip().sequence || lane.split_at(parent.sequence)) return true;
    if (closed_.empty()) return false;
    const auto closed = closed_.find(parent.lane);
    return closed != closed_.end() && parent.sequence > closed->second;
}

std::vector<VertexRef> Dag::absent_parents(const Lane& lane, const VertexHeader& header) const {
    std::vector<VertexRef> absent;
    if (!lane.continues(header)) absent.push_back(header.parents[0]);
    for (const VertexRef& parent : foreign_parents(header)) {
        if (!present(parent)) absent.push_back(parent);
    }
    return absent;
}

/// A vertex that the cut has decided against: whatever hangs on it leaves too.
void Dag::note_dead(Lane& lane, const SealedVertex& vertex, std::vector<VertexPtr>& ready) {
    const Sequence decided = lane.final_tip().sequence;
    if (vertex.header().sequence > decided && lane.note_split(decided)) {
        excuse_from(lane, decided, ready);
    }
    std::vector<VertexRef> dead = parked_.successors(vertex.ref());
    std::vector<VertexPtr> dropped;
    for (std::size_t i = 0; i < dead.size(); ++i) {
        const VertexRef ref = dead[i];
        for (const VertexRef& next : parked_.successors(ref))
            dead.push_back(next);
        dropped.push_back(parked_.remove(ref));
    }
    forget(dropped);
}

/// Parks a vertex that was inserted. Over a limit the furthest ahead leaves, unless a proposal
/// covers it: such vertices are judged although they wait. False if the vertex itself left.
bool Dag::park(const VertexPtr& vertex, std::vector<VertexRef> waits_for) {
    const VertexRef ref = vertex->ref();
    parked_.park(vertex, std::move(waits_for));
    bool kept = true;
    const auto evict = [&](const LaneId& lane) {
        const auto furthest = parked_.furthest(lane, [this](const VertexRef& parked) {
            return !wanted(parked.lane, parked.sequence);
        });
        if (!furthest) return false;
        kept = kept && *furthest != ref;
        ++evicted_;
        forget({parked_.remove(*furthest)});
        return true;
    };
    if (parked_.load(ref.lane).vertices > options_.parked_per_lane_max) evict(ref.lane);
    while (parked_.bytes() > options_.parked_bytes_max && evict(parked_.greediest()))
        continue;
    return kept;
}

void Dag::complete_all(std::vector<VertexPtr>& ready, std::size_t from) {
    for (std::size_t i = from; i < ready.size(); ++i) {
        const VertexPtr vertex = ready[i];
        Lane& lane = lanes_[lanes_.index(vertex->header().lane)];
        note_parents(lane, *vertex);
        lane.add(vertex, vertex->id());
        if (parked_.empty()) continue;
        for (VertexPtr& next : parked_.arrived(vertex->ref()))
            ready.push_back(std::move(next));
    }
}

/// Checks the depth against the parents that we know, and remembers parents that leaders need.
void Dag::note_parents(Lane& lane, const SealedVertex& vertex) {
    const VertexHeader& header = vertex.header();
    std::uint64_t greatest = 0;
    bool all_known = true;
    const auto see = [&](const Lane& of, const LaneTip& parent) {
        const auto depth = of.depth_of(parent);
        greatest = std::max(greatest, depth.value_or(0));
        all_known = all_known && depth.has_value();
        return depth.has_value();
    };
    if (header.sequence != Sequence{1}) see(lane, predecessor(header));
    for (const VertexRef& parent : foreign_parents(header)) {
        Lane& other = lanes_[lanes_.index(parent.lane)];
        if (see(other, {parent.sequence, parent.id})) continue;
        const Sequence decided = other.final_tip().sequence;
        if (parent.sequence > decided &&
            parent.sequence.value() - decided.value() <= options_.lane_window_vertices) {
            other.demanded[header.lane] = parent;
            any_demanded_ = true;
        }
    }
    const bool follows = all_known ? header.depth == greatest + 1 : header.depth > greatest;
    if (!follows) lane.note_wrong_depth(header.sequence);
}

void Dag::excuse_from(const Lane& lane, Sequence first, std::vector<VertexPtr>& ready) {
    if (parked_.empty()) return;
    constexpr Sequence last{std::numeric_limits<std::uint64_t>::max()};
    for (VertexPtr& vertex :
         parked_.excuse(lane.id(), first, last, [](const VertexRef&) { return true; }))
        ready.push_back(std::move(vertex));
}

void Dag::insert(Lane& lane, std::uint32_t index, const VertexPtr& vertex) {
    index_.insert(vertex->id(), {index, vertex->header().sequence});
    const std::size_t bytes = vertex->bytes().size();
    bytes_ += bytes;
    backlog_bytes_ += bytes;
    lane.backlog_bytes += bytes;
}

void Dag::forget(const std::vector<VertexPtr>& vertices) {
    for (const VertexPtr& vertex : vertices) {
        const VertexHeader& header = vertex->header();
        const std::uint32_t index = lanes_.index(header.lane);
        Lane& lane = lanes_[index];
        index_.erase(vertex->id(), {index, header.sequence});
        const std::size_t bytes = vertex->bytes().size();
        bytes_ -= bytes;
        if (header.sequence <= lane.final_tip().sequence) continue;
        lane.backlog_bytes -= bytes;
        backlog_bytes_ -= bytes;
    }
}

}  // namespace creto
