#include "sim/disk.hpp"

#include <gtest/gtest.h>
#include <map>

namespace creto {
namespace {

constexpr Instant origin;

Instant after_us(std::int64_t us) {
    return origin + Duration::from_us(us);
}

DiskOptions hundred_us() {
    return {.seed = 1, .sync_min = Duration::from_us(100), .sync_max = Duration::from_us(100)};
}
DiskBatch put(const char* key, const char* value) {
    return {{{1, to_bytes(key), to_bytes(value)}}, {}};
}
DiskBatch erase(const char* key) {
    return {{{1, to_bytes(key), std::nullopt}}, {}};
}
DiskBatch record(const char* text) {
    return {{}, {to_bytes(text)}};
}
std::string held(const SimDisk& disk, const char* key) {
    const Bytes* value = disk.get(1, to_bytes(key));
    return value == nullptr ? "none" : std::string{as_text(*value)};
}

TEST(SimDisk, ShowsAWriteAtOnceAndLosesItWithoutASync) {
    SimDisk disk{hundred_us()};
    EXPECT_EQ(disk.write(put("a", "1"), Durable::yes, origin), after_us(100));
    EXPECT_EQ(held(disk, "a"), "1");
    EXPECT_EQ(disk.write(put("a", "2"), Durable::yes, after_us(150)), after_us(250));
    EXPECT_EQ(disk.write(erase("b"), Durable::yes, after_us(151)), after_us(350));
    EXPECT_EQ(held(disk, "a"), "2");
    disk.crash(after_us(249), CrashLoss::all_unsynced);
    EXPECT_EQ(held(disk, "a"), "1");
}

TEST(SimDisk, KeepsWhatWasSyncedAtTheVeryInstant) {
    SimDisk disk{hundred_us()};
    ASSERT_TRUE(disk.write(put("a", "1"), Durable::yes, origin).has_value());
    ASSERT_TRUE(disk.write(record("vote"), Durable::yes, origin).has_value());
    disk.crash(after_us(100), CrashLoss::all_unsynced);
    EXPECT_EQ(held(disk, "a"), "1");
    EXPECT_TRUE(disk.log().empty()) << "the second write had to wait for the second sync";
}

TEST(SimDisk, GroupsWhatComesWhileASyncRuns) {
    SimDisk disk{hundred_us()};
    EXPECT_EQ(disk.write(record("1"), Durable::yes, origin), after_us(100));
    EXPECT_EQ(disk.write(record("2"), Durable::yes, after_us(10)), after_us(200));
    EXPECT_EQ(disk.write(record("3"), Durable::yes, after_us(90)), after_us(200));
    EXPECT_EQ(disk.log_durable(after_us(99)), 0U);
    EXPECT_EQ(disk.log_durable(after_us(100)), 1U);
    EXPECT_EQ(disk.write(record("4"), Durable::yes, after_us(150)), after_us(300));
    EXPECT_EQ(disk.log_durable(after_us(200)), 3U);
    EXPECT_EQ(disk.syncs(), 3U);
    EXPECT_EQ(disk.write(record("5"), Durable::yes, after_us(1'000)), after_us(1'100));
}

TEST(SimDisk, TakesLazyWritesAlongWithTheNextSync) {
    SimDisk disk{hundred_us()};
    EXPECT_EQ(disk.write(put("a", "1"), Durable::no, origin), Instant::max());
    SimDisk lost = disk;
    lost.crash(after_us(10'000), CrashLoss::all_unsynced);
    EXPECT_EQ(held(lost, "a"), "none");
    EXPECT_EQ(disk.write(put("b", "1"), Durable::yes, after_us(10)), after_us(110));
    disk.crash(after_us(110), CrashLoss::all_unsynced);
    EXPECT_EQ(held(disk, "a"), "1");
    EXPECT_EQ(held(disk, "b"), "1");
}

TEST(SimDisk, TearsOnlyTheTail) {
    bool kept_some = false;
    bool lost_some = false;
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        SimDisk disk{{.seed = seed}};
        for (const char* text : {"1", "2", "3", "4"}) {
            DiskBatch batch = put(text, text);
            batch.writes.push_back({2, to_bytes(text), to_bytes(text)});
            batch.log_records.push_back(to_bytes(text));
            ASSERT_TRUE(disk.write(std::move(batch), Durable::no, origin).has_value());
        }
        disk.crash(origin, CrashLoss::torn);
        const std::size_t records = disk.log().size();
        for (std::size_t i = 0; i < records; ++i)
            EXPECT_EQ(as_text(disk.log()[i]), std::to_string(i + 1));
        // A batch is whole or not there, and none is there without those before it.
        EXPECT_EQ(disk.contents().size() % 2, 0U);
        const std::size_t batches = disk.contents().size() / 2;
        for (std::size_t i = 1; i <= 4; ++i) {
            EXPECT_EQ(held(disk, std::to_string(i).c_str()) != "none", i <= batches);
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
    EXPECT_EQ(disk.write(put("a", "1"), Durable::yes, origin).error().code, ErrorCode::io);
    EXPECT_EQ(disk.write(put("a", "1"), Durable::yes, origin).error().code, ErrorCode::io);
    EXPECT_EQ(held(disk, "a"), "none");
    EXPECT_TRUE(disk.write(put("a", "1"), Durable::yes, origin).has_value());
    disk.set_capacity(5);
    EXPECT_EQ(disk.write(put("b", "1"), Durable::yes, origin).error().code, ErrorCode::limit);
    EXPECT_EQ(held(disk, "b"), "none");
    disk.set_capacity(6);
    EXPECT_TRUE(disk.write(put("b", "1"), Durable::yes, origin).has_value());
    EXPECT_TRUE(disk.write(erase("b"), Durable::yes, origin).has_value());
    EXPECT_EQ(disk.used_bytes(), 3U);
}

TEST(SimDisk, WipesCorruptsAndTruncates) {
    SimDisk disk{hundred_us()};
    ASSERT_TRUE(disk.write(put("a", "@"), Durable::yes, origin).has_value());
    for (const char* text : {"1", "2", "3"})
        ASSERT_TRUE(disk.write(record(text), Durable::yes, origin).has_value());
    EXPECT_TRUE(disk.corrupt(1, to_bytes("a"), 0));
    EXPECT_EQ(held(disk, "a"), "A");
    EXPECT_FALSE(disk.corrupt(1, to_bytes("a"), 1));
    EXPECT_FALSE(disk.corrupt(1, to_bytes("z"), 0));
    disk.truncate_log_front(2, after_us(1'000));
    EXPECT_EQ(as_text(disk.log().front()), "3");
    disk.wipe();
    EXPECT_TRUE(disk.contents().empty() && disk.log().empty());
    EXPECT_EQ(disk.used_bytes(), 0U);
    EXPECT_TRUE(disk.write(put("a", "1"), Durable::yes, after_us(2'000)).has_value());
}

/// The oracle keeps every batch and replays those that were durable.
TEST(SimDisk, AgreesWithAReplayOfTheDurableBatches) {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        Prng prng{seed};
        SimDisk disk{{.seed = seed}};
        std::vector<std::pair<DiskBatch, Instant>> batches;
        Instant now;
        const int steps = static_cast<int>(prng.between(1, 60));
        for (int step = 0; step < steps; ++step) {
            now = now + Duration::from_us(static_cast<std::int64_t>(prng.below(200)));
            DiskBatch batch;
            for (auto n = prng.between(1, 3); n > 0; --n) {
                const Bytes key{static_cast<std::uint8_t>(prng.below(6))};
                const bool deletes = prng.chance(1, 3);
                batch.writes.push_back(
                    {0, key, deletes ? std::nullopt : std::optional{Bytes(prng.below(9), 7)}}
                );
            }
            const bool durable = prng.chance(1, 2);
            const auto at = disk.write(batch, durable ? Durable::yes : Durable::no, now);
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
            for (const DiskWrite& write : batch.writes) {
                expected.erase({write.column, write.key});
                if (write.value) expected[{write.column, write.key}] = *write.value;
            }
        }
        EXPECT_EQ(disk.contents(), expected) << "seed " << seed;
    }
}

}  // namespace
}  // namespace creto
