// What a disk does wrong beyond losing its tail: rot, torn logs, reads that fail.
#include <gtest/gtest.h>

#include "sim/disk.hpp"
#include "sim/testing/disks.hpp"

namespace creto {
namespace {

using sim_testing::after_us;
using sim_testing::hundred_us;
using sim_testing::origin;
using sim_testing::set;

std::vector<Bytes> records(std::initializer_list<const char*> texts) {
    std::vector<Bytes> out;
    for (const char* text : texts)
        out.push_back(to_bytes(text));
    return out;
}

TEST(SimDiskFaults, ARottenValueCannotBeReadUntilItIsWrittenAgain) {
    SimDisk disk{hundred_us()};
    EXPECT_FALSE(disk.rot(0)) << "nothing to rot";
    ASSERT_TRUE(disk.write({set("a", "1")}, {}, Durable::yes, origin).has_value());
    ASSERT_TRUE(disk.rot(7));
    EXPECT_EQ(disk.get(Column::meta, as_bytes("a")).error().code, ErrorCode::corrupt);
    const auto visit = [](ByteView /*key*/, ByteView /*value*/) { return true; };
    EXPECT_EQ(disk.scan(Column::meta, {}, {}, visit).error().code, ErrorCode::corrupt);
    EXPECT_TRUE(disk.scan(Column::blocks, {}, {}, visit).has_value()) << "another column";
    disk.crash(after_us(500), CrashLoss::all_unsynced);
    EXPECT_FALSE(disk.get(Column::meta, as_bytes("a")).has_value()) << "rot outlives a crash";
    ASSERT_TRUE(disk.write({set("a", "2")}, {}, Durable::yes, after_us(600)).has_value());
    EXPECT_EQ(**disk.get(Column::meta, as_bytes("a")), to_bytes("2"));
    EXPECT_EQ(disk.counters().reads_failed, 3U);
}

TEST(SimDiskFaults, ReadsFailWhileTheFaultLasts) {
    SimDisk disk{hundred_us()};
    ASSERT_TRUE(disk.write({set("a", "1")}, {}, Durable::yes, origin).has_value());
    disk.fail_reads(true);
    EXPECT_EQ(disk.get(Column::meta, as_bytes("a")).error().code, ErrorCode::io);
    EXPECT_EQ(disk.get(Column::meta, as_bytes("b")).error().code, ErrorCode::io);
    EXPECT_TRUE(disk.write({set("b", "2")}, {}, Durable::yes, after_us(1)).has_value());
    disk.fail_reads(false);
    EXPECT_EQ(**disk.get(Column::meta, as_bytes("b")), to_bytes("2"));
}

TEST(SimDiskFaults, ALogIsReplacedAsAWhole) {
    SimDisk disk{hundred_us()};
    ASSERT_TRUE(disk.write({}, records({"1", "2"}), Durable::yes, origin).has_value());
    ASSERT_TRUE(
        disk.write({}, records({"3"}), Durable::yes, after_us(200), records({"2"})).has_value()
    );
    EXPECT_EQ(disk.log(), records({"2", "3"}));
    EXPECT_EQ(disk.log_durable(after_us(250)), 0U);
    EXPECT_EQ(disk.log_durable(after_us(300)), 2U);
    EXPECT_EQ(disk.used_bytes(), 2U);
    disk.crash(after_us(299), CrashLoss::torn);
    EXPECT_EQ(disk.log(), records({"1", "2"})) << "the new file was not in place";
    EXPECT_EQ(disk.used_bytes(), 2U);
    EXPECT_EQ(disk.counters().logs_put_back, 1U);
    ASSERT_TRUE(
        disk.write({}, records({"3"}), Durable::yes, after_us(400), records({"2"})).has_value()
    );
    disk.crash(after_us(500), CrashLoss::all_unsynced);
    EXPECT_EQ(disk.log(), records({"2", "3"}));
}

// What was promised of a log that was replaced is kept until the one in its place is durable, also when
// it was itself one that had just taken another's place.
TEST(SimDiskFaults, ALogThatIsReplacedTwiceKeepsWhatWasPromised) {
    SimDisk disk{
        DiskOptions{.sync_min = Duration::from_us(100), .sync_max = Duration::from_us(100)}};
    const std::vector<Bytes> first_kept{to_bytes("floor 1")};
    const std::vector<Bytes> second_kept{to_bytes("floor 2")};
    const auto first = disk.write({}, {to_bytes("vote 1")}, Durable::yes, after_us(0), first_kept);
    ASSERT_EQ(*first, after_us(100));
    const auto second =
        disk.write({}, {to_bytes("vote 2")}, Durable::yes, after_us(50), second_kept);
    ASSERT_EQ(*second, after_us(200));
    EXPECT_TRUE(disk.durable_log(after_us(99)).empty());
    const auto then = disk.durable_log(after_us(150));
    ASSERT_EQ(then.size(), 2U);
    EXPECT_EQ(then[1], to_bytes("vote 1"));
    EXPECT_EQ(disk.durable_log(after_us(200))[1], to_bytes("vote 2"));
    disk.crash(after_us(150), CrashLoss::all_unsynced);
    EXPECT_EQ(disk.log(), (std::vector<Bytes>{to_bytes("floor 1"), to_bytes("vote 1")}));
}

TEST(SimDiskFaults, ADamagedLogIsSetAsideByTheFirstDurableVote) {
    SimDisk disk{hundred_us()};
    ASSERT_TRUE(disk.write({}, records({"1", "2"}), Durable::yes, origin).has_value());
    disk.damage_log("torn");
    ASSERT_TRUE(disk.write({set("a", "1")}, {}, Durable::yes, after_us(200)).has_value());
    EXPECT_EQ(disk.log_damage(), "torn") << "no vote was written";
    ASSERT_TRUE(disk.write({}, records({"9"}), Durable::yes, after_us(400)).has_value());
    EXPECT_EQ(disk.log(), records({"9"}));
    EXPECT_EQ(disk.log_damage(), "");
    disk.crash(after_us(450), CrashLoss::all_unsynced);
    EXPECT_EQ(disk.log_damage(), "torn") << "a crash came first";
    ASSERT_TRUE(disk.write({}, records({"9"}), Durable::yes, after_us(600)).has_value());
    disk.crash(after_us(800), CrashLoss::all_unsynced);
    EXPECT_EQ(disk.log_damage(), "");
    EXPECT_EQ(disk.log(), records({"9"}));
}

}  // namespace
}  // namespace creto
