// The contract of Store and VoteLog, run against the memory versions and the real ones.
#include <filesystem>
#include <gtest/gtest.h>

#include "base/prng.hpp"
#include "rocks/file_vote_log.hpp"
#include "rocks/rocks_store.hpp"
#include "rocks/test_support.hpp"
#include "store/keys.hpp"
#include "store/memory_store.hpp"
#include "store/memory_vote_log.hpp"

namespace creto {
namespace {

using testing_support::TestFolder;
using Records = std::vector<Bytes>;
using Pairs = std::vector<std::pair<Bytes, Bytes>>;

class MemorySubject {
public:
    Store& store() { return store_; }
    void reopen() { store_.sync(); }

private:
    MemoryStore store_;
};

class RocksSubject {
public:
    RocksSubject() { reopen(); }
    Store& store() { return *store_; }
    void reopen() {
        store_.reset();
        // Small caches, so that what is read comes from memory, tables and our cache in turn.
        auto opened = RocksStore::open(
            {.dir = folder_ / "store",
             .block_cache_bytes = 64 * 1024,
             .write_buffer_bytes = 128 * 1024,
             .hot_cache_bytes = 16 * 1024,
             .large_vertex_bytes = 4 * 1024}
        );
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        store_ = std::move(*opened);
    }
    RocksStore& rocks() { return *store_; }

private:
    TestFolder folder_;
    std::unique_ptr<RocksStore> store_;
};

Pairs all_of(const Store& store, Column column, ByteView from = {}, ByteView to = {}) {
    Pairs pairs;
    const auto scanned = store.scan(column, from, to, [&](ByteView key, ByteView value) {
        pairs.emplace_back(Bytes(key.begin(), key.end()), Bytes(value.begin(), value.end()));
        return true;
    });
    EXPECT_TRUE(scanned.has_value());
    return pairs;
}
KeyWrite set(const char* key, const char* value, Column column = Column::state) {
    return {column, to_bytes(key), share(to_bytes(value))};
}
KeyWrite remove(const char* key, Column column = Column::state) {
    return {column, to_bytes(key), std::nullopt};
}
std::string value_of(const Store& store, const char* key, Column column = Column::state) {
    const auto value = store.get(column, as_bytes(key));
    EXPECT_TRUE(value.has_value());
    return *value ? std::string{as_text(**value)} : "none";
}

template <class Subject>
class StoreContract : public ::testing::Test {
protected:
    Store& store() { return subject_.store(); }
    Subject subject_;
};
using Stores = ::testing::Types<MemorySubject, RocksSubject>;
TYPED_TEST_SUITE(StoreContract, Stores);

TYPED_TEST(StoreContract, WritesAreVisibleAtOnceAndAfterReopening) {
    ASSERT_TRUE(this->store().write({set("a", "1"), set("b", "2")}, Durable::no));
    for (int round = 0; round < 2; ++round) {
        EXPECT_EQ(value_of(this->store(), "a"), "1");
        EXPECT_EQ(value_of(this->store(), "b"), "2");
        EXPECT_EQ(value_of(this->store(), "c"), "none");
        this->subject_.reopen();
    }
}

TYPED_TEST(StoreContract, ColumnsAreApart) {
    std::vector<KeyWrite> writes;
    for (std::size_t i = 0; i < column_count; ++i)
        writes.push_back(set("key", std::to_string(i).c_str(), static_cast<Column>(i)));
    ASSERT_TRUE(this->store().write(writes, Durable::yes));
    ASSERT_TRUE(this->store().write({remove("key", Column::blocks)}, Durable::yes));
    for (std::size_t i = 0; i < column_count; ++i) {
        const auto column = static_cast<Column>(i);
        EXPECT_EQ(
            value_of(this->store(), "key", column),
            column == Column::blocks ? "none" : std::to_string(i)
        );
    }
}

TYPED_TEST(StoreContract, TheLastWriteOfABatchCounts) {
    ASSERT_TRUE(this->store().write(
        {set("a", "1"), set("a", "2"), set("b", "1"), remove("b"), remove("c"), set("c", "1")},
        Durable::yes
    ));
    EXPECT_EQ(value_of(this->store(), "a"), "2");
    EXPECT_EQ(value_of(this->store(), "b"), "none");
    EXPECT_EQ(value_of(this->store(), "c"), "1");
}

TYPED_TEST(StoreContract, AReadValueIsNeverOlderThanTheLastWrite) {
    for (int i = 0; i < 20; ++i) {
        const std::string value = std::to_string(i);
        ASSERT_TRUE(this->store().write({set("hot", value.c_str())}, Durable::no));
        EXPECT_EQ(value_of(this->store(), "hot"), value);  // Fills a cache.
        EXPECT_EQ(value_of(this->store(), "hot"), value);  // Comes from it.
    }
    ASSERT_TRUE(this->store().write({remove("hot")}, Durable::no));
    EXPECT_EQ(value_of(this->store(), "hot"), "none");
}

TYPED_TEST(StoreContract, EmptyKeysValuesAndBatchesAreFine) {
    ASSERT_TRUE(this->store().write({}, Durable::yes));
    ASSERT_TRUE(this->store().write({set("", "empty key"), set("empty value", "")}, Durable::yes));
    EXPECT_EQ(value_of(this->store(), ""), "empty key");
    EXPECT_EQ(value_of(this->store(), "empty value"), "");
    EXPECT_EQ(all_of(this->store(), Column::state).size(), 2U);
}

TYPED_TEST(StoreContract, AScanVisitsInByteOrderUntilTheVisitorStops) {
    std::vector<KeyWrite> writes;
    for (const std::uint64_t n : {0x1FFULL, 0x100ULL, 0xFFULL, 0ULL, ~0ULL, 0x8000ULL, 1ULL})
        writes.push_back({Column::lanes, keys::number(n), share(Bytes{1})});
    ASSERT_TRUE(this->store().write(writes, Durable::yes));
    std::vector<std::uint64_t> seen;
    const auto visit = [&](ByteView from, ByteView to, std::size_t most) {
        seen.clear();
        ASSERT_TRUE(this->store().scan(Column::lanes, from, to, [&](ByteView key, ByteView) {
            seen.push_back(*keys::parse_number(key));
            return seen.size() < most;
        }));
    };
    visit({}, {}, 100);
    EXPECT_EQ(seen, (std::vector<std::uint64_t>{0, 1, 0xFF, 0x100, 0x1FF, 0x8000, ~0ULL}));
    visit(keys::number(0xFF), keys::number(0x1FF), 100);
    EXPECT_EQ(seen, (std::vector<std::uint64_t>{0xFF, 0x100}));
    visit(keys::number(2), {}, 2);
    EXPECT_EQ(seen, (std::vector<std::uint64_t>{0xFF, 0x100}));
    visit(keys::number(5), keys::number(5), 100);
    EXPECT_TRUE(seen.empty());
    visit(keys::number(6), keys::number(5), 100);
    EXPECT_TRUE(seen.empty());
}

TYPED_TEST(StoreContract, LargeValuesComeBackWhole) {
    Prng prng{5};
    for (const std::size_t size : {4'095U, 4'096U, 65'536U, 65'537U, 1'048'576U}) {
        Bytes value(size);
        for (auto& byte : value)
            byte = static_cast<std::uint8_t>(prng.next());
        const Bytes key = keys::number(size);
        ASSERT_TRUE(this->store().write({{Column::vertices, key, share(value)}}, Durable::yes));
        EXPECT_TRUE(this->store().get(Column::vertices, key).value() == value) << size;
        this->subject_.reopen();
        EXPECT_TRUE(this->store().get(Column::vertices, key).value() == value) << size;
    }
}

std::vector<KeyWrite> random_batch(Prng& prng) {
    std::vector<KeyWrite> batch(prng.between(1, 20));
    for (KeyWrite& write : batch) {
        write.column = static_cast<Column>(prng.below(column_count));
        write.key = keys::number(prng.below(400));
        write.key.resize(prng.between(6, 8));
        if (prng.chance(1, 4)) continue;
        Bytes value(prng.chance(1, 10) ? prng.below(9'000) : prng.below(200));
        for (auto& byte : value)
            byte = static_cast<std::uint8_t>(prng.next());
        write.value = share(std::move(value));
    }
    return batch;
}

/// Without what RocksStore itself keeps in meta.
Pairs without_marks(Pairs pairs) {
    std::erase_if(pairs, [](const auto& pair) { return pair.first == keys::format(); });
    return pairs;
}

TEST(StoreContract, MemoryAndRocksAnswerTheSameToTheSameOperations) {
    Prng prng{2024};
    MemorySubject memory;
    RocksSubject rocks;
    for (int step = 0; step < 3'000; ++step) {
        const auto batch = random_batch(prng);
        const Durable durable = prng.chance(1, 20) ? Durable::yes : Durable::no;
        ASSERT_TRUE(memory.store().write(batch, durable));
        ASSERT_TRUE(rocks.store().write(batch, durable));
        for (int i = 0; i < 3; ++i) {
            const auto column = static_cast<Column>(prng.below(column_count));
            const Bytes key = keys::number(prng.below(400));
            ASSERT_TRUE(
                memory.store().get(column, key).value() == rocks.store().get(column, key).value()
            ) << step;
        }
        if (prng.chance(1, 50)) {
            const auto column = static_cast<Column>(prng.below(column_count));
            const Bytes from = keys::number(prng.below(400));
            const Bytes to = prng.chance(1, 3) ? Bytes{} : keys::number(prng.below(400));
            ASSERT_TRUE(
                all_of(memory.store(), column, from, to) ==
                without_marks(all_of(rocks.store(), column, from, to))
            ) << step;
        }
        if (prng.chance(1, 400)) {
            ASSERT_TRUE(rocks.rocks().flush());
        }
        if (prng.chance(1, 600)) {
            memory.reopen();
            rocks.reopen();
        }
    }
    for (std::size_t i = 0; i < column_count; ++i) {
        const auto column = static_cast<Column>(i);
        ASSERT_TRUE(all_of(memory.store(), column) == without_marks(all_of(rocks.store(), column)));
    }
}

class MemoryLogSubject {
public:
    VoteLog& log() { return log_; }
    void reopen() { log_.reopen(); }
    void flip(std::size_t byte) { ASSERT_TRUE(log_.flip(byte)); }
    void truncate(std::size_t bytes) { log_.truncate(bytes); }
    void lose() { log_.lose(); }

private:
    MemoryVoteLog log_;
};

class FileLogSubject {
public:
    FileLogSubject() { reopen(); }
    VoteLog& log() { return *log_; }
    void reopen() {
        log_.reset();
        auto opened = FileVoteLog::open(
            {.path = path_, .must_exist = voted_, .step_bytes = 4'096, .bytes_max = 1 << 20}
        );
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        log_ = std::move(*opened);
        voted_ = true;
    }
    void flip(std::size_t byte) {
        Bytes bytes = testing_support::read_file(path_);
        ASSERT_LT(byte, bytes.size());
        bytes[byte] ^= 1U;
        testing_support::write_file(path_, bytes);
    }
    void truncate(std::size_t bytes) { std::filesystem::resize_file(path_, bytes); }
    void lose() {
        std::filesystem::remove(path_);
        reopen();
    }

private:
    TestFolder folder_;
    std::string path_ = folder_ / "votes.log";
    bool voted_ = false;
    std::unique_ptr<FileVoteLog> log_;
};

template <class Subject>
class VoteLogContract : public ::testing::Test {
protected:
    VoteLog& log() { return subject_.log(); }
    std::vector<Bytes> records() {
        const auto contents = log().read();
        EXPECT_TRUE(contents.has_value() && contents->intact);
        return contents->records;
    }
    bool intact() { return log().read()->intact; }
    Subject subject_;
};
using VoteLogs = ::testing::Types<MemoryLogSubject, FileLogSubject>;
TYPED_TEST_SUITE(VoteLogContract, VoteLogs);

TYPED_TEST(VoteLogContract, RecordsComeBackInOrderNowAndAfterReopening) {
    Prng prng{8};
    std::vector<Bytes> expected;
    for (int i = 0; i < 200; ++i) {
        std::vector<Bytes> records(prng.below(4));
        for (Bytes& record : records) {
            record.resize(prng.below(300));
            for (auto& byte : record)
                byte = static_cast<std::uint8_t>(prng.chance(1, 2) ? 0 : prng.next());
        }
        ASSERT_TRUE(this->log().append(records));
        expected.insert(expected.end(), records.begin(), records.end());
        if (prng.chance(1, 10)) this->subject_.reopen();
        if (prng.chance(1, 10)) {
            ASSERT_EQ(this->records(), expected);
        }
    }
    EXPECT_EQ(this->records(), expected);
}

TYPED_TEST(VoteLogContract, CompactingReplacesTheContent) {
    for (int i = 0; i < 50; ++i)
        ASSERT_TRUE(this->log().append({Bytes(100, 7)}));
    const std::size_t before = this->log().size_bytes();
    const std::vector<Bytes> keep{to_bytes("x"), to_bytes("y")};
    ASSERT_TRUE(this->log().compact(keep));
    EXPECT_EQ(this->records(), keep);
    EXPECT_LT(this->log().size_bytes(), before / 10);
    ASSERT_TRUE(this->log().append({to_bytes("z")}));
    this->subject_.reopen();
    EXPECT_EQ(this->records(), (Records{to_bytes("x"), to_bytes("y"), to_bytes("z")}));
}

TYPED_TEST(VoteLogContract, CompactingManyRecordsKeepsTheirOrder) {
    std::vector<Bytes> keep;
    for (int i = 0; i < 40; ++i)
        keep.push_back(Bytes(20'000, static_cast<std::uint8_t>(i)));
    ASSERT_TRUE(this->log().compact(keep));
    this->subject_.reopen();
    EXPECT_EQ(this->records(), keep);
}

TYPED_TEST(VoteLogContract, ATornTailIsCutOffSilently) {
    for (std::size_t cut = 1; cut <= 25; ++cut) {
        ASSERT_TRUE(this->log().compact({to_bytes("a")}));
        const std::size_t before = this->log().size_bytes();
        ASSERT_TRUE(this->log().append({to_bytes("torn")}));
        ASSERT_EQ(this->log().size_bytes(), before + 25);
        this->subject_.truncate(before + 25 - cut);
        this->subject_.reopen();
        ASSERT_EQ(this->records(), Records{to_bytes("a")});
        ASSERT_TRUE(this->log().append({to_bytes("b")}));
        this->subject_.reopen();
        ASSERT_EQ(this->records(), (Records{to_bytes("a"), to_bytes("b")}));
    }
}

TYPED_TEST(VoteLogContract, DamageBeforeTheTailIsReportedUntilANewLogBegins) {
    ASSERT_TRUE(this->log().append({to_bytes("a")}));
    ASSERT_TRUE(this->log().append({to_bytes("b")}));
    this->subject_.flip(45);  // The letter of the first record.
    this->subject_.reopen();
    EXPECT_FALSE(this->intact());
    EXPECT_EQ(this->log().read()->records, Records{to_bytes("b")});
    EXPECT_NE(this->log().read()->damage.find("damaged"), std::string::npos);
    this->subject_.reopen();
    EXPECT_FALSE(this->intact());
    ASSERT_TRUE(this->log().append({to_bytes("next epoch")}));
    EXPECT_EQ(this->records(), Records{to_bytes("next epoch")});
    this->subject_.reopen();
    EXPECT_EQ(this->records(), Records{to_bytes("next epoch")});
}

TYPED_TEST(VoteLogContract, AMissingLogOfANodeThatVotedIsDamage) {
    ASSERT_TRUE(this->log().append({to_bytes("a")}));
    this->subject_.lose();
    EXPECT_FALSE(this->intact());
    EXPECT_NE(this->log().read()->damage.find("missing"), std::string::npos);
    this->subject_.reopen();
    EXPECT_FALSE(this->intact());
    ASSERT_TRUE(this->log().compact({}));
    this->subject_.reopen();
    EXPECT_TRUE(this->records().empty());
}

TYPED_TEST(VoteLogContract, AnAppendOverTheLimitChangesNothing) {
    ASSERT_TRUE(this->log().append({to_bytes("a")}));
    const auto over = this->log().append({Bytes(vote_log::payload_bytes_max)});
    ASSERT_FALSE(over.has_value());
    EXPECT_EQ(over.error().code, ErrorCode::limit);
    ASSERT_TRUE(this->log().append({to_bytes("b")}));
    EXPECT_EQ(this->records(), (Records{to_bytes("a"), to_bytes("b")}));
}

}  // namespace
}  // namespace creto
