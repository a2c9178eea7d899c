#include "store/memory_store.hpp"

#include <gtest/gtest.h>

namespace creto {
namespace {

KeyWrite set(const char* key, const char* value) {
    return {Column::state, to_bytes(key), share(to_bytes(value))};
}
KeyWrite remove(const char* key) {
    return {Column::state, to_bytes(key), std::nullopt};
}
std::string value_of(const Store& store, const char* key) {
    const auto value = store.get(Column::state, as_bytes(key));
    if (!value) return to_string(value.error().code);
    return *value ? std::string{as_text(**value)} : "none";
}

TEST(MemoryStore, ACrashTakesBackWhatWasNotSynced) {
    MemoryStore store;
    ASSERT_TRUE(store.write({set("a", "1"), set("b", "1")}, Durable::yes));
    ASSERT_TRUE(store.write({set("a", "2"), remove("b"), set("c", "2")}, Durable::no));
    ASSERT_TRUE(store.write({set("a", "3"), set("a", "4")}, Durable::no));
    EXPECT_EQ(value_of(store, "a"), "4");
    EXPECT_EQ(value_of(store, "b"), "none");
    const std::size_t bytes = store.size_bytes();
    store.crash();
    EXPECT_EQ(value_of(store, "a"), "1");
    EXPECT_EQ(value_of(store, "b"), "1");
    EXPECT_EQ(value_of(store, "c"), "none");
    EXPECT_EQ(store.size_bytes(), bytes);  // Two keys of two bytes before and after.
    EXPECT_EQ(store.unsynced_batches(), 0U);
}

TEST(MemoryStore, ACrashMayKeepTheOldestBatches) {
    MemoryStore store;
    ASSERT_TRUE(store.write({set("a", "1")}, Durable::no));
    ASSERT_TRUE(store.write({set("a", "2")}, Durable::no));
    ASSERT_TRUE(store.write({set("a", "3")}, Durable::no));
    store.crash(2);
    EXPECT_EQ(value_of(store, "a"), "2");
    store.crash();  // What survived a crash was on the disk.
    EXPECT_EQ(value_of(store, "a"), "2");
}

TEST(MemoryStore, ADurableWriteMakesAllEarlierOnesDurable) {
    MemoryStore store;
    ASSERT_TRUE(store.write({set("a", "1")}, Durable::no));
    ASSERT_TRUE(store.write({set("b", "1")}, Durable::yes));
    ASSERT_TRUE(store.write({set("c", "1")}, Durable::no));
    store.crash();
    EXPECT_EQ(value_of(store, "a"), "1");
    EXPECT_EQ(value_of(store, "b"), "1");
    EXPECT_EQ(value_of(store, "c"), "none");
}

TEST(MemoryStore, ARefusedWriteChangesNothing) {
    MemoryStore store;
    ASSERT_TRUE(store.write({set("a", "1")}, Durable::yes));
    const auto refused = [&](const char* why) {
        const auto done = store.write({set("a", "2"), set("new", "2")}, Durable::yes);
        ASSERT_FALSE(done.has_value()) << why;
        EXPECT_EQ(done.error().code, ErrorCode::io);
        EXPECT_EQ(value_of(store, "a"), "1");
        EXPECT_EQ(value_of(store, "new"), "none");
    };
    store.faults().fail_writes = 2;
    refused("failing");
    refused("still failing");
    store.faults().read_only = true;
    refused("read-only");
    store.faults().read_only = false;
    store.faults().capacity_bytes = store.size_bytes() + 5;
    refused("one byte over the capacity");
    store.faults().capacity_bytes = store.size_bytes() + 6;
    EXPECT_TRUE(store.write({set("a", "2"), set("new", "2")}, Durable::yes));
    EXPECT_FALSE(store.write({set("a", "3"), set("b", "2")}, Durable::yes));
    EXPECT_TRUE(store.write({remove("new")}, Durable::yes)) << "a full disk still deletes";
}

TEST(MemoryStore, DamageIsFoundByChecksumAndAFlipOnlyByHash) {
    MemoryStore store;
    ASSERT_TRUE(store.write({set("a", "1"), set("b", "1"), set("c", "1")}, Durable::yes));
    ASSERT_TRUE(store.damage(Column::state, as_bytes("b")));
    EXPECT_EQ(value_of(store, "b"), "corrupt");
    int seen = 0;
    const auto scanned = store.scan(Column::state, {}, {}, [&](ByteView, ByteView) {
        ++seen;
        return true;
    });
    ASSERT_FALSE(scanned.has_value());
    EXPECT_EQ(scanned.error().code, ErrorCode::corrupt);
    EXPECT_NE(scanned.error().message.find("state/62"), std::string::npos);
    EXPECT_EQ(seen, 1);
    ASSERT_TRUE(store.write({set("b", "1")}, Durable::yes));
    EXPECT_EQ(value_of(store, "b"), "1") << "repaired";

    ASSERT_TRUE(store.flip(Column::state, as_bytes("a"), 0));
    EXPECT_EQ(value_of(store, "a"), "0");
    EXPECT_FALSE(store.flip(Column::state, as_bytes("a"), 1));
    EXPECT_FALSE(store.damage(Column::state, as_bytes("x")));
}

TEST(MemoryStore, AFlipDoesNotReachWhoWroteTheValue) {
    MemoryStore store;
    const SharedBytes value = share(to_bytes("shared"));
    ASSERT_TRUE(store.write({{Column::state, to_bytes("a"), value}}, Durable::yes));
    ASSERT_TRUE(store.flip(Column::state, as_bytes("a"), 0));
    EXPECT_EQ(*value, to_bytes("shared"));
}

TEST(MemoryStore, ALostDiskIsEmpty) {
    MemoryStore store;
    ASSERT_TRUE(store.write({set("a", "1")}, Durable::yes));
    store.erase();
    EXPECT_EQ(value_of(store, "a"), "none");
    EXPECT_EQ(store.size_bytes(), 0U);
}

}  // namespace
}  // namespace creto
