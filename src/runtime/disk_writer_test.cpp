#include "runtime/disk_writer.hpp"

#include <gtest/gtest.h>

#include "store/keys.hpp"
#include "store/memory_store.hpp"
#include "store/memory_vote_log.hpp"

namespace creto {
namespace {

/// A writer on a disk that needs no time at all, and what it has reported.
struct Disk {
    MemoryStore store;
    MemoryVoteLog votes;
    EventTrace trace{""};
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<Ticket> persisted;
    std::string failure;
    std::uint64_t next = 1;
    DiskWriter writer{
        store,
        votes,
        trace,
        {.on_persisted =
             [this](std::vector<Ticket> tickets) {
                 const std::lock_guard lock{mutex};
                 persisted.insert(persisted.end(), tickets.begin(), tickets.end());
                 changed.notify_all();
             },
         .on_failed =
             [this](std::string reason) {
                 const std::lock_guard lock{mutex};
                 failure = std::move(reason);
                 changed.notify_all();
             }}};

    std::vector<Persist> turn(std::size_t bytes = 10) {
        const Ticket ticket{next++};
        const Bytes key = keys::number(ticket.value());
        return {{ticket, {{Column::blocks, key, share(Bytes(bytes, 1))}}, {}, Durable::yes}};
    }
    bool has(std::uint64_t ticket) {
        return store.get(Column::blocks, keys::number(ticket)).value().has_value();
    }
    bool wait_for(std::size_t count) {
        std::unique_lock lock{mutex};
        return changed.wait_for(lock, std::chrono::seconds{10}, [&] {
            return persisted.size() >= count || !failure.empty();
        }) && failure.empty();
    }
    /// Writes until syncs are known to be quick.
    bool warm() {
        for (int i = 0; i < 1'000; ++i) {
            std::vector<Persist> small = turn();
            if (writer.write_at_once(small)) return true;
            const std::size_t count = persisted.size() + 1;  // Nothing is under way.
            writer.write(std::move(small));
            if (!wait_for(count)) return false;
        }
        return false;
    }
};

TEST(DiskWriter, ReportsTicketsInTheirOrder) {
    Disk disk;
    for (int i = 0; i < 50; ++i)
        disk.writer.write(disk.turn());
    ASSERT_TRUE(disk.wait_for(50));
    for (std::uint64_t i = 0; i < 50; ++i) {
        EXPECT_EQ(disk.persisted[i], Ticket{i + 1});
        EXPECT_TRUE(disk.has(i + 1));
    }
}

TEST(DiskWriter, WritesASmallTurnAtOnceWhereSyncsAreQuick) {
    Disk disk;
    std::vector<Persist> first = disk.turn();
    EXPECT_FALSE(disk.writer.write_at_once(first).has_value()) << "nothing is known of this disk";
    EXPECT_EQ(first.size(), 1U) << "the turn is as it was";
    ASSERT_TRUE(disk.warm());
    std::vector<Persist> small = disk.turn();
    const Ticket ticket = small[0].ticket;
    const auto done = disk.writer.write_at_once(small);
    ASSERT_TRUE(done.has_value());
    EXPECT_EQ(*done, std::vector<Ticket>{ticket});
    EXPECT_TRUE(disk.has(ticket.value())) << "durable when it returns";
    std::vector<Persist> large = disk.turn(64 * 1024);
    EXPECT_FALSE(disk.writer.write_at_once(large).has_value());
}

TEST(DiskWriter, AfterAFailureNothingIsWrittenOrReported) {
    Disk disk;
    ASSERT_TRUE(disk.warm());
    disk.store.faults().read_only = true;
    std::vector<Persist> refused = disk.turn();
    const auto none = disk.writer.write_at_once(refused);
    ASSERT_TRUE(none.has_value());
    EXPECT_TRUE(none->empty());
    EXPECT_FALSE(disk.failure.empty());
    disk.store.faults().read_only = false;
    std::vector<Persist> later = disk.turn();
    const std::uint64_t ticket = later[0].ticket.value();
    disk.writer.write(std::move(later));
    disk.writer.stop();
    EXPECT_FALSE(disk.has(ticket));
}

}  // namespace
}  // namespace creto
