#include "scale/replay/store_difference.hpp"

#include <gtest/gtest.h>

#include "store/journal.hpp"
#include "store/keys.hpp"
#include "store/memory_store.hpp"

namespace creto {
namespace {

KeyWrite set(Column column, std::string_view key, std::string_view value) {
    return {column, to_bytes(key), share(to_bytes(value))};
}
KeyWrite erase(Column column, std::string_view key) {
    return {column, to_bytes(key), std::nullopt};
}

/// A disk with three keys and two votes, and a store with the same and what a host adds.
class Comparison : public ::testing::Test {
protected:
    Comparison() {
        const std::vector<KeyWrite> writes{
            set(Column::vertices, "a", "1"),
            set(Column::vertices, "b", "2"),
            set(Column::state, "a", "3")};
        EXPECT_TRUE(disk.write(writes, votes.records, Durable::yes, Instant{}).has_value());
        std::vector<KeyWrite> own = writes;
        own.push_back({Column::meta, keys::format(), share(keys::number(1))});
        own.push_back({Column::meta, keys::voted(), share(Bytes{1})});
        journal::mark(7, own);
        change(own);
        votes.records.insert(votes.records.begin(), journal::encode(7, writes));
    }
    void change(const std::vector<KeyWrite>& writes) {
        ASSERT_TRUE(store.write(writes, Durable::yes).has_value());
    }
    [[nodiscard]] StoreDifference compared() const {
        return compare(store, votes, disk, [] { return true; });
    }

    SimDisk disk{{}};
    MemoryStore store;
    VoteLogContents votes{{to_bytes("v1"), to_bytes("v2")}, true, ""};
};

TEST_F(Comparison, TheSameIsNoDifferenceWhateverAHostAddsForItself) {
    const StoreDifference none = compared();
    EXPECT_EQ(none.count, 0U) << none.texts.front();
    EXPECT_EQ(none.keys, 3U);
}

TEST_F(Comparison, CountsWhatIsMissingAddedAndOther) {
    change({erase(Column::vertices, "a"), set(Column::vertices, "b", "other")});
    change({set(Column::state, "c", "4"), set(Column::meta, "unknown", "5")});
    const StoreDifference found = compared();
    EXPECT_EQ(found.count, 4U);
    EXPECT_EQ(found.keys, 3U);
    EXPECT_EQ(
        found.texts,
        (std::vector<std::string>{
            "vertices/61: is missing",
            "vertices/62: another value",
            "state/63: nobody wrote it",
            "meta/756e6b6e6f776e: nobody wrote it"})
    );
}

TEST_F(Comparison, CountsVotesByTheirPlace) {
    votes.records = {to_bytes("v2"), to_bytes("v2"), to_bytes("v3")};
    EXPECT_EQ(compared().count, 2U);
    votes.intact = false;
    EXPECT_EQ(compared().count, 3U);
}

TEST_F(Comparison, WhatCannotBeReadDiffers) {
    ASSERT_TRUE(store.damage(Column::vertices, as_bytes("b")));
    const StoreDifference found = compared();
    EXPECT_EQ(found.count, 1U);
    EXPECT_EQ(found.keys, 3U);
}

TEST_F(Comparison, StopsWhenItIsTold) {
    std::vector<KeyWrite> many;
    for (std::uint32_t i = 0; i < 5'000; ++i)
        many.push_back({Column::blocks, keys::number(i), share(Bytes{1})});
    ASSERT_TRUE(disk.write(many, {}, Durable::yes, Instant{}).has_value());
    change(many);
    EXPECT_EQ(compared().count, 0U);
    EXPECT_TRUE(compare(store, votes, disk, [] { return false; }).is_stopped);
}

}  // namespace
}  // namespace creto
