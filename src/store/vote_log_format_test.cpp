#include "store/vote_log_format.hpp"

#include <gtest/gtest.h>

#include "base/prng.hpp"

namespace creto::vote_log {
namespace {

constexpr std::uint64_t salt = 42;

/// A log of several appends, with where each frame ends and the records up to there.
struct Log {
    Bytes file = header(salt);
    std::vector<std::size_t> ends{file.size()};
    std::vector<std::vector<Bytes>> records{{}};

    void append(const std::vector<Bytes>& added) {
        const auto made = frame(salt, ends.size(), added);
        ASSERT_TRUE(made.has_value());
        file.insert(file.end(), made->begin(), made->end());
        ends.push_back(file.size());
        records.push_back(records.back());
        records.back().insert(records.back().end(), added.begin(), added.end());
    }
};

Log sample() {
    Log log;
    log.append({to_bytes("first")});
    log.append({to_bytes("second"), Bytes{}, Bytes(40, 0xFF)});
    log.append({Bytes(30, 0)});  // Zeros, as in the space that was allocated ahead.
    log.append({to_bytes("last"), Bytes{1, 0, 0, 0}});
    return log;
}

TEST(VoteLogFormat, ReadsBackWhatWasAppended) {
    const Log log = sample();
    const Parsed parsed = parse(log.file);
    EXPECT_TRUE(parsed.contents.intact);
    EXPECT_EQ(parsed.contents.damage, "");
    EXPECT_EQ(parsed.contents.records, log.records.back());
    EXPECT_EQ(parsed.valid_bytes, log.file.size());
    EXPECT_EQ(parsed.torn_bytes, 0U);
    EXPECT_EQ(parsed.next_sequence, 5U);
    EXPECT_EQ(parsed.salt, salt);
}

TEST(VoteLogFormat, ZerosAfterTheLastFrameAreSpaceAllocatedAhead) {
    const Log log = sample();
    Bytes file = log.file;
    file.resize(file.size() + 10'000);
    const Parsed parsed = parse(file);
    EXPECT_TRUE(parsed.contents.intact);
    EXPECT_EQ(parsed.contents.records, log.records.back());
    EXPECT_EQ(parsed.valid_bytes, log.file.size());
    EXPECT_EQ(parsed.torn_bytes, 0U);
}

TEST(VoteLogFormat, ACutAnywhereAfterTheHeaderIsATornTail) {
    const Log log = sample();
    for (const std::size_t zeros : {0U, 1U, 500U}) {
        for (std::size_t cut = 0; cut <= log.file.size(); ++cut) {
            Bytes file(log.file.begin(), log.file.begin() + static_cast<std::ptrdiff_t>(cut));
            file.resize(cut + zeros);
            const Parsed parsed = parse(file);
            if (cut < header_bytes) {
                EXPECT_FALSE(parsed.contents.intact) << cut;
                continue;
            }
            std::size_t whole = 0;
            while (whole + 1 < log.ends.size() && log.ends[whole + 1] <= cut)
                ++whole;
            ASSERT_TRUE(parsed.contents.intact) << cut;
            // Zeros may stand in for the zeros that were cut off a frame: it is then whole again.
            if (zeros > 0 && parsed.valid_bytes > log.ends[whole]) ++whole;
            ASSERT_EQ(parsed.contents.records, log.records[whole]) << cut;
            ASSERT_EQ(parsed.valid_bytes, log.ends[whole]) << cut;
            ASSERT_TRUE(equal(
                ByteView{file}.first(parsed.valid_bytes),
                ByteView{log.file}.first(parsed.valid_bytes)
            ));
        }
    }
}

TEST(VoteLogFormat, EveryFlippedBitBeforeTheLastFrameIsDamage) {
    const Log log = sample();
    const std::size_t last_frame = log.ends[log.ends.size() - 2];
    for (std::size_t byte = 0; byte < log.file.size(); ++byte) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            Bytes file = log.file;
            file[byte] = static_cast<std::uint8_t>(file[byte] ^ (1U << bit));
            const Parsed parsed = parse(file);
            ASSERT_EQ(parsed.contents.intact, byte >= last_frame) << byte << "." << bit;
            if (byte >= last_frame) {
                ASSERT_EQ(parsed.contents.records, log.records[log.records.size() - 2]);
                ASSERT_EQ(parsed.valid_bytes, last_frame);
                ASSERT_GT(parsed.torn_bytes, 0U);
            } else {
                ASSERT_NE(parsed.contents.damage, "");
            }
        }
    }
}

TEST(VoteLogFormat, AFlippedBitInTheSpaceAheadIsNoLoss) {
    const Log log = sample();
    Bytes file = log.file;
    file.resize(file.size() + 64);
    for (std::size_t byte = log.file.size(); byte < file.size(); ++byte) {
        file[byte] = 0x80;
        const Parsed parsed = parse(file);
        EXPECT_TRUE(parsed.contents.intact);
        EXPECT_EQ(parsed.contents.records, log.records.back());
        EXPECT_EQ(parsed.valid_bytes, log.file.size());
        file[byte] = 0;
    }
}

TEST(VoteLogFormat, RecordsAfterDamageAreStillRead) {
    Log log = sample();
    log.file[log.ends[0] + frame_header_bytes] ^= 1U;  // In the first frame's payload.
    const Parsed parsed = parse(log.file);
    EXPECT_FALSE(parsed.contents.intact);
    EXPECT_EQ(parsed.contents.damage, "at byte 24: a record is damaged and others follow it");
    const std::vector<Bytes> rest(log.records.back().begin() + 1, log.records.back().end());
    EXPECT_EQ(parsed.contents.records, rest);
}

TEST(VoteLogFormat, AMissingFrameIsDamage) {
    const Log log = sample();
    Bytes file = log.file;
    file.erase(
        file.begin() + static_cast<std::ptrdiff_t>(log.ends[1]),
        file.begin() + static_cast<std::ptrdiff_t>(log.ends[2])
    );
    const Parsed parsed = parse(file);
    EXPECT_FALSE(parsed.contents.intact);
    EXPECT_EQ(parsed.contents.records.size(), log.records.back().size() - 3);
}

TEST(VoteLogFormat, AnotherFilesFramesInsideATornRecordAreNotTakenForOurs) {
    // A peer may choose bytes that stand in a record: here a frame that would follow ours.
    for (const bool salt_known : {false, true}) {
        Log log;
        log.append({to_bytes("vote")});
        const auto posing = frame(salt_known ? salt : salt + 1, 3, {to_bytes("posing")});
        ASSERT_TRUE(posing.has_value());
        const auto torn = frame(salt, 2, {*posing, Bytes(100, 0xAA)});
        ASSERT_TRUE(torn.has_value());
        log.file.insert(log.file.end(), torn->begin(), torn->end() - 50);
        EXPECT_EQ(parse(log.file).contents.intact, !salt_known);
    }
}

TEST(VoteLogFormat, AnAppendOneByteOverTheLimitIsRefused) {
    const std::size_t length_bytes = 4;  // LEB128 of just below 16 MiB.
    EXPECT_TRUE(frame(salt, 1, {Bytes(payload_bytes_max - length_bytes)}).has_value());
    const auto over = frame(salt, 1, {Bytes(payload_bytes_max - length_bytes + 1)});
    ASSERT_FALSE(over.has_value());
    EXPECT_EQ(over.error().code, ErrorCode::limit);
}

TEST(VoteLogFormat, RandomBytesAndRandomDamageNeverCrash) {
    Prng prng{11};
    for (int round = 0; round < 2'000; ++round) {
        Bytes file = round % 2 == 0 ? sample().file : header(salt);
        if (round % 2 == 1) {
            for (std::uint64_t i = prng.below(400); i > 0; --i)
                file.push_back(static_cast<std::uint8_t>(prng.chance(1, 2) ? 0 : prng.next()));
        }
        for (std::uint64_t i = prng.below(6); i > 0; --i)
            file[prng.below(file.size())] = static_cast<std::uint8_t>(prng.next());
        const Parsed parsed = parse(file);
        EXPECT_LE(parsed.valid_bytes, file.size());
    }
}

TEST(VoteLogFormat, ASearchThatWouldTakeTooLongCountsAsDamage) {
    // Every place looks like the start of a long frame: length 64 KiB, sequence 1.
    Bytes file = header(salt);
    file.push_back(1);  // So that the first frame is bad.
    while (file.size() < 1'500'000) {
        const Bytes start{0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 9, 9, 9, 9, 9, 9, 9};
        file.insert(file.end(), start.begin(), start.end());
    }
    const Parsed parsed = parse(file);
    EXPECT_FALSE(parsed.contents.intact);
    EXPECT_TRUE(parsed.contents.records.empty());
}

}  // namespace
}  // namespace creto::vote_log
