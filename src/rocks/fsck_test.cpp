#include "rocks/fsck.hpp"

#include <gtest/gtest.h>
#include <map>

#include "model/checkpoint.hpp"
#include "rocks/data_folder.hpp"
#include "rocks/test_support.hpp"
#include "store/commit.hpp"
#include "store/keys.hpp"

namespace creto {
namespace {

using namespace testing_support;
using Severity = Finding::Severity;

constexpr std::uint64_t lane_length = 20;

VertexPtr vertex(std::uint32_t seat, std::uint64_t sequence, const VertexPtr& previous) {
    TagScheme scheme;
    const auto signer = scheme.signer(KeySeed{});
    VertexHeader header;
    header.lane = {Seat{seat}, Incarnation{}};
    header.sequence = Sequence{sequence};
    header.author_unix_ms = static_cast<std::int64_t>(sequence);
    if (previous) {
        header.parents.push_back(previous->ref());
        header.depth = previous->header().depth + 1;
    }
    return SealedVertex::make(header, {}, ChainId{}, *signer);
}

/// A closed data folder with two lanes of vertices and a few votes.
class Fsck : public ::testing::Test {
protected:
    Fsck() {
        change([this](DataFolder& folder) {
            for (std::uint32_t seat = 0; seat < 2; ++seat) {
                VertexPtr last;
                for (std::uint64_t sequence = 1; sequence <= lane_length; ++sequence) {
                    last = vertex(seat, sequence, last);
                    lanes_[seat].push_back(last);
                    ASSERT_TRUE(folder.store->write(keys::put_vertex(last), Durable::no));
                }
            }
            Persist votes{Ticket{1}, {}, {to_bytes("v1"), to_bytes("v2")}, Durable::yes};
            ASSERT_TRUE(commit(*folder.store, *folder.votes, {votes}));
            ASSERT_TRUE(commit(*folder.store, *folder.votes, {votes}));
        });
    }
    void change(const std::function<void(DataFolder&)>& how) {
        auto folder = DataFolder::open({.dir = dir_.path(), .chain = chain_});
        ASSERT_TRUE(folder.has_value()) << folder.error().message;
        how(*folder);
        ASSERT_TRUE(folder->store->flush());
    }
    void write(std::vector<KeyWrite> writes) {
        change([&](DataFolder& folder) { ASSERT_TRUE(folder.store->write(writes, Durable::yes)); });
    }
    /// The one finding of a report.
    Finding finding() {
        const FsckReport report = fsck(dir_.path());
        EXPECT_EQ(report.findings.size(), 1U);
        for (const Finding& each : report.findings)
            EXPECT_FALSE(each.remedy.empty()) << each.what;
        return report.findings.empty() ? Finding{} : report.findings.front();
    }
    std::string store_path() const { return DataFolder::store_path(dir_.path()); }
    std::string votes_path() const { return DataFolder::votes_path(dir_.path()); }

    TestFolder dir_;
    ChainId chain_{blake3(as_bytes("chain"))};
    std::vector<VertexPtr> lanes_[2];
};

bool mentions(const std::string& text, const std::string& words) {
    return text.find(words) != std::string::npos;
}

TEST_F(Fsck, AHealthyFolderIsClean) {
    const FsckReport report = fsck(dir_.path());
    for (const Finding& each : report.findings)
        ADD_FAILURE() << each.where << ": " << each.what;
    EXPECT_TRUE(report.clean());
    EXPECT_EQ(report.keys[static_cast<std::size_t>(Column::vertices)], 2 * lane_length);
    EXPECT_EQ(report.keys[static_cast<std::size_t>(Column::lanes)], 2 * lane_length);
    EXPECT_EQ(report.vertices_good, 2 * lane_length);
    EXPECT_EQ(report.vote_records, 4U);
    EXPECT_EQ(report.chain, chain_);
}

TEST_F(Fsck, ChangesNothing) {
    const auto snapshot = [this] {
        std::map<std::string, Bytes> files;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(dir_.path()))
            if (entry.is_regular_file()) files[entry.path()] = read_file(entry.path());
        return files;
    };
    const auto before = snapshot();
    (void)fsck(dir_.path());
    EXPECT_TRUE(snapshot() == before);
}

TEST_F(Fsck, AVertexUnderAnotherIdIsFound) {
    const VertexId id = lanes_[0][4]->id();
    const SharedBytes other{lanes_[0][5], &lanes_[0][5]->bytes()};
    write({{Column::vertices, keys::vertex(id), other}});
    const Finding found = finding();
    EXPECT_EQ(found.severity, Severity::error);
    EXPECT_TRUE(mentions(found.where, store_path() + ": vertices/" + id.value().hex()))
        << found.where;
    EXPECT_TRUE(mentions(found.what, lanes_[0][5]->id().value().hex())) << found.what;
}

TEST_F(Fsck, EveryChangedByteOfAVertexsHeaderIsFound) {
    const VertexPtr& good = lanes_[1][7];
    const std::size_t header_bytes = encode_bytes(good->header()).size();
    for (std::size_t byte = 0; byte < header_bytes; byte += 5) {
        Bytes bytes = good->bytes();
        bytes[byte] ^= 1U;
        write({{Column::vertices, keys::vertex(good->id()), share(bytes)}});
        EXPECT_EQ(finding().severity, Severity::error) << byte;
    }
}

TEST_F(Fsck, AMissingVertexIsFoundThroughTheIndex) {
    const VertexPtr& gone = lanes_[0][9];
    write({{Column::vertices, keys::vertex(gone->id()), std::nullopt}});
    const Finding found = finding();
    EXPECT_EQ(found.severity, Severity::error);
    EXPECT_TRUE(mentions(found.what, "lane 0, 10: its vertex " + gone->id().value().hex()))
        << found.what;
}

TEST_F(Fsck, AMissingIndexEntryIsFoundThroughTheVertex) {
    write({{Column::lanes, keys::lane_entry(lanes_[1].back()->ref()), std::nullopt}});
    const Finding found = finding();
    EXPECT_EQ(found.severity, Severity::warning);
    EXPECT_TRUE(mentions(found.what, "lane 1 does not name it at 20")) << found.what;
}

TEST_F(Fsck, AnIndexEntryOfAnotherVertexIsFound) {
    const Bytes key = keys::lane_entry(lanes_[1][3]->ref());
    write({{Column::lanes, key, share(keys::digest(lanes_[1][4]->id().value()))}});
    const FsckReport report = fsck(dir_.path());
    ASSERT_EQ(report.findings.size(), 2U) << "the entry, and the vertex that it should name";
    EXPECT_FALSE(report.clean());
}

TEST_F(Fsck, AGapInALaneIsANote) {
    write(keys::remove_vertex(lanes_[0][9]->ref()));
    const Finding found = finding();
    EXPECT_EQ(found.severity, Severity::note);
    EXPECT_TRUE(mentions(found.what, "lane 0, 11: the vertices after 9 are missing")) << found.what;
    EXPECT_TRUE(fsck(dir_.path()).clean());
    write(keys::remove_vertex(lanes_[0][0]->ref()));
    EXPECT_EQ(fsck(dir_.path()).findings.size(), 1U) << "a pruned beginning is no gap";
}

TEST_F(Fsck, ADamagedCheckpointIsFound) {
    Checkpoint checkpoint;
    checkpoint.block = {
        .epoch = Epoch{1}, .view = View{9}, .parent_view = View{8}, .height = Height{8}};
    checkpoint.block.cut_root = Cut{}.root();
    checkpoint.mark.height = Height{8};
    const Bytes state(100, 7);
    checkpoint.state_bytes = state.size();
    checkpoint.parts = {hash(HashDomain::checkpoint_part, state)};
    const Bytes head = keys::checkpoint(Height{8});
    const Bytes part = keys::checkpoint_part(Height{8}, 0);
    write(
        {{Column::state, head, share(encode_bytes(checkpoint))},
         {Column::state, part, share(Bytes{state})}}
    );
    EXPECT_TRUE(fsck(dir_.path()).clean());
    write({{Column::state, part, share(Bytes(100, 8))}});
    EXPECT_TRUE(mentions(finding().where, "checkpoint at height 8")) << finding().where;
    EXPECT_EQ(finding().severity, Severity::warning);
    write({{Column::state, part, std::nullopt}});
    EXPECT_TRUE(mentions(finding().what, "damaged or missing")) << finding().what;
    checkpoint.mark.height = Height{7};
    write({{Column::state, head, share(encode_bytes(checkpoint))}});
    EXPECT_TRUE(mentions(finding().what, "no checkpoint")) << finding().what;
}

TEST_F(Fsck, StrayKeysAreFound) {
    write(
        {{Column::vertices, to_bytes("stray"), share(lanes_[0][0]->bytes())},
         {Column::lanes, to_bytes("stray"), share(Bytes(32))}}
    );
    EXPECT_EQ(fsck(dir_.path()).findings.size(), 2U);
}

TEST_F(Fsck, ADamagedTableIsNamed) {
    const std::string needle{as_text(lanes_[0][3]->id().value().view())};
    int damaged = 0;
    for (const std::string& path : files_in(store_path(), ".sst")) {
        const std::size_t at = find_in_file(path, needle);
        if (at == std::string::npos || damaged > 0) continue;
        flip_byte(path, at);
        ++damaged;
        const FsckReport report = fsck(dir_.path());
        ASSERT_FALSE(report.findings.empty());
        EXPECT_EQ(report.findings.front().severity, Severity::error);
        EXPECT_EQ(report.findings.front().where, path);
        EXPECT_TRUE(mentions(report.findings.front().what, "checksum mismatch"));
    }
    EXPECT_EQ(damaged, 1);
}

TEST_F(Fsck, AStoreThatDoesNotOpenIsOneFinding) {
    for (const std::string& path : files_in(store_path(), ".sst"))
        std::filesystem::remove(path);
    const Finding found = finding();
    EXPECT_EQ(found.severity, Severity::error);
    EXPECT_EQ(found.where, store_path());
    EXPECT_TRUE(mentions(found.what, "does not open"));
}

TEST_F(Fsck, AnotherFormatIsFound) {
    write({{Column::meta, keys::format(), share(keys::number(9))}});
    EXPECT_TRUE(mentions(finding().what, "format 9"));
}

TEST_F(Fsck, ADamagedVoteLogIsFound) {
    flip_byte(votes_path(), 45);  // In the first of two appends.
    const Finding found = finding();
    EXPECT_EQ(found.severity, Severity::error);
    EXPECT_EQ(found.where, votes_path());
    EXPECT_TRUE(mentions(found.remedy, "votes again, with a new log"));
}

TEST_F(Fsck, ATornTailIsANote) {
    std::filesystem::resize_file(votes_path(), 24 + 26 + 15);
    const Finding found = finding();
    EXPECT_EQ(found.severity, Severity::note);
    EXPECT_TRUE(mentions(found.what, "15 bytes of an append")) << found.what;
}

TEST_F(Fsck, AMissingVoteLogOfANodeThatVotedIsFound) {
    std::filesystem::remove(votes_path());
    EXPECT_TRUE(mentions(finding().what, "missing although this node voted"));
}

TEST_F(Fsck, ARunningNodeIsNoted) {
    change([this](DataFolder& folder) {
        const Finding found = finding();
        EXPECT_EQ(found.severity, Severity::note);
        EXPECT_TRUE(mentions(found.what, "in use by the process " + std::to_string(::getpid())));
        EXPECT_TRUE(folder.store->write({}, Durable::yes));
        EXPECT_FALSE(DataFolder::open({.dir = dir_.path()}).has_value()) << "its lock still holds";
    });
}

TEST_F(Fsck, WhatIsNoNodesFolderIsSaid) {
    EXPECT_EQ(fsck(dir_ / "missing").findings.size(), 1U);
    EXPECT_EQ(fsck(votes_path()).findings.size(), 1U);
    const TestFolder empty;
    const FsckReport report = fsck(empty.path());
    ASSERT_EQ(report.findings.size(), 1U);
    EXPECT_TRUE(mentions(report.findings.front().what, "no store"));
    EXPECT_TRUE(std::filesystem::is_empty(empty.path()));
}

TEST(FsckReport, FindingsAreBounded) {
    FsckReport report;
    for (std::size_t i = 0; i < FsckReport::findings_max + 5; ++i)
        report.add(Severity::note, "here", "it", "nothing");
    EXPECT_EQ(report.findings.size(), FsckReport::findings_max);
    EXPECT_EQ(report.unlisted, 5U);
    EXPECT_FALSE(report.clean()) << "who knows what was not listed";
}

}  // namespace
}  // namespace creto
