// Authors for tests and benchmarks: a roster with known keys, graphs drawn from a seed, and what
// must hold of a graph after every step.
//
// Holds    draw_graph() returns vertices parents first; at most one lane forks, in two branches.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/prng.hpp"
#include "dag/dag.hpp"

namespace creto::testing {

class Authors {
public:
    explicit Authors(std::uint32_t seats) {
        Genesis genesis;
        genesis.network = "dag";
        genesis.mode = QuorumMode::crash;
        for (std::uint32_t i = 0; i < seats; ++i) {
            std::array<std::uint8_t, 32> seed{};
            seed[0] = static_cast<std::uint8_t>(i);
            seed[1] = 1;
            signers_.push_back(scheme_.signer(KeySeed{seed}));
            genesis.members.push_back(
                {Seat{i}, signers_.back()->public_key(), "seat-" + std::to_string(i)}
            );
        }
        roster_ = std::make_unique<Roster>(genesis);
    }

    [[nodiscard]] const Roster& roster() const { return *roster_; }
    [[nodiscard]] static LaneId lane(std::uint32_t seat) { return {Seat{seat}, Incarnation{0}}; }

    struct Draft {
        VertexPtr after = nullptr;             ///< Own predecessor.
        std::vector<VertexPtr> parents = {};   ///< Of other lanes.
        std::size_t payload = 0;               ///< Bytes of data; more than 128 KiB in parts.
        std::int64_t salt = 0;                 ///< Tells siblings apart.
        std::optional<std::uint64_t> depth{};  ///< A lie.
    };
    [[nodiscard]] VertexPtr vertex(std::uint32_t seat, const Draft& draft) const {
        VertexHeader header;
        header.lane = lane(seat);
        header.sequence = draft.after ? draft.after->header().sequence.next() : Sequence{1};
        header.author_unix_ms = draft.salt;
        std::uint64_t greatest = 0;
        for (const VertexPtr& parent : draft.parents) {
            header.parents.push_back(parent->ref());
            greatest = std::max(greatest, parent->header().depth);
        }
        std::sort(header.parents.begin(), header.parents.end());
        if (draft.after) {
            header.parents.insert(header.parents.begin(), draft.after->ref());
            greatest = std::max(greatest, draft.after->header().depth);
        }
        header.depth = draft.depth.value_or(greatest + 1);
        return sealed(seat, header, draft.payload);
    }
    [[nodiscard]] VertexPtr sealed(
        std::uint32_t seat, const VertexHeader& header, std::size_t payload = 0
    ) const {
        std::vector<Operation> operations;
        for (std::size_t left = payload; left > 0;) {
            const std::size_t part = std::min<std::size_t>(left, 100'000);
            Operation operation;
            operation.client = roster_->members()[seat].key;
            operation.counter = operations.size() + 1;
            operation.expiry = Height{10};
            operation.body = DataOperation{Bytes(part, 0xAB)};
            operations.push_back(std::move(operation));
            left -= part;
        }
        return SealedVertex::make(header, std::move(operations), roster_->chain(), *signers_[seat]);
    }
    /// `count` vertices, each after the one before.
    [[nodiscard]] std::vector<VertexPtr> chain(
        std::uint32_t seat, std::size_t count, VertexPtr after = nullptr, std::int64_t salt = 0
    ) const {
        std::vector<VertexPtr> all;
        for (std::size_t i = 0; i < count; ++i) {
            after = vertex(seat, {.after = after, .salt = salt});
            all.push_back(after);
        }
        return all;
    }

private:
    TagScheme scheme_;
    std::vector<std::unique_ptr<Signer>> signers_;
    std::unique_ptr<Roster> roster_;
};

[[nodiscard]] inline Checked<VertexPtr> checked(VertexPtr vertex) {
    return {std::move(vertex), CheckPass::own()};
}

/// Adds a vertex that must not be refused.
inline Dag::Outcome add(Dag& dag, const VertexPtr& vertex) {
    auto outcome = dag.add(checked(vertex));
    CRETO_ASSERT(outcome);
    return std::move(*outcome);
}
inline void add_all(Dag& dag, const std::vector<VertexPtr>& vertices) {
    for (const VertexPtr& vertex : vertices)
        add(dag, vertex);
}
[[nodiscard]] inline LaneTip tip_of(const VertexPtr& vertex) {
    return {vertex->header().sequence, vertex->id()};
}
/// A block's delta that ends where the cut ends, in each lane.
[[nodiscard]] inline std::vector<LaneRange> ranges_to(const Cut& cut) {
    std::vector<LaneRange> ranges;
    for (const auto& [lane, tip] : cut)
        ranges.push_back({lane, tip.sequence, tip.sequence, tip.id});
    return ranges;
}

[[nodiscard]] inline Cut cut_of(const std::vector<VertexPtr>& tips) {
    Cut cut;
    for (const VertexPtr& vertex : tips)
        cut.set(vertex->header().lane, tip_of(vertex));
    return cut;
}
/// The range that ends in a vertex.
[[nodiscard]] inline LaneRange up_to(const VertexPtr& vertex, std::uint64_t first = 1) {
    return {vertex->header().lane, Sequence{first}, vertex->header().sequence, vertex->id()};
}

/// What one may rely on after every step, in arithmetic of its own; empty when all is well. `all`
/// are the vertices that the graph may hold.
[[nodiscard]] inline std::string flaw_of(const Dag& dag, const std::vector<VertexPtr>& all) {
    std::size_t held = 0;
    std::size_t bytes = 0;
    std::map<LaneId, std::size_t> backlog;
    for (const VertexPtr& vertex : all) {
        const auto& [lane, sequence, id] = vertex->ref();
        backlog.emplace(lane, 0);
        if (dag.find(id) == nullptr) continue;
        ++held;
        bytes += vertex->bytes().size();
        const bool final = sequence <= dag.final_cut().tip(lane).sequence;
        if (!final) backlog[lane] += vertex->bytes().size();
    }
    if (dag.size() != held) return "size()";
    if (dag.bytes() != bytes) return "bytes()";
    for (const auto& [lane, expected] : backlog) {
        if (dag.unfinalized_bytes(lane) != expected) return "unfinalized_bytes()";
    }
    std::set<VertexId> asked;
    for (const LaneRange& range : dag.missing(1'000)) {
        if (dag.find(range.tip) != nullptr) return "missing() names what is held";
        asked.insert(range.tip);
    }
    for (const VertexPtr& vertex : all) {
        if (dag.find(vertex->id()) == nullptr || dag.complete(vertex->id())) continue;
        const auto& parents = vertex->header().parents;
        const bool moves =
            std::any_of(parents.begin(), parents.end(), [&](const VertexRef& parent) {
                const bool parked = dag.find(parent.id) != nullptr && !dag.complete(parent.id);
                return parked || asked.contains(parent.id);
            });
        if (!moves) return "nothing that a parked vertex waits for is asked for";
    }
    for (const VertexRef& tip : dag.tips()) {
        VertexPtr above;
        for (Sequence at = tip.sequence;; at = at.prev()) {
            const VertexPtr vertex = dag.at(tip.lane, at);
            if (vertex == nullptr) break;
            if (!dag.complete(vertex->id())) return "the preferred branch is not complete";
            if (above && above->header().parents[0].id != vertex->id()) {
                return "the preferred branch is not a chain";
            }
            above = vertex;
        }
    }
    return {};
}

struct GraphOptions {
    std::uint32_t seats = 4;
    std::size_t vertices = 60;
    std::size_t parents_max = 3;
    std::optional<std::uint32_t> forker;
    std::size_t branches = 2;  ///< Of the forker's lane.
};

/// Random authors write after random tips that they may have seen.
[[nodiscard]] inline std::vector<VertexPtr> draw_graph(
    const Authors& authors, const GraphOptions& options, Prng& prng
) {
    using Branch = std::vector<VertexPtr>;
    std::vector<VertexPtr> all;
    std::vector<std::vector<Branch>> lanes(options.seats, std::vector<Branch>(1));
    while (all.size() < options.vertices) {
        const auto seat = static_cast<std::uint32_t>(prng.below(options.seats));
        std::vector<Branch>& branches = lanes[seat];
        if (options.forker == seat && branches[0].size() > 2 &&
            branches.size() < options.branches) {
            const auto common = static_cast<std::ptrdiff_t>(1 + prng.below(2));
            branches.emplace_back(branches[0].begin(), branches[0].begin() + common);
        }
        const std::size_t chosen = prng.below(branches.size());
        Branch& branch = branches[chosen];
        Authors::Draft draft{.after = branch.empty() ? nullptr : branch.back()};
        draft.salt = static_cast<std::int64_t>(chosen);
        for (std::uint32_t other = 0; other < options.seats; ++other) {
            if (other == seat || draft.parents.size() == options.parents_max) continue;
            const Branch& seen = lanes[other][prng.below(lanes[other].size())];
            if (seen.empty() || prng.chance(1, 3)) continue;
            const std::size_t behind = prng.below(std::min<std::size_t>(seen.size(), 4));
            draft.parents.push_back(seen[seen.size() - 1 - behind]);
        }
        branch.push_back(authors.vertex(seat, draft));
        all.push_back(branch.back());
    }
    return all;
}

template <class T>
void shuffle(std::vector<T>& items, Prng& prng) {
    for (std::size_t i = items.size(); i > 1; --i)
        std::swap(items[i - 1], items[prng.below(i)]);
}

}  // namespace creto::testing
