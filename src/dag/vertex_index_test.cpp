#include "dag/vertex_index.hpp"

#include <gtest/gtest.h>
#include <map>

namespace creto {
namespace {

TEST(VertexIndex, FindsWhatIsInItAndNothingElse) {
    Prng prng{7};
    VertexIndex index{3};
    std::map<VertexId, VertexIndex::Place> model;
    const auto id_of = [](std::uint64_t n) {
        std::array<std::uint8_t, 32> bytes{};
        bytes[0] = static_cast<std::uint8_t>(n % 61);  // Many ids share their first bytes.
        bytes[8] = static_cast<std::uint8_t>(n);
        bytes[9] = static_cast<std::uint8_t>(n >> 8U);
        return VertexId{Digest{bytes}};
    };
    for (int step = 0; step < 20'000; ++step) {
        const std::uint64_t n = prng.below(700);
        const VertexId id = id_of(n);
        const VertexIndex::Place place{static_cast<std::uint32_t>(n), Sequence{n}};
        const auto* found = index.find(id, [&](const auto& p) { return p == place; });
        ASSERT_EQ(found != nullptr, model.contains(id));
        if (found == nullptr) {
            index.insert(id, place);
            model.emplace(id, place);
        } else {
            index.erase(id, place);
            model.erase(id);
        }
        ASSERT_EQ(index.size(), model.size());
    }
    for (const auto& [id, place] : model) {
        const auto expected = place;
        EXPECT_NE(index.find(id, [&](const auto& p) { return p == expected; }), nullptr);
    }
}

TEST(VertexIndex, LanesMoveUpWhenOneIsPutInBefore) {
    VertexIndex index{3};
    const auto id_of = [](std::uint8_t n) {
        return VertexId{Digest{std::array<std::uint8_t, 32>{n, 1}}};
    };
    for (std::uint8_t n = 0; n < 4; ++n)
        index.insert(id_of(n), {n, Sequence{1}});
    index.move_lanes_up(2);
    const auto lane_of = [&](std::uint8_t n) {
        return index.find(id_of(n), [](const auto&) { return true; })->lane;
    };
    EXPECT_EQ(lane_of(0), 0U);
    EXPECT_EQ(lane_of(1), 1U);
    EXPECT_EQ(lane_of(2), 3U);
    EXPECT_EQ(lane_of(3), 4U);
}

}  // namespace
}  // namespace creto
