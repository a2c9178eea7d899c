#include "sim/disk_observer.hpp"

#include <gtest/gtest.h>

#include "sim/disk.hpp"
#include "sim/testing/disks.hpp"
#include "store/keys.hpp"

namespace creto {
namespace {

using sim_testing::after_us;
using sim_testing::set;

/// Carries out on a map of its own what it is told.
class Copy final : public DiskObserver {
public:
    void on_write(const DiskWrite& write) override {
        apply(write.writes);
        if (write.replaces_log) log = write.log_kept;
        log.insert(log.end(), write.records.begin(), write.records.end());
    }
    void on_load(const Load& /*load*/, Instant /*now*/) override {}
    void on_scan(const Scan& /*scan*/, Instant /*now*/) override {}
    void on_crash(DiskLoss loss) override {
        ++crashes;
        apply(loss.taken_back);
        if (loss.log != nullptr) log = *loss.log;
    }
    void on_replaced(const SimDisk& disk) override {
        contents.clear();
        for (const auto& [key, value] : disk.contents())
            contents[key] = *value;
        log = disk.log();
    }

    void expect_same_as(const SimDisk& disk) const {
        std::map<DiskKey, Bytes> there;
        for (const auto& [key, value] : disk.contents())
            there[key] = *value;
        EXPECT_EQ(contents, there);
        EXPECT_EQ(log, disk.log());
    }

    std::map<DiskKey, Bytes> contents;
    std::vector<Bytes> log;
    int crashes = 0;

private:
    void apply(const std::vector<KeyWrite>& writes) {
        for (const KeyWrite& write : writes) {
            const DiskKey key{write.column, write.key};
            if (write.value) {
                contents[key] = **write.value;
            } else {
                contents.erase(key);
            }
        }
    }
};

TEST(DiskObserver, WhoDoesWhatItIsToldHoldsTheSameAfterEveryCrash) {
    Prng prng{11};
    Copy copy;
    SimDisk disk{{.seed = 3, .sync_min = Duration::from_us(50), .sync_max = Duration::from_us(90)}};
    disk.observe(&copy);
    std::int64_t now = 0;
    for (int step = 0; step < 3'000; ++step) {
        now += static_cast<std::int64_t>(scale_to(prng.next(), 40));
        if (step % 25 == 24) {
            disk.crash(after_us(now), step % 2 == 0 ? CrashLoss::torn : CrashLoss::all_unsynced);
            copy.expect_same_as(disk);
        }
        std::vector<KeyWrite> writes;
        for (std::uint64_t i = 0; i <= scale_to(prng.next(), 3); ++i) {
            const Bytes key = keys::number(scale_to(prng.next(), 8));
            const bool erases = scale_to(prng.next(), 3) == 0;
            writes.push_back({Column::state, key, std::nullopt});
            if (!erases) writes.back().value = share(keys::number(prng.next()));
        }
        const std::vector<Bytes> vote{keys::number(static_cast<std::uint64_t>(step))};
        const std::vector<Bytes> kept{to_bytes("kept")};
        const Durable durable = scale_to(prng.next(), 3) == 0 ? Durable::no : Durable::yes;
        const bool replaces = step % 40 == 7;
        ASSERT_TRUE(disk.write(
                            std::move(writes),
                            vote,
                            durable,
                            after_us(now),
                            replaces ? kept : std::vector<Bytes>{}
        )
                        .has_value());
    }
    copy.expect_same_as(disk);
    EXPECT_EQ(copy.crashes, 120);
}

TEST(DiskObserver, IsNotToldOfWhatWasRefused) {
    Copy copy;
    SimDisk disk{{}};
    disk.observe(&copy);
    disk.fail_next_writes(1);
    EXPECT_FALSE(disk.write({set("a", "1")}, {}, Durable::yes, after_us(0)).has_value());
    disk.set_capacity(1);
    EXPECT_FALSE(disk.write({set("a", "1")}, {}, Durable::yes, after_us(0)).has_value());
    EXPECT_TRUE(copy.contents.empty());
}

TEST(DiskObserver, SeesAnotherDiskInItsPlaceAndADamagedLogThatBeginsAnew) {
    Copy copy;
    SimDisk disk{{}};
    disk.observe(&copy);
    ASSERT_TRUE(disk.write({set("a", "1")}, {to_bytes("v")}, Durable::yes, after_us(0)).has_value()
    );
    const DiskImage image = disk.image();
    disk.wipe();
    copy.expect_same_as(disk);
    disk.load(image);
    copy.expect_same_as(disk);
    disk.damage_log("torn");
    ASSERT_TRUE(disk.write({}, {to_bytes("w")}, Durable::yes, after_us(9'000)).has_value());
    copy.expect_same_as(disk);
    EXPECT_EQ(copy.log.size(), 1U);
    disk.observe(nullptr);
    ASSERT_TRUE(disk.write({set("b", "1")}, {}, Durable::yes, after_us(19'000)).has_value());
    EXPECT_EQ(copy.contents.size(), 1U);
}

}  // namespace
}  // namespace creto
