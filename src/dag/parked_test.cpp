#include "dag/parked.hpp"

#include <gtest/gtest.h>

#include "base/prng.hpp"
#include "dag/dag_testing.hpp"

namespace creto {
namespace {

using testing::Authors;

/// The parked vertices that wait for one which is not parked, looked up one by one.
std::set<VertexRef> fronts_of(const Parked& parked) {
    std::set<VertexRef> fronts;
    for (const auto& [ref, entry] : parked.entries()) {
        const bool front = std::any_of(
            entry.waits_for.begin(),
            entry.waits_for.end(),
            [&parked](const VertexRef& parent) { return parked.find(parent) == nullptr; }
        );
        if (front) fronts.insert(ref);
    }
    return fronts;
}

TEST(Parked, ALaneBehindOneHoleHasOneFrontHoweverLongItIs) {
    const Authors authors{3};
    const auto chain = authors.chain(0, 1'000);
    Parked parked;
    // From the top down, so that each is first a front and then is not.
    for (std::size_t i = chain.size() - 1; i > 0; --i) {
        parked.park(chain[i], {chain[i - 1]->ref()});
        EXPECT_EQ(parked.fronts(), (std::set<VertexRef>{chain[i]->ref()}));
    }
    parked.remove(chain[500]->ref());
    EXPECT_EQ(parked.fronts(), (std::set<VertexRef>{chain[1]->ref(), chain[501]->ref()}));
    EXPECT_EQ(parked.arrived(chain[0]->ref()), (std::vector<VertexPtr>{chain[1]}));
    EXPECT_EQ(parked.fronts(), (std::set<VertexRef>{chain[2]->ref(), chain[501]->ref()}));
}

TEST(Parked, KnowsItsFrontsAfterWhateverIsDone) {
    const Authors authors{4};
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Prng prng{seed};
        auto all = testing::draw_graph(
            authors,
            {.vertices = 40, .forker = seed % 2 == 0 ? std::optional{1U} : std::nullopt},
            prng
        );
        testing::shuffle(all, prng);
        Parked parked;
        std::set<VertexId> out;  // Completed, excused or thrown away: never parked again.
        for (int step = 0; step < 200; ++step) {
            const VertexPtr& vertex = all[prng.below(all.size())];
            const VertexRef ref = vertex->ref();
            std::vector<VertexPtr> ready;
            switch (prng.below(6)) {
                case 0:
                    if (parked.find(ref) == nullptr) ready = parked.arrived(ref);
                    break;
                case 1:
                    ready = parked.excuse(
                        ref.lane,
                        ref.sequence,
                        ref.sequence.next(),
                        [&ref](const VertexRef& parent) { return parent.id != ref.id; }
                    );
                    break;
                case 2:
                    if (parked.find(ref) == nullptr) break;
                    if (VertexPtr free = parked.excuse_foreign(ref)) ready = {std::move(free)};
                    break;
                case 3:
                    if (parked.find(ref) == nullptr) break;
                    ready = {parked.remove(ref)};
                    break;
                default:
                    if (parked.find(ref) != nullptr || out.contains(ref.id) ||
                        vertex->header().parents.empty())
                        break;
                    parked.park(vertex, vertex->header().parents);
            }
            for (const VertexPtr& gone : ready)
                out.insert(gone->id());
            ASSERT_EQ(parked.fronts(), fronts_of(parked));
        }
    }
}

}  // namespace
}  // namespace creto
