#include "dag/parked.hpp"

#include <gtest/gtest.h>

#include "base/prng.hpp"
#include "dag/dag_testing.hpp"

namespace creto {
namespace {

using testing::Authors;

/// What is waited for and not parked, looked up one by one.
std::map<LaneId, Parked::Holes> holes_of(const Parked& parked) {
    std::map<LaneId, std::map<VertexRef, Sequence>> lowest;
    for (const auto& [ref, entry] : parked.entries()) {
        for (const VertexRef& parent : entry.waits_for)
            if (parked.find(parent) == nullptr) lowest[ref.lane].emplace(parent, ref.sequence);
    }
    std::map<LaneId, Parked::Holes> holes;
    for (const auto& [lane, waiting] : lowest)
        for (const auto& [parent, sequence] : waiting)
            holes[lane].emplace(sequence, parent);
    return holes;
}

/// The holes that make this lane wait.
std::vector<VertexRef> holes_behind(const Parked& parked, const LaneId& lane) {
    std::vector<VertexRef> all;
    const auto holes = parked.holes().find(lane);
    if (holes == parked.holes().end()) return all;
    for (const auto& [sequence, hole] : holes->second)
        all.push_back(hole);
    return all;
}

TEST(Parked, ALaneBehindOneHoleHasOneHoweverLongItIs) {
    const Authors authors{3};
    const auto chain = authors.chain(0, 1'000);
    const LaneId lane = Authors::lane(0);
    Parked parked;
    // From the top down, so that each is a hole first and then is not.
    for (std::size_t i = chain.size() - 1; i > 0; --i) {
        parked.park(chain[i], {chain[i - 1]->ref()});
        EXPECT_EQ(holes_behind(parked, lane), (std::vector<VertexRef>{chain[i - 1]->ref()}));
    }
    parked.remove(chain[500]->ref());
    EXPECT_EQ(
        holes_behind(parked, lane), (std::vector<VertexRef>{chain[0]->ref(), chain[500]->ref()})
    );
    EXPECT_EQ(parked.arrived(chain[0]->ref()), (std::vector<VertexPtr>{chain[1]}));
    // The second was taken out, so it is what the third waits for now.
    EXPECT_EQ(
        holes_behind(parked, lane), (std::vector<VertexRef>{chain[1]->ref(), chain[500]->ref()})
    );
}

// A lane of which each vertex names the same one that does not exist.
TEST(Parked, OneHoleIsOneHoweverManyNameIt) {
    const Authors authors{3};
    const VertexPtr absent = authors.vertex(0, {});
    const auto chain = authors.chain(1, 1'000);
    Parked parked;
    for (std::size_t i = 1; i < chain.size(); ++i)
        parked.park(chain[i], {chain[i - 1]->ref(), absent->ref()});
    EXPECT_EQ(
        holes_behind(parked, Authors::lane(1)),
        (std::vector<VertexRef>{absent->ref(), chain[0]->ref()})
    );
}

TEST(Parked, KnowsItsHolesAfterWhateverIsDone) {
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
            ASSERT_EQ(parked.holes(), holes_of(parked));
        }
    }
}

}  // namespace
}  // namespace creto
