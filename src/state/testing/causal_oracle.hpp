// CausalOracle: what a set of vertices reads as, computed the long way: no base, no overlay, no order.
//
// Why      The property tests need somebody who does not merge. It looks at all writes at once, asks of
//          each whether another names it or its lane wrote again, and adds up what is left.
// Cost     All writes for each oracle: for tests only.
#pragma once

#include <map>
#include <set>
#include <tuple>

#include "state/causal_state.hpp"

namespace creto::state_test {

class CausalOracle {
public:
    CausalOracle(const std::vector<VertexPtr>& vertices, const Roster& roster) {
        for (const VertexPtr& vertex : vertices)
            collect(*vertex, roster);
        for (const auto& [spot, writes] : spots_)
            read(spot, writes);
    }

    [[nodiscard]] CausalReading read(const Place& place) const {
        const auto found = readings_.find(place);
        return found == readings_.end() ? CausalReading{} : found->second;
    }

private:
    struct Write {
        const CrdtOperation* write = nullptr;
        Dot dot;
        std::uint64_t depth = 0;
    };
    /// Where writes meet: everything but lists at (place, kind, element), a list's items alone.
    struct Spot {
        Place place;
        CrdtKind kind = CrdtKind::counter;
        Bytes element;
        std::tuple<std::uint64_t, std::uint64_t, std::uint32_t, Dot> position;
        friend auto operator<=>(const Spot&, const Spot&) = default;
    };

    void collect(const SealedVertex& vertex, const Roster& roster) {
        const VertexHeader& header = vertex.header();
        Dot dot{header.lane, header.sequence, 0, vertex.id().value().prefix()};
        for (const Operation& operation : vertex.operations()) {
            const auto* write = std::get_if<CrdtOperation>(&operation.body);
            if (write != nullptr && operation.client == roster.find(header.lane.seat)->key &&
                well_formed(operation)) {
                Spot spot{{write->key, write->path}, kind_of(write->action), {}, {}};
                if (spot.kind == CrdtKind::set) spot.element = write->value;
                if (spot.kind == CrdtKind::list)
                    spot.position = {header.depth, dot.vertex, dot.index, dot};
                for (const Dot& named : write->observed)
                    named_.insert({spot, named});
                spots_[spot].push_back({write, dot, header.depth});
            }
            ++dot.index;
        }
    }

    void read(const Spot& spot, const std::vector<Write>& writes) {
        std::map<LaneId, Write> latest;
        for (const Write& write : writes) {
            const auto at = latest.try_emplace(write.dot.lane, write).first;
            if (at->second.dot < write.dot) at->second = write;
        }
        std::vector<Write> live;
        for (const auto& [lane, write] : latest) {
            if (!removes(write.write->action) && !named_.contains({spot, write.dot}))
                live.push_back(write);
        }
        if (live.empty()) return;
        CausalReading& out = readings_[spot.place];
        out.found = true;
        std::uint64_t sum = 0;
        const Write* last = &live.front();
        std::set<Bytes> distinct;
        for (const Write& write : live) {
            sum += write.write->share + static_cast<std::uint64_t>(write.write->amount);
            distinct.insert(write.write->value);
            if (std::tuple{last->depth, last->dot.vertex, last->dot} <
                std::tuple{write.depth, write.dot.vertex, write.dot})
                last = &write;
        }
        switch (spot.kind) {
            case CrdtKind::counter:
                out.counter = static_cast<std::int64_t>(sum);
                break;
            case CrdtKind::values:
                out.values = {distinct.begin(), distinct.end()};
                break;
            case CrdtKind::last:
                out.last = last->write->value;
                break;
            case CrdtKind::set:
                out.elements.push_back(spot.element);  // Spots ascend.
                break;
            case CrdtKind::list:
                out.items.push_back(live.front().write->value);
                break;
        }
        for (Place above = spot.place; !above.path.empty();) {
            const std::string field = above.path.back();
            above.path.pop_back();
            CausalReading& map = readings_[above];
            map.found = true;
            const auto at = std::lower_bound(map.fields.begin(), map.fields.end(), field);
            if (at == map.fields.end() || *at != field) map.fields.insert(at, field);
        }
    }

    std::map<Spot, std::vector<Write>> spots_;
    std::set<std::pair<Spot, Dot>> named_;
    std::map<Place, CausalReading> readings_;
};

}  // namespace creto::state_test
