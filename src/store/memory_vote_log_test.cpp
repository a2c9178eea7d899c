#include "store/memory_vote_log.hpp"

#include <gtest/gtest.h>

namespace creto {
namespace {

using Records = std::vector<Bytes>;

Records records_of(const VoteLog& log) {
    const auto contents = log.read();
    EXPECT_TRUE(contents.has_value());
    EXPECT_TRUE(contents->intact) << contents->damage;
    return contents->records;
}
bool intact(const VoteLog& log) {
    return log.read()->intact;
}

TEST(MemoryVoteLog, ACrashLosesNothingThatWasAcknowledged) {
    MemoryVoteLog log;
    ASSERT_TRUE(log.append({to_bytes("a")}));
    ASSERT_TRUE(log.append({to_bytes("b"), to_bytes("c")}));
    log.crash();
    EXPECT_EQ(records_of(log), (Records{to_bytes("a"), to_bytes("b"), to_bytes("c")}));
}

// Failure 17: a log cut off in the middle of a record kept the node from starting.
TEST(MemoryVoteLog, AnAppendTornAtAnyByteIsCutOff) {
    for (std::size_t at = 0; at < 26; ++at) {
        MemoryVoteLog log;
        ASSERT_TRUE(log.append({to_bytes("a")}));
        log.tear_next_append(at);
        EXPECT_FALSE(log.append({to_bytes("torn")}));
        EXPECT_FALSE(log.append({to_bytes("after")})) << "a failed log takes nothing more";
        log.crash();
        // 20 bytes of frame, one of length, four of text: the whole frame survives as it was
        // written.
        Records expected{to_bytes("a")};
        if (at == 25) expected.push_back(to_bytes("torn"));
        EXPECT_EQ(records_of(log), expected);
        ASSERT_TRUE(log.append({to_bytes("b")}));
        expected.push_back(to_bytes("b"));
        log.crash();
        EXPECT_EQ(records_of(log), expected);
    }
}

TEST(MemoryVoteLog, DamageIsSeenAfterARestartAndEndsWithANewLog) {
    MemoryVoteLog log;
    ASSERT_TRUE(log.append({to_bytes("a")}));
    ASSERT_TRUE(log.append({to_bytes("b")}));
    ASSERT_TRUE(log.flip(vote_log::header_bytes + vote_log::frame_header_bytes + 1));
    log.reopen();
    EXPECT_FALSE(intact(log));
    log.reopen();
    EXPECT_FALSE(intact(log)) << "it stays damaged however often one looks";
    ASSERT_TRUE(log.append({to_bytes("next epoch")}));
    log.reopen();
    EXPECT_EQ(records_of(log), (Records{to_bytes("next epoch")}));
}

TEST(MemoryVoteLog, AMissingLogIsDamageOnlyForANodeThatHasVoted) {
    MemoryVoteLog log;
    log.lose();
    EXPECT_TRUE(intact(log));
    ASSERT_TRUE(log.append({to_bytes("a")}));
    log.lose();
    EXPECT_FALSE(intact(log));
    EXPECT_NE(log.read()->damage, "");
    log.erase();
    EXPECT_TRUE(intact(log)) << "with the store gone as well it is a new node";
}

TEST(MemoryVoteLog, FaultsRefuseAppendsUntilTheLogIsOpenedAgain) {
    MemoryVoteLog log;
    ASSERT_TRUE(log.append({to_bytes("a")}));
    log.faults().fail_appends = 1;
    EXPECT_EQ(log.append({to_bytes("b")}).error().code, ErrorCode::io);
    EXPECT_EQ(log.append({to_bytes("b")}).error().code, ErrorCode::io);
    log.reopen();
    log.faults().read_only = true;
    EXPECT_FALSE(log.append({to_bytes("b")}));
    log.faults() = {};
    log.reopen();
    log.faults().capacity_bytes = log.size_bytes() + 21;
    EXPECT_FALSE(log.append({to_bytes("b")})) << "22 bytes";
    log.faults().capacity_bytes += 1;
    log.reopen();
    EXPECT_TRUE(log.append({to_bytes("b")}));
    EXPECT_EQ(records_of(log), (Records{to_bytes("a"), to_bytes("b")}));
}

TEST(MemoryVoteLog, CompactingKeepsWhatItIsTold) {
    MemoryVoteLog log;
    for (int i = 0; i < 100; ++i)
        ASSERT_TRUE(log.append({Bytes(100, 1)}));
    const std::size_t before = log.size_bytes();
    ASSERT_TRUE(log.compact({to_bytes("kept")}));
    EXPECT_LT(log.size_bytes(), before / 50);
    ASSERT_TRUE(log.append({to_bytes("new")}));
    log.crash();
    EXPECT_EQ(records_of(log), (Records{to_bytes("kept"), to_bytes("new")}));
    ASSERT_TRUE(log.compact({}));
    log.crash();
    EXPECT_TRUE(records_of(log).empty());
}

}  // namespace
}  // namespace creto
