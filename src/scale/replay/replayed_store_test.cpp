#include "scale/replay/replayed_store.hpp"

#include <gtest/gtest.h>

#include "rocks/test_support.hpp"
#include "store/keys.hpp"

namespace creto {
namespace {

using testing_support::TestFolder;

constexpr std::size_t small_log = 16 * 1024;

Instant at_ms(std::int64_t ms) {
    return Instant{} + Duration::from_ms(ms);
}

/// A simulated disk whose writes are replayed.
class Replay : public ::testing::Test {
protected:
    explicit Replay(std::size_t log_bytes_max = 64 * 1024 * 1024)
        : store{{folder / "store-1", 7, log_bytes_max, [this] { return goes_on; }}, figures} {
        disk.observe(&store);
    }
    void put(std::int64_t ms, std::uint64_t key, std::size_t bytes = 100) {
        std::vector<KeyWrite> writes;
        writes.push_back({Column::blocks, keys::number(key), share(Bytes(bytes, 3))});
        write(ms, std::move(writes));
    }
    void erase(std::int64_t ms, std::uint64_t key) {
        write(ms, {{Column::blocks, keys::number(key), std::nullopt}});
    }
    void vote(std::int64_t ms, const std::string& text, std::vector<Bytes> kept = {}) {
        const auto done = disk.write({}, {to_bytes(text)}, Durable::yes, at_ms(ms), kept);
        ASSERT_TRUE(done.has_value());
    }
    void write(std::int64_t ms, std::vector<KeyWrite> writes) {
        const auto done = disk.write(std::move(writes), {}, Durable::yes, at_ms(ms));
        ASSERT_TRUE(done.has_value());
    }
    ReplayedStore::Checked checked() {
        store.close();
        EXPECT_EQ(store.failure(), "");
        return store.check(disk);
    }
    void expect_same() {
        const ReplayedStore::Checked found = checked();
        EXPECT_EQ(found.difference.count, 0U) << found.difference.texts.front();
        EXPECT_EQ(found.difference.keys, disk.contents().size());
        EXPECT_EQ(found.damage, 0U) << found.findings.front();
    }

    TestFolder folder;
    bool goes_on = true;
    SimDisk disk{{}};
    ReplayFigures figures;
    ReplayedStore store;
};

class ReplayInParts : public Replay {
protected:
    ReplayInParts() : Replay{small_log} {}
};

TEST_F(Replay, ARealStoreHoldsTheSameAfterwards) {
    for (std::int64_t i = 0; i < 50; ++i) {
        put(10 * i, static_cast<std::uint64_t>(i % 20));
        vote(10 * i + 3, "vote " + std::to_string(i));
        if (i % 5 == 0) erase(10 * i + 5, static_cast<std::uint64_t>(i % 20));
    }
    vote(600, "new", {to_bytes("kept 1"), to_bytes("kept 2")});
    put(700, 1, 20'000);
    EXPECT_EQ(disk.log().size(), 3U);
    expect_same();
    EXPECT_EQ(figures.keys_written, 61U);
    EXPECT_GT(figures.commits, 0U);
    EXPECT_EQ(figures.write_us.count(), figures.commits);
    EXPECT_GT(figures.busy, Duration{});
    EXPECT_GT(figures.keys_peak, 0);
    EXPECT_EQ(figures.last, Duration::from_ms(700));
    EXPECT_GT(figures.disk_bytes, 0U);
}

TEST_F(Replay, WhatOneCommitWasUnderWayForSharesTheNext) {
    for (std::uint64_t i = 0; i < 100; ++i)
        put(5, i);  // All in one instant: the first may go alone.
    store.catch_up();
    EXPECT_LE(figures.commits, 2U);
    for (std::int64_t i = 1; i <= 5; ++i)
        put(100'000 * i, 1);  // Minutes apart.
    store.catch_up();
    EXPECT_GE(figures.commits, 6U);
    EXPECT_EQ(figures.keys_written, 105U);
}

TEST_F(Replay, ReadsWhatTheNodeReadsAndKeysThatWereWritten) {
    put(1, 1);
    store.catch_up();
    const std::uint64_t drawn = figures.keys_read;
    EXPECT_EQ(drawn, 1U);
    store.on_load({Ticket{}, Column::blocks, {keys::number(1), keys::number(9)}}, at_ms(2));
    store.on_scan({Ticket{}, Column::blocks, {}, {}, 10}, at_ms(3));
    store.catch_up();
    EXPECT_EQ(figures.keys_read - drawn, 3U);
    EXPECT_TRUE(figures.reads.mean_ns(Duration{}, Duration::from_s(1)).has_value());
}

TEST_F(Replay, ACrashTakesBackThereWhatItTookBackHere) {
    disk.set_sync_latency(Duration::from_ms(5), Duration::from_ms(5));
    put(0, 1);
    put(0, 2);
    vote(0, "first");
    put(20, 1, 500);
    erase(21, 2);
    put(22, 3);
    vote(22, "lost");
    disk.crash(at_ms(23), CrashLoss::all_unsynced);
    EXPECT_EQ(disk.contents().size(), 2U);
    EXPECT_EQ(disk.log().size(), 1U);
    put(30, 4);
    expect_same();
    EXPECT_EQ(figures.restarts, 1U);
}

TEST_F(Replay, AnotherDiskInItsPlaceIsAnotherFolder) {
    put(0, 1);
    vote(1, "old");
    const DiskImage image = disk.image();
    put(10, 2);
    disk.wipe();
    put(20, 3);
    store.catch_up();
    disk.load(image);
    put(30, 4);
    EXPECT_EQ(disk.contents().size(), 2U);
    expect_same();
}

TEST_F(ReplayInParts, WhatWaitsIsBounded) {
    std::size_t most = 0;
    for (std::int64_t i = 0; i < 200; ++i) {
        put(i, static_cast<std::uint64_t>(i), 500);
        most = std::max(most, store.waiting_bytes());
    }
    EXPECT_LE(most, small_log);
    EXPECT_GT(most, 0U);
    expect_same();
    EXPECT_EQ(figures.keys_written, 200U);
}

TEST_F(Replay, ACorruptedByteOfATableIsFound) {
    for (std::int64_t i = 0; i < 200; ++i)
        put(i, static_cast<std::uint64_t>(i));
    store.close();
    const auto tables = testing_support::files_in(store.dir() + "/store", ".sst");
    ASSERT_FALSE(tables.empty());
    for (const std::string& table : tables)
        testing_support::flip_byte(table, 10);  // In the first block of data.
    const ReplayedStore::Checked found = store.check(disk);
    EXPECT_GT(found.damage, 0U);
    ASSERT_FALSE(found.findings.empty());
    EXPECT_GT(found.difference.count, 0U);
}

TEST_F(Replay, AKeyThatOnlyOneSideHasIsFound) {
    put(0, 1);
    store.catch_up();
    disk.observe(nullptr);
    put(1, 2);
    EXPECT_EQ(checked().difference.count, 1U);
}

TEST_F(Replay, AStoppedRunKeepsNothing) {
    for (std::int64_t i = 0; i < 1'000; ++i)
        put(1'000 * i, 1);
    goes_on = false;
    store.catch_up();
    EXPECT_EQ(store.failure(), "the run was stopped");
    EXPECT_LT(figures.commits, 100U);
    EXPECT_EQ(store.waiting_bytes(), 0U);
    EXPECT_FALSE(std::filesystem::exists(store.dir()));
    put(2'000'000, 1);
    EXPECT_EQ(store.waiting_bytes(), 0U);
}

TEST(ReplayedStore, AFolderThatCannotBeIsAnAnswer) {
    ReplayFigures figures;
    ReplayedStore store{{"/proc/creto", 1}, figures};
    EXPECT_NE(store.failure().find("/proc/creto"), std::string::npos);
    store.on_write({{}, {}, {}, false, Durable::yes, Instant{}});
    store.close();
    EXPECT_EQ(figures.commits, 0U);
}

}  // namespace
}  // namespace creto
