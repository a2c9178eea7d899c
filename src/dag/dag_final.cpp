// What changes when the cut moves: branches are decided, the window moves, old bodies leave.
#include <algorithm>
#include <set>

#include "dag/dag.hpp"

namespace creto {

namespace {

struct Moved {
    std::uint32_t lane = 0;
    Sequence from;                ///< The previous final sequence.
    std::vector<VertexId> chain;  ///< The final ids above it, where they are not all on the
                                  ///< preferred branch.
};

std::vector<VertexId> ids_of(const std::vector<VertexPtr>& vertices) {
    std::vector<VertexId> ids;
    ids.reserve(vertices.size());
    for (const VertexPtr& vertex : vertices)
        ids.push_back(vertex->id());
    return ids;
}

}  // namespace

std::vector<VertexPtr> Dag::finalize(const Cut& cut) {
    ++changes_;
    std::vector<Moved> moved;
    cut.changes_since(final_cut_, [&](const LaneId& id, const LaneTip& tip) {
        const std::uint32_t index = lanes_.index(id);
        Lane& lane = lanes_[index];
        const LaneTip before = lane.final_tip();
        CRETO_ASSERT(tip.sequence >= before.sequence);
        if (tip.sequence == before.sequence) return;
        Moved move{index, before.sequence, {}};
        if (!lane.on_main(tip)) {
            const Branch won = branch({id, before.sequence.next(), tip.sequence, tip.id});
            CRETO_ASSERT(!won.hole && predecessor(won.vertices.front()->header()) == before);
            move.chain = ids_of(won.vertices);
        }
        settle_backlog(lane, tip.sequence);
        const std::vector<VertexPtr> dropped = lane.decide(tip, move.chain);
        bury_parked(lane, dropped, move.chain);
        forget(dropped);
        moved.push_back(std::move(move));
    });
    final_cut_ = cut;
    drop_old_wants();

    std::vector<VertexPtr> ready;
    for (const Moved& move : moved) {
        if (parked_.empty()) break;
        const Lane& lane = lanes_[move.lane];
        const auto lost = [&](const VertexRef& parent) {
            if (!move.chain.empty()) {
                return move.chain[parent.sequence.value() - move.from.value() - 1] != parent.id;
            }
            return lane.slot(parent.sequence)->id != parent.id;
        };
        for (VertexPtr& vertex :
             parked_.excuse(lane.id(), move.from.next(), lane.final_tip().sequence, lost))
            ready.push_back(std::move(vertex));
        excuse_split(lane, ready);
    }
    complete_all(ready);

    // What the cut covers is complete by definition: whatever still waits does so for parents that
    // the block was allowed to ignore.
    const std::size_t done = ready.size();
    for (const Moved& move : moved) {
        const Lane& lane = lanes_[move.lane];
        const LaneTip final_tip = lane.final_tip();
        if (lane.tip().sequence >= final_tip.sequence) continue;
        for (const VertexPtr& vertex :
             branch({lane.id(), lane.tip().sequence.next(), final_tip.sequence, final_tip.id})
                 .vertices) {
            if (VertexPtr free = parked_.excuse_foreign(vertex->ref())) {
                ready.push_back(std::move(free));
            }
        }
    }
    complete_all(ready, done);
    for (const Moved& move : moved)
        CRETO_ASSERT(lanes_[move.lane].on_main(lanes_[move.lane].final_tip()));
    return ready;
}

std::vector<VertexPtr> Dag::adopt(const Cut& cut, const std::vector<VertexHeader>& tips) {
    ++changes_;
    for (const auto& [id, tip] : cut) {
        const std::uint32_t index = lanes_.index(id);
        Lane& lane = lanes_[index];
        CRETO_ASSERT(tip.sequence >= lane.final_tip().sequence);
        if (tip.sequence == lane.boundary().sequence) continue;
        settle_backlog(lane, tip.sequence);
        const std::vector<VertexPtr> dropped = lane.jump(tip);
        bury_parked(lane, dropped, {});
        forget(dropped);
    }
    for (const VertexHeader& tip : tips) {
        const auto index = lanes_.index_of(tip.lane);
        if (index && lanes_[*index].boundary() == LaneTip{tip.sequence, tip.id()}) {
            lanes_[*index].set_boundary_depth(tip.depth);
        }
    }
    final_cut_ = cut;
    drop_old_wants();

    std::vector<VertexPtr> ready;
    for (const auto& [id, tip] : cut) {
        if (parked_.empty()) break;
        for (VertexPtr& vertex : parked_.arrived({id, tip.sequence, tip.id}))
            ready.push_back(std::move(vertex));
        for (VertexPtr& vertex :
             parked_.excuse(id, Sequence{}, tip.sequence, [](const VertexRef&) { return true; }))
            ready.push_back(std::move(vertex));
        excuse_split(lanes_.of(id), ready);
    }
    complete_all(ready);
    return ready;
}

std::vector<VertexPtr> Dag::close(const ClosedLanes& closed) {
    ++changes_;
    std::vector<VertexPtr> ready;
    for (const auto& [id, last] : closed) {
        closed_[id] = last;
        if (const Lane* lane = lanes_.find(id)) excuse_from(*lane, last.next(), ready);
    }
    complete_all(ready);
    return ready;
}

std::size_t Dag::prune(const std::vector<LaneRange>& ranges) {
    ++changes_;
    std::size_t count = 0;
    for (const LaneRange& range : ranges) {
        const LaneTip tip{range.last, range.tip};
        Lane& lane = lanes_[lanes_.index(range.lane)];
        if (tip.sequence <= lane.boundary().sequence) continue;
        CRETO_ASSERT(tip.sequence <= lane.final_tip().sequence && lane.on_main(tip));
        const std::vector<VertexPtr> dropped = lane.prune(tip.sequence);
        forget(dropped);
        count += dropped.size();
    }
    return count;
}

void Dag::settle_backlog(Lane& lane, Sequence last) {
    const auto settle = [&](const SealedVertex& vertex) {
        lane.backlog_bytes -= vertex.bytes().size();
        backlog_bytes_ -= vertex.bytes().size();
    };
    const Sequence held = std::max(lane.tip().sequence, lane.final_tip().sequence);
    for (Sequence at = lane.final_tip().sequence.next(); at <= std::min(held, last); ++at)
        settle(*lane.slot(at)->vertex);
    if (lane.has_side()) {
        for (const VertexPtr& vertex : lane.beside(lane.final_tip().sequence, last))
            settle(*vertex);
    }
    if (parked_.empty()) return;
    for (const VertexRef& ref : parked_.of(lane.id(), lane.final_tip().sequence.next())) {
        if (ref.sequence > last) break;
        settle(*parked_.find(ref));
    }
}

void Dag::bury_parked(
    Lane& lane, const std::vector<VertexPtr>& dropped, const std::vector<VertexId>& chain
) {
    if (parked_.empty() || parked_.load(lane.id()).vertices == 0) return;
    const LaneTip decided = lane.final_tip();
    std::set<VertexId> dead;
    for (const VertexPtr& vertex : dropped)
        dead.insert(vertex->id());
    const std::set<VertexId> won(chain.begin(), chain.end());
    std::vector<VertexPtr> buried;
    for (const VertexRef& ref : parked_.of(lane.id())) {
        const LaneTip before = predecessor(parked_.find(ref)->header());
        bool lost = dead.contains(before.id);
        if (ref.sequence <= decided.sequence) lost = !won.contains(ref.id);
        if (ref.sequence == decided.sequence.next()) {
            lost = before != decided;
            if (lost) lane.note_split(decided.sequence);
        }
        if (!lost) continue;
        dead.insert(ref.id);
        buried.push_back(parked_.remove(ref));
    }
    forget(buried);
}

/// A lane that split below its final tip: what others name above it is decided or doubtful.
void Dag::excuse_split(const Lane& lane, std::vector<VertexPtr>& ready) {
    const Sequence next = lane.final_tip().sequence.next();
    if (lane.split_at(next)) excuse_from(lane, next, ready);
}

void Dag::drop_old_wants() {
    const auto old = [this](const LaneRange& range) {
        return range.last <= lanes_.of(range.lane).final_tip().sequence;
    };
    for (auto it = wants_.begin(); it != wants_.end();) {
        std::erase_if(it->second, old);
        it = it->second.empty() ? wants_.erase(it) : std::next(it);
    }
    if (!any_demanded_) return;
    any_demanded_ = false;
    for (Lane& lane : lanes_) {
        std::erase_if(lane.demanded, [&lane](const auto& demand) {
            return demand.second.sequence <= lane.final_tip().sequence;
        });
        any_demanded_ = any_demanded_ || !lane.demanded.empty();
    }
}

}  // namespace creto
