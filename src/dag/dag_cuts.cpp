// What a block covers: checked, chosen and ordered; and the overlay above the final cut.
#include <algorithm>

#include "dag/cut_builder.hpp"
#include "dag/dag.hpp"
#include "dag/topological.hpp"

namespace creto {

namespace {

Dag::DeltaCheck invalid(std::string why) {
    return {.verdict = Dag::DeltaCheck::Verdict::invalid, .missing = {}, .why = std::move(why)};
}

/// The part of the check that needs no vertex: what the ranges say of themselves.
std::optional<std::string> flaw_of_ranges(
    const Lanes& lanes,
    const Cut& parent,
    const std::vector<LaneRange>& delta,
    const ClosedLanes& closed
) {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < delta.size(); ++i) {
        const LaneRange& range = delta[i];
        const std::string name = lane_text(range.lane);
        if (i > 0 && !(delta[i - 1].lane < range.lane)) return "delta: lanes are not in order";
        if (lanes.find(range.lane) == nullptr) return "delta: unknown lane " + name;
        if (range.first != parent.tip(range.lane).sequence.next() || range.last < range.first) {
            return "delta: lane " + name + " does not continue the parent's cut";
        }
        const auto end = closed.find(range.lane);
        if (end != closed.end() && range.last > end->second) {
            return "delta: lane " + name + " is closed";
        }
        const std::uint64_t span = range.last.value() - range.first.value();
        if (span >= limits::block_vertices_max - count) return "delta: too many vertices";
        count += span + 1;
    }
    return std::nullopt;
}

}  // namespace

Dag::DeltaCheck Dag::check_delta(
    const Cut& parent, const std::vector<LaneRange>& delta, const ClosedLanes& closed
) const {
    DeltaCheck check;
    if (delta.empty()) return check;
    if (auto flaw = flaw_of_ranges(lanes_, parent, delta, closed)) return invalid(std::move(*flaw));
    std::vector<Branch> branches;
    branches.reserve(delta.size());
    for (const LaneRange& range : delta) {
        Branch& covered = branches.emplace_back(branch(range));
        if (covered.misnamed) {
            return invalid("delta: a vertex of lane " + lane_text(range.lane) + " is not of it");
        }
        if (covered.hole) {
            check.missing.push_back(range_to_fetch(*covered.hole));
        } else if (predecessor(covered.vertices.front()->header()) != parent.tip(range.lane)) {
            return invalid("delta: lane " + lane_text(range.lane) + " leaves the parent's branch");
        }
    }
    if (!check.missing.empty()) {
        check.verdict = DeltaCheck::Verdict::missing;
        return check;
    }

    if (!know_lanes(parent)) {  // One is opened by what is not executed here yet.
        check.verdict = DeltaCheck::Verdict::missing;
        return check;
    }
    const auto covered_to = [&](const LaneId& lane) {
        const auto range = std::lower_bound(
            delta.begin(),
            delta.end(),
            lane,
            [](const LaneRange& r, const LaneId& id) { return r.lane < id; }
        );
        const bool moves = range != delta.end() && range->lane == lane;
        return moves ? range->last : parent.tip(lane).sequence;
    };
    const auto ends_below = [&](const VertexRef& ref) {
        const auto end = closed.find(ref.lane);
        return end != closed.end() && ref.sequence > end->second;
    };
    std::size_t bytes = 0;
    for (const Branch& covered : branches) {
        for (const VertexPtr& vertex : covered.vertices) {
            bytes += vertex->bytes().size();
            for (const VertexRef& ref : foreign_parents(vertex->header())) {
                if (ref.sequence > covered_to(ref.lane) && !ends_below(ref)) {
                    return invalid(
                        "delta: a parent in lane " + lane_text(ref.lane) + " is not covered"
                    );
                }
            }
        }
    }
    if (bytes > limits::block_bytes_max) return invalid("delta: too many bytes");
    return check;
}

/// Lanes are only ever added, so what moved since a cut that was known is all there is to look at.
bool Dag::know_lanes(const Cut& cut) const {
    bool all = true;
    cut.changes_since(known_lanes_, [&](const LaneId& lane, const LaneTip&) {
        all = all && lanes_.index_of(lane).has_value();
    });
    if (all) known_lanes_ = cut;
    return all;
}

std::vector<LaneRange> Dag::build_delta(
    const Cut& parent, std::size_t vertices_max, std::size_t bytes_max, const ClosedLanes& closed
) const {
    return CutBuilder{lanes_, parent, closed, {vertices_max, bytes_max}}.build();
}

bool Dag::has_unordered(const Cut& parent, const ClosedLanes& closed) const {
    if (backlog_bytes_ == 0) return false;  // Nothing is above the final cut.
    // Most of the time nothing is above this one, and one walk over both lists shows it.
    auto at = parent.begin();
    const auto is_above = [&](const Lane& lane) {
        while (at != parent.end() && at->first < lane.id())
            ++at;
        const bool started = at != parent.end() && at->first == lane.id();
        const Sequence covered = started ? at->second.sequence : Sequence{};
        // Without a side its size says where the tip is, and no vertex is visited.
        return lane.has_side() || lane.boundary().sequence.plus(lane.size()) > covered;
    };
    if (std::none_of(lanes_.begin(), lanes_.end(), is_above)) return false;
    return CutBuilder{lanes_, parent, closed, {limits::block_vertices_max, limits::block_bytes_max}}
        .any();
}

std::vector<VertexPtr> Dag::order(
    const Cut& parent, const std::vector<LaneRange>& delta, const BlockId& parent_block, View view
) const {
    if (delta.empty()) return {};
    VertexRuns set;
    for (const LaneRange& range : delta) {
        CRETO_ASSERT(range.first == parent.tip(range.lane).sequence.next());
        Branch covered = branch(range);
        CRETO_ASSERT(!covered.hole);
        set.append(std::move(covered.vertices));
    }
    if (set.vertices.size() == 1) return std::move(set.vertices);  // In one order only.
    std::vector<Digest> keys;
    keys.reserve(set.vertices.size());
    for (const VertexPtr& vertex : set.vertices) {
        keys.push_back(Hasher{HashDomain::order_key}
                           .update(parent_block.value())
                           .update_u64(view.value())
                           .update(vertex->id().value())
                           .finish());
    }
    return topological_order(set, keys);
}

std::vector<VertexPtr> Dag::overlay() const {
    VertexRuns set;
    std::vector<Digest> keys;
    for (const Lane& lane : lanes_) {
        const Sequence first = lane.final_tip().sequence.next();
        const Sequence last = std::min(lane.tip().sequence, causal_end(lane.id()));
        std::vector<VertexPtr> run;
        for (Sequence at = first; at <= last; ++at) {
            const LaneSlot* slot = lane.slot(at);
            run.push_back(slot->vertex);
            keys.push_back(slot->id.value());
        }
        set.append(std::move(run));
    }
    return topological_order(set, keys);
}

}  // namespace creto
