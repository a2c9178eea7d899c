#include "store/commit.hpp"

#include <gtest/gtest.h>

#include "store/journal.hpp"
#include "store/keys.hpp"
#include "store/memory_store.hpp"
#include "store/memory_vote_log.hpp"

namespace creto {
namespace {

/// Counts what reaches the disk, and notes the order of writes and votes.
class CountingStore final : public Store {
public:
    explicit CountingStore(std::string& order) : order_{order} {}
    Result<std::optional<Bytes>> get(Column column, ByteView key) const override {
        return disk.get(column, key);
    }
    Result<void> scan(
        Column column,
        ByteView from,
        ByteView to,
        const std::function<bool(ByteView, ByteView)>& visit
    ) const override {
        return disk.scan(column, from, to, visit);
    }
    Result<void> write(const std::vector<KeyWrite>& writes, Durable durable) override {
        order_ += durable == Durable::yes ? "W" : "w";
        return disk.write(writes, durable);
    }
    MemoryStore disk;

private:
    std::string& order_;
};

class CountingVoteLog final : public VoteLog {
public:
    explicit CountingVoteLog(std::string& order) : order_{order} {}
    Result<void> append(const std::vector<Bytes>& records) override {
        if (!records.empty()) order_ += "v";
        return log.append(records);
    }
    Result<VoteLogContents> read() const override { return log.read(); }
    Result<void> compact(const std::vector<Bytes>& keep) override { return log.compact(keep); }
    std::size_t size_bytes() const override { return log.size_bytes(); }
    MemoryVoteLog log;

private:
    std::string& order_;
};

struct CountingDisk {
    std::string order;
    CountingStore store{order};
    CountingVoteLog votes{order};

    Result<void> run(std::vector<Persist> turn) { return commit(store, votes, std::move(turn)); }
    bool has(const char* key) {
        return store.get(Column::state, as_bytes(key)).value().has_value();
    }
};

Persist persist(const char* key, Durable durable, std::vector<Bytes> votes = {}) {
    std::vector<KeyWrite> writes;
    if (key != nullptr) writes.push_back({Column::state, to_bytes(key), share(Bytes{1})});
    return {Ticket{1}, std::move(writes), std::move(votes), durable};
}

TEST(Commit, ATurnIsOneBatchAndOneAppend) {
    CountingDisk disk;
    ASSERT_TRUE(disk.run(
        {persist("a", Durable::no),
         persist("b", Durable::yes, {to_bytes("1")}),
         persist("c", Durable::no, {to_bytes("2"), to_bytes("3")})}
    ));
    EXPECT_EQ(disk.order, "Wv");
    EXPECT_TRUE(disk.has("a") && disk.has("b") && disk.has("c"));
    const std::vector<Bytes> votes{to_bytes("1"), to_bytes("2"), to_bytes("3")};
    EXPECT_EQ(disk.votes.read()->records, votes);
}

// [JOURNAL-REPLAY.1]
TEST(Commit, SmallWritesOfAVoterShareTheSyncOfItsVotes) {
    CountingDisk disk;
    ASSERT_TRUE(disk.run({persist(nullptr, Durable::no, {to_bytes("1")})}));
    ASSERT_TRUE(disk.run({persist("a", Durable::yes, {to_bytes("2")})}));
    EXPECT_EQ(disk.order, "Wvvw");
    EXPECT_TRUE(disk.has("a"));
    auto log = disk.votes.read().value();
    EXPECT_EQ(log.records.size(), 3U);
    journal::drop_batches(log);
    EXPECT_EQ(log.records, (std::vector<Bytes>{to_bytes("1"), to_bytes("2")}));
}

TEST(Commit, ATurnWithoutDurableWritesOrVotesIsNotSynced) {
    CountingDisk disk;
    ASSERT_TRUE(disk.run({persist("a", Durable::no)}));
    ASSERT_TRUE(disk.run({}));
    EXPECT_EQ(disk.order, "w");
}

TEST(Commit, TheFirstVoteMarksTheStoreDurably) {
    CountingDisk disk;
    ASSERT_TRUE(disk.run({persist(nullptr, Durable::no, {to_bytes("1")})}));
    ASSERT_TRUE(disk.run({persist(nullptr, Durable::no, {to_bytes("2")})}));
    EXPECT_EQ(disk.order, "Wvv");
    disk.store.disk.crash();
    EXPECT_TRUE(disk.store.get(Column::meta, keys::voted()).value().has_value());
}

TEST(Commit, VotesThatAreKeptReplaceTheLog) {
    CountingDisk disk;
    ASSERT_TRUE(disk.run({Persist{.votes = {to_bytes("old"), to_bytes("kept")}}}).has_value());
    Persist replacing{.votes = {to_bytes("new")}};
    replacing.votes_kept = {to_bytes("kept")};
    ASSERT_TRUE(disk.run({Persist{.votes = {to_bytes("kept")}}, replacing}).has_value());
    EXPECT_EQ(
        disk.votes.read().value().records, (std::vector<Bytes>{to_bytes("kept"), to_bytes("new")})
    );
}

TEST(Commit, AStoreThatRefusesKeepsTheVotesOut) {
    CountingDisk disk;
    disk.store.disk.faults().read_only = true;
    const auto done = disk.run({persist("a", Durable::yes, {to_bytes("1")})});
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().code, ErrorCode::io);
    EXPECT_TRUE(disk.votes.read()->records.empty());
}

TEST(Commit, ALogThatRefusesIsReported) {
    CountingDisk disk;
    disk.votes.log.faults().read_only = true;
    EXPECT_FALSE(disk.run({persist("a", Durable::yes, {to_bytes("1")})}));
}

}  // namespace
}  // namespace creto
