#include "rocks/file_vote_log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/prng.hpp"
#include "rocks/test_support.hpp"
#include "store/vote_log_format.hpp"

namespace {

/// Files that were renamed, until their folder is synced: what a power cut would undo.
std::vector<std::string>& undone_by_a_power_cut() {
    static std::vector<std::string> paths;
    return paths;
}

}  // namespace

// The calls of this program, and so of the code under test, come through here.
extern "C" int rename(const char* from, const char* to) noexcept {
    undone_by_a_power_cut().emplace_back(to);
    return ::renameat(AT_FDCWD, from, AT_FDCWD, to);
}
extern "C" int fsync(int fd) {
    struct stat status {};
    if (::fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) undone_by_a_power_cut().clear();
    return static_cast<int>(::syscall(SYS_fsync, fd));
}

namespace creto {
namespace {

using namespace testing_support;
using Records = std::vector<Bytes>;

std::unique_ptr<FileVoteLog> open_log(const std::string& path, bool must_exist = false) {
    auto log = FileVoteLog::open({.path = path, .must_exist = must_exist});
    EXPECT_TRUE(log.has_value()) << log.error().message;
    return log ? std::move(*log) : nullptr;
}
Records records_of(const VoteLog& log) {
    const auto contents = log.read();
    EXPECT_TRUE(contents.has_value() && contents->intact);
    return contents->records;
}
/// The n-th record: its number, and bytes that follow from it.
Bytes record(std::uint64_t n) {
    Prng prng{n};
    Bytes bytes = to_bytes(std::to_string(n) + " ");
    for (std::uint64_t i = prng.below(3'000); i > 0; --i)
        bytes.push_back(static_cast<std::uint8_t>(prng.next()));
    return bytes;
}

TEST(FileVoteLog, SpaceIsAllocatedAheadInSteps) {
    const TestFolder folder;
    const std::string path = folder / "votes.log";
    auto opened = FileVoteLog::open({.path = path, .step_bytes = 8'192});
    ASSERT_TRUE(opened.has_value());
    EXPECT_EQ(std::filesystem::file_size(path), 8'192U);
    ASSERT_TRUE((*opened)->append({Bytes(8'000, 1)}));
    EXPECT_EQ(std::filesystem::file_size(path), 8'192U);
    ASSERT_TRUE((*opened)->append({Bytes(9'000, 2)}));
    EXPECT_EQ(std::filesystem::file_size(path), 3 * 8'192U);
    EXPECT_EQ(records_of(**opened), (Records{Bytes(8'000, 1), Bytes(9'000, 2)}));
}

TEST(FileVoteLog, ATornTailIsMeasuredAndOverwritten) {
    const TestFolder folder;
    const std::string path = folder / "votes.log";
    std::size_t end = 0;
    {
        const auto log = open_log(path);
        ASSERT_TRUE(log->append({to_bytes("kept")}));
        end = log->size_bytes();
        ASSERT_TRUE(log->append({Bytes(1'000, 7)}));
    }
    // What a power cut may leave: the length, but not all of the pages.
    Bytes bytes = read_file(path);
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(end), 100, std::uint8_t{0});
    write_file(path, bytes);
    const auto log = open_log(path);
    EXPECT_EQ(log->torn_bytes(), 1'022U) << "20 of frame, 2 of length, 1,000 of record";
    EXPECT_EQ(log->size_bytes(), end);
    ASSERT_TRUE(log->append({to_bytes("b")}));
    EXPECT_EQ(records_of(*log), (Records{to_bytes("kept"), to_bytes("b")}));
    const Bytes after = read_file(path);
    // A checksum may hold any byte by chance, but not eight of these in a row.
    EXPECT_TRUE(std::search_n(after.begin(), after.end(), 8, std::uint8_t{7}) == after.end())
        << "nothing of the torn tail remains";
}

TEST(FileVoteLog, ADamagedLogIsSetAsideNotOverwritten) {
    const TestFolder folder;
    const std::string path = folder / "votes.log";
    for (int round = 1; round <= 2; ++round) {
        {
            const auto log = open_log(path);
            ASSERT_TRUE(log->append({to_bytes("a")}));
            ASSERT_TRUE(log->append({to_bytes("b")}));
        }
        flip_byte(path, vote_log::header_bytes + 4);
        const Bytes damaged = read_file(path);
        const auto log = open_log(path);
        const auto contents = log->read();
        ASSERT_TRUE(contents.has_value());
        EXPECT_FALSE(contents->intact);
        EXPECT_NE(contents->damage.find(path), std::string::npos);
        EXPECT_TRUE(read_file(path) == damaged) << "only looked at";
        ASSERT_TRUE(log->append({to_bytes("next epoch")}));
        EXPECT_EQ(records_of(*log), Records{to_bytes("next epoch")});
        EXPECT_TRUE(read_file(path + ".damaged-" + std::to_string(round)) == damaged);
    }
}

TEST(FileVoteLog, AnUnfinishedNewFileIsIgnored) {
    const TestFolder folder;
    const std::string path = folder / "votes.log";
    ASSERT_TRUE(open_log(path)->append({to_bytes("a")}));
    write_file(path + ".new", to_bytes("half a comp"));  // A crash while compacting.
    EXPECT_EQ(records_of(*open_log(path)), Records{to_bytes("a")});
    EXPECT_FALSE(std::filesystem::exists(path + ".new"));
}

// Failure 16: the file against signing twice was renamed into place and its folder never synced, so a
// power cut brought the old one back.
TEST(FileVoteLog, APowerCutNeverBringsAnOlderFileBack) {
    const TestFolder folder;
    const std::string path = folder / "votes.log";
    undone_by_a_power_cut().clear();
    const auto log = open_log(path);
    EXPECT_EQ(undone_by_a_power_cut(), std::vector<std::string>{});
    ASSERT_TRUE(log->append({to_bytes("a"), to_bytes("b")}));
    ASSERT_TRUE(log->compact({to_bytes("b")}));
    EXPECT_EQ(undone_by_a_power_cut(), std::vector<std::string>{});
    EXPECT_EQ(records_of(*log), Records{to_bytes("b")});
}

TEST(FileVoteLog, AnEmptyFileIsDamage) {
    const TestFolder folder;
    const std::string path = folder / "votes.log";
    write_file(path, {});
    EXPECT_FALSE(open_log(path)->read()->intact) << "a log is never created without its header";
}

TEST(FileVoteLog, TheLimitAsksForCompaction) {
    const TestFolder folder;
    const std::string path = folder / "votes.log";
    auto opened = FileVoteLog::open({.path = path, .step_bytes = 4'096, .bytes_max = 10'000});
    ASSERT_TRUE(opened.has_value());
    FileVoteLog& log = **opened;
    // Header 24, frames of 20 + 2 + record: exactly the limit, then one byte over.
    ASSERT_TRUE(log.append({Bytes(5'000)}));
    const auto over = log.append({Bytes(10'000 - 24 - 5'022 - 22 + 1)});
    ASSERT_FALSE(over.has_value());
    EXPECT_EQ(over.error().code, ErrorCode::limit);
    EXPECT_TRUE(says(over.error(), path) && says(over.error(), "compact"));
    ASSERT_TRUE(log.append({Bytes(10'000 - 24 - 5'022 - 22)}));
    ASSERT_TRUE(log.compact({to_bytes("kept")}));
    ASSERT_TRUE(log.append({Bytes(5'000)}));
}

TEST(FileVoteLog, OneProcessAtATime) {
    const TestFolder folder;
    const std::string path = folder / "votes.log";
    const auto log = open_log(path);
    for (int round = 0; round < 2; ++round) {
        const auto second = FileVoteLog::open({.path = path});
        ASSERT_FALSE(second.has_value());
        EXPECT_EQ(second.error().code, ErrorCode::conflict);
        EXPECT_TRUE(says(second.error(), "(pid " + std::to_string(::getpid()) + ")"))
            << second.error().message;
        ASSERT_TRUE(log->compact({to_bytes("a")})) << "the new file is as well guarded";
    }
}

TEST(FileVoteLog, WhatWasAcknowledgedSurvivesKillAtAnyMoment) {
    const TestFolder folder;
    const std::string path = folder / "votes.log";
    Prng prng{77};
    std::uint64_t acknowledged = 0;
    for (int round = 0; round < 12; ++round) {
        Child child{"FileVoteLogChild.DISABLED_AppendsUntilKilled", path};
        const std::uint64_t until = acknowledged + prng.below(120);
        while (acknowledged < until) {
            const auto line = told(child);
            ASSERT_TRUE(line.has_value()) << child.rest();
            acknowledged = std::stoull(*line);
        }
        child.kill();
        while (const auto line = told(child))
            acknowledged = std::stoull(*line);
        const auto log = open_log(path, acknowledged > 0);
        const Records records = records_of(*log);
        ASSERT_GE(records.size(), acknowledged);
        // At most the one append that was under way more: up to three records.
        ASSERT_LE(records.size(), acknowledged + 3);
        for (std::size_t i = 0; i < records.size(); ++i)
            ASSERT_TRUE(records[i] == record(i + 1)) << i;
        acknowledged = records.size();
    }
    EXPECT_GT(acknowledged, 100U);
}

TEST(FileVoteLogChild, DISABLED_AppendsUntilKilled) {
    if (child_argument() == nullptr) GTEST_SKIP() << "run by other tests";
    auto log = FileVoteLog::open({.path = child_argument(), .step_bytes = 16'384});
    ASSERT_TRUE(log.has_value()) << log.error().message;
    std::uint64_t n = records_of(**log).size();
    while (n < 1'000'000) {
        Records records;
        for (std::uint64_t i = n % 3 + 1; i > 0; --i)
            records.push_back(record(++n));
        ASSERT_TRUE((*log)->append(records));
        tell(std::to_string(n));
        if (n % 50 < 3) {
            ASSERT_TRUE((*log)->compact(records_of(**log)));
        }
    }
}

TEST(FileVoteLog, AFullDiskIsNamedAndNothingMoreIsAppended) {
    const TestFolder folder;
    const ChildOutcome child = run_child("FileVoteLogChild.DISABLED_OnAFullDisk", folder.path());
    if (child.skipped) GTEST_SKIP() << child.text;
    EXPECT_TRUE(child.passed) << child.text;
}

TEST(FileVoteLogChild, DISABLED_OnAFullDisk) {
    if (child_argument() == nullptr) GTEST_SKIP() << "run by other tests";
    const std::string dir = child_argument();
    if (!mount_small_disk(dir, 1 << 20)) return tell("skip: mounting is not allowed here");
    const std::string path = dir + "/votes.log";
    const auto too_large = FileVoteLog::open({.path = path});
    ASSERT_FALSE(too_large.has_value()) << "4 MiB on a disk of 1 MiB";
    EXPECT_TRUE(says(too_large.error(), "the disk is full; free space"))
        << too_large.error().message;
    EXPECT_FALSE(std::filesystem::exists(path));
    Records written;
    {
        auto opened = FileVoteLog::open({.path = path, .step_bytes = 65'536});
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        FileVoteLog& log = **opened;
        Result<void> done;
        while (done) {
            const Bytes next = record(written.size());
            done = log.append({next});
            if (done) written.push_back(next);
            ASSERT_LT(written.size(), 2'000U);
        }
        EXPECT_EQ(done.error().code, ErrorCode::io);
        EXPECT_TRUE(says(done.error(), path) && says(done.error(), "the disk is full"))
            << done.error().message;
        EXPECT_TRUE(says(log.append({Bytes{1}}).error(), "an earlier append failed"));
        EXPECT_FALSE(log.compact({}).has_value());
        EXPECT_TRUE(records_of(log) == written);
    }
    EXPECT_GT(written.size(), 100U);
    EXPECT_TRUE(records_of(*open_log(path, true)) == written);
}

TEST(FileVoteLog, AReadOnlyFolderIsNamed) {
    const TestFolder folder;
    const ChildOutcome child =
        run_child("FileVoteLogChild.DISABLED_OnAReadOnlyDisk", folder.path());
    if (child.skipped) GTEST_SKIP() << child.text;
    EXPECT_TRUE(child.passed) << child.text;
}

TEST(FileVoteLogChild, DISABLED_OnAReadOnlyDisk) {
    if (child_argument() == nullptr) GTEST_SKIP() << "run by other tests";
    const std::string dir = child_argument();
    if (!mount_small_disk(dir, 16 << 20)) return tell("skip: mounting is not allowed here");
    ASSERT_TRUE(open_log(dir + "/votes.log")->append({to_bytes("a")}));
    ASSERT_TRUE(make_read_only(dir));
    for (const std::string name : {"/votes.log", "/new.log"}) {
        const auto opened = FileVoteLog::open({.path = dir + name});
        ASSERT_FALSE(opened.has_value());
        EXPECT_EQ(opened.error().code, ErrorCode::io);
        EXPECT_TRUE(says(opened.error(), "the file system is read-only")) << opened.error().message;
    }
}

TEST(FileVoteLog, AMissingFolderIsNamed) {
    const TestFolder folder;
    const auto opened = FileVoteLog::open({.path = folder / "missing/votes.log"});
    ASSERT_FALSE(opened.has_value());
    EXPECT_TRUE(says(opened.error(), folder / "missing/votes.log")) << opened.error().message;
}

}  // namespace
}  // namespace creto
