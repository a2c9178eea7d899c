#include "store/keys.hpp"

#include <gtest/gtest.h>
#include <limits>

#include "base/prng.hpp"
#include "store/memory_store.hpp"

namespace creto {
namespace {

VertexRef ref(std::uint32_t seat, std::uint32_t incarnation, std::uint64_t sequence, int id) {
    return {
        {Seat{seat}, Incarnation{incarnation}},
        Sequence{sequence},
        VertexId{blake3(as_bytes(std::to_string(id)))}};
}

TEST(Keys, ByteOrderIsNumericOrder) {
    const KeyOrder less;
    Prng prng{3};
    for (int i = 0; i < 1'000; ++i) {
        const std::uint64_t a = prng.next() >> prng.below(64);
        const std::uint64_t b = prng.next() >> prng.below(64);
        EXPECT_EQ(less(keys::number(a), keys::number(b)), a < b);
        EXPECT_EQ(keys::parse_number(keys::number(a)), a);
        const VertexRef x = ref(static_cast<std::uint32_t>(a % 300), b % 2, b, i);
        const VertexRef y = ref(static_cast<std::uint32_t>(b % 300), a % 2, a, i);
        EXPECT_EQ(less(keys::lane_entry(x), keys::lane_entry(y)), x < y);
    }
}

TEST(Keys, ALaneEntryReadsBackAndNothingElseDoes) {
    const VertexRef vertex = ref(7, 2, 1'000'000'007, 1);
    const Bytes key = keys::lane_entry(vertex);
    const auto entry = keys::parse_lane_entry(key);
    ASSERT_TRUE(entry.has_value());
    EXPECT_EQ(entry->lane, vertex.lane);
    EXPECT_EQ(entry->sequence, vertex.sequence);
    EXPECT_EQ(
        keys::number(entry->id_prefix),
        Bytes(vertex.id.value().view().begin(), vertex.id.value().view().begin() + 8)
    );
    EXPECT_EQ(keys::parse_lane_entry(ByteView{key}.first(key.size() - 1)), std::nullopt);
    EXPECT_EQ(keys::parse_digest(key), std::nullopt);
    EXPECT_EQ(keys::parse_digest(keys::vertex(vertex.id)), vertex.id.value());
    EXPECT_EQ(keys::parse_number(key), std::nullopt);
}

TEST(Keys, BranchesOfAForkHaveDifferentKeys) {
    EXPECT_NE(keys::lane_entry(ref(1, 0, 5, 1)), keys::lane_entry(ref(1, 0, 5, 2)));
}

TEST(Keys, ARangeHoldsExactlyItsLane) {
    const LaneId lane{Seat{3}, Incarnation{1}};
    const keys::Range all = keys::lane(lane);
    const keys::Range some = keys::lane(lane, Sequence{10}, Sequence{20});
    constexpr auto last = std::numeric_limits<std::uint64_t>::max();
    for (const std::uint64_t sequence :
         {std::uint64_t{0},
          std::uint64_t{9},
          std::uint64_t{10},
          std::uint64_t{20},
          std::uint64_t{21},
          last}) {
        EXPECT_TRUE(all.contains(keys::lane_entry(ref(3, 1, sequence, 1))));
        EXPECT_EQ(
            some.contains(keys::lane_entry(ref(3, 1, sequence, 1))),
            sequence >= 10 && sequence <= 20
        );
        EXPECT_FALSE(all.contains(keys::lane_entry(ref(3, 0, sequence, 1))));
        EXPECT_FALSE(all.contains(keys::lane_entry(ref(3, 2, sequence, 1))));
        EXPECT_FALSE(all.contains(keys::lane_entry(ref(2, 1, sequence, 1))));
        EXPECT_FALSE(all.contains(keys::lane_entry(ref(4, 1, sequence, 1))));
    }
}

TEST(Keys, RangesEndWhereTheNumbersEnd) {
    constexpr auto last = std::numeric_limits<std::uint64_t>::max();
    EXPECT_TRUE(keys::numbers(5, last).to.empty());
    EXPECT_TRUE(keys::numbers(5, last).contains(keys::number(last)));
    EXPECT_FALSE(keys::numbers(5, last).contains(keys::number(4)));
    EXPECT_EQ(keys::numbers(1, 255).to, (Bytes{0, 0, 0, 0, 0, 0, 1}));
    EXPECT_TRUE(keys::with_prefix(Bytes{0xFF, 0xFF}).to.empty());
    EXPECT_EQ(keys::with_prefix(Bytes{1, 0xFF}).to, Bytes{2});
    const LaneId greatest{Seat{0xFFFFFFFF}, Incarnation{0xFFFFFFFF}};
    EXPECT_TRUE(keys::lane(greatest).to.empty());
}

TEST(Keys, AVertexIsStoredAndRemovedWithItsIndexEntry) {
    TagScheme scheme;
    const auto signer = scheme.signer(KeySeed{});
    VertexHeader header;
    header.lane = {Seat{4}, Incarnation{}};
    header.sequence = Sequence{1};
    const VertexPtr vertex = SealedVertex::make(header, {}, ChainId{}, *signer);
    MemoryStore store;
    ASSERT_TRUE(store.write(keys::put_vertex(vertex), Durable::yes));
    EXPECT_EQ(store.get(Column::vertices, keys::vertex(vertex->id())).value(), vertex->bytes());
    const keys::Range lane = keys::lane(header.lane);
    std::vector<VertexId> found;
    ASSERT_TRUE(store.scan(Column::lanes, lane.from, lane.to, [&](ByteView, ByteView value) {
        found.emplace_back(*keys::parse_digest(value));
        return true;
    }));
    EXPECT_EQ(found, std::vector{vertex->id()});
    ASSERT_TRUE(store.write(keys::remove_vertex(vertex->ref()), Durable::yes));
    EXPECT_EQ(store.size_bytes(), 0U);
}

}  // namespace
}  // namespace creto
