#include "store/journal.hpp"

#include <gtest/gtest.h>

#include "store/commit.hpp"
#include "store/keys.hpp"
#include "store/memory_store.hpp"
#include "store/memory_vote_log.hpp"

namespace creto {
namespace {

KeyWrite put(std::uint64_t key, std::uint8_t value, std::size_t bytes = 1) {
    return {Column::blocks, keys::number(key), share(Bytes(bytes, value))};
}
KeyWrite erase(std::uint64_t key) {
    return {Column::blocks, keys::number(key), std::nullopt};
}

/// A node's disk that has voted before.
struct Disk {
    MemoryStore store;
    MemoryVoteLog votes{7};

    Disk() { turn({}); }
    void turn(std::vector<KeyWrite> writes, Durable durable = Durable::yes) {
        const Persist persist{Ticket{1}, std::move(writes), {to_bytes("vote")}, durable};
        ASSERT_TRUE(commit(store, votes, {persist}));
    }
    /// Power is lost; of the batches that were not synced `keep` survive in the store.
    std::size_t restart(std::size_t keep = 0) {
        store.crash(keep);
        votes.crash();
        return journal::replay(store, votes.read().value()).value();
    }
    [[nodiscard]] std::optional<std::uint8_t> at(std::uint64_t key) const {
        const auto value = store.get(Column::blocks, keys::number(key)).value();
        if (!value) return std::nullopt;
        return value->at(0);
    }
};

TEST(Journal, ABatchIsReadAsItWasWritten) {
    const std::vector<KeyWrite> writes{put(1, 2, 300), erase(3)};
    const Bytes record = journal::encode(9, writes);
    const auto batch = journal::decode(record).value().value();
    EXPECT_EQ(batch.number, 9U);
    ASSERT_EQ(batch.writes.size(), 2U);
    EXPECT_EQ(**batch.writes[0].value, **writes[0].value);
    EXPECT_EQ(batch.writes[1].key, writes[1].key);
    EXPECT_FALSE(batch.writes[1].value.has_value());
    EXPECT_FALSE(journal::decode(to_bytes("\x01 a vote")).value().has_value());
    Bytes torn = record;
    torn.pop_back();
    EXPECT_FALSE(journal::decode(torn).has_value());
}

// [JOURNAL-REPLAY.1]
TEST(Journal, WhatTheStoreLostComesBackFromTheLog) {
    for (std::size_t keep = 0; keep <= 4; ++keep) {
        Disk disk;
        disk.turn({put(1, 10)});
        disk.turn({put(2, 20)});
        disk.turn({put(1, 11), put(3, 30)});
        disk.turn({erase(2)});
        EXPECT_EQ(disk.restart(keep), 4 - keep);
        EXPECT_EQ(disk.at(1), 11);
        EXPECT_EQ(disk.at(2), std::nullopt);
        EXPECT_EQ(disk.at(3), 30);
        EXPECT_EQ(disk.restart(), 0U) << "what was replayed is durable";
    }
}

// [JOURNAL-REPLAY.1] A file system may write a newer log of the store back before an older one.
TEST(Journal, ABatchMissingBelowANewerOneIsFound) {
    Disk disk;
    disk.turn({put(1, 10)});
    disk.turn({put(1, 20)});
    disk.turn({put(2, 30)});
    disk.store.crash();
    std::vector<KeyWrite> newest{put(2, 30)};
    journal::mark(3, newest);
    ASSERT_TRUE(disk.store.write(newest, Durable::yes));
    EXPECT_EQ(journal::replay(disk.store, disk.votes.read().value()).value(), 3U);
    EXPECT_EQ(disk.at(1), 20);
    EXPECT_EQ(disk.at(2), 30);
}

TEST(Journal, ALogThatDoesNotContinueTheStoreMendsNothing) {
    Disk disk;
    disk.turn({put(1, 10)});
    disk.turn({put(2, 20)});
    VoteLogContents log = disk.votes.read().value();
    std::erase_if(log.records, [](const Bytes& record) {
        const auto batch = journal::decode(record).value();
        return batch && batch->number == 1;
    });
    disk.store.crash();
    EXPECT_EQ(journal::replay(disk.store, log).value(), 0U);
    EXPECT_EQ(disk.at(2), std::nullopt);
}

TEST(Journal, LargeWritesGoTheOldWay) {
    Disk disk;
    disk.turn({put(1, 1, journal::batch_bytes_max + 1)});
    EXPECT_EQ(disk.store.unsynced_batches(), 0U);
    disk.turn({put(2, 2, journal::batch_bytes_max / 2)});
    EXPECT_EQ(disk.store.unsynced_batches(), 1U);
}

TEST(Journal, TheStoreIsSyncedBeforeThePlacesComeRound) {
    Disk disk;
    std::size_t most = 0;
    for (std::uint64_t n = 0; n < 3 * journal::slots; ++n) {
        disk.turn({put(n, 1)});
        most = std::max(most, disk.store.unsynced_batches());
    }
    EXPECT_EQ(most, journal::sync_every - 1);
    EXPECT_LT(most, journal::slots);
}

// Before the log is replaced the store has everything for good.
TEST(Journal, ReplacingTheLogLosesNoBatch) {
    Disk disk;
    disk.turn({put(1, 10)});
    EXPECT_EQ(disk.store.unsynced_batches(), 1U);
    Persist compacting{Ticket{2}, {}, {to_bytes("new")}, Durable::yes};
    compacting.votes_kept = {to_bytes("kept")};
    ASSERT_TRUE(commit(disk.store, disk.votes, {compacting}));
    EXPECT_EQ(disk.restart(), 0U);
    EXPECT_EQ(disk.at(1), 10);
    disk.turn({put(2, 20)});
    EXPECT_EQ(disk.restart(), 1U);
    EXPECT_EQ(disk.at(2), 20);
}

TEST(Journal, KnowsItsOwnMarks) {
    std::vector<KeyWrite> marks;
    journal::mark(journal::slots + 3, marks);
    ASSERT_EQ(marks.size(), 2U);
    for (const KeyWrite& mark : marks)
        EXPECT_TRUE(journal::is_mark(mark.key));
    for (const char* other : {"", "journa", "journals", "voted"})
        EXPECT_FALSE(journal::is_mark(as_bytes(other))) << other;
}

}  // namespace
}  // namespace creto
