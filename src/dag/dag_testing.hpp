// Authors for tests and benchmarks: a roster with known keys, and graphs drawn from a seed.
//
// Holds    draw_graph() returns vertices parents first; at most one lane forks, in two branches.
#pragma once

#include <memory>
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

struct GraphOptions {
    std::uint32_t seats = 4;
    std::size_t vertices = 60;
    std::size_t parents_max = 3;
    std::optional<std::uint32_t> forker;
};

/// Random authors write after random tips that they may have seen.
[[nodiscard]] inline std::vector<VertexPtr> draw_graph(
    const Authors& authors, const GraphOptions& options, Prng& prng
) {
    std::vector<VertexPtr> all;
    std::vector<std::vector<VertexPtr>> lanes(options.seats);
    std::vector<VertexPtr> second;  // The forker's other branch.
    while (all.size() < options.vertices) {
        const auto seat = static_cast<std::uint32_t>(prng.below(options.seats));
        std::vector<VertexPtr>* branch = &lanes[seat];
        const bool forks = options.forker == seat && lanes[seat].size() > 2;
        if (forks && second.empty()) {
            second.assign(
                lanes[seat].begin(),
                lanes[seat].begin() + 1 + static_cast<std::ptrdiff_t>(prng.below(2))
            );
        }
        if (forks && prng.chance(1, 2)) branch = &second;
        Authors::Draft draft{.after = branch->empty() ? nullptr : branch->back()};
        draft.salt = branch == &second ? 1 : 0;
        for (std::uint32_t other = 0; other < options.seats; ++other) {
            if (other == seat || draft.parents.size() == options.parents_max) continue;
            const auto& seen = options.forker == other && !second.empty() && prng.chance(1, 2)
                                   ? second
                                   : lanes[other];
            if (seen.empty() || prng.chance(1, 3)) continue;
            const std::size_t behind = prng.below(std::min<std::size_t>(seen.size(), 4));
            draft.parents.push_back(seen[seen.size() - 1 - behind]);
        }
        branch->push_back(authors.vertex(seat, draft));
        all.push_back(branch->back());
    }
    return all;
}

template <class T>
void shuffle(std::vector<T>& items, Prng& prng) {
    for (std::size_t i = items.size(); i > 1; --i)
        std::swap(items[i - 1], items[prng.below(i)]);
}

}  // namespace creto::testing
