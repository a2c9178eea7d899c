// FakeLanes: lanes without vertices, for tests of ordering: a lane is how far it has come.
//
// Why      Ordering asks a CutSource three questions; tests answer them from a few numbers.
// Holds    The id of a vertex is a function of lane and sequence, so lanes never fork here.
#pragma once

#include <algorithm>
#include <map>
#include <set>

#include "order/cut_source.hpp"

namespace creto::simplex::testing {

inline VertexId vertex_id(const LaneId& lane, Sequence sequence) {
    Writer w;
    encode(w, lane);
    encode(w, sequence);
    return VertexId{hash(HashDomain::vertex, w.view())};
}

inline LaneRange range_of(const LaneId& lane, std::uint64_t first, std::uint64_t last) {
    return {lane, Sequence{first}, Sequence{last}, vertex_id(lane, Sequence{last})};
}

class FakeLanes final : public CutSource {
public:
    /// How far each lane is held without gaps.
    std::map<LaneId, Sequence> held;
    std::uint64_t per_lane_max = 8;
    bool hurries = false;  ///< As if a change of the roster waited for its epoch.
    [[nodiscard]] bool awaits_epoch() const override { return hurries; }
    /// Proven to lie.
    std::set<PublicKey> excluded;
    [[nodiscard]] bool is_excluded(const PublicKey& key) const override {
        return excluded.contains(key);
    }
    /// Any delta that covers one of these is invalid, on every node.
    std::set<std::pair<LaneId, Sequence>> poisoned;

    [[nodiscard]] Sequence held_of(const LaneId& lane) const {
        const auto found = held.find(lane);
        return found == held.end() ? Sequence{} : found->second;
    }
    [[nodiscard]] bool covers(const std::vector<LaneRange>& delta) const {
        return std::all_of(delta.begin(), delta.end(), [this](const LaneRange& range) {
            return range.last <= held_of(range.lane);
        });
    }

    /// Lanes that blocks whose mark names at least this height cannot raise any more.
    std::map<LaneId, Height> closed;

    [[nodiscard]] bool is_closed(const LaneId& lane, Height executed) const {
        const auto found = closed.find(lane);
        return found != closed.end() && found->second <= executed;
    }
    [[nodiscard]] Check check(
        const Cut& parent, const std::vector<LaneRange>& delta, Height executed
    ) override {
        Check check{.verdict = Check::Verdict::valid, .missing = {}, .why = {}};
        for (const LaneRange& range : delta) {
            if (is_closed(range.lane, executed))
                return {.verdict = Check::Verdict::invalid, .missing = {}, .why = "closed"};
            const Sequence base = parent.tip(range.lane).sequence;
            const bool poison = std::any_of(poisoned.begin(), poisoned.end(), [&](const auto& p) {
                return p.first == range.lane && range.first <= p.second && p.second <= range.last;
            });
            if (range.first != base.next() || poison ||
                range.tip != vertex_id(range.lane, range.last)) {
                return {.verdict = Check::Verdict::invalid, .missing = {}, .why = "bad range"};
            }
            const Sequence have = held_of(range.lane);
            if (range.last <= have) continue;
            check.verdict = Check::Verdict::missing;
            check.missing.push_back(
                {range.lane, std::max(range.first, have.next()), range.last, range.tip}
            );
        }
        return check;
    }
    [[nodiscard]] std::vector<LaneRange> build(const Cut& parent, Height executed) override {
        std::vector<LaneRange> delta;
        for (const auto& [lane, have] : held) {
            const std::uint64_t base = parent.tip(lane).sequence.value();
            if (have.value() <= base || is_closed(lane, executed)) continue;
            delta.push_back(range_of(lane, base + 1, std::min(have.value(), base + per_lane_max)));
        }
        return delta;
    }
    [[nodiscard]] bool has_unordered(const Cut& cut, Height executed) const override {
        return std::any_of(held.begin(), held.end(), [&](const auto& lane) {
            if (is_closed(lane.first, executed)) return false;
            return lane.second > cut.tip(lane.first).sequence;
        });
    }
};

}  // namespace creto::simplex::testing
