#include "rocks/rocks_store.hpp"

#include <gtest/gtest.h>

#include "base/prng.hpp"
#include "rocks/rocks_status.hpp"
#include "rocks/test_support.hpp"
#include "store/keys.hpp"

namespace creto {
namespace {

using namespace testing_support;

KeyWrite set(std::uint64_t key, Bytes value) {
    return {Column::state, keys::number(key), share(std::move(value))};
}
/// Content that does not compress and can be told from every other.
Bytes content(std::uint64_t key, std::size_t size) {
    Prng prng{key};
    Bytes bytes(size);
    for (auto& byte : bytes)
        byte = static_cast<std::uint8_t>(prng.next());
    return bytes;
}
std::unique_ptr<RocksStore> open_store(const std::string& dir) {
    auto store = RocksStore::open({.dir = dir});
    EXPECT_TRUE(store.has_value()) << store.error().message;
    return store ? std::move(*store) : nullptr;
}
Error open_error(const RocksOptions& options) {
    const auto store = RocksStore::open(options);
    EXPECT_FALSE(store.has_value());
    return store ? Error{} : store.error();
}
TEST(RocksStore, AMissingFolderIsCreated) {
    const TestFolder folder;
    EXPECT_NE(open_store(folder / "a/b/c"), nullptr);
    EXPECT_TRUE(std::filesystem::exists(folder / "a/b/c/CURRENT"));
}

TEST(RocksStore, AFolderOfAnotherNetworkIsRefused) {
    const TestFolder folder;
    const ChainId mine{blake3(as_bytes("mine"))};
    const ChainId other{blake3(as_bytes("other"))};
    ASSERT_TRUE(RocksStore::open({.dir = folder.path(), .chain = mine}));
    ASSERT_TRUE(RocksStore::open({.dir = folder.path(), .chain = mine}));
    ASSERT_TRUE(RocksStore::open({.dir = folder.path()})) << "not asked for: not checked";
    const Error error = open_error({.dir = folder.path(), .chain = other});
    EXPECT_EQ(error.code, ErrorCode::conflict);
    EXPECT_TRUE(says(error, folder.path()) && says(error, mine.value().hex())) << error.message;
}

TEST(RocksStore, AnotherFormatIsRefused) {
    const TestFolder folder;
    const KeyWrite mark{Column::meta, keys::format(), share(keys::number(2))};
    ASSERT_TRUE(open_store(folder.path())->write({mark}, Durable::yes));
    const Error error = open_error({.dir = folder.path()});
    EXPECT_EQ(error.code, ErrorCode::conflict);
    EXPECT_TRUE(says(error, "format 2") && says(error, "format 1")) << error.message;
}

TEST(RocksStore, OneProcessAtATime) {
    const TestFolder folder;
    const auto store = open_store(folder.path());
    const Error twice = open_error({.dir = folder.path()});
    EXPECT_EQ(twice.code, ErrorCode::conflict);
    EXPECT_TRUE(says(twice, "this process")) << twice.message;
    EXPECT_EQ(lock_owner(folder / "LOCK"), ::getpid());
    const ChildOutcome child = run_child(
        "RocksStoreChild.DISABLED_FindsTheFolderInUse",
        folder.path() + " " + std::to_string(::getpid())
    );
    if (child.skipped) GTEST_SKIP() << child.text;
    EXPECT_TRUE(child.passed) << child.text;
}

TEST(RocksStoreChild, DISABLED_FindsTheFolderInUse) {
    if (child_argument() == nullptr) GTEST_SKIP() << "run by RocksStore.OneProcessAtATime";
    const std::string argument = child_argument();
    const std::string dir = argument.substr(0, argument.find(' '));
    const std::string owner = argument.substr(argument.find(' ') + 1);
    const Error error = open_error({.dir = dir});
    EXPECT_EQ(error.code, ErrorCode::conflict);
    EXPECT_TRUE(says(error, dir + ": another creto process uses this folder (pid " + owner + ")"))
        << error.message;
}

TEST(RocksStore, AFolderCanBeOpenedAgainAfterItsProcessWasKilled) {
    const TestFolder folder;
    Child child{"RocksStoreChild.DISABLED_WritesUntilKilled", folder.path()};
    while (told(child) != "100") {
    }
    child.kill();
    const auto store = open_store(folder.path());
    for (std::uint64_t n = 1; n <= 100; ++n)
        EXPECT_TRUE(store->get(Column::state, keys::number(n)).value() == content(n, 100)) << n;
}

TEST(RocksStoreChild, DISABLED_WritesUntilKilled) {
    if (child_argument() == nullptr) GTEST_SKIP() << "run by other tests";
    const auto store = open_store(child_argument());
    for (std::uint64_t n = 1; n <= 1'000'000; ++n) {
        const auto durable = n % 10 == 0 ? Durable::yes : Durable::no;
        ASSERT_TRUE(store->write({set(n, content(n, 100))}, durable));
        tell(std::to_string(n));
    }
}

TEST(RocksStore, AReadOnlyFolderIsNamed) {
    const TestFolder folder;
    const ChildOutcome child = run_child("RocksStoreChild.DISABLED_OnAReadOnlyDisk", folder.path());
    if (child.skipped) GTEST_SKIP() << child.text;
    EXPECT_TRUE(child.passed) << child.text;
}

TEST(RocksStoreChild, DISABLED_OnAReadOnlyDisk) {
    if (child_argument() == nullptr) GTEST_SKIP() << "run by RocksStore.AReadOnlyFolderIsNamed";
    const std::string dir = child_argument();
    if (!mount_small_disk(dir, 32 << 20)) return tell("skip: mounting is not allowed here");
    ASSERT_TRUE(open_store(dir + "/store")->write({set(1, {1})}, Durable::yes));
    ASSERT_TRUE(make_read_only(dir));
    for (const std::string name : {"/store", "/new"}) {
        const Error error = open_error({.dir = dir + name});
        EXPECT_EQ(error.code, ErrorCode::io);
        EXPECT_TRUE(says(error, dir + name) && says(error, "the file system is read-only"))
            << error.message;
    }
}

TEST(RocksStore, AFullDiskRefusesWritesAndLosesNothing) {
    const TestFolder folder;
    const ChildOutcome child = run_child("RocksStoreChild.DISABLED_OnAFullDisk", folder.path());
    if (child.skipped) GTEST_SKIP() << child.text;
    EXPECT_TRUE(child.passed) << child.text;
}

TEST(RocksStoreChild, DISABLED_OnAFullDisk) {
    if (child_argument() == nullptr) GTEST_SKIP() << "run by RocksStore.AFullDisk…";
    const std::string dir = child_argument();
    constexpr std::size_t disk = 64 << 20;
    if (!mount_small_disk(dir, disk)) return tell("skip: mounting is not allowed here");
    write_file(dir + "/other", Bytes(disk / 2));  // What somebody else has on the disk.
    std::uint64_t written = 0;
    {
        const auto store = open_store(dir + "/store");
        Result<void> done;
        while (done && written < 100'000) {
            done = store->write({set(written + 1, content(written + 1, 10'000))}, Durable::yes);
            if (done) ++written;
        }
        ASSERT_FALSE(done.has_value());
        EXPECT_EQ(done.error().code, ErrorCode::io);
        EXPECT_TRUE(says(done.error(), "the disk is full; free space")) << done.error().message;
        EXPECT_TRUE(says(done.error(), dir + "/store"));
        // Space returns while the store is open: it stays closed to writes and keeps what it has.
        std::filesystem::remove(dir + "/other");
        for (int again = 0; again < 3; ++again)
            EXPECT_FALSE(store->write({set(0, {1})}, again == 0 ? Durable::no : Durable::yes));
        EXPECT_FALSE(store->flush());
        EXPECT_TRUE(store->get(Column::state, keys::number(1)).value() == content(1, 10'000));
    }
    EXPECT_GT(written, 100U);
    const auto store = open_store(dir + "/store");
    for (std::uint64_t n = 1; n <= written; ++n)
        ASSERT_TRUE(store->get(Column::state, keys::number(n)).value() == content(n, 10'000)) << n;
    EXPECT_TRUE(store->write({set(0, {1})}, Durable::yes));
}

/// A closed store whose data lies in table files, one with `count` values of 1,000 bytes.
void make_tables(const std::string& dir, std::uint64_t count) {
    const auto store = open_store(dir);
    for (std::uint64_t n = 0; n < count; ++n)
        ASSERT_TRUE(store->write({set(n, content(n, 1'000))}, Durable::no));
    ASSERT_TRUE(store->flush());
}
/// Damages a byte of the value wherever it stands in the folder's files with this ending.
void damage_value(const std::string& dir, const char* ending, std::uint64_t key) {
    const Bytes bytes = content(key, 1'000);
    const std::string needle{as_text(ByteView{bytes}.subspan(300, 100))};
    int found = 0;
    for (const std::string& path : files_in(dir, ending)) {
        const std::size_t at = find_in_file(path, needle);
        if (at == std::string::npos) continue;
        flip_byte(path, at);
        ++found;
    }
    ASSERT_EQ(found, 1);
}

TEST(RocksStore, DamageInATableIsReportedByKey) {
    const TestFolder folder;
    make_tables(folder.path(), 100);
    damage_value(folder.path(), ".sst", 50);
    const auto store = open_store(folder.path());
    int corrupt = 0;
    for (std::uint64_t n = 0; n < 100; ++n) {
        const auto value = store->get(Column::state, keys::number(n));
        if (value) {
            EXPECT_TRUE(*value == content(n, 1'000)) << n;
            continue;
        }
        ++corrupt;
        EXPECT_EQ(value.error().code, ErrorCode::corrupt);
        EXPECT_TRUE(says(value.error(), "state/" + to_hex(keys::number(n))))
            << value.error().message;
        EXPECT_TRUE(says(value.error(), "creto fsck"));
    }
    EXPECT_GE(corrupt, 1);
    EXPECT_LE(corrupt, 8) << "only the damaged block";
    EXPECT_FALSE(store->get(Column::state, keys::number(50)).has_value());
    const auto scanned =
        store->scan(Column::state, {}, {}, [](ByteView, ByteView) { return true; });
    ASSERT_FALSE(scanned.has_value());
    EXPECT_EQ(scanned.error().code, ErrorCode::corrupt);
}

TEST(RocksStore, DamageInTheWriteAheadLogIsAnErrorAndATornTailIsNot) {
    const TestFolder folder;
    {
        Child child{"RocksStoreChild.DISABLED_WritesThreeValuesAndWaits", folder.path()};
        ASSERT_EQ(told(child), "written");
        child.kill();  // So that the values are in the write-ahead log only.
    }
    const std::string copy = folder.path() + "-copy";
    std::filesystem::copy(folder.path(), copy);
    damage_value(copy, ".log", 2);
    const Error error = open_error({.dir = copy});
    EXPECT_EQ(error.code, ErrorCode::corrupt);
    EXPECT_TRUE(says(error, copy)) << error.message;
    std::filesystem::remove_all(copy);

    // The same log, cut off in the middle of its last batch.
    const Bytes last = content(3, 1'000);
    for (const std::string& path : files_in(folder.path(), ".log")) {
        const std::size_t at = find_in_file(path, std::string{as_text(ByteView{last}.first(100))});
        if (at != std::string::npos) std::filesystem::resize_file(path, at + 500);
    }
    const auto store = open_store(folder.path());
    EXPECT_TRUE(store->get(Column::state, keys::number(1)).value() == content(1, 1'000));
    EXPECT_TRUE(store->get(Column::state, keys::number(2)).value() == content(2, 1'000));
    EXPECT_EQ(store->get(Column::state, keys::number(3)).value(), std::nullopt);
}

TEST(RocksStoreChild, DISABLED_WritesThreeValuesAndWaits) {
    if (child_argument() == nullptr) GTEST_SKIP() << "run by other tests";
    const auto store = open_store(child_argument());
    for (std::uint64_t n = 1; n <= 3; ++n)
        ASSERT_TRUE(store->write({set(n, content(n, 1'000))}, Durable::no));
    tell("written");
    ::pause();
}

TEST(RocksStore, AMissingFileIsAnErrorNotAnEmptyStore) {
    const TestFolder folder;
    make_tables(folder.path(), 10);
    for (const std::string& path : files_in(folder.path(), ".sst"))
        std::filesystem::remove(path);
    const Error error = open_error({.dir = folder.path()});
    EXPECT_EQ(error.code, ErrorCode::corrupt) << error.message;
}

TEST(RocksStore, AFileInPlaceOfTheFolderIsNamed) {
    const TestFolder folder;
    write_file(folder / "store", Bytes{1});
    const Error error = open_error({.dir = folder / "store"});
    EXPECT_EQ(error.code, ErrorCode::io);
    EXPECT_TRUE(says(error, folder / "store")) << error.message;
}

TEST(RocksStore, MemoryStaysWithinItsBounds) {
    const TestFolder folder;
    auto opened = RocksStore::open(
        {.dir = folder.path(),
         .block_cache_bytes = 1 << 20,
         .write_buffer_bytes = 2 << 20,
         .hot_cache_bytes = 1 << 20}
    );
    ASSERT_TRUE(opened.has_value());
    RocksStore& store = **opened;
    for (std::uint64_t n = 0; n < 20'000; ++n)
        ASSERT_TRUE(store.write({set(n, content(n, 1'000))}, Durable::no));
    for (std::uint64_t n = 0; n < 20'000; n += 7)
        ASSERT_TRUE(store.get(Column::state, keys::number(n)).value() == content(n, 1'000));
    const RocksStore::Usage usage = store.usage();
    EXPECT_GT(usage.disk_bytes, 10U << 20);
    EXPECT_LT(usage.memory_bytes, 8U << 20);
    EXPECT_FALSE(usage.writes_stalled);
}

TEST(RocksStore, CountsItsCompactions) {
    const TestFolder folder;
    auto opened = RocksStore::open({.dir = folder.path()});
    ASSERT_TRUE(opened.has_value());
    RocksStore& store = **opened;
    for (std::uint64_t n = 0; n < 100; ++n) {
        ASSERT_TRUE(store.write({set(n, content(n, 1'000))}, Durable::no));
        if (n % 50 != 0) continue;
        ASSERT_TRUE(store.flush());
    }
    EXPECT_EQ(store.usage().compactions, 0U);
    ASSERT_TRUE(store.compact(Column::state));
    EXPECT_GT(store.usage().compactions, 0U);
    EXPECT_TRUE(store.usage().held_back.has_value());
}

}  // namespace
}  // namespace creto
