#include "sim/disk.hpp"

#include <gtest/gtest.h>
#include <map>

#include "sim/testing/disks.hpp"

namespace creto {
namespace {

using sim_testing::after_us;
using sim_testing::hundred_us;
using sim_testing::origin;

struct Batch {
    std::vector<KeyWrite> writes;
    std::vector<Bytes> records;
};

KeyWrite set(Column column, std::string_view key, std::string_view value) {
    return {column, to_bytes(key), share(to_bytes(value))};
}
Batch put(std::string_view key, std::string_view value) {
    return {{set(Column::meta, key, value)}, {}};
}
Batch erase(std::string_view key) {
    return {{{Column::meta, to_bytes(key), std::nullopt}}, {}};
}
Batch record(std::string_view text) {
    return {{}, {to_bytes(text)}};
}
Result<Instant> write(SimDisk& disk, const Batch& batch, Durable durable, Instant now) {
    return disk.write(batch.writes, batch.records, durable, now);
}
std::string held(const SimDisk& disk, std::string_view key) {
    const auto value = *disk.get(Column::meta, as_bytes(key));
    return value ? std::string{as_text(*value)} : "none";
}

TEST(SimDisk, ShowsAWriteAtOnceAndLosesItWithoutASync) {
    SimDisk disk{hundred_us()};
    EXPECT_EQ(write(disk, put("a", "1"), Durable::yes, origin), after_us(100));
    EXPECT_EQ(held(disk, "a"), "1");
    EXPECT_EQ(write(disk, put("a", "2"), Durable::yes, after_us(150)), after_us(250));
    EXPECT_EQ(write(disk, erase("b"), Durable::yes, after_us(151)), after_us(350));
    EXPECT_EQ(held(disk, "a"), "2");
    disk.crash(after_us(249), CrashLoss::all_unsynced);
    EXPECT_EQ(held(disk, "a"), "1");
}

TEST(SimDisk, KeepsWhatWasSyncedAtTheVeryInstant) {
    SimDisk disk{hundred_us()};
    ASSERT_TRUE(write(disk, put("a", "1"), Durable::yes, origin).has_value());
    ASSERT_TRUE(write(disk, record("vote"), Durable::yes, origin).has_value());
    disk.crash(after_us(100), CrashLoss::all_unsynced);
    EXPECT_EQ(held(disk, "a"), "1");
    EXPECT_TRUE(disk.log().empty()) << "the second write had to wait for the second sync";
}

TEST(SimDisk, GroupsWhatComesWhileASyncRuns) {
    SimDisk disk{hundred_us()};
    EXPECT_EQ(write(disk, record("1"), Durable::yes, origin), after_us(100));
    EXPECT_EQ(write(disk, record("2"), Durable::yes, after_us(10)), after_us(200));
    EXPECT_EQ(write(disk, record("3"), Durable::yes, after_us(90)), after_us(200));
    EXPECT_EQ(disk.log_durable(after_us(99)), 0U);
    EXPECT_EQ(disk.log_durable(after_us(100)), 1U);
    EXPECT_EQ(write(disk, record("4"), Durable::yes, after_us(150)), after_us(300));
    EXPECT_EQ(disk.log_durable(after_us(200)), 3U);
    EXPECT_EQ(disk.syncs(), 3U);
    EXPECT_EQ(write(disk, record("5"), Durable::yes, after_us(1'000)), after_us(1'100));
}

TEST(SimDisk, TakesLazyWritesAlongWithTheNextSync) {
    for (const bool synced : {false, true}) {
        SimDisk disk{hundred_us()};
        EXPECT_EQ(write(disk, put("a", "1"), Durable::no, origin), Instant::max());
        if (synced) {
            EXPECT_EQ(write(disk, put("b", "1"), Durable::yes, after_us(10)), after_us(110));
        }
        disk.crash(after_us(110), CrashLoss::all_unsynced);
        EXPECT_EQ(held(disk, "a"), synced ? "1" : "none");
        EXPECT_EQ(held(disk, "b"), synced ? "1" : "none");
    }
}

TEST(SimDisk, GoesBackToAnEarlierImage) {
    SimDisk disk{hundred_us()};
    ASSERT_TRUE(write(disk, put("a", "1"), Durable::yes, origin).has_value());
    ASSERT_TRUE(write(disk, record("vote"), Durable::yes, origin).has_value());
    const DiskImage before = disk.image();
    const std::uint64_t used = disk.used_bytes();
    ASSERT_TRUE(write(disk, put("a", "22"), Durable::yes, origin).has_value());
    ASSERT_TRUE(write(disk, record("another"), Durable::yes, origin).has_value());
    disk.load(before);
    EXPECT_EQ(held(disk, "a"), "1");
    EXPECT_EQ(disk.log().size(), 1U);
    EXPECT_EQ(disk.used_bytes(), used);
    disk.crash(origin, CrashLoss::all_unsynced);
    EXPECT_EQ(held(disk, "a"), "1") << "what was loaded lies on the disk";
}

TEST(SimDisk, TearsOnlyTheTail) {
    bool kept_some = false;
    bool lost_some = false;
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        SimDisk disk{{.seed = seed}};
        for (const char* text : {"1", "2", "3", "4"}) {
            Batch batch = put(text, text);
            batch.writes.push_back(set(Column::state, text, text));
            batch.records.push_back(to_bytes(text));
            ASSERT_TRUE(write(disk, batch, Durable::no, origin).has_value());
        }
        disk.crash(origin, CrashLoss::torn);
        const std::size_t records = disk.log().size();
        for (std::size_t i = 0; i < records; ++i)
            EXPECT_EQ(as_text(disk.log()[i]), std::to_string(i + 1));
        // A batch is whole or not there, and none is there without those before it.
        EXPECT_EQ(disk.contents().size() % 2, 0U);
        const std::size_t batches = disk.contents().size() / 2;
        for (std::size_t i = 1; i <= 4; ++i) {
            EXPECT_EQ(held(disk, std::to_string(i)) != "none", i <= batches);
        }
        kept_some = kept_some || batches > 0;
        lost_some = lost_some || batches < 4;
        EXPECT_EQ(disk.used_bytes(), batches * 6 + records);
    }
    EXPECT_TRUE(kept_some && lost_some);
}

TEST(SimDisk, RefusesWhatItIsToldToAndChangesNothing) {
    SimDisk disk{hundred_us()};
    disk.fail_next_writes(2);
    EXPECT_EQ(write(disk, put("a", "1"), Durable::yes, origin).error().code, ErrorCode::io);
    EXPECT_EQ(write(disk, put("a", "1"), Durable::yes, origin).error().code, ErrorCode::io);
    EXPECT_EQ(held(disk, "a"), "none");
    EXPECT_TRUE(write(disk, put("a", "1"), Durable::yes, origin).has_value());
    disk.set_capacity(5);
    EXPECT_EQ(write(disk, put("b", "1"), Durable::yes, origin).error().code, ErrorCode::limit);
    EXPECT_EQ(held(disk, "b"), "none");
    disk.set_capacity(6);
    EXPECT_TRUE(write(disk, put("b", "1"), Durable::yes, origin).has_value());
    EXPECT_TRUE(write(disk, erase("b"), Durable::yes, origin).has_value());
    EXPECT_EQ(disk.used_bytes(), 3U);
}

TEST(SimDisk, WipesCorruptsAndTruncates) {
    SimDisk disk{hundred_us()};
    ASSERT_TRUE(write(disk, put("a", "@"), Durable::yes, origin).has_value());
    for (const char* text : {"1", "2", "3"})
        ASSERT_TRUE(write(disk, record(text), Durable::yes, origin).has_value());
    EXPECT_TRUE(disk.corrupt(Column::meta, to_bytes("a"), 0));
    EXPECT_EQ(held(disk, "a"), "A");
    EXPECT_FALSE(disk.corrupt(Column::meta, to_bytes("a"), 1));
    EXPECT_FALSE(disk.corrupt(Column::meta, to_bytes("z"), 0));
    disk.truncate_log_front(2, after_us(1'000));
    EXPECT_EQ(as_text(disk.log().front()), "3");
    disk.wipe();
    EXPECT_TRUE(disk.contents().empty() && disk.log().empty());
    EXPECT_EQ(disk.used_bytes(), 0U);
    EXPECT_TRUE(write(disk, put("a", "1"), Durable::yes, after_us(2'000)).has_value());
}

TEST(SimDisk, ScansAColumnBetweenTwoKeys) {
    SimDisk disk{hundred_us()};
    ASSERT_TRUE(disk.write(
                        {set(Column::blocks, "z", "0"),
                         set(Column::state, "a", "1"),
                         set(Column::state, "b", "2"),
                         set(Column::state, "c", "3"),
                         set(Column::receipts, "a", "4")},
                        {},
                        Durable::yes,
                        origin
    )
                    .has_value());
    const auto scanned = [&](std::string_view from, std::string_view to, std::size_t most) {
        std::string seen;
        const auto visit = [&](ByteView key, ByteView value) {
            seen += std::string{as_text(key)} + std::string{as_text(value)};
            return seen.size() < 2 * most;
        };
        EXPECT_TRUE(disk.scan(Column::state, as_bytes(from), as_bytes(to), visit).has_value());
        return seen;
    };
    EXPECT_EQ(scanned("", "", 9), "a1b2c3");
    EXPECT_EQ(scanned("b", "", 9), "b2c3");
    EXPECT_EQ(scanned("a", "c", 9), "a1b2");
    EXPECT_EQ(scanned("", "", 1), "a1");
    EXPECT_EQ(scanned("d", "", 9), "");
}

TEST(SimDisk, OrdersKeysByColumnAndBytes) {
    Prng prng{5};
    const auto any = [&prng] {
        Bytes bytes(prng.below(20));
        for (std::uint8_t& byte : bytes)
            byte = prng.chance(1, 20) ? 0xFF : 0;  // Long common beginnings, zeros at the end.
        return std::pair{prng.chance(1, 9) ? Column::blocks : Column::state, bytes};
    };
    for (int i = 0; i < 10'000; ++i) {
        const auto a = any();
        const auto b = any();
        EXPECT_EQ((DiskKey{a.first, a.second} <=> DiskKey{b.first, b.second}), a <=> b);
    }
}

/// The oracle keeps every batch and replays those that were durable.
TEST(SimDisk, AgreesWithAReplayOfTheDurableBatches) {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        Prng prng{seed};
        SimDisk disk{{.seed = seed}};
        std::vector<std::pair<Batch, Instant>> batches;
        Instant now;
        const int steps = static_cast<int>(prng.between(1, 60));
        for (int step = 0; step < steps; ++step) {
            now = now + Duration::from_us(static_cast<std::int64_t>(prng.below(200)));
            Batch batch;
            for (auto n = prng.between(1, 3); n > 0; --n) {
                const Bytes key{static_cast<std::uint8_t>(prng.below(6))};
                const bool deletes = prng.chance(1, 3);
                KeyWrite change{Column::state, key, std::nullopt};
                if (!deletes) change.value = share(Bytes(prng.below(9), 7));
                batch.writes.push_back(change);
            }
            const bool durable = prng.chance(1, 2);
            const auto at = write(disk, batch, durable ? Durable::yes : Durable::no, now);
            ASSERT_TRUE(at.has_value());
            batches.emplace_back(batch, *at);
            if (!durable) continue;
            for (auto& earlier : batches)
                earlier.second = std::min(earlier.second, *at);
        }
        now = now + Duration::from_us(static_cast<std::int64_t>(prng.below(500)));
        disk.crash(now, CrashLoss::all_unsynced);
        std::map<SimDisk::Key, Bytes> expected;
        for (const auto& [batch, at] : batches) {
            if (at > now) break;
            for (const KeyWrite& change : batch.writes) {
                expected.erase({change.column, change.key});
                if (change.value) expected[{change.column, change.key}] = **change.value;
            }
        }
        std::map<SimDisk::Key, Bytes> left;
        for (const auto& [key, value] : disk.contents())
            left[key] = *value;
        EXPECT_EQ(left, expected) << "seed " << seed;
    }
}

}  // namespace
}  // namespace creto
